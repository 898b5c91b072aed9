"""Our own parties as strangers, over TLS: what the bench keeps of passwords and certificates, even when killed."""

import json
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.interop.rehearsals import (
    LIMITS,
    OTHER_PROFILE,
    PASSWORD,
    REHEARSE,
    SERIAL_NUMBER,
    Due,
    Party,
    Place,
    Rehearsed,
    free_port,
    own_party,
    rehearsing,
)

PATIENCE = 300.0  # seconds in which a file must be there

PASSES = Due("pass", "our own parties do what the white paper asks for")


def as_charge_point(place: Place, port: int) -> list[str]:
    """The arguments for a Charge Point that connects with security profile 3."""
    return [
        *("--listen", f"127.0.0.1:{port}", "--security-profile", "3", "--pki", str(place.pki)),
        *("--data", "AdvertisedHost=localhost", "--data", f"SerialNumber={SERIAL_NUMBER}"),
        *place.firmware,
    ]


def as_central_system(place: Place, party: Party) -> list[str]:
    """The arguments for a Central System that is spoken to with security profile 2."""
    return [
        *("--csms", party.secure_endpoint, "--security-profile", "2", "--password", PASSWORD),
        *("--pki", str(place.pki), "--tls-ca", str(place.pki / "CentralSystemRoot.pem"), "--data", "ValidIdTag=VALID"),
    ]


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[Rehearsed, Path]]]:
    """The Security cases with either party as a stranger, at the same time: most of it is waiting."""
    place = Place(tmp_path_factory.mktemp("security"))
    place.furnish()
    port, folder = free_port(), place.folder
    more = ("--profile", "security", *LIMITS, "--data", "LongOperationTimeout=30")
    with ExitStack() as stack:
        pki = ("--pki", str(place.pki))
        who = ("--identity", "CP1", "--serial-number", SERIAL_NUMBER, "--id-tag", "VALID")
        key = ("--security-profile", "2", "--password", PASSWORD)
        own = own_party(folder, "csms", "--port", "0", *who, *key, *pki)
        party = stack.enter_context(own)
        running = {"CSMS": rehearsing(folder / "CSMS", *as_central_system(place, party), *more, *party.operator)}
        own = own_party(folder, "charge-point", f"wss://localhost:{port}", "--security-profile", "3", *pki)
        party = stack.enter_context(own)
        running["CS"] = rehearsing(folder / "CS", *as_charge_point(place, port), *more, *party.operator)
        entered = {role: stack.enter_context(each) for role, each in running.items()}
        yield lambda role: (entered[role].finish(), folder / role)


def test_a_charge_point(rehearsed: Callable[[str], tuple[Rehearsed, Path]]) -> None:
    came, folder = rehearsed("CS")
    for_others = {"TC_073_CS", "TC_083_CS", "TC_085_CS"}
    due = {case_id: OTHER_PROFILE if case_id in for_others else PASSES for case_id in came.cases}
    assert came.against(due) == ""
    assert len(came.cases) == 15
    assert not (folder / "rehearsal-credentials.json").exists()  # its certificate is its own business


def test_a_central_system(rehearsed: Callable[[str], tuple[Rehearsed, Path]]) -> None:
    came, folder = rehearsed("CSMS")
    for_others = {"TC_074_CSMS", "TC_077_CSMS", "TC_087_CSMS"}
    due = {case_id: OTHER_PROFILE if case_id in for_others else PASSES for case_id in came.cases}
    assert came.against(due) == ""
    assert len(came.cases) == 15
    assert "CP1 has been brought to security profile 3" in came.printed
    kept = folder / "rehearsal-credentials.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    (key,) = json.loads(kept.read_text())["CP1"]["authorizationKey"]
    assert key.upper() != PASSWORD
    for path in folder.rglob("*.json*"):  # the new password is there and nowhere else
        assert (key.casefold() in path.read_text().casefold()) == (path == kept), path


def test_a_kill_in_the_middle_of_a_new_password_locks_nobody_out(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.furnish()
    port, kept = free_port(), tmp_path / "rehearsal-credentials.json"
    common = [
        *(str(REHEARSE), "run", "--listen", f"127.0.0.1:{port}", "--security-profile", "1", "--password", PASSWORD),
        *("--pki", str(place.pki), *LIMITS, "--data", "LongOperationTimeout=30"),  # it backs off until we listen
    ]
    key = ("--security-profile", "1", "--password", PASSWORD)
    with own_party(tmp_path, "charge-point", f"ws://127.0.0.1:{port}", *key, "--pki", str(place.pki)):
        with subprocess.Popen([*common, "--case", "TC_073_CS"], cwd=tmp_path) as process:  # noqa: S603  # our own command
            deadline = time.monotonic() + PATIENCE
            while not kept.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert json.loads(kept.read_text())["CP1"]["maybe"]
        again = subprocess.run(  # noqa: S603  # our own command
            [*common, "--case", "TC_085_CS", "--out", "again"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert "CP1 identifies itself with what an earlier run has kept" in again.stdout
    assert again.returncode == 0, again.stdout + again.stderr
    assert not kept.exists()  # it was given the password that it had
