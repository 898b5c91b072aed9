Feature: Smart charging
  Charging profiles limit what an EV may take, and the composite schedule tells what they come to.

  Background:
    Given the Charge Point is booted

  # A profile that has begun a little ago ends as much before the time that is asked about.
  @TC_056_CS
  @OCPP_3_13_1 @OCPP_5_16 @OCPP_5_7 @OCPP_3_13 @OCPP_6_22 @OCPP_7_9 @OCPP_7_12 @OCPP_7_14 @OCPPE_3_28 @OCPPE_3_29
  @OCPPE_3_57 @OCPPE_3_69 @OCPPE_3_71
  Scenario: Central Smart Charging - TxDefaultProfile (judging the Charge Point)
    When the Central System sends SetChargingProfile.req with a charging profile
      | connectorId   | chargingProfilePurpose | stackLevel   | duration             | limits |
      | {ConnectorId} | TxDefaultProfile       | {StackLevel} | {ScheduleDuration} s | 0 s: 6 |
    Then the Charge Point responds with SetChargingProfile.conf
      | status | Accepted |
    When the Central System sends GetCompositeSchedule.req
      | connectorId      | {ConnectorId}      |
      | duration         | {ScheduleDuration} |
      | chargingRateUnit | {ChargingRateUnit} |
    Then the Charge Point responds with GetCompositeSchedule.conf
      | status                            | Accepted           |
      | connectorId                       | {ConnectorId}      |
      | chargingSchedule.duration         | {ScheduleDuration} |
      | chargingSchedule.chargingRateUnit | {ChargingRateUnit} |
    And the composite schedule begins now
    And the composite schedule is
      | 0 s                  | 6   |
      | {ScheduleDuration} s | any |

  @TC_056_CSMS @OCPP_5_16 @OCPP_7_8 @OCPPE_3_56
  Scenario: Central Smart Charging - TxDefaultProfile (judging the Central System)
    When the Central System sends SetChargingProfile.req
      | connectorId                                                                | {ConnectorId}                   |
      | csChargingProfiles.chargingProfileId                                       | any, such as 1                  |
      | csChargingProfiles.stackLevel                                              | {StackLevel}                    |
      | csChargingProfiles.chargingProfilePurpose                                  | TxDefaultProfile                |
      | csChargingProfiles.chargingProfileKind                                     | Absolute                        |
      | csChargingProfiles.recurrencyKind                                          | absent                          |
      | csChargingProfiles.transactionId                                           | absent                          |
      | csChargingProfiles.validFrom                                               | any, such as now                |
      | csChargingProfiles.validTo                                                 | any, such as now + 1 day        |
      | csChargingProfiles.chargingSchedule.startSchedule                          | any, such as now                |
      | csChargingProfiles.chargingSchedule.duration                               | {ScheduleDuration}              |
      | csChargingProfiles.chargingSchedule.chargingRateUnit                       | {ChargingRateUnit}              |
      | csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].startPeriod  | 0                               |
      | csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit        | {ChargingLimit}                 |
      | csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].numberPhases | one of {NumberOfPhases}, absent |
    Then the charging profile is for {NumberOfPhases} phases
    And the Charge Point responds with SetChargingProfile.conf
      | status | Accepted |

  @TC_057_CS @OCPP_3_13_1 @OCPP_5_16_3 @OCPP_5_7 @OCPP_3_13 @OCPP_7_13
  Scenario: Central Smart Charging - TxProfile (judging the Charge Point)
    Given idTag {ValidIdTag} is Accepted
    And a transaction is running with idTag {ValidIdTag}
    When the Central System sends SetChargingProfile.req with a charging profile
      | connectorId   | chargingProfilePurpose | transactionId                         | stackLevel   | limits |
      | {ConnectorId} | TxProfile              | {StartTransaction.conf.transactionId} | {StackLevel} | 0 s: 6 |
    Then the Charge Point responds with SetChargingProfile.conf
      | status | Accepted |
    When the Central System sends GetCompositeSchedule.req
      | connectorId      | {ConnectorId}      |
      | duration         | {ScheduleDuration} |
      | chargingRateUnit | {ChargingRateUnit} |
    Then the Charge Point responds with GetCompositeSchedule.conf
      | status                            | Accepted           |
      | connectorId                       | {ConnectorId}      |
      | chargingSchedule.duration         | {ScheduleDuration} |
      | chargingSchedule.chargingRateUnit | {ChargingRateUnit} |
    And the composite schedule begins now
    And the composite schedule is
      | 0 s | 6 |

  @TC_057_CSMS @OCPP_5_16_3 @OCPP_7_8 @OCPPE_3_56 @OCPP_3_13_4 @OCPP_5_16_1 @OCPP_7_9 @OCPPE_3_65 @OCPPE_3_66
  Scenario: Central Smart Charging - TxProfile (judging the Central System)
    Given idTag {ValidIdTag} is Accepted
    And a transaction is running with idTag {ValidIdTag}
    When the Central System sends SetChargingProfile.req
      | connectorId                                                               | {ConnectorId}                          |
      | csChargingProfiles.chargingProfileId                                      | any, such as 1                         |
      | csChargingProfiles.transactionId                                          | {StartTransaction.conf.transactionId}  |
      | csChargingProfiles.stackLevel                                             | any, such as {StackLevel}              |
      | csChargingProfiles.chargingProfilePurpose                                 | TxProfile                              |
      | csChargingProfiles.chargingProfileKind                                    | one of Absolute, Relative              |
      | csChargingProfiles.recurrencyKind                                         | absent                                 |
      | csChargingProfiles.validFrom                                              | one of now, any, absent                |
      | csChargingProfiles.validTo                                                | one of now + 1 day, any, absent        |
      | csChargingProfiles.chargingSchedule.startSchedule                         | one of now, any, absent                |
      | csChargingProfiles.chargingSchedule.duration                              | one of {ScheduleDuration}, any, absent |
      | csChargingProfiles.chargingSchedule.chargingRateUnit                      | any, such as {ChargingRateUnit}        |
      | csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].startPeriod | 0                                      |
      | csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit       | any, such as {ChargingLimit}           |
    # 7.8 forbids validFrom and validTo with a TxProfile, errata 3.65 and 3.66 allow them; the test case wants them.
    Then if its chargingProfileKind is Absolute, the charging profile has
      | validFrom                      | any, tolerated absent |
      | validTo                        | any, tolerated absent |
      | chargingSchedule.startSchedule | any                   |
      | chargingSchedule.duration      | any                   |
    And if its chargingProfileKind is Relative, the charging profile has
      | chargingSchedule.startSchedule | absent |
    And the Charge Point responds with SetChargingProfile.conf
      | status | Accepted |

  # 3.13.1: without a transaction it is discarded, and the .conf says so; the test case takes a CALLERROR as well.
  @TC_058_1_CS @OCPP_3_13_1 @OCPP_5_16_4 @OCPP_7_11
  Scenario: Central Smart Charging - No ongoing transaction
    When the Central System sends SetChargingProfile.req with a charging profile
      | connectorId   | chargingProfilePurpose | transactionId | stackLevel   | duration             | limits |
      | {ConnectorId} | TxProfile              | 1             | {StackLevel} | {ScheduleDuration} s | 0 s: 6 |
    Then the Charge Point responds with SetChargingProfile.conf or CALLERROR
      | status    | Rejected                    |
      | CALLERROR | PropertyConstraintViolation |

  @TC_058_2_CS @OCPP_3_13_1 @OCPP_7_8 @OCPP_7_11
  Scenario: Central Smart Charging - Wrong transactionId
    Given idTag {ValidIdTag} is Accepted
    And a transaction is running with idTag {ValidIdTag}
    When the Central System sends SetChargingProfile.req with a charging profile
      | connectorId   | chargingProfilePurpose | transactionId                                    | stackLevel   | duration             | limits |
      | {ConnectorId} | TxProfile              | other than {StartTransaction.conf.transactionId} | {StackLevel} | {ScheduleDuration} s | 0 s: 6 |
    Then the Charge Point responds with SetChargingProfile.conf
      | status | Rejected |

  @TC_059_CS @OCPP_5_11 @OCPP_5_16_2 @OCPP_5_7 @OCPPE_3_42
  Scenario: Remote Start Transaction with Charging Profile (judging the Charge Point)
    Given idTag {ValidIdTag} is Accepted
    And a transaction is running with idTag {ValidIdTag} and a charging profile
      | chargingProfilePurpose | chargingProfileKind | stackLevel   | limits |
      | TxProfile              | Relative            | {StackLevel} | 0 s: 6 |
    When the Central System sends GetCompositeSchedule.req
      | connectorId      | {ConnectorId}      |
      | duration         | {ScheduleDuration} |
      | chargingRateUnit | {ChargingRateUnit} |
    Then the Charge Point responds with GetCompositeSchedule.conf
      | status                            | Accepted           |
      | connectorId                       | {ConnectorId}      |
      | chargingSchedule.duration         | {ScheduleDuration} |
      | chargingSchedule.chargingRateUnit | {ChargingRateUnit} |
    And the composite schedule begins now
    And the composite schedule is
      | 0 s | 6 |

  @TC_059_CSMS @OCPP_5_11 @OCPP_5_16_2 @OCPP_7_8 @OCPPE_3_41 @OCPP_5_16_4 @OCPP_7_9 @OCPP_7_13 @OCPPE_3_45 @OCPPE_3_70
  Scenario: Remote Start Transaction with Charging Profile (judging the Central System)
    Given idTag {ValidIdTag} is Accepted
    When the Central System sends RemoteStartTransaction.req
      | connectorId                                                            | {ConnectorId}                          |
      | idTag                                                                  | {ValidIdTag}                           |
      | chargingProfile.chargingProfileId                                      | any, such as 1                         |
      | chargingProfile.transactionId                                          | absent                                 |
      | chargingProfile.stackLevel                                             | any, such as {StackLevel}              |
      | chargingProfile.chargingProfilePurpose                                 | TxProfile                              |
      | chargingProfile.chargingProfileKind                                    | one of Relative, Absolute              |
      | chargingProfile.recurrencyKind                                         | absent                                 |
      | chargingProfile.chargingSchedule.duration                              | one of {ScheduleDuration}, any, absent |
      | chargingProfile.chargingSchedule.chargingRateUnit                      | any, such as {ChargingRateUnit}        |
      | chargingProfile.chargingSchedule.chargingSchedulePeriod[0].startPeriod | 0                                      |
      | chargingProfile.chargingSchedule.chargingSchedulePeriod[0].limit       | any, such as {ChargingLimit}           |
    # 7.8 forbids validFrom and validTo with a TxProfile, errata 3.65 and 3.66 allow them; the test case wants them.
    Then if its chargingProfileKind is Absolute, the charging profile has
      | validFrom                      | any, tolerated absent |
      | validTo                        | any, tolerated absent |
      | chargingSchedule.startSchedule | any                   |
      | chargingSchedule.duration      | any                   |
    And if its chargingProfileKind is Relative, the charging profile has
      | chargingSchedule.startSchedule | absent |
    And the Charge Point responds with RemoteStartTransaction.conf
      | status | Accepted |
    And the Charge Point sends Authorize.req
      | idTag | {RemoteStartTransaction.req.idTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Accepted |
    And the Charge Point sends StatusNotification.req
      | connectorId | {RemoteStartTransaction.req.connectorId} |
      | status      | Preparing                                |
    And the Central System responds with StatusNotification.conf
    When the EV driver plugs in the cable
    Then the Charge Point sends StartTransaction.req
      | connectorId | {RemoteStartTransaction.req.connectorId} |
      | idTag       | {RemoteStartTransaction.req.idTag}       |
    And the Central System responds with StartTransaction.conf
      | transactionId    | any      |
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf

  @TC_060_CS @OCPP_5_11 @OCPP_5_16_2
  Scenario: Remote Start Transaction with Charging Profile - Rejected
    Given idTag {ValidIdTag} is Accepted
    When the Central System sends RemoteStartTransaction.req with a charging profile
      | connectorId   | idTag        | chargingProfilePurpose | stackLevel   | duration             | limits |
      | {ConnectorId} | {ValidIdTag} | TxDefaultProfile       | {StackLevel} | {ScheduleDuration} s | 0 s: 6 |
    Then the Charge Point responds with RemoteStartTransaction.conf or CALLERROR
      | status    | Rejected                    |
      | CALLERROR | PropertyConstraintViolation |

  @TC_082_CS @OCPP_3_13_1 @OCPPE_3_8 @OCPP_5_7
  Scenario: Central Smart Charging - TxDefaultProfile - with ongoing transaction
    Given idTag {ValidIdTag} is Accepted
    And a transaction is running with idTag {ValidIdTag}
    When the Central System sends SetChargingProfile.req with a charging profile
      | connectorId   | chargingProfilePurpose | stackLevel   | duration             | limits |
      | {ConnectorId} | TxDefaultProfile       | {StackLevel} | {ScheduleDuration} s | 0 s: 6 |
    Then the Charge Point responds with SetChargingProfile.conf
      | status | Accepted |
    When the Central System sends GetCompositeSchedule.req
      | connectorId      | {ConnectorId}      |
      | duration         | {ScheduleDuration} |
      | chargingRateUnit | {ChargingRateUnit} |
    Then the Charge Point responds with GetCompositeSchedule.conf
      | status                            | Accepted           |
      | connectorId                       | {ConnectorId}      |
      | chargingSchedule.duration         | {ScheduleDuration} |
      | chargingSchedule.chargingRateUnit | {ChargingRateUnit} |
    And the composite schedule begins now
    And the composite schedule is
      | 0 s                  | 6   |
      | {ScheduleDuration} s | any |
