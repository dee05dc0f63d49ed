@three_nodes @gitops @serving @guardrails @backstage @pull_requests @cost
Feature: The same manifests make the same platform on another cluster

  Scenario: Only nodes and networks differ
    Given the models are served
    When the manifests for a cluster with one node are rendered
    Then the Git server serves each of these files as it is, and no other
    And exactly one Application for each folder exists, Synced and Healthy
    And there are three nodes, all of which run pods, in networks of their own
