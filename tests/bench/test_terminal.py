"""What a run shows while it plays and when it is over: with a terminal, without one, and without colours."""

import os
import pty
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ocppj.peer import Refusal
from tests.bench.test_command_line import NEEDS_THE_COMMAND, REHEARSE, Listening, rehearse, results

pytestmark = NEEDS_THE_COMMAND

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")


@pytest.fixture
def central_system() -> Iterator[Listening]:
    """One that accepts whom it does not know and who has expired."""
    listening = Listening("CP1")
    for id_tag in ("NOBODY-C0FFEE", "OLD"):
        listening.central_system.store.know_id_tag(id_tag, "Accepted")
    yield listening
    listening.close()


WRONG = ["--case", "TC_001_CSMS", "--case", "TC_023_1_CSMS", "--case", "TC_023_2_CSMS", "--data", "ExpiredIdTag=OLD"]


def at_a_terminal(arguments: Sequence[str], cwd: Path, **environment: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(  # noqa: S603  # ours
        [str(REHEARSE), *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.STDOUT,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **environment},
    ) as process:
        os.close(theirs)
        written = b""
        while chunk := _read(ours):
            written += chunk
        process.wait(60)
    os.close(ours)
    return written.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # as Linux tells of the other end that is closed
        return b""


def test_failures_are_explained_below_a_table(tmp_path: Path, central_system: Listening) -> None:
    arguments = ["run", "--csms", central_system.url, *WRONG, "--case", "TC_013_CSMS", "--out", "out"]
    process = central_system.while_running(*arguments, cwd=tmp_path)
    assert process.returncode == 1
    assert "\x1b" not in process.stdout
    played, table, *explained = re.split(r"\n\n", process.stdout.strip())
    assert re.findall(r"^(\w+) +(TC_\w+)", played, re.MULTILINE) == [
        ("pass", "TC_001_CSMS"),
        ("inconclusive", "TC_013_CSMS"),
        ("fail", "TC_023_1_CSMS"),
        ("fail", "TC_023_2_CSMS"),
    ]
    assert [line.split() for line in table.splitlines()] == [
        ["profile", "pass", "fail", "inconclusive", "error", "n/a"],
        ["Core", "1", "2", "1", "0", "0"],
    ]
    failed, inconclusive, end = explained
    assert failed.startswith("fail           TC_023_1_CSMS Start Charging Session - Authorize invalid\n")
    assert "\n  expected     idTagInfo.status = Invalid\n  seen         idTagInfo.status = Accepted\n" in failed
    assert re.search(r"\n  frames +\d\d:\d\d:\d\d\.\d{3}  C", failed)
    assert re.search(
        r"\n +> \d\d:\d\d:\d\d\.\d{3}  Central System  Authorize\.conf  idTagInfo\.status Accepted\n", failed
    )
    assert failed.endswith("\n  also         TC_023_2_CSMS")
    assert inconclusive.startswith("inconclusive   TC_013_CSMS")
    assert "--operator command:PROGRAM" in inconclusive
    assert end == "1 pass, 2 fail, 1 inconclusive. Results: out/results.json"


def test_every_profile_has_a_row(tmp_path: Path) -> None:
    arguments = ["--case", "TC_003_CS", "--case", "TC_048_1_CS", "--case", "TC_017_1_CS", "--lacks", "reservation"]
    output = rehearse("run", *arguments, cwd=tmp_path).stdout
    table = [line.split() for line in output.splitlines() if line.startswith(("Core", "Reservation", "all"))]
    assert table == [
        ["Core", "2", "0", "0", "0", "0"],
        ["Reservation", "0", "0", "0", "0", "1"],
        ["all", "2", "0", "0", "0", "1"],
    ]


def test_a_terminal_shows_progress_and_colours(tmp_path: Path) -> None:
    output = at_a_terminal(["run", "--case", "TC_003_CS", "--case", "TC_017_1_CS"], tmp_path)
    assert COLOUR.search(output)
    assert re.search(r"[012]/2", output)
    assert output.rstrip().endswith("2 pass. Results: rehearsal-results/results.json")


def test_no_colours_if_nobody_wants_them(tmp_path: Path) -> None:
    output = at_a_terminal(["run", "--case", "TC_003_CS"], tmp_path, NO_COLOR="1")
    assert "TC_003_CS" in output
    assert not COLOUR.search(output)


def test_plain_lines_without_a_terminal(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = rehearse("run", "--case", "TC_003_CS", cwd=tmp_path, env=environment)
    assert "\x1b" not in process.stdout + process.stderr
    assert "\r" not in process.stdout


def test_what_a_device_says_does_not_reach_the_terminal_raw(tmp_path: Path, central_system: Listening) -> None:
    said = "\x1b]0;mine\x07[red]:smile:\n\nfail TC_001_CSMS"
    for _ in range(2):  # the first is asked before the cases begin
        central_system.central_system.script.answer_next("Authorize", Refusal("InternalError", said))
    arguments = ["run", "--csms", central_system.url, "--case", "TC_023_1_CSMS", "--out", "out"]
    process = central_system.while_running(*arguments, cwd=tmp_path)
    assert results(tmp_path / "out")["cases"][0]["verdict"] == "fail"
    assert "\x1b" not in process.stdout
    assert "\x07" not in process.stdout
    assert "[red]:smile:" in process.stdout
    assert "\nfail TC_001_CSMS" not in process.stdout


# --- what the report says of the device


def test_a_charge_point_tells_what_nobody_has_told(tmp_path: Path) -> None:
    about = ["--about", "vendor=<b>Acme</b>", "--about", "place=Arnhem = NL"]
    rehearse("run", "--case", "TC_001_CS", *about, "--out", "out", cwd=tmp_path)
    assert results(tmp_path / "out")["device"]["about"] == {
        "vendor": "<b>Acme</b>",
        "place": "Arnhem = NL",
        "product": "Simulator",
        "software_version": "1.0.0",
    }


def test_a_central_system_is_not_taken_for_our_charge_point(tmp_path: Path, central_system: Listening) -> None:
    arguments = ["run", "--csms", central_system.url, "--case", "TC_001_CSMS", "--about", "product=X", "--out", "out"]
    central_system.while_running(*arguments, cwd=tmp_path)
    assert results(tmp_path / "out")["device"]["about"] == {"product": "X"}


@pytest.mark.parametrize("spelling", [["--password", "0123456789abcdef"], ["--password=0123456789abcdef"]])
def test_a_command_without_its_password(tmp_path: Path, spelling: list[str]) -> None:
    arguments = ["--case", "TC_003_CS", "--security-profile", "1", *spelling, "--out", "a folder"]
    rehearse("run", *arguments, cwd=tmp_path)
    text = (tmp_path / "a folder" / "results.json").read_text()
    assert "0123456789abcdef" not in text
    assert re.search(r"--password[=' ]+\*\*\*' --out 'a folder'$", results(tmp_path / "a folder")["run"]["command"])


def test_a_narrow_terminal_cuts_no_name_and_no_path(tmp_path: Path) -> None:
    out = f"{'a long name of a folder ' * 3}[red]"
    shown = at_a_terminal(
        ["run", "--case", "TC_042_1_CSMS", "--case", "TC_021_CS", "--out", out], tmp_path, COLUMNS="40"
    )
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "")
    table = plain[plain.index("\nprofile") :]
    assert table.startswith("\nprofile                  pass  fail\nCore ")
    assert "\nLocalAuthListManagement     1     0\n" in table
    assert f"2 pass. Results: {out}/results.json\n" in table
