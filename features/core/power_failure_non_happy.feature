Feature: Power failure, non-happy
  What must persist outlives a power cut, and a transaction that it ends is stopped.

  Background:
    Given the Charge Point is booted
    And idTag {ValidIdTag} is Accepted

  @TC_032_1_CS @needs_backup_power @OCPP_4_10 @OCPP_7_36 @OCPPE_3_22
  Scenario: Power failure boot charging point - configured to stop transaction(s) before going down
    Given a transaction is running with idTag {ValidIdTag}
    When the Charge Point loses power
    Then the Charge Point sends StopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | PowerLoss                             |
    And the Central System responds with StopTransaction.conf
    And connector {ConnectorId} is Finishing, where the transaction was stopped before a reboot
    When the Charge Point gets power back
    Then the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available, except
      | {ConnectorId} | one of Finishing, Preparing |

  # The reports and the StopTransaction.req may come in any order, and the transaction may outlive the power cut.
  @TC_032_2_CS @without_backup_power @OCPP_4_10 @OCPP_7_36 @OCPPE_3_22 @OCPP_3_7
  Scenario: Power failure boot charging point-configured to stop transaction(s) (judging the Charge Point)
    Given a transaction is running with idTag {ValidIdTag}
    When the Charge Point loses power
    And the Charge Point gets power back
    Then the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available sooner or later, except
      | {ConnectorId} | one of Preparing, Finishing, Charging |
    And the Charge Point sends StopTransaction.req by itself, or when the EV driver presents idTag {ValidIdTag}
      | transactionId    | {StartTransaction.conf.transactionId} |
      | reason by itself | PowerLoss                             |
      | reason by hand   | one of Local, absent                  |
    And the Central System responds with StopTransaction.conf
    And connector {ConnectorId} is Preparing or Finishing, unless it was reported Finishing before

  @TC_032_1_CSMS @without_backup_power @OCPP_4_2 @OCPP_4_10
  Scenario: Power failure boot charging point-configured to stop transaction(s) (judging the Central System)
    Given a transaction is running with idTag {ValidIdTag}
    When the Charge Point loses power
    And the Charge Point gets power back
    Then the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available, except
      | {ConnectorId} | Finishing |
    And the Charge Point sends StopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | PowerLoss                             |
    And the Central System responds with StopTransaction.conf

  @TC_034_CS @OCPP_5_2 @OCPP_4_9 @OCPPE_3_22
  Scenario: Power Failure with Unavailable Status
    When the Central System sends ChangeAvailability.req
      | connectorId | 0           |
      | type        | Inoperative |
    Then the Charge Point responds with ChangeAvailability.conf
      | status | Accepted |
    And connector 0 and every connector are reported Unavailable
    When the Charge Point loses power
    And the Charge Point gets power back
    Then the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Unavailable
    And connector 0 and every connector are still Unavailable after {SettleTime} seconds
