"""Rehearsals with foreign devices: every party is a process of its own, and time is real."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.device import DEFAULT_DATA
from bench.files import NEXT_VERSION
from bench.pki import Pki
from simulator.firmware_management import firmware_image

HERE = Path(__file__).parent
REHEARSE = Path(sys.executable).with_name("rehearse")

PASSWORD = "00112233445566778899AABBCCDDEEFF00112233"  # noqa: S105  # of nobody
SERIAL_NUMBER = DEFAULT_DATA["SerialNumber"]

# What the devices here need at most on a busy machine, in seconds.
LIMITS = ("--data", "MessageTimeout=2", "--data", "LongOperationTimeout=4", "--data", "Tolerance=1")


@dataclass(frozen=True, slots=True)
class Due:
    """The verdict that a case must get, why that is so, and what the reason in the results must speak of."""

    verdict: str
    why: str
    reason: str = ""


Table = Mapping[str, Due]

OTHER_PROFILE = Due("not_applicable", "it is for another security profile", "it is for security profile")

_NUMBERS = "073 074 075_1 075_2 076 077 078 079 080 081 083"

# The cases that do not apply to a connection without a security profile, by role.
SECURED = {
    role: {f"TC_{number}_{role}": OTHER_PROFILE for number in f"{_NUMBERS} {more}".split()}
    for role, more in (("CS", "084 085 086 087"), ("CSMS", "085 086 087"))
}


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of ``rehearse run``: its exit status, what it printed, and the cases of its ``results.json``."""

    status: int
    printed: str
    cases: dict[str, dict[str, Any]]

    def against(self, table: Table) -> str:
        """Every difference from a table of all cases, a line each."""
        found = []
        for case_id in sorted(self.cases.keys() | table.keys()):
            case, due = self.cases.get(case_id), table.get(case_id)
            if case is None or due is None:
                found.append(f"{case_id} is not in the {'results' if case is None else 'table'}")
            elif case["verdict"] != due.verdict or due.reason not in case["reason"]:
                came = f"{case['verdict']} ({case['reason']})"
                found.append(f"{case_id}: {came}, expected {due.verdict} ({due.reason}): {due.why}")
        return "\n".join(found)


class Rehearsing:
    """A ``rehearse run`` that goes on in a folder of its own, with no terminal."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        folder.mkdir()
        self._out = folder / "results"
        self._process = subprocess.Popen(  # noqa: S603  # our own command
            [REHEARSE, "run", "--identity", "CP1", "--out", self._out, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self) -> Rehearsed:
        """Wait for its end."""
        printed, _ = self._process.communicate()
        results = self._out / "results.json"
        assert results.exists(), printed
        cases = json.loads(results.read_text())["cases"]
        return Rehearsed(self._process.returncode, printed, {case["id"]: case for case in cases})

    def end(self) -> None:
        """End it, if it still goes on."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@contextmanager
def rehearsing(folder: Path, *arguments: str) -> Iterator[Rehearsing]:
    """A rehearsal that is not left behind."""
    rehearsal = Rehearsing(folder, *arguments)
    try:
        yield rehearsal
    finally:
        rehearsal.end()


@contextmanager
def foreign_device(*command: str | Path) -> Iterator[list[int]]:
    """A device in a process of its own, and the ports that it names in its first line."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own command
        assert process.stdout is not None
        try:
            ports = process.stdout.readline().split()
            assert ports, f"{command[1]} ended before it named a port"
            yield [int(port) for port in ports]
        finally:
            process.terminate()


@dataclass(frozen=True)
class Place:
    """A folder with certificates, and signed firmware."""

    folder: Path

    @property
    def pki(self) -> Path:
        return self.folder / "pki"

    def furnish(self) -> None:
        """Make them."""
        pki = Pki(self.pki, host="localhost", serial_number=SERIAL_NUMBER, organization=DEFAULT_DATA["CpoName"])
        _ = pki.server, pki.charge_point, pki.firmware_signing
        image = firmware_image(NEXT_VERSION)
        (self.folder / "image.bin").write_bytes(image)
        (self.folder / "image.sig").write_text(pki.firmware_signature(image))

    @property
    def firmware(self) -> list[str]:
        """The arguments for a Charge Point that installs it."""
        files = {
            "FirmwareFile": self.folder / "image.bin",
            "FirmwareSignatureFile": self.folder / "image.sig",
            "FirmwareSigningCertificateFile": self.pki / "FirmwareSigning.pem",
        }
        return [word for name, path in files.items() for word in ("--data", f"{name}={path}")]


@dataclass(frozen=True, slots=True)
class Party:
    """One of our own two parties as a process: where it is reached over HTTP, and over the wire if it is.

    ``secure_endpoint``: empty without TLS.
    """

    endpoint: str
    secure_endpoint: str
    http: str

    @property
    def operator(self) -> tuple[str, str]:
        """The arguments for an operator who reaches it over HTTP."""
        return "--operator", f"http:{self.http}/charge-points/{{charge_point}}/{{action}}"

    def faults(self) -> list[str]:
        """What went wrong inside of it; there should be nothing."""
        found = httpx.get(f"{self.http}/faults", timeout=60, trust_env=False).json()
        return [str(fault) for fault in found]


@contextmanager
def own_party(folder: Path, *arguments: str) -> Iterator[Party]:
    """``rehearse csms`` or ``rehearse charge-point``, which is to end as it is told to."""
    command = [str(REHEARSE), *arguments, "--http-port", "0", "--quiet"]
    with (
        (folder / f"{arguments[0]}.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,  # noqa: S603  # our own
    ):
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(2)]
        try:
            assert all(said), f"it ended at once: {Path(log.name).read_text()}"
            http = re.search(r"http://[^/\s,]+", said[1])
            assert http is not None, said
            plain, tls = (re.search(rf"\b{scheme}://[^/\s]+", said[0]) for scheme in ("ws", "wss"))
            endpoints = (plain[0] if plain else "", tls[0] if tls else "")
            yield Party(*endpoints, http[0])
        finally:
            process.terminate()
    assert process.returncode == 0, Path(log.name).read_text()


def operator(control_port: int) -> tuple[str, str]:
    """The arguments for an operator who reaches a device through its control port."""
    return "--operator", f"command:{sys.executable} {HERE / 'hands.py'} {control_port}"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require(condition: bool, what: str) -> None:
    """Skip for lack of something, or fail where REQUIRE_INTEROP=1 says that nothing may be lacking."""
    if condition:
        return
    if os.environ.get("REQUIRE_INTEROP") == "1":
        pytest.fail(what, pytrace=False)
    pytest.skip(what)
