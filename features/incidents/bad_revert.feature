@gate
Feature: What others depend on does not leave main unseen

  Background:
    Given the tools of the gate are installed

  @incident @incident_f12
  Scenario: A revert of main that loses what others depend on is stopped before it is merged
    When a revert takes both models and the quota out of main
    Then the gate passes what is left, when it does not know what was there
    And the gate rejects the revert for the quota that it would remove
    When the revert says that it means to remove them
    Then the gate passes the revert
