@milestone_f @gitops @serving @sleeping
Feature: Models that nobody asks need no pod, however many there are

  Scenario: Models sleep from the beginning, and each wakes with the right answer
    Given the models are served
    When models that sleep are created up to 4 and 8 in all, each time once those before are Ready
    Then none of them has a pod
    When 3 of them, chosen at random, are asked, one after the other
    Then each wakes with the right answer within 15 s

  @hundreds
  Scenario: Hundreds of models are Ready in a time that grows no faster than their number
    Given the models are served
    When models that sleep are created up to 5, 15, 35, 75, 155 and 300 in all, each time once those before are Ready
    Then none of them has a pod, and the time grew with their number by an exponent of at most 1.15
    When 10 of them, chosen at random, are asked, one after the other
    Then each wakes with the right answer within 15 s

  Scenario: A model that is deleted takes no other one along
    Given the models are served
    And there are 4 models that sleep
    And 2 of them, chosen at random, are asked, one after the other
    When one of those that are awake is deleted
    Then another one that is awake misses no request
