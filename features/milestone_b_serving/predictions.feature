@milestone_b @gitops @serving @prediction
Feature: A model answers through the gateway

  @smoke
  Scenario Outline: The gateway routes requests to the model
    Given the models are served
    When a prediction for <rows> is requested 20 times by protocol v1
    Then each of the 20 predictions is <classes>

    Examples:
      | rows               | classes |
      | the reference rows | 1, 1    |
      | the other pair     | 0, 2    |

  Scenario Outline: The gateway routes the open inference protocol as well
    Given the models are served
    When a prediction for <rows> is requested 20 times by protocol v2
    Then each of the 20 predictions is <classes>

    Examples:
      | rows               | classes |
      | the reference rows | 1, 1    |
      | the other pair     | 0, 2    |

  Scenario Outline: A batch is answered row by row
    Given the models are served
    When a prediction for every flower is requested 20 times by protocol <protocol>
    Then all 20 predictions for every flower are those of the trained model

    Examples:
      | protocol |
      | v1       |
      | v2       |

  Scenario: An unknown host is not found
    Given the models are served
    When an unknown host is requested from the gateway 20 times
    Then the gateway itself answers all 20 that there is no such host
    And the model answers the reference rows as before

  Scenario Outline: Invalid input is rejected with a reason
    Given the models are served
    When the model is sent <input> 20 times
    Then the model server rejects all 20 and says what is wrong with <input>
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

  Scenario: A new model answers as soon as it is Ready
    Given the models are served
    When an operator creates a model by hand
    Then it is Ready and answers within the SLO
    And it was not Ready before it could answer

  Scenario: A model that is scaled to zero answers its first requests
    Given the models are served
    And a commit has scaled the idle model to zero
    When 5 requests arrive at once
    Then each of them is answered

  @timed
  Scenario: An idle model answers within milliseconds
    Given the models are served
    When 200 requests are sent to the model one after the other
    Then the median latency is at most 10 ms and the 99th percentile at most 50 ms

  Scenario: The gateway adds little overhead
    Given the models are served
    When the same load is sent through the gateway and directly to the pod
    Then every prediction is correct
    And the gateway reaches at least 15 percent of the pod's own throughput
