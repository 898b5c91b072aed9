"""The command ``rehearse``. pytest underneath is the only runner."""

import json
import shlex
import shutil
import signal
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column, Table
from rich.text import Text

from bench import allure
from bench.agenda import Agenda
from bench.cases import PROFILES, Case, all_cases, cases_for
from bench.device import BadSetting, Device, Security, device
from bench.device_file import DeviceFile
from bench.gate import Gate, exit_status
from bench.hooks import Hooks
from bench.operators import HookFailed, Operator
from bench.operators.kinds import operator_of
from bench.operators.person import Person
from bench.play import play
from bench.plugin import Rehearsal
from bench.processes import play_in_processes
from bench.run import Run
from bench.sessions import Earlier, Sessions, be_alone_in, boot_notes, keep_interrupted, options_given
from bench.settings import ANY_PASSWORD, Choice, Told, ToldForRun, with_options
from bench.terminal import ABORTED, console, unusable
from bench.verdicts import OurError
from ocppj.connection import ConnectFailed, connection_url
from ocppj.secrets import MASK, masked
from reports import history, timing
from reports.explanation import WIDTH, Group, groups, lines
from reports.reading import BadResults, StoredTranscripts, read_results
from reports.results import JOURNAL, KNOWN_FAILURE, RESULTS, VERDICTS, CaseResult, Results, Transcripts, write_case
from reports.texts import shown
from reports.views import write_views

# What of a device a Charge Point tells itself, in BootNotification.req.
TOLD_AT_BOOT = {
    "vendor": "chargePointVendor",
    "product": "chargePointModel",
    "software_version": "firmwareVersion",
}

COLOURS = {
    "pass": "green",
    "fail": "bold red",
    KNOWN_FAILURE: "red",
    "inconclusive": "yellow",
    "error": "bold magenta",
    "not_applicable": "dim",
}

WIDE = 80  # columns in which a table has room for all verdicts, also for those that no case ended with

app = typer.Typer(
    name="rehearse",
    invoke_without_command=True,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def rehearse(
    version_asked: Annotated[bool, typer.Option("--version", help="Say which version this is.")] = False,
) -> None:
    """Rehearse an OCPP 1.6J certification: a Central System, a Charge Point, or our own two with each other."""
    if version_asked:
        print(f"ocpp-rehearsal {version('ocpp-rehearsal')}")
        raise typer.Exit


@app.command()
@with_options
def run(
    context: typer.Context,
    told: ToldForRun,
    choice: Choice,
    sessions: Sessions,
    gate: Gate,
    strict: Annotated[bool, typer.Option("--strict", help="Judge as rigidly as the official tool.")] = False,
    out: Annotated[Path, typer.Option(help="Where the results go.")] = Path("rehearsal-results"),
    processes: Annotated[
        int, typer.Option("-n", "--processes", help="Play a self-rehearsal in so many processes at once.")
    ] = 1,
    shuffle: Annotated[
        int | None, typer.Option(metavar="SEED", help="Play the cases in another order: the same for the same number.")
    ] = None,
) -> None:
    """Rehearse. Without --csms or --listen our own two parties play all cases with each other, in virtual time."""
    file = told.read()
    _check_processes(processes, file.device)
    wanted = choice.of(file.device)
    earlier = sessions.earlier(context, file.device)
    if earlier is None:
        keep_interrupted(out)
    results = (
        earlier.results if earlier else Results(_facts(file, strict, shuffle, options_given(context)), _described(file))
    )
    results.run |= {"fail_on": gate.verdicts(), "known_failures": gate.known_failures(file.known_failures)}
    if earlier and not earlier.cases:
        console.print(f"Nothing is left to {earlier.kind}: {earlier.folder} is over.", markup=False, soft_wrap=True)
        _conclude(results, out)
        raise typer.Exit(exit_status(results))
    progress = _progress()
    rehearsal = _rehearsal(file, results, wanted, out, progress, shuffle)
    if earlier:
        rehearsal.finished = wanted.difference(earlier.cases)
    if isinstance(rehearsal.run.operator, Person) and shuffle is None:
        rehearsal.agenda = Agenda(rehearsal.ahead())
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a time limit of CI ends a run as Ctrl-C does
    try:
        _begin(rehearsal, earlier, wanted, out)
        with progress:
            code = play(rehearsal) if processes == 1 else play_in_processes(rehearsal, processes)
    finally:
        rehearsal.run.close()
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        unusable(f"the cases could not be run: pytest ended with {code.name}")
    if code is not pytest.ExitCode.INTERRUPTED:
        _note_what_did_not_run(rehearsal)
    _leave(rehearsal, out)
    if code is pytest.ExitCode.INTERRUPTED:
        words = f"{len(results.left)} cases are left: rehearse run --resume {shlex.quote(str(out))} goes on"
        console.print(f"Interrupted. {words}.", style="yellow", markup=False, soft_wrap=True)
        raise typer.Exit(ABORTED)
    raise typer.Exit(exit_status(results))


@app.command()
def cases(
    device_file: Annotated[
        Path | None, typer.Option("--device", metavar="FILE", help="Only what applies to the device of a device file.")
    ] = None,
    csms: Annotated[bool, typer.Option("--csms", help="Only what applies to a Central System.")] = False,
    charge_point: Annotated[bool, typer.Option("--charge-point", help="Only what applies to a Charge Point.")] = False,
    lacks: Annotated[
        list[str] | None,
        typer.Option(help="What the Charge Point does not have, e.g. detachable_cable. Repeatable."),
    ] = None,
    security_profile: Annotated[int | None, typer.Option(help="Only what applies with this security profile.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List every test case with id, title, role, profile, and whether it applies."""
    if device_file is not None and (csms or charge_point):
        unusable("--device says already whether it is a Central System or a Charge Point")
    subject = Told(device=device_file, lacks=lacks, security_profile=security_profile).read(ANY_PASSWORD).device
    if csms or charge_point:
        place: dict[str, Any] = {"url": "ws://"} if csms else {"listen": ("", 0)}
        subject = replace(device(**place, lacks=subject.lacks), security=Security(security_profile or 0))
    rows = [(each, each.why_not(subject)) for each in cases_for(subject).values()]
    if as_json:
        entries = [
            {
                "id": each.id,
                "title": each.title,
                "role": each.role,
                "profile": each.profile,
                "applies": why_not is None,
                "why_not": why_not,
                "clauses": list(each.clauses),
            }
            for each, why_not in rows
        ]
        print(json.dumps(entries, indent=2))
        return
    table = Table("id", "title", "role", "profile", "applies", box=None, pad_edge=False)
    for each, why_not in rows:
        table.add_row(each.id, each.title, each.role, each.profile, "yes" if why_not is None else f"no: {why_not}")
    console.print(table)


def _check_processes(processes: int, subject: Device) -> None:
    if processes < 1:
        unusable(f"--processes {processes} is not above 0")
    if processes > 1 and subject.is_external:
        unusable("--processes is for a self-rehearsal: a device plays one case at a time")


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
    )


def _facts(file: DeviceFile, strict: bool, shuffle: int | None, options: dict[str, Any]) -> dict[str, object]:
    """What the results say of the run itself, and what is needed to take it up again."""
    return {
        "tool": "ocpp-rehearsal",
        "version": version("ocpp-rehearsal"),
        "started": _now(),
        "time": "real" if file.device.is_external else "virtual",
        "strict": strict,
        "shuffle": shuffle,
        "ended": "",
        "command": _command(),
        "folder": str(Path.cwd()),
        "options": options,
    }


def _described(file: DeviceFile) -> dict[str, object]:
    return file.device.describe() | {"about": {**file.about}}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _rehearsal(
    file: DeviceFile, results: Results, wanted: frozenset[str], out: Path, progress: Progress, shuffle: int | None
) -> Rehearsal:
    try:
        hooks = [Hooks(**file.hooks)] if file.hooks else []
        played = Run(file.device, _operator(file, progress), hooks)
    except BadSetting as error:
        unusable(str(error))
    task = progress.add_task("", total=len(wanted))

    missing: set[str] = set()  # what was told of a device that is gone

    def noticed(text: str) -> None:
        _print_line(shown(text), style="yellow", markup=False)

    def started(each: Case) -> None:
        progress.update(task, description=f"{each.id} {each.title[:60]}")

    def ended(result: CaseResult) -> None:
        progress.advance(task)
        _write_case(result, out)  # so that whatever ends the run leaves what has been judged
        if not results.configuration and played.configuration:
            results.run["configuration"] = played.configuration  # for another session, if this one is interrupted
            _write(results, out)
        if result.reason in missing:
            return  # one line for all that wait for the device
        if played.life.is_out and result.reason == masked(str(played.life)):
            missing.add(result.reason)
        _tell(result, results)

    return Rehearsal(played, results, wanted, out, started, ended, shuffle, noticed=noticed)


def _tell(result: CaseResult, results: Results) -> None:
    """Print what came of a case."""
    verdict = results.counts_as(result)
    colour = COLOURS[verdict]
    word = verdict if verdict in VERDICTS else verdict.replace("_", " ")
    _print_line(Text.assemble((f"{word:<14}", colour), f" {result.id:<13} {result.title}"))
    if result.reason:
        _print_line(f"{'':<15}{shown(result.reason)}", style=colour, markup=False)
    for remark in result.remarks:
        _print_line(f"{'':<15}remark: {shown(remark)}", style="dim", markup=False)
    for line in history.attempts(result, results):
        _print_line(f"{'':<15}{shown(line)}", style="dim", markup=False)


def _print_line(text: str | Text, **how: Any) -> None:
    console.print(text, soft_wrap=not console.is_terminal, **how)  # a file has no width


def _operator(file: DeviceFile, progress: Progress) -> Operator:
    """Whoever was named. Raises ``BadSetting``."""
    return operator_of(
        file.operator,
        progress.console,
        lambda paused: progress.stop() if paused else progress.start(),
        has_terminal=file.device.is_external and sys.stdin.isatty(),
    )


def reach(run: Run) -> None:
    """Reach the device of a run, or await it; ends the command if nothing can be run."""
    _tell_of_credentials(run, "identifies itself with what an earlier run has kept")
    subject = run.device
    try:
        run.open()
    except HookFailed as failed:
        unusable(f"nothing is run: {shown(str(failed))}")
    except BadSetting as error:  # a folder for keys in which none can be made
        unusable(str(error))
    except ConnectFailed as failure:
        hint = ": the Central System does not know this Charge Point" if failure.status == 404 else ""
        unusable(f"{failure}{hint}")
    except OSError as error:
        assert subject.listen is not None
        unusable(f"cannot listen at {subject.listen[0]}:{subject.listen[1]}: {error.strerror}")
    if subject.listen is not None:
        url = connection_url(run.endpoint, subject.identity)
        limit = subject.limits.long_operation_timeout
        console.print(
            f"Waiting up to {limit:g} s for the Charge Point to connect to {url}", markup=False, soft_wrap=True
        )
        if not run.await_charge_point():
            console.print(f"It has not connected in {limit:g} s: the cases will say so.", style="yellow")


def _write(results: Results, out: Path) -> None:
    try:
        results.write(out)
    except OSError as error:
        unusable(f"the results cannot be written to {out}: {error.strerror}")


def _write_case(result: CaseResult, out: Path) -> None:
    try:
        write_case(out, result)
    except OSError as error:
        unusable(f"the results cannot be written to {out}: {error.strerror}")


def _begin(rehearsal: Rehearsal, earlier: Earlier | None, wanted: frozenset[str], out: Path) -> None:
    """Reach the device, take the folder, and tell what is going to happen."""
    reach(rehearsal.run)
    be_alone_in(out)
    if earlier:
        _go_on(earlier, rehearsal.run)
    else:
        results = rehearsal.results
        results.begin_session("run", str(results.run["started"]), sorted(wanted))
        make_room(results, out)
    if rehearsal.shuffle is not None:
        console.print(f"The cases are shuffled: --shuffle {rehearsal.shuffle} plays them in this order again.")
    if rehearsal.agenda is not None:
        console.print(rehearsal.agenda.introduction, soft_wrap=True)


def _go_on(earlier: Earlier, played: Run) -> None:
    """Begin another session of a run."""
    words = "goes on" if earlier.kind == "resume" else "is played once more in part"
    console.print(f"{earlier.folder} {words}: {len(earlier.cases)} cases.", markup=False, soft_wrap=True)
    try:
        if earlier.kind == "resume":
            played.was_left(*earlier.in_flight(), earlier.results.configuration)
        earlier.begin(_now(), played.device)
        earlier.results.run["ended"] = ""
        earlier.results.write(earlier.folder)
        allure.go_on(earlier.results, earlier.folder)
    except OSError as error:
        unusable(f"the results cannot be written to {earlier.folder}: {error.strerror}")
    for note in earlier.results.sessions[-1]["notes"]:
        console.print(shown(note), style="yellow", markup=False, soft_wrap=True)


def make_room(results: Results, out: Path) -> None:
    """Find out now, and not after an hour, whether the results can be written; transcripts of another run go."""
    if (out / RESULTS).exists():
        shutil.rmtree(out / "cases", ignore_errors=True)
    try:
        (out / JOURNAL).unlink(missing_ok=True)
        results.write(out)
        allure.make_room(out)
    except OSError as error:
        unusable(f"the results cannot be written to {out}: {error.strerror}")


def _tell_of_credentials(run: Run, words: str) -> None:
    if (path := run.credentials.kept_in) is not None:
        identity = run.device.identity
        console.print(
            f"{identity} {words} in {path}, which you alone can read.", style="yellow", markup=False, soft_wrap=True
        )


def _leave(rehearsal: Rehearsal, out: Path) -> None:
    results = rehearsal.results
    _tell_of_credentials(rehearsal.run, "identifies itself from now on with what is kept")
    profile, device = rehearsal.run.security_profile, rehearsal.run.device
    if device.is_external and profile != device.security.profile:
        words = f"has been brought to security profile {profile}: --security-profile {profile} rehearses it from now on"
        console.print(f"{device.identity} {words}.", style="yellow", markup=False, soft_wrap=True)
    for note in boot_notes(results, out):
        results.sessions[-1]["notes"].append(note)
        console.print(shown(note), style="yellow", markup=False, soft_wrap=True)
    _conclude(results, out)


def _conclude(results: Results, out: Path) -> None:
    """Write what a session comes to, unless it has been, and everything that is made of it."""
    session = results.sessions[-1]
    results.run["ended"] = session["ended"] = session["ended"] or _now()
    _ask_boot_notification(results, out)
    _write(results, out)
    with suppress(OSError):  # what cannot be written is told below
        allure.complete(results, out)
    _view(out)
    console.print(f"{_counts(results)}. Results: {out / RESULTS}", markup=False, soft_wrap=True)


def _counts(results: Results) -> str:
    counted = Counter(results.counts_as(result) for result in results.cases)
    counts = [f"{counted[verdict]} {verdict.replace('_', ' ')}" for verdict in COLOURS if counted[verdict]]
    if passed := len(results.unexpected_passes):
        counts.append(f"{passed} known to fail and passed")
    if again := len(results.run_again):
        counts.append(f"{again} run again")
    return ", ".join(counts) or "nothing ran"


def _ask_boot_notification(results: Results, out: Path) -> None:
    """What nobody has told about a Charge Point it tells itself; a Central System hears there of our own."""
    about = results.device.setdefault("about", {})
    assert isinstance(about, dict)
    if results.device["kind"] == "Central System" or not (missing := TOLD_AT_BOOT.keys() - about.keys()):
        return
    for records in StoredTranscripts(out).values():
        for record in records:
            if record.get("action") == "BootNotification" and record.get("messageType") == "CALL":
                payload = record.get("payload")
                said = payload if isinstance(payload, dict) else {}  # whoever has made the recording
                told = {name: said.get(TOLD_AT_BOOT[name]) for name in missing}
                about.update({name: value for name, value in told.items() if isinstance(value, str)})
                return


def _view(out: Path) -> None:
    """Show what a run has left, and write its views: all from the files, as ``rehearse report`` does."""
    results, transcripts = read_results(out), StoredTranscripts(out)
    if results.cases:
        console.print(_table(results))
        console.print()
    for group in groups(results):
        _explain(group, transcripts)
        console.print()
    _tell_apart(results)
    try:
        session = timing.read(out)
    except BadResults as error:
        session = None
        console.print(f"What was measured is left out: {error}", style="yellow", markup=False, soft_wrap=True)
    try:
        failed = write_views(results, transcripts, out, session)
    except OSError as error:
        unusable(f"the results cannot be written to {out}: {error.strerror}")
    for path, fault in failed:
        text = f"{path} could not be made, which is a fault of ours: please report it: {shown(repr(fault))}"
        console.print(text, style="yellow", markup=False, soft_wrap=True)


def _tell_apart(results: Results) -> None:
    """What a verdict alone does not tell: known failures, earlier attempts, interruptions."""
    for each in history.known(results):
        style = "bold red" if each.outcome == "has passed" else "yellow"
        console.print(shown(each.text), style=style, markup=False, soft_wrap=True)
    for case in results.run_again:
        told = [f"{results.verdict(case).replace('_', ' ')} at attempt {len(case.attempts) + 1}"]
        told += history.attempts(case, results)
        console.print(shown(f"{case.id}: {'; '.join(told)}"), style="yellow", markup=False, soft_wrap=True)
    for line in history.sessions(results):
        console.print(shown(line), style="dim", markup=False, soft_wrap=True)


def _table(results: Results) -> Table:
    """How many cases of each profile ended with each verdict; known failures apart, if any was named."""
    table = Table(Column("profile", overflow="fold"), box=None, pad_edge=False)
    counted = Counter((case.profile, results.counts_as(case)) for case in results.cases)
    told = (
        {"pass", "fail"} if console.width < WIDE else {*VERDICTS, *([KNOWN_FAILURE] if results.known_failures else [])}
    )
    told |= {verdict for _, verdict in counted}
    colours = {each: colour for each, colour in COLOURS.items() if each in told}
    for verdict in colours:
        name = "n/a" if verdict == "not_applicable" else verdict.replace("_", " ")
        table.add_column(name, justify="right", overflow="fold")
    present = {profile for profile, _ in counted}
    rows = {each: [counted[each, verdict] for verdict in colours] for each in PROFILES.values() if each in present}
    if len(rows) > 1:
        rows["all"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    for name, counts in rows.items():
        styles = [colour if count else "dim" for count, colour in zip(counts, colours.values(), strict=True)]
        table.add_row(name, *(Text(str(count), style) for count, style in zip(counts, styles, strict=True)))
    return table


def _explain(group: Group, transcripts: Transcripts) -> None:
    first, *others = group.cases
    style = COLOURS[group.verdict]
    console.print(f"{group.verdict:<14} {first.id:<13} {first.title}", style=style, markup=False, soft_wrap=True)
    told = lines(first, transcripts.get(first.id, ()))
    if others:
        told.append(f"{'also':<{WIDTH}} {', '.join(other.id for other in others)}")
    for line in told:
        console.print(f"  {line}", markup=False, soft_wrap=True)


def _command() -> str:
    """How the run was called, without what is secret in it."""
    told, is_secret = ["rehearse"], False
    for argument in sys.argv[1:]:
        name, equals, _ = argument.partition("=")
        told.append(MASK if is_secret else f"{name}={MASK}" if equals and name == "--password" else argument)
        is_secret = argument == "--password"
    return shlex.join(told)


def _note_what_did_not_run(rehearsal: Rehearsal) -> None:
    """A case that was asked for and has no verdict is an error of ours: nothing reads green that nobody asked."""
    for case_id in rehearsal.results.left:
        rehearsal.file(all_cases()[case_id], OurError("the case was not run to its end"))
