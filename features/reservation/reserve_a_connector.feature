Feature: Reserve a connector
  A reserved connector waits for one idTag, or for its group.

  Background:
    Given the Charge Point is booted
    And idTag {ValidIdTag} is Accepted

  # 5.13 lets the Charge Point ask about an idTag that it is going to refuse; the test case document since 2025-06 does
  # not. The reserved idTag may have been asked about when it was reserved (5.13), so that it need not be now.
  @TC_046_1_CS @needs_local_authorization @OCPP_5_13 @OCPP_4_8 @OCPP_4_9 @OCPP_3_11
  Scenario: Reservation of a Connector - Local start transaction
    Given every other connector is Unavailable
    And idTag {ValidIdTag2} is Accepted
    When the Central System sends ReserveNow.req
      | connectorId | {ConnectorId}                   |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Reserved      |
    And the Central System responds with StatusNotification.conf

    When the EV driver presents idTag {ValidIdTag2}
    Then the Charge Point refuses idTag {ValidIdTag2}

    When the EV driver presents idTag {ValidIdTag}
    Then the Charge Point may have idTag {ValidIdTag} authorized
    And the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Preparing     |
    And the Central System responds with StatusNotification.conf

    When the EV driver plugs in the cable
    Then the Charge Point sends StartTransaction.req
      | connectorId   | {ConnectorId}                  |
      | idTag         | {ValidIdTag}                   |
      | reservationId | {ReserveNow.req.reservationId} |
    And the Central System responds with StartTransaction.conf
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf

  @TC_046_2_CS @OCPP_5_13 @OCPP_5_11 @OCPP_4_8
  Scenario: Reservation of a Connector - Remote start transaction
    When the Central System sends ReserveNow.req
      | connectorId | {ConnectorId}                   |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Reserved      |
    And the Central System responds with StatusNotification.conf
    Given a transaction is running with idTag {ValidIdTag}
    Then the latest StartTransaction.req has
      | idTag         | {ValidIdTag}                   |
      | reservationId | {ReserveNow.req.reservationId} |

  @TC_046_CSMS @OCPP_5_13
  Scenario: Reservation of a Connector - Transaction
    When the Central System sends ReserveNow.req
      | connectorId | {ConnectorId}                   |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | status | Reserved |
    And the Central System responds with StatusNotification.conf
    Given a transaction is running with idTag {ValidIdTag}
    Then the latest StartTransaction.req has
      | reservationId | {ReserveNow.req.reservationId} |

  @TC_047_CS @OCPP_5_13 @OCPP_4_9 @OCPP_3_11
  Scenario: Reservation of a Connector - Expire (judging the Charge Point)
    Given every other connector is Unavailable
    And idTag {ValidIdTag2} is Accepted
    When the Central System sends ReserveNow.req that expires after {ReservationDuration} seconds
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    Then the Charge Point responds with ReserveNow.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Reserved      |
    And the Central System responds with StatusNotification.conf
    And connector {ConnectorId} is Available when the reservation expires
    And the Central System responds with StatusNotification.conf
    Given a transaction is running with idTag {ValidIdTag2}
    Then the latest StartTransaction.req has
      | reservationId | absent |

  @TC_047_CSMS @OCPP_5_13
  Scenario: Reservation of a Connector - Expire (judging the Central System)
    When the Central System sends ReserveNow.req that expires after {ReservationDuration} seconds
      | connectorId | {ConnectorId} |
      | idTag       | {ValidIdTag}  |
    Then the Charge Point responds with ReserveNow.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | status | Reserved |
    And the Central System responds with StatusNotification.conf
    And connector {ConnectorId} is Available when the reservation expires
    And the Central System responds with StatusNotification.conf

  @TC_048_1_CS @OCPP_5_13 @OCPP_7_40
  Scenario: Reservation of a Connector - Faulted (judging the Charge Point)
    Given connector {ConnectorId} is Faulted
    When the Central System sends ReserveNow.req
      | connectorId | {ConnectorId}                   |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Faulted |

  # The test case document has no fault reported before.
  @TC_048_1_CSMS @OCPP_5_13
  Scenario: Reservation of a Connector - Faulted (judging the Central System)
    Given the Charge Point will respond with ReserveNow.conf
      | status | Faulted |
    When the Central System sends ReserveNow.req
      | connectorId | {ConnectorId}                   |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Faulted |

  @TC_048_2_CS @TC_048_2_CSMS @OCPP_5_13 @OCPP_7_40
  Scenario: Reservation of a Connector - Occupied
    When the EV driver plugs in the cable
    Then the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Preparing     |
    And the Central System responds with StatusNotification.conf
    When the Central System sends ReserveNow.req
      | connectorId | {ConnectorId}                   |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Occupied |

  @TC_048_3_CS @TC_048_3_CSMS @OCPP_5_13 @OCPP_7_40 @OCPP_5_2
  Scenario: Reservation of a Connector - Unavailable
    When the Central System sends ChangeAvailability.req
      | connectorId | {ConnectorId} |
      | type        | Inoperative   |
    Then the Charge Point responds with ChangeAvailability.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Unavailable   |
    And the Central System responds with StatusNotification.conf
    When the Central System sends ReserveNow.req
      | connectorId | {ConnectorId}                   |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Unavailable |

  # OCPP-J, table 7, has CALLERRORs for an action that is not known or not supported; the test case wants Rejected.
  @TC_048_4_CS @without_reservation @OCPP_5_13 @OCPPJ_4_2_3
  Scenario: Reservation of a Connector - Rejected (judging the Charge Point)
    When the Central System sends ReserveNow.req
      | connectorId | {ConnectorId}                   |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf or CALLERROR
      | status    | Rejected                                              |
      | CALLERROR | absent, tolerated one of NotSupported, NotImplemented |

  @TC_048_4_CSMS @OCPP_5_13
  Scenario: Reservation of a Connector - Rejected (judging the Central System)
    Given the Charge Point will respond with ReserveNow.conf
      | status | Rejected |
    When the Central System sends ReserveNow.req
      | connectorId | {ConnectorId}                   |
      | idTag       | {ValidIdTag}                    |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Rejected |

  @TC_053_1_CS @needs_local_authorization @OCPP_5_13 @OCPP_3_10 @OCPP_3_11
  Scenario: Use a reserved Connector with parentIdTag - Local
    Given every other connector is Unavailable
    And idTag {ValidIdTag2} is Accepted in the group {ParentIdTag}
    When the Central System sends ReserveNow.req
      | connectorId | {ConnectorId}                   |
      | idTag       | {ValidIdTag}                    |
      | parentIdTag | {ParentIdTag}                   |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Reserved      |
    And the Central System responds with StatusNotification.conf
    Given idTag {ValidIdTag2} is authorized
    When the EV driver plugs in the cable
    Then the Charge Point sends StartTransaction.req
      | idTag         | {ValidIdTag2}                  |
      | reservationId | {ReserveNow.req.reservationId} |
    And the Central System responds with StartTransaction.conf
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf

  # 5.13 has the Charge Point ask for the group of an idTag that it does not know, also where AuthorizeRemoteTxRequests
  # is false.
  @TC_053_2_CS @without_local_authorization @OCPP_5_13 @OCPP_5_11 @OCPP_3_10 @OCPP_3_11
  Scenario: Use a reserved Connector with parentIdTag - Remote
    Given every other connector is Unavailable
    And idTag {ValidIdTag2} is Accepted in the group {ParentIdTag}
    When the Central System sends ReserveNow.req
      | connectorId | {ConnectorId}                   |
      | idTag       | {ValidIdTag}                    |
      | parentIdTag | {ParentIdTag}                   |
      | expiryDate  | after now, such as now + 1 hour |
    Then the Charge Point responds with ReserveNow.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | connectorId | {ConnectorId} |
      | status      | Reserved      |
    And the Central System responds with StatusNotification.conf
    Given a transaction is running with idTag {ValidIdTag2}
    Then the latest StartTransaction.req has
      | reservationId | {ReserveNow.req.reservationId} |

  # Errata 4.12: Authorize.conf may hold the parentIdTag. Editions of the test case document before 2025-06 wanted it.
  @TC_053_CSMS @OCPP_5_13 @OCPP_4_1 @OCPP_4_8 @OCPPE_4_12 @OCPP_3_11
  Scenario: Use a reserved Connector with parentIdTag
    When the Central System sends ReserveNow.req
      | connectorId | at most {NumberOfConnectors}     |
      | connectorId | one of {ConnectorId}, at least 1 |
      | idTag       | any, such as {ValidIdTag}        |
      | parentIdTag | any, such as {ParentIdTag}       |
      | expiryDate  | after now, such as now + 1 hour  |
    Then the Charge Point responds with ReserveNow.conf
      | status | Accepted |
    And the Charge Point sends StatusNotification.req
      | connectorId | {ReserveNow.req.connectorId} |
      | status      | Reserved                     |
    And the Central System responds with StatusNotification.conf
    Given the Charge Point knows idTag {ValidIdTag2} as one of the reserved group
    And idTag {ValidIdTag2} is Accepted in the group {ParentIdTag}
    When the EV driver presents idTag {ValidIdTag2}
    Then the Charge Point sends Authorize.req
      | idTag | {ValidIdTag2} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Accepted |
    And the Charge Point sends StatusNotification.req
      | status | Preparing |
    And the Central System responds with StatusNotification.conf
    When the EV driver plugs in the cable
    Then the Charge Point sends StartTransaction.req
      | idTag | {ValidIdTag2} |
    And the Central System responds with StartTransaction.conf
      | transactionId    | any      |
      | idTagInfo.status | Accepted |
    And connector {ConnectorId} is Charging
    And the Central System responds with StatusNotification.conf
