@milestone_c @gitops @serving @backstage @pull_requests
Feature: Main takes no pull request without the gate's word

  Background:
    Given the gate watches over pull requests

  Scenario: The portal and the pull-request gate are well
    Given the cluster is reachable
    And the steady state of backstage
    Then it holds in every respect

  Scenario Outline: A proposed commit is judged, and says how
    When somebody proposes <what>
    Then the gate's status of it is <state> and says: <why>

    Examples:
      | what                             | state   | why           |
      | a model with everything it needs | success | nothing found |
      | a file that is no YAML           | failure | unreadable    |

    @guardrails
    Examples: Where there are policies
      | what                                                      | state   | why                                      |
      | a model without an owner, and a policy that asks for none | failure | require-standard-labels-inferenceservice |

  @guardrails
  Scenario: What the gate rejects is merged by nobody, and in no way
    Given the gate has rejected a pull request
    Then each of these attempts to merge it is answered so, and main stays as it was:
      | who                        | how                              | HTTP status |
      | a writer                   | merge                            | 405         |
      | a writer                   | squash                           | 405         |
      | a writer                   | rebase                           | 405         |
      | a writer                   | merge by force                   | 405         |
      | a writer                   | merge once all statuses are good | 201         |
      | a repository administrator | merge                            | 405         |
      | a repository administrator | squash                           | 405         |
      | a repository administrator | merge by force                   | 405         |
      | a repository administrator | merge once all statuses are good | 201         |
      | a site administrator       | merge                            | 405         |
      | a site administrator       | squash                           | 405         |
      | a site administrator       | merge by force                   | 405         |
      | a site administrator       | merge once all statuses are good | 201         |

  @guardrails
  Scenario: Where administrators are let through, admission stops the object
    Given the protection of main lets administrators merge all the same
    And the gate has rejected a pull request
    Then each of these attempts to merge it is answered so, and main stays as it was:
      | who                        | how            | HTTP status |
      | a writer                   | merge by force | 405         |
      | a repository administrator | merge          | 405         |
    When a site administrator merges it by force
    Then admission rejects its model

  Scenario: A push after the verdict takes it back
    Given the gate has found a pull request in order
    When another commit is pushed to it
    Then each of these attempts to merge it is answered so, and main stays as it was:
      | who      | how   | HTTP status |
      | a writer | merge | 405         |
    And the gate's status of it is success and says: nothing found

  @guardrails
  Scenario: A status that somebody else sets does not count
    Given the gate has rejected a pull request
    When a writer sets the gate's status to success
    Then each of these attempts to merge it is answered so, and main stays as it was:
      | who                  | how                              | HTTP status |
      | a writer             | merge                            | 405         |
      | a writer             | merge once all statuses are good | 201         |
      | a site administrator | merge by force                   | 405         |
    And the gate's status of it is error and says: may not

  Scenario Outline: Without a verdict nothing is merged
    Given <what> is away from the gate
    When somebody proposes a model with everything it needs
    Then its commit says within 60 s that there is no verdict
    And each of these attempts to merge it is answered so, and main stays as it was:
      | who                  | how            | HTTP status |
      | a writer             | merge          | 405         |
      | a site administrator | merge by force | 405         |

    Examples:
      | what                 |
      | who makes its Jobs   |
      | the token of its Jobs |
