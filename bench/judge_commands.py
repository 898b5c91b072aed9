"""``rehearse judge``: the transcripts of a run, or a single one, are judged again with the cases of today."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from bench.cases import all_cases, hint
from bench.command_line import COLOURS, _command, _conclude, _table, app, make_room
from bench.device import BadSetting, Device, device
from bench.judgement import differences as differences_of
from bench.judgement import judge_again, judge_one
from bench.report_commands import _refusing
from bench.settings import named_values
from bench.terminal import FAILED, INCONCLUSIVE, PASSED, console, unusable
from bench.trace import read_trace
from ocppj.transcript import BENCH
from reports.reading import BadResults, StoredTranscripts, read_results
from reports.results import RESULTS, CaseResult, Results
from reports.texts import shown


@app.command()
def judge(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|FILE", readable=False, help="The folder that a run has left, or a single transcript."
        ),
    ],
    case: Annotated[str | None, typer.Option(help="The test case of a FILE, or the only one of a DIR.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Tell the verdicts of the official tool's reading.")] = False,
    data: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Test data of a FILE of another tool. Repeatable.")
    ] = None,
    identity: Annotated[str | None, typer.Option(help="The Charge Point of a FILE that tells of several.")] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for results and their views.")] = None,
) -> None:
    """Judge recordings with the test cases of today. Nothing is played, nobody is asked.

    Exit status of a DIR: 1 if a verdict is not the one that the run has left, which stays as it is. Of a FILE: 0 for a
    pass, 1 for a fail, 3 if nobody can tell.
    """
    if case is not None and case not in all_cases():
        unusable(f"unknown test case {case}: {hint(case)}")
    with _refusing():
        if place.is_dir():
            if data or identity:
                unusable("--data and --identity are for a FILE: a folder tells of its device itself")
            _judge_folder(place, case, strict, out)
        elif case is None:
            unusable("--case ID says which test case a FILE is of")
        else:
            if out is not None:
                unusable("--out is for a DIR: of a FILE there is but one verdict")
            _judge_file(place, case, strict, data or [], identity)


def _judge_folder(folder: Path, case: str | None, strict: bool, out: Path | None) -> None:
    stored = read_results(folder)
    if out is not None and out.resolve() == folder.resolve():
        unusable("--out is the folder that is judged: its results stay as they are, name another one")
    strange = [each.id for each in stored.cases if each.id not in all_cases()]
    for each in strange:
        console.print(f"{each}: there is no such test case today", style="yellow", markup=False, soft_wrap=True)
    stored.cases = [each for each in stored.cases if each.id not in strange and case in (None, each.id)]
    if not stored.cases:
        raise BadResults(f"{folder / RESULTS} holds {f'no {case}' if case else 'no case that can be judged'}")
    found_there = StoredTranscripts(folder)
    transcripts = {name: found_there[name] for name in found_there if case in (None, name)}
    results = Results(_facts(stored.run, strict), stored.device)
    results.begin_session("run", str(results.run["started"]), [each.id for each in stored.cases])
    if out is not None:
        make_room(results, out)
    judge_again(stored, transcripts, results, out)
    _show(results, out)
    found = differences_of(stored, results)
    for other in found:
        words = f"{other.case} was {_words(other.then)}, is {_words(other.now)}"
        words += f": {other.reason or 'every sentence holds'}"
        console.print(shown(f"differs        {words}"), style="bold red", markup=False, soft_wrap=True)
    words = f"{len(results.cases)} cases are judged, {len(found)} of them otherwise than in {folder}."
    console.print(words, markup=False, soft_wrap=True)
    raise typer.Exit(FAILED if found else PASSED)


def _judge_file(path: Path, case: str, strict: bool, data: Sequence[str], identity: str | None) -> None:
    records, lacking = read_trace(path, identity)
    try:
        subject = _device_of(case, [each for each in records if each["kind"] == BENCH], named_values("--data", data))
    except BadSetting as error:
        unusable(str(error))
    if why_not := all_cases()[case].why_not(subject):
        unusable(f"{case} does not apply: {why_not}")
    results = judge_one(subject, case, records, lacking, _facts({}, strict))
    (result,) = results.cases
    _tell(results, result)
    verdict = results.verdict(result)
    raise typer.Exit({"pass": PASSED, "fail": FAILED}.get(verdict, INCONCLUSIVE))


def _device_of(case: str, marks: Sequence[dict[str, object]], data: dict[str, str]) -> Device:
    """Who is judged: in a self-rehearsal our own party, else somebody else's. Raises ``BadSetting``."""
    if marks and not any(each.get("name") == "beginning" for each in marks):
        return device(data=data)
    if all_cases()[case].role == "CSMS":
        return device(url="ws://", data=data)
    return device(listen=("", 0), data=data)


def _facts(of_run: dict[str, object], strict: bool) -> dict[str, object]:
    """What the new results say of themselves, and of the run that was recorded."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {
        "tool": "ocpp-rehearsal",
        "time": "virtual",
        "fail_on": ["fail"],
        "known_failures": {},
        "options": {},
        "shuffle": None,
        **of_run,
    }
    facts.pop("sessions", None)
    own = {"version": version("ocpp-rehearsal"), "strict": strict, "started": now, "ended": "", "command": _command()}
    return facts | own | {"folder": str(Path.cwd())}


def _show(results: Results, out: Path | None) -> None:
    if out is None:
        console.print(_table(results))
        return
    _conclude(results, out)  # its transcripts were written while they were judged


def _tell(results: Results, result: CaseResult) -> None:
    verdict = results.verdict(result)
    console.print(f"{verdict:<14} {result.id:<13} {result.title}", style=COLOURS[verdict], markup=False, soft_wrap=True)
    for line in (result.reason, *(f"remark: {each}" for each in result.remarks)):
        if line:
            console.print(f"{'':<14} {shown(line)}", markup=False, soft_wrap=True)


def _words(verdicts: tuple[str, str]) -> str:
    default, strict = (each.replace("_", " ") for each in verdicts)
    return default if default == strict else f"{default} (strict: {strict})"
