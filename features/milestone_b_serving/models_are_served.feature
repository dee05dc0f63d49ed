@milestone_b @smoke
Feature: What Git describes is served

  Scenario: Every component of the serving stack is complete
    Given the cluster answers
    When the workloads of the serving stack are looked at
    Then each of them has all its containers ready

  Scenario: Every model that Git describes is served
    Given the cluster answers
    When the models are compared with Git
    Then each is Ready in every respect
    And what is made from each is there, owned, ready and the latest
    And each answers as it was trained to
