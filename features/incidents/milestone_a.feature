Feature: The incidents of milestone A happen, show their symptom, and heal

  @incident @incident_a1
  Scenario: The repo-server is down
    Given the platform is healthy
    When the incident "repo_server_down" begins
    Then its symptom shows
    And drift is not corrected meanwhile
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_a2
  Scenario: A stale admission webhook blocks creation
    Given the platform is healthy
    When the incident "stale_webhook" begins
    Then its symptom shows
    And the platform recovers within its budget once the incident is resolved

  @incident @incident_a3
  Scenario: A healed pod stays Pending on a full node
    Given the platform is healthy
    When the incident "node_full" begins
    Then its symptom shows
    And the platform recovers within its budget once the incident is resolved
