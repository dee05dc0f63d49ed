@milestone_f @gitops @scale
Feature: The platform scales with its number of app folders

  Scenario: App folders are deployed in a time that grows no faster than their number
    Given the platform is in its steady state
    When app folders are added up to 4, 5, 6, 10, 30, 100 and 300 in all, each time once those before are deployed
    Then exactly one Application for each folder exists, Synced and Healthy
    And the time grows with the number of folders by an exponent of at most 1.15

  Scenario: One more folder takes as long where there are hundreds
    Given the platform is in its steady state
    When app folders are added up to 4, 5, 6, 7, 8, 300, 301, 302, 303, 304 and 305 in all, each time once those before are deployed
    Then exactly one Application for each folder exists, Synced and Healthy
    And one more folder took at most 2 times as long at the end as at the beginning

  Scenario: Nothing is deleted when what Argo CD relies on does not answer
    Given the platform is in its steady state
    And there are 300 app folders, all of them deployed
    When the Git server, the repo-server and the API server are frozen in turn for 0.5, 1, 10 and 60 s each
    Then exactly one Application for each folder exists, Synced and Healthy
    And each Application is the one that it was before
