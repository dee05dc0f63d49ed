@gate
Feature: The incidents of the price before a merge, and of the job that says it

  Background:
    Given the tools of the gate are installed

  @incident @incident_e1
  Scenario: A fix that is documented and missing from the workflow leaves the job green
    When a folder is added whose second manifest is bad
    Then what is documented rejects it, and the job of the workflow passes it
    And the job of this repository's workflow rejects it for the second manifest

  @incident @incident_e2
  Scenario: A table of what manifests declare is empty for a model that its runtime sizes
    When a model is proposed that leaves its resources to its runtime
    Then a table of what manifests declare is empty for it
    When the change is priced
    Then the delta has what its runtime says, and what stands beside it
