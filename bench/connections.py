"""A transcript read as attempts to connect: what TLS, HTTP Basic authentication and the WebSocket came to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.messages import begins_connection
from ocppj.transcript import Record

SWITCHING_PROTOCOLS = 101


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


def connection_at(records: Sequence[Record], index: int) -> int:
    """Where the connection that stands at a place was opened; 0 if that was before the transcript begins."""
    return next((at for at in range(index, -1, -1) if begins_connection(records[at])), 0)
