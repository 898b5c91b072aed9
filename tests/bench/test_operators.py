"""Operators in real time: little programs, and nobody."""

import asyncio
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bench.operators import Nobody, Operator, Outcome, Request, copied, wanted
from bench.operators.command import Command
from ocppj.secrets import keep

SECRET = bytes(range(60, 80))

REQUEST = Request(
    party="Charge Point",
    action="present",
    payload={"connectorId": 1, "idTag": "VALID"},
    sentence="When the EV driver presents idTag {ValidIdTag}",
    case="TC_003_CS",
    charge_point="CP1",
    time_limit=20.0,
)


def ask(operator: Operator, request: Request = REQUEST) -> tuple[Outcome, float]:
    """What an operator says, and after how many seconds."""
    began = time.perf_counter()
    outcome = asyncio.run(operator.ask(request))
    return outcome, time.perf_counter() - began


def program(folder: Path, text: str, *, interpreter: str = "/bin/sh", mode: int = 0o755) -> str:
    """A little program; its path."""
    path = folder / "operate"
    path.write_text(f"#!{interpreter}\n{text}\n")
    path.chmod(mode)
    return str(path)


# --- a request


def test_a_request_in_words_and_as_json() -> None:
    assert wanted(REQUEST) == "present (connectorId = 1, idTag = VALID) at the Charge Point"
    assert wanted(replace(REQUEST, action="ClearCache", payload={}, party="Central System")) == (
        "ClearCache at the Central System"
    )
    checked = replace(REQUEST, checks=("Then the Charge Point sends Authorize.req",))
    assert json.loads(checked.as_json()) == {
        "case": "TC_003_CS",
        "party": "Charge Point",
        "charge_point": "CP1",
        "action": "present",
        "payload": {"connectorId": 1, "idTag": "VALID"},
        "sentence": "When the EV driver presents idTag {ValidIdTag}",
        "checks": ["Then the Charge Point sends Authorize.req"],
        "time_limit_s": 20.0,
    }


def test_what_is_long_is_copied_and_what_is_secret_is_chosen() -> None:
    keep(b"a password of 20 b..")
    text = "-----BEGIN CERTIFICATE-----\n" + "x" * 200 + "\n"
    firmware = {"location": "ftp://h/f", "signingCertificate": text}
    asked = replace(REQUEST, payload={"firmware": firmware, "value": b"a password of 20 b..".hex(), "key": "K"})
    assert wanted(asked) == (
        f"present (firmware.location = ftp://h/f, firmware.signingCertificate = the {len(text)} characters below, "
        "value = one of your choice, key = K) at the Charge Point"
    )
    assert [*copied(asked)] == [f"firmware.signingCertificate:\n{text.rstrip()}"]
    assert [*copied(replace(asked, payload={"value": b"a password of 20 b..".hex() * 9}))] == []


def test_nobody_says_what_he_would_have_been_asked() -> None:
    outcome, took = ask(Nobody())
    assert outcome == Outcome("gave up", f"there is no operator who could be asked: {wanted(REQUEST)}")
    assert took < 1


# --- a program

STATUSES = {
    "exit 0": Outcome("done"),
    "echo done it; exit 0": Outcome("done", "done it"),
    "echo first; echo last; exit 0": Outcome("done", "last"),
    "exit 3": Outcome("device cannot", "the operator says that the device cannot do this"),
    "echo no lock; exit 3": Outcome("device cannot", "no lock"),
    "echo no lock >&2; exit 3": Outcome("device cannot", "no lock"),
    "echo not today; exit 1": Outcome("gave up", "not today"),
    "exit 2": Outcome("gave up", "PROGRAM ended with status 2"),
    "kill -9 $$": Outcome("gave up", "PROGRAM was ended by SIGKILL"),
    "printf 'a\\n\\nb  \\n\\n'; exit 1": Outcome("gave up", "b"),
    "cat >/dev/null; echo read; exit 0": Outcome("done", "read"),
}


@pytest.mark.parametrize("text", STATUSES)
def test_what_a_program_says(tmp_path: Path, text: str) -> None:
    path = program(tmp_path, text)
    outcome, took = ask(Command(path))
    assert outcome == replace(STATUSES[text], words=STATUSES[text].words.replace("PROGRAM", path))
    assert took < 10


def test_a_program_gets_the_request_on_its_standard_input(tmp_path: Path) -> None:
    path = program(tmp_path, f"cat > {tmp_path}/got")
    assert ask(Command(path))[0].answer == "done"
    assert (tmp_path / "got").read_text() == REQUEST.as_json()


def test_a_program_gets_its_own_arguments(tmp_path: Path) -> None:
    path = program(tmp_path, f'printf "%s|" "$@" > {tmp_path}/got')
    assert ask(Command(f"{path} --at 'a b' c"))[0].answer == "done"
    assert (tmp_path / "got").read_text() == "--at|a b|c|"


def test_a_program_that_does_not_read_a_long_request(tmp_path: Path) -> None:
    request = replace(REQUEST, payload={"data": "x" * 2**20})
    assert ask(Command(program(tmp_path, "exit 0")), request)[0] == Outcome("done")


def test_garbage_is_kept_short_and_readable(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        "import sys; sys.stdout.buffer.write(b'\\xff\\xfe\\0' * 10000); sys.exit(1)",
        interpreter=sys.executable,
    )
    outcome, _ = ask(Command(path))
    assert outcome.answer == "gave up"
    assert len(outcome.words) == 300
    assert outcome.words.startswith("��")


@pytest.mark.parametrize("before", [250, 262, 280, 299, 1180, 1196])
def test_a_secret_is_hidden_before_what_is_said_is_shortened(tmp_path: Path, before: int) -> None:
    keep(SECRET)
    path = program(tmp_path, f"printf '%{before}s{SECRET.hex()}%280s' . !; exit 1")
    outcome, _ = ask(Command(path))
    assert not any(SECRET.hex()[at : at + 8] in outcome.words for at in range(0, 32, 4))


def test_a_program_that_hangs(tmp_path: Path) -> None:
    path = program(tmp_path, "exec sleep 30")
    outcome, took = ask(Command(path), replace(REQUEST, time_limit=0.5))
    assert outcome == Outcome("gave up", f"{path} did not end in 0.5 s")
    assert took < 5


def test_a_program_whose_child_hangs(tmp_path: Path) -> None:
    # The usual shell script: whatever it calls holds its output open.
    path = program(tmp_path, "sleep 8; echo late")
    outcome, took = ask(Command(path), replace(REQUEST, time_limit=0.5))
    assert outcome == Outcome("gave up", f"{path} did not end in 0.5 s")
    assert took < 5


def test_the_loop_goes_on_while_a_program_works(tmp_path: Path) -> None:
    async def asked() -> int:
        beats = 0
        asking = asyncio.create_task(Command(program(tmp_path, "sleep 1")).ask(REQUEST))
        while not asking.done():
            await asyncio.sleep(0.05)
            beats += 1
        assert (await asking).answer == "done"
        return beats

    assert asyncio.run(asked()) > 10


@pytest.mark.parametrize("kind", ["missing", "not executable", "a folder"])
def test_what_is_no_program_is_found_out_before_anything_is_asked(tmp_path: Path, kind: str) -> None:
    (tmp_path / "data").mkdir()
    paths = {
        "missing": str(tmp_path / "nothing"),
        "not executable": program(tmp_path / "data", "exit 0", mode=0o644),
        "a folder": str(tmp_path),
    }
    with pytest.raises(ValueError, match="is no program that can be run"):
        Command(paths[kind])


def test_what_cannot_be_run_after_all(tmp_path: Path) -> None:
    path = program(tmp_path, "exit 0", interpreter="/nowhere/sh")
    outcome, _ = ask(Command(path))
    assert outcome.answer == "gave up"
    assert outcome.words.startswith(f"{path} cannot be run: ")
