"""Programs of somebody else that the bench runs: what they are told, how long they may take, how they ended."""

import asyncio
import os
import shlex
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryFile

from ocppj.secrets import hidden

LAST_WORDS = 300  # characters
LONGEST_OUTPUT = 1_048_576  # bytes, of which the last are read


class ProgramFailed(Exception):
    """A program could not be run, or did not end in time: its words."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit status, negative for a signal, and the last line of what it has written."""

    status: int
    said: str


class Program:
    """A program with its arguments."""

    def __init__(self, command: str) -> None:
        """``command``: as a shell splits it. Raises ``ValueError`` for one that cannot be found."""
        try:
            self._arguments = shlex.split(command)
        except ValueError as error:
            raise ValueError(f"{command} is no program with arguments: {error}") from None
        if not self._arguments or shutil.which(self._arguments[0]) is None:
            raise ValueError(f"{command} is no program that can be run")

    @property
    def name(self) -> str:
        """How it is called."""
        return self._arguments[0]

    async def run(self, told: str, time_limit: float) -> Ended:
        """Run it with a text on its standard input. Raises ``ProgramFailed``.

        Files and no pipes: what it has started, and left running on purpose, keeps nobody waiting.
        """
        with TemporaryFile() as stdin, TemporaryFile() as output:
            stdin.write(told.encode())
            stdin.seek(0)
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._arguments,
                    stdin=stdin,
                    stdout=output,
                    stderr=asyncio.subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise ProgramFailed(f"{self.name} cannot be run: {error.strerror}") from None
            try:
                async with asyncio.timeout(time_limit):
                    status = await process.wait()
            except TimeoutError:
                raise ProgramFailed(f"{self.name} did not end in {time_limit:g} s") from None
            finally:
                await _kill(process)
            output.seek(max(0, output.seek(0, os.SEEK_END) - LONGEST_OUTPUT))
            last = output.read().decode(errors="replace").strip().rpartition("\n")[2]
            return Ended(status, hidden(last)[:LAST_WORDS])  # in this order: half a secret is not recognised


async def _kill(process: asyncio.subprocess.Process) -> None:
    """End a program that still runs, and whatever it has started."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def ending(name: str, status: int) -> str:
    """How a program ended, in words."""
    if status < 0:
        return f"{name} was ended by {signal.Signals(-status).name}"
    return f"{name} ended with status {status}"
