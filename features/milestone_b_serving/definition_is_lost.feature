@milestone_b
Feature: Losing the definition of InferenceServices is survived

  Scenario: Deleted with its definition, every model comes back
    Given requests flow to the model
    When the definition of InferenceServices is deleted
    Then every model answers again within what the runbook promises
    And nothing that Git describes was lost

  Scenario Outline: Git no longer describes the definition, and it is kept
    Given the models are served
    When the definition of InferenceServices, <mark> Argo CD's mark, is left out of what Git describes
    Then Argo CD <deed>, and it stays
    And the model answers the reference rows as before

    Examples:
      | mark    | deed                 |
      | without | does not speak of it |
      | with    | declines to prune it |
