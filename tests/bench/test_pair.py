"""Both parties on the bench, over real sockets: what one of them does wrong, and the verdict that follows."""

from collections.abc import Callable

import pytest

from bench.bench import Bench
from bench.cases import Case, all_cases
from bench.play import play
from bench.plugin import Rehearsal
from bench.run import Run
from ocppj.peer import Conf, Raw, Refusal, Scripted, Silence
from ocppj.transcript import Party
from reports.results import CaseResult, Results
from tests.bench.wire import CP, CS

Spoil = Callable[[Bench], None]


def answers(party: Party, action: str, *scripted: Scripted) -> Spoil:
    """The party answers the next requests of an action so."""

    def spoil(bench: Bench) -> None:
        script = bench.seats[party].script
        assert script is not None
        for answer in scripted:
            script.answer_next(action, answer)

    return spoil


def conf(**payload: object) -> Conf:
    return Conf(lambda: payload)


def broken(party: Party) -> Spoil:
    """Something goes wrong inside the party, and nobody else is told."""

    def spoil(bench: Bench) -> None:
        bench.seats[party].faults().append(KeyError("x"))

    return spoil


@pytest.fixture(scope="module")
def played() -> dict[str, CaseResult]:
    """Every case of the table below, spoilt."""
    run = Run()
    rehearsal = Rehearsal(run, Results({}, {}), wanted=frozenset(SPOILT))
    with pytest.MonkeyPatch.context() as patch:
        ordinary = Run.begin

        def begin(run: Run, case: Case) -> Bench:
            bench = ordinary(run, case)
            SPOILT[case.id][0](bench)
            return bench

        patch.setattr(Run, "begin", begin)
        play(rehearsal)
    run.close()
    return {case.id: case for case in rehearsal.results.cases}


SPOILT: dict[str, tuple[Spoil, str, str]] = {
    # the judged Charge Point
    "TC_017_1_CS": (
        answers(CP, "UnlockConnector", Silence()),
        "fail",
        "the Charge Point did not answer UnlockConnector.req in 30 s (OCPP 1.6 5.18)",
    ),
    "TC_028_CS": (
        answers(CP, "RemoteStopTransaction", Raw('[3,"{uniqueId}"]')),
        "fail",
        "the Charge Point did not answer RemoteStopTransaction.req in 30 s (OCPP 1.6 5.12)",
    ),
    "TC_031_CS": (
        answers(CP, "UnlockConnector", conf(status="Unlocked")),
        "fail",
        "UnlockConnector.conf of the Charge Point: status is Unlocked, expected NotSupported (OCPP 1.6 5.18)",
    ),
    "TC_040_1_CS": (
        answers(CP, "ChangeConfiguration", Refusal("NotSupported", "no")),
        "fail",
        "the Charge Point answered ChangeConfiguration.req with CALLERROR NotSupported 'no' (OCPP 1.6 5.3)",
    ),
    "TC_040_2_CS": (answers(CP, "ChangeConfiguration", Refusal("PropertyConstraintViolation")), "pass", ""),
    "TC_012_CS": (
        answers(CP, "RemoteStartTransaction", conf(status="Rejected")),
        "fail",
        "in state Charging: RemoteStartTransaction.conf of the Charge Point: status is Rejected, expected Accepted (",
    ),
    "TC_021_CS": (
        answers(CP, "ChangeConfiguration", conf(status="Rejected")),
        "fail",
        "in state configuration: MeterValueSampleInterval = 75 is answered Rejected (OCPP 1.6 5.3)",
    ),
    "TC_013_CS": (
        answers(CP, "ChangeAvailability", conf(status="Accepted", more=1)),
        "fail",
        "",  # what it did is told by the claim that it never fulfilled, or by the schema
    ),
    # the judged Central System
    "TC_001_CSMS": (
        answers(CS, "BootNotification", conf(status="Accepted", currentTime="now", interval=10)),
        "fail",
        "",
    ),
    "TC_003_CSMS": (
        answers(CS, "Authorize", Refusal("InternalError")),
        "fail",
        "the Central System answered Authorize.req with CALLERROR InternalError '' (OCPP 1.6 4.1)",
    ),
    "TC_012_CSMS": (
        answers(CS, "Authorize", conf(idTagInfo={"status": "Blocked"})),
        "fail",
        "in state Charging: Authorize.conf of the Central System: idTagInfo.status is Blocked, expected Accepted (",
    ),
    "TC_010_CSMS": (
        answers(CS, "StartTransaction", conf(idTagInfo={"status": "Accepted"})),
        "fail",
        "StartTransaction.conf of the Central System: ",
    ),
    "TC_014_CSMS": (
        answers(CS, "StatusNotification", conf(), conf(), conf(), conf(), conf(more=1)),
        "fail",
        "StatusNotification.conf of the Central System: Additional properties are not allowed",
    ),
    # ours beside the judged party
    "TC_003_CS": (
        answers(CS, "Authorize", Refusal("InternalError")),
        "error",
        "the Central System answered Authorize.req with CALLERROR InternalError ''",
    ),
    "TC_010_CS": (
        answers(CS, "StatusNotification", conf(more=1)),
        "error",
        "in state Booted: StatusNotification.conf of the Central System: Additional properties are not allowed",
    ),
    "TC_021_CSMS": (
        answers(CP, "ChangeConfiguration", conf(status="Rejected")),
        "error",
        "ChangeConfiguration.conf of the Charge Point: status is Rejected, expected Accepted",
    ),
    "TC_013_CSMS": (
        answers(CP, "Reset", Silence()),
        "error",
        "the Charge Point did not answer Reset.req in 30 s",
    ),
    "TC_005_1_CS": (broken(CS), "error", "our own code failed: KeyError('x')"),
    "TC_011_1_CSMS": (broken(CP), "error", "our own code failed: KeyError('x')"),
    # nobody
    "TC_019_1_CSMS": (lambda _: None, "pass", ""),
    "TC_002_CS": (lambda _: None, "pass", ""),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_verdict(played: dict[str, CaseResult], spoilt: str) -> None:
    _, verdict, reason = SPOILT[spoilt]
    found = played[spoilt]
    assert (found.verdict, found.reason) == (verdict, found.reason)
    assert found.reason.startswith(reason)
    assert (found.reason == "") == (verdict == "pass")


def test_every_spoilt_case_was_played_once(played: dict[str, CaseResult]) -> None:
    assert played.keys() == SPOILT.keys() <= all_cases().keys()


def test_the_steps_tell_how_far_a_case_came(played: dict[str, CaseResult]) -> None:
    outcomes = [(step.sentence, step.outcome) for step in played["TC_031_CS"].steps]
    assert outcomes == [
        ("the Charge Point is booted", "passed"),
        ("the Central System sends UnlockConnector.req", "passed"),
        ("the Charge Point responds with UnlockConnector.conf", "fail"),
    ]
    outcomes = [(step.sentence, step.outcome) for step in played["TC_012_CS"].steps]
    assert [outcome for _, outcome in outcomes[:4]] == ["passed", "passed", "fail", "not reached"]
    assert outcomes[2][0] == "a transaction is running with idTag {ValidIdTag}"


# --- answers that a step reads before anybody has judged them

UNJUDGED: dict[str, Spoil] = {
    "TC_021_CS": answers(CP, "ChangeConfiguration", conf()),
    "TC_026_CS": answers(CP, "GetConfiguration", conf(configurationKey=[{"readonly": False}])),
    "TC_019_CS": answers(
        CP,
        "GetConfiguration",
        conf(configurationKey=[{"key": "SupportedFeatureProfiles", "readonly": True, "value": "Core"}]),
        conf(configurationKey=[{"key": "HeartbeatInterval"}]),
    ),
}


@pytest.mark.parametrize("spoilt", UNJUDGED)
def test_a_malformed_answer_fails_whoever_sent_it(spoilt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run()
    rehearsal = Rehearsal(run, Results({}, {}), wanted=frozenset({spoilt}))
    ordinary = Run.begin

    def begin(run: Run, each: Case) -> Bench:
        bench = ordinary(run, each)
        UNJUDGED[spoilt](bench)
        return bench

    monkeypatch.setattr(Run, "begin", begin)
    play(rehearsal)
    run.close()
    (result,) = rehearsal.results.cases
    assert result.verdict == "fail", result.reason


def test_the_case_of_a_configuration_key_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run()
    rehearsal = Rehearsal(run, Results({}, {}), wanted=frozenset({"TC_019_CS"}))
    ordinary = Run.begin

    def begin(run: Run, each: Case) -> Bench:
        bench = ordinary(run, each)
        charge_point = bench.seats["Charge Point"].charge_point  # type: ignore[attr-defined]
        handle = charge_point.handlers["GetConfiguration"]

        def other_case(party: object, request: dict[str, object]) -> dict[str, object]:
            answer: dict[str, object] = handle(party, request)
            for entry in answer.get("configurationKey", []):  # type: ignore[attr-defined]
                entry["key"] = entry["key"].replace("TimeOut", "Timeout")
            return answer

        charge_point.handlers["GetConfiguration"] = other_case
        return bench

    monkeypatch.setattr(Run, "begin", begin)
    play(rehearsal)
    run.close()
    (result,) = rehearsal.results.cases
    assert result.verdict == "pass", result.reason
