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

    @incident_c8
    Examples: C8
      | incident       | symptom                                                                | remedy                                                                                        | slo |
      | wrong_base_url | the portal is Ready and its page sends browsers to a port where nobody is | name the address that leads to the portal in both base URLs, in Git; here: revert the commit | 120 |

    @incident_c3
    Examples: C3
      | incident      | symptom                                                           | remedy                                                          | slo |
      | title_missing | the portal is Ready and its page lacks what the browser cannot do without | set the title in the portal's values, in Git; here: revert the commit | 120 |

    @incident_c1
    Examples: C1
      | incident             | symptom                                                                           | remedy                                                                          | slo |
      | template_not_allowed | the catalog refuses the template and goes on with what it took before | allow the kind Template in the catalog's rules, in Git; here: revert the commit | 120 |
