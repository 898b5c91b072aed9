Feature: Configuration, happy flow
  The Central System reads and writes configuration keys.

  Background:
    Given the Charge Point is booted

  @TC_019_CS @OCPP_5_8 @OCPP_3_3 @OCPP_3_5_2 @OCPP_3_7_1 @OCPP_3_13_5 @OCPP_7_29 @OCPP_9 @OCPPE_3_80 @OCPPE_3_84
  Scenario: Retrieve configuration
    When the Central System sends GetConfiguration.req
      | key | [SupportedFeatureProfiles] |
    Then the Charge Point responds with GetConfiguration.conf
      | configurationKey[0].key   | SupportedFeatureProfiles |
      | configurationKey[0].value | any                      |
      | configurationKey[1]       | absent                   |
      | unknownKey                | one of absent, []        |
    And SupportedFeatureProfiles lists Core and no profile that OCPP 1.6 does not know
    When the Central System sends GetConfiguration.req
      | key | absent |
    Then the latest GetConfiguration.conf reports these keys
      | AuthorizeRemoteTxRequests         | R or RW |
      | ClockAlignedDataInterval          | RW      |
      | ConnectionTimeOut                 | RW      |
      | ConnectorPhaseRotation            | RW      |
      | GetConfigurationMaxKeys           | R       |
      | HeartbeatInterval                 | RW      |
      | LocalAuthorizeOffline             | RW      |
      | LocalPreAuthorize                 | RW      |
      | MeterValuesAlignedData            | RW      |
      | MeterValuesSampledData            | RW      |
      | MeterValueSampleInterval          | RW      |
      | NumberOfConnectors                | R       |
      | ResetRetries                      | RW      |
      | StopTransactionOnInvalidId        | RW      |
      | StopTxnAlignedData                | RW      |
      | StopTxnSampledData                | RW      |
      | SupportedFeatureProfiles          | R       |
      | TransactionMessageAttempts        | RW      |
      | TransactionMessageRetryInterval   | RW      |
      | UnlockConnectorOnEVSideDisconnect | R or RW |
    And where profile LocalAuthListManagement is supported, these keys
      | LocalAuthListEnabled   | RW |
      | LocalAuthListMaxLength | R  |
      | SendLocalListMaxLength | R  |
    And where profile SmartCharging is supported, these keys
      | ChargeProfileMaxStackLevel              | R |
      | ChargingScheduleAllowedChargingRateUnit | R |
      | ChargingScheduleMaxPeriods              | R |
      | MaxChargingProfilesInstalled            | R |
    When the Central System sends GetConfiguration.req
      | key | [GetConfigurationMaxKeys] |
    Then the Charge Point responds with GetConfiguration.conf
      | configurationKey[key=GetConfigurationMaxKeys].value | matching /^[1-9]\d*$/ |
    And the Central System reads as many of the reported keys as it may at once, and all come back

  @TC_019_1_CSMS @OCPP_5_8
  Scenario: Retrieve all configuration keys
    When the Central System sends GetConfiguration.req
      | key | one of absent, [] |
    Then the Charge Point responds with GetConfiguration.conf

  @TC_019_2_CSMS @OCPP_5_8
  Scenario: Retrieve specific configuration key
    When the Central System sends GetConfiguration.req
      | key | [SupportedFeatureProfiles] |
    Then the Charge Point responds with GetConfiguration.conf
      | configurationKey[0].key | SupportedFeatureProfiles |
      | unknownKey              | one of absent, []        |

  # 5.3 has RebootRequired for a change that takes a reboot; the test case document wants Accepted.
  @TC_021_CS @OCPP_5_3 @OCPP_7_22 @OCPP_9_1_19
  Scenario: Change/set Configuration (judging the Charge Point)
    Given the configuration
      | MeterValueSampleInterval | other than {MeterValueSampleInterval} |
    When the Central System sends GetConfiguration.req
      | key | [MeterValueSampleInterval] |
    Then the Charge Point responds with GetConfiguration.conf
      | configurationKey[0].value | other than {MeterValueSampleInterval} |
    When the Central System sends ChangeConfiguration.req
      | key   | MeterValueSampleInterval   |
      | value | {MeterValueSampleInterval} |
    Then the Charge Point responds with ChangeConfiguration.conf
      | status | Accepted, tolerated RebootRequired |
    When the Central System sends GetConfiguration.req
      | key | [MeterValueSampleInterval] |
    Then the Charge Point responds with GetConfiguration.conf
      | configurationKey[0].key   | MeterValueSampleInterval   |
      | configurationKey[0].value | {MeterValueSampleInterval} |

  @TC_021_CSMS @OCPP_5_3
  Scenario: Change/set Configuration (judging the Central System)
    When the Central System sends ChangeConfiguration.req
      | key   | MeterValueSampleInterval |
      | value | 60                       |
    Then the Charge Point responds with ChangeConfiguration.conf
      | status | Accepted |
