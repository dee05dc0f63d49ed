@milestone_f @gitops @serving @guardrails
Feature: The quota counts what the platform adds, and whoever it refuses sees it

  Scenario Outline: The quota counts the sidecars of the platform
    Given the models are served and the guardrails are in force
    When an operator requests what is left of the <amount> for a pod with the platform's sidecar
    Then a request above the quota is rejected for exceeding it
    And without the sidecar there would have been room

    Examples:
      | amount          |
      | CPU requests    |
      | memory requests |
      | CPU limits      |
      | memory limits   |

  Scenario Outline: A pod that the quota refuses shows on its Application
    Given the models are served and the guardrails are in force
    When the quota is too small as <event>
    Then its Application is Degraded within the quota SLO, and the quota is named

    Examples:
      | event                                       |
      | a running model loses its pod               |
      | a commit gives a model two pods             |
      | a commit gives the test application two pods |
