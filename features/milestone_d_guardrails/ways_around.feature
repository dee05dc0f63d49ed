@milestone_d
Feature: The known ways around the guardrails lead nowhere

  Scenario Outline: A way around the policies
    Given the guardrails are in force
    When the way around is <way>
    Then each attempt is refused by its policy and rule

    Examples:
      | way                                       |
      | a kind that no rule spoke of              |
      | a label that excused its bearer           |
      | a container that only prepares            |
      | a tag that moves, or is none              |
      | user 0 behind a promise not to be root    |
      | a model in a container of one's own       |
      | pods without the labels of their workload |
      | a label that names nobody                 |

  @commit
  Scenario: The project stops what no policy judges
    Given the guardrails are in force
    When a commit adds workloads that reach beyond their project
    Then each Application for it says within the pick-up time what is refused
    And nothing of it is there

  @commit
  Scenario: A workload that breaks a promise does not run
    Given the guardrails are in force
    When a commit adds the specimen may-be-root as a workload
    Then each Application for it says within the pick-up time what is refused
    And nothing of it is there

  @commit
  Scenario: A change that breaks a promise leaves the last good version running
    Given the guardrails are in force
    When a commit lets the test application run the latest image
    Then the Application shows the error within the pick-up time
    And the last good state keeps running
