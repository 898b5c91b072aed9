"""``rehearse init``: whatever is answered, the file can be used; at a real terminal, and without one."""

import json
import os
import pty
import re
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from typer.testing import CliRunner, Result

import bench.init  # noqa: F401  # it registers commands
from bench.command_line import app
from bench.device_file import SCHEMA, read
from bench.init import written
from tests.bench.test_command_line import NEEDS_THE_COMMAND, REHEARSE

ROLES = ["Central System", "Charge Point"]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PROMPT = re.compile(r"> [^\n]*: $")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REHEARSE_PASSWORD", raising=False)


def called(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["init", *arguments])


class Session:
    """The command at a terminal: each prompt gets the next answer, Enter when there is none left."""

    def __init__(self, arguments: Sequence[str], answers: Sequence[str]) -> None:
        ours, theirs = pty.openpty()
        self.said = ""
        left = [*answers]
        with subprocess.Popen(  # noqa: S603  # ours
            [str(REHEARSE), "init", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"},
            start_new_session=True,
        ) as process:
            os.close(theirs)
            while chunk := _read(ours):
                self.said += COLOUR.sub("", chunk.decode()).replace("\r", "")
                if PROMPT.search(self.said):
                    answer = left.pop(0) if left else ""
                    self.said += "\n"  # which the terminal echoes after the answer
                    os.write(ours, (answer + "\n").encode() if answer != "^D" else b"\x04")
            self.status = process.wait()
        os.close(ours)
        assert not left, f"nobody asked for {left}"


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # as Linux tells of the other end that is closed
        return b""


# --- without a terminal


@pytest.mark.parametrize("role", ROLES)
def test_a_file_with_defaults_can_be_used(role: str) -> None:
    ended = called("acme.toml", "--role", role.lower(), "--defaults")
    assert ended.exit_code == 0, ended.output
    assert "rehearse check acme.toml" in ended.stdout
    file = read(Path("acme.toml"))
    assert (file.device.url is not None) == (role == "Central System")
    assert file.operator == {"kind": "person"}
    assert CliRunner().invoke(app, ["check", "acme.toml"]).exit_code == 0


@pytest.mark.parametrize("role", ROLES)
def test_every_setting_is_there_and_can_be_told_by_taking_away_its_hash(role: str) -> None:
    called("acme.toml", "--role", role, "--defaults")
    text, _, others = Path("acme.toml").read_text().partition("#\n# Or ")
    others, _, last = others.partition("\n\n")
    whole = re.sub(r"^# (?=[\w\"]+ = )", "", f"{text}\n{last}", flags=re.MULTILINE)
    told = tomllib.loads(whole)
    jsonschema_rs.validate(SCHEMA, told)
    for table, node in SCHEMA["properties"].items():
        assert {*told[table]} >= {*node.get("properties", {})} if node.get("type") == "object" else table in told
    kinds = re.findall(r"^# kind = \"(\w+)\"", others, re.MULTILINE)
    assert sorted(["person", *kinds]) == sorted(SCHEMA["properties"]["operator"]["properties"]["kind"]["enum"])


@pytest.mark.parametrize("kind", ["http", "command", "driver"])
def test_the_examples_of_another_operator_are_what_it_takes(kind: str) -> None:
    text = written({"role": "Charge Point", "operator.kind": kind, "connection.listen": "127.0.0.1:9000"})
    text = text.partition("[operator]")[2].partition("#\n# Or ")[0]
    told = tomllib.loads(f"[operator]\n{re.sub(r'^# (?=[a-z]+ = )', '', text, flags=re.MULTILINE)}")
    jsonschema_rs.validate(SCHEMA, {"role": "Charge Point", **told})
    assert {*told["operator"]} == {*SCHEMA["$defs"][kind]["properties"]}


def test_texts_are_written_so_that_they_are_read_again() -> None:
    vendor = 'Käte "K" \\ Söhne\x7f\ttab'
    assert tomllib.loads(written({"about.vendor": vendor}))["about"]["vendor"] == vendor


def test_a_file_that_is_there_stays() -> None:
    Path("acme.toml").write_text("mine")
    ended = called("acme.toml", "--role", "CSMS", "--defaults")
    assert (ended.exit_code, Path("acme.toml").read_text()) == (2, "mine")
    assert ended.stderr == "rehearse: acme.toml is there already: name another one, or write over it with --force\n"
    assert called("acme.toml", "--role", "CSMS", "--defaults", "--force").exit_code == 0
    assert read(Path("acme.toml"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--role", "boat", "--defaults"], "--role boat is neither Central System nor Charge Point"),
        (["--defaults"], "--defaults needs --role 'Central System' or --role 'Charge Point'"),
        ([], "there is no terminal to ask at: --role 'Central System' --defaults writes a file to be filled in"),
        (
            ["/proc/x/acme.toml", "--role", "CS", "--defaults"],
            "/proc/x/acme.toml cannot be written: No such file or directory",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments: list[str], words: str) -> None:
    ended = called(*arguments)
    assert (ended.exit_code, ended.stderr) == (2, f"rehearse: {words}\n")
    assert not [*Path.cwd().iterdir()]


def test_the_schema_is_printed() -> None:
    assert json.loads(CliRunner().invoke(app, ["schema"]).stdout) == SCHEMA


# --- at a terminal


def told(path: str = "acme.toml") -> dict[str, Any]:
    return tomllib.loads(Path(path).read_text(encoding="utf-8"))


@NEEDS_THE_COMMAND
def test_enter_is_an_answer_to_everything() -> None:
    session = Session([], [])
    assert session.status == 0, session.said
    assert told("device.toml")["role"] == "Central System"
    assert read(Path("device.toml")).told_capabilities


@NEEDS_THE_COMMAND
def test_a_charge_point_is_asked_for_and_each_answer_is_looked_at() -> None:
    answers = {
        "role": ["boat", "charge point"],
        "about": ["Acme", "", "1.0"],
        "identity": ["ACME-1"],
        "security": ["7", "1", "lower", "ACME_PASSWORD"],
        "listen": ["nowhere", "127.0.0.1:9001"],
        "connectors": ["many", "0", "2"],
        "id_tags": ["x" * 21, "04A1", ""],
        "limit": ["sixteen", "16.5"],
        "firmware": ["gone.bin", ""],
        "has": ["n", "maybe", "y"],
    }
    session = Session(["acme.toml"], [answer for each in answers.values() for answer in each])
    assert session.status == 0, session.said
    for words in (
        "boat is none of Central System, Charge Point",
        "7 is none of 0, 1, 2, 3",
        "lower is not the name of an environment variable",
        "nowhere is not of the form HOST:PORT",
        "many is not a whole number",
        "0 is not 1 or more",
        "has 21 characters, 20 are allowed",
        "sixteen is not a number",
        "gone.bin is no file",
        "export ACME_PASSWORD=...",
    ):
        assert words in session.said
    file = told()
    assert (file["role"], file["identity"]) == ("Charge Point", "ACME-1")
    assert file["about"] == {"vendor": "Acme", "software_version": "1.0"}
    assert file["security"] == {"profile": 1, "password_from": "ACME_PASSWORD"}
    assert file["connection"] == {"listen": "127.0.0.1:9001"}
    assert file["test_data"] == {"NumberOfConnectors": 2, "ValidIdTag": "04A1", "LocalLimit": 16.5}
    assert (file["has"]["authorization_cache"], file["has"]["backup_power"]) == (False, True)
    assert file["has"]["security_profile_upgrade"] is False  # by Enter
    assert file["has"]["smart_charging"] is True
    assert CliRunner().invoke(app, ["check", "acme.toml"]).exit_code == 0


@NEEDS_THE_COMMAND
def test_a_central_system_without_its_authority_is_rehearsed_openly_for_now() -> None:
    answers = ["", "", "", "", "2", "", "gone.pem", "", "", "04A1", "", "", "", "", *("" for _ in range(5))]
    session = Session(["acme.toml", "--role", "csms"], [*answers, "http", "ftp://x", ""])
    assert session.status == 0, session.said
    assert "gone.pem is no file" in session.said
    assert "the file has security profile 0 until you have it" in session.said
    file = told()
    assert file["security"]["profile"] == 0
    assert file["connection"]["url"].startswith("ws://")
    assert file["test_data"] == {"ValidIdTag": "04A1"}
    assert file["operator"]["kind"] == "http"
    assert file["operator"]["url"].startswith("http://127.0.0.1:8080/")
    assert CliRunner().invoke(app, ["check", "acme.toml"]).exit_code == 0


@NEEDS_THE_COMMAND
def test_who_gives_up_leaves_no_file() -> None:
    session = Session(["acme.toml"], ["Central System", "Acme", "^D"])
    assert session.status == 130
    assert "Nothing was written." in session.said
    assert not [*Path.cwd().iterdir()]
