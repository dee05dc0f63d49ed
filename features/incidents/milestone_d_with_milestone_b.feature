Feature: The incidents of guardrails and models together happen, show their symptom, and heal

  Background:
    Given the models are served
    And the guardrails are in force

  @incident @incident_d1
  Scenario: The policy engine is registered and does not serve
    When the incident "policy_engine_not_serving" begins
    Then its symptom shows
    And the model answers the reference rows as before
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_d2
  Scenario: A label is spelt in camel case
    When the incident "camel_case_label" begins
    Then its symptom shows
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_f2
  Scenario: The least that a container may ask for is more than the sidecar asks for
    When the incident "minimum_above_sidecar" begins
    Then its symptom shows
    And the model answers the reference rows as before
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_f6
  Scenario: What controllers make is judged as if somebody had written it
    When the incident "controllers_refused" begins
    Then its symptom shows
    And the model answers the reference rows as before
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_f7
  Scenario: The sixth model is refused
    When the incident "model_over_quota" begins
    Then its symptom shows
    And the model answers the reference rows as before
    And the platform recovers within its budget once the incident is resolved
