Feature: Resetting
  A reset forgets nothing that must persist.

  Background:
    Given the Charge Point is booted

  @TC_013_CS @OCPP_5_14 @OCPP_5_2 @OCPP_4_9 @OCPP_4_2 @OCPP_4_2_1 @OCPP_7_42 @OCPPE_3_11 @OCPPE_3_22
  Scenario: Hard Reset Without transaction
    When the Central System sends ChangeAvailability.req
      | connectorId | {ConnectorId} |
      | type        | Inoperative   |
    Then the Charge Point responds with ChangeAvailability.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Unavailable   |
    And the Central System responds with StatusNotification.conf
    When the Central System sends Reset.req
      | type | Hard |
    Then the Charge Point responds with Reset.conf
      | status | Accepted |
    And the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available, except
      | {ConnectorId} | Unavailable |
    When the Central System sends ChangeAvailability.req
      | connectorId | {ConnectorId} |
      | type        | Operative     |
    Then the Charge Point responds with ChangeAvailability.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Available     |
    And the Central System responds with StatusNotification.conf

  @TC_013_CSMS @OCPP_5_14 @OCPP_4_2
  Scenario: Hard Reset
    When the Central System sends Reset.req
      | type | Hard |
    Then the Charge Point responds with Reset.conf
      | status | Accepted |
    And the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available

  # Whether a soft reset reboots is the Charge Point's choice: 5.14 has it restart its software «if possible».
  @TC_014_CS @OCPP_5_14 @OCPP_5_2 @OCPP_4_9 @OCPP_4_2_1 @OCPP_7_42
  Scenario: Soft Reset Without Transaction
    When the Central System sends ChangeAvailability.req
      | connectorId | {ConnectorId} |
      | type        | Inoperative   |
    Then the Charge Point responds with ChangeAvailability.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Unavailable   |
    And the Central System responds with StatusNotification.conf
    When the Central System sends Reset.req
      | type | Soft |
    Then the Charge Point responds with Reset.conf
      | status | Accepted |
    And the Charge Point may reboot, and then connector 0 and every connector are reported Available, except
      | {ConnectorId} | Unavailable |
    When the Central System sends ChangeAvailability.req
      | connectorId | {ConnectorId} |
      | type        | Operative     |
    Then the Charge Point responds with ChangeAvailability.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Available     |
    And the Central System responds with StatusNotification.conf

  @TC_014_CSMS @OCPP_5_14 @OCPP_4_2
  Scenario: Soft Reset
    When the Central System sends Reset.req
      | type | Soft |
    Then the Charge Point responds with Reset.conf
      | status | Accepted |
    And the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available

  # A hard reset need not stop the transaction first: errata 3.36 and 3.82.
  @TC_015_CS @OCPP_5_14 @OCPP_4_10 @OCPPE_3_36 @OCPPE_3_82 @OCPP_6_49
  Scenario: Hard Reset With Transaction
    Given idTag {ValidIdTag} is Accepted
    And a transaction is running with idTag {ValidIdTag}
    When the Central System sends Reset.req
      | type | Hard |
    Then the Charge Point responds with Reset.conf
      | status | Accepted |
    And the Charge Point sends StopTransaction.req before or after it reboots
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | HardReset                             |
    And the Central System responds with StopTransaction.conf
    And connector {ConnectorId} is Finishing, where the transaction was stopped before a reboot
    And the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available, except
      | {ConnectorId} | one of Finishing, Preparing |

  # Whether a soft reset reboots is the Charge Point's choice.
  @TC_016_CS @OCPP_5_14 @OCPP_4_10 @OCPPE_3_36
  Scenario: Soft Reset With Transaction
    Given idTag {ValidIdTag} is Accepted
    And a transaction is running with idTag {ValidIdTag}
    When the Central System sends Reset.req
      | type | Soft |
    Then the Charge Point responds with Reset.conf
      | status | Accepted |
    And the Charge Point sends StopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | SoftReset                             |
    And the Central System responds with StopTransaction.conf
    And connector {ConnectorId} is Finishing, where the transaction was stopped before a reboot
    And the Charge Point may reboot, and then connector 0 and every connector are reported Available, except
      | {ConnectorId} | one of Finishing, Preparing |
