@milestone_f @gate @production
Feature: The production profile is what production needs

  Scenario: The production profile passes the gate and leaves the trial as it is
    Given the tools of the gate are installed
    When the gate renders the production profile
    Then it has nothing to reject there
    And the trial renders as if there were no production profile

  Scenario: Checkers and rules judge all of the production profile
    Given the tools of the gate are installed
    And the checkers of the production profile are installed
    When the checkers and our rules judge the production profile
    Then each of them has judged every workload
    And what is wrong there is suppressed for a reason and for a while

  Scenario: Each rule of the production profile has been seen red
    Given the tools of the gate are installed
    And the checkers of the production profile are installed
    And the checkers and our rules have judged the planted objects
    When the checkers and our rules judge the production profile
    Then each rule that judged it has rejected a planted object
