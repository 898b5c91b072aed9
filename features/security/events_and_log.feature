Feature: Security events and log
  What a Charge Point notices of its security, and how the Central System hears of it.

  Background:
    Given the Charge Point is booted

  @TC_077_CS @security_profile_3
  @OCPPW_A02 @OCPPW_5_6 @OCPPW_6_2 @OCPPW_6_16 @OCPPW_6_17 @OCPPW_8
  Scenario: Invalid ChargePointCertificate Security Event (judging the Charge Point)
    Given the Charge Point knows the name of the CPO
    And the next certificate that is signed will be invalid
    When the Central System sends ExtendedTriggerMessage.req
      | requestedMessage | SignChargePointCertificate |
      | connectorId      | absent                     |
    Then the Charge Point responds with ExtendedTriggerMessage.conf
      | status | Accepted |
    And the Charge Point sends SignCertificate.req in the time of a long operation
    And its csr can be signed
    And the Central System responds with SignCertificate.conf
      | status | Accepted |
    And the Central System sends CertificateSigned.req in the time of a long operation
    And the Charge Point responds with CertificateSigned.conf
      | status | Rejected |
    And the Charge Point sends SecurityEventNotification.req of type InvalidChargePointCertificate
    And the Central System responds with SecurityEventNotification.conf

  @TC_077_CSMS @security_profile_3
  @OCPPW_A02 @OCPPW_5_1 @OCPPW_5_5
  Scenario: Invalid ChargePointCertificate Security Event (judging the Central System)
    Given the Charge Point will reject the next signed certificate
    When the Central System sends ExtendedTriggerMessage.req
      | requestedMessage | SignChargePointCertificate |
      | connectorId      | absent                     |
    Then the Charge Point responds with ExtendedTriggerMessage.conf
      | status | Accepted |
    And the Charge Point sends SignCertificate.req in the time of a long operation
    And its csr can be signed
    And the Central System responds with SignCertificate.conf
      | status | Accepted |
    And the Central System sends CertificateSigned.req in the time of a long operation
    And its certificateChain is a certificate for the csr
    And the Charge Point responds with CertificateSigned.conf
      | status | Rejected |
    And the Charge Point sends SecurityEventNotification.req of type InvalidChargePointCertificate
    And the Central System responds with SecurityEventNotification.conf

  @TC_078_CS @security_profile_2 @security_profile_3
  @OCPPW_M05 @OCPPW_6_3 @OCPPW_8
  Scenario: Invalid CentralSystemCertificate Security Event (judging the Charge Point)
    When the Central System sends InstallCertificate.req
      | certificateType | CentralSystemRootCertificate          |
      | certificate     | {ExpiredCentralSystemRootCertificate} |
    Then the Charge Point responds with InstallCertificate.conf
      | status | Rejected |
    And the Charge Point sends SecurityEventNotification.req of type InvalidCentralSystemCertificate
    And the Central System responds with SecurityEventNotification.conf

  @TC_078_CSMS @security_profile_2 @security_profile_3
  @OCPPW_A00_FR_507 @OCPPW_M05 @OCPPW_5_11
  Scenario: Invalid CentralSystemCertificate Security Event (judging the Central System)
    Given the Charge Point will reject the next root certificate
    When the Central System sends InstallCertificate.req
      | certificateType | CentralSystemRootCertificate                     |
      | certificate     | {NewCentralSystemRootCertificate}, tolerated any |
    Then its certificate is a root certificate
    And the Charge Point responds with InstallCertificate.conf
      | status | Rejected |
    And the Charge Point sends SecurityEventNotification.req of type InvalidCentralSystemCertificate
    And the Central System responds with SecurityEventNotification.conf

  # That a status says Uploaded proves nothing: N01.FR.02 wants the file uploaded.
  @TC_079_CS @security_profile_1 @security_profile_2 @security_profile_3
  @OCPPW_N01 @OCPPW_6_14 @OCPPW_6_15 @OCPPW_6_19
  Scenario: Get Security Log (judging the Charge Point)
    When the Central System sends GetLog.req
      | logType            | SecurityLog |
      | requestId          | 79          |
      | log.remoteLocation | {LogUrl}    |
    Then the Charge Point responds with GetLog.conf
      | status   | Accepted |
      | filename | any      |
    And the Charge Point sends LogStatusNotification.req in the time of a long operation
      | status    | Uploading              |
      | requestId | {GetLog.req.requestId} |
    And the Central System responds with LogStatusNotification.conf
    And the Charge Point sends LogStatusNotification.req in the time of a long operation
      | status    | Uploaded               |
      | requestId | {GetLog.req.requestId} |
    And the Central System responds with LogStatusNotification.conf
    And the file named by GetLog.conf has arrived at {LogUrl}

  @TC_079_CSMS @security_profile_1 @security_profile_2 @security_profile_3
  @OCPPW_N01 @OCPPW_6_13 @OCPPW_6_14
  Scenario: Get Security Log (judging the Central System)
    When the Central System sends GetLog.req
      | logType            | SecurityLog             |
      | requestId          | any, such as 79         |
      | log.remoteLocation | {LogUrl}, tolerated any |
    Then the Charge Point responds with GetLog.conf
      | status | Accepted |
    And the Charge Point sends LogStatusNotification.req in the time of a long operation
      | status | Uploading |
    And the Central System responds with LogStatusNotification.conf
    And the Charge Point sends LogStatusNotification.req in the time of a long operation
      | status | Uploaded |
    And the Central System responds with LogStatusNotification.conf
