Feature: Reserve the Charge Point
  One connector, whichever it is, stays free for one idTag.

  Background:
    Given the Charge Point is booted
    And idTag {ValidIdTag} is Accepted

  # The test case document does not say which connector is reported Reserved, and 5.13 reserves none in particular.
  @TC_049_CS @needs_reserve_connector_zero @OCPP_5_13 @OCPP_7_7 @OCPP_4_8 @OCPP_3_8 @OCPP_3_11 @OCPP_6_37 @OCPP_9_3_1
  Scenario: Reservation of a Charge Point - Transaction (judging the Charge Point)
    Given the configuration
      | ReserveConnectorZeroSupported | true |
    And every other connector is Unavailable
    When the Central System sends ReserveNow.req
      | connectorId | 0                               |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Accepted |
    And a connector above 0 is reported Reserved, or none
    Given a transaction is running with idTag {ValidIdTag}
    Then the latest StartTransaction.req has
      | idTag         | {ValidIdTag}                   |
      | reservationId | {ReserveNow.req.reservationId} |

  # The name and the description speak of a transaction; the scenario of the document ends with the reservation.
  @TC_049_CSMS @OCPP_5_13 @OCPP_3_8 @OCPP_6_37
  Scenario: Reservation of a Charge Point - Transaction (judging the Central System)
    Given every other connector is Unavailable
    When the Central System sends ReserveNow.req
      | connectorId | 0                               |
      | idTag       | any, such as {ValidIdTag}       |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Accepted |
    And a connector above 0 is reported Reserved, or none

  @TC_050_1_CS @needs_reserve_connector_zero @OCPP_5_13 @OCPP_7_40 @OCPP_9_3_1
  Scenario: Reservation of a Charge Point - Faulted
    Given the configuration
      | ReserveConnectorZeroSupported | true |
    And connector 0 is Faulted
    When the Central System sends ReserveNow.req
      | connectorId | 0                               |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Faulted |

  @TC_050_2_CS @needs_reserve_connector_zero @OCPP_5_13 @OCPP_7_40
  Scenario: Reservation of a Charge Point - Occupied
    Given the configuration
      | ReserveConnectorZeroSupported | true |
    And every connector is occupied
    When the Central System sends ReserveNow.req
      | connectorId | 0                               |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Occupied |

  @TC_050_3_CS @needs_reserve_connector_zero @OCPP_5_13 @OCPP_7_40 @OCPP_5_2
  Scenario: Reservation of a Charge Point - Unavailable
    Given the configuration
      | ReserveConnectorZeroSupported | true |
    When the Central System sends ChangeAvailability.req
      | connectorId | 0           |
      | type        | Inoperative |
    Then the Charge Point responds with ChangeAvailability.conf
      | status | Accepted |
    And connector 0 and every connector are reported Unavailable
    When the Central System sends ReserveNow.req
      | connectorId | 0                               |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Unavailable |

  # OCPP-J, table 7, has CALLERRORs for an action that is not known or not supported; the test case wants Rejected.
  @TC_050_4_CS @without_reservation @OCPP_5_13 @OCPPJ_4_2_3
  Scenario: Reservation of a Charge Point - Rejected
    When the Central System sends ReserveNow.req
      | connectorId | 0                               |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf or CALLERROR
      | status    | Rejected                                              |
      | CALLERROR | absent, tolerated one of NotSupported, NotImplemented |
