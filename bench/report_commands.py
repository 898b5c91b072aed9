"""``rehearse report`` and ``rehearse compare``: what a run has left is shown again, and held against another run."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from bench.command_line import app
from bench.terminal import FAILED, PASSED, UNUSABLE, console
from reports import timing
from reports.compare import LEAST, PART, SECONDS, Comparison, Side, compare
from reports.pdf import NoPdf, pdf
from reports.reading import BadResults, StoredTranscripts, read_results
from reports.results import VERDICTS
from reports.texts import shown
from reports.views import write_views

LONGEST_REASON = 200


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", readable=False, help="The folder that a run has left.")],
    as_pdf: Annotated[bool, typer.Option("--pdf", help="Make report.pdf as well; needs WeasyPrint.")] = False,
) -> None:
    """Write every view of a run again, from results.json and the transcripts. Nothing is run."""
    with _refusing():
        side = _side(folder)
        try:
            failed = write_views(side.results, side.transcripts, folder, side.session)
            if as_pdf:
                (folder / "report.pdf").write_bytes(pdf((folder / "report.html").read_text(encoding="utf-8")))
        except NoPdf as error:
            raise BadResults(str(error)) from None
        except OSError as error:
            raise BadResults(f"the views cannot be written to {folder}: {error.strerror}") from None
    for path, fault in failed:
        print(f"rehearse: {path} could not be made, please report it: {shown(repr(fault))}", file=sys.stderr)
    console.print(f"The views of {len(side.results.cases)} cases stand in {folder}.", markup=False, soft_wrap=True)
    raise typer.Exit(FAILED if failed else PASSED)


@app.command(name="compare")
def compare_runs(
    old: Annotated[Path, typer.Argument(metavar="OLD", readable=False, help="The folder of the run to begin with.")],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", readable=False, help="The folder of the run that is held against it.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List what changed between two runs: verdicts, and response times beyond noise.

    Exit status 1: something got worse. A case passed and does so no more, be it that it was not run again, or
    something takes longer.
    """
    with _refusing():
        sides = _side(old), _side(new)
        comparison = compare(*sides)
        if not comparison.compared:
            raise BadResults(f"{old} and {new} have no case in common: nothing can be compared")
    if as_json:
        print(json.dumps(comparison.as_dict(), indent=2))
    else:
        for name, folder, side in zip(("OLD", "NEW"), (old, new), sides, strict=True):
            console.print(Text(f"{name}  {folder}: {_summary(side)}"), soft_wrap=True)
        _show(comparison)
    raise typer.Exit(FAILED if comparison.regressions else PASSED)


@contextmanager
def _refusing() -> Iterator[None]:
    """What cannot be read ends the command with one line."""
    try:
        yield
    except BadResults as error:
        print(f"rehearse: {shown(str(error))}", file=sys.stderr)
        raise typer.Exit(UNUSABLE) from None


def _side(folder: Path) -> Side:
    """All that a run has left, read before anything is done with it. Raises ``BadResults``."""
    return Side(read_results(folder), dict(StoredTranscripts(folder)), timing.read(folder))


def _summary(side: Side) -> str:
    results = side.results
    counted = Counter(results.verdict(case) for case in results.cases)
    counts = ", ".join(f"{counted[each]} {each.replace('_', ' ')}" for each in VERDICTS if counted[each])
    place = " ".join(str(results.device[name]) for name in ("kind", "address", "identity") if results.device.get(name))
    return shown(f"{place}, {results.run['started']}, {results.run['tool']} {results.run['version']}: {counts}")


def _show(comparison: Comparison) -> None:
    if comparison.verdicts:
        table = Table("", "case", "was", "is", f"reason ({comparison.reading} reading)", box=None, pad_edge=False)
        for verdict in comparison.verdicts:
            words = (verdict.old or "not there", verdict.new or "not there", verdict.reason)
            table.add_row(
                _mark(verdict.is_regression), verdict.id, *(Text(shown(each, LONGEST_REASON)) for each in words)
            )
        console.print(table)
    if comparison.times:
        table = Table("", "median of", "whose", "measured in", "was", "is", box=None, pad_edge=False)
        for time in comparison.times:
            figures = (_figures(time.old_median_s, time.old_count), _figures(time.new_median_s, time.new_count))
            table.add_row(_mark(time.is_regression), Text(shown(time.name, 60)), time.party, time.source, *figures)
        console.print(table)
    for note in comparison.notes:
        console.print(Text(f"note: {shown(note)}"), style="dim", soft_wrap=True)
    alone = sum(None in (each.old, each.new) for each in comparison.verdicts)
    cases, times, worse = len(comparison.verdicts) - alone, len(comparison.times), len(comparison.regressions)
    apart = f", {alone} are in one run alone" if alone else ""
    noise = f"beyond {PART:.0%} and {SECONDS * 1000:g} ms of at least {LEAST}"
    console.print(
        f"{cases} of {comparison.compared} cases changed{apart}, {times} times did ({noise}); {worse} got worse."
    )


def _mark(is_regression: bool) -> Text:
    return Text("worse", style="bold red") if is_regression else Text("")


def _figures(median_s: float, count: int) -> str:
    return f"{timing.in_seconds(median_s)} ({count})"
