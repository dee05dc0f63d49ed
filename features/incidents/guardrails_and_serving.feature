@incident @gitops @serving @guardrails
Feature: The incidents of guardrails and models together, each with its symptom, its remedy and its recovery SLO

  Background:
    Given the models are served and the guardrails are in force
    And no Application waits for its self-heal backoff

  Scenario Outline: An incident of the guardrails leaves running models answering
    When the incident "<incident>" happens
    Then an operator sees that <symptom>
    And the model answers the reference rows as before
    When the remedy is applied: <remedy>
    Then the platform is back in its steady state within <slo> s

    @incident_d1
    Examples: D1
      | incident                  | symptom                                                              | remedy                                                                  | slo |
      | policy_engine_not_serving | Kyverno's Service has no endpoint and compliant objects are rejected | take what keeps its pods from being Ready out of the Deployment, in Git | 180 |

    @incident_f2
    Examples: F2
      | incident              | symptom                                               | remedy                                                | slo |
      | minimum_above_sidecar | the pod of a new model is rejected for too little CPU | lower the minimum in the LimitRange below 25m, in Git | 120 |

    @incident_f6
    Examples: F6
      | incident             | symptom                                               | remedy                                                                               | slo |
      | controllers_rejected | the Deployment of a new model is rejected by a policy | put the match condition that knows controllers by their service account back, in Git | 120 |

    @incident_f7
    Examples: F7
      | incident         | symptom                                            | remedy                                                      | slo |
      | model_over_quota | the next model is rejected for exceeding the quota | remove a model that nobody asks, or raise the quota, in Git | 120 |

  Scenario Outline: A model that the guardrails reject is seen and removed
    When the incident "<incident>" happens
    Then an operator sees that <symptom>
    When the remedy is applied: <remedy>
    Then the platform is back in its steady state within <slo> s

    @incident_d2
    Examples: D2
      | incident         | symptom                                                       | remedy                                                                                           | slo |
      | camel_case_label | the Application shows the denial and the model does not exist | revert the commit, or spell the label cost-center, in Git, and end the operation that is retried | 180 |
