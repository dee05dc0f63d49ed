@portal
Feature: One comment on a pull request is of its latest commit

  Scenario: Twenty runs at once and out of order leave one comment, of the latest commit
    Given a pull request at a Git server of this machine
    When 20 commits are pushed to it, and the gate's runs end out of order
    Then it has one comment of the gate, of its latest commit
    And each run has ended well

  Scenario: A second run over the same commit leaves one comment
    Given a pull request at a Git server of this machine
    When the gate judges it twice
    Then it has one comment of the gate, of its latest commit
    And each run has ended well

  Scenario: A stranger's comment that looks like the gate's is left alone
    Given a pull request at a Git server of this machine
    And a stranger has written a comment on it that looks like the gate's
    When the gate judges it
    Then the stranger's comment is as it was
    And it has one comment of the gate, of its latest commit

  Scenario: A comment that was deleted by hand is made again
    Given a pull request at a Git server of this machine
    And the gate has commented on it
    When somebody deletes the gate's comment
    And the gate judges it
    Then it has one comment of the gate, of its latest commit

  Scenario Outline: Where the gate cannot comment, its run fails and nothing is green
    Given a pull request at a Git server of this machine
    When the gate judges it <how>
    Then the run has failed within 60 s, its commit's status is <status>, and nothing is green

    Examples:
      | how                                                 | status |
      | while the Git server answers 500 about comments     | error  |
      | while the Git server answers 429 about comments     | error  |
      | while the Git server does not answer about comments | error  |
      | while the Git server knows nothing of comments      | error  |
      | while the Git server takes no comment from the gate | error  |
      | with a token that was revoked                       | none   |
      | and has left nothing to comment with                | error  |
