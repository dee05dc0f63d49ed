@death
Feature: Whatever dies on the way of a form, and whenever, the form becomes one pull request or none

  Background:
    Given the portal runs on this machine, and each of its parts can die

  Scenario Outline: A part of the portal dies on the way of a form
    When <what> dies <when>, and another form is handed in as soon as that is over
    Then the other form has become a pull request within 10 s
    And the task of the first form has ended within 90 s, and nothing of it is half-made
    When the first form is handed in again
    Then each of the two forms is one pull request with its files and its text

    Examples: The process that does it all
      | what       | when                              |
      | the portal | before its task is taken up       |
      | the portal | before its files are written      |
      | the portal | after its files were written      |
      | the portal | before its branch is made         |
      | the portal | after its branch was made         |
      | the portal | before its pull request is opened |
      | the portal | after its pull request was opened |
      | the portal | before its end is recorded        |
      | the portal | after its end was recorded        |

    Examples: What remembers how far it is
      | what         | when                              |
      | its database | before its task is taken up       |
      | its database | before its files are written      |
      | its database | after its files were written      |
      | its database | before its branch is made         |
      | its database | after its branch was made         |
      | its database | before its pull request is opened |
      | its database | after its pull request was opened |
      | its database | before its end is recorded        |
      | its database | after its end was recorded        |

    Examples: The way to what remembers
      | what                             | when                              |
      | every connection to its database | before its task is taken up       |
      | every connection to its database | before its files are written      |
      | every connection to its database | after its files were written      |
      | every connection to its database | before its branch is made         |
      | every connection to its database | after its branch was made         |
      | every connection to its database | before its pull request is opened |
      | every connection to its database | after its pull request was opened |
      | every connection to its database | before its end is recorded        |
      | every connection to its database | after its end was recorded        |

    # When the end is recorded, nobody asks the Git server for anything of this form any more.
    Examples: Where its pull request is opened
      | what           | when                              |
      | the Git server | before its task is taken up       |
      | the Git server | before its files are written      |
      | the Git server | after its files were written      |
      | the Git server | before its branch is made         |
      | the Git server | after its branch was made         |
      | the Git server | before its pull request is opened |
      | the Git server | after its pull request was opened |
      | the Git server | before its end is recorded        |
