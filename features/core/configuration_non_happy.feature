Feature: Configuration keys, non-happy
  A configuration key cannot be set.

  Background:
    Given the Charge Point is booted

  @TC_040_1_CS @OCPP_5_3 @OCPP_7_22 @OCPPJ_4_2_2
  Scenario: Configuration key - NotSupported
    When the Central System sends ChangeConfiguration.req
      | key   | Testing |
      | value | true    |
    Then the Charge Point responds with ChangeConfiguration.conf
      | status | NotSupported |

  # Towards a Central System under test an ordinary request is asked for, and our side refuses it.
  @TC_040_1_CSMS @OCPP_5_3
  Scenario: Configuration keys - NotSupported
    Given the Charge Point will respond with ChangeConfiguration.conf
      | status | NotSupported |
    When the Central System sends ChangeConfiguration.req
      | key   | any, such as Testing |
      | value | any, such as true    |
    Then the Charge Point responds with ChangeConfiguration.conf
      | status | NotSupported |

  # 5.3 has Rejected for what is out of range; the test case takes a CALLERROR as well.
  @TC_040_2_CS @OCPP_5_3 @OCPP_7_22 @OCPPJ_4_2_3
  Scenario: Configuration key - Invalid value
    When the Central System sends ChangeConfiguration.req
      | key   | MeterValueSampleInterval |
      | value | -1                       |
    Then the Charge Point responds with ChangeConfiguration.conf or CALLERROR
      | status    | Rejected                    |
      | CALLERROR | PropertyConstraintViolation |

  # The test case document prescribed the value -1 until 2024-04 and takes any since 2025-11.
  @TC_040_2_CSMS @OCPP_5_3
  Scenario: Configuration keys - Invalid value
    Given the Charge Point will respond with ChangeConfiguration.conf
      | status | Rejected |
    When the Central System sends ChangeConfiguration.req
      | key   | MeterValueSampleInterval |
      | value | any, such as -1          |
    Then the Charge Point responds with ChangeConfiguration.conf
      | status | Rejected |
