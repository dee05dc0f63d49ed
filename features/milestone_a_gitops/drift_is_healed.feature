@milestone_a @drift
Feature: What somebody changes by hand is put back

  @smoke
  Scenario: A deleted Deployment comes back
    Given the platform is healthy
    And self-heal is in charge of the test application
    When someone deletes the Deployment of the test application
    Then Argo CD puts it back within its heal time
    And it stays that way

  Scenario Outline: Drift of every kind is healed
    Given the platform is healthy
    And self-heal is in charge of the test application
    When someone <drift> of the test application
    Then Argo CD puts it back within its heal time
    And it stays that way

    Examples:
      | drift                                      |
      | changes the number of replicas             |
      | changes the image                          |
      | changes a label                            |
      | changes the environment                    |
      | deletes the Service                        |
      | deletes the ConfigMap                      |
      | adds an object with the mark               |

  Scenario: A child Application edited by hand is put back
    Given the platform is healthy
    And self-heal is in charge of the child Applications
    When someone turns off self-heal on a child Application
    Then Argo CD puts it back within its heal time
    And it stays that way
