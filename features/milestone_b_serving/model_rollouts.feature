@milestone_b @gitops @serving @version
Feature: A new version takes over without a failed request

  Background:
    Given requests are sent to the model continuously

  Scenario: A good version takes over
    When a commit gives the model version 2.0.0
    Then the model serves it within the pick-up SLO
    And no request failed, whichever version answered it

  Scenario Outline: A bad version never receives traffic
    When a commit gives the model a version that <defect>
    Then the model reports within the pick-up SLO that it cannot be loaded
    When that commit is reverted in Git
    Then the model serves the good version within the pick-up SLO
    And every request was answered by the old version

    Examples:
      | defect         |
      | does not exist |
      | is damaged     |
