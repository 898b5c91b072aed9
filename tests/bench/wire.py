"""A wire written by hand: records as a transcript holds them, at instants that the test chooses."""

import json
from datetime import timedelta
from typing import Any

from ocppj.clock import VIRTUAL_START, timestamp
from ocppj.transcript import DIRECTIONS, Party, Record, describe

CP: Party = "Charge Point"
CS: Party = "Central System"


def at(seconds: float) -> str:
    """An instant of the wire, as OCPP writes it."""
    return timestamp(VIRTUAL_START + timedelta(seconds=seconds))


class Records(list[Record]):
    """What crossed the wire; each method adds a record ``at`` so many seconds after the beginning."""

    def frame(self, sender: Party, raw: str, at_s: float = 0.0, **fields: Any) -> "Records":
        """Any text."""
        record: Record = {
            "kind": "frame",
            "timestamp": at(at_s),
            "direction": DIRECTIONS[sender],
            "chargePointId": "CP1",
        }
        self.append({**record, **describe(raw), "raw": raw, **fields})
        return self

    def call(
        self, sender: Party, action: str, payload: Any = None, unique_id: str = "1", at_s: float = 0.0
    ) -> "Records":
        """A CALL."""
        return self.frame(sender, json.dumps([2, unique_id, action, {} if payload is None else payload]), at_s)

    def result(self, sender: Party, payload: Any = None, unique_id: str = "1", at_s: float = 0.0) -> "Records":
        """A CALLRESULT."""
        return self.frame(sender, json.dumps([3, unique_id, {} if payload is None else payload]), at_s)

    def error(
        self, sender: Party, code: str = "GenericError", unique_id: str = "1", at_s: float = 0.0, description: str = ""
    ) -> "Records":
        """A CALLERROR."""
        return self.frame(sender, json.dumps([4, unique_id, code, description, {}]), at_s)

    def connect(self, at_s: float = 0.0, event: str = "opening", **fields: Any) -> "Records":
        """The connection opened, or ended."""
        self.append({"kind": "connect", "timestamp": at(at_s), "chargePointId": "CP1", "event": event, **fields})
        return self

    def other(self, kind: str, at_s: float = 0.0, **fields: Any) -> "Records":
        """A record that is no frame."""
        self.append({"kind": kind, "timestamp": at(at_s), **fields})
        return self


def heartbeat_conf(at_s: float = 0.0) -> dict[str, str]:
    """A right answer to Heartbeat.req."""
    return {"currentTime": at(at_s)}


def start(connector: int = 1, at_s: float = 0.0, id_tag: str = "T") -> dict[str, Any]:
    """StartTransaction.req."""
    return {"connectorId": connector, "idTag": id_tag, "meterStart": 0, "timestamp": at(at_s)}


def stop(transaction: int = 1, at_s: float = 0.0, **more: Any) -> dict[str, Any]:
    """StopTransaction.req."""
    return {"transactionId": transaction, "meterStop": 5, "timestamp": at(at_s), **more}


def status(connector: int, value: str, at_s: float = 0.0) -> dict[str, Any]:
    """StatusNotification.req."""
    return {"connectorId": connector, "errorCode": "NoError", "status": value, "timestamp": at(at_s)}


def meter_values(at_s: float = 0.0, transaction: int | None = 1, **sampled: Any) -> dict[str, Any]:
    """MeterValues.req with one value."""
    payload: dict[str, Any] = {
        "connectorId": 1,
        "meterValue": [{"timestamp": at(at_s), "sampledValue": [{"value": "1", **sampled}]}],
    }
    if transaction is not None:
        payload["transactionId"] = transaction
    return payload
