@portal @browser
Feature: A guest asks for a model in a real browser

  Scenario Outline: A form that is filled in in a browser becomes the pull request that the API would have opened
    Given the portal runs on this machine
    When a guest fills in <what> in a browser, and follows the link
    Then the link has led to the page of the pull request
    And the pull request has what the oracle says, and byte by byte what the API makes of the same form
    And the pages had no error but for assets that the Git server lacks, and asked this machine alone

    Examples:
      | what                       |
      | every field                |
      | only what the page has not |

  Scenario Outline: The page itself says what is wrong with a form
    Given the portal runs on this machine
    When a guest tries a form with <mistake> in a browser
    Then the page says of <title>: <complaint>
    And nothing has been handed in
    And the pages had no error but that the form is wrong, and asked this machine alone

    Examples:
      | mistake                      | title                 | complaint                           |
      | a capital letter in its name | Name                  | must match pattern                  |
      | a name of the platform's own | Name                  | must match pattern                  |
      | no cost center               | Cost center           | Please fill out this field          |
      | a password in the location   | Location of the model | must match pattern                  |
      | too little CPU               | CPU                   | must be greater than or equal to 50 |

  @timed
  Scenario Outline: A form is a pull request within seconds
    Given the portal runs on this machine
    When 20 forms are handed in <how>, one after the other
    Then each form has become a pull request with its files and its text
    And nine of ten were a pull request within <seconds> s

    Examples:
      | how          | seconds |
      | by API       | 3       |
      | in a browser | 5       |
