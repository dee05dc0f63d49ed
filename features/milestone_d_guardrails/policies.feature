@milestone_d @gitops @guardrails
Feature: Violations are rejected for the expected reason

  @smoke
  Scenario: Every component of the guardrails is ready
    Given the cluster is reachable
    And the workloads of the guardrails
    Then each of them has all its containers ready

  @smoke
  Scenario: Every policy is enforced twice
    Given the cluster is reachable
    And the policies that Git describes
    Then each denies, in the API server and through Kyverno's webhook

  @smoke
  Scenario: The guardrails are well, and so is everything that they rely on
    Given the cluster is reachable
    And the steady state of guardrails
    Then it holds in every respect

  Scenario Outline: A rule rejects a violation and admits its compliant control
    Given the guardrails are in force
    When the manifest <manifest> is submitted
    Then it is rejected by policy <policy> for <rule>
    And its compliant control, one field apart, is admitted

    @smoke
    Examples:
      | manifest              | policy                                   | rule                                        |
      | model-owner-missing   | require-standard-labels-inferenceservice | check-owner-and-cost-center-on-isvc         |
      | may-be-root           | disallow-root-containers                 | check-runAsNonRoot-on-deployment            |

    Examples:
      | manifest              | policy                                   | rule                                        |
      | owner-missing         | require-standard-labels-deployment       | check-owner-and-cost-center-on-deployment   |
      | labels-not-on-pods    | require-standard-labels-deployment       | check-owner-and-cost-center-on-pod-template |
      | owner-of-nobody       | require-standard-labels-deployment       | check-registered-values-on-deployment       |
      | model-owner-of-nobody | require-standard-labels-inferenceservice | check-registered-values-on-isvc             |
      | no-cpu-request        | require-resource-requests-limits         | validate-deployment-container-resources     |
      | no-tag                | disallow-latest-image-tag                | validate-deployment-container-tags          |
      | stable                | disallow-latest-image-tag                | validate-exact-version                      |
      | user-zero             | disallow-root-containers                 | check-runAsUser-not-zero                    |

  Scenario: Admission gives every manifest of the corpus the expected verdict
    Given the guardrails are in force
    And the corpus of manifests
    Then each bad manifest is rejected by its policy and rule
    And each compliant manifest is admitted

  Scenario: The guardrails hold in a new namespace
    Given the guardrails are in force
    When an operator creates a namespace
    Then each bad manifest is rejected there, by its policy and rule
    And each compliant manifest is admitted there

  Scenario: Kyverno enforces without the API server's own policies
    Given the guardrails are in force
    When the API server stops enforcing the policies
    Then Kyverno alone rejects each bad manifest, by its policy and rule
    And each compliant manifest is admitted

  Scenario: A workload that is older than the policies is reported
    Given the guardrails are in force
    When a workload is created while the policies are not enforced
    Then a background scan reports every policy that it violates
    And an object like it is rejected again
