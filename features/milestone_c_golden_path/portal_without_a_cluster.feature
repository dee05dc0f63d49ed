@portal
Feature: The portal, its database and the Git server run as processes, and keep the golden path's promises

  Scenario: A form becomes a pull request that the gate passes
    Given the portal runs on this machine
    When a form is handed in
    Then each form has become a pull request with its files and its text
    And the gate passes what is proposed

  Scenario: The same form, handed in three times at once, is one pull request
    Given the portal runs on this machine
    When one form is handed in 3 times at once
    Then each form has become a pull request with its files and its text

  Scenario: Two forms for one name, handed in at once: one wins, the other learns to whom it lost
    Given the portal runs on this machine
    When two forms that differ are handed in for one name
    Then one of them has become a pull request, and the other is told which

  Scenario: Generated forms are taken or refused as the rules say
    Given the portal runs on this machine
    When 1000 generated forms are tried
    Then each is taken or refused as the rules say
    And each refusal names the fields that are wrong
    And each that is taken would become the files that were asked for

  Scenario: Generated forms become pull requests
    Given the portal runs on this machine
    When 50 generated forms are handed in
    Then each form has become a pull request with its files and its text

  Scenario: No hostile value gets past the form
    Given the portal runs on this machine
    When hostile values are handed in, for each field
    Then each is refused
    And each refusal names the fields that are wrong
    And nothing of them is at the Git server

  Scenario: A form of which the portal's worker is told nothing becomes a pull request all the same
    Given the portal runs on this machine
    When a form is handed in, and the worker is told nothing
    Then each form has become a pull request with its files and its text

  Scenario Outline: Who is not signed in gets nowhere
    Given the portal runs <how>
    When each of its routes is asked by somebody who is not signed in
    Then each answers 401 but those that are public

    Examples:
      | how              |
      | on this machine  |
      | as in production |

  Scenario: In production nobody gets in without an account
    Given the portal runs as in production
    When a guest asks to be let in
    Then the guest is refused
    And whoever signs in is sent to the identity provider
    And no setting lets anybody in without an account
