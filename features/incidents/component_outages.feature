@gitops @serving
Feature: What still works while one component of the platform is down

  Background:
    Given the models are served

  @outage
  Scenario Outline: A component goes down
    When <component> goes down while requests are sent
    Then running models answer: <predictions>
    When a new model is created and a running model is scaled
    Then the new model answers: <new models>
    And the running model is scaled: <scaling>

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
