"""A transcript read as attempts to connect: what TLS, HTTP Basic authentication and the WebSocket came to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ocppj.transcript import Record

SWITCHING_PROTOCOLS = 101

# What the bench does to the connection, and whether there is none from then on.
CUTTING = {"lose_connection": True, "lose_power": True, "restore_connection": False, "regain_power": False}


@dataclass(frozen=True, slots=True)
class Opening:
    """One attempt to connect, at its place in the transcript; ``tls`` and ``auth`` are the facts told of it, if any."""

    index: int
    record: Record
    tls: dict[str, Any]
    auth: dict[str, Any]

    @property
    def is_granted(self) -> bool:
        """Whether a WebSocket was opened, and not given up: without a subprotocol, or with one that was not offered."""
        is_open = self.status == SWITCHING_PROTOCOLS and "failure" not in self.record
        return is_open and self.record.get("subprotocol") is not None

    @property
    def status(self) -> int | None:
        """The HTTP status; None if there was no answer of HTTP."""
        status: int | None = self.record.get("status")
        return status

    @property
    def security_profile(self) -> int:
        """The security profile that it was made with."""
        return int(self.auth.get("securityProfile") or 0)

    def __str__(self) -> str:
        if self.is_granted:
            return f"connected with security profile {self.security_profile}"
        words = str(self.record.get("failure") or self.tls.get("failure") or "no subprotocol is agreed")
        return words if self.status is None else f"HTTP {self.status}: {words}"


def openings(records: Sequence[Record], start: int = 0) -> Iterator[Opening]:
    """The attempts to connect that were made from a place on, in their order."""
    tls: dict[str, Any] = {}
    auth: dict[str, Any] = {}
    for index in range(start, len(records)):
        record = records[index]
        match record["kind"]:
            case "tls" if "failure" in record and not record["chargePointId"]:  # nobody knows who it was
                yield Opening(index, record, record, {})
            case "tls":
                tls = record
            case "auth":
                auth = record
            case "connect" if record.get("event") == "opening":
                yield Opening(index, record, tls, auth)
                tls, auth = {}, {}


def latest_connection(records: Sequence[Record], before: int | None = None) -> Opening | None:
    """The attempt that led to the connection that stands at a place, or at the end."""
    granted = [opening for opening in openings(records[:before]) if opening.is_granted]
    return granted[-1] if granted else None


@dataclass(frozen=True, slots=True)
class Departure:
    """The end of the last connection that there was, at its place in the transcript; nobody has cut it on purpose.

    ``refusal``: what came of the latest attempt to make another, empty if there was none.
    """

    index: int
    record: Record
    refusal: str = ""

    @property
    def code(self) -> object:
        """The close code of the WebSocket: 1006 if it just ended (RFC 6455, 7.4.1)."""
        return self.record.get("code")


def departure(records: Sequence[Record], *, was_open: bool) -> Departure | None:
    """How the connection ended, if there is none now; None too if the bench has cut it, or the power.

    ``was_open``: whether there was one when the transcript began.
    """
    attempts = {opening.index: opening for opening in openings(records)}
    standing, last, refusal, is_cut = int(was_open), None, "", False
    for index, record in enumerate(records):
        if record["kind"] == "stimulus" and record["action"] in CUTTING:
            is_cut = CUTTING[record["action"]]
        elif (opening := attempts.get(index)) is not None:
            standing += opening.is_granted
            refusal = "" if opening.is_granted else str(opening)
        elif record.get("event") == "closed":
            standing, last = standing - 1, index
    if standing > 0 or last is None or is_cut:
        return None
    return Departure(last, records[last], refusal)
