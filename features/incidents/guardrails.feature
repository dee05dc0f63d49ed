@incident @gitops @guardrails
Feature: The incidents of the guardrails, each with its symptom, its remedy and its recovery SLO

  Background:
    Given the guardrails are in force
    And no Application waits for its self-heal backoff

  Scenario Outline: An incident of the guardrails is seen and resolved
    When the incident "<incident>" happens
    Then an operator sees that <symptom>
    When the remedy is applied: <remedy>
    Then the platform is back in its steady state within <slo> s

    @incident_d5
    Examples: D5
      | incident     | symptom                                      | remedy                                                  | slo |
      | policy_drift | Argo CD syncs the guardrails again and again | write the defaults out, in Git; here: revert the commit | 120 |

    @incident_f5
    Examples: F5
      | incident         | symptom                                                            | remedy                                                                                  | slo |
      | own_app_rejected | the sync is rejected by a policy and the old version keeps running | use the unprivileged image, which listens on port 8080, in Git; here: revert the commit | 180 |
