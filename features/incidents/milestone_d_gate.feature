@gate
Feature: The incidents of the reference platform's checks before a merge, and what the gate makes of the same folders

  @incident @incident_d4
  Scenario: A check looks at the first manifest only, and is green
    Given the gate has its tools
    When a folder is added whose second manifest is bad
    Then a check that looks at the first only is green
    And the gate refuses the second for its policy

  @incident @incident_d7
  Scenario: A check takes every file for an object, and is red on what is right
    Given the gate has its tools
    When a folder is added whose object a kustomization makes
    Then a check that takes every file for an object refuses the kustomization
    And the gate passes the folder
    And the gate refuses the folder once it makes an object that does not fit
