@milestone_d @milestone_f
Feature: Workloads have bounds, and they hold to the last one

  Scenario Outline: The quota counts what pods ask for
    Given the guardrails are in force
    When someone asks for all that is left of <amount>
    Then more than that is refused for exceeding its quota

    Examples:
      | amount          |
      | requests.cpu    |
      | requests.memory |
      | limits.cpu      |
      | limits.memory   |

  Scenario Outline: The quota counts objects
    Given the guardrails are in force
    And the models are served
    When someone makes as many <objects> as there may be
    Then the next one is refused for exceeding its quota

    Examples:
      | objects     |
      | Deployments |
      | models      |

  Scenario Outline: A container has bounds
    Given the guardrails are in force
    When someone asks for a container at the <bound>
    Then what lies beyond the bound is refused for it

    Examples:
      | bound          |
      | minimum cpu    |
      | minimum memory |
      | maximum cpu    |
      | maximum memory |

  Scenario: What the platform adds to pods fits the bounds
    Given the cluster answers
    When the bounds of a container are compared with the platform's own
    Then the smallest of them fits
