Feature: Remote actions
  The Central System starts and stops transactions.

  Background:
    Given the Charge Point is booted
    And idTag {ValidIdTag} is Accepted

  @TC_010_CS @OCPP_5_11 @OCPP_3_8 @OCPP_3_9
  Scenario: Remote Start Charging Session - Cable Plugged in First (judging the Charge Point)
    When the Central System sends GetConfiguration.req
      | key | [AuthorizeRemoteTxRequests] |
    Then the Charge Point responds with GetConfiguration.conf
      | configurationKey[key=AuthorizeRemoteTxRequests].value | any |
    When the EV driver plugs in the cable
    Then the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Preparing     |
    And the Central System responds with StatusNotification.conf
    When the Central System sends RemoteStartTransaction.req
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    Then the Charge Point responds with RemoteStartTransaction.conf
      | status | Accepted |
    And if AuthorizeRemoteTxRequests is true, the Charge Point has idTag {ValidIdTag} authorized
    And the Charge Point sends StartTransaction.req
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    And the Central System responds with StartTransaction.conf
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf

  @TC_010_CSMS @OCPP_5_11 @OCPP_4_1 @OCPP_4_8 @OCPP_6_33
  Scenario: Remote Start Charging Session - Cable Plugged in First (judging the Central System)
    When the EV driver plugs in the cable
    Then the Charge Point sends StatusNotification.req
      | status | Preparing |
    And the Central System responds with StatusNotification.conf
    When the Central System sends RemoteStartTransaction.req
      | connectorId | one of {ConnectorId}, absent |
      | idTag       | any, such as {ValidIdTag}    |
    Then the Charge Point responds with RemoteStartTransaction.conf
      | status | Accepted |
    And the Charge Point sends Authorize.req
      | idTag | {RemoteStartTransaction.req.idTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Accepted |
    And the Charge Point sends StartTransaction.req
      | idTag | {RemoteStartTransaction.req.idTag} |
    And the Central System responds with StartTransaction.conf
      | transactionId    | any      |
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf

  @TC_011_1_CS @OCPP_5_11
  Scenario: Remote Start Charging Session - Remote Start First (judging the Charge Point)
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
    Then the Charge Point sends StartTransaction.req
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    And the Central System responds with StartTransaction.conf
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf

  @TC_011_1_CSMS @OCPP_5_11 @OCPP_4_1 @OCPP_4_8
  Scenario: Remote Start Charging Session - Remote Start First (judging the Central System)
    When the Central System sends RemoteStartTransaction.req
      | connectorId | one of {ConnectorId}, absent |
      | idTag       | any, such as {ValidIdTag}    |
    Then the Charge Point responds with RemoteStartTransaction.conf
      | status | Accepted |
    And the Charge Point sends Authorize.req
      | idTag | {RemoteStartTransaction.req.idTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Accepted |
    And the Charge Point sends StatusNotification.req
      | status | Preparing |
    And the Central System responds with StatusNotification.conf
    When the EV driver plugs in the cable
    Then the Charge Point sends StartTransaction.req
      | idTag | {RemoteStartTransaction.req.idTag} |
    And the Central System responds with StartTransaction.conf
      | transactionId    | any      |
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf

  @TC_011_2_CS @OCPP_5_11 @OCPP_9_1_6 @OCPPE_3_21 @OCPPE_3_32 @OCPPE_3_77
  Scenario: Remote Start Charging Session - Time Out (judging the Charge Point)
    Given the configuration
      | ConnectionTimeOut | {ConnectionTimeOut} |
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
    And connector {ConnectorId} is Available after {ConnectionTimeOut} seconds
    And the Central System responds with StatusNotification.conf

  @TC_011_2_CSMS @OCPP_5_11 @OCPP_4_1
  Scenario: Remote Start Charging Session - Time Out (judging the Central System)
    Given the configuration
      | ConnectionTimeOut | {ConnectionTimeOut} |
    When the Central System sends RemoteStartTransaction.req
      | connectorId | one of {ConnectorId}, absent |
      | idTag       | any, such as {ValidIdTag}    |
    Then the Charge Point responds with RemoteStartTransaction.conf
      | status | Accepted |
    And the Charge Point sends Authorize.req
      | idTag | {RemoteStartTransaction.req.idTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Accepted |
    And the Charge Point sends StatusNotification.req
      | status | Preparing |
    And the Central System responds with StatusNotification.conf
    And connector {ConnectorId} is Available after {ConnectionTimeOut} seconds
    And the Central System responds with StatusNotification.conf

  @TC_012_CS @OCPP_5_12 @OCPP_4_10 @OCPP_4_9 @OCPP_6_46 @OCPP_7_7 @OCPP_7_36 @OCPPE_3_19 @OCPPE_3_33
  Scenario: Remote Stop Charging Session (judging the Charge Point)
    Given a transaction is running with idTag {ValidIdTag}
    When the Central System sends RemoteStopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
    Then the Charge Point responds with RemoteStopTransaction.conf
      | status | Accepted |
    And the Charge Point sends StopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | Remote                                |
    And the Central System responds with StopTransaction.conf
    And connector {ConnectorId} is Finishing
    And the Central System responds with StatusNotification.conf

  @TC_012_CSMS @OCPP_5_12 @OCPP_4_10
  Scenario: Remote Stop Charging Session (judging the Central System)
    Given a transaction is running with idTag {ValidIdTag}
    When the Central System sends RemoteStopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
    Then the Charge Point responds with RemoteStopTransaction.conf
      | status | Accepted |
    And the Charge Point sends StopTransaction.req
      | transactionId | {StartTransaction.conf.transactionId} |
      | reason        | Remote                                |
    And the Central System responds with StopTransaction.conf
    And the Charge Point sends StatusNotification.req
      | status | Finishing |
    And the Central System responds with StatusNotification.conf
    When the EV driver unplugs the cable
    Then the Charge Point sends StatusNotification.req
      | status | Available |
    And the Central System responds with StatusNotification.conf
