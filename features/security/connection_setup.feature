Feature: Connection setup
  How Charge Point and Central System know each other: passwords, certificates and security profiles.

  Background:
    Given the Charge Point is booted

  @TC_073_CS @security_profile_1 @security_profile_2
  @OCPPJ_6_2_2 @OCPPJE_3_12 @OCPPW_A00_FR_203 @OCPPW_A00_FR_205 @OCPPW_A00_FR_302 @OCPPW_A00_FR_304 @OCPPW_A01 @OCPPW_7_2
  Scenario: Update Charge Point Password for HTTP Basic Authentication (judging the Charge Point)
    When the Central System sends ChangeConfiguration.req
      | key   | AuthorizationKey                   |
      | value | any, such as {NewAuthorizationKey} |
    Then its AuthorizationKey has 16 to 20 bytes in hexadecimal digits
    And the Charge Point responds with ChangeConfiguration.conf
      | status | Accepted |
    And the Charge Point connects again with its new AuthorizationKey

  # The test case ends with the new password. A01.FR.03 has the old one refused from then on.
  @TC_073_CSMS @security_profile_1 @security_profile_2
  @OCPPJ_6_2_2 @OCPPJE_3_12 @OCPPW_A00_FR_205 @OCPPW_A00_FR_304 @OCPPW_A01 @OCPPW_7_2
  Scenario: Update Charge Point Password for HTTP Basic Authentication (judging the Central System)
    When the Central System sends ChangeConfiguration.req
      | key   | AuthorizationKey                   |
      | value | any, such as {NewAuthorizationKey} |
    Then its AuthorizationKey has 16 to 20 bytes in hexadecimal digits
    And the Charge Point responds with ChangeConfiguration.conf
      | status | Accepted |
    And the Charge Point connects again with its new AuthorizationKey
    When the Charge Point tries to connect with its former AuthorizationKey
    Then the Central System refuses the connection

  @TC_074_CS @TC_074_CSMS @security_profile_3
  @OCPPW_A00_FR_401 @OCPPW_A00_FR_501 @OCPPW_A00_FR_502 @OCPPW_A00_FR_503 @OCPPW_A00_FR_504 @OCPPW_A00_FR_507
  @OCPPW_A00_FR_509 @OCPPW_A00_FR_511 @OCPPW_A02 @OCPPW_5_1 @OCPPW_5_5 @OCPPW_5_6 @OCPPW_6_2 @OCPPW_6_16 @OCPPW_6_17
  @OCPPW_7_5
  Scenario: Update Charge Point Certificate by request of Central System
    Given the Charge Point knows the name of the CPO
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
      | status | Accepted |
    And the Charge Point connects again with its new certificate

  @TC_075_1_CS @TC_075_1_CSMS @security_profile_2 @security_profile_3
  @OCPPW_A00_FR_507 @OCPPW_M03 @OCPPW_M05 @OCPPW_5_11 @OCPPW_6_1 @OCPPW_6_3 @OCPPW_6_4
  Scenario: Install a certificate on the Charge Point - ManufacturerRootCertificate
    When the Central System sends InstallCertificate.req
      | certificateType | ManufacturerRootCertificate                    |
      | certificate     | {NewManufacturerRootCertificate}, tolerated any |
    Then its certificate is a root certificate
    And the Charge Point responds with InstallCertificate.conf
      | status | Accepted |
    When the Central System sends GetInstalledCertificateIds.req
      | certificateType | ManufacturerRootCertificate |
    Then the Charge Point responds with GetInstalledCertificateIds.conf
      | status | Accepted |
    And its certificateHashData names {InstallCertificate.req.certificate}

  @TC_075_2_CS @TC_075_2_CSMS @security_profile_2 @security_profile_3
  @OCPPW_A00_FR_507 @OCPPW_M03 @OCPPW_M05 @OCPPW_5_11 @OCPPW_6_1 @OCPPW_6_3 @OCPPW_6_4 @OCPPW_7_1
  Scenario: Install a certificate on the Charge Point - CentralSystemRootCertificate
    Given the Charge Point tells whether it checks additional root certificates
    When the Central System sends InstallCertificate.req
      | certificateType | CentralSystemRootCertificate                     |
      | certificate     | {NewCentralSystemRootCertificate}, tolerated any |
    Then its certificate is a root certificate
    And the Charge Point responds with InstallCertificate.conf
      | status | Accepted |
    When the Central System sends GetInstalledCertificateIds.req
      | certificateType | CentralSystemRootCertificate |
    Then the Charge Point responds with GetInstalledCertificateIds.conf
      | status | Accepted |
    And its certificateHashData names {InstallCertificate.req.certificate}

  @TC_076_CS @security_profile_2 @security_profile_3
  @OCPPW_M03 @OCPPW_M04 @OCPPW_6_1 @OCPPW_6_7
  Scenario: Delete a specific certificate from the Charge Point (judging the Charge Point)
    Given the Charge Point tells whether it checks additional root certificates
    And the Charge Point has {NewCentralSystemRootCertificate} installed
    When the Central System sends GetInstalledCertificateIds.req
      | certificateType | CentralSystemRootCertificate |
    Then the Charge Point responds with GetInstalledCertificateIds.conf
      | status | Accepted |
    And its certificateHashData names {NewCentralSystemRootCertificate}
    When the Central System sends DeleteCertificate.req for {NewCentralSystemRootCertificate}
    Then the Charge Point responds with DeleteCertificate.conf
      | status | Accepted |
    When the Central System sends GetInstalledCertificateIds.req
      | certificateType | CentralSystemRootCertificate |
    Then its certificateHashData names {NewCentralSystemRootCertificate} no more

  # One round for each hashAlgorithm that a Charge Point may report its certificates with.
  @TC_076_CSMS @security_profile_2 @security_profile_1 @security_profile_3
  @OCPPW_M03 @OCPPW_M04 @OCPPW_M05 @OCPPW_6_1 @OCPPW_6_12
  Scenario: Delete a specific certificate from the Charge Point (judging the Central System)
    Given the Charge Point hashes with SHA256
    When the Central System sends InstallCertificate.req
      | certificateType | CentralSystemRootCertificate                     |
      | certificate     | {NewCentralSystemRootCertificate}, tolerated any |
    Then its certificate is a root certificate
    And the Charge Point responds with InstallCertificate.conf
      | status | Accepted |
    When the Central System sends GetInstalledCertificateIds.req
      | certificateType | CentralSystemRootCertificate |
    Then the Charge Point responds with GetInstalledCertificateIds.conf
      | status | Accepted |
    When the Central System sends DeleteCertificate.req for {InstallCertificate.req.certificate}
    Then the Charge Point responds with DeleteCertificate.conf
      | status | Accepted |
    And the Central System may send GetInstalledCertificateIds.req
    Given the Charge Point hashes with SHA384
    When the Central System sends InstallCertificate.req
      | certificateType | CentralSystemRootCertificate                     |
      | certificate     | {NewCentralSystemRootCertificate}, tolerated any |
    Then its certificate is a root certificate
    And the Charge Point responds with InstallCertificate.conf
      | status | Accepted |
    When the Central System sends GetInstalledCertificateIds.req
      | certificateType | CentralSystemRootCertificate |
    Then the Charge Point responds with GetInstalledCertificateIds.conf
      | status | Accepted |
    When the Central System sends DeleteCertificate.req for {InstallCertificate.req.certificate}
    Then the Charge Point responds with DeleteCertificate.conf
      | status | Accepted |
    And the Central System may send GetInstalledCertificateIds.req
    Given the Charge Point hashes with SHA512
    When the Central System sends InstallCertificate.req
      | certificateType | CentralSystemRootCertificate                     |
      | certificate     | {NewCentralSystemRootCertificate}, tolerated any |
    Then its certificate is a root certificate
    And the Charge Point responds with InstallCertificate.conf
      | status | Accepted |
    When the Central System sends GetInstalledCertificateIds.req
      | certificateType | CentralSystemRootCertificate |
    Then the Charge Point responds with GetInstalledCertificateIds.conf
      | status | Accepted |
    When the Central System sends DeleteCertificate.req for {InstallCertificate.req.certificate}
    Then the Charge Point responds with DeleteCertificate.conf
      | status | Accepted |
    And the Central System may send GetInstalledCertificateIds.req

  @TC_083_CS @security_profile_1 @security_profile_2 @needs_security_profile_upgrade
  @OCPPW_A00_FR_001 @OCPPW_A00_FR_401 @OCPPW_A05 @OCPPW_7_6
  Scenario: Upgrade security profile
    Given the Charge Point has what security profile {NextSecurityProfile} needs
    When the Central System sends ChangeConfiguration.req
      | key   | SecurityProfile       |
      | value | {NextSecurityProfile} |
    Then the Charge Point responds with ChangeConfiguration.conf
      | status | one of Accepted, RebootRequired |
    And the Charge Point uses security profile {NextSecurityProfile}, after a reset if it needs one

  @TC_083_CSMS @security_profile_1 @security_profile_2 @needs_security_profile_upgrade
  @OCPPW_A00_FR_001 @OCPPW_A00_FR_002 @OCPPW_A00_FR_407 @OCPPW_A05
  Scenario: Upgrade Charge Point Security Profile - Accepted
    Given the Charge Point uses a new security profile after its next boot
    And the Charge Point has what security profile {NextSecurityProfile} needs
    When the Central System sends ChangeConfiguration.req
      | key   | SecurityProfile       |
      | value | {NextSecurityProfile} |
    Then the Charge Point responds with ChangeConfiguration.conf
      | status | Accepted |
    When the Central System sends Reset.req
      | type | Hard |
    Then the Charge Point responds with Reset.conf
      | status | Accepted |
    And the Charge Point connects again with security profile {NextSecurityProfile}
    And the Charge Point sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available
    Given the Charge Point is disconnected
    When the Charge Point tries to connect with its former security profile
    Then the Central System refuses the connection
    When the Charge Point can connect again
    Then the Central System accepts the connection

  @TC_084_CS @security_profile_2 @security_profile_3
  @OCPPW_A00_FR_005 @OCPPW_A05 @OCPPW_7_6
  Scenario: Downgrade security profile - Rejected
    When the Central System sends ChangeConfiguration.req against the rules
      | key   | SecurityProfile        |
      | value | {LowerSecurityProfile} |
    Then the Charge Point responds with ChangeConfiguration.conf
      | status | Rejected |
    And the Charge Point keeps its connection for {SilenceTime} seconds

  @TC_085_CS @security_profile_1 @security_profile_2
  @OCPPJ_6_2_2 @OCPPW_A00_FR_202 @OCPPW_A00_FR_203 @OCPPW_A00_FR_204 @OCPPW_A00_FR_205
  @OCPPW_A00_FR_301 @OCPPW_A00_FR_302 @OCPPW_A00_FR_303 @OCPPW_A00_FR_304
  Scenario: Basic Authentication - Valid username/password combination (judging the Charge Point)
    When the Central System sends Reset.req
      | type | Hard |
    Then the Charge Point responds with Reset.conf
      | status | Accepted |
    And the Charge Point connects again
    And the Charge Point authenticates itself with its identity and its AuthorizationKey
    And the Charge Point sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available

  @TC_085_CSMS @security_profile_1 @security_profile_2
  @OCPPJ_6_2_2 @OCPPW_2_3 @OCPPW_A00_FR_202 @OCPPW_A00_FR_301
  Scenario: Basic Authentication - Valid username/password combination (judging the Central System)
    Given the Charge Point is disconnected
    When the Charge Point tries to connect without its AuthorizationKey
    Then the Central System refuses the connection
    When the Charge Point connects anew
    Then the Central System accepts the connection
    And the Charge Point sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available

  @TC_086_CS @security_profile_2 @security_profile_3
  @OCPPW_A00_FR_301 @OCPPW_A00_FR_302 @OCPPW_A00_FR_303 @OCPPW_A00_FR_304 @OCPPW_A00_FR_311 @OCPPW_A00_FR_312
  @OCPPW_A00_FR_318 @OCPPW_A00_FR_320 @OCPPW_A00_FR_415 @OCPPW_A00_FR_416 @OCPPW_A00_FR_422 @OCPPW_A00_FR_424
  Scenario: TLS - server-side certificate - Valid certificate (judging the Charge Point)
    When the Central System sends Reset.req
      | type | Hard |
    Then the Charge Point responds with Reset.conf
      | status | Accepted |
    And the Charge Point connects again
    And the Charge Point offers TLS 1.2 or above with a pair of the required cipher suites
    And the Charge Point authenticates itself with its identity and its AuthorizationKey
    And the Charge Point sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available

  @TC_086_CSMS @security_profile_2 @security_profile_3
  @OCPPW_A00_FR_305 @OCPPW_A00_FR_306 @OCPPW_A00_FR_311 @OCPPW_A00_FR_312 @OCPPW_A00_FR_317 @OCPPW_A00_FR_409
  @OCPPW_A00_FR_410 @OCPPW_A00_FR_415 @OCPPW_A00_FR_416 @OCPPW_A00_FR_421 @OCPPW_A00_FR_501 @OCPPW_A00_FR_502
  @OCPPW_A00_FR_503 @OCPPW_A00_FR_508 @OCPPW_A00_FR_510
  Scenario: TLS - server-side certificate - Valid certificate (judging the Central System)
    Given the Charge Point is disconnected
    When the Charge Point tries to connect with each required cipher suite alone
    Then the Central System speaks TLS 1.2 or above with every one of them
    And the certificate of the Central System is as the white paper has it
    When the Charge Point connects anew
    Then the Central System accepts the connection
    And the Charge Point sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available

  @TC_087_CS @security_profile_3
  @OCPPW_A00_FR_401 @OCPPW_A00_FR_402 @OCPPW_A00_FR_415 @OCPPW_A00_FR_416 @OCPPW_A00_FR_422 @OCPPW_A00_FR_424
  @OCPPW_A00_FR_501 @OCPPW_A00_FR_502 @OCPPW_A00_FR_503 @OCPPW_A00_FR_508 @OCPPW_A00_FR_509 @OCPPW_A00_FR_511
  Scenario: TLS - Client-side certificate - valid certificate (judging the Charge Point)
    When the Central System sends Reset.req
      | type | Hard |
    Then the Charge Point responds with Reset.conf
      | status | Accepted |
    And the Charge Point connects again
    And the Charge Point offers TLS 1.2 or above with a pair of the required cipher suites
    And the Charge Point sends BootNotification.req
    And the certificate of the Charge Point is as the white paper has it
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available

  @TC_087_CSMS @security_profile_3
  @OCPPW_A00_FR_401 @OCPPW_A00_FR_409 @OCPPW_A00_FR_410 @OCPPW_A00_FR_415 @OCPPW_A00_FR_416 @OCPPW_A00_FR_421
  Scenario: TLS - Client-side certificate - valid certificate (judging the Central System)
    Given the Charge Point is disconnected
    When the Charge Point tries to connect with each required cipher suite alone
    Then the Central System speaks TLS 1.2 or above with every one of them
    When the Charge Point connects anew
    Then the Central System accepts the connection
    And the Charge Point sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available

  # Three answers stand in the sources: OCPP-J 3.2 has the handshake finished and the connection closed, the test case
  # wants no WebSocket at all. Either passes, the former with a remark that counts under --strict.
  @TC_088_CSMS @OCPPJ_3_2
  Scenario: WebSocket Subprotocol negotiation
    Given the Charge Point is disconnected
    When the Charge Point tries to connect with subprotocols ocpp0.1
    Then the Central System agrees to no subprotocol
    When the Charge Point tries to connect with subprotocols ocpp0.1, ocpp1.6
    Then the Central System agrees to subprotocol ocpp1.6
