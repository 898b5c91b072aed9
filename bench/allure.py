"""What Allure shows of a run: ``allure-pytest`` writes it case by case, this tells it what pytest cannot see.

Those are the sentences, what crossed the wire, the verdict and its reason. Each result is put in our words just before
it is written, from what the results hold of the case.
"""

import csv
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import cache, partial
from pathlib import Path

import allure
import allure_commons
import pytest
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import (
    Label,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestResultContainer,
    TestStepResult,
)
from allure_commons.types import AttachmentType, LabelType
from allure_commons.utils import md5, now, uuid4
from allure_pytest.listener import AllureListener
from pytest_bdd.parser import Scenario, Step

from bench.cases import FEATURES, Case, all_cases
from bench.plugin import Rehearsal
from ocppj.secrets import masked
from ocppj.transcript import Record, read
from reports.explanation import lines
from reports.results import OUTDATED, CaseResult, Results
from reports.sequence import svg
from reports.texts import shown

FOLDER = "allure-results"

STATUSES = {
    "pass": Status.PASSED,
    "fail": Status.FAILED,
    "inconclusive": Status.BROKEN,
    "error": Status.BROKEN,
    "not_applicable": Status.SKIPPED,
    "passed": Status.PASSED,  # the last two are outcomes of a sentence
    "not reached": Status.SKIPPED,
}
ROLES = {"CS": "Charge Point", "CSMS": "Central System"}
# Whether a product must pass a case to be certified, in Allure's words; of most it is not known.
SEVERITIES = {"M": "critical"}
_KEPT = (LabelType.HOST, LabelType.THREAD, LabelType.FRAMEWORK, LabelType.LANGUAGE)
_LONGEST = 20_000  # characters of a reason; whoever needs more of it finds it in the transcript


def make_room(out: Path) -> None:
    """Take away what another run has left for Allure, which would show both as one. Raises ``OSError``."""
    folder = out / FOLDER
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def go_on(results: Results, out: Path) -> None:
    """Let there be a result of Allure for each attempt that an earlier session has judged, and no other.

    Raises ``OSError``.
    """
    (out / FOLDER).mkdir(parents=True, exist_ok=True)
    complete(results, out)


def complete(results: Results, out: Path) -> None:
    """Make what Allure shows the cases that the results hold, whatever became of the process that was to play them.

    A case that never ended gets its result, one that was written before it had a verdict is written again.
    Raises ``OSError``.
    """
    written = _keep(results, out)
    logger = AllureFileLogger(out / FOLDER)
    for case in results.cases:
        if written[md5(case.id)] > len(case.attempts):
            continue
        result = TestResult(uuid=uuid4(), start=now(), stop=now())
        tell(result, case, _records(out, case.id), results)
        logger.report_result(result)


def _keep(results: Results, out: Path) -> Counter[str]:
    """Take away the results of Allure that belong to no verdict; how many are left of each case, by its id there."""
    due = {md5(case.id): len(case.attempts) + 1 for case in results.cases}
    kept: Counter[str] = Counter()
    for path in sorted((out / FOLDER).glob("*-result.json"), key=lambda path: path.stat().st_mtime_ns):
        try:
            case_id = json.loads(path.read_text(encoding="utf-8")).get("testCaseId")
        except ValueError:  # whoever wrote it was killed
            case_id = None
        if kept[case_id] < due.get(case_id, 0):
            kept[case_id] += 1
        else:
            path.unlink()
    return kept


class _Files(AllureFileLogger):
    """Writes what Allure is told."""

    def report_container(self, container: TestResultContainer) -> None:
        """Not this: it would tell of fixtures, by which pytest finds the sentences; some fifteen files a case."""


class AllureResults:
    """A plugin of pytest and of Allure for the cases of one rehearsal."""

    def __init__(self, rehearsal: Rehearsal, out: Path) -> None:
        self._rehearsal = rehearsal
        self._out = out
        self._case: Case | None = None
        self._sentence = ExitStack()

    def pytest_configure(self, config: pytest.Config) -> None:
        """Do what ``--alluredir`` does, with files of our own and with this plugin.

        Allure has a manager of plugins of its own, one for all that runs in this process.
        """
        listener = AllureListener(config)
        config.pluginmanager.register(listener, "allure_listener")
        files = _Files(self._out / FOLDER)  # type: ignore[no-untyped-call]  # its constructor has no types
        for plugin in (listener, files, self):
            allure_commons.plugin_manager.register(plugin)
            config.add_cleanup(partial(allure_commons.plugin_manager.unregister, plugin))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Know of what case the result is that is written next."""
        callspec = getattr(item, "callspec", None)
        self._case = callspec.params.get("case") if callspec else None
        try:
            return (yield)
        finally:
            self._case = None

    def pytest_bdd_before_step(self, step: Step) -> None:
        """A sentence begins."""
        self._sentence.close()
        self._sentence.enter_context(allure.step(f"{step.keyword} {step.name}"))
        table = [[str(cell) for cell in row] for row in step.datatable.raw()] if step.datatable else []
        if table and not _is_of_pairs(table):
            allure.attach(_csv(table), "table", AttachmentType.CSV)

    def pytest_bdd_after_step(self) -> None:
        """A sentence held."""
        self._sentence.close()

    def pytest_bdd_step_error(self) -> None:
        """A sentence did not hold."""
        self._sentence.close()

    @pytest.hookimpl(wrapper=True)
    def pytest_bdd_after_scenario(self, scenario: Scenario) -> Iterator[None]:
        """What belongs to a case, once it has its verdict."""
        self._sentence.close()
        try:
            return (yield)
        finally:
            self._attach()

    def _attach(self) -> None:
        result = self._result()
        if result is None:
            return
        if result.remarks:
            allure.attach("\n".join(map(_text, result.remarks)), "remarks", AttachmentType.TEXT)
        if records := _records(self._out, result.id):
            wrong = (result.failure or {}).get("frame")
            with suppress(Exception):  # ours, on something that a device has sent: who writes the views tells of it
                allure.attach(svg(records, wrong=wrong), "sequence.svg", AttachmentType.SVG)
            allure.attach.file(_transcript(self._out, result.id), "transcript.jsonl", "text/plain", "jsonl")

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: TestResult) -> None:
        """Put a result in our words before it is written."""
        case = self._result()
        if case is not None:
            tell(result, case, _records(self._out, case.id), self._rehearsal.results)

    def _result(self) -> CaseResult | None:
        if self._case is None:
            return None
        return next((each for each in reversed(self._rehearsal.results.cases) if each.id == self._case.id), None)


def _transcript(out: Path, case_id: str) -> Path:
    return out / "cases" / case_id / "transcript.jsonl"


def _records(out: Path, case_id: str) -> list[Record]:
    """What crossed the wire; nothing for a case that was not played."""
    path = _transcript(out, case_id)
    return read(path) if path.is_file() else []


def tell(result: TestResult, case: CaseResult, records: Sequence[Record], results: Results) -> None:
    """Put a result of Allure in our words: what it is called and found under, how it ended and why.

    Its steps so far are those that were reached, with their times.
    """
    verdict = results.verdict(case)
    result.name = f"{case.id} {case.title}"
    result.fullName = case.id
    # What allure-pytest makes them of is not the same in two runs.
    result.testCaseId = result.historyId = md5(case.id)
    result.parameters = []
    result.description = None
    result.titlePath = [ROLES[case.role], case.profile, _chapter(case.id)]
    result.labels = [label for label in result.labels if label.name in _KEPT] + _labels(case, verdict)
    result.status = STATUSES[verdict]
    result.statusDetails = _details(case, verdict, records, result.statusDetails)
    if known := results.known_failures.get(case.id):
        _tell_that_it_is_known(result, verdict, known)
    if case.attempts:
        result.statusDetails = result.statusDetails or StatusDetails()
        result.statusDetails.flaky = True
    _tell_steps(result, case)


def _labels(case: CaseResult, verdict: str) -> list[Label]:
    role, chapter, status = ROLES[case.role], _chapter(case.id), _certification_statuses().get(case.id, "not known")
    cause = (case.failure or {}).get("cause")
    told = [
        (LabelType.EPIC, role),
        (LabelType.FEATURE, chapter),
        (LabelType.STORY, case.title),
        (LabelType.PARENT_SUITE, role),
        (LabelType.SUITE, case.profile),
        (LabelType.SUB_SUITE, chapter),
        (LabelType.SEVERITY, SEVERITIES.get(status, "normal")),
        ("role", role),
        ("profile", case.profile),
        ("mandatory or conditional", status),
        ("verdict", verdict.replace("_", " ")),
        ("strict verdict", case.strict_verdict.replace("_", " ")),
        *(("clause", clause) for clause in case.clauses),
        *([("cause", _text(cause))] if cause else []),
    ]
    return [Label(name, value) for name, value in told]


def _details(
    case: CaseResult, verdict: str, records: Sequence[Record], told: StatusDetails | None
) -> StatusDetails | None:
    if verdict == "pass":
        return None
    # The categories know the verdicts by how this begins.
    message = [f"{verdict.replace('_', ' ')}: {case.reason or 'in the strict reading, for its remarks'}"]
    with suppress(Exception):  # as above
        message += ["", *lines(case, records)]
    trace = told.trace if told is not None and verdict == "error" else None  # to be reported to us
    return StatusDetails(message=_text("\n".join(message).strip()), trace=_text(trace) if trace else None)


def _tell_that_it_is_known(result: TestResult, verdict: str, reason: str) -> None:
    """A failure that was known; one that was known and did not come is a failure of the run."""
    details = result.statusDetails = result.statusDetails or StatusDetails()
    if verdict == "pass":
        result.status = Status.FAILED
        details.message = _text(f"pass: {OUTDATED} ({reason})")
    elif verdict == "fail":
        details.known = True
        details.message = _text(f"{details.message}\n\nknown failure: {reason}")


def _tell_steps(result: TestResult, case: CaseResult) -> None:
    """How each sentence ended; those that were not reached are there as well."""
    del result.steps[len(case.steps) :]
    while len(result.steps) < len(case.steps):
        result.steps.append(TestStepResult(start=result.stop, stop=result.stop))
    for step, sentence in zip(result.steps, case.steps, strict=True):
        step.name = f"{sentence.keyword} {sentence.sentence}"
        step.status = STATUSES[sentence.outcome]
        if sentence.outcome not in ("passed", "not reached"):
            step.statusDetails = result.statusDetails
        if _is_of_pairs(sentence.table):
            step.parameters = [Parameter(name, value) for name, value in sentence.table]


def _is_of_pairs(table: list[list[str]]) -> bool:
    """Whether a table is fields and their values, as most are, and no grid with a head."""
    return all(len(row) == 2 for row in table)


def _csv(table: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue()


def _text(text: str) -> str:
    """A text of a device: half a surrogate pair in it would end the run, as nobody can write it to a file."""
    return shown(masked(text), _LONGEST, lines=True)


@cache
def _chapter(case_id: str) -> str:
    """The name of the feature that a case belongs to."""
    if (case := all_cases().get(case_id)) is None:
        return ""
    name = re.search(r"^\s*Feature: *(.+)$", (FEATURES / case.feature).read_text(encoding="utf-8"), re.MULTILINE)
    return name[1].strip() if name else ""


@cache
def _certification_statuses() -> dict[str, str]:
    """M, C (inferred) or not known, by the id of the case."""
    with (FEATURES / "test_cases.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["status"] for row in csv.DictReader(file)}
