@milestone_c @gitops @serving @backstage @pull_requests
Feature: A form becomes a model that answers

  Background:
    Given the portal offers its form

  @smoke
  Scenario: A model is asked for in the portal, merged, and served
    When a developer asks for a model in the portal
    Then a pull request adds exactly the files of that model
    And the gate finds nothing against it
    When the pull request is merged
    Then the model answers correctly through the gateway within the SLO

  Scenario: A merged model is in the catalog until it is removed
    Given a model was asked for in the portal and merged
    Then the catalog of the portal has the model and its owner
    When the model is removed from Git
    Then neither the catalog nor the cluster has it any more

  Scenario: A name that is taken is refused, and what was first stays as it is
    Given a developer has asked for a model in the portal
    When another developer asks for a model of the same name
    Then the portal says that the name is taken, and by which pull request
    And the first pull request is as it was

  @browser
  Scenario: A model is asked for in a real browser
    When a developer asks for a model in a browser, and follows the link
    Then the link has led to the page of the pull request
    And the pull request has what the oracle says, and byte by byte what the API makes of the same form
    And the pages had no error but for assets that the Git server lacks, and asked this machine alone
