@milestone_b @version
Feature: A new version takes over without a failed request

  Scenario: A good version takes over
    Given the models are served
    And requests flow to the model
    When a commit gives the model version 2.0.0
    Then the model serves it within the pick-up time
    And no request failed, whichever version answered it

  Scenario Outline: A bad version never takes traffic
    Given the models are served
    And requests flow to the model
    When a commit gives the model a version that <defect>
    Then the model says within the pick-up time that it cannot be loaded
    And every request was answered by the old version

    Examples:
      | defect         |
      | does not exist |
      | is damaged     |

  Scenario: Reverting a bad version brings the good one back
    Given the models are served
    And a commit has given the model a version that does not exist
    When that commit is reverted in Git
    Then the cluster follows within the pick-up time
    And it stays that way
