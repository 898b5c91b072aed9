Feature: Send local list
  The Central System replaces or changes the Local Authorization List of a Charge Point.

  Background:
    Given the Charge Point is booted

  # The second update changes the entry of the first: a list need not be longer than that (9.2.2).
  @TC_043_CS @OCPP_5_15 @OCPP_7_47 @OCPP_3_5_2 @OCPP_7_48
  Scenario: Send Local Authorization List
    Given the configuration
      | LocalAuthListEnabled | true |
    When the Central System sends SendLocalList.req
      | listVersion                                | 1            |
      | updateType                                 | Full         |
      | localAuthorizationList[0].idTag            | {ValidIdTag} |
      | localAuthorizationList[0].idTagInfo.status | Accepted     |
    Then the Charge Point responds with SendLocalList.conf
      | status | Accepted |
    When the Central System sends SendLocalList.req
      | listVersion                                     | 2             |
      | updateType                                      | Differential  |
      | localAuthorizationList[0].idTag                 | {ValidIdTag}  |
      | localAuthorizationList[0].idTagInfo.status      | Accepted      |
      | localAuthorizationList[0].idTagInfo.parentIdTag | {ParentIdTag} |
    Then the Charge Point responds with SendLocalList.conf
      | status | Accepted |

  @TC_043_1_CSMS @OCPP_5_15
  Scenario: Send Local Authorization List - NotSupported
    Given the Local Authorization List is disabled
    When the Central System sends SendLocalList.req
      | listVersion | any, such as 1 |
      | updateType  | Full           |
    Then the Charge Point responds with SendLocalList.conf
      | status | NotSupported |

  # 6.41: an update without entries changes nothing, so each has one; the list need not be longer than that (9.2.2).
  @TC_043_2_CS @OCPP_5_10 @OCPP_5_15 @OCPP_7_47 @OCPP_3_5_2
  Scenario: Send Local Authorization List - VersionMismatch
    Given the configuration
      | LocalAuthListEnabled | true |
    When the Central System sends SendLocalList.req
      | listVersion                                | 2            |
      | updateType                                 | Full         |
      | localAuthorizationList[0].idTag            | {ValidIdTag} |
      | localAuthorizationList[0].idTagInfo.status | Accepted     |
    Then the Charge Point responds with SendLocalList.conf
      | status | Accepted |
    When the Central System sends GetLocalListVersion.req
    Then the Charge Point responds with GetLocalListVersion.conf
      | listVersion | 2 |
    When the Central System sends SendLocalList.req
      | listVersion                                     | 5             |
      | updateType                                      | Differential  |
      | localAuthorizationList[0].idTag                 | {ValidIdTag}  |
      | localAuthorizationList[0].idTagInfo.status      | Accepted      |
      | localAuthorizationList[0].idTagInfo.parentIdTag | {ParentIdTag} |
    Then the Charge Point responds with SendLocalList.conf
      | status | Accepted |
    When the Central System sends GetLocalListVersion.req
    Then the Charge Point responds with GetLocalListVersion.conf
      | listVersion | 5 |
    When the Central System sends SendLocalList.req
      | listVersion                                | 4            |
      | updateType                                 | Differential |
      | localAuthorizationList[0].idTag            | {ValidIdTag} |
      | localAuthorizationList[0].idTagInfo.status | Accepted     |
    Then the Charge Point responds with SendLocalList.conf
      | status | VersionMismatch |
    When the Central System sends GetLocalListVersion.req
    Then the Charge Point responds with GetLocalListVersion.conf
      | listVersion | 5 |

  @TC_043_3_CS @needs_list_failure @OCPP_5_15 @OCPP_7_47
  Scenario: Send Local Authorization List - Failed (judging the Charge Point)
    Given the configuration
      | LocalAuthListEnabled | true |
    And the Charge Point cannot store a Local Authorization List
    When the Central System sends SendLocalList.req
      | listVersion                                | 2            |
      | updateType                                 | Full         |
      | localAuthorizationList[0].idTag            | {ValidIdTag} |
      | localAuthorizationList[0].idTagInfo.status | Accepted     |
    Then the Charge Point responds with SendLocalList.conf
      | status | Failed |

  @TC_043_3_CSMS @OCPP_5_15
  Scenario: Send Local Authorization List - Failed (judging the Central System)
    Given the Charge Point cannot store a Local Authorization List
    When the Central System sends SendLocalList.req
      | listVersion | any, such as 1 |
      | updateType  | Full           |
    Then the Charge Point responds with SendLocalList.conf
      | status | Failed |

  @TC_043_4_CSMS @OCPP_5_15 @OCPP_7_1 @OCPP_3_5_2 @OCPP_7_48
  Scenario: Send Local Authorization List - Full
    Given idTag {ValidIdTag} is Accepted
    When the Central System sends SendLocalList.req with idTagInfo in every entry
      | listVersion                                | any, such as 1            |
      | updateType                                 | Full                      |
      | localAuthorizationList[0].idTag            | any, such as {ValidIdTag} |
      | localAuthorizationList[0].idTagInfo.status | any, such as Accepted     |
    Then the Charge Point responds with SendLocalList.conf
      | status | Accepted |

  @TC_043_5_CSMS @OCPP_5_15 @OCPP_7_1 @OCPP_7_47 @OCPP_3_5_2 @OCPP_7_48
  Scenario: Send Local Authorization List - Differential
    Given idTag {ValidIdTag} is Accepted
    And idTag {ValidIdTag2} is Accepted
    When the Central System sends SendLocalList.req with idTagInfo in every entry
      | listVersion                                | any, such as 1            |
      | updateType                                 | Full                      |
      | localAuthorizationList[0].idTag            | any, such as {ValidIdTag} |
      | localAuthorizationList[0].idTagInfo.status | any, such as Accepted     |
    Then the Charge Point responds with SendLocalList.conf
      | status | Accepted |
    And idTag {ValidIdTag2} is not on the Local Authorization List yet
    When the Central System sends SendLocalList.req
      | listVersion                                | any, such as 2        |
      | updateType                                 | Differential          |
      | localAuthorizationList[0].idTag            | {ValidIdTag2}         |
      | localAuthorizationList[0].idTagInfo.status | any, such as Accepted |
      | localAuthorizationList[1]                  | absent                |
    Then its listVersion is greater than that of the SendLocalList.req before
    And the Charge Point responds with SendLocalList.conf
      | status | Accepted |
    And the Central System may have sent GetLocalListVersion.req
