"""Hands at ocppsim, a Charge Point for the terminal: they type its commands.

    python devices/ocppsim.py ws://127.0.0.1:9103 CP1 [--program ocppsim] [--connectors 1] [--port 8103]

It has neither a cable nor a reader for cards: a person does at its terminal what ``hands.Person`` says. A connection
that is lost it does not seek again by itself, which OCPP-J 5.4 counts on: ``connect`` is typed for it.
"""

import argparse
import asyncio
import fcntl
import os
import pty
import re
import struct
import tempfile
import termios
from pathlib import Path

from devices.hands import CannotNow, Connector, Mains, Person, serve

WIDTH, HEIGHT = 250, 50
SECONDS = 5.0  # in which the terminal says what came of a command
RETRY = 1.0  # seconds until it is told to connect once more
STARTED = "Configured WebSocket subprotocol"
CONNECTED = "Connected. Negotiated"
LOST = re.compile(r"\] (Disconnected|Connection lost)")


class Terminal:
    """The terminal of the program, and what it has said there by the log that it writes."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "ocppsim.log"
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self._read = 0

    def show(self) -> None:
        """Look at the screen from now on, so that it never fills up."""
        os.set_blocking(self.master, False)
        asyncio.get_running_loop().add_reader(self.master, self._look)

    def _look(self) -> None:
        os.read(self.master, 65536)

    def type(self, command: str) -> None:
        os.write(self.master, f"{command}\r".encode())

    def news(self) -> list[str]:
        """The lines since the last time."""
        text = self.log.read_text() if self.log.exists() else ""
        complete = text.rpartition("\n")[0]
        new, self._read = complete[self._read :], len(complete)
        return new.splitlines()


class Prompt:
    """Its command line, and what it has said."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._said: list[str] = []
        self._is_ready = False
        self._is_connected = False

    async def watch(self) -> None:
        """Keep what the terminal says, and have it connect whenever it is not connected."""
        self._terminal.show()
        asked = 0.0  # when it was told to connect, by the loop's time
        while True:
            for line in self._terminal.news():
                self._heed(line)
            now = asyncio.get_running_loop().time()
            if self._is_ready and not self._is_connected and now - asked > RETRY:
                self._terminal.type("connect")
                asked = now
            await asyncio.sleep(0.05)

    def _heed(self, line: str) -> None:
        self._said.append(line)
        if STARTED in line:
            self._is_ready, self._is_connected = True, False
        elif CONNECTED in line:
            self._is_connected = True
        elif LOST.search(line):
            self._is_connected = False

    async def _says(self, command: str, pattern: str) -> re.Match[str]:
        """Type a command, and what the terminal says to it. Raises ``CannotNow`` if it says nothing."""
        since = len(self._said)
        self._terminal.type(command)
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    for line in self._said[since:]:
                        if found := re.search(pattern, line):
                            return found
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise CannotNow(f"the terminal said nothing of «{command}» in {SECONDS:g} s") from None

    async def look(self, connector: int) -> Connector:
        found = await self._says("status", rf"Connector {connector} status=(\w+) .* tx=(\S+)")
        return Connector(found[1], found[2] != "-")

    async def set_status(self, connector: int, status: str, error_code: str = "NoError") -> None:
        """There is no command for the errorCode."""
        await self._says(f"connector-status {connector} {status}", f"Connector {connector} status set|Command failed")

    async def authorize(self, id_tag: str) -> bool:
        return (await self._says(f"authorize {id_tag}", r"Authorize .*status=(\w+)|Not connected"))[1] == "Accepted"

    async def start(self, connector: int, id_tag: str) -> None:
        await self._says(f"start {connector} {id_tag}", "Transaction started locally|Command failed")

    async def stop(self, connector: int, reason: str, id_tag: str = "") -> None:
        """There is no way to say with which idTag."""
        await self._says(f"stop {connector} {reason}", "Transaction stopped locally|Command failed")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("url")
    options.add_argument("identity")
    options.add_argument("--program", default="ocppsim")
    options.add_argument("--connectors", default="1")
    options.add_argument("--port", type=int, default=0)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        terminal = Terminal(Path(name))
        command = [given.program, "--ws-url", given.url, "--cp-id", given.identity, "--protocol", "1.6"]
        command += ["--connectors", given.connectors, "--log-path", str(terminal.log)]
        mains = Mains(*command, folder=Path(name), terminal=terminal.slave)
        prompt = Prompt(terminal)
        serve(Person(prompt, mains).hands, mains, given.port, prompt.watch)


if __name__ == "__main__":
    main()
