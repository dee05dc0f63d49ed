@incident @gitops
Feature: The incidents of GitOps, while nothing is compared with Git

  Background:
    Given the platform is in its steady state
    And the incident "repo_server_down" has happened

  Scenario Outline: Nothing corrects drift while the repo-server is down
    Then an operator sees that <symptom>
    When an operator deletes the ConfigMap of the test application
    Then nothing corrects the drift
    When the remedy is applied: <remedy>
    Then the platform is back in its steady state within <slo> s

    @incident_a1
    Examples: A1
      | incident         | symptom                                             | remedy                         | slo |
      | repo_server_down | every Application is Unknown and cannot be compared | scale the repo-server up again | 180 |
