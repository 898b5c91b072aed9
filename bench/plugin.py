"""The pytest plugin: one test per test case, its verdict, its transcript, its place in the results."""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import takewhile
from pathlib import Path
from random import Random

import pytest
from pytest_bdd.exceptions import StepDefinitionNotFoundError
from pytest_bdd.parser import Feature, Scenario, Step

from bench.agenda import Agenda
from bench.bench import Bench, Spared
from bench.cases import Case, case_ids, cases_for, scenarios
from bench.failures import failure
from bench.run import Run
from bench.verdicts import CaseOver, Crash, NotApplicable, OurError, Verdict
from ocppj.secrets import masked
from ocppj.transcript import BENCH, written_as_it_comes
from reports.results import CaseResult, Results, StepResult, half_transcript, write_transcript
from steps.words import MisusedStep

# Each before those that import it, or pytest warns that it came too late.
pytest_plugins = [
    "steps.messages",
    "steps.configuration",
    "steps.station",
    "steps.states",
    "steps.metering",
    "steps.transactions",
    "steps.local_auth_list",
    "steps.reservation",
    "steps.remote_trigger",
    "steps.firmware_management",
    "steps.smart_charging",
    "steps.security",
]


@dataclass
class Rehearsal:
    """What a run of pytest rehearses: a run, the cases that were asked for, and where to put what came of it.

    ``wanted``: ids; None for all. ``finished``: those of them that are not to be played, for an earlier session has.
    ``started`` and ``ended`` are told of each case, for a progress display. ``shuffle``: the seed of another order than
    that of the ids. ``noticed`` is told what happens between two cases. ``agenda``: the order for a person, if one is
    the operator. ``spared``: what is taken out of a case, by its id.
    """

    run: Run
    results: Results
    wanted: frozenset[str] | None = None
    out: Path | None = None
    started: Callable[[Case], None] = lambda _: None
    ended: Callable[[CaseResult], None] = lambda _: None
    shuffle: int | None = None
    finished: frozenset[str] = frozenset()
    noticed: Callable[[str], None] = lambda _: None
    spared: Mapping[str, Spared] = field(default_factory=dict)
    agenda: Agenda | None = None

    def ahead(self) -> list[Case]:
        """The cases that will be played."""
        device = self.run.device
        asked_for = cases_for(device).keys() if self.wanted is None else self.wanted
        found = [case for case_id, case in cases_for(device).items() if case_id in asked_for - self.finished]
        return [case for case in found if case.why_not(device) is None]

    def file(
        self,
        case: Case,
        over: CaseOver | None,
        steps: Sequence[StepResult] = (),
        bench: Bench | None = None,
        sentence: str = "",
    ) -> None:
        """Put a case that is over among the results. ``sentence``: the step that ended it, if one did."""
        verdict = Verdict.PASS if over is None else over.verdict
        explained = over is not None and verdict is not Verdict.NOT_APPLICABLE
        result = CaseResult(
            id=case.id,
            title=case.title,
            role=case.role,
            profile=case.profile,
            verdict=verdict,
            strict_verdict=bench.strict_verdict(verdict) if bench else verdict,
            reason="" if over is None else masked("; ".join(map(str, (over, *(bench.residue if bench else ()))))),
            duration_s=round(bench.elapsed, 3) if bench else 0.0,
            clauses=list(case.clauses),
            steps=list(steps),
            remarks=[masked(str(remark)) for remark in (*bench.residue, *bench.remarks)] if bench else [],
            residue=[masked(str(each)) for each in bench.residue] if bench else [],
            started=bench.started if bench else "",
            testimony=_masked(bench.testimony) if bench else [],
            failure=failure(over, case, sentence, bench.records if bench else ()) if over and explained else None,
        )
        self.add(result)

    def ask_after_device(self, case: Case, over: CaseOver | None) -> None:
        """After a case that ended badly: a device that is gone is told of once."""
        life = self.run.life
        if over is None or over.verdict is Verdict.NOT_APPLICABLE or life.is_out:
            return
        self.run.ask_after_device(case)
        if life.is_out:
            self.noticed(f"{life}. The cases that are left wait for it.")
        self._note_outages()

    def begin(self, case: Case) -> Bench:
        """The bench of a case. Raises ``CaseOver``."""
        was_out = self.run.life.is_out
        try:
            return self.run.begin(case)
        finally:
            if was_out and not self.run.life.is_out:
                self.noticed(f"the {self.run.life.party} answers again: the cases go on.")
                self._note_outages()

    def _note_outages(self) -> None:
        """Tell in the results when the device was gone."""
        if told := {each.since: asdict(each) for each in self.run.life.outages}:
            earlier = {each["since"]: each for each in self.results.outages}  # of the session before, too
            self.results.run["outages"] = [*(earlier | told).values()]

    def add(self, result: CaseResult) -> None:
        """Put a result among the others."""
        self.results.add(result)
        self.ended(result)


def _masked(testimony: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    return [{name: masked(text) for name, text in each.items()} for each in testimony]


REHEARSAL = pytest.StashKey[Rehearsal]()
_STEP_TYPE = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_bdd_apply_tag(tag: str, function: Callable[..., object]) -> bool:
    """Keep the tags with the scenario's function instead of making a mark of each."""
    tags: list[str] = function.__dict__.setdefault("tags", [])
    tags.append(tag)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, obj: object) -> list[pytest.Item] | None:
    """Make no test of a scenario that nobody asked for: most of the time of a single case would go into that."""
    rehearsal, tags = collector.config.stash.get(REHEARSAL, None), getattr(obj, "tags", None)
    if rehearsal is None or rehearsal.wanted is None or tags is None:
        return None
    return [] if rehearsal.wanted.isdisjoint(case_ids(tags)) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a scenario once per test case that it serves."""
    tags = getattr(metafunc.function, "tags", None)
    if tags is not None and "case" in metafunc.fixturenames:
        ids = case_ids(tags)
        found = [case for case_id in ids for case in scenarios()[case_id] if case.tags == {*tags}]
        metafunc.parametrize("case", found, ids=ids)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the cases that were asked for, one scenario of each, in the order of their ids or in a shuffled one."""
    rehearsal = config.stash.get(REHEARSAL, None)
    if rehearsal is None:
        return
    played = cases_for(rehearsal.run.device)
    wanted = rehearsal.wanted

    def is_wanted(item: pytest.Item) -> bool:
        case = _case(item)
        if case is None:
            return wanted is None
        return case == played[case.id] and (wanted is None or case.id in wanted)

    kept = {id(item) for item in items if is_wanted(item)}
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in kept])
    items[:] = sorted((item for item in items if id(item) in kept), key=_id)
    if rehearsal.agenda is not None:
        items.sort(key=partial(_place, rehearsal.agenda))
    if rehearsal.shuffle is not None:
        Random(rehearsal.shuffle).shuffle(items)  # noqa: S311  # an order, no secret
    items.sort(key=_cannot_be_undone)
    items[:] = [item for item in items if _id(item) not in rehearsal.finished]  # what is left keeps its place


def _cannot_be_undone(item: pytest.Item) -> bool:
    case = _case(item)
    return case is not None and case.cannot_be_undone


def _place(agenda: Agenda, item: pytest.Item) -> tuple[object, ...]:
    case = _case(item)
    return agenda.place(case) if case else ()


def _id(item: pytest.Item) -> str:
    case = _case(item)
    return case.id if case else item.nodeid


def _case(item: pytest.Item) -> Case | None:
    callspec = getattr(item, "callspec", None)
    case: Case | None = callspec.params.get("case") if callspec else None
    return case


@pytest.fixture(scope="module")
def rehearsal(request: pytest.FixtureRequest) -> Iterator[Rehearsal]:
    """What is rehearsed; a self-rehearsal if pytest was started by itself, which stops the clock for this module."""
    given = request.config.stash.get(REHEARSAL, None)
    if given is not None:
        yield given
        return
    run = Run()
    yield Rehearsal(run, Results({}, run.device.describe()))
    run.close()


@pytest.fixture
def bench(case: Case, rehearsal: Rehearsal, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The bench of one test case, with both parties seated."""
    if rehearsal.agenda is not None and (heading := rehearsal.agenda.heading(case.id)):
        rehearsal.noticed(heading)
    rehearsal.started(case)
    try:
        bench = rehearsal.begin(case)
    except CaseOver as over:
        rehearsal.file(case, over)
        rehearsal.ask_after_device(case, over)
        pytest.fail(masked(f"{over.verdict}: {over}"), pytrace=False)
    except Exception as fault:
        rehearsal.file(case, OurError(f"our own code failed before the case began: {fault!r}"))
        raise
    bench.spared = rehearsal.spared.get(case.id)
    with _leaving_a_trace(rehearsal, bench):
        yield bench
        rehearsal.run.end(bench)  # if the scenario was interrupted


def _leaving_a_trace(rehearsal: Rehearsal, bench: Bench) -> AbstractContextManager[None]:
    """Let a kill leave what a case has done to a device: the next session has to undo it."""
    if rehearsal.out is None or rehearsal.run.is_virtual:
        return nullcontext()
    return written_as_it_comes(bench.transcript, half_transcript(rehearsal.out, bench.case.id))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what does not apply to the device, before anything is set up for it."""
    case, rehearsal = _case(item), item.config.stash.get(REHEARSAL, None)
    if rehearsal is None or case is None:
        return
    if why_not := case.why_not(rehearsal.run.device):
        rehearsal.file(case, NotApplicable(why_not))
        pytest.skip(f"not applicable: {why_not}")


def pytest_bdd_before_scenario(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario) -> None:
    """No step has run yet."""
    request.node.stash[_STEP_TYPE] = ""


def pytest_bdd_before_step(
    request: pytest.FixtureRequest, feature: Feature, scenario: Scenario, step: Step, step_func: Callable[..., object]
) -> None:
    """Before the first of several stimuli, forget what came before: nothing of it can answer them."""
    if inspect.iscoroutinefunction(step_func):
        raise MisusedStep(f"{step_func.__name__} is an async step that would pass without running: it is not wrapped")
    bench: Bench = request.getfixturevalue("bench")
    before, request.node.stash[_STEP_TYPE] = request.node.stash[_STEP_TYPE], step.type
    bench.sentence = f"{step.keyword} {step.name}"
    bench.transcript.add(BENCH, event="step", text=bench.sentence)
    if step.type in ("given", "when") and before != "when":
        bench.begin_stage()
    bench.reached.append(bench.sentence)
    bench.ahead = _looking(scenario.steps[len(bench.reached) :])


def _looking(steps: Sequence[Step]) -> tuple[str, ...]:
    """The next sentences, as far as they only look at the wire."""
    return tuple(f"{step.keyword} {step.name}" for step in takewhile(lambda step: step.type == "then", steps))


def pytest_bdd_after_scenario(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario) -> None:
    """Let the wire settle, judge what holds in every case, and fail the test unless the verdict is pass."""
    raised = sys.exception()
    if isinstance(raised, (KeyboardInterrupt, SystemExit)):
        return  # nobody asks for a verdict any more
    bench: Bench = request.getfixturevalue("bench")
    rehearsal: Rehearsal = request.getfixturevalue("rehearsal")
    if raised is None and len(bench.reached) < len(scenario.steps):
        raised = OurError("the case was not run to its end")
    over = rehearsal.run.weigh(bench, _ending(raised))
    try:
        bench.loop.run_until_complete(bench.settle())
        bench.end_watch()
        over = rehearsal.run.weigh(bench, bench.conclude(over))
        records = rehearsal.run.end(bench)
        if rehearsal.out is not None:
            write_transcript(rehearsal.out, bench.case.id, records)
    except Exception as fault:
        over = OurError(f"the case could not be brought to its end: {fault}")
    steps = _step_results(scenario, bench, over if raised is not None else None)
    rehearsal.file(bench.case, over, steps, bench, bench.sentence if raised is not None else "")
    rehearsal.ask_after_device(bench.case, over)
    if over is not None:
        reason = masked(f"{over.verdict}: {bench.sentence}: {over}")
        if raised is not None and not isinstance(raised, CaseOver):
            raise OurError(reason) from raised
        pytest.fail(reason, pytrace=False)


def _ending(raised: BaseException | None) -> CaseOver | None:
    if isinstance(raised, StepDefinitionNotFoundError):
        return OurError(f"no such sentence, docs/vocabulary.md has them all: {raised}")
    if raised is None or isinstance(raised, CaseOver):
        return raised
    return Crash(f"our own code failed: {raised!r}")


def _step_results(scenario: Scenario, bench: Bench, ended: CaseOver | None) -> list[StepResult]:
    reached = len(bench.reached)
    results = []
    for number, step in enumerate(scenario.steps, 1):
        outcome = (
            "passed" if number < reached or ended is None else "not reached" if number > reached else str(ended.verdict)
        )
        table = [[str(cell) for cell in row] for row in step.datatable.raw()] if step.datatable else []
        results.append(StepResult(step.keyword, step.name, outcome, table))
    return results
