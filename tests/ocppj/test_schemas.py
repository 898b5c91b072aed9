"""Payloads and their faults.

The oracle is ``jsonschema`` with the draft that the schema names. It reads numbers as ``Decimal``, because a double is
hardly ever a multiple of 0.1, and checks formats by the grammars of RFC 3339 and RFC 3986.
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, localcontext
from itertools import islice
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from jsonschema import FormatChecker
from jsonschema.validators import extend, validator_for  # type: ignore[import-untyped]

from ocppj.errors import ErrorCode, RemoteViolation
from ocppj.frames import Payload
from ocppj.schemas import (
    ACTIONS,
    CODES,
    FROM_CENTRAL_SYSTEM,
    FROM_CHARGE_POINT,
    Fault,
    Kind,
    check,
    faults,
    schema,
    severe,
)
from tests.ocppj.payloads import full, least, mutations

MESSAGES: list[tuple[str, Kind]] = [(action, kind) for action in sorted(ACTIONS) for kind in ("req", "conf")]
PAIRS = 400  # of mutations, one upon the other, beside all single ones

RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
RFC_3986 = re.compile(
    r"[a-z][a-z0-9+.-]*:(//(\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=:@-]*)(:\d*)?)?[\w.~!$&'()*+,;=:@/%-]*"
    r"(\?[\w.~!$&'()*+,;=:@/?%-]*)?(#[\w.~!$&'()*+,;=:@/?%-]*)?",
    re.ASCII | re.IGNORECASE,
)

# jsonschema_rs says so of ``additionalProperties: false`` where the schema names no property at all.
_KEYWORDS = {"falseSchema": "additionalProperties"}


def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    match = RFC_3339.fullmatch(value)
    try:
        return bool(match and date.fromisoformat(match[1]))
    except ValueError:
        return False


def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or RFC_3986.fullmatch(value) is not None


FORMATS = FormatChecker(formats=())
FORMATS.checks("date-time")(_is_date_time)
FORMATS.checks("uri")(_is_uri)


def _is_integer_since_draft_6(_: object, value: object) -> bool:
    whole = isinstance(value, Decimal) and value == value.to_integral_value()
    return whole or (isinstance(value, int) and not isinstance(value, bool))


def oracle(action: str, kind: Kind) -> Any:
    text = json.dumps(schema(action, kind))
    decimal_schema = json.loads(text, parse_float=Decimal)
    named = validator_for(decimal_schema)
    assert named in (jsonschema.Draft4Validator, jsonschema.Draft6Validator)
    if named is jsonschema.Draft6Validator:
        named = extend(named, type_checker=named.TYPE_CHECKER.redefine("integer", _is_integer_since_draft_6))
    return named(decimal_schema, format_checker=FORMATS)


def payloads(action: str, kind: Kind) -> Iterator[Payload]:
    whole = full(action, kind)
    yield from (whole, least(action, kind))
    singles = [mutated for _, mutated in mutations(whole)]
    yield from singles
    yield from (mutated for _, mutated in mutations(least(action, kind)))
    for position, mutated in enumerate(islice(singles, 0, None, max(1, 20 * len(singles) // PAIRS))):
        upon = [twice for _, twice in mutations(mutated)]
        yield from upon[position :: max(1, len(upon) // 20)]


@pytest.mark.parametrize(("action", "kind"), MESSAGES, ids=lambda part: part)
def test_the_verdict_is_that_of_the_oracle(action: str, kind: Kind) -> None:
    validator = oracle(action, kind)
    with localcontext(prec=400):
        for payload in payloads(action, kind):
            known = {
                (_dotted(error.absolute_path), error.validator) for error in validator.iter_errors(_decimal(payload))
            }
            found = {
                (fault.path, _KEYWORDS.get(fault.kind, fault.kind))
                for fault in faults(action, kind, payload)
                if fault.source == "schema"
            }
            assert found == known, payload


def _decimal(payload: Payload) -> Any:
    return json.loads(json.dumps(payload), parse_float=Decimal)


def _dotted(steps: Any) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


PERIOD = {"startPeriod": 0, "limit": 6.0}
SCHEDULE = {"chargingRateUnit": "A", "chargingSchedulePeriod": [PERIOD]}
PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": SCHEDULE,
}
NOW = "2031-05-13T08:41:17.389Z"
METER_VALUE = {"timestamp": NOW, "sampledValue": [{"value": "1"}]}
STOP: Payload = {"meterStop": 1, "timestamp": NOW, "transactionId": 1}
BOOT_CONF = {"status": "Accepted", "currentTime": NOW}


def _profile(**fields: object) -> Payload:
    return {"connectorId": 1, "csChargingProfiles": PROFILE | fields}


def _schedule(**fields: object) -> Payload:
    return _profile(chargingSchedule=SCHEDULE | fields)


def _period(**fields: object) -> Payload:
    return _schedule(chargingSchedulePeriod=[PERIOD | fields])


# action, kind, payload, and where the overlay finds what the shipped schema does not; nowhere if the payload is right
OVERLAID: list[tuple[str, Kind, Payload, list[str]]] = [
    ("BootNotification", "conf", {**BOOT_CONF, "interval": -1}, ["interval"]),
    ("BootNotification", "conf", {**BOOT_CONF, "interval": 0}, []),  # 4.2: the Charge Point chooses
    ("ChangeAvailability", "req", {"connectorId": -1, "type": "Operative"}, ["connectorId"]),
    ("ChangeAvailability", "req", {"connectorId": 0, "type": "Operative"}, []),
    ("ClearChargingProfile", "req", {"connectorId": -1, "stackLevel": -1}, ["connectorId", "stackLevel"]),
    ("ClearChargingProfile", "req", {"connectorId": 0, "stackLevel": 0}, []),
    ("ClearChargingProfile", "req", {}, []),
    ("GetCompositeSchedule", "req", {"connectorId": -1, "duration": -1}, ["connectorId", "duration"]),
    ("GetCompositeSchedule", "req", {"connectorId": 0, "duration": 0}, []),
    (
        "GetCompositeSchedule",
        "conf",
        {"status": "Accepted", "connectorId": -1, "chargingSchedule": SCHEDULE | {"chargingSchedulePeriod": []}},
        ["chargingSchedule.chargingSchedulePeriod", "connectorId"],
    ),
    ("GetCompositeSchedule", "conf", {"status": "Accepted", "connectorId": 0, "chargingSchedule": SCHEDULE}, []),
    (
        "GetDiagnostics",
        "req",
        {"location": "ftp://a/", "retries": -1, "retryInterval": -1},
        ["retries", "retryInterval"],
    ),
    ("GetDiagnostics", "req", {"location": "ftp://a/", "retries": 0, "retryInterval": 0}, []),
    ("GetLocalListVersion", "conf", {"listVersion": -1}, []),  # 5.10
    ("GetLocalListVersion", "conf", {"listVersion": 0}, []),
    ("MeterValues", "req", {"connectorId": -1, "meterValue": [METER_VALUE]}, ["connectorId"]),
    ("MeterValues", "req", {"connectorId": 0, "meterValue": [METER_VALUE]}, []),
    ("MeterValues", "req", {"connectorId": 1, "transactionId": -1, "meterValue": [METER_VALUE]}, []),  # errata 3.18
    ("RemoteStartTransaction", "req", {"connectorId": 0, "idTag": "1"}, ["connectorId"]),
    ("RemoteStartTransaction", "req", {"connectorId": 1, "idTag": "1", "chargingProfile": PROFILE}, []),
    (
        "RemoteStartTransaction",
        "req",
        {"idTag": "1", "chargingProfile": PROFILE | {"stackLevel": -1}},
        ["chargingProfile.stackLevel"],
    ),
    ("RemoteStopTransaction", "req", {"transactionId": -1}, []),
    ("ReserveNow", "req", {"connectorId": -1, "expiryDate": NOW, "idTag": "1", "reservationId": 1}, ["connectorId"]),
    ("ReserveNow", "req", {"connectorId": 0, "expiryDate": NOW, "idTag": "1", "reservationId": 0}, []),
    ("SendLocalList", "req", {"listVersion": 0, "updateType": "Full"}, ["listVersion"]),  # errata 3.52
    ("SendLocalList", "req", {"listVersion": -1, "updateType": "Full"}, ["listVersion"]),
    ("SendLocalList", "req", {"listVersion": 1, "updateType": "Full"}, []),
    ("SetChargingProfile", "req", {"connectorId": -1, "csChargingProfiles": PROFILE}, ["connectorId"]),
    ("SetChargingProfile", "req", {"connectorId": 0, "csChargingProfiles": PROFILE}, []),
    ("SetChargingProfile", "req", _profile(stackLevel=-1), ["csChargingProfiles.stackLevel"]),
    ("SetChargingProfile", "req", _schedule(duration=-1), ["csChargingProfiles.chargingSchedule.duration"]),
    (
        "SetChargingProfile",
        "req",
        _schedule(chargingSchedulePeriod=[]),
        ["csChargingProfiles.chargingSchedule.chargingSchedulePeriod"],
    ),
    (
        "SetChargingProfile",
        "req",
        _period(startPeriod=-1, limit=-0.1, numberPhases=0),
        [
            "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit",
            "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].numberPhases",
            "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].startPeriod",
        ],
    ),
    ("SetChargingProfile", "req", _period(startPeriod=0, limit=0, numberPhases=1), []),
    ("StartTransaction", "req", {"connectorId": 0, "idTag": "1", "meterStart": 1, "timestamp": NOW}, ["connectorId"]),
    ("StartTransaction", "req", {"connectorId": 1, "idTag": "1", "meterStart": -1, "timestamp": NOW}, []),
    ("StartTransaction", "conf", {"transactionId": -1, "idTagInfo": {"status": "Accepted"}}, []),  # errata 3.54
    ("StatusNotification", "req", {"connectorId": -1, "errorCode": "NoError", "status": "Available"}, ["connectorId"]),
    ("StatusNotification", "req", {"connectorId": 0, "errorCode": "NoError", "status": "Available"}, []),
    ("StopTransaction", "req", STOP | {"transactionId": -1}, []),  # errata 3.18
    ("StopTransaction", "req", STOP | {"transactionData": []}, []),  # 6.49: 0..*
    (
        "StopTransaction",
        "req",
        STOP | {"transactionData": [METER_VALUE, METER_VALUE | {"sampledValue": []}]},
        ["transactionData[1].sampledValue"],
    ),
    ("TriggerMessage", "req", {"requestedMessage": "StatusNotification", "connectorId": -1}, ["connectorId"]),
    ("TriggerMessage", "req", {"requestedMessage": "StatusNotification", "connectorId": 0}, []),
    ("UnlockConnector", "req", {"connectorId": 0}, ["connectorId"]),
    ("UnlockConnector", "req", {"connectorId": 1}, []),
    (
        "UpdateFirmware",
        "req",
        {"location": "ftp://a/", "retrieveDate": NOW, "retries": -1, "retryInterval": -1},
        ["retries", "retryInterval"],
    ),
]


@pytest.mark.parametrize(("action", "kind", "payload", "places"), OVERLAID)
def test_what_the_specification_adds_to_the_schemas(
    action: str, kind: Kind, payload: Payload, places: list[str]
) -> None:
    found = faults(action, kind, payload)
    assert sorted(fault.path for fault in found) == places
    assert {fault.source for fault in found} <= {"overlay"}
    assert severe(found) == found


def test_an_empty_meter_value_is_found_by_either_source() -> None:
    found = faults("MeterValues", "req", {"connectorId": 1, "meterValue": []})
    assert [(fault.path, fault.kind) for fault in severe(found)]
    assert {fault.path for fault in found} == {"meterValue"}


def test_every_legal_tenth_is_a_multiple_of_a_tenth() -> None:
    limits = [number / 10 for number in range(1, 1001)]
    assert [limit for limit in limits if faults("SetChargingProfile", "req", _period(limit=limit))] == []


@pytest.mark.parametrize("limit", [6.05, 0.01, 16.123])
def test_hundredths_are_not(limit: float) -> None:
    assert [fault.kind for fault in faults("SetChargingProfile", "req", _period(limit=limit))] == ["multipleOf"]


def _with_unit(unit: object) -> Payload:
    return {"connectorId": 1, "meterValue": [{"timestamp": NOW, "sampledValue": [{"value": "1", "unit": unit}]}]}


@pytest.mark.parametrize("unit", ["Hertz", "Celsius", "Celcius", "Wh", "Fahrenheit"])
@pytest.mark.parametrize("action", ["MeterValues", "StopTransaction"])
def test_units_that_errata_allow(action: str, unit: str) -> None:
    payload = _with_unit(unit)
    if action == "StopTransaction":
        payload = STOP | {"transactionData": payload["meterValue"]}
    assert not severe(check(action, "req", payload, "1"))


def test_an_invented_unit_is_a_fault() -> None:
    assert [fault.path for fault in severe(faults("MeterValues", "req", _with_unit("Furlong")))] == [
        "meterValue[0].sampledValue[0].unit"
    ]


# text, whether RFC 3339 has it, whether it passes as ISO 8601
INSTANTS = [
    ("2031-05-13T08:41:17Z", True, True),
    ("2031-05-13T08:41:17.3Z", True, True),
    ("2031-05-13T08:41:17.389456789Z", True, True),
    ("2031-05-13T08:41:17+02:00", True, True),
    ("2031-05-13T08:41:17", False, True),
    ("2031-05-13T08:41:17.389", False, True),
    ("2031-05-13T08:41Z", False, True),
    ("20310513T084117Z", False, True),
    ("2031-05-13T08:41:17+0200", False, True),
    ("2031-05-13 08:41:17Z", False, False),
    ("2031-05-13", False, False),
    ("13.05.2031 08:41", False, False),
    ("2031-02-30T08:41:17Z", False, False),
    ("1936522877", False, False),
    ("", False, False),
]


@pytest.mark.parametrize(("text", "flawless", "passes"), INSTANTS)
def test_instants(text: str, flawless: bool, passes: bool) -> None:
    found = faults("StopTransaction", "req", STOP | {"timestamp": text})
    assert (not found) == flawless
    assert (not severe(found)) == passes


def test_a_remark_is_returned_and_a_fault_is_raised() -> None:
    remarks = check("StopTransaction", "req", STOP | {"timestamp": "2031-05-13T08:41:17"}, "1")
    assert [(fault.path, fault.kind, fault.severe) for fault in remarks] == [("timestamp", "format", False)]
    with pytest.raises(RemoteViolation, match=r"timestamp: .* \(OCPP-J 4.2, StopTransaction.req\)") as raised:
        check("StopTransaction", "req", STOP | {"timestamp": "yesterday"}, "id-1")
    assert raised.value.unique_id == "id-1"
    assert raised.value.code == ErrorCode.PROPERTY_CONSTRAINT_VIOLATION


BOOT: Payload = {"chargePointModel": "m", "chargePointVendor": "v"}

# payload of BootNotification.req, kind of its first fault, the code that fits best
CODED = [
    ({}, "required", ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION),
    (BOOT | {"chargePointModel": 5}, "type", ErrorCode.TYPE_CONSTRAINT_VIOLATION),
    (BOOT | {"chargePointModel": None}, "type", ErrorCode.TYPE_CONSTRAINT_VIOLATION),
    (BOOT | {"chargePointModel": "m" * 21}, "maxLength", ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
    (BOOT | {"colour": "red"}, "additionalProperties", ErrorCode.FORMATION_VIOLATION),
]


@pytest.mark.parametrize(("payload", "kind", "code"), CODED)
def test_the_code_that_fits_best(payload: Payload, kind: str, code: ErrorCode) -> None:
    first = faults("BootNotification", "req", payload)[0]
    assert first.kind == kind
    assert first.code == code
    assert first.codes[0] == code
    with pytest.raises(RemoteViolation) as raised:
        check("BootNotification", "req", payload, "1")
    assert raised.value.code == code


def test_the_code_is_that_of_the_first_fault() -> None:
    payload = {"chargePointModel": 5, "chargePointVendor": "v" * 21, "colour": "red"}
    first, *others = faults("BootNotification", "req", payload)
    assert first.code not in {fault.code for fault in others}
    with pytest.raises(RemoteViolation) as raised:
        check("BootNotification", "req", payload, "1")
    assert raised.value.code == first.code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("enum", ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("minimum", ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("multipleOf", ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("format", ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("minItems", ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION),
    ],
)
def test_the_code_of_the_other_kinds(kind: str, code: ErrorCode) -> None:
    assert Fault("path", kind, "text", "schema").code == code


def test_no_code_is_listed_twice() -> None:
    for codes in CODES.values():
        assert len(set(codes)) == len(codes)


def test_every_kind_of_fault_is_told_at_once() -> None:
    found = faults("BootNotification", "req", {"chargePointModel": 5, "iccid": "i" * 21, "colour": "red"})
    assert {fault.kind for fault in found} == {"type", "maxLength", "additionalProperties", "required"}
    assert {str(fault) for fault in found if fault.path == "iccid"} == {
        f'iccid: "{"i" * 21}" is longer than 20 characters'
    }


def test_a_long_value_is_not_quoted_whole() -> None:
    (fault,) = faults("Authorize", "req", {"idTag": "x" * 10_000})
    assert len(fault.text) == 200


def test_an_unknown_action_has_no_schema() -> None:
    for action in ("Dance", "AuthorizeResponse", "authorize", "", "../Authorize"):
        with pytest.raises(KeyError):
            faults(action, "req", {})
        with pytest.raises(KeyError):
            schema(action, "conf")


def test_the_39_actions_and_who_sends_them() -> None:
    assert len(ACTIONS) == 39
    assert FROM_CHARGE_POINT | FROM_CENTRAL_SYSTEM == ACTIONS
    assert {"DataTransfer"} == FROM_CHARGE_POINT & FROM_CENTRAL_SYSTEM


@pytest.mark.parametrize(("action", "kind"), MESSAGES, ids=lambda part: part)
def test_payloads_that_are_right_have_no_fault(action: str, kind: Kind) -> None:
    assert not faults(action, kind, full(action, kind))
    assert not faults(action, kind, least(action, kind))


@pytest.mark.parametrize("action", ["ExtendedTriggerMessage", "TriggerMessage"])
def test_what_has_a_status_is_left_to_the_receiver(action: str) -> None:
    # 5.17, white paper 6.17: an unknown message is NotImplemented. For who sends it, it is a fault nevertheless.
    (fault,) = check(action, "req", {"requestedMessage": "StartTransaction"}, "1")
    assert fault.severe
    for payload in ({"requestedMessage": 5}, {"requestedMessage": None}, {"requestedMessage": "x", "colour": "red"}):
        with pytest.raises(RemoteViolation):
            check(action, "req", payload, "1")
