Feature: Remote actions, non-happy
  A Charge Point refuses what the Central System asks for.

  Background:
    Given the Charge Point is booted
    And idTag {ValidIdTag} is Accepted

  @TC_026_CS @OCPP_5_11 @OCPPJ_4_2_2
  Scenario: Remote Start Charging Session - Rejected (judging the Charge Point)
    Given the configuration
      | LocalPreAuthorize | false |
    And a transaction is running with idTag {ValidIdTag}
    When the Central System sends RemoteStartTransaction.req
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    Then the Charge Point responds with RemoteStartTransaction.conf
      | status | Rejected |

  # Towards a Central System under test an ordinary request is asked for, and our side refuses it.
  @TC_026_CSMS @OCPP_5_11
  Scenario: Remote Start Charging Session - Rejected (judging the Central System)
    Given the Charge Point will respond with RemoteStartTransaction.conf
      | status | Rejected |
    When the Central System sends RemoteStartTransaction.req
      | idTag | any, such as {ValidIdTag} |
    Then the Charge Point responds with RemoteStartTransaction.conf
      | status | Rejected |

  @TC_028_CS @OCPP_5_12 @OCPP_6_46 @OCPPE_3_33 @OCPPJ_4_2_2
  Scenario: Remote Stop Transaction - Rejected (judging the Charge Point)
    Given a transaction is running with idTag {ValidIdTag}
    When the Central System sends RemoteStopTransaction.req
      | transactionId | other than {StartTransaction.conf.transactionId} |
    Then the Charge Point responds with RemoteStopTransaction.conf
      | status | Rejected |

  # The name speaks of an unknown transactionId; no edition checks it.
  @TC_028_CSMS @OCPP_5_12
  Scenario: Remote Stop Transaction - Rejected (judging the Central System)
    Given a transaction is running with idTag {ValidIdTag}
    And the Charge Point will respond with RemoteStopTransaction.conf
      | status | Rejected |
    When the Central System sends RemoteStopTransaction.req
      | transactionId | any, such as {StartTransaction.conf.transactionId} |
    Then the Charge Point responds with RemoteStopTransaction.conf
      | status | Rejected |

  # 6.33: connectorId > 0. A refusal is as good in a .conf as in a CALLERROR.
  @TC_027_CS @OCPP_5_11 @OCPP_6_33
  Scenario: Remote start transaction - connector id shall not be 0
    When the Central System sends RemoteStartTransaction.req against the rules
      | connectorId | 0            |
      | idTag       | {ValidIdTag} |
    Then the Charge Point responds with RemoteStartTransaction.conf or CALLERROR
      | status    | Rejected |
      | CALLERROR | any      |
