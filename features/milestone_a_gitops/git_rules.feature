@milestone_a @gitops @commit
Feature: The cluster follows the repository

  Scenario: A commit changes the cluster
    Given the platform is in its steady state
    When a commit gives the test application 2 replicas
    Then the cluster matches Git within the pick-up SLO
    And it stays that way

  Scenario: Argo CD is told of each push
    Given the platform is in its steady state
    When 5 commits are pushed, each once the one before is synced
    Then Argo CD is told of each within the push SLO

  Scenario: Without its push hook the Git server is polled
    Given the platform is in its steady state
    And the Git server tells nobody of pushes
    When a commit gives the test application 2 replicas
    Then the cluster matches Git within the pick-up SLO, by polling
    And it stays that way

  Scenario: Reverting a commit restores the old state
    Given the platform is in its steady state
    And a commit has given the test application 2 replicas
    When that commit is reverted in Git
    Then the cluster matches Git within the pick-up SLO
    And it stays that way

  Scenario: A manifest removed from Git is pruned
    Given the platform is in its steady state
    And a commit has added a ConfigMap to the test application
    When that commit is reverted in Git
    Then the ConfigMap is pruned within the pick-up SLO

  Scenario: A new folder becomes an Application
    Given the platform is in its steady state
    When a commit adds a folder with a workload
    Then an Application for it becomes Healthy within the pick-up SLO
    And that Application is owned by the ApplicationSet

  Scenario: The Application and the objects of a removed folder are deleted
    Given the platform is in its steady state
    And a commit has added a folder with a workload
    When that commit is reverted in Git
    Then its Application is deleted within the pick-up SLO
    And its objects are deleted as well

  Scenario Outline: A broken manifest leaves the last good state running
    Given the platform is in its steady state
    When a commit breaks the test application with a manifest that <defect>
    Then the Application shows the error within the pick-up SLO
    And the last good state keeps running

    Examples:
      | defect                 |
      | is not YAML            |
      | the API server rejects |
