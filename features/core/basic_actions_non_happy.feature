Feature: Basic actions, non-happy
  An idTag may not charge, and the Central System says why.

  Background:
    Given the Charge Point is booted

  @TC_023_1_CSMS @OCPP_4_1 @OCPP_7_2
  Scenario: Start Charging Session - Authorize invalid
    Given idTag {InvalidIdTag} is unknown
    When the EV driver presents idTag {InvalidIdTag}
    Then the Charge Point sends Authorize.req
      | idTag | {InvalidIdTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Invalid |

  @TC_023_2_CSMS @OCPP_4_1 @OCPP_7_2
  Scenario: Start Charging Session - Authorize expired
    Given idTag {ExpiredIdTag} is Expired
    When the EV driver presents idTag {ExpiredIdTag}
    Then the Charge Point sends Authorize.req
      | idTag | {ExpiredIdTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Expired |

  @TC_023_3_CSMS @OCPP_4_1 @OCPP_7_2
  Scenario: Start Charging Session - Authorize blocked
    Given idTag {BlockedIdTag} is Blocked
    When the EV driver presents idTag {BlockedIdTag}
    Then the Charge Point sends Authorize.req
      | idTag | {BlockedIdTag} |
    And the Central System responds with Authorize.conf
      | idTagInfo.status | Blocked |
