"""Every request of OCPP 1.6 with each of its fields wrong in each way, and the CALLERRORs that fit.

Made from the JSON schemas of the ``ocpp`` package, nested fields included, so that no field can be forgotten. What the
specification demands beside the schemas is in ``LEAST``: a number that stands in no table there fails the tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ocppj.errors import ErrorCode
from ocppj.frames import Payload
from ocppj.schemas import schema
from tests.ocppj.payloads import Path, full, put

# OCPP-J 1.6 table 7 does not map every fault to one code: what we send, then what fits as well.
FITTING: dict[str, tuple[ErrorCode, ...]] = {
    # «Field violates occurrence constraints»; «Payload for Action is incomplete»; «not conform the PDU structure»
    "missing": (
        ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
        ErrorCode.PROTOCOL_ERROR,
        ErrorCode.FORMATION_VIOLATION,
    ),
    # «Not conform the PDU structure»; errata 3.2 of OCPP-J: it is not allowed to add fields, in inner objects neither
    "unknown": (
        ErrorCode.FORMATION_VIOLATION,
        ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
        ErrorCode.PROTOCOL_ERROR,
    ),
    # «Violates data type constraints»
    "null": (
        ErrorCode.TYPE_CONSTRAINT_VIOLATION,
        ErrorCode.FORMATION_VIOLATION,
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    ),
    "of another type": (
        ErrorCode.TYPE_CONSTRAINT_VIOLATION,
        ErrorCode.FORMATION_VIOLATION,
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    ),
    # «At least one field contains an invalid value»; of an enumeration errata 3.38 says so
    "too long": (
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        ErrorCode.FORMATION_VIOLATION,
        ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    ),
    "not in the enumeration": (
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        ErrorCode.FORMATION_VIOLATION,
        ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    ),
    "no date-time": (
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        ErrorCode.TYPE_CONSTRAINT_VIOLATION,
        ErrorCode.FORMATION_VIOLATION,
    ),
    "no URI": (
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        ErrorCode.TYPE_CONSTRAINT_VIOLATION,
        ErrorCode.FORMATION_VIOLATION,
    ),
    "out of range": (
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        ErrorCode.FORMATION_VIOLATION,
        ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    ),
    "finer than a tenth": (
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        ErrorCode.FORMATION_VIOLATION,
        ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    ),
    "empty": (ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
}

# The least value of a number by its field: chapter 6. None: any number is lawful.
LEAST: dict[str, int | None] = {
    "connectorId": 0,  # 3.8
    "chargingProfileId": None,
    "duration": 0,  # seconds
    "id": None,
    "limit": 0,
    "listVersion": 1,  # 6.41 with errata 3.52: neither 0 nor -1
    "meterStart": None,  # 6.45: as the meter is read
    "meterStop": None,
    "minChargingRate": None,
    "numberPhases": 1,
    "requestId": None,
    "reservationId": None,
    "retries": 0,
    "retryInterval": 0,
    "stackLevel": 0,  # 7.8
    "startPeriod": 0,  # 7.14
    "transactionId": None,  # errata 3.18: -1 is lawful
}
# 6.33, 6.45, 6.53: connectorId > 0. (6.51 says so too, and 5.17 asks with 0 for the report of the Charge Point.)
ABOVE_ZERO = ("RemoteStartTransaction", "StartTransaction", "UnlockConnector")

# Lists that must hold something although their schema lets them be empty: 7.13, 7.33 (1..*).
NOT_EMPTY = ("chargingSchedulePeriod", "sampledValue")

NOT_TIMES = ("yesterday", "", "2031-02-30T00:00:00Z", "2031-05-13", "1936687277")
NOT_URIS = ("a b", "no-scheme", "")
OF_EACH_TYPE: tuple[Any, ...] = (5, 0.5, "text", "5", True, [], {}, [{}])
HUGE = (2**31, -(2**31) - 1, 2**63, 10**30)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A request with one fault. ``fault``: a key of ``FITTING``; ``path``: where, with list positions."""

    fault: str
    path: str
    payload: Payload

    @property
    def best(self) -> ErrorCode:
        """The code that we send."""
        return FITTING[self.fault][0]

    @property
    def fitting(self) -> tuple[ErrorCode, ...]:
        """The codes that anyone may send."""
        return FITTING[self.fault]


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a whole request: where it is, what it holds and the part of the schema about it."""

    path: Path
    value: Any
    part: dict[str, Any]

    @property
    def name(self) -> str:
        return next((str(step) for step in reversed(self.path) if isinstance(step, str)), "")


def wrong_requests(action: str) -> Iterator[Wrong]:
    """Every request of an action that has one fault."""
    whole = full(action, "req")
    for field in _fields(action, whole):
        for faulty in (_around(field), _types(field), _values(action, field)):
            for fault, value in faulty:
                yield Wrong(fault, _dotted(field.path), put(whole, field.path, value))


def huge_requests(action: str) -> Iterator[tuple[str, Payload]]:
    """Every request of an action with a number that no computer word holds, and is none the less a lawful one."""
    whole = full(action, "req")
    for field in _fields(action, whole):
        for number in HUGE if field.part.get("type") in ("integer", "number") else ():
            least = _least(action, field.name)
            if least is None or number >= least:
                yield _dotted(field.path), put(whole, field.path, number)


def _fields(action: str, whole: Payload) -> Iterator[_Field]:
    """The request itself, its fields, and theirs."""
    described = schema(action, "req")

    def walk(path: Path, value: Any, part: dict[str, Any]) -> Iterator[_Field]:
        if "$ref" in part:
            part = described["definitions"][part["$ref"].rpartition("/")[2]]
        yield _Field(path, value, part)
        if isinstance(value, dict):
            assert value.keys() == part.get("properties", {}).keys()
            for name in value:
                yield from walk((*path, name), value[name], part["properties"][name])
        if isinstance(value, list):
            yield from walk((*path, 0), value[0], part["items"])

    return walk((), whole, described)


def _around(field: _Field) -> Iterator[tuple[str, Any]]:
    """What may be wrong with the names in an object."""
    value = field.value
    if not isinstance(value, dict):
        return
    for name in field.part.get("required", []):
        yield "missing", {each: value[each] for each in value if each != name}
    yield "unknown", value | {"unknownField": 1}
    yield "unknown", value | {"": None}
    for name in value.keys() - set(field.part.get("required", [])):
        yield "unknown", {each.upper() if each == name else each: value[each] for each in value}


def _types(field: _Field) -> Iterator[tuple[str, Any]]:
    if not field.path:
        return  # a payload that is no object is no CALL at all (OCPP-J 4.2.1)
    yield "null", None
    for other in OF_EACH_TYPE:
        if _type_of(other) not in _ALLOWED[field.part["type"]]:
            yield "of another type", other


_ALLOWED = {
    "array": ("array",),
    "boolean": ("boolean",),
    "integer": ("integer",),
    "number": ("integer", "number"),
    "object": ("object",),
    "string": ("string",),
}


def _type_of(value: Any) -> str:
    names: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


def _values(action: str, field: _Field) -> Iterator[tuple[str, Any]]:
    part, value = field.part, field.value
    if "enum" in part:
        for word in (value.swapcase(), "", f"{value} ", "NoSuchWord"):
            yield "not in the enumeration", word
    if "maxLength" in part:
        yield "too long", "x" * (part["maxLength"] + 1)
        yield "too long", "é" * (part["maxLength"] + 1)
        yield "too long", "x" * 100_000
    formats: dict[str, tuple[str, tuple[str, ...]]] = {
        "date-time": ("no date-time", NOT_TIMES),
        "uri": ("no URI", NOT_URIS),
    }
    if isinstance(part.get("format"), str):
        fault, texts = formats[part["format"]]
        for text in texts:
            yield fault, text
    if "multipleOf" in part:
        for number in (16.05, 0.01, 1e-9):
            yield "finer than a tenth", number
    if part.get("type") in ("integer", "number") and (least := _least(action, field.name)) is not None:
        for number in (least - 1, -(2**31) - 1, -(10**30)):
            yield "out of range", number
    if isinstance(value, list) and (part.get("minItems") or field.name in NOT_EMPTY):
        yield "empty", []


def _least(action: str, name: str) -> int | None:
    return 1 if name == "connectorId" and action in ABOVE_ZERO else LEAST[name]


def _dotted(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
