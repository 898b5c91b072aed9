"""Hands at a Charge Point that is a program: what a person would do at it is asked for over HTTP.

``POST /charge-points/{identity}/{action}`` with the payload of the action as JSON, as the operator of kind ``http``
asks for it. 200: it was done; what the Charge Point makes of it is seen on the wire. 409: it could not be done, and
why. The first line that is printed is the port, on 127.0.0.1.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import uvicorn
from fastapi import FastAPI, HTTPException

PAUSE = 0.5  # seconds until a program that has ended of its own accord is started again: it was told to reset

PATIENCE = 20.0  # seconds after which whoever has had an idTag accepted has gone without a cable

Payload = dict[str, Any]
Hands = Mapping[str, Callable[[Payload], Awaitable[None]]]


class CannotNow(Exception):
    """It was not done, and why."""


class Mains:
    """The power supply of a program: cutting it ends the program at once, as a power cut does."""

    def __init__(self, *command: str | Path, folder: Path, terminal: int | None = None) -> None:
        """``folder``: where the program runs. ``terminal``: what it has for one; without it, nothing is typed."""
        program = shutil.which(command[0])
        if program is None:
            sys.exit(f"{command[0]} is no program that can be run")
        self._command = [str(Path(program).absolute()), *map(str, command[1:])]
        self._folder = folder
        self._terminal = subprocess.DEVNULL if terminal is None else terminal
        self._output = sys.stderr if terminal is None else terminal
        self._process: asyncio.subprocess.Process | None = None
        self._running: asyncio.Task[None] | None = None

    async def restore(self) -> None:
        """Start the program, and again whenever it ends."""
        if self._running is None:
            started = asyncio.Event()
            self._running = asyncio.create_task(self._run(started))
            await started.wait()

    async def cut(self) -> None:
        """End the program, and do not start it again. What it has started ends with it."""
        if self._running is None:
            return
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running
        self._running = None
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def restart(self) -> None:
        await self.cut()
        await self.restore()

    async def _run(self, started: asyncio.Event) -> None:
        while True:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                stdin=self._terminal,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,
            )
            started.set()
            await self._process.wait()
            await asyncio.sleep(PAUSE)


@dataclass(frozen=True, slots=True)
class Connector:
    """What a Charge Point shows of a connector: its status in OCPP's words, and the transaction that is running.

    ``id_tag``: whose transaction it is; None if that is not shown.
    """

    status: str
    runs: bool
    id_tag: str | None = None


class Panel(Protocol):
    """What a Charge Point that has neither a cable nor a reader for cards lets a person see and do instead."""

    async def look(self, connector: int) -> Connector: ...
    async def set_status(self, connector: int, status: str, error_code: str = "NoError") -> None: ...
    async def authorize(self, id_tag: str) -> bool:
        """Whether the Charge Point says that it was accepted."""
        ...

    async def start(self, connector: int, id_tag: str) -> None: ...
    async def stop(self, connector: int, reason: str, id_tag: str = "") -> None: ...


class Person:
    """Who stands at such a panel, and does there what EV drivers do at a charger.

    Until a transaction is running the status of a connector that is neither Reserved, Unavailable nor Faulted follows
    the cable and the idTag. An idTag is authorized; if it was accepted, a transaction is started once the cable is in
    as well. The idTag that has started it stops it; with any other, it is only asked about.
    """

    def __init__(self, panel: Panel, mains: Mains) -> None:
        self._panel = panel
        self._mains = mains
        self._plugged: set[int] = set()
        self._accepted: dict[int, tuple[str, float]] = {}  # connector -> the idTag that waits for the cable, since when
        self._presented: dict[int, str] = {}  # connector -> the idTag of the transaction that was started here
        self.hands: Hands = {
            "plug_in": self.plug_in,
            "unplug": self.unplug,
            "unplug_ev_side": self.unplug,
            "present": self.present,
            "fail": self.fail,
            "repair": self.repair,
            "restart": self.restart,
            "lose_power": self.lose_power,
            "regain_power": lambda _: mains.restore(),
        }

    async def plug_in(self, at: Payload) -> None:
        connector = at["connectorId"]
        self._plugged.add(connector)
        seen = await self._look(connector)
        id_tag, since = self._accepted.pop(connector, ("", 0.0))
        if seen.status == "Available":  # nobody waits any longer
            await self._panel.set_status(connector, "Preparing")
        elif id_tag and time.monotonic() - since < PATIENCE:
            await self._start(connector, id_tag)

    async def unplug(self, at: Payload) -> None:
        connector = at["connectorId"]
        self._plugged.discard(connector)
        self._accepted.pop(connector, None)
        seen = await self._look(connector)
        if seen.runs:
            await self._panel.stop(connector, "EVDisconnected")
        if seen.runs or seen.status in ("Preparing", "Finishing"):
            await self._panel.set_status(connector, "Available")

    async def present(self, at: Payload) -> None:
        connector, id_tag = at["connectorId"], at["idTag"]
        seen = await self._look(connector)
        owner = seen.id_tag or self._presented.get(connector)
        if seen.runs and owner is None:
            raise CannotNow("nothing here tells whose transaction it is")
        if seen.runs and owner == id_tag:
            await self._panel.stop(connector, "Local", id_tag)
        elif not await self._panel.authorize(id_tag) or seen.runs:
            pass
        elif connector in self._plugged:
            await self._start(connector, id_tag)
        else:
            self._accepted[connector] = id_tag, time.monotonic()
            if seen.status == "Available":
                await self._panel.set_status(connector, "Preparing")

    async def _look(self, connector: int) -> Connector:
        seen = await self._panel.look(connector)
        if not seen.runs:
            self._presented.pop(connector, None)
        return seen

    async def fail(self, at: Payload) -> None:
        await self._panel.set_status(at["connectorId"], "Faulted", at["errorCode"])

    async def repair(self, at: Payload) -> None:
        status = "Preparing" if at["connectorId"] in self._plugged else "Available"
        await self._panel.set_status(at["connectorId"], status)

    async def _start(self, connector: int, id_tag: str) -> None:
        self._presented[connector] = id_tag
        await self._panel.start(connector, id_tag)

    async def restart(self, at: Payload) -> None:
        await self.lose_power(at)
        await self._mains.restore()

    async def lose_power(self, _: Payload) -> None:
        await self._mains.cut()
        self._accepted.clear()
        self._presented.clear()


def serve(
    hands: Hands, mains: Mains, port: int = 0, watch: Callable[[], Coroutine[Any, Any, None]] | None = None
) -> None:
    """Give the device its power, answer what is asked, and cut the power when this program is ended.

    ``watch``: what goes on meanwhile.
    """
    app = FastAPI(title="Hands at a Charge Point")

    @app.post("/charge-points/{identity}/{action}")
    async def do(identity: str, action: str, payload: Payload) -> str:
        if action not in hands:
            raise HTTPException(409, f"there is nothing to {action} with at this Charge Point")
        try:
            await hands[action](payload)
        except CannotNow as reason:
            raise HTTPException(409, str(reason)) from None
        return f"{action} was done at {identity}"

    async def run() -> None:
        listening = socket.create_server(("127.0.0.1", port))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        watching = asyncio.create_task(watch()) if watch else None
        await mains.restore()
        print(listening.getsockname()[1], flush=True)
        try:
            await server.serve([listening])
        finally:
            await mains.cut()
            if watching:
                watching.cancel()

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what uvicorn hears of it, it passes on
    with suppress(KeyboardInterrupt):
        asyncio.run(run())
