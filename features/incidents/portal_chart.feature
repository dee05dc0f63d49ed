@gate
Feature: The incidents of the portal's chart, before a merge

  Background:
    Given the tools of the gate are installed

  @incident @incident_c4
  Scenario: Values one level too high are ignored without a word
    When the portal's startup probe is written one level too high
    Then a chart without a schema renders as before
    And the gate rejects the chart for that key

  @incident @incident_c14
  Scenario: A probe that asks nobody is no value of the chart
    When the portal's readiness probe is replaced by a command that always succeeds
    Then a chart without a schema makes a probe of two kinds
    And the gate rejects the chart for that key

  @incident @incident_f4
  Scenario: A guest of development gets into production where values are layered
    When the values of production are laid over those of development
    Then the portal that comes of both lets a guest in from anywhere
    And the rules of production reject it for that
    And of the values of production alone comes a portal without a guest
