"""What is told of a case that did not pass: the frame, the fields, the clause, the cause, and what to do next."""

from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.cases import Case
from bench.device import Device
from bench.failures import FRAMES_BEFORE, failure
from bench.messages import Message
from bench.mutants import all_mutants
from bench.obligations import name_of
from bench.operators import Outcome
from bench.play import play
from bench.plugin import Rehearsal
from bench.run import Run
from bench.verdicts import (
    CaseOver,
    Difference,
    Evidence,
    Failed,
    Inconclusive,
    NotApplicable,
    OurError,
    without_clauses,
)
from ocppj.transcript import read
from reports.results import CaseResult, Results
from steps.cells import mismatches
from steps.messages import claim_conf, claim_request, make_send
from tests import basic_cases
from tests.bench.test_bench import FakeOperator, Stage, ending
from tests.bench.wire import CP, CS, status

CLAUSES = ["OCPP 1.6 4.1", "OCPP 1.6 7.2"]  # of the case that a Stage plays
SENTENCE = "Then it happens"


async def told(stage: Stage, work: Awaitable[object]) -> dict[str, Any]:
    """What is told of a case that ends with this."""
    over = await ending(work)
    return failure(over, stage.bench.case, SENTENCE, stage.bench.records)


def concluded(stage: Stage) -> dict[str, Any]:
    """What is told of a case whose sentences all held."""
    over = stage.bench.conclude(None)
    assert over is not None
    return failure(over, stage.bench.case, "", stage.bench.records)


# --- a wrong answer


async def wrong_answer(expected: str = "Invalid", seen: str = "Accepted", before: int = 0) -> dict[str, Any]:
    stage = Stage("CSMS")
    for _ in range(before):
        stage.exchange(CP, "Heartbeat", {}, {"currentTime": "2026-01-01T00:00:00Z"})
    unique_id = stage.call(CP, "Authorize", {"idTag": "A"})
    stage.result(CS, unique_id, {"idTagInfo": {"status": seen}})
    await stage.claim(CP, "Authorize")
    return await told(stage, claim_conf(stage.bench, CS, "Authorize", [("idTagInfo.status", expected)]))


async def test_a_wrong_answer() -> None:
    found = await wrong_answer()
    assert found == {
        "sentence": SENTENCE,
        "text": "Authorize.conf of the Central System: idTagInfo.status is Accepted, expected Invalid",
        "clauses": ["OCPP 1.6 4.1"],
        "requirements": found["requirements"],
        "expected": [{"field": "idTagInfo.status", "expected": "Invalid", "seen": "Accepted"}],
        "nearest": "",
        "frame": 1,
        "frames": [0],
        "next": "Have the Central System fill in idTagInfo.status of Authorize.conf as expected, then play the case "
        "again.",
        "cause": "fail: Authorize.conf: idTagInfo.status is Accepted",
    }
    assert len(found["requirements"]) == 1
    assert found["requirements"][0]


async def test_the_last_frames_before_it() -> None:
    found = await wrong_answer(before=7)
    assert found["frame"] == 15
    assert found["frames"] == [9, 10, 11, 12, 13, 14]


async def test_the_request_of_a_late_answer_is_among_them() -> None:
    stage = Stage("CSMS")
    unique_id = stage.call(CP, "Authorize", {"idTag": "A"})
    for _ in range(5):
        stage.exchange(CP, "Heartbeat", {}, {"currentTime": "2026-01-01T00:00:00Z"})
    stage.result(CS, unique_id, {"idTagInfo": {"status": "Blocked"}})
    await stage.claim(CP, "Authorize")
    found = await told(stage, claim_conf(stage.bench, CS, "Authorize", [("idTagInfo.status", "Accepted")]))
    assert (found["frame"], found["frames"]) == (11, [0, 6, 7, 8, 9, 10])
    assert len(found["frames"]) == FRAMES_BEFORE


async def test_the_same_wrong_answer_is_one_cause_whatever_was_expected() -> None:
    causes = {(await wrong_answer(expected))["cause"] for expected in ("Invalid", "Blocked", "one of Expired, Blocked")}
    assert len(causes) == 1
    assert (await wrong_answer("Accepted", "Blocked"))["cause"] not in causes


async def test_what_the_schema_forbids() -> None:
    found = await wrong_answer(seen="accepted")
    assert (found["frame"], found["expected"]) == (1, [])
    assert "idTagInfo.status" in found["text"]
    assert found["next"].endswith("what led to this Authorize.conf.")


async def test_an_id_tag_that_is_not_known_may_be_the_fault_of_the_test_data() -> None:
    found = await wrong_answer(expected="Accepted", seen="Invalid")
    assert found["next"] == (
        "See that the Central System knows idTag A as the case expects it, or name another one with --data, then play "
        "the case again."
    )


@pytest.mark.parametrize(
    ("action", "payload", "status"),
    [
        ("TriggerMessage", {"requestedMessage": "Heartbeat"}, "NotImplemented"),
        ("UnlockConnector", {"connectorId": 1}, "NotSupported"),
    ],
)
async def test_a_feature_that_there_is_not_can_be_declared(action: str, payload: dict[str, Any], status: str) -> None:
    stage = Stage("CS")
    stage.result(CP, stage.call(CS, action, payload), {"status": status})
    await stage.claim(CS, action)
    found = await told(stage, claim_conf(stage.bench, CP, action, [("status", "Accepted")]))
    assert found["next"] == (
        f"Have the Charge Point fill in status of {action}.conf as expected, then play the case again; if it does not "
        "have the feature, say so with --lacks."
    )


async def test_a_refusal() -> None:
    stage = Stage("CSMS")
    stage.error(CS, stage.call(CP, "Authorize", {"idTag": "A"}), "NotImplemented")
    await stage.claim(CP, "Authorize")
    found = await told(stage, claim_conf(stage.bench, CS, "Authorize"))
    assert (found["frame"], found["frames"], found["expected"]) == (1, [0], [])
    assert found["next"].startswith("Look up in the log of the Central System at 2")
    assert found["next"].endswith(
        "why it answered Authorize.req with NotImplemented; if it does not have the feature, say so with --lacks."
    )


# --- nothing came


async def test_no_answer() -> None:
    stage = Stage("CSMS")
    stage.call(CP, "Heartbeat", {})
    stage.call(CP, "Authorize", {"idTag": "A"})
    await stage.claim(CP, "Authorize")
    found = await told(stage, claim_conf(stage.bench, CS, "Authorize"))
    assert (found["frame"], found["frames"], found["nearest"]) == (1, [0], "")
    assert "why there was no answer to Authorize.req" in found["next"]
    assert found["cause"] == "fail: the Central System did not answer Authorize.req in # s"


async def test_what_came_instead() -> None:
    stage = Stage("CS")
    stage.call(CP, "Heartbeat", {})
    stage.call(CP, "Authorize", {"idTag": "A"})
    found = await told(stage, claim_request(stage.bench, CP, "StartTransaction", within=1))
    assert found["nearest"] == 'Authorize.req {"idTag": "A"}'
    assert (found["frame"], found["frames"]) == (None, [0, 1])
    assert "why there was no StartTransaction.req at 2" in found["next"]
    # The cause is what is missing, whatever came instead.
    assert found["cause"] == "fail: the Charge Point sent no StartTransaction.req in # s"


async def test_one_of_its_kind_is_nearer_than_another() -> None:
    stage = Stage("CS")
    stage.call(CP, "Authorize", {"idTag": "A"})
    stage.call(CP, "StatusNotification", status(2, "Charging"))
    found = await told(stage, claim_request(stage.bench, CP, "StatusNotification", [("connectorId", "1")], within=1))
    assert found["nearest"].startswith('StatusNotification.req {"connectorId": 2')


async def test_another_status() -> None:
    stage = Stage("CS")
    stage.call(CP, "StatusNotification", status(1, "Faulted"))
    found = await told(stage, stage.bench.reaches(1, "Charging"))
    assert found["frame"] == 0
    assert found["expected"] == [{"field": "status", "expected": "Charging", "seen": "Faulted"}]


# --- the end of a case


async def test_a_broken_obligation() -> None:
    stage = Stage("CS")
    stage.call(CP, "Heartbeat", {})
    stage.raw(CP, [2, "1", "Heartbeat", {"surplus": 1}])
    found = concluded(stage)
    assert (found["sentence"], found["frame"], found["frames"]) == ("", 1, [0])
    assert found["clauses"] == ["schema of Heartbeat.req"]
    assert found["requirements"] == ["Every field of Heartbeat.req is as the JSON schema has it"]
    assert "(schema" not in found["text"]


async def test_a_surplus_request() -> None:
    stage = Stage("CS")
    stage.exchange(CP, "Authorize", {"idTag": "A"}, {"idTagInfo": {"status": "Accepted"}})
    found = concluded(stage)
    assert (found["frame"], found["frames"], found["clauses"]) == (0, [], ["OCPP 1.6 4.1"])


async def test_a_surplus_request_of_ours() -> None:
    stage = Stage("CSMS")
    stage.exchange(CP, "Authorize", {"idTag": "A"}, {"idTagInfo": {"status": "Accepted"}})
    found = concluded(stage)
    assert (found["frame"], found["cause"].partition(":")[0]) == (0, "error")
    assert "fault of ocpp-rehearsal" in found["next"]


# --- inconclusive


async def test_no_operator() -> None:
    def asked(action: str) -> Outcome:
        return Outcome("gave up", f"there is no operator who could be asked: {action} at the Central System")

    causes = set()
    for action in ("ClearCache", "Reset"):
        stage = Stage("CSMS", external=True, operator=FakeOperator(asked(action)))
        found = await told(stage, make_send(stage.bench, CS, action, [("type", "Hard")] if action == "Reset" else ()))
        assert "--operator command:PROGRAM" in found["next"]
        assert action in found["text"]
        causes.add(found["cause"])
    assert causes == {"inconclusive: there is no operator who could be asked"}


async def test_an_operator_who_says_done_and_nothing_comes() -> None:
    stage = Stage("CSMS", external=True)
    stage.call(CS, "GetConfiguration", {})
    stage.bench.begin_stage()
    found = await told(stage, make_send(stage.bench, CS, "ClearCache", ()))
    assert "MessageTimeout" in found["next"]
    assert (found["frame"], found["frames"], found["nearest"]) == (None, [0], "")


@pytest.mark.parametrize("name", ["ValidIdTag", "FirmwareUrl", "FirmwareSignature"])
async def test_missing_test_data(name: str) -> None:
    over = Stage().bench.missing(name)
    found = failure(over, Stage().bench.case, "", ())
    assert found["next"].startswith("Play the case again with --data ")
    assert found["text"] == str(over)


async def test_what_came_of_something_before() -> None:
    stage = Stage("CSMS")
    stage.error(CS, stage.call(CP, "Authorize", {"idTag": "A"}))
    found = await told(stage, claim_request(stage.bench, CP, "StartTransaction", within=1))
    assert found["next"] == "See first to what came before: the Central System answered CALLERROR GenericError 'why'."
    assert found["cause"] == "inconclusive: the Central System answered CALLERROR GenericError 'why'"


@pytest.mark.parametrize("over", [OurError("x"), Inconclusive("x"), Failed("x")])
def test_an_end_without_evidence(over: CaseOver) -> None:
    case = Case("TC_900_CS", "A case", "CS", "Core", "core/a.feature", (), ())
    found = failure(over, case, "", ())
    assert found == {
        "sentence": "",
        "text": "x",
        "clauses": [],
        "requirements": [],
        "expected": [],
        "nearest": "",
        "frame": None,
        "frames": [],
        "next": found["next"],
        "cause": f"{over.verdict}: x",
    }
    assert found["next"].endswith(".")


def test_no_secret_is_told() -> None:
    case = Case("TC_900_CS", "A case", "CS", "Core", "core/a.feature", (), ())
    evidence = Evidence("at ftp://me:secret@host/", differences=(Difference("location", "ftp://me:secret@host/", "x"),))
    assert "secret" not in str(failure(Failed("x", evidence), case, "", ()))


def test_a_difference_reads_as_the_reason_has_it() -> None:
    (found,) = mismatches({"status": "Rejected"}, [("status", "Accepted")], str)
    assert found == Difference("status", expected="Accepted", seen="Rejected")


@pytest.mark.parametrize(
    ("reason", "text", "clauses"),
    [
        ("no clause", "no clause", ()),
        ("it is (so) said", "it is (so) said", ()),
        ("x (white paper M03.FR.04, 6.1)", "x", ("white paper M03.FR.04", "white paper 6.1")),
        ("x (A00.FR.401) and y (A00.FR.401)", "x and y", ("white paper A00.FR.401",)),
        ("x (errata 3.51)", "x", ("OCPP 1.6 errata 3.51",)),
        ("x (OCPP 1.6 3.7)", "x", ("OCPP 1.6 3.7",)),
        ("x (OCPP-J 1.6 4.1.4)", "x", ("OCPP-J 1.6 4.1.4",)),
    ],
)
def test_a_reason_without_its_clauses(reason: str, text: str, clauses: tuple[str, ...]) -> None:
    assert without_clauses(reason) == (text, clauses)


# --- the whole way


def played(faulty: str, out: Path) -> list[CaseResult]:
    """The cases that a mutant keeps from passing."""
    run = Run(Device())
    rehearsal = Rehearsal(run, Results({}, {}), basic_cases.IDS, out)
    with pytest.MonkeyPatch.context() as patch:
        all_mutants()[faulty].plant(patch)
        play(rehearsal)
    run.close()
    passed = [case for case in rehearsal.results.cases if case.verdict == "pass"]
    assert all(case.failure is None and case.started.startswith("2031-") for case in passed)
    return [case for case in rehearsal.results.cases if case.verdict != "pass"]


@pytest.mark.parametrize(
    ("faulty", "names"),
    [
        ("an idTag that is known is Invalid in Authorize.conf", {"Authorize.conf"}),
        ("an idTag is ConcurrentTx with its own transaction", {"StartTransaction.conf"}),
        ("a StopTransaction.req is not answered", {"StopTransaction.req"}),
        ("a remote stop ends a transaction with the reason Local", {"StopTransaction.req"}),
        ("heartbeats come half as often as they are to", {"Heartbeat.req"}),
        ("LocalPreAuthorize is ignored", {"Authorize.req"}),
    ],
)
def test_the_one_frame_that_was_wrong(tmp_path: Path, faulty: str, names: set[str]) -> None:
    found = set()
    for case in played(faulty, tmp_path):
        assert case.failure is not None
        records = read(tmp_path / "cases" / case.id / "transcript.jsonl")
        place = case.failure["frame"]
        assert case.failure["text"] in case.reason
        assert all(records[each]["kind"] == "frame" and each < place for each in case.failure["frames"])
        ended = [f"{step.keyword} {step.sentence}" for step in case.steps if step.outcome == case.verdict]
        assert case.failure["sentence"] == "".join(ended)
        found.add(name_of(Message(place, records[place]), records))
    assert found == names


def test_nothing_is_told_of_what_does_not_apply() -> None:
    rehearsal = Rehearsal(Run(Device()), Results({}, {}))
    case = Case("TC_900_CS", "A case", "CS", "Core", "core/a.feature", (), ())
    rehearsal.file(case, NotApplicable("it lacks it"))
    rehearsal.file(replace(case, id="TC_901_CS"), OurError("it broke"))
    assert [result.failure is None for result in rehearsal.results.cases] == [True, False]
