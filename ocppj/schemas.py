"""A payload and every way in which it is wrong.

Two sources, kept apart in the findings: the JSON schemas of OCPP 1.6, as the ``ocpp`` package ships them, and an
overlay of what the specification demands and those schemas do not say. ``jsonschema_rs`` judges.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import jsonschema_rs

from ocppj.errors import ErrorCode, RemoteViolation
from ocppj.frames import Payload

Kind = Literal["req", "conf"]

_SHIPPED = files("ocpp.v16") / "schemas"
_RESPONSE = "Response.json"

ACTIONS = frozenset(
    name.removesuffix(".json")
    for name in (entry.name for entry in _SHIPPED.iterdir())
    if name.endswith(".json") and not name.endswith(_RESPONSE)
)

# Who may send which request: OCPP 1.6 chapters 4 and 5, and the security white paper, chapter 4.
FROM_CHARGE_POINT = frozenset(
    {
        "Authorize",
        "BootNotification",
        "DataTransfer",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "SecurityEventNotification",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
    }
)
FROM_CENTRAL_SYSTEM = (ACTIONS - FROM_CHARGE_POINT) | {"DataTransfer"}

_NOT_NEGATIVE = {"minimum": 0}
_POSITIVE = {"minimum": 1}
_NOT_EMPTY = {"minItems": 1}
_SCHEDULE = {
    "properties": {
        "duration": _NOT_NEGATIVE,
        "chargingSchedulePeriod": {  # 7.13: 1..*
            "minItems": 1,
            "items": {"properties": {"startPeriod": _NOT_NEGATIVE, "limit": _NOT_NEGATIVE, "numberPhases": _POSITIVE}},
        },
    }
}
_PROFILE = {"properties": {"stackLevel": _NOT_NEGATIVE, "chargingSchedule": _SCHEDULE}}  # 7.8
_METER_VALUES = {"items": {"properties": {"sampledValue": _NOT_EMPTY}}}  # 7.33: 1..*
# 7.45 has no Hertz, but the shipped schema of MeterValues.req has: a fault that is let pass, see _tolerated.
_NO_HERTZ = {"properties": {"unit": {"not": {"enum": ["Hertz"]}}}}
_METER_VALUES_REQ = {"minItems": 1, "items": {"properties": {"sampledValue": _NOT_EMPTY | {"items": _NO_HERTZ}}}}

# What the specification says beside the schemas: OCPP 1.6 chapter 6, field by field, and 3.8 for connector numbers.
# transactionId has no minimum (errata 3.18 makes -1 legal), nor has listVersion in GetLocalListVersion.conf
# (5.10: -1 means not supported); in SendLocalList.req errata 3.52 forbids 0 and -1.
OVERLAY: dict[str, dict[str, Any]] = {
    "BootNotification.conf": {"interval": _NOT_NEGATIVE},
    "ChangeAvailability.req": {"connectorId": _NOT_NEGATIVE},
    "ClearChargingProfile.req": {"connectorId": _NOT_NEGATIVE, "stackLevel": _NOT_NEGATIVE},
    "ExtendedTriggerMessage.req": {"connectorId": _NOT_NEGATIVE},
    "GetCompositeSchedule.req": {"connectorId": _NOT_NEGATIVE, "duration": _NOT_NEGATIVE},
    "GetCompositeSchedule.conf": {"connectorId": _NOT_NEGATIVE, "chargingSchedule": _SCHEDULE},
    "GetDiagnostics.req": {"retries": _NOT_NEGATIVE, "retryInterval": _NOT_NEGATIVE},
    "GetLog.req": {"retries": _NOT_NEGATIVE, "retryInterval": _NOT_NEGATIVE},
    "MeterValues.req": {"connectorId": _NOT_NEGATIVE, "meterValue": _METER_VALUES_REQ},
    "RemoteStartTransaction.req": {"connectorId": _POSITIVE, "chargingProfile": _PROFILE},
    "ReserveNow.req": {"connectorId": _NOT_NEGATIVE},
    "SendLocalList.req": {"listVersion": _POSITIVE},
    "SetChargingProfile.req": {"connectorId": _NOT_NEGATIVE, "csChargingProfiles": _PROFILE},
    "SignedUpdateFirmware.req": {"retries": _NOT_NEGATIVE, "retryInterval": _NOT_NEGATIVE},
    "StartTransaction.req": {"connectorId": _POSITIVE},
    "StatusNotification.req": {"connectorId": _NOT_NEGATIVE},
    "StopTransaction.req": {"transactionData": _METER_VALUES},
    "TriggerMessage.req": {"connectorId": _NOT_NEGATIVE},  # 6.51 has it above 0, 5.17 asks with 0 for a report
    "UnlockConnector.req": {"connectorId": _POSITIVE},
    "UpdateFirmware.req": {"retries": _NOT_NEGATIVE, "retryInterval": _NOT_NEGATIVE},
}

# Table 7 of OCPP-J does not map every fault to one code: the code that we send first, then those that a peer may
# send as well.
CODES: dict[str, tuple[ErrorCode, ...]] = {
    "type": (
        ErrorCode.TYPE_CONSTRAINT_VIOLATION,
        ErrorCode.FORMATION_VIOLATION,
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    ),
    "required": (ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, ErrorCode.PROTOCOL_ERROR, ErrorCode.FORMATION_VIOLATION),
    "additionalProperties": (
        ErrorCode.FORMATION_VIOLATION,
        ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
        ErrorCode.PROTOCOL_ERROR,
    ),
    "minItems": (ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
    "depth": (ErrorCode.FORMATION_VIOLATION, ErrorCode.PROTOCOL_ERROR),
    "format": (
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        ErrorCode.TYPE_CONSTRAINT_VIOLATION,
        ErrorCode.FORMATION_VIOLATION,
    ),
}
_ANY_OTHER = (
    ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    ErrorCode.FORMATION_VIOLATION,
    ErrorCode.TYPE_CONSTRAINT_VIOLATION,
)


# Values out of an enumeration for which there is a status, so that the receiver itself has to answer them. 5.17, and
# white paper 6.17: the Charge Point returns NotImplemented for an unknown message.
_FOR_A_STATUS = {
    ("ExtendedTriggerMessage.req", "requestedMessage", "enum"),
    ("TriggerMessage.req", "requestedMessage", "enum"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a payload is wrong.

    ``path``: dotted, with list positions in brackets; ``kind``: the schema keyword; ``source``: ``schema`` or
    ``overlay``; ``severe``: false for what errata or lenience let pass with a remark.
    """

    path: str
    kind: str
    text: str
    source: str
    severe: bool = True

    @property
    def code(self) -> ErrorCode:
        """The CALLERROR that fits best."""
        return self.codes[0]

    @property
    def codes(self) -> tuple[ErrorCode, ...]:
        """Every CALLERROR that fits, the best first."""
        return CODES.get(self.kind, _ANY_OTHER)

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.text}"


def faults(action: str, kind: Kind, payload: Payload) -> list[Fault]:
    """Every fault of a payload, those of the schema first. Raises ``KeyError`` for an action unknown to OCPP 1.6."""
    found = []
    for source, validator in _validators(action, kind):
        try:
            found += [_fault(error, source) for error in validator.iter_errors(payload)]
        except ValueError:  # the validator goes some 250 levels down; no message of OCPP has ten
            return [Fault("", "depth", "the payload is nested too deeply", source)]
    return found


def severe(found: list[Fault]) -> list[Fault]:
    """The faults for which a payload must be refused."""
    return [fault for fault in found if fault.severe]


@cache
def schema(action: str, kind: Kind) -> dict[str, Any]:
    """The shipped JSON schema of a message, read once. Raises ``KeyError`` for an action unknown to OCPP 1.6."""
    if action not in ACTIONS:
        raise KeyError(action)
    name = f"{action}.json" if kind == "req" else f"{action}{_RESPONSE}"
    shipped: dict[str, Any] = json.loads((_SHIPPED / name).read_text(encoding="utf-8-sig"))
    return shipped


@cache
def _validators(action: str, kind: Kind) -> list[tuple[str, Any]]:
    validators = [("schema", jsonschema_rs.validator_for(schema(action, kind), validate_formats=True))]
    if overlay := OVERLAY.get(f"{action}.{kind}"):
        validators.append(("overlay", jsonschema_rs.Draft4Validator({"properties": overlay})))
    return validators


def _fault(error: jsonschema_rs.ValidationError, source: str) -> Fault:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path).lstrip(".")
    # Enumerations of the shipped schemas allow no additional properties; where an object stands in the place of one,
    # jsonschema_rs has a name of its own for that.
    kind = "additionalProperties" if error.kind.name == "falseSchema" else error.kind.name
    return Fault(path, kind, _shortened(error.message), source, severe=not _tolerated(path, kind, error))


def _tolerated(path: str, kind: str, error: jsonschema_rs.ValidationError) -> bool:
    if kind in ("enum", "not") and path.endswith(".unit"):
        # Errata 3.86: the unit of Frequency is Hertz, though no enumeration of 1.6 holds it. OCPP-J errata 2.1: both
        # spellings of Celsius are valid, whatever an older schema file says.
        return error.instance in ("Hertz", "Celsius", "Celcius")
    # 3.15 asks for ISO 8601, which knows more forms than the RFC 3339 of the schemas, one without an offset included.
    return kind == "format" and isinstance(error.instance, str) and _is_iso_8601(error.instance)


def _is_iso_8601(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return "T" in text


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:197]}..."


def check(action: str, kind: Kind, payload: Payload, unique_id: str) -> list[Fault]:
    """The faults of a payload that can be processed; raises ``RemoteViolation`` with a fitting code for the others."""
    found = faults(action, kind, payload)
    if bad := [fault for fault in severe(found) if (f"{action}.{kind}", fault.path, fault.kind) not in _FOR_A_STATUS]:
        text = "; ".join(str(fault) for fault in bad[:3])
        raise RemoteViolation(f"4.2, {action}.{kind}", text, unique_id=unique_id, code=bad[0].code)
    return found
