Feature: Fault behaviour, non-happy
  What has failed charges nobody.

  Background:
    Given the Charge Point is booted
    And idTag {ValidIdTag} is Accepted

  # Any fault will do, also one of the whole Charge Point. The idTag may be asked about: nothing forbids it.
  @TC_041_CS @OCPP_4_9 @OCPP_7_7
  Scenario: Fault Behavior
    When connector {ConnectorId} fails with OtherError
    Then the Charge Point sends StatusNotification.req
      | connectorId | any     |
      | status      | Faulted |
    And the Central System responds with StatusNotification.conf
    When the EV driver tries to start a transaction with idTag {ValidIdTag}
    Then the Charge Point sends no StartTransaction.req for {TransactionDuration} seconds
    And the Charge Point may have sent Authorize.req
      | idTag | {ValidIdTag} |
