@milestone_b @prediction
Feature: A model answers through the gateway

  @smoke
  Scenario Outline: The gateway leads to the model
    Given the models are served
    When the model is asked for <rows> by protocol v1
    Then its answer is <classes>

    Examples:
      | rows               | classes |
      | the reference rows | 1, 1    |
      | the other pair     | 0, 2    |

  Scenario Outline: The open inference protocol leads there as well
    Given the models are served
    When the model is asked for <rows> by protocol v2
    Then its answer is <classes>

    Examples:
      | rows               | classes |
      | the reference rows | 1, 1    |
      | the other pair     | 0, 2    |

  Scenario Outline: A batch is answered row by row
    Given the models are served
    When the model is asked for every flower by protocol <protocol>
    Then its answer to every flower is what it was trained to give

    Examples:
      | protocol |
      | v1       |
      | v2       |

  Scenario: A host that nobody has leads nowhere
    Given the models are served
    When the gateway is asked for a host that nobody has
    Then it knows no such host
    And the model answers the reference rows as before

  Scenario Outline: Bad input is refused with a reason
    Given the models are served
    When the model is sent <input>
    Then it refuses, and says why
    And the model answers the reference rows as before

    Examples:
      | input                     |
      | a body that is not JSON   |
      | a body without rows       |
      | no rows                   |
      | rows of three numbers     |
      | words instead of numbers  |
      | a tensor of another shape |
      | a tensor without data     |

  Scenario: A new model answers once it is called Ready
    Given the models are served
    When someone creates a model by hand
    Then it is Ready and answers within its time
    And it was not called Ready before it could answer

  Scenario: A sleeping model answers whoever wakes it
    Given the models are served
    And a commit has let the model sleep when nobody asks
    When 5 requests arrive at once
    Then each of them is answered

  Scenario: An idle model answers within milliseconds
    Given the models are served
    When the model is asked 200 times in turn
    Then half of the answers take at most 10 ms, and 99 of 100 at most 50 ms

  Scenario: The way through the gateway costs little
    Given the models are served
    When the same load runs through the gateway and straight to the pod
    Then every answer is right
    And the gateway carries at least 15 percent of what the pod itself carries
