"""A small Central System on the router of the ``ocpp`` package.

    python central_system.py [--valid IDTAG]... [--blocked IDTAG]... [--expired IDTAG]... [--fault FAULT]

The first line it prints names two ports on 127.0.0.1: that of the Charge Points, and that of its control connection.
The latter takes one {"charge_point", "action", "payload"} per line, sends that request, and answers with one line,
{"answer": "done" | "cannot" | "failed", "words"}, when the Charge Point has responded.

What the package does and does not do is left as it is: one request after the other, NotImplemented for actions without
a handler, NotSupported for unknown ones, and nothing at all in reply to what is no OCPP message.
"""

import argparse
import asyncio
import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from ocpp import routing
from ocpp.charge_point import camel_to_snake_case
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

ACCEPTS_EVERY_ID_TAG = "accepts-every-idTag"  # whatever it knows of it
SILENT_ABOUT_STATUS = "silent-about-status"  # StatusNotification.req is never answered
MALFORMED_STOP = "malformed-stop"  # an idTagInfo without its status in StopTransaction.conf
FAULTS = (ACCEPTS_EVERY_ID_TAG, SILENT_ABOUT_STATUS, MALFORMED_STOP)

Handler = TypeVar("Handler", bound=Callable[..., Any])
on: Callable[[str], Callable[[Handler], Handler]] = routing.on  # ocpp ships no types

transaction_ids = itertools.count(1)
reservation_ids = itertools.count(1)


class ConnectedChargePoint(ChargePoint):  # type: ignore[misc]  # ocpp ships no types
    """One connection, and what the Central System answers on it."""

    def __init__(self, identity: str, websocket: ServerConnection, id_tags: dict[str, str], fault: str | None) -> None:
        super().__init__(identity, websocket)
        self.id_tags = id_tags
        self.fault = fault
        self.route_map[Action.stop_transaction]["_skip_schema_validation"] = fault == MALFORMED_STOP

    async def route_message(self, raw: str) -> None:
        if self.fault != SILENT_ABOUT_STATUS or Action.status_notification not in raw:
            await super().route_message(raw)

    def id_tag_info(self, id_tag: str) -> dict[str, str]:
        accepts = self.fault == ACCEPTS_EVERY_ID_TAG
        return {"status": "Accepted" if accepts else self.id_tags.get(id_tag, "Invalid")}

    @on(Action.boot_notification)
    def boot(self, **_: Any) -> Any:
        return call_result.BootNotification(now(), 300, RegistrationStatus.accepted)

    @on(Action.heartbeat)
    def heartbeat(self) -> Any:
        return call_result.Heartbeat(now())

    @on(Action.status_notification)
    def status(self, **_: Any) -> Any:
        return call_result.StatusNotification()

    @on(Action.meter_values)
    def meter_values(self, **_: Any) -> Any:
        return call_result.MeterValues()

    @on(Action.authorize)
    def authorize(self, id_tag: str) -> Any:
        return call_result.Authorize(self.id_tag_info(id_tag))

    @on(Action.start_transaction)
    def start_transaction(self, id_tag: str, **_: Any) -> Any:
        return call_result.StartTransaction(next(transaction_ids), self.id_tag_info(id_tag))

    @on(Action.stop_transaction)
    def stop_transaction(self, id_tag: str | None = None, **_: Any) -> Any:
        info = {} if self.fault == MALFORMED_STOP else self.id_tag_info(id_tag) if id_tag else None
        return call_result.StopTransaction(info)


class CentralSystem:
    """Who is connected, and what is sent to whom."""

    def __init__(self, id_tags: dict[str, str], fault: str | None) -> None:
        self.id_tags = id_tags
        self.fault = fault
        self.connected: dict[str, ConnectedChargePoint] = {}

    async def attend(self, websocket: ServerConnection) -> None:
        assert websocket.request is not None
        identity = websocket.request.path.rpartition("/")[2]
        self.connected[identity] = ConnectedChargePoint(identity, websocket, self.id_tags, self.fault)
        with suppress(ConnectionClosed):
            await self.connected[identity].start()

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            answer, words = await self.send(json.loads(line))
            writer.write(json.dumps({"answer": answer, "words": words}).encode() + b"\n")
        writer.close()

    async def send(self, request: dict[str, Any]) -> tuple[str, str]:
        identity, action = request["charge_point"], request["action"]
        if identity not in self.connected:
            return "failed", f"{identity} is not connected"
        if not hasattr(call, action):
            return "cannot", f"this Central System has no {action}"
        fields = camel_to_snake_case(request["payload"])
        if action == "ReserveNow":
            fields.setdefault("reservation_id", next(reservation_ids))  # 6.39: it is the Central System that chooses
        try:
            await self.connected[identity].call(getattr(call, action)(**fields))
        except Exception as error:
            return "failed", f"{action}: {error!r}"
        return "done", ""


def now() -> str:
    return datetime.now(UTC).isoformat()


async def main() -> None:
    options = argparse.ArgumentParser()
    for status in ("valid", "blocked", "expired"):
        options.add_argument(f"--{status}", action="append", default=[], metavar="IDTAG")
    options.add_argument("--fault", choices=FAULTS)
    given = options.parse_args()
    known = {"Accepted": given.valid, "Blocked": given.blocked, "Expired": given.expired}
    id_tags = {id_tag: status for status, of_status in known.items() for id_tag in of_status}
    central_system = CentralSystem(id_tags, given.fault)
    listening = await serve(central_system.attend, "127.0.0.1", 0, subprotocols=[Subprotocol("ocpp1.6")])
    control = await asyncio.start_server(central_system.control, "127.0.0.1", 0)
    ports = [next(iter(server.sockets)).getsockname()[1] for server in (listening, control)]
    print(*ports, flush=True)
    await control.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
