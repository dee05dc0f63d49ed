@milestone_d @gate
Feature: The gate evaluates what a merge would deploy, and never passes without a verdict

  Scenario: This repository passes the gate
    Given the tools of the gate are installed
    When the gate checks this repository
    Then every policy has evaluated objects of it
    And the gate has nothing to reject
    And it took at most 20 s

  Scenario: The gate gives every manifest of the corpus the expected verdict
    Given the tools of the gate are installed
    When the gate checks the corpus
    Then no compliant manifest is rejected
    And each bad manifest is rejected at its stage and by its rule

  Scenario Outline: The gate fails when it cannot give a verdict
    Given the tools of the gate are installed
    When the gate checks a repository <flaw>
    Then the gate does not pass
    And the gate says that <reason>

    Examples:
      | flaw                                | reason                       |
      | without manifests                   | there are no objects         |
      | with an object of an unknown kind   | the kind is unknown          |
      | without one of its policies         | a policy is missing          |
      | with a policy that matches nothing  | a policy evaluated nothing   |
      | that deploys another repository     | it was not rendered          |
      | without a policy engine             | the policy engine is missing |
      | with a policy engine that fails     | the policy engine failed     |
      | with a policy engine without output | the policy engine failed     |
