"""The three frames of OCPP-J 1.6, section 4.2: text to frame and back.

``decode`` never trusts its input: what is no frame raises ``RemoteViolation``, what is a frame with blemishes comes
with ``Finding``s.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from math import isinf
from typing import Any, NoReturn

from ocppj.errors import CORRECTED_SPELLINGS, ErrorCode, Finding, RemoteViolation

MAX_UNIQUE_ID = 36  # 4.1.4, table 3

CALL, CALLRESULT, CALLERROR = 2, 3, 4  # 4.1.3, table 2

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A request (4.2.1)."""

    unique_id: str
    action: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class CallResult:
    """The answer to a request (4.2.2)."""

    unique_id: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class CallError:
    """The refusal of a request (4.2.3)."""

    unique_id: str
    code: str
    description: str = ""
    details: Payload = field(default_factory=dict)


Frame = Call | CallResult | CallError


def encode(frame: Frame) -> str:
    """The text of a frame. ASCII only, so that it is UTF-8 whatever the strings hold (4.1.2)."""
    match frame:
        case Call():
            message: list[object] = [CALL, frame.unique_id, frame.action, frame.payload]
        case CallResult():
            message = [CALLRESULT, frame.unique_id, frame.payload]
        case CallError():
            message = [CALLERROR, frame.unique_id, frame.code, frame.description, frame.details]
    return _ENCODER.encode(message)


def decode(text: str) -> tuple[Frame | None, list[Finding]]:
    """A frame and what is blameworthy about it; no frame for a message type number that nobody knows (4.1.3).

    Raises ``RemoteViolation`` for what is no frame at all.
    """
    findings: list[Finding] = []
    message = _parse(text, findings)
    if not isinstance(message, list):
        raise RemoteViolation("4.2", "the message is no JSON array")
    if not message or isinstance(message[0], bool) or not isinstance(message[0], int):
        raise RemoteViolation("4.1.3", "the message does not begin with a message type number")
    if message[0] not in (CALL, CALLRESULT, CALLERROR):
        findings.append(Finding("4.1.3", f"message type number {message[0]} is unknown: ignored"))
        return None, findings
    unique_id = _unique_id(message)
    if len(unique_id) > MAX_UNIQUE_ID:
        raise RemoteViolation(
            "4.1.4",
            f"the unique id has {len(unique_id)} characters, {MAX_UNIQUE_ID} are allowed",
            unique_id=unique_id,
            message_type=message[0],
        )
    if message[0] == CALL:
        return _call(unique_id, message, findings), findings
    if message[0] == CALLRESULT:
        return _call_result(unique_id, message, findings), findings
    return _call_error(unique_id, message, findings), findings


def _parse(text: str, findings: list[Finding]) -> object:
    try:
        message = _read(text, findings)
        # An escaped half of a surrogate pair has no UTF-8 form.
        if "\\ud" in text or "\\uD" in text:
            json.dumps(message, ensure_ascii=False).encode()
    except RecursionError:
        raise RemoteViolation("4.1.2", "the message is nested too deeply to be read") from None
    except UnicodeEncodeError:
        raise RemoteViolation("4.1.2", "the message holds half a surrogate pair, which UTF-8 cannot encode") from None
    except ValueError as error:
        raise RemoteViolation("4.1.2", f"the message is not valid JSON: {error}") from None
    return message


def _read(text: str, findings: list[Finding]) -> object:
    try:
        return _DECODER.decode(text)
    except _NamedTwice as twice:
        # RFC 8259, 4: names within an object SHOULD be unique.
        findings.append(Finding("4.1.2", f"an object names {twice} more than once", severe=False))
        return _FORGIVING_DECODER.decode(text)


class _NamedTwice(Exception):
    """An object of the message has two members of one name."""


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        raise _NamedTwice(", ".join(sorted(name for name, count in counted.items() if count > 1)[:5]))
    return members


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError(f"{digits[:40]} is out of range")
    return number


# Made once: the functions of json make one for every message that has an option.
_ENCODER = json.JSONEncoder(separators=(",", ":"))
_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_number, parse_float=_finite)
_FORGIVING_DECODER = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite)


def _unique_id(message: list[Any]) -> str:
    # Without a string there is no id to answer to: 4.2.3 wants the answer to bear exactly the id of the CALL.
    if len(message) < 2 or not isinstance(message[1], str):
        raise RemoteViolation("4.1.4", "the unique id is missing or no string", message_type=message[0])
    return message[1]


def _object(value: object, findings: list[Finding], violation: RemoteViolation) -> Payload:
    if value is None:  # 4.2.1, 4.2.2: null and {} are both possible, {} is good practice
        findings.append(Finding("4.2.1", "the empty payload is written null instead of {}", severe=False))
        return {}
    if not isinstance(value, dict):
        raise violation
    return value


def _call(unique_id: str, message: list[Any], findings: list[Finding]) -> Call:
    def violation(text: str) -> RemoteViolation:
        return RemoteViolation("4.2.1", text, unique_id=unique_id, message_type=CALL)

    if len(message) != 4:
        raise violation(f"a CALL has 4 elements, not {len(message)}")
    if not isinstance(message[2], str):
        raise violation("the action of the CALL is no string")
    return Call(unique_id, message[2], _object(message[3], findings, violation("the payload is no JSON object")))


def _call_result(unique_id: str, message: list[Any], findings: list[Finding]) -> CallResult:
    def violation(text: str) -> RemoteViolation:
        return RemoteViolation("4.2.2", text, unique_id=unique_id, message_type=CALLRESULT)

    if len(message) != 3:
        raise violation(f"a CALLRESULT has 3 elements, not {len(message)}")
    return CallResult(unique_id, _object(message[2], findings, violation("the payload is no JSON object")))


def _call_error(unique_id: str, message: list[Any], findings: list[Finding]) -> CallError:
    if len(message) < 3 or not isinstance(message[2], str):
        text = "the errorCode of the CALLERROR is missing or no string"
        raise RemoteViolation("4.2.3", text, unique_id=unique_id, message_type=CALLERROR)
    if len(message) != 5:
        findings.append(Finding("4.2.3", f"a CALLERROR has 5 elements, not {len(message)}"))
    code = message[2]
    description = message[3] if len(message) > 3 else ""
    details = message[4] if len(message) > 4 else {}
    if code in CORRECTED_SPELLINGS:
        text = f"errorCode {code} is spelt {CORRECTED_SPELLINGS[code]} in OCPP 1.6"
        findings.append(Finding("4.2.3, errata 5", text, severe=False))
    elif code not in set(ErrorCode):
        findings.append(Finding("4.2.3, table 7", f"errorCode {code!r} is not in the table"))
    if not isinstance(description, str):
        findings.append(Finding("4.2.3, table 6", "the errorDescription is no string"))
        description = ""
    if not isinstance(details, dict):
        findings.append(Finding("4.2.3, table 6", "the errorDetails are no JSON object"))
        details = {}
    return CallError(unique_id, code, description, details)
