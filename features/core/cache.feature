Feature: Cache
  An idTag that the Authorization Cache knows starts a transaction without being asked about.

  Background:
    Given the Charge Point is booted
    And idTag {ValidIdTag} is Accepted

  @TC_007_1_CS @needs_authorization_cache @needs_local_authorization
  @OCPP_3_5_1 @OCPP_9_1_13 @OCPP_3_5 @OCPP_4_1 @OCPP_9_1_2
  Scenario: Regular Start Charging Session - Cached Id (judging the Charge Point)
    Given the Authorization Cache holds {ValidIdTag}
    And the configuration
      | LocalPreAuthorize | true |
    When the EV driver presents idTag {ValidIdTag}
    Then the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Preparing     |
    And the Central System responds with StatusNotification.conf
    When the EV driver plugs in the cable
    Then the Charge Point sends StartTransaction.req
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    And the Central System responds with StartTransaction.conf
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf
    And the Charge Point has sent no Authorize.req since the idTag was presented

  @TC_007_CSMS @OCPP_4_8
  Scenario: Regular Start Charging Session - Cached Id (judging the Central System)
    Given the Authorization Cache holds {ValidIdTag}
    And the configuration
      | LocalPreAuthorize | true |
    When the EV driver plugs in the cable
    Then the Charge Point sends StatusNotification.req
      | status | Preparing |
    And the Central System responds with StatusNotification.conf
    When the EV driver presents idTag {ValidIdTag}
    Then the Charge Point sends StartTransaction.req
      | idTag | {ValidIdTag} |
    And the Central System responds with StartTransaction.conf
      | transactionId    | any      |
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf
