Feature: The incidents of milestone B happen, show their symptom, and heal

  @incident @incident_b1
  Scenario: Istio is assumed, Kourier is installed
    Given the models are served
    When the incident "virtual_hosts_on" begins
    Then its symptom shows
    And the model answers the reference rows as before
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_b2
  Scenario: A definition is too long to be applied by the client
    Given the models are served
    When the incident "annotation_too_long" begins
    Then its symptom shows
    And the model answers the reference rows as before
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_b3
  Scenario: The webhook of the models has no endpoint
    Given the models are served
    When the incident "webhook_without_endpoints" begins
    Then its symptom shows
    And the model answers the reference rows as before
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_b4
  Scenario: The models' domain belongs to somebody else
    Given the models are served
    When the incident "domain_of_somebody_else" begins
    Then its symptom shows
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_b5
  Scenario: Two writers never agree
    Given the models are served
    When the incident "endless_sync" begins
    Then its symptom shows
    And the model answers the reference rows as before
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_b7
  Scenario: A definition is missing from Git
    Given the models are served
    When the incident "crd_left_out_of_git" begins
    Then its symptom shows
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_b9
  Scenario: Nobody is told which ingress to use
    Given the models are served
    When the incident "ingress_class_unset" begins
    Then its symptom shows
    And the model answers the reference rows as before
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_b10
  Scenario: The first pod of a model is late
    Given the models are served
    When the incident "given_up_while_starting" begins
    Then its symptom shows
    And the model answers the reference rows as before
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_d3
  Scenario: The definition of all models is deleted
    Given the models are served
    When the incident "crd_deleted" begins
    Then its symptom shows
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_d3b
  Scenario: The definition waits for models that nobody lets go
    Given the models are served
    When the incident "crd_held_by_finalizers" begins
    Then its symptom shows
    And the model answers the reference rows as before
    And the platform recovers within its budget once the incident is resolved
