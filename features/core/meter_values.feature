Feature: Meter values
  A Charge Point tells what it measures as often as it is configured to, and all that it is configured to.

  Background:
    Given the Charge Point is booted
    And idTag {ValidIdTag} is Accepted

  # 7.43: a value without a context is Sample.Periodic, one without a format is Raw; 7.49 knows SignedData as well.
  @TC_070_CS
  @OCPP_3_16_1 @OCPP_4_7 @OCPP_9_1_17 @OCPP_9_1_19 @OCPPE_3_15 @OCPP_3_16_2 @OCPP_7_43 @OCPPE_3_13 @OCPPE_3_16 @OCPP_7_35
  Scenario: Sampled Meter Values
    Given the configuration
      | MeterValueSampleInterval | {MeterValueSampleInterval} |
      | ClockAlignedDataInterval | 0                          |
    When the Central System sends GetConfiguration.req
      | key | [MeterValuesSampledData] |
    Then the Charge Point responds with GetConfiguration.conf
      | configurationKey[0].key | MeterValuesSampledData |
    Given a transaction is running with idTag {ValidIdTag}
    Then the Charge Point sends the values of MeterValuesSampledData 3 times, {MeterValueSampleInterval} seconds apart
      | transactionId        | {StartTransaction.conf.transactionId}, noted absent |
      | sampledValue.context | Sample.Periodic, tolerated absent                   |
      | sampledValue.format  | one of Raw, absent, tolerated SignedData            |
    And the Central System responds with MeterValues.conf

  @TC_071_CS @OCPP_3_16_2 @OCPP_4_7 @OCPP_9_1_5 @OCPP_9_1_15 @OCPPE_3_15 @OCPP_3_16_1 @OCPP_7_43 @OCPPE_3_13
  Scenario: Clock-aligned Meter Values
    Given the configuration
      | MeterValueSampleInterval | 0                          |
      | ClockAlignedDataInterval | {ClockAlignedDataInterval} |
    When the Central System sends GetConfiguration.req
      | key | [MeterValuesAlignedData] |
    Then the Charge Point responds with GetConfiguration.conf
      | configurationKey[0].key | MeterValuesAlignedData |
    Given a transaction is running with idTag {ValidIdTag}
    Then the Charge Point sends the values of MeterValuesAlignedData 3 times, at multiples of {ClockAlignedDataInterval} seconds
      | transactionId        | {StartTransaction.conf.transactionId}, noted absent |
      | sampledValue.context | Sample.Clock                                        |
      | sampledValue.format  | one of Raw, absent, tolerated SignedData            |
    And the Central System responds with MeterValues.conf
