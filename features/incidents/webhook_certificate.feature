@gitops @serving
Feature: The certificate of KServe's webhooks is renewed by the platform alone

  @incident @certificate
  Scenario: A lost certificate is renewed
    Given the models are served
    When the certificate of KServe's webhooks is lost
    Then a new one is issued, and new models are accepted within the SLO
    And the model answers the reference rows as before
