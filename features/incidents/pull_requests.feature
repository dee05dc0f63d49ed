@incident @gitops @serving @backstage @pull_requests
Feature: The incidents of pull requests

  @incident_c10
  Scenario: A pull request behind main says so until its branch is rebased
    Given the gate watches over pull requests
    When main and a pull request behind it change the same line
    Then the gate's status of it is failure and says: it should merge with main
    When the branch is rebased on main
    Then the gate's status of it is success and says: nothing found
