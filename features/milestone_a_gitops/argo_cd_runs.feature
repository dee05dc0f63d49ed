@milestone_a @gitops @smoke
Feature: Argo CD runs and manages what Git describes

  Scenario: Every expected Argo CD workload is ready
    Given the cluster is reachable
    And the workloads of Argo CD
    Then each of them has all its containers ready

  Scenario: Exactly the Applications that Git describes exist
    Given the cluster is reachable
    And the Applications that Git describes
    Then exactly these Applications exist
    And each is Synced, Healthy, without errors and recently reconciled

  Scenario: Argo CD is well, and so is everything that it relies on
    Given the cluster is reachable
    And the steady state of gitops
    Then it holds in every respect
