@milestone_c @milestone_e @gitops @serving @backstage @pull_requests @guardrails
Feature: What is said before a merge is what is seen after it

  Scenario: Pods ask for exactly what the gate's comment said
    Given the models are served and the guardrails are in force
    And the gate watches over pull requests
    When workloads of these shapes are proposed:
      | shape                                    | pods |
      | a Deployment with 2 replicas             | 2    |
      | a Deployment with large init containers  | 1    |
      | a Deployment with a native sidecar       | 1    |
      | a model                                  | 1    |
      | a model in the older form                | 1    |
    And the gate has said what they ask for, and they are merged
    Then their pods ask for that, exactly
