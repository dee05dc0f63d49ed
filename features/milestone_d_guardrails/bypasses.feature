@milestone_d @gitops @guardrails
Feature: The known bypasses of the guardrails are closed

  Scenario Outline: A known bypass of the policies is closed
    Given the guardrails are in force
    And manifests that try <bypass>
    Then each attempt is rejected by its policy and rule

    Examples:
      | bypass                                    |
      | a kind that no rule covered               |
      | a label that exempted its object          |
      | an init container                         |
      | a floating or missing image tag           |
      | user 0 despite runAsNonRoot               |
      | a model in a custom container             |
      | pods without the labels of their workload |
      | a label with an unregistered owner        |

  @commit
  Scenario: The AppProject rejects what no policy covers
    Given the guardrails are in force
    When a commit adds workloads that exceed their AppProject
    Then each Application for it shows within the pick-up SLO what is rejected
    And none of its objects exist

  @commit
  Scenario: A violating workload does not run
    Given the guardrails are in force
    When a commit adds the manifest may-be-root as a workload
    Then each Application for it shows within the pick-up SLO what is rejected
    And none of its objects exist

  @commit
  Scenario: A violating change leaves the last good version running
    Given the guardrails are in force
    When a commit changes the test application to the latest image
    Then the Application shows the error within the pick-up SLO
    And the last good state keeps running
