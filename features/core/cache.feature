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

  # In 2024-04 the cable came before the request.
  @TC_007_2_CS @needs_authorization_cache @needs_remote_authorization @without_local_authorization @OCPP_3_5_1 @OCPP_5_11 @OCPP_9_1_13
  Scenario: Remote Start Charging Session - Cached Id
    Given the configuration
      | AuthorizeRemoteTxRequests | true |
    And the Authorization Cache holds {ValidIdTag}
    And the configuration
      | LocalPreAuthorize | true |
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

  # The document has the EV driver present the idTag again, or wait where that does not end the preparation: every Charge
  # Point ends it by itself (9.1.6).
  @TC_061_1_CS @needs_authorization_cache @needs_local_authorization @OCPP_3_5_1 @OCPP_4_1 @OCPP_5_4 @OCPP_7_20
  Scenario: Clear Authorization Data in Authorization Cache - Local
    Given the configuration
      | AuthorizationCacheEnabled | true                |
      | LocalPreAuthorize         | true                |
      | ConnectionTimeOut         | {ConnectionTimeOut} |
    And idTag {ValidIdTag} is authorized
    Then connector {ConnectorId} is Available, at the latest after {ConnectionTimeOut} seconds
    And the Central System responds with StatusNotification.conf
    When the Central System sends ClearCache.req
    Then the Charge Point responds with ClearCache.conf
      | status | Accepted |
    When the EV driver presents idTag {ValidIdTag}
    Then the Charge Point sends Authorize.req
      | idTag | {ValidIdTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Accepted |
    And the Charge Point may send StatusNotification.req
      | status | Preparing |

  @TC_061_2_CS @needs_authorization_cache @needs_remote_authorization @without_local_authorization
  @OCPP_3_5_1 @OCPP_4_1 @OCPP_5_4 @OCPP_7_20
  Scenario: Clear Authorization Data in Authorization Cache - Remote
    Given the configuration
      | AuthorizeRemoteTxRequests | true |
    And the Authorization Cache holds {ValidIdTag}
    And the configuration
      | LocalPreAuthorize | true |
    When the Central System sends ClearCache.req
    Then the Charge Point responds with ClearCache.conf
      | status | Accepted |
    When the Central System sends RemoteStartTransaction.req
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    Then the Charge Point responds with RemoteStartTransaction.conf
      | status | Accepted |
    And the Charge Point sends Authorize.req
      | idTag | {ValidIdTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Accepted |
    And the Charge Point may send StatusNotification.req
      | status | Preparing |

  @TC_061_CSMS @OCPP_5_4
  Scenario: Clear Authorization Data in Authorization Cache
    When the Central System sends ClearCache.req
    Then the Charge Point responds with ClearCache.conf
      | status | Accepted |
