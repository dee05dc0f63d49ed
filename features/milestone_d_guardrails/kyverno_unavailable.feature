@milestone_d @gitops @guardrails
Feature: No violation is admitted while Kyverno is unavailable

  Scenario: Every fail-closed webhook can be answered
    Given the cluster is reachable
    And the webhooks that fail closed
    Then each has an endpoint, a certificate signed by its CA, and a timeout

  Scenario: Admission adds only milliseconds
    Given the guardrails are in force
    When 100 objects are submitted with and without Kyverno, alternately
    Then the median with Kyverno is at most 100 ms

  Scenario Outline: Kyverno is unavailable
    Given the guardrails are in force
    And violating and compliant objects are submitted continuously
    When Kyverno <event>
    Then no violating object is admitted
    And compliant objects were <compliant>

    Examples:
      | event                           | compliant                                   |
      | is killed                       | rejected because the webhook is unavailable |
      | restarts                        | admitted or rejected for a while            |
      | has a Service without endpoints | admitted or rejected for a while            |
      | loses its certificate           | admitted or rejected for a while            |
      | is scaled to 0                  | admitted or rejected for a while            |
