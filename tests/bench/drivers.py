"""Drivers as somebody installs them: a module and its entry points, in a folder that Python searches."""

from pathlib import Path

# Each line of a driver's ``ask`` that a test wants to see the end of.
SOURCE = '''
import asyncio, os, sys, threading, time
from bench.operators import HookFailed, Outcome

class Driver:
    def __init__(self, **options):
        self.options = options

    async def ask(self, request):
        return await getattr(self, "do_" + request.payload.get("how", "say"))(request)

    async def do_say(self, request):
        said = [request.action, request.charge_point, *(f"{name}={it}" for name, it in self.options.items())]
        return Outcome("done", " ".join(said))

    async def do_refuse(self, request):
        return Outcome("device cannot", "it has no such thing")

    async def do_hang(self, request):
        await asyncio.sleep(3600)

    async def do_block(self, request):
        threading.Event().wait(float(request.payload["seconds"]))
        return Outcome("done", "at last")

    async def do_raise(self, request):
        raise ConnectionError("connection refused\\nby the device")

    async def do_repeat(self, request):
        return request.payload["words"]

    async def do_raise_it(self, request):
        raise ValueError(request.payload["words"])

    async def do_time_out(self, request):
        raise TimeoutError

    async def do_exit(self, request):
        sys.exit("away")

    async def do_cancel(self, request):
        raise asyncio.CancelledError

    async def do_nonsense(self, request):
        return "done"

    async def do_in_background(self, request):
        self.background = asyncio.create_task(asyncio.sleep(3600))
        return Outcome("done", threading.current_thread().name)


class Ready(Driver):
    """One that notes what it was told and when it was closed."""

    def note(self, text):
        with open(self.options["notes"], "a") as notes:
            notes.write(text + "\\n")

    async def before_run(self, beginning):
        self.note(f"before_run {beginning.test_data['ValidIdTag']}")
        if self.options.get("fails") == "before_run":
            raise OSError("no database")
        if self.options.get("hangs") == "before_run":
            await asyncio.sleep(3600)

    async def before_case(self, beginning):
        self.note(f"before_case {beginning.case}")
        if self.options.get("fails") == "before_case":
            raise OSError("no database")

    async def close(self):
        self.note("close")
        if self.options.get("fails") == "close":
            raise OSError("too late")


class Strict(Driver):
    def __init__(self, url):
        self.options = {"url": url}


class Sync:
    def ask(self, request):
        return Outcome("done")


class NoAsk:
    pass
'''

ENTRY_POINTS = """[ocpp_rehearsal.drivers]
plain = acme_driver:Driver
ready = acme_driver:Ready
strict = acme_driver:Strict
sync = acme_driver:Sync
no_ask = acme_driver:NoAsk
no_module = acme_nowhere:Driver
no_class = acme_driver:Nothing
"""


def install(folder: Path) -> Path:
    """Install them in a folder; the same folder."""
    (folder / "acme_driver.py").write_text(SOURCE)
    information = folder / "acme_driver-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-driver\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder
