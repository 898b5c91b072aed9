"""A Charge Point, a small Central System and the wire between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ocppj.clock import timestamp
from ocppj.connection import Admission, Listening, ServerSocket, drop, listen
from ocppj.frames import Call, Payload
from ocppj.peer import Conf, Peer, Script, counted_ids
from ocppj.transcript import Record, Transcript
from simulator.charge_point import ChargePoint

QUIET = {"MeterValueSampleInterval": "0", "WebSocketPingInterval": "0"}  # for tests about something else


def conf(**payload: Any) -> Conf:
    """The scripted answer with these fields."""
    return Conf(lambda: payload)


class CentralSystem:
    """Answers as it is told to; ``id_tags`` holds the IdTagInfo of those that are not simply Accepted."""

    def __init__(self) -> None:
        self.script = Script()
        self.peer: Peer | None = None
        self.id_tags: dict[str, Payload] = {}
        self.interval = 86_400
        self._transactions = 0
        self._ids = counted_ids("CS")
        self._server: Listening | None = None

    async def open(self, port: int = 0) -> str:
        self._server = await listen(
            "127.0.0.1", port, admits=lambda _: Admission(HTTPStatus.SWITCHING_PROTOCOLS), serve_connection=self._serve
        )
        return f"ws://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        assert self._server is not None
        return self._server.port

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    async def _serve(self, websocket: ServerSocket) -> None:
        self.peer = Peer(
            websocket,
            party="Central System",
            identity=websocket.identity,
            handle=self._handle,
            unique_ids=self._ids,
            script=self.script,
        )
        await self.peer.run()

    async def _handle(self, call: Call) -> Payload:
        match call.action:
            case "BootNotification":
                return {"status": "Accepted", "currentTime": timestamp(), "interval": self.interval}
            case "Heartbeat":
                return {"currentTime": timestamp()}
            case "Authorize":
                return {"idTagInfo": self._info(call.payload["idTag"])}
            case "StartTransaction":
                self._transactions += 1
                return {"transactionId": self._transactions, "idTagInfo": self._info(call.payload["idTag"])}
            case "DataTransfer":
                return {"status": "Accepted"}
            case "StopTransaction" if "idTag" in call.payload:
                return {"idTagInfo": self._info(call.payload["idTag"])}
        return {}

    def _info(self, id_tag: str) -> Payload:
        return self.id_tags.get(id_tag.lower(), {"status": "Accepted"})

    async def call(self, action: str, /, **payload: Any) -> Payload:
        assert self.peer is not None
        return await self.peer.call(action, payload)

    async def say(self, text: str) -> None:
        assert self.peer is not None
        await self.peer.send_text(text)

    async def hang_up(self) -> None:
        assert self.peer is not None
        await drop(self.peer.websocket)


@dataclass
class Seen:
    """A frame of the Charge Point: ``at`` is loop time; ``action`` of an answer is that of the CALL, with .conf."""

    at: float
    action: str
    payload: Payload

    def __str__(self) -> str:
        told = [self.payload.get(name) for name in ("connectorId", "status", "reason")]
        return " ".join(
            [self.action, *(str(value) for value in told if value is not None and self.action not in _PLAIN)]
        )


_PLAIN = ("StartTransaction", "MeterValues")


class Scene:
    """What happens, and what was seen of it on the wire."""

    def __init__(self, charge_point: ChargePoint, central_system: CentralSystem, transcript: Transcript) -> None:
        self.charge_point = charge_point
        self.central_system = central_system
        self.endpoint = ""
        self.seen: list[Seen] = []
        self.connects: list[tuple[float, Record]] = []
        self._asked: dict[str, str] = {}
        transcript.listeners.append(self._note)

    def _note(self, record: Record) -> None:
        now = asyncio.get_running_loop().time()
        if record["kind"] == "connect":
            self.connects.append((now, record))
        if record["kind"] != "frame":
            return
        kind, ours = record["messageType"], record["direction"] == "cp-to-csms"
        if kind == "CALL" and ours:
            self.seen.append(Seen(now, record["action"], record["payload"]))
        elif kind == "CALL":
            self._asked[record["messageId"]] = record["action"]
        elif ours and kind == "CALLRESULT":
            self.seen.append(Seen(now, f"{self._asked[record['messageId']]}.conf", record["payload"]))
        elif ours and kind == "CALLERROR":
            self.seen.append(Seen(now, f"{self._asked[record['messageId']]} {record['error']['code']}", {}))

    def calls(self, action: str) -> list[Seen]:
        """The requests of the Charge Point with this action."""
        return [seen for seen in self.seen if seen.action == action]

    def story(self) -> list[str]:
        """What the Charge Point sent since it was last asked, in a few words each."""
        told = [str(seen) for seen in self.seen]
        self.seen.clear()
        return told

    async def pass_time(self, seconds: float = 0.001) -> None:
        """Let time pass; everything that is under way comes to rest first."""
        await asyncio.sleep(seconds)

    async def change(self, **values: object) -> None:
        """Change configuration keys over the wire; nothing of it stays in the story."""
        for key, value in values.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            conf = await self.central_system.call("ChangeConfiguration", key=key, value=text)
            assert conf == {"status": "Accepted"}, (key, value, conf)
        self.seen = [seen for seen in self.seen if not seen.action.startswith("ChangeConfiguration")]

    async def charge(self, connector: int = 1, id_tag: str = "CAFE") -> None:
        """A transaction is running; nothing of it stays in the story."""
        await self.charge_point.plug_in(connector)
        await self.charge_point.present(id_tag, connector)
        await self.pass_time()
        assert self.charge_point.connectors[connector].status == "Charging"
        self.seen.clear()

    async def ask(self, action: str, /, **payload: Any) -> Payload:
        """Send a request as the Central System, and let happen what follows."""
        conf = await self.central_system.call(action, **payload)
        await self.pass_time()
        return conf

    async def ask_later(self, action: str, /, **payload: Any) -> None:
        """Give it time to connect, send a request as the Central System and watch for a while."""
        await self.pass_time(2)
        await self.ask(action, **payload)
        await self.pass_time(10)


@asynccontextmanager
async def scene(
    *, boots: bool = True, configuration: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[Scene]:
    """A Charge Point that has booted and told its status. At the end nothing may have gone wrong inside it."""
    transcript = Transcript()
    central_system = CentralSystem()
    charge_point = ChargePoint(transcript=transcript, unique_ids=counted_ids("CP"), **options)
    charge_point.memory.configuration.update(QUIET if configuration is None else configuration)
    stage = Scene(charge_point, central_system, transcript)
    stage.endpoint = await central_system.open()
    try:
        if boots:
            await charge_point.power_on(stage.endpoint)
            await stage.pass_time()
            stage.seen.clear()
        yield stage
    finally:
        await charge_point.stop()
        await central_system.close()
    assert charge_point.faults == []
