@gate @milestone_e
Feature: What a change costs is right

  Scenario: A second implementation prices 5,000 pairs of trees to the same figures
    Given a second implementation of the delta
    Then both say the same of 5000 generated pairs of trees, exactly
    And it finds the mistake of each wrong delta, of which there are at least 25

  @timed
  Scenario: A change in a repository with 300 more app folders is priced alone
    Given the tools of the gate are installed
    When two models are changed in a repository with 300 more app folders
    And the change is priced
    Then the delta has a row for each of the two, and no other
    And the delta took at most 5 s
