Feature: Cold boot
  A Charge Point that starts announces itself before anything else, and does as it is answered.

  @TC_001_CS @OCPP_4_2 @OCPP_4_6 @OCPP_3_8 @OCPP_7_38 @OCPP_9_1_10 @OCPPE_3_22
  Scenario: Cold Boot Charge Point (judging the Charge Point)
    Given the Central System will respond with BootNotification.conf
      | status   | Rejected            |
      | interval | {BootRetryInterval} |
    When the Charge Point restarts
    Then the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Rejected |
    And the Charge Point sends nothing for {BootRetryInterval} seconds
    And the Charge Point sends BootNotification.req after at least {BootRetryInterval} seconds
    And the Central System responds with BootNotification.conf
      | status   | Accepted            |
      | interval | {HeartbeatInterval} |
    And connector 0 and every connector are reported Available
    And the Charge Point sends Heartbeat.req 3 times, {HeartbeatInterval} seconds apart
    And the Central System responds with Heartbeat.conf

  # The interval belongs to the Charge Point, here ours: no reason to wait the hours that a Central System may ask for.
  @TC_001_CSMS @OCPP_4_2 @OCPP_4_6 @OCPP_3_8
  Scenario: Cold Boot Charge Point (judging the Central System)
    When the Charge Point restarts
    Then the Charge Point sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status      | Accepted   |
      | interval    | at least 0 |
      | currentTime | any        |
    And connector 0 and every connector are reported Available
    When the Charge Point sends Heartbeat.req
    Then the Central System responds with Heartbeat.conf
      | currentTime | any |

  # 5.3 has RebootRequired for a change that takes a reboot; the test case document wants Accepted.
  @TC_002_CS @OCPP_4_2 @OCPP_5_3 @OCPP_7_38 @OCPP_9_1_10 @OCPPE_3_22
  Scenario: Cold Boot Charge Point - Pending
    Given the Central System will respond with BootNotification.conf
      | status   | Pending             |
      | interval | {BootRetryInterval} |
    When the Charge Point restarts
    Then the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Pending |
    When the Central System sends GetConfiguration.req
      | key | absent |
    Then the Charge Point responds with GetConfiguration.conf
    When the Central System sends ChangeConfiguration.req
      | key   | MeterValueSampleInterval   |
      | value | {MeterValueSampleInterval} |
    Then the Charge Point responds with ChangeConfiguration.conf
      | status | Accepted, tolerated RebootRequired |
    And the Charge Point sends BootNotification.req after at least {BootRetryInterval} seconds
    And the Central System responds with BootNotification.conf
      | status   | Accepted            |
      | interval | {HeartbeatInterval} |
    And connector 0 and every connector are reported Available
    And the Charge Point sends Heartbeat.req 3 times, {HeartbeatInterval} seconds apart
    And the Central System responds with Heartbeat.conf
