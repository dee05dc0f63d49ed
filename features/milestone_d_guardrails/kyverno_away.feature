@milestone_d
Feature: Nothing slips in while Kyverno is away

  Scenario: Every webhook that fails closed can be answered
    Given the cluster answers
    When the webhooks that fail closed are looked at
    Then each has an endpoint, a certificate that its authority has signed, and a time limit

  Scenario: Admission costs milliseconds
    Given the guardrails are in force
    When 100 objects are submitted with Kyverno and without it, in turn
    Then half of those with it take at most 100 ms

  # Last, and the row after which Kyverno takes longest to be back: the gate's scenarios, which come next, need no cluster.
  Scenario Outline: Kyverno is away
    Given the guardrails are in force
    And violating and compliant objects are submitted all the time
    When Kyverno <event>
    Then no violating object is admitted
    And what complies was <compliant>

    Examples:
      | event                                       | compliant                           |
      | is killed                                   | refused because the webhook is away |
      | restarts                                    | admitted or refused for a while     |
      | is led to by a Service that selects nothing | admitted or refused for a while     |
      | loses its certificate                       | admitted or refused for a while     |
      | is scaled to 0                              | admitted or refused for a while     |
