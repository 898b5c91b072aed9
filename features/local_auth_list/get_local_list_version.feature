Feature: Get local list version
  A Charge Point tells which Local Authorization List it has.

  Background:
    Given the Charge Point is booted

  # 5.10 has -1 for who does not support lists, and says nothing of one that is disabled: it has its version still.
  # OCPP-J 4.2.3 has NotImplemented for an action that is not known. The test case document lists neither.
  @TC_042_1_CS @OCPP_5_10 @OCPP_9_2_1 @OCPPJ_4_2_3
  Scenario: Get Local List Version (not supported) (judging the Charge Point)
    Given the Local Authorization List is disabled
    When the Central System sends GetLocalListVersion.req
    Then the Charge Point responds with GetLocalListVersion.conf or CALLERROR
      | listVersion | -1, tolerated at least 0               |
      | CALLERROR   | NotSupported, tolerated NotImplemented |

  @TC_042_1_CSMS @OCPP_5_10
  Scenario: Get Local List Version (not supported) (judging the Central System)
    Given the Local Authorization List is disabled
    When the Central System sends GetLocalListVersion.req
    Then the Charge Point responds with GetLocalListVersion.conf
      | listVersion | -1 |

  # An update without entries empties the list, and an empty list has version 0 whatever it was sent with.
  @TC_042_2_CS @OCPP_5_10 @OCPP_6_41
  Scenario: Get Local List Version (empty) (judging the Charge Point)
    Given the configuration
      | LocalAuthListEnabled | true |
    When the Central System sends SendLocalList.req
      | listVersion            | 1      |
      | localAuthorizationList | absent |
      | updateType             | Full   |
    Then the Charge Point responds with SendLocalList.conf
      | status | Accepted |
    When the Central System sends GetLocalListVersion.req
    Then the Charge Point responds with GetLocalListVersion.conf
      | listVersion | 0 |

  @TC_042_2_CSMS @OCPP_5_10
  Scenario: Get Local List Version (empty) (judging the Central System)
    Given the Local Authorization List is empty
    When the Central System sends GetLocalListVersion.req
    Then the Charge Point responds with GetLocalListVersion.conf
      | listVersion | 0 |
