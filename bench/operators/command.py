"""A program that is run for each request."""

import asyncio
import os
import shlex
import shutil
import signal

from bench.operators import Outcome, Request


class Command:
    """A program, run once per request with the request as JSON on its standard input.

    Exit status 0: done. 3: the device cannot do this. Any other: could not; its last line of output says why.
    """

    CANNOT = 3

    def __init__(self, program: str) -> None:
        """``program`` with its arguments. Raises ``ValueError`` for one that cannot be found."""
        self._arguments = shlex.split(program)
        if not self._arguments or shutil.which(self._arguments[0]) is None:
            raise ValueError(f"{program} is no program that can be run")

    async def ask(self, request: Request) -> Outcome:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return Outcome("gave up", f"{self._arguments[0]} cannot be run: {error.strerror}")
        try:
            async with asyncio.timeout(request.time_limit):
                output, _ = await process.communicate(request.as_json().encode())
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)  # the program and whatever it has started
            await process.wait()
            return Outcome("gave up", f"{self._arguments[0]} did not end in {request.time_limit:g} s")
        said = output.decode(errors="replace").strip().rpartition("\n")[2][:300]
        if process.returncode == 0:
            return Outcome("done", said)
        if process.returncode == self.CANNOT:
            return Outcome("device cannot", said or "the operator says that the device cannot do this")
        return Outcome("gave up", said or f"{self._arguments[0]} ended with status {process.returncode}")
