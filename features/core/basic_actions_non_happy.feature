Feature: Basic actions, non-happy
  An idTag may not charge, and the Central System says why; or a connector cannot.

  Background:
    Given the Charge Point is booted

  @TC_023_1_CSMS @OCPP_4_1 @OCPP_7_2
  Scenario: Start Charging Session - Authorize invalid
    Given idTag {InvalidIdTag} is unknown
    When the EV driver presents idTag {InvalidIdTag}
    Then the Charge Point sends Authorize.req
      | idTag | {InvalidIdTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Invalid |

  @TC_023_2_CSMS @OCPP_4_1 @OCPP_7_2
  Scenario: Start Charging Session - Authorize expired
    Given idTag {ExpiredIdTag} is Expired
    When the EV driver presents idTag {ExpiredIdTag}
    Then the Charge Point sends Authorize.req
      | idTag | {ExpiredIdTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Expired |

  @TC_023_3_CSMS @OCPP_4_1 @OCPP_7_2
  Scenario: Start Charging Session - Authorize blocked
    Given idTag {BlockedIdTag} is Blocked
    When the EV driver presents idTag {BlockedIdTag}
    Then the Charge Point sends Authorize.req
      | idTag | {BlockedIdTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Blocked |

  @TC_024_CS @needs_detachable_cable @OCPP_4_9 @OCPP_7_6
  Scenario: Start Charging Session - Lock Failure
    Given idTag {ValidIdTag} is Accepted
    And connector {ConnectorId} cannot lock the cable
    When the Central System sends GetConfiguration.req
      | key | [AuthorizeRemoteTxRequests] |
    Then the Charge Point responds with GetConfiguration.conf
      | configurationKey[key=AuthorizeRemoteTxRequests].value | any |
    When the Central System sends RemoteStartTransaction.req
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    Then the Charge Point responds with RemoteStartTransaction.conf
      | status | Accepted |
    And if AuthorizeRemoteTxRequests is true, the Charge Point has idTag {ValidIdTag} authorized
    And the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Preparing     |
    And the Central System responds with StatusNotification.conf
    When the EV driver plugs in the cable
    Then the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId}        |
      | status      | Faulted              |
      | errorCode   | ConnectorLockFailure |
    And the Central System responds with StatusNotification.conf

  @TC_024_CSMS @needs_detachable_cable @OCPP_4_9 @OCPP_4_1
  Scenario: Start Charging Session Lock Failure
    Given idTag {ValidIdTag} is Accepted
    And connector {ConnectorId} cannot lock the cable
    And idTag {ValidIdTag} is authorized
    When the EV driver plugs in the cable
    Then the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId}        |
      | status      | Faulted              |
      | errorCode   | ConnectorLockFailure |
    And the Central System responds with StatusNotification.conf

  # In 2024-04 the cable came before the idTag. 4.9, B1: a refusal need not end the Preparing that the idTag has begun.
  @TC_023_4_CS @needs_local_authorization @OCPP_4_1 @OCPP_4_9 @OCPP_9_1_20
  Scenario: Start local Charging Session - Authorize invalid
    Given the configuration
      | MinimumStatusDuration | 10   |
      | LocalPreAuthorize     | true |
    And idTag {InvalidIdTag} is unknown
    When the EV driver presents idTag {InvalidIdTag}
    Then the Charge Point sends Authorize.req
      | idTag | {InvalidIdTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Invalid |
    When the EV driver plugs in the cable
    Then connector {ConnectorId} is Preparing, unless it was reported so before
    And the Charge Point sends no StartTransaction.req for {SilenceTime} seconds
    And the Charge Point has sent no StartTransaction.req since the idTag was presented

  @TC_023_5_CS @needs_remote_authorization @without_local_authorization @OCPP_4_1 @OCPP_5_11
  Scenario: Start remote Charging Session - Authorize invalid
    Given the configuration
      | AuthorizeRemoteTxRequests | true |
    And idTag {InvalidIdTag} is unknown
    When the Central System sends RemoteStartTransaction.req
      | connectorId | {ConnectorId}  |
      | idTag       | {InvalidIdTag} |
    Then the Charge Point responds with RemoteStartTransaction.conf
      | status | Accepted |
    And the Charge Point sends Authorize.req
      | idTag | {InvalidIdTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Invalid |
    When the EV driver plugs in the cable
    Then connector {ConnectorId} is Preparing, unless it was reported so before
    And the Charge Point sends no StartTransaction.req for {SilenceTime} seconds
    And the Charge Point has sent no StartTransaction.req since RemoteStartTransaction.req was sent
