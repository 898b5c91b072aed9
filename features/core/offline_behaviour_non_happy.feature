Feature: Offline behaviour, non-happy
  What happens while there is no connection is told when there is one again.

  Background:
    Given the Charge Point is booted
    And idTag {ValidIdTag} is Accepted

  # 7.49 leaves the format to the Charge Point; the test case document of 2025-06 wants Raw.
  @TC_036_CS @OCPP_3_7 @OCPP_4_7 @OCPP_9_1_19 @OCPP_3_16_1 @OCPPE_3_15 @OCPPJ_5_4
  Scenario: Connection Loss During Transaction
    Given the configuration
      | MeterValueSampleInterval | {MeterValueSampleInterval} |
    And a transaction is running with idTag {ValidIdTag}
    When the connection is lost
    And {MeterValueSampleInterval} seconds pass
    And {MeterValueSampleInterval} seconds pass
    And {MeterValueSampleInterval} seconds pass
    And {SilenceTime} seconds pass
    And the connection is restored
    Then the Charge Point sends MeterValues.req for at least 3 samples that it took without connection, {MeterValueSampleInterval} seconds apart
      | transactionId       | {StartTransaction.conf.transactionId}, noted absent |
      | sampledValue.format | one of Raw, absent, tolerated SignedData            |

  @TC_037_1_CS @TC_037_1_CSMS @needs_offline_transactions @needs_local_authorization
  @OCPP_3_5_4 @OCPP_3_7 @OCPP_4_8 @OCPP_4_9 @OCPP_3_5 @OCPP_9_1_12 @OCPPJ_5_4
  Scenario: Offline Start Transaction - Valid IdTag
    Given the configuration
      | LocalAuthorizeOffline | true |
    And the configuration, where there are such keys
      | LocalAuthListEnabled       | true |
      | AuthorizationCacheEnabled  | true |
      | AllowOfflineTxForUnknownId | true |
    And idTag {ValidIdTag} may start a transaction offline
    When the connection is lost
    And the EV driver plugs in the cable
    And the EV driver presents idTag {ValidIdTag}
    And the connection is restored
    Then the Charge Point sends StartTransaction.req
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    And the Central System responds with StartTransaction.conf
      | transactionId    | any      |
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf

  # A status that passes while the StartTransaction.conf is on its way need not be told: 4.9, errata 3.19.
  @TC_037_2_CS @needs_offline_transactions @needs_local_authorization
  @OCPP_3_5_4 @OCPP_3_7 @OCPP_4_8 @OCPP_4_9 @OCPP_9_1_24 @OCPP_3_5 @OCPP_9_1_1 @OCPP_9_1_14
  Scenario: Offline Start Transaction - Invalid IdTag - StopTransactionOnInvalidId = false
    Given the configuration
      | LocalAuthorizeOffline      | true  |
      | StopTransactionOnInvalidId | false |
      | MaxEnergyOnInvalidId       | 0     |
    And the configuration, where there are such keys
      | LocalAuthListEnabled       | true |
      | AuthorizationCacheEnabled  | true |
      | AllowOfflineTxForUnknownId | true |
    And idTag {InvalidIdTag} may start a transaction offline
    And idTag {InvalidIdTag} is unknown
    When the connection is lost
    And the EV driver plugs in the cable
    And the EV driver presents idTag {InvalidIdTag}
    And the connection is restored
    Then the Charge Point sends StartTransaction.req
      | connectorId | {ConnectorId}  |
      | idTag       | {InvalidIdTag} |
    And the Central System responds with StartTransaction.conf
      | idTagInfo.status | Invalid |
    And connector {ConnectorId} goes through Charging, SuspendedEVSE
    And the Central System responds with StatusNotification.conf

  @TC_037_3_CS @TC_037_3_CSMS @needs_offline_transactions @needs_local_authorization
  @OCPP_3_5_4 @OCPP_3_7 @OCPP_4_8 @OCPP_4_9 @OCPP_9_1_24 @OCPP_3_5 @OCPP_9_1_1 @OCPP_9_1_14
  Scenario: Offline Start Transaction - Invalid IdTag - StopTransactionOnInvalidId = true
    Given the configuration
      | LocalAuthorizeOffline      | true |
      | StopTransactionOnInvalidId | true |
      | MaxEnergyOnInvalidId       | 0    |
    And the configuration, where there are such keys
      | LocalAuthListEnabled       | true |
      | AuthorizationCacheEnabled  | true |
      | AllowOfflineTxForUnknownId | true |
    And idTag {InvalidIdTag} may start a transaction offline
    And idTag {InvalidIdTag} is unknown
    When the connection is lost
    And the EV driver plugs in the cable
    And the EV driver presents idTag {InvalidIdTag}
    And the connection is restored
    Then the Charge Point sends StartTransaction.req
      | connectorId | {ConnectorId}  |
      | idTag       | {InvalidIdTag} |
    And the Central System responds with StartTransaction.conf
      | idTagInfo.status | Invalid |
    And the Charge Point sends StopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | DeAuthorized                          |
    And the Central System responds with StopTransaction.conf
    And connector {ConnectorId} goes through Charging, Finishing
    And the Central System responds with StatusNotification.conf

  @TC_038_CS @needs_local_authorization @OCPP_3_7 @OCPP_4_10 @OCPP_4_9 @OCPP_3_4 @OCPP_6_49 @OCPPJ_5_4
  Scenario: Offline Stop Transaction
    Given a transaction is running with idTag {ValidIdTag}
    When the connection is lost
    And the EV driver presents idTag {ValidIdTag}
    And the connection is restored
    Then the Charge Point sends StopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | one of Local, absent                  |
    And the Central System responds with StopTransaction.conf
    And connector {ConnectorId} is Finishing
    And the Central System responds with StatusNotification.conf

  @TC_039_CS @TC_039_CSMS @needs_offline_transactions @needs_local_authorization
  @OCPP_3_7 @OCPP_4_8 @OCPP_4_10 @OCPP_3_5 @OCPP_9_1_12 @OCPPJ_5_4
  Scenario: Offline Transaction
    Given the configuration
      | LocalAuthorizeOffline | true |
    And the configuration, where there are such keys
      | LocalAuthListEnabled       | true |
      | AuthorizationCacheEnabled  | true |
      | AllowOfflineTxForUnknownId | true |
    And idTag {ValidIdTag} may start a transaction offline
    When the connection is lost
    And the EV driver plugs in the cable
    And the EV driver presents idTag {ValidIdTag}
    And {TransactionDuration} seconds pass
    And the EV driver presents idTag {ValidIdTag}
    And {SilenceTime} seconds pass
    And the EV driver unplugs the cable
    And the connection is restored
    Then the Charge Point sends StartTransaction.req
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    And the Central System responds with StartTransaction.conf
      | transactionId    | any      |
      | idTagInfo.status | Accepted |
    And the Charge Point sends StopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | one of Local, absent                  |
    And the Central System responds with StopTransaction.conf
