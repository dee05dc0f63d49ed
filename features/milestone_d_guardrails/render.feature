@milestone_d @gitops @serving @guardrails @render
Feature: The gate renders what Argo CD renders

  Scenario: Each Application renders in the gate as in Argo CD
    Given the tools of the gate are installed
    And the platform is in its steady state
    When the gate and Argo CD render the latest commit of main
    Then they know the same Applications
    And what both make of each Application is equal

  Scenario: The corpus renders in the gate as in Argo CD
    Given the tools of the gate are installed
    And the platform is in its steady state
    When the gate and Argo CD render the corpus
    Then what both make of each manifest is equal
    And Argo CD rejects what does not render in the gate
