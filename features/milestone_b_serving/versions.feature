@milestone_b @version
Feature: A new version takes over without a failed request

  Scenario: A good version takes over
    Given requests flow to the model
    When a commit gives the model version 2.0.0
    Then the model serves it within the pick-up time
    And no request failed, whichever version answered it

  Scenario Outline: A bad version never takes traffic
    Given requests flow to the model
    When a commit gives the model a version that <defect>
    Then the model says within the pick-up time that it cannot be loaded
    And reverting that commit in Git brings the good version back within the pick-up time
    And every request was answered by the old version

    Examples:
      | defect         |
      | does not exist |
      | is damaged     |
