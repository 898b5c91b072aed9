"""The views of a run: what each file beside ``results.json`` is made with.

A view is a pure function of what a run has left to text. ``rehearse run`` writes all of them at its end, ``rehearse
report`` writes them again.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from ocppj.transcript import Record
from reports import allure, certification, sequence
from reports.badge import badge
from reports.junit import junit
from reports.results import CaseResult, Results, Transcripts
from reports.summary import summary
from reports.timing import Session

View = Callable[[Results, Transcripts], str]
CaseView = Callable[[CaseResult, Sequence[Record]], str]

# The file in the folder of the results, and what makes it.
VIEWS: tuple[tuple[str, View], ...] = (
    ("junit.xml", junit),
    ("summary.md", summary),
    ("badge.svg", badge),
    ("allure-results/categories.json", allure.categories),
    ("allure-results/environment.properties", allure.environment),
    ("allurerc.json", allure.settings),
    ("report.html", certification.report),
)

# The file in ``cases/<id>/`` of every case that has a transcript, and what makes it.
CASE_VIEWS: tuple[tuple[str, CaseView], ...] = (
    ("sequence.svg", sequence.svg_of),
    ("sequence.mmd", sequence.mermaid_of),
)


def write_views(
    results: Results, transcripts: Transcripts, folder: Path, session: Session | None = None
) -> list[tuple[Path, Exception]]:
    """Write every view of a run. Those that could not be made, and why: one of them costs none of the others.

    ``session``: what ``rehearse measure`` has left beside. Raises ``OSError`` if nothing can be written there.
    """
    failed = []
    for path, make in _files(results, transcripts, folder, session):
        try:
            text = make().encode()
        except Exception as fault:  # ours, on something that a device has sent
            failed.append((path, fault))
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return failed


def _files(
    results: Results, transcripts: Transcripts, folder: Path, session: Session | None
) -> Iterator[tuple[Path, Callable[[], str]]]:
    for case in results.cases:
        for name, case_view in CASE_VIEWS if case.id in transcripts else ():
            yield folder / "cases" / case.id / name, partial(case_view, case, transcripts[case.id])
    for name, view in VIEWS:
        measured = {"session": session} if view is certification.report else {}  # the others show no figures
        yield folder / name, partial(view, results, transcripts, **measured)
