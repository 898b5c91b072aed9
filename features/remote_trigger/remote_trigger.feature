Feature: Remote trigger
  The Central System has messages sent that the Charge Point would send of its own accord.

  Background:
    Given the Charge Point is booted

  # What the trigger asks for comes after its .conf (5.17), and nothing routine may pass as it. An idle Charge Point has
  # no diagnostics and no firmware on its hands (4.4, 4.5). Without the profile FirmwareManagement both triggers are
  # NotImplemented (5.17); the test case wants the one for the diagnostics Accepted, a draft of 2025-06 only if it is.
  @TC_054_CS @OCPP_5_17 @OCPP_4_4 @OCPP_4_5 @OCPP_4_7 @OCPP_7_35 @OCPP_7_44 @OCPPE_3_46
  Scenario: Trigger Message (judging the Charge Point)
    Given the Charge Point has nothing routine to send
    When the Central System sends TriggerMessage.req
      | requestedMessage | MeterValues   |
      | connectorId      | {ConnectorId} |
    Then the Charge Point responds with TriggerMessage.conf
      | status | Accepted |
    And the Charge Point sends the triggered MeterValues.req
      | connectorId | {ConnectorId} |
    And the Central System responds with MeterValues.conf
    When the Central System sends TriggerMessage.req
      | requestedMessage | Heartbeat |
    Then the Charge Point responds with TriggerMessage.conf
      | status | Accepted |
    And the Charge Point sends the triggered Heartbeat.req
    And the Central System responds with Heartbeat.conf
    When the Central System sends TriggerMessage.req
      | requestedMessage | StatusNotification |
      | connectorId      | {ConnectorId}      |
    Then the Charge Point responds with TriggerMessage.conf
      | status | Accepted |
    And the Charge Point sends the triggered StatusNotification.req
      | connectorId | {ConnectorId} |
    And the Central System responds with StatusNotification.conf
    When the Central System sends TriggerMessage.req
      | requestedMessage | DiagnosticsStatusNotification |
    Then the Charge Point responds with TriggerMessage.conf
      | status | Accepted, tolerated NotImplemented |
    And if it Accepted, the Charge Point sends the triggered DiagnosticsStatusNotification.req and is answered
      | status | Idle |
    When the Central System sends TriggerMessage.req
      | requestedMessage | FirmwareStatusNotification |
    Then the Charge Point responds with TriggerMessage.conf
      | status | one of Accepted, NotImplemented |
    And if it Accepted, the Charge Point sends the triggered FirmwareStatusNotification.req and is answered
      | status | Idle |

  # What is judged is what the Central System asks for; our Charge Point does it.
  @TC_054_CSMS @OCPP_5_17
  Scenario: Trigger Message (judging the Central System)
    Given the Charge Point has nothing routine to send
    When the Central System sends TriggerMessage.req
      | requestedMessage | MeterValues   |
      | connectorId      | {ConnectorId} |
    Then the Charge Point responds with TriggerMessage.conf
      | status | Accepted |
    And the Charge Point sends the triggered MeterValues.req
      | connectorId | {ConnectorId} |
    And the Central System responds with MeterValues.conf
    When the Central System sends TriggerMessage.req
      | requestedMessage | Heartbeat |
    Then the Charge Point responds with TriggerMessage.conf
      | status | Accepted |
    And the Charge Point sends the triggered Heartbeat.req
    And the Central System responds with Heartbeat.conf
    When the Central System sends TriggerMessage.req
      | requestedMessage | StatusNotification |
      | connectorId      | {ConnectorId}      |
    Then the Charge Point responds with TriggerMessage.conf
      | status | Accepted |
    And the Charge Point sends the triggered StatusNotification.req
      | connectorId | {ConnectorId} |
    And the Central System responds with StatusNotification.conf
    When the Central System sends TriggerMessage.req
      | requestedMessage | DiagnosticsStatusNotification |
    Then the Charge Point responds with TriggerMessage.conf
      | status | Accepted |
    And the Charge Point sends the triggered DiagnosticsStatusNotification.req
      | status | Idle |
    And the Central System responds with DiagnosticsStatusNotification.conf
    When the Central System sends TriggerMessage.req
      | requestedMessage | FirmwareStatusNotification |
    Then the Charge Point responds with TriggerMessage.conf
      | status | Accepted |
    And the Charge Point sends the triggered FirmwareStatusNotification.req
      | status | Idle |
    And the Central System responds with FirmwareStatusNotification.conf

  @TC_055_CS @OCPP_5_17 @OCPP_7_44
  Scenario: Trigger Message - Rejected (judging the Charge Point)
    When the Central System sends TriggerMessage.req for the connector after the last
      | requestedMessage | MeterValues |
    Then the Charge Point responds with TriggerMessage.conf or CALLERROR
      | status    | Rejected |
      | CALLERROR | any      |

  # Our Charge Point refuses what it is asked for. Until 2024-04 the test case wanted a connector that is not there, of
  # which many a Central System knows nothing; since 2025-11 it takes any.
  @TC_055_CSMS @OCPP_5_17
  Scenario: Trigger Message - Rejected (judging the Central System)
    Given the Charge Point will respond with TriggerMessage.conf
      | status | Rejected |
    When the Central System sends TriggerMessage.req
      | requestedMessage | MeterValues |
    Then the Charge Point responds with TriggerMessage.conf
      | status | Rejected |
