"""docs/ci.md is copied by others: what it calls must exist, and its device files must be ones."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from bench import device_file, report_commands
from reports.views import VIEWS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(report_commands.app).commands  # type: ignore[attr-defined]  # they are a group


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def calls() -> Iterator[list[str]]:
    """The words of every call of our command: in the workflows, in indented lines and between backticks."""
    for found in re.findall(r"(?:run: |^ {4}|`)(rehearse [^`\n]+)", TEXT, re.MULTILINE):
        yield shlex.split(found, comments=True)


def options() -> set[str]:
    """Options that the text names on their own."""
    return set(re.findall(r"`(-{1,2}[a-z][a-z-]*)", TEXT))


def test_every_call_can_be_made() -> None:
    found = [*calls()]
    assert len(found) >= 5
    for _, name, *words in found:
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert {word.partition("=")[0] for word in words if word.startswith("-")} <= known, words


def test_every_option_exists() -> None:
    known = {option for parameter in COMMANDS["run"].params for option in parameter.opts}
    assert {"--fail-on", "--known-failure"} < options()
    assert options() <= known


def test_every_file_is_written() -> None:
    named = set(re.findall(r"rehearsal-results/([\w.]+)", TEXT))
    assert named
    assert named <= {name for name, _ in VIEWS} | {"results.json"}


@pytest.mark.parametrize("number", range(2))
def test_the_device_files_can_be_read(tmp_path: Path, number: int) -> None:
    found = blocks("toml")
    assert len(found) == 2
    (tmp_path / "simulator").mkdir()
    (tmp_path / "simulator" / "hands.py").touch(0o755)
    (tmp_path / "acme.toml").write_text(found[number], encoding="utf-8")
    read = device_file.read(tmp_path / "acme.toml")
    assert read.device.is_external
    assert read.operator["kind"] == ("http", "command")[number]


def test_the_workflows_are_indented_by_two() -> None:
    """No parser of YAML is among what we need; a tab and an odd indentation are what goes wrong by hand."""
    found = blocks("yaml")
    assert len(found) == 2
    for line in "".join(found).splitlines():
        assert "\t" not in line
        assert (len(line) - len(line.lstrip(" "))) % 2 == 0, line
