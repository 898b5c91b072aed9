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
    And the operator may confirm that connector {ConnectorId} is unlocked

  @TC_017_2_CS @TC_017_2_CSMS @without_detachable_cable @OCPP_5_18 @OCPP_7_46
  Scenario: Unlock connector - no charging session running (Fixed cable)
    When the Central System sends UnlockConnector.req
      | connectorId | {ConnectorId} |
    Then the Charge Point responds with UnlockConnector.conf
      | status | NotSupported |

  @TC_018_1_CS @TC_018_1_CSMS @needs_detachable_cable @OCPP_5_18 @OCPP_4_10
  Scenario: Unlock Connector - With Charging Session (Not fixed cable)
    Given idTag {ValidIdTag} is Accepted
    And a transaction is running with idTag {ValidIdTag}
    When the Central System sends UnlockConnector.req
      | connectorId | {ConnectorId} |
    Then the Charge Point responds with UnlockConnector.conf
      | status | Unlocked |
    And the Charge Point sends StopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | UnlockCommand                         |
    And the Central System responds with StopTransaction.conf
    And connector {ConnectorId} is Finishing
    And the Central System responds with StatusNotification.conf
    When the EV driver unplugs the cable
    Then connector {ConnectorId} is Available
    And the Central System responds with StatusNotification.conf

  # 5.18 has the Charge Point finish the transaction first, whatever becomes of the lock that it may not have.
  @TC_018_2_CS @without_detachable_cable @OCPP_5_18 @OCPP_7_46
  Scenario: Unlock Connector - With Charging Session (Fixed cable)
    Given idTag {ValidIdTag} is Accepted
    And a transaction is running with idTag {ValidIdTag}
    When the Central System sends UnlockConnector.req
      | connectorId | {ConnectorId} |
    Then the Charge Point responds with UnlockConnector.conf
      | status | NotSupported |
    And the Charge Point may send StopTransaction.req beside the test case
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | UnlockCommand                         |
