@milestone_d @gitops @serving @guardrails @agreement
Feature: Admission, the gate and the oracle agree

  Scenario: The corpus gets the same verdict from admission, the gate and the oracle
    Given the tools of the gate are installed
    And the guardrails are in force
    When every object of the corpus is judged by the gate and submitted in a dry run
    Then admission, the gate and the oracle agree on each object
    And of each stage as many manifests were submitted and rejected as the corpus says

  Scenario: What one change makes invalid is invalid for the gate as it is for the API server
    Given the tools of the gate are installed
    And the guardrails are in force
    When good objects with one change each are judged by the gate and submitted in a dry run
    Then at least 150 of them are invalid, the same for the gate and the API server
