@milestone_f @gitops @scale
Feature: The platform scales with its number of models

  Scenario: App folders are deployed in a time that grows no faster than their number
    Given the platform is in its steady state
    When app folders are added up to 4, 10, 30, 100, 300 and 301 in all, each time once those before are deployed
    Then exactly one Application for each folder exists, Synced and Healthy
    And the time grows with the number of folders by an exponent of at most 1.15
    And the last folder took at most 2 times as long as the first
