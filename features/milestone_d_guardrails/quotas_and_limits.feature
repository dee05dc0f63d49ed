@milestone_d @gitops @guardrails
Feature: Workloads have quotas and limits that hold exactly

  Scenario Outline: The quota limits what pods may request
    Given the guardrails are in force
    When an operator requests all that is left of the <amount>
    Then a request above the quota is rejected for exceeding it

    Examples:
      | amount          |
      | CPU requests    |
      | memory requests |
      | CPU limits      |
      | memory limits   |

  @serving
  Scenario Outline: The quota limits the number of objects
    Given the guardrails are in force
    And the models are served
    When an operator creates as many <objects> as the quota allows
    Then the next one is rejected for exceeding the quota

    Examples:
      | objects     |
      | Deployments |
      | models      |

  Scenario Outline: A container has minimum and maximum resources
    Given the guardrails are in force
    When an operator requests a container at the <limit>
    Then a request beyond the limit is rejected for exceeding it

    Examples:
      | limit          |
      | minimum cpu    |
      | minimum memory |
      | maximum cpu    |
      | maximum memory |

  @serving
  Scenario: The sidecars that the platform injects fit the limits
    Given the cluster is reachable
    And the limits of a container
    Then the smallest sidecar that the platform injects fits them
