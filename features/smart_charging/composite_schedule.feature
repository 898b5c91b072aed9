Feature: Composite schedule
  Of the profiles with one purpose the one with the highest stackLevel prevails while it is in force; of what prevails
  for each purpose the lowest limit holds.

  Background:
    Given the Charge Point is booted

  # After 260 s the TxProfile has ended. By 3.13.1 it overrules the TxDefaultProfile for the whole transaction, and the
  # test case sees it so; errata 3.43 falls back to another profile, and a device may take that for the default one.
  @TC_066_CS
  @OCPP_5_7 @OCPP_3_13_3 @OCPPE_3_43 @OCPP_3_13 @OCPP_3_13_1 @OCPP_5_16_3 @OCPP_6_22 @OCPP_7_14 @OCPPE_3_28 @OCPPE_3_29
  @OCPPE_3_57 @OCPPE_3_65 @OCPPE_3_66
  Scenario: Get Composite Schedule (judging the Charge Point)
    Given idTag {ValidIdTag} is Accepted
    And the Charge Point takes 3 charging profiles of 5 periods
    And a transaction is running with idTag {ValidIdTag}
    And these charging profiles
      | connectorId   | chargingProfilePurpose | stackLevel | duration | valid | limits                                           |
      | 0             | ChargePointMaxProfile  | 0          | 86400 s  |       | 0 s: 10                                          |
      | {ConnectorId} | TxDefaultProfile       | 0          | 300 s    | 401 s | 0 s: 6, 60 s: 10, 120 s: 8, 180 s: 15, 260 s: 8  |
      | {ConnectorId} | TxProfile              | 0          | 260 s    | 401 s | 0 s: 8, 50 s: 11, 140 s: 16, 200 s: 6, 240 s: 12 |
    When the Central System sends GetCompositeSchedule.req
      | connectorId      | {ConnectorId}      |
      | duration         | 400                |
      | chargingRateUnit | {ChargingRateUnit} |
    Then the Charge Point responds with GetCompositeSchedule.conf
      | status                            | Accepted           |
      | connectorId                       | {ConnectorId}      |
      | chargingSchedule.duration         | 400                |
      | chargingSchedule.chargingRateUnit | {ChargingRateUnit} |
    And the composite schedule begins now
    And the composite schedule is
      | 0 s   | 8               |
      | 50 s  | 10              |
      | 200 s | 6               |
      | 240 s | 10              |
      | 260 s | 10, tolerated 8 |
      | 300 s | 10              |

  @TC_066_CSMS @OCPP_5_7
  Scenario: Get Composite Schedule (judging the Central System)
    When the Central System sends GetCompositeSchedule.req
      | connectorId      | {ConnectorId}      |
      | duration         | {ScheduleDuration} |
      | chargingRateUnit | {ChargingRateUnit} |
    Then the Charge Point responds with GetCompositeSchedule.conf
      | status | Accepted |

  @TC_067_CS @OCPP_5_5 @OCPPE_3_25 @OCPP_5_7 @OCPP_6_13 @OCPP_7_21
  Scenario: Clear Charging Profile (judging the Charge Point)
    Given these charging profiles
      | connectorId   | chargingProfilePurpose | stackLevel | duration | valid | limits                     |
      | {ConnectorId} | TxDefaultProfile       | 1          | 400 s    |       | 0 s: 6, 60 s: 8, 200 s: 10 |
      | {ConnectorId} | TxDefaultProfile       | 0          | 400 s    | 401 s | 0 s: 7, 100 s: 9           |
      | 0             | ChargePointMaxProfile  | 0          | 86400 s  | 401 s | 0 s: 11, 200 s: 12         |
    When the Central System sends ClearChargingProfile.req for the first charging profile
      | connectorId            | absent |
      | chargingProfilePurpose | absent |
      | stackLevel             | absent |
    Then the Charge Point responds with ClearChargingProfile.conf
      | status | Accepted |
    When the Central System sends GetCompositeSchedule.req
      | connectorId      | {ConnectorId}      |
      | duration         | 350                |
      | chargingRateUnit | {ChargingRateUnit} |
    Then the Charge Point responds with GetCompositeSchedule.conf
      | status                            | Accepted           |
      | connectorId                       | {ConnectorId}      |
      | chargingSchedule.duration         | 350                |
      | chargingSchedule.chargingRateUnit | {ChargingRateUnit} |
    And the composite schedule begins now
    And the composite schedule is
      | 0 s   | 7   |
      | 100 s | 9   |
      | 400 s | any |
    When the Central System sends ClearChargingProfile.req
      | id                     | absent           |
      | connectorId            | absent           |
      | chargingProfilePurpose | TxDefaultProfile |
      | stackLevel             | 0                |
    Then the Charge Point responds with ClearChargingProfile.conf
      | status | Accepted |
    When the Central System sends GetCompositeSchedule.req
      | connectorId      | {ConnectorId}      |
      | duration         | 350                |
      | chargingRateUnit | {ChargingRateUnit} |
    Then the Charge Point responds with GetCompositeSchedule.conf
      | status                            | Accepted           |
      | connectorId                       | {ConnectorId}      |
      | chargingSchedule.duration         | 350                |
      | chargingSchedule.chargingRateUnit | {ChargingRateUnit} |
    And the composite schedule begins now
    And the composite schedule is
      | 0 s   | 11  |
      | 200 s | 12  |
      | 401 s | any |
    When the Central System sends ClearChargingProfile.req
      | id                     | absent |
      | connectorId            | absent |
      | chargingProfilePurpose | absent |
      | stackLevel             | absent |
    Then the Charge Point responds with ClearChargingProfile.conf
      | status | Accepted |
    When the Central System sends GetCompositeSchedule.req
      | connectorId      | {ConnectorId}      |
      | duration         | 350                |
      | chargingRateUnit | {ChargingRateUnit} |
    Then the Charge Point responds with GetCompositeSchedule.conf
      | status                            | Accepted           |
      | connectorId                       | {ConnectorId}      |
      | chargingSchedule.duration         | 350                |
      | chargingSchedule.chargingRateUnit | {ChargingRateUnit} |
    And the composite schedule begins now
    And the composite schedule is
      | 0 s | {LocalLimit} |

  @TC_067_CSMS @OCPP_5_5 @OCPPE_3_25 @OCPP_5_16 @OCPP_3_13_1 @OCPP_6_13 @OCPP_7_8
  Scenario: Clear Charging Profile (judging the Central System)
    Given idTag {ValidIdTag} is Accepted
    And a transaction is running with idTag {ValidIdTag}
    When the Central System sends SetChargingProfile.req
      | connectorId                                                               | 0                               |
      | csChargingProfiles.chargingProfileId                                      | any, such as 1                  |
      | csChargingProfiles.transactionId                                          | absent                          |
      | csChargingProfiles.stackLevel                                             | {StackLevel}                    |
      | csChargingProfiles.chargingProfilePurpose                                 | ChargePointMaxProfile           |
      | csChargingProfiles.chargingProfileKind                                    | any, such as Absolute           |
      | csChargingProfiles.chargingSchedule.startSchedule                         | one of now, any, absent         |
      | csChargingProfiles.chargingSchedule.chargingRateUnit                      | any, such as {ChargingRateUnit} |
      | csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].startPeriod | 0                               |
      | csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit       | any, such as {ChargingLimit}    |
    Then the Charge Point responds with SetChargingProfile.conf
      | status | Accepted |
    When the Central System sends SetChargingProfile.req
      | connectorId                                                               | {ConnectorId}                   |
      | csChargingProfiles.chargingProfileId                                      | any, such as 2                  |
      | csChargingProfiles.transactionId                                          | absent                          |
      | csChargingProfiles.stackLevel                                             | {StackLevel}                    |
      | csChargingProfiles.chargingProfilePurpose                                 | TxDefaultProfile                |
      | csChargingProfiles.chargingProfileKind                                    | any, such as Absolute           |
      | csChargingProfiles.chargingSchedule.startSchedule                         | one of now, any, absent         |
      | csChargingProfiles.chargingSchedule.chargingRateUnit                      | any, such as {ChargingRateUnit} |
      | csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].startPeriod | 0                               |
      | csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit       | any, such as {ChargingLimit}    |
    Then the Charge Point responds with SetChargingProfile.conf
      | status | Accepted |
    When the Central System sends SetChargingProfile.req
      | connectorId                                                               | {ConnectorId}                         |
      | csChargingProfiles.chargingProfileId                                      | any, such as 3                        |
      | csChargingProfiles.transactionId                                          | {StartTransaction.conf.transactionId} |
      | csChargingProfiles.stackLevel                                             | {StackLevel}                          |
      | csChargingProfiles.chargingProfilePurpose                                 | TxProfile                             |
      | csChargingProfiles.chargingProfileKind                                    | any, such as Relative                 |
      | csChargingProfiles.chargingSchedule.chargingRateUnit                      | any, such as {ChargingRateUnit}       |
      | csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].startPeriod | 0                                     |
      | csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit       | any, such as {ChargingLimit}          |
    Then no two charging profiles have the same chargingProfileId
    And the Charge Point responds with SetChargingProfile.conf
      | status | Accepted |
    When the Central System sends ClearChargingProfile.req for the first charging profile
      | connectorId            | absent |
      | chargingProfilePurpose | absent |
      | stackLevel             | absent |
    Then the Charge Point responds with ClearChargingProfile.conf
      | status | Accepted |
    When the Central System sends ClearChargingProfile.req
      | id                     | absent           |
      | connectorId            | {ConnectorId}    |
      | chargingProfilePurpose | TxDefaultProfile |
      | stackLevel             | {StackLevel}     |
    Then the Charge Point responds with ClearChargingProfile.conf
      | status | Accepted |
    When the Central System sends ClearChargingProfile.req
      | id                     | absent |
      | connectorId            | absent |
      | chargingProfilePurpose | absent |
      | stackLevel             | absent |
    Then the Charge Point responds with ClearChargingProfile.conf
      | status | Accepted |

  @TC_072_CS @OCPP_3_13_2 @OCPP_5_7 @OCPP_5_16_4 @OCPP_6_22 @OCPP_7_14 @OCPPE_3_28 @OCPPE_3_29 @OCPPE_3_57
  Scenario: Stacking Charging Profiles
    Given these charging profiles
      | connectorId   | chargingProfilePurpose | stackLevel | duration | valid | limits                      |
      | {ConnectorId} | TxDefaultProfile       | 0          | 400 s    | 401 s | 0 s: 6, 100 s: 8, 200 s: 10 |
      | {ConnectorId} | TxDefaultProfile       | 1          | 150 s    | 401 s | 0 s: 7, 100 s: 9            |
    When the Central System sends GetCompositeSchedule.req
      | connectorId      | {ConnectorId}      |
      | duration         | 350                |
      | chargingRateUnit | {ChargingRateUnit} |
    Then the Charge Point responds with GetCompositeSchedule.conf
      | status                            | Accepted           |
      | connectorId                       | {ConnectorId}      |
      | chargingSchedule.duration         | 350                |
      | chargingSchedule.chargingRateUnit | {ChargingRateUnit} |
    And the composite schedule begins now
    And the composite schedule is
      | 0 s   | 7   |
      | 100 s | 9   |
      | 150 s | 8   |
      | 200 s | 10  |
      | 400 s | any |
