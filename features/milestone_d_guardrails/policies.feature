@milestone_d
Feature: What breaks a promise is refused, for that reason

  @smoke
  Scenario: Every component of the guardrails is complete
    Given the cluster answers
    When the workloads of the guardrails are looked at
    Then each of them has all its containers ready

  @smoke
  Scenario: Every policy is in force twice
    Given the cluster answers
    When the policies are compared with Git
    Then each denies, in the API server and through Kyverno's webhook

  Scenario Outline: A rule refuses what breaks it and admits its twin
    Given the guardrails are in force
    When the specimen <specimen> is submitted
    Then it is refused by policy <policy> for <rule>
    And its twin, one field apart, is admitted

    Examples:
      | specimen              | policy                                  | rule                                           |
      | owner-missing         | require-standard-labels-deployment       | check-owner-and-cost-center-on-deployment      |
      | labels-not-on-pods    | require-standard-labels-deployment       | check-owner-and-cost-center-on-pod-template    |
      | owner-of-nobody       | require-standard-labels-deployment       | check-registered-values-on-deployment          |
      | model-owner-missing   | require-standard-labels-inferenceservice | check-owner-and-cost-center-on-isvc            |
      | model-owner-of-nobody | require-standard-labels-inferenceservice | check-registered-values-on-isvc                |
      | no-cpu-request        | require-resource-requests-limits         | validate-deployment-container-resources        |
      | no-tag                | disallow-latest-image-tag                | validate-deployment-container-tags             |
      | stable                | disallow-latest-image-tag                | validate-exact-version                         |
      | may-be-root           | disallow-root-containers                 | check-runAsNonRoot-on-deployment               |
      | user-zero             | disallow-root-containers                 | check-runAsUser-not-zero                       |

  Scenario: Every specimen of the corpus is judged as its page says
    Given the guardrails are in force
    When the whole corpus is submitted
    Then each bad specimen is refused by its policy and rule
    And what complies is admitted

  Scenario: What was made a minute ago is guarded as well
    Given the guardrails are in force
    When someone brings their own namespace
    Then each bad specimen is refused there, by its policy and rule
    And what complies is admitted there

  Scenario: Kyverno refuses without the API server's own policies
    Given the guardrails are in force
    When the enforcement by the API server ends
    Then Kyverno alone refuses each bad specimen, by its policy and rule
    And what complies is admitted

  Scenario: What was there before the policies is reported
    Given the guardrails are in force
    When a workload slips in while nobody enforces them
    Then a background scan reports it, by each policy that it breaks
    And its like is refused again
