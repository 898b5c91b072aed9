Feature: Without a Local Authorization List
  A Charge Point that has no Local Authorization List says so.

  Background:
    Given the Charge Point is booted

  # OCPP-J 4.2.3 has NotImplemented for an action that is not known, which the test case document does not list.
  @TC_042_1_CS @without_local_auth_list @OCPP_5_10 @OCPPJ_4_2_3
  Scenario: Get Local List Version (not supported)
    Given the Local Authorization List is disabled
    When the Central System sends GetLocalListVersion.req
    Then the Charge Point responds with GetLocalListVersion.conf or CALLERROR
      | listVersion | -1                                     |
      | CALLERROR   | NotSupported, tolerated NotImplemented |

  @TC_043_1_CS @without_local_auth_list @OCPP_5_15 @OCPP_7_47 @OCPPJ_4_2_3
  Scenario: Send Local Authorization List - NotSupported
    When the Central System sends SendLocalList.req
      | listVersion                                | 1            |
      | updateType                                 | Full         |
      | localAuthorizationList[0].idTag            | {ValidIdTag} |
      | localAuthorizationList[0].idTagInfo.status | Accepted     |
    Then the Charge Point responds with SendLocalList.conf or CALLERROR
      | status    | NotSupported                           |
      | CALLERROR | NotSupported, tolerated NotImplemented |
