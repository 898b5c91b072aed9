"""Devices that do nothing sensible: whoever passes a test case against them has a reason, or the case is worthless."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, serve
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from bench.operators import Outcome, Request
from ocppj.clock import timestamp
from ocppj.schemas import schema

OCPP = Subprotocol("ocpp1.6")
PAUSE = 10.0  # seconds before a Charge Point connects again
RUBBISH: tuple[str | bytes, ...] = (
    "",
    "no JSON",
    "[",
    "{}",
    "[]",
    "[2]",
    '[3,"nobody",{}]',
    '[9,"x",{}]',
    b"\xff\xfe",
    '[2,"1","Nonsense",{}]',
)

Reply = Callable[[str | bytes], Iterable[str | bytes]]


@dataclass(frozen=True, slots=True)
class Null:
    """What such a device sends back at whatever comes; None: it closes every connection at once."""

    reply: Reply | None

    async def attend(self, websocket: Connection) -> None:
        """Be one end of a connection until it ends."""
        with suppress(WebSocketException):
            if self.reply is None:
                await websocket.close()
                return
            async for text in websocket:
                for answer in self.reply(text):
                    await websocket.send(answer)


def _asked(text: str | bytes) -> tuple[str, str] | None:
    """The unique id and the action of a CALL."""
    with suppress(ValueError):
        message = json.loads(text)
        if isinstance(message, list) and len(message) == 4 and message[0] == 2:
            return message[1], message[2]
    return None


def nothing(_: str | bytes) -> Iterator[str]:
    """No answer at all."""
    yield from ()


def echo(text: str | bytes) -> Iterator[str | bytes]:
    """Whatever comes is sent back."""
    yield text


def empty(text: str | bytes) -> Iterator[str]:
    """Every request is answered, with nothing."""
    if asked := _asked(text):
        yield json.dumps([3, asked[0], {}])


def agreeable(text: str | bytes) -> Iterator[str]:
    """Every request is answered as its schema wants, and Accepted wherever that is a word of it."""
    if asked := _asked(text):
        yield json.dumps([3, asked[0], _agreeing(schema(asked[1], "conf"))])


def _agreeing(wanted: dict[str, Any]) -> Any:
    if "enum" in wanted:
        return "Accepted" if "Accepted" in wanted["enum"] else wanted["enum"][0]
    match wanted.get("type"):
        case "object":
            return {name: _agreeing(wanted["properties"][name]) for name in wanted.get("required", ())}
        case "array":
            return [_agreeing(wanted["items"])]
        case "integer" | "number":
            return 1
        case "boolean":
            return True
    return timestamp() if wanted.get("format") == "date-time" else "x"


_rubbish = cycle(RUBBISH)


def rubbish(_: str | bytes) -> Iterator[str | bytes]:
    """What is no message of OCPP-J, or one that nobody has asked for."""
    yield next(_rubbish)


NULLS = {
    "silent": Null(nothing),
    "echoing": Null(echo),
    "empty": Null(empty),
    "agreeable": Null(agreeable),
    "closing": Null(None),
    "babbling": Null(rubbish),
}


class Yes:
    """An operator who has done whatever is asked of him."""

    async def ask(self, request: Request) -> Outcome:
        return Outcome("done")


async def null_central_system(null: Null) -> Server:
    """Such a Central System on a port of 127.0.0.1."""
    return await serve(null.attend, "127.0.0.1", 0, subprotocols=[OCPP], ping_interval=None)


async def null_charge_point(null: Null, url: str) -> None:
    """Such a Charge Point, which connects again and again until it is cancelled."""
    while True:
        with suppress(OSError, WebSocketException):
            async with connect(url, subprotocols=[OCPP], ping_interval=None, proxy=None) as websocket:
                await null.attend(websocket)
        await asyncio.sleep(PAUSE)
