@three_nodes @gitops @serving @guardrails @backstage @pull_requests @cost
Feature: Requests are answered although nodes go

  Background:
    Given each part that requests go through runs twice, on two nodes
    And requests are sent to the model continuously

  Scenario: No request fails while each node but the control plane's is drained
    When each node but the control plane's is drained in turn
    Then no request has failed

  Scenario: Requests are answered again after a node was killed
    When a node that requests go through is killed
    Then each request is answered again within 60 s
    When the node is started again
    Then every node, Application and model is well again within 150 s
