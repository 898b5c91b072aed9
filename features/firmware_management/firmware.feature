Feature: Firmware update
  A Charge Point fetches new firmware, installs it, and tells how far it is.

  Background:
    Given the Charge Point is booted

  # 5.19: the reboot before Installed is good practice and not required, errata 3.47; the test case lists it. Connectors
  # may be Unavailable from the download on until the firmware is installed (4.9).
  @TC_044_1_CS
  @OCPP_5_19 @OCPP_4_5 @OCPP_7_25 @OCPPE_3_47 @OCPP_3_4 @OCPP_4_9 @OCPP_8_1 @OCPPE_3_12 @OCPPE_3_48 @OCPPE_3_63
  Scenario: Firmware Update - Download and Install (judging the Charge Point)
    When the Central System sends UpdateFirmware.req
      | location     | {FirmwareUrl}            |
      | retrieveDate | within 60 seconds of now |
    Then the Charge Point responds with UpdateFirmware.conf
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Downloading |
    And the Central System responds with FirmwareStatusNotification.conf
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Downloaded |
    And the Central System responds with FirmwareStatusNotification.conf
    And the file at {FirmwareUrl} has been fetched
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Installing |
    And the Central System responds with FirmwareStatusNotification.conf
    And in either order, the Charge Point reboots and sends FirmwareStatusNotification.req
      | status | Installed |
    And connectors may have become Unavailable and Available meanwhile

  # The test case wants the configured location; 5.19 lets the Central System have its firmware where it likes.
  @TC_044_1_CSMS @OCPP_5_19 @OCPP_4_5 @OCPP_4_2 @OCPP_8_1
  Scenario: Firmware Update - Download and Install (judging the Central System)
    When the Central System sends UpdateFirmware.req
      | location     | {FirmwareUrl}, tolerated any |
      | retrieveDate | any, such as now             |
    Then the Charge Point responds with UpdateFirmware.conf
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Downloading |
    And the Central System responds with FirmwareStatusNotification.conf
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Downloaded |
    And the Central System responds with FirmwareStatusNotification.conf
    And connector 0 and every connector are reported Unavailable
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Installing |
    And the Central System responds with FirmwareStatusNotification.conf
    And the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Installed |
    And the Central System responds with FirmwareStatusNotification.conf

  @TC_044_2_CS @OCPP_5_19 @OCPP_4_5 @OCPP_7_25 @OCPP_3_4
  Scenario: Firmware Update - Download Failed (judging the Charge Point)
    When the Central System sends UpdateFirmware.req
      | location     | {MissingFirmwareUrl}     |
      | retries      | 0                        |
      | retrieveDate | within 60 seconds of now |
    Then the Charge Point responds with UpdateFirmware.conf
    And the Charge Point may send FirmwareStatusNotification.req in the time of a long operation
      | status | Downloading |
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | DownloadFailed |
    And the Central System responds with FirmwareStatusNotification.conf
    And the Charge Point has tried {MissingFirmwareUrl}
    And connectors may have become Unavailable and Available meanwhile

  @TC_044_2_CSMS @OCPP_5_19 @OCPP_4_5
  Scenario: Firmware Update - Download Failed (judging the Central System)
    Given the next download will fail
    When the Central System sends UpdateFirmware.req
      | location     | any, such as {FirmwareUrl} |
      | retrieveDate | any, such as now           |
    Then the Charge Point responds with UpdateFirmware.conf
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Downloading |
    And the Central System responds with FirmwareStatusNotification.conf
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | DownloadFailed |
    And the Central System responds with FirmwareStatusNotification.conf

  # Errata 3.48: what is no valid image is not installed, so neither Installing nor a reboot is due.
  @TC_044_3_CS @OCPP_5_19 @OCPP_4_5 @OCPP_7_25 @OCPPE_3_48 @OCPP_3_4
  Scenario: Firmware Update - Installation Failed (judging the Charge Point)
    When the Central System sends UpdateFirmware.req
      | location     | {BadFirmwareUrl}         |
      | retrieveDate | within 60 seconds of now |
    Then the Charge Point responds with UpdateFirmware.conf
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Downloading |
    And the Central System responds with FirmwareStatusNotification.conf
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Downloaded |
    And the Central System responds with FirmwareStatusNotification.conf
    And the file at {BadFirmwareUrl} has been fetched
    And the Charge Point may send FirmwareStatusNotification.req in the time of a long operation
      | status | Installing |
    And in either order, the Charge Point may reboot and sends FirmwareStatusNotification.req
      | status | InstallationFailed |
    And connectors may have become Unavailable and Available meanwhile

  @TC_044_3_CSMS @OCPP_5_19 @OCPP_4_5 @OCPP_4_2
  Scenario: Firmware Update - Installation Failed (judging the Central System)
    Given the next installation will fail
    When the Central System sends UpdateFirmware.req
      | location     | any, such as {FirmwareUrl} |
      | retrieveDate | any, such as now           |
    Then the Charge Point responds with UpdateFirmware.conf
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Downloading |
    And the Central System responds with FirmwareStatusNotification.conf
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Downloaded |
    And the Central System responds with FirmwareStatusNotification.conf
    And connector 0 and every connector are reported Unavailable
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | Installing |
    And the Central System responds with FirmwareStatusNotification.conf
    And the Charge Point reboots and sends BootNotification.req
    And the Central System responds with BootNotification.conf
      | status | Accepted |
    And connector 0 and every connector are reported Available
    And the Charge Point sends FirmwareStatusNotification.req in the time of a long operation
      | status | InstallationFailed |
    And the Central System responds with FirmwareStatusNotification.conf
