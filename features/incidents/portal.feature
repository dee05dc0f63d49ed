@incident @gitops @serving @backstage @pull_requests
Feature: The incidents of the portal, each with its symptom, its remedy and its recovery SLO

  Background:
    Given the portal offers its form

  Scenario Outline: An incident of the portal is seen and resolved
    When the incident "<incident>" happens
    Then an operator sees that <symptom>
    When the remedy is applied: <remedy>
    Then the platform is back in its steady state within <slo> s

    @incident_c2
    Examples: C2
      | incident   | symptom                                                                       | remedy                                                                        | slo |
      | no_sign_in | nobody can sign in and the list of actions is refused for want of credentials | configure a provider in the portal's values, in Git; here: revert the commit | 120 |

    @incident_c12
    Examples: C12
      | incident      | symptom                                                                          | remedy                                                          | slo |
      | loopback_only | the new pod listens and its probes are refused while the old pod goes on serving | let it listen on every address, in Git; here: revert the commit | 120 |

    @incident_c5
    Examples: C5
      | incident                 | symptom                                                                                    | remedy                                                                         | slo |
      | portal_token_placeholder | the portal is Ready and lets guests in and a form fails because the Git server answers 401 | put the real token into the Secret and restart the portal, which reads it once | 120 |

    @incident_c13
    Examples: C13
      | incident         | symptom                                                                           | remedy                                                              | slo |
      | memory_too_small | the new pod is killed for want of memory while the old pod goes on serving | raise the memory limit of the portal, in Git; here: revert the commit | 120 |
