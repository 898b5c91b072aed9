"""A run in several sessions: one that was interrupted goes on, and what did not pass is played once more.

The options of the first session are read from its results and are the defaults of the next one. Given anew may be what
does not change what is judged: where the device is, who operates it, how many processes play, how the gate counts.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from bench.cases import all_cases
from bench.device import Device
from bench.terminal import unusable
from ocppj.secrets import masked
from ocppj.transcript import Record, read_what_came
from reports.reading import BadResults, StoredTranscripts, read_results, read_transcript
from reports.results import VERDICTS, CaseResult, Results, half_transcript
from reports.texts import shown

# What is no setting of the run, and the one that is secret: a password comes again from where it came before.
NOT_KEPT = ("password", "out", "resume", "rerun")
MAY_CHANGE = (
    *NOT_KEPT,
    *("csms", "listen", "processes", "fail_on", "known_failure"),
    *("operator", "operator_name", "before_run", "before_case"),
)

# What a Charge Point says of itself whenever it boots: if all of it is another, so may the Charge Point be.
TOLD_AT_BOOT = (
    "chargePointVendor",
    "chargePointModel",
    "firmwareVersion",
    "chargePointSerialNumber",
    "chargeBoxSerialNumber",
)

_MOST_DIFFERENCES = 3  # that fit into a line


@dataclass(frozen=True)
class Earlier:
    """A run that is taken up again: its folder, what it has left, and the cases that are to be played now."""

    folder: Path
    results: Results
    kind: str  # of the session that begins: resume or rerun
    cases: list[str]

    def in_flight(self) -> tuple[str, list[Record]]:
        """The case that was in flight when the run was killed, or else the latest one, and what crossed the wire.

        What a case has left behind is undone when the next one begins. Raises ``OSError``.
        """
        for case_id in self.cases:
            if (path := half_transcript(self.folder, case_id)).exists():
                return case_id, read_what_came(path)
        latest = max(self.results.cases, key=lambda case: (case.session, case.started), default=None)
        return (latest.id, StoredTranscripts(self.folder).get(latest.id, [])) if latest else ("", [])

    def begin(self, started: str, device: Device) -> None:
        """Begin the session: what an earlier one has left of its cases is put aside first. Raises ``OSError``."""
        put_aside(self.folder, self.results, self.cases)
        self.results.begin_session(self.kind, started, self.cases)
        was, now = self.results.device.get("address"), device.describe()["address"]
        if was != now:
            self.results.sessions[-1]["notes"].append(f"the device was at {was} before, in this session at {now}")


def _take_up(context: typer.Context, parameter: typer.CallbackParam, value: Any) -> Any:
    """Before any other option is read: let those of the run that is taken up be their defaults."""
    if value is None:
        return None
    verdicts, folder = value if isinstance(value, tuple) else (None, value)
    if context.obj is not None:
        unusable("--resume and --rerun exclude each other: a run that was interrupted is resumed first")
    try:
        results = read_results(folder)
    except BadResults as error:
        unusable(f"{error}: there is nothing to go on with")
    if why_not := _why_not(results, folder, is_rerun=verdicts is not None):
        unusable(why_not)
    kind, cases = ("resume", results.left) if verdicts is None else ("rerun", _ended_with(results, verdicts))
    if strange := [each for each in cases if each not in all_cases()]:
        unusable(f"{folder} tells of {shown(strange[0], 100)}, and there is no such test case today: begin anew")
    options = cast("dict[str, Any]", results.run["options"])
    if why_not := _fault_of_options(context, options):
        unusable(shown(f"{folder} was begun with options that cannot be: {why_not}"))
    begun_in = str(results.run["folder"])
    try:
        if Path(begun_in).is_dir() and not Path(begun_in).samefile(os.curdir):
            folder = folder.resolve()
            os.chdir(begun_in)  # the paths among the options are relative to it
    except OSError as error:
        unusable(f"{folder} was begun in a folder that nobody can go to: {error.strerror}")
    context.obj = Earlier(folder, results, kind, cases)
    context.default_map = {**options, "out": str(folder)}
    return value


def _fault_of_options(context: typer.Context, options: Mapping[str, Any]) -> str | None:
    """What is wrong with the options of an earlier run, which somebody may have written; None if nothing is."""
    for parameter in context.command.params:
        if parameter.name not in options or parameter.name in NOT_KEPT:
            continue
        try:
            parameter.process_value(context, options[parameter.name])
        except (typer.BadParameter, TypeError, ValueError) as error:
            return f"{max(parameter.opts, key=len)}: {error}"
    return None


@dataclass(frozen=True)
class Sessions:
    """Which run is taken up again, if one is."""

    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            readable=False,
            is_eager=True,
            callback=_take_up,
            help="Go on with the interrupted run that DIR holds, with its device and its options.",
        ),
    ] = None
    rerun: Annotated[
        tuple[str, Path] | None,
        typer.Option(
            metavar="VERDICTS DIR",
            readable=False,
            is_eager=True,
            callback=_take_up,
            help="Play those cases of the run in DIR once more that ended so, e.g. fail,inconclusive.",
        ),
    ] = None

    def earlier(self, context: typer.Context, device: Device) -> Earlier | None:
        """The run that is taken up; ends the command if an option, or ``device``, is not what it was."""
        earlier: Earlier | None = context.obj
        if earlier is None:
            return None
        _refuse_other_options(context, earlier)
        now = json.loads(masked(json.dumps(device.describe())))
        found = differences(_judged(earlier.results.device), _judged(now))
        if told := [shown(each, 100) for each in islice(found, _MOST_DIFFERENCES)]:
            unusable(f"{earlier.folder} was begun with other settings, take that back or begin anew: {'; '.join(told)}")
        kept = cast("dict[str, Any]", earlier.results.run["options"])
        earlier.results.run["options"] = kept | options_given(context)
        return earlier


def keep_interrupted(folder: Path) -> None:
    """End the command rather than write over a run of a device that can go on: hours of somebody's hands may be in it.

    A self-rehearsal takes seconds; it is written over.
    """
    try:
        found = read_results(folder)
    except BadResults:
        return  # nothing that could go on
    if found.left and found.run.get("time") == "real":
        unusable(
            f"{folder} holds a run that was interrupted, {len(found.left)} cases are left: --resume {folder} goes on "
            "with it, another --out begins anew"
        )


def be_alone_in(folder: Path) -> None:
    """Be the only run that writes into a folder, to the end of this process; ends the command if another is.

    Who was killed holds it no more.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        flock(os.open(folder, os.O_RDONLY), LOCK_EX | LOCK_NB)
    except BlockingIOError:
        unusable(f"another run is writing into {folder}: wait for its end, or give another --out")
    except OSError as error:
        unusable(f"the results cannot be written to {folder}: {error.strerror}")


def _refuse_other_options(context: typer.Context, earlier: Earlier) -> None:
    kept = cast("dict[str, Any]", earlier.results.run["options"])
    for parameter in context.command.params:
        name = parameter.name or ""
        if name in MAY_CHANGE or not _is_given(context, name):
            continue
        if _plain(context.params[name]) != kept.get(name):
            unusable(
                f"{max(parameter.opts, key=len)} would change what is judged: leave it out, {earlier.folder} goes on "
                "with the options that it was begun with"
            )


def options_given(context: typer.Context) -> dict[str, Any]:
    """The options that were given to a command, by name and as JSON has them; none that is secret."""
    return {
        name: _plain(value)
        for name, value in context.params.items()
        if name not in NOT_KEPT and _is_given(context, name)
    }


def _is_given(context: typer.Context, name: str) -> bool:
    """Whether an option stands on the command line, and not in the environment or in an earlier run."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def _why_not(results: Results, folder: Path, *, is_rerun: bool) -> str | None:
    """Why a run cannot be taken up, in one line; None if it can."""
    run, here = results.run, version("ocpp-rehearsal")
    if run["version"] != here:
        return f"{folder} was written by ocpp-rehearsal {run['version']}, this is {here}: begin anew, or take that one"
    if not results.sessions or not {"folder", "options"} <= run.keys():
        return f"{folder} does not tell how it was begun, so that it cannot go on: begin anew"
    if is_rerun and results.left:
        return (
            f"{folder} was interrupted, {len(results.left)} cases are left: rehearse run --resume {folder} goes first"
        )
    return None


def _ended_with(results: Results, verdicts: str) -> list[str]:
    wanted = [each.strip() for each in verdicts.split(",")]
    again = [each for each in VERDICTS if each != "not_applicable"]
    if strange := [each for each in wanted if each not in again]:
        unusable(f"--rerun {strange[0]}: that is none of {', '.join(again)}")
    return sorted(case.id for case in results.cases if results.verdict(case) in wanted)


def _judged(device: Mapping[str, object]) -> dict[str, object]:
    """What of the description of a device must not change: its address may, and what it told of itself."""
    return {name: value for name, value in device.items() if name not in ("address", "about")}


def differences(was: object, now: object, name: str = "") -> Iterator[str]:
    """What is different in two documents, by dotted names."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            yield from differences(was.get(key), now.get(key), f"{name}.{key}" if name else str(key))
    elif was != now:
        yield f"{name} was {_told(was)}, is {_told(now)}"


def _told(value: object) -> str:
    return "not there" if value is None else json.dumps(value)


def put_aside(folder: Path, results: Results, cases: Iterable[str]) -> None:
    """Make room in the folders of cases that are to be played.

    What belongs to a verdict becomes ``attempts/<n>``; what does not was left by a session that was killed, and goes.
    Done twice it does nothing more. Raises ``OSError``.
    """
    judged = {case.id: case for case in results.cases}
    for case_id in cases:
        home, case = folder / "cases" / case_id, judged.get(case_id)
        left = [path for path in home.iterdir() if path.name != "attempts"] if home.is_dir() else []
        attempt = home / "attempts" / str(len(case.attempts) + 1) if case else None
        if attempt is None or attempt.exists():
            for path in left:
                path.unlink()
            continue
        half = attempt.with_name(f"{attempt.name}.part")
        half.mkdir(parents=True, exist_ok=True)
        for path in left:
            path.rename(half / path.name)
        half.rename(attempt)


def boot_notes(results: Results, folder: Path) -> list[str]:
    """What the Charge Point under test says of itself in the last session and has said otherwise in those before."""
    if results.device.get("kind") != "Charge Point" or len(results.sessions) < 2:
        return []
    last, latest = len(results.sessions) - 1, StoredTranscripts(folder)
    before: dict[str, set[str]] = {}
    now: dict[str, set[str]] = {}
    for case in results.cases:
        _hear(latest.get(case.id, ()), now if case.session == last else before)
        for path in _earlier_transcripts(folder, case):
            _hear(read_transcript(path), before)
    return [
        f"the Charge Point told {name} {_list(now[name])} in this session and {_list(before[name])} before: "
        "it may be another one"
        for name in TOLD_AT_BOOT
        if name in now and name in before and now[name].isdisjoint(before[name])
    ]


def _earlier_transcripts(folder: Path, case: CaseResult) -> Iterator[Path]:
    for number in range(1, len(case.attempts) + 1):
        path = folder / "cases" / case.id / "attempts" / str(number) / "transcript.jsonl"
        if path.exists():
            yield path


def _hear(records: Iterable[Record], told: dict[str, set[str]]) -> None:
    for record in records:
        if record.get("action") == "BootNotification" and record.get("messageType") == "CALL":
            payload = record.get("payload")
            said = payload if isinstance(payload, dict) else {}
            for name in TOLD_AT_BOOT:
                if isinstance(value := said.get(name), str):
                    told.setdefault(name, set()).add(value)


def _list(values: Iterable[str]) -> str:
    return shown(" and ".join(sorted(values)), 200)
