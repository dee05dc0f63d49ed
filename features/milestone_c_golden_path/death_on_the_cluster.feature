@cluster_death @gitops @serving @backstage @pull_requests
Feature: On the cluster, too, a form and its verdict outlive what dies on their way

  Background:
    Given the portal offers its form

  Scenario Outline: A pod is deleted while a form is on its way
    When the pod of <what> is deleted on the way of a form, and another form is handed in as soon as that is over
    Then the other form has become a pull request within 10 s
    And the task of the first form has ended within 90 s, and nothing of it is half-made
    When the first form is handed in again
    Then each of the two forms is one pull request with its files and its text

    Examples:
      | what           |
      | the portal     |
      | its database   |
      | the Git server |

  Scenario Outline: The gate's Job dies, and its verdict comes all the same
    When a good model is proposed, and the gate's <what> is killed <when>
    Then the gate's status of it is success and says: nothing found
    And the gate has approved the proposed commit
    When a developer asks for a model in the portal
    Then the portal has opened its pull request within 10 s

    # The Job itself, which Argo CD makes again, where it makes a difference: its pod comes again without Argo CD.
    Examples:
      | what | when                         |
      | pod  | before it starts             |
      | pod  | while it judges              |
      | pod  | before its status is written |
      | pod  | after its status was written |
      | Job  | while it judges              |
      | Job  | after its status was written |
