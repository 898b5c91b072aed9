Feature: Signed firmware
  A Charge Point installs no firmware but what its manufacturer has signed.

  Background:
    Given the Charge Point is booted

  # InstallRebooting is told before the installation that a reboot is needed for (L01.FR.15) or before the one that
  # brings the new firmware about, and may be left out (6.8).
  @TC_080_CS @security_profile_1 @security_profile_2 @security_profile_3 @needs_firmware_management
  @OCPPW_L01 @OCPPW_6_8 @OCPPW_6_9 @OCPPW_6_18 @OCPPW_8
  Scenario: Secure Firmware Update (judging the Charge Point)
    When the Central System sends SignedUpdateFirmware.req
      | requestId                   | 80                           |
      | firmware.location           | {FirmwareUrl}                |
      | firmware.retrieveDateTime   | within 60 seconds of now     |
      | firmware.signingCertificate | {FirmwareSigningCertificate} |
      | firmware.signature          | {FirmwareSignature}          |
    Then the Charge Point responds with SignedUpdateFirmware.conf
      | status | Accepted |
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status    | Downloading                          |
      | requestId | {SignedUpdateFirmware.req.requestId} |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status    | Downloaded                           |
      | requestId | {SignedUpdateFirmware.req.requestId} |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the file at {FirmwareUrl} has been fetched
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status    | SignatureVerified                    |
      | requestId | {SignedUpdateFirmware.req.requestId} |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the Charge Point may send SignedFirmwareStatusNotification.req in the time of a long operation
      | status    | InstallRebooting                     |
      | requestId | {SignedUpdateFirmware.req.requestId} |
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status    | Installing                           |
      | requestId | {SignedUpdateFirmware.req.requestId} |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the Charge Point may send SignedFirmwareStatusNotification.req in the time of a long operation
      | status    | InstallRebooting                     |
      | requestId | {SignedUpdateFirmware.req.requestId} |
    And in either order, the Charge Point reboots and sends SignedFirmwareStatusNotification.req
      | status    | Installed                            |
      | requestId | {SignedUpdateFirmware.req.requestId} |
    And connectors may have become Unavailable and Available meanwhile
    And the Charge Point may have told FirmwareUpdated meanwhile

  @TC_080_CSMS @security_profile_2 @security_profile_1 @security_profile_3 @needs_firmware_management
  @OCPPW_A00_FR_507 @OCPPW_L01 @OCPPW_6_9
  Scenario: Secure Firmware Update (judging the Central System)
    When the Central System sends SignedUpdateFirmware.req
      | requestId                   | any, such as 80                             |
      | firmware.location           | {FirmwareUrl}, tolerated any                |
      | firmware.retrieveDateTime   | any, such as now                            |
      | firmware.signingCertificate | {FirmwareSigningCertificate}, tolerated any |
      | firmware.signature          | {FirmwareSignature}, tolerated any          |
    Then its signature is that of its file
    And the Charge Point responds with SignedUpdateFirmware.conf
      | status | Accepted |
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status | Downloading |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status | Downloaded |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status | SignatureVerified |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And connector 0 and every connector are reported Unavailable
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status | Installing |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status | InstallRebooting |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And the Charge Point sends SecurityEventNotification.req of type FirmwareUpdated
    And the Central System responds with SecurityEventNotification.conf
    And connector 0 and every connector are reported Available
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status | Installed |
    And the Central System responds with SignedFirmwareStatusNotification.conf

  @TC_081_CS @security_profile_2 @security_profile_1 @security_profile_3 @needs_firmware_management
  @OCPPW_L01 @OCPPW_6_8 @OCPPW_6_9 @OCPPW_6_18
  Scenario: Secure Firmware Update - Invalid Signature (judging the Charge Point)
    When the Central System sends SignedUpdateFirmware.req
      | requestId                   | 81                           |
      | firmware.location           | {FirmwareUrl}                |
      | firmware.retrieveDateTime   | within 60 seconds of now     |
      | firmware.signingCertificate | {FirmwareSigningCertificate} |
      | firmware.signature          | {InvalidFirmwareSignature}   |
    Then the Charge Point responds with SignedUpdateFirmware.conf
      | status | Accepted |
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status    | Downloading                          |
      | requestId | {SignedUpdateFirmware.req.requestId} |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status    | Downloaded                           |
      | requestId | {SignedUpdateFirmware.req.requestId} |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the file at {FirmwareUrl} has been fetched
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status    | InvalidSignature                     |
      | requestId | {SignedUpdateFirmware.req.requestId} |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the Charge Point installs nothing

  @TC_081_CSMS @security_profile_1 @security_profile_2 @security_profile_3 @needs_firmware_management
  @OCPPW_L01 @OCPPW_6_9
  Scenario: Secure Firmware Update - Invalid Signature (judging the Central System)
    When the Central System sends SignedUpdateFirmware.req
      | requestId                   | any, such as 81                             |
      | firmware.location           | {FirmwareUrl}, tolerated any                |
      | firmware.retrieveDateTime   | any, such as now                            |
      | firmware.signingCertificate | {FirmwareSigningCertificate}, tolerated any |
      | firmware.signature          | {InvalidFirmwareSignature}, tolerated any   |
    Then its signature is not that of its file
    And the Charge Point responds with SignedUpdateFirmware.conf
      | status | Accepted |
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status | Downloading |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status | Downloaded |
    And the Central System responds with SignedFirmwareStatusNotification.conf
    And the Charge Point sends SignedFirmwareStatusNotification.req in the time of a long operation
      | status | InvalidSignature |
    And the Central System responds with SignedFirmwareStatusNotification.conf
