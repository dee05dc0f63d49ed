@incident @gitops @serving
Feature: The incidents of serving, each with its symptom, its remedy and its recovery SLO

  Background:
    Given the models are served
    And no Application waits for its self-heal backoff

  Scenario Outline: An incident of serving leaves running models answering
    When the incident "<incident>" happens
    Then an operator sees that <symptom>
    And the model answers the reference rows as before
    When the remedy is applied: <remedy>
    Then the platform is back in its steady state within <slo> s

    @incident_b1
    Examples: B1
      | incident                   | symptom                                       | remedy                                                                               | slo |
      | istio_virtual_host_enabled | a new model is Ready and its URL is not found | set disableIstioVirtualHost to true in the ConfigMap inferenceservice-config, in Git | 120 |

    @incident_b2
    Examples: B2
      | incident            | symptom                                                      | remedy                                                                                                    | slo |
      | annotation_too_long | the sync of the CRD fails because its annotation is too long | put ServerSideApply=true back into the sync options, in Git, end the operation under way, begin a new one | 120 |

    @incident_b3
    Examples: B3
      | incident                  | symptom                                                                  | remedy                                         | slo |
      | webhook_without_endpoints | KServe's webhook has no endpoint and every change to a model is rejected | take the sidecar out of the Deployment, in Git | 120 |

    @incident_b5
    Examples: B5
      | incident     | symptom                                         | remedy                                                                   | slo |
      | endless_sync | Argo CD syncs the serving stack again and again | put the ignoreDifferences of the two webhook configurations back, in Git | 120 |

    @incident_b9
    Examples: B9
      | incident            | symptom                                           | remedy                                                    | slo |
      | ingress_class_unset | a new model waits for an ingress and is not Ready | set ingress-class in the ConfigMap config-network, in Git | 120 |

    @incident_b10
    Examples: B10
      | incident                   | symptom                                                       | remedy                                                                                                | slo |
      | progress_deadline_exceeded | a new model failed because its progress deadline was exceeded | make room, give the model a longer progress-deadline, and let KServe create its Knative Service again | 120 |

    @incident_d3b
    Examples: D3B
      | incident               | symptom                   | remedy                                                                         | slo |
      | crd_held_by_finalizers | the CRD stays Terminating | start KServe's controller: it lets go, the CRD goes, and Argo CD restores both | 240 |

  Scenario Outline: An incident of serving stops running models
    When the incident "<incident>" happens
    Then an operator sees that <symptom>
    When the remedy is applied: <remedy>
    Then the platform is back in its steady state within <slo> s

    @incident_b4
    Examples: B4
      | incident         | symptom                                                               | remedy                                                          | slo |
      | domain_not_owned | the models' URLs lie in another domain and the old ones are not found | name a domain of our own in the ConfigMap config-domain, in Git | 120 |

    @incident_b7
    Examples: B7
      | incident            | symptom                                                                | remedy                                                  | slo |
      | crd_left_out_of_git | the CRD is gone and the serving stack is Synced and Healthy without it | take the patch that leaves it out of the render, in Git | 240 |

    @incident_d3
    Examples: D3
      | incident    | symptom                              | remedy                                                                               | slo |
      | crd_deleted | the CRD is gone and no model answers | let Argo CD sync the serving stack again: it restores the CRD, and the models follow | 240 |

    @incident_e3
    Examples: E3
      | incident            | symptom                                                                              | remedy                                        | slo |
      | gateway_ports_taken | the gateway has no address and its load balancer waits for ports that another one has | remove the other Service of type LoadBalancer | 120 |

    @incident_c7
    Examples: C7
      | incident            | symptom                                                                                     | remedy                   | slo |
      | redirected_to_https | the gateway has no address and a request to a model is redirected to HTTPS by somebody else | remove the other gateway | 120 |
