Feature: The certificate of KServe's webhooks is the platform's business, and nobody else's

  @incident @certificate
  Scenario: A lost certificate is made anew
    Given the models are served
    When the certificate of KServe's webhooks is lost
    Then another one is made, and new models are accepted within its time
    And the model answers the reference rows as before
