@gate @timed
Feature: The gate is quick, whether there are three app folders or three thousand

  Scenario Outline: The gate judges a repository in time
    Given the tools of the gate are installed
    When the gate checks this repository with <more> more app folders
    Then every policy has evaluated objects of it
    And each folder that was added has been rendered and evaluated
    And it took at most <seconds> s

    Examples:
      | seconds | more |
      | 10      | 0    |
      | 10      | 300  |
      | 60      | 3000 |
