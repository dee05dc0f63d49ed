@milestone_b @gitops @serving @smoke
Feature: What Git describes is served

  Scenario: Every component of the serving stack is ready
    Given the cluster is reachable
    And the workloads of the serving stack
    Then each of them has all its containers ready

  Scenario: Every model that Git describes is served
    Given the cluster is reachable
    And the models that Git describes
    Then each is Ready, with every condition met
    And the Knative resources of each are owned, ready and at the latest revision
    And each predicts what it was trained to predict, 20 times in a row

  Scenario: Serving is well, and so is everything that it relies on
    Given the cluster is reachable
    And the steady state of serving
    Then it holds in every respect
