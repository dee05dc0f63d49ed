@milestone_d @gate
Feature: The gate judges what a merge would deploy, and is never green without having judged

  Scenario: This repository passes the gate
    Given the gate has its tools
    When the gate judges this repository
    Then each policy has judged objects of it
    And there is nothing to refuse
    And it took at most 20 s

  Scenario: The gate judges every specimen of the corpus as its page says
    Given the gate has its tools
    When the gate judges the corpus
    Then no good one is refused
    And each bad one is refused at the stage and by the rule that it names

  Scenario Outline: A gate that cannot judge is red
    Given the gate has its tools
    When the gate judges a repository <flaw>
    Then it is not green
    And it says "<why>"

    Examples:
      | flaw                                   | why                                         |
      | in which there is nothing              | should make objects, but makes none         |
      | with an object of an unknown kind      | should have a kind Deplyoment               |
      | that lacks one of its policies         | the policy should be in this tree           |
      | with a policy about what nobody uses   | the policy should judge it, but passed it   |
      | without a policy engine                | No such file or directory                   |
      | with a policy engine that fails        | ended with exit code 1 after 0 results      |
      | with a policy engine that says nothing | the policy should judge it, but passed it   |
