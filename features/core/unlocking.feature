Feature: Unlocking
  The Central System has a cable released.

  Background:
    Given the Charge Point is booted

  @TC_017_1_CS @TC_017_1_CSMS @needs_detachable_cable @OCPP_5_18
  Scenario: Unlock connector - no charging session running (Not fixed cable)
    When the Central System sends UnlockConnector.req
      | connectorId | {ConnectorId} |
    Then the Charge Point responds with UnlockConnector.conf
      | status | Unlocked |
