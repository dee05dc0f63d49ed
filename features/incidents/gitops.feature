@incident @gitops
Feature: The incidents of GitOps, each with its symptom, its remedy and its recovery SLO

  Background:
    Given the platform is in its steady state
    And the self-heal backoff of the test application is reset

  Scenario Outline: An incident of GitOps is seen and resolved
    When the incident "<incident>" happens
    Then an operator sees that <symptom>
    When the remedy is applied: <remedy>
    Then the platform is back in its steady state within <slo> s

    @incident_a2
    Examples: A2
      | incident      | symptom                                             | remedy                                                | slo |
      | stale_webhook | the Deployment cannot be created and its sync fails | delete the webhook configuration that was left behind | 180 |

    @incident_a3
    Examples: A3
      | incident  | symptom                                        | remedy                                                       | slo |
      | node_full | the restored pod stays Pending for lack of CPU | make room: remove what fills the node, or lower the requests | 120 |

    @incident_f1
    Examples: F1
      | incident              | symptom                                                      | remedy                                                         | slo |
      | duplicate_application | Argo CD warns of objects that belong to two Applications | remove the file of the second Application, in Git; here: revert the commit | 180 |

    @incident_f8
    Examples: F8
      | incident                   | symptom                                                                           | remedy                                                                            | slo |
      | applicationset_crd_deleted | the CRD is gone, the test application with it, and the root Application cannot sync | run the bootstrap again: it restores the CRD, and Argo CD all that followed it | 240 |

    @incident_f13
    Examples: F13
      | incident             | symptom                                                       | remedy                                                                 | slo |
      | job_image_not_pulled | a pod of the CronJob waits for an image that cannot be pulled | give the CronJob an image that there is, or remove it; here: remove it | 120 |
