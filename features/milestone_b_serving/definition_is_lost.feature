@milestone_b
Feature: Losing the definition of InferenceServices is survived

  Scenario: Deleted with its definition, every model comes back
    Given the models are served
    And requests flow to the model
    When the definition of InferenceServices is deleted
    Then every model answers again within what the runbook promises
    And nothing that Git describes was lost

  Scenario: Git no longer describes the definition, and it is kept
    Given the models are served
    When the definition of InferenceServices is left out of what Git describes
    Then Argo CD keeps it and says that it should go
    And the model answers the reference rows as before
