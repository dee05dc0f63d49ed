Feature: The incidents of milestone D happen, show their symptom, and heal

  @incident @incident_d5
  Scenario: A policy drifts for ever
    Given the guardrails are in force
    When the incident "policy_drift" begins
    Then its symptom shows
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_f5
  Scenario: The platform's own application is refused
    Given the guardrails are in force
    When the incident "own_app_refused" begins
    Then its symptom shows
    And the platform recovers within its budget once the incident is resolved
