@milestone_b @gitops @serving
Feature: Models survive the loss of the InferenceService CRD

  Scenario: Every model is restored after the CRD is deleted
    Given requests are sent to the model continuously
    When the InferenceService CRD is deleted
    Then every model answers again within the SLO of the runbook
    And nothing that Git describes was lost

  Scenario Outline: The CRD is kept when it is removed from Git
    Given the models are served
    When the InferenceService CRD, <tracked> Argo CD's tracking ID, is removed from what Git describes
    Then Argo CD <reaction>, and the CRD stays
    And the model answers the reference rows as before

    Examples:
      | tracked | reaction         |
      | without | does not list it |
      | with    | skips pruning it |
