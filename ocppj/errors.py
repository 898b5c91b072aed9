"""What can go wrong on the wire, and whose fault it is.

``LocalMisuse`` is a bug of ours. ``RemoteViolation`` is a finding about the peer. ``CallFailed`` and its kinds are
the ways in which a CALL of ours can end without a CALLRESULT.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ErrorCode(StrEnum):
    """The errorCode of a CALLERROR, as OCPP-J 1.6 table 7 spells it (errata 5.1 and 5.2 keep both slips)."""

    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    SECURITY_ERROR = "SecurityError"
    FORMATION_VIOLATION = "FormationViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    OCCURENCE_CONSTRAINT_VIOLATION = "OccurenceConstraintViolation"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    GENERIC_ERROR = "GenericError"


# The spellings of OCPP 2.0 and of corrected libraries, which a 1.6 peer may use by mistake.
CORRECTED_SPELLINGS = {
    "FormatViolation": ErrorCode.FORMATION_VIOLATION,
    "OccurrenceConstraintViolation": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
}


def canonical_code(code: str) -> str:
    """The 1.6 spelling of an errorCode; an unknown code stays as it is."""
    return str(CORRECTED_SPELLINGS.get(code, code))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a peer did that a clause forbids (``severe``: SHALL, MUST) or advises against (a remark)."""

    clause: str
    text: str
    severe: bool = True


class LocalMisuse(Exception):
    """Our own code broke a rule of the wire: a bug here, never a finding about the peer."""


class RemoteViolation(Exception):
    """A frame that cannot be understood.

    ``unique_id`` is the frame's id if it could be read, ``message_type`` its number likewise; ``code`` is the
    CALLERROR that a malformed CALL deserves.
    """

    def __init__(
        self,
        clause: str,
        text: str,
        *,
        unique_id: str | None = None,
        message_type: int | None = None,
        code: ErrorCode = ErrorCode.FORMATION_VIOLATION,
    ) -> None:
        super().__init__(f"{text} (OCPP-J {clause})")
        self.finding = Finding(clause, text)
        self.unique_id = unique_id
        self.message_type = message_type
        self.code = code


class CallFailed(Exception):
    """A CALL of ours that did not end in a CALLRESULT we can use."""


class Refused(CallFailed):
    """The peer answered CALLERROR. Handlers raise it too, to have a CALLERROR sent."""

    def __init__(self, code: str, description: str = "", details: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code
        self.description = description
        self.details = details or {}


class Unanswered(CallFailed):
    """No answer within the message time-out (4.1.1)."""


class Disconnected(CallFailed):
    """The connection ended before the answer came."""


class BadAnswer(CallFailed):
    """A CALLRESULT came whose payload is not of its action."""
