@milestone_f @gitops @serving @guardrails
Feature: What runs is what was promised, as the kernel tells of it

  Scenario: Every container runs unprivileged, the injected ones too
    Given the models are served and the guardrails are in force
    When the processes on the nodes are read
    Then they are those of the containers that the API server says are running, both ways
    And none of the tenants' and of the platform's is root's or has a capability added
    And each of the tenants' containers has its labels and limits, the kernel's too

  Scenario: What fetches a model runs unprivileged for as long as it runs
    Given the models are served and the guardrails are in force
    When a model is created whose store never answers
    Then its storage-initializer is seen to run, neither as root nor with any capability

  Scenario: A model is served where Pod Security is restricted
    Given the models are served and the guardrails are in force
    When a model is created where Pod Security is restricted
    Then the model there answers the reference rows
    And its pod with upstream's storage-initializer is refused there
