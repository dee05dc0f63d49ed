@milestone_c @gitops @serving @backstage @smoke
Feature: A form becomes a model that answers

  Scenario: A model is asked for in the portal, merged, and served
    Given the portal offers its form
    When a developer asks for a model in the portal
    Then a pull request adds exactly the files of that model
    When the pull request is merged
    Then the model answers correctly through the gateway within the SLO
    And the catalog of the portal has the model and its owner
