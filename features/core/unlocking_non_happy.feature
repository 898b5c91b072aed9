Feature: Unlocking, non-happy
  A cable cannot be released.

  Background:
    Given the Charge Point is booted

  # Errata 3.87: NotSupported, not UnlockFailed, for a connector that is not there.
  @TC_031_CS @OCPP_5_18 @OCPPE_3_87 @OCPP_7_46 @OCPPJ_4_2_2
  Scenario: Unlock Connector - Unknown Connector (judging the Charge Point)
    When the Central System sends UnlockConnector.req
      | connectorId | 99 |
    Then the Charge Point responds with UnlockConnector.conf
      | status | NotSupported |

  # A Central System can only be asked for an ordinary request, which our side then refuses: no edition looks at the
  # connectorId.
  @TC_031_CSMS @OCPP_5_18 @OCPP_7_46
  Scenario: Unlock Connector - Unknown Connector (judging the Central System)
    Given the Charge Point will respond with UnlockConnector.conf
      | status | NotSupported |
    When the Central System sends UnlockConnector.req
      | connectorId | any, such as {ConnectorId} |
    Then the Charge Point responds with UnlockConnector.conf
      | status | NotSupported |

  @TC_030_CS @TC_030_CSMS @needs_detachable_cable @needs_lock_failure @OCPP_5_18 @OCPP_7_46 @OCPPE_3_87
  Scenario: Unlock Connector - Unlock Failure
    Given connector {ConnectorId} cannot unlock the cable
    When the Central System sends UnlockConnector.req
      | connectorId | {ConnectorId} |
    Then the Charge Point responds with UnlockConnector.conf
      | status | UnlockFailed |
