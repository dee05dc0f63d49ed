Feature: What still works while one component of milestone B is down

  @outage
  Scenario Outline: A component goes down
    Given the models are served
    When <component> goes down while requests flow
    Then running models answer: <predictions>
    And new models come up: <new models>
    And models can be scaled: <scaling>

    Examples:
      | component                | predictions | new models | scaling |
      | the KServe controller    | yes         | no         | no      |
      | the Knative controller   | yes         | no         | no      |
      | the activator            | yes         | yes        | yes     |
      | the autoscaler           | yes         | no         | no      |
      | the Knative webhook      | yes         | no         | no      |
      | the gateway              | no          | no         | yes     |
      | the gateway's controller | yes         | no         | yes     |
      | Argo CD                  | yes         | yes        | yes     |
