Feature: Data transfer
  What a vendor has agreed upon with nobody is understood by nobody.

  Background:
    Given the Charge Point is booted

  # 4.3 has UnknownVendorId; the test case document takes any refusal as well, and warns the vendor of what accepts.
  @TC_062_CS @OCPP_5_6 @OCPP_4_3 @OCPP_3_12
  Scenario: Data Transfer to a Charge Point
    When the Central System sends DataTransfer.req
      | vendorId | org.example.nobody |
    Then the Charge Point responds with DataTransfer.conf
      | status | UnknownVendorId, noted one of UnknownMessageId, Rejected, Accepted |

  @TC_064_CSMS @OCPP_4_3 @OCPP_3_12
  Scenario: Data Transfer to a Central System
    When the Charge Point sends DataTransfer.req
      | vendorId | org.example.nobody |
    Then the Central System responds with DataTransfer.conf
      | status | UnknownVendorId, noted one of UnknownMessageId, Rejected, Accepted |
