Feature: Start charging session
  The EV driver starts a transaction at the Charge Point.

  Background:
    Given the Charge Point is booted
    And idTag {ValidIdTag} is Accepted

  @TC_003_CS @TC_003_CSMS @needs_local_authorization @OCPP_4_1 @OCPP_4_8 @OCPP_4_9 @OCPP_3_9 @OCPP_7_7 @OCPPE_3_19
  Scenario: Regular Charging Session - Plugin First
    When the EV driver plugs in the cable
    Then the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Preparing     |
    And the Central System responds with StatusNotification.conf

    When the EV driver presents idTag {ValidIdTag}
    Then the Charge Point sends Authorize.req
      | idTag | {ValidIdTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Accepted |
    And the Charge Point sends StartTransaction.req
      | connectorId   | {ConnectorId} |
      | idTag         | {ValidIdTag}  |
      | reservationId | absent        |
    And the Central System responds with StartTransaction.conf
      | transactionId    | any      |
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf

  @TC_004_1_CS @TC_004_1_CSMS @needs_local_authorization @OCPP_4_1 @OCPP_4_8 @OCPP_4_9 @OCPPE_3_19
  Scenario: Regular Charging Session - Identification First
    Given the configuration
      | MeterValueSampleInterval | {MeterValueSampleInterval} |
    And idTag {ValidIdTag} is authorized
    When the EV driver plugs in the cable
    Then the Charge Point sends StartTransaction.req
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    And the Central System responds with StartTransaction.conf
      | transactionId    | any      |
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf

  @TC_004_2_CS @TC_004_2_CSMS @needs_local_authorization @OCPP_9_1_6 @OCPP_4_9 @OCPPE_3_21 @OCPPE_3_77
  Scenario: Regular Charging Session - Identification First - ConnectionTimeOut
    Given the configuration
      | ConnectionTimeOut | {ConnectionTimeOut} |
    And idTag {ValidIdTag} is authorized
    Then connector {ConnectorId} is Available after {ConnectionTimeOut} seconds
    And the Central System responds with StatusNotification.conf
