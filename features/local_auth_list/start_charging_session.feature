Feature: Start charging session with the Local Authorization List
  An idTag on the Local Authorization List starts a transaction without being asked about.

  Background:
    Given the Charge Point is booted
    And idTag {ValidIdTag} is Accepted

  @TC_008_1_CS @needs_local_authorization @OCPP_3_5_2 @OCPP_5_15 @OCPP_9_1_13
  Scenario: Regular Start Charging Session - Id in Local Authorization List
    Given the configuration, where there are such keys
      | AuthorizationCacheEnabled | false |
    And the configuration
      | LocalPreAuthorize    | true |
      | LocalAuthListEnabled | true |
    When the Central System sends GetLocalListVersion.req
    Then the Charge Point responds with GetLocalListVersion.conf
    When the Central System sends SendLocalList.req
      | listVersion                                | 1            |
      | updateType                                 | Full         |
      | localAuthorizationList[0].idTag            | {ValidIdTag} |
      | localAuthorizationList[0].idTagInfo.status | Accepted     |
    Then the Charge Point responds with SendLocalList.conf
      | status | Accepted |
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

  # In 2024-04 the cable came before the request.
  @TC_008_2_CS @needs_remote_authorization @without_local_authorization @OCPP_3_5_2 @OCPP_5_11 @OCPP_5_15 @OCPP_9_1_13
  Scenario: Remote Start Charging Session - Id in Local Authorization List
    Given the configuration, where there are such keys
      | AuthorizationCacheEnabled | false |
    And the configuration
      | LocalPreAuthorize         | true |
      | LocalAuthListEnabled      | true |
      | AuthorizeRemoteTxRequests | true |
    When the Central System sends GetLocalListVersion.req
    Then the Charge Point responds with GetLocalListVersion.conf
    When the Central System sends SendLocalList.req
      | listVersion                                | 1            |
      | updateType                                 | Full         |
      | localAuthorizationList[0].idTag            | {ValidIdTag} |
      | localAuthorizationList[0].idTagInfo.status | Accepted     |
    Then the Charge Point responds with SendLocalList.conf
      | status | Accepted |
    When the Central System sends RemoteStartTransaction.req
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    Then the Charge Point responds with RemoteStartTransaction.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
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
    And the Charge Point has sent no Authorize.req since RemoteStartTransaction.req was sent
