@milestone_a @gitops @drift
Feature: What somebody changes by hand is restored

  @smoke
  Scenario: A deleted Deployment is restored
    Given the platform is in its steady state
    And the self-heal backoff of the test application is reset
    When an operator deletes the Deployment of the test application
    Then Argo CD restores it within the self-heal SLO
    And it stays that way

  Scenario Outline: Every type of drift is restored
    Given the platform is in its steady state
    And the self-heal backoff of the test application is reset
    When an operator <drift> of the test application
    Then Argo CD restores it within the self-heal SLO
    And it stays that way

    Examples:
      | drift                                     |
      | changes the number of replicas            |
      | changes the image                         |
      | changes a label                           |
      | changes the environment                   |
      | deletes the Service                       |
      | deletes the ConfigMap                     |
      | adds an object with Argo CD's tracking ID |

  Scenario: A child Application edited by hand is restored
    Given the platform is in its steady state
    And the self-heal backoff of the child Applications is reset
    When an operator turns off self-heal on a child Application
    Then Argo CD restores it within the self-heal SLO
    And it stays that way
