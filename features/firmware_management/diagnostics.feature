Feature: Diagnostics
  A Charge Point brings a file of diagnostics to where the Central System wants it.

  Background:
    Given the Charge Point is booted

  # That a status says Uploaded proves nothing: 5.9 wants the file uploaded.
  @TC_045_1_CS @OCPP_5_9 @OCPP_4_4 @OCPP_7_24 @OCPP_6_26 @OCPP_8_2 @OCPPE_3_31
  Scenario: Get Diagnostics (judging the Charge Point)
    When the Central System sends GetDiagnostics.req
      | location | {DiagnosticsUrl} |
    Then the Charge Point responds with GetDiagnostics.conf
    And the Charge Point sends DiagnosticsStatusNotification.req in the time of a long operation
      | status | Uploading |
    And the Central System responds with DiagnosticsStatusNotification.conf
    And the Charge Point sends DiagnosticsStatusNotification.req in the time of a long operation
      | status | Uploaded |
    And the Central System responds with DiagnosticsStatusNotification.conf
    And the file named by GetDiagnostics.conf has arrived at {DiagnosticsUrl}

  @TC_045_1_CSMS @OCPP_5_9 @OCPP_4_4 @OCPP_8_2
  Scenario: Get Diagnostics (judging the Central System)
    When the Central System sends GetDiagnostics.req
      | location | any, such as {DiagnosticsUrl} |
    Then the Charge Point responds with GetDiagnostics.conf
      | fileName | any |
    And the Charge Point sends DiagnosticsStatusNotification.req in the time of a long operation
      | status | Uploading |
    And the Central System responds with DiagnosticsStatusNotification.conf
    And the Charge Point sends DiagnosticsStatusNotification.req in the time of a long operation
      | status | Uploaded |
    And the Central System responds with DiagnosticsStatusNotification.conf

  @TC_045_2_CS @OCPP_5_9 @OCPP_4_4 @OCPP_7_24 @OCPPE_3_31
  Scenario: Get Diagnostics - Upload Failed (judging the Charge Point)
    When the Central System sends GetDiagnostics.req
      | location | {RefusedDiagnosticsUrl} |
      | retries  | 0                       |
    Then the Charge Point responds with GetDiagnostics.conf
    And the Charge Point sends DiagnosticsStatusNotification.req in the time of a long operation
      | status | Uploading |
    And the Central System responds with DiagnosticsStatusNotification.conf
    And the Charge Point sends DiagnosticsStatusNotification.req in the time of a long operation
      | status | UploadFailed |
    And the Central System responds with DiagnosticsStatusNotification.conf
    And the Charge Point has tried {RefusedDiagnosticsUrl}

  @TC_045_2_CSMS @OCPP_5_9 @OCPP_4_4
  Scenario: Get Diagnostics - Upload Failed (judging the Central System)
    Given the next upload will fail
    When the Central System sends GetDiagnostics.req
      | location | any, such as {DiagnosticsUrl} |
    Then the Charge Point responds with GetDiagnostics.conf
      | fileName | any |
    And the Charge Point sends DiagnosticsStatusNotification.req in the time of a long operation
      | status | Uploading |
    And the Central System responds with DiagnosticsStatusNotification.conf
    And the Charge Point sends DiagnosticsStatusNotification.req in the time of a long operation
      | status | UploadFailed |
    And the Central System responds with DiagnosticsStatusNotification.conf
