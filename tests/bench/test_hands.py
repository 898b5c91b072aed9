"""Hands that say done: whether the wire has shown anything of it."""

from typing import Any

import pytest

from bench.hands import seen, unseen
from bench.operators import Outcome
from bench.verdicts import Failed, Inconclusive
from ocppj.transcript import Record
from tests.bench.test_bench import FakeOperator, Stage, ending
from tests.bench.wire import CP, CS

PLUG_IN: Record = {"kind": "stimulus", "party": CP, "action": "plug_in"}


def call(action: str, direction: str = "cp-to-csms", kind: str = "CALL") -> Record:
    return {"kind": "frame", "messageType": kind, "action": action, "direction": direction}


SHOWS_NOTHING: list[list[Record]] = [
    [],
    [call("Heartbeat")],
    [call("MeterValues")],
    [call("GetConfiguration", "csms-to-cp")],
    [call("GetConfiguration", kind="CALLRESULT")],
    [{"kind": "operator", "party": CP, "action": "plug_in", "answer": "done"}],
]


@pytest.mark.parametrize("after", SHOWS_NOTHING)
def test_what_shows_nothing(after: list[Record]) -> None:
    records = [call("StatusNotification"), PLUG_IN, *after]
    assert unseen(records) == ["plug in"]
    assert not seen(records)


@pytest.mark.parametrize(
    "after", [call("StatusNotification"), call("Authorize"), {"kind": "connect", "event": "closed"}]
)
def test_what_shows_something(after: Record) -> None:
    assert unseen([PLUG_IN, after]) == []
    assert seen([PLUG_IN, after])


@pytest.mark.parametrize(
    "stimulus",
    [
        {"kind": "stimulus", "party": CP, "action": "lose_connection"},
        {"kind": "stimulus", "party": CP, "action": "power_on"},
        {"kind": "stimulus", "party": CP, "action": "DataTransfer"},
        {"kind": "stimulus", "party": CS, "action": "Reset"},
    ],
)
def test_what_hands_have_not_done(stimulus: Record) -> None:
    assert unseen([stimulus]) == []
    assert not seen([stimulus, call("StatusNotification")])


def stage(*, proven: bool) -> Stage:
    stage = Stage(external=True)
    stage.bench.hands_are_proven = proven
    return stage


async def test_a_charge_point_fails_for_what_is_missing_once_hands_are_proven() -> None:
    it = stage(proven=True)
    await it.bench.do(CP, "plug_in", {"connectorId": 1}, "plug in")
    assert type(await ending(it.bench.claim(CP, "StatusNotification", connector=1))) is Failed


async def test_until_then_nobody_knows() -> None:
    it = stage(proven=False)
    await it.bench.do(CP, "plug_in", {"connectorId": 1}, "plug in")
    over = await ending(it.bench.claim(CP, "StatusNotification", connector=1))
    assert type(over) is Inconclusive
    assert str(over) == (
        "the Charge Point was told (plug in) and sent nothing, as far as hands go: "
        "the Charge Point sent no StatusNotification.req for connector 1 in 30 s"
    )
    assert over.evidence.cause == "told, sent nothing"


async def test_what_came_late_proves_them_too() -> None:
    it = stage(proven=False)
    await it.bench.do(CP, "plug_in", {"connectorId": 1}, "plug in")
    it.call(CP, "StatusNotification", {"connectorId": 2, "status": "Preparing", "errorCode": "NoError"})
    assert type(await ending(it.bench.claim(CP, "StatusNotification", connector=1))) is Failed


async def test_without_hands_a_charge_point_fails_at_once() -> None:
    assert type(await ending(stage(proven=False).bench.claim(CP, "StatusNotification", connector=1))) is Failed


# --- what only a person can see

STATEMENT = "connector 1 is unlocked"


async def confirmed(outcome: Outcome, **stage: Any) -> tuple[Stage, Any]:
    it = Stage(external=True, operator=FakeOperator(outcome), **stage)
    try:
        await it.bench.may_confirm(STATEMENT)
    except Failed as over:
        return it, over
    return it, None


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (Outcome("done", note="it clicked", by="Jane Doe"), "confirmed"),
        (Outcome("done"), "confirmed"),
        (Outcome("gave up", "too dark", by="Jane Doe"), "not known"),
        (Outcome("device cannot", "no such thing"), "not known"),
    ],
)
async def test_only_a_no_changes_a_verdict(outcome: Outcome, answer: str) -> None:
    it, over = await confirmed(outcome)
    assert over is None
    (request,) = it.operator.requests
    assert (request.action, request.payload, request.party) == ("confirm", {"statement": STATEMENT}, CP)
    told = {"asked": STATEMENT, "answer": answer, "words": outcome.words, "note": outcome.note, "by": outcome.by}
    assert it.bench.testimony == [told]
    remarks = [f"nobody has confirmed that {STATEMENT}: the wire alone judges"]
    assert [str(remark) for remark in it.bench.remarks] == ([] if answer == "confirmed" else remarks)
    assert not any(remark.strict for remark in it.bench.remarks)
    record = it.transcript.records[-1]
    assert (record["kind"], record["action"], record["answer"]) == ("operator", "confirm", outcome.answer)
    assert (record.get("by", ""), record.get("note", "")) == (outcome.by, outcome.note)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (
            Outcome("denied", note="it is stuck", by="Jane Doe"),
            f"Jane Doe says that it is not so: {STATEMENT} (it is stuck)",
        ),
        (Outcome("denied", "still locked"), f"the operator says that it is not so: {STATEMENT} (still locked)"),
        (Outcome("denied"), f"the operator says that it is not so: {STATEMENT}"),
    ],
)
async def test_a_no_fails_the_case(outcome: Outcome, words: str) -> None:
    it, over = await confirmed(outcome)
    assert str(over).startswith(words)
    assert it.bench.testimony[0]["answer"] == "denied"


async def test_nobody_is_asked_what_a_simulated_charge_point_looks_like() -> None:
    it, over = await confirmed(Outcome("done"), role="CSMS")
    assert (over, it.operator.requests, it.bench.testimony) == (None, [], [])
    ours = Stage()
    await ours.bench.may_confirm(STATEMENT)
    assert (ours.operator.requests, ours.bench.testimony, ours.bench.remarks) == ([], [], [])
    assert ours.transcript.records[-1]["words"] == "in a self-rehearsal nobody is asked"


async def test_a_note_of_what_was_done_is_kept() -> None:
    outcome = Outcome("done", note="the cable is stiff", by="Jane Doe")
    it = Stage(external=True, operator=FakeOperator(outcome))
    await it.bench.do(CP, "plug_in", {"connectorId": 1}, "plug in")
    told = {"asked": "plug in", "answer": "done", "words": "", "note": "the cable is stiff", "by": "Jane Doe"}
    assert it.bench.testimony == [told]
    (answer,) = [record for record in it.transcript.records if record["kind"] == "operator"]
    assert answer["note"] == "the cable is stiff"


async def test_what_is_looked_at_afterwards_is_told() -> None:
    it = Stage(external=True)
    it.bench.ahead = ("Then the Charge Point sends Authorize.req",)
    await it.bench.do(CP, "present", {"connectorId": 1, "idTag": "T"}, "present it")
    assert it.operator.requests[0].checks == it.bench.ahead
