Feature: Stop charging session
  A transaction ends, and the Central System learns why.

  Background:
    Given the Charge Point is booted
    And idTag {ValidIdTag} is Accepted

  @TC_005_1_CS @needs_detachable_cable @needs_stop_on_ev_side_disconnect
  @OCPP_4_10 @OCPP_9_1_23 @OCPP_9_1_33 @OCPP_4_9 @OCPP_7_36 @OCPP_9_1_20 @OCPPE_3_80 @OCPPE_3_84
  Scenario: EV Side Disconnected - StopTransactionOnEVSideDisconnect = true - UnlockConnectorOnEVSideDisconnect = true (judging the Charge Point)
    Given the configuration
      | MinimumStatusDuration             | 0    |
      | StopTransactionOnEVSideDisconnect | true |
      | UnlockConnectorOnEVSideDisconnect | true |
    And a transaction is running with idTag {ValidIdTag}
    When the EV driver unplugs the cable at the EV side
    Then the Charge Point sends StopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | EVDisconnected                        |
    And the Central System responds with StopTransaction.conf
    And connector {ConnectorId} is Finishing
    And the Central System responds with StatusNotification.conf
    When the EV driver unplugs the cable
    Then connector {ConnectorId} is Available
    And the Central System responds with StatusNotification.conf

  @TC_005_1_CSMS @OCPP_4_10 @OCPP_4_9
  Scenario: EV Side Disconnected - StopTransactionOnEVSideDisconnect = true - UnlockConnectorOnEVSideDisconnect = true (judging the Central System)
    Given the configuration
      | StopTransactionOnEVSideDisconnect | true |
      | UnlockConnectorOnEVSideDisconnect | true |
    And a transaction is running with idTag {ValidIdTag}
    When the EV driver unplugs the cable at the EV side
    Then the Charge Point sends StatusNotification.req
      | status | SuspendedEV |
    And the Central System responds with StatusNotification.conf
    And the Charge Point sends StopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | EVDisconnected                        |
    And the Central System responds with StopTransaction.conf
    And the Charge Point sends StatusNotification.req
      | status | Finishing |
    And the Central System responds with StatusNotification.conf
    When the EV driver unplugs the cable
    Then the Charge Point sends StatusNotification.req
      | status | Available |
    And the Central System responds with StatusNotification.conf
