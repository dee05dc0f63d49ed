@milestone_a @smoke
Feature: Argo CD runs and manages what Git describes

  Scenario: Every expected Argo CD workload is complete
    Given the cluster answers
    When the workloads of Argo CD are looked at
    Then each of them has all its containers ready

  Scenario: Exactly the Applications that Git describes exist
    Given the cluster answers
    When the Applications are compared with Git
    Then none is missing and none is too many
    And each is in sync, healthy, free of errors and recently compared
