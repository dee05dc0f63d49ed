@milestone_b @gitops @serving @prediction
Feature: The official KServe client works with the platform

  Scenario Outline: The REST client gets the model's predictions
    Given the models are served
    When a data scientist asks for <rows> with the KServe client 20 times by protocol <protocol>
    Then the client gets exactly the trained predictions for <rows>, all 20 times

    Examples:
      | rows               | protocol |
      | the reference rows | v1       |
      | the other pair     | v2       |
      | every flower       | v2       |

  Scenario: A model is created, awaited and deleted with the KServe client
    Given the models are served
    When a data scientist creates a model with the KServe client and waits for it
    Then the client sees it become Ready, and it answers
    When the data scientist deletes the model with the KServe client
    Then the model is gone from the cluster
