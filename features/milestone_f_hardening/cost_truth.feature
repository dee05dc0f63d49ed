@milestone_f @gitops @serving @guardrails @cost
Feature: What is shown back is what was used

  Scenario: A team is shown what it asked for, as long as it ran, at the prices in Git
    Given the models are served
    And what tells costs is well
    When a workload of a team without others asks for 200m of CPU and 256Mi of memory and runs for 5 min
    Then the showback of that time by owner and by cost-center is within 5 % of what it asked for
    And every workload and every model of that time is found, and nobody's costs nothing

  Scenario: What tells costs is well, and so is everything that it relies on
    Given the cluster is reachable
    And the steady state of cost
    Then it holds in every respect

  @long
  Scenario: The longer a window is, the truer is its showback
    Given the models are served
    And what tells costs is well
    When a workload of a team without others asks for 200m of CPU and 256Mi of memory and runs for 20 min
    Then the showback of that time by owner and by cost-center is within 2 % of what it asked for
    And that of its last 2, 5, 10 and 20 min, at steps of 30 and 60 s, is off by half a step at most
