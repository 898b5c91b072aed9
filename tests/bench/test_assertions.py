"""What a validation is, where in a played case it stands, and how it is taken out."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

import reports.assertions
from bench.assertions import ways_to_spare
from bench.bench import Spared
from bench.mutants import all_mutants
from bench.proof import tried
from bench.surplus import SURPLUS
from reports.assertions import Validation, asserted
from reports.results import StepResult


def played(*sentences: str, table: Sequence[Sequence[str]] = ()) -> list[StepResult]:
    return [StepResult("Then", each, "passed", [[*row] for row in table]) for each in sentences]


def validation(sentence: str, *rows: str, number: int = 1) -> Validation:
    return Validation("TC_901_CS", number, "something", f"Then {sentence}", frozenset(rows))


def numbers(found: Sequence[Validation]) -> list[int]:
    return [each.number for each in found]


@pytest.mark.parametrize(
    ("steps", "at_each"),
    [
        (["it is so", "it is else", "it is so"], [[1], [], [2]]),  # each in its place
        (["it is so", "it is else"], [[1, 2], []]),  # one step for both
        (["it is so", "it is so", "it is so"], [[1, 2]] * 3),  # nobody knows which
    ],
)
def test_validations_told_alike(monkeypatch: pytest.MonkeyPatch, steps: list[str], at_each: list[list[int]]) -> None:
    twice = (validation("it is so"), validation("it is so", number=2))
    monkeypatch.setattr(reports.assertions, "validations", lambda: {"TC_901_CS": twice})
    told = played(*steps)
    assert [numbers(asserted("TC_901_CS", told, step)) for step in range(1, len(told) + 1)] == at_each


def test_rows_tell_validations_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    both = (validation("it is so", "a=1"), validation("it is so", "a=2", number=2))
    monkeypatch.setattr(reports.assertions, "validations", lambda: {"TC_901_CS": both})
    assert numbers(asserted("TC_901_CS", played("it is so", table=[["a", "2"], ["b", "3"]]), 1)) == [2]


def test_a_message_is_taken_out_with_its_answer() -> None:
    steps = played("the Charge Point sends Heartbeat.req", "the Central System responds with Heartbeat.conf")
    assert ways_to_spare(validation(steps[0].sentence), steps, 1) == [Spared(frozenset({1, 2}))]


def test_rows_are_taken_out_first() -> None:
    steps = played("it is so", "it is else")
    assert ways_to_spare(validation("it is so", "a=1"), steps, 1) == [
        Spared(frozenset({1}), frozenset({"a=1"})),
        Spared(frozenset({1})),
    ]


def test_a_key_is_taken_out_with_what_rests_on_it() -> None:
    steps = played("it is so", "if ItsKey is true, more", "if AnotherKey is true, more", "if ItsKeyToo is true, more")
    assert ways_to_spare(validation("it is so", "list[key=ItsKey].value=any"), steps, 1)[-1] == Spared(
        frozenset({1, 2})
    )


def test_a_message_is_taken_out_with_what_it_has_the_other_party_do() -> None:
    steps = played(
        "the Central System responds with StartTransaction.conf",
        "connector 1 is Charging",
        "the Central System responds with StatusNotification.conf",
        "the Charge Point sends StopTransaction.req",
        "the Central System sends GetConfiguration.req",
    )
    of_central_system = replace(validation(steps[0].sentence), case="TC_901_CSMS")
    assert ways_to_spare(of_central_system, steps, 1)[-1] == Spared(frozenset({1, 2, 3, 4}))
    assert ways_to_spare(validation(steps[1].sentence), steps, 2)[-1] == Spared(frozenset({2, 3, 5}))


def test_a_state_is_taken_out_with_what_it_has_the_other_party_do() -> None:
    steps = played("idTag A is authorized", "the Charge Point sends StartTransaction.req")
    steps[0] = replace(steps[0], keyword="Given")
    of_central_system = replace(validation(""), case="TC_901_CSMS", sentence="Given idTag A is authorized")
    assert ways_to_spare(of_central_system, steps, 1)[-1] == Spared(frozenset({1, 2}))
    assert ways_to_spare(replace(of_central_system, case="TC_901_CS"), steps, 1) == [Spared(frozenset({1}))]


def test_silence_is_taken_out_with_what_waits_for_so_long() -> None:
    steps = played(
        "the Charge Point sends nothing for 10 seconds",
        "the Charge Point sends BootNotification.req after at least 10 seconds",
        "the Charge Point sends BootNotification.req after at least 20 seconds",
    )
    assert ways_to_spare(validation(steps[0].sentence), steps, 1) == [Spared(frozenset({1, 2}))]


@pytest.mark.parametrize(("case", "taken_out"), [("TC_901_CS", {1, 3}), ("TC_901_CSMS", {1, 2})])
def test_its_content_is_that_of_the_judged_party(case: str, taken_out: set[int]) -> None:
    steps = played("its signature is right", "the Charge Point sends A.req", "the Central System sends B.req")
    judged = replace(validation(steps[0].sentence), case=case)
    assert ways_to_spare(judged, steps, 1)[-1] == Spared(frozenset(taken_out))


def test_what_is_forbidden_is_taken_out_wherever_it_is() -> None:
    steps = played(
        "the Charge Point sends no StartTransaction.req for 10 seconds",
        "the Charge Point sends no StopTransaction.req for 10 seconds",
        "the Central System sends no StartTransaction.req for 10 seconds",
        "the Charge Point has sent no StartTransaction.req since the idTag was presented",
    )
    assert ways_to_spare(validation(steps[3].sentence), steps, 4) == [
        Spared(frozenset({4}), obligation=SURPLUS),
        Spared(frozenset({1, 4}), obligation=SURPLUS),
    ]


@pytest.mark.parametrize(
    ("mutant", "case", "proven"),
    [
        ("taking into operation is Rejected and done", "TC_013_CS", {5}),  # and not 1, which says the same
        ("a power cut ends a transaction with the reason Other", "TC_032_2_CS", {3}),  # «reason by itself» is a reason
        ("an interrupted transaction is forgotten", "TC_032_2_CS", {1, 3}),  # the answer has nothing to answer
        ("a transaction is reported that a refused idTag has not started", "TC_023_4_CS", {2}),  # which is surplus, too
        ("there is no AuthorizeRemoteTxRequests", "TC_024_CS", {1}),  # [key=...] in a row, and what rests on it
        ("the last bit of a signature is wrong", "TC_080_CSMS", {1}),  # our Charge Point tells InvalidSignature then
        ("an idTag that nobody asked about is Invalid in StartTransaction.conf", "TC_037_1_CSMS", {1}),  # ours stops
        ("Downloading is told as Installing", "TC_044_2_CS", {1, 2}),  # it may be sent, and shows a sentence later
        ("nothing is told of the connectors after an installation", "TC_044_1_CS", {4, 5, 6}),
        ("the connectors are Unavailable for ever after a failed installation", "TC_044_3_CS", {6}),  # of two statuses
        ("the firmware is asked for with a question mark behind its name", "TC_044_1_CSMS", {1}),  # a remark of its own
    ],
)
def test_a_mutant_proves_what_it_breaks(mutant: str, case: str, proven: set[int]) -> None:
    (kill,) = tried(replace(all_mutants()[mutant], kills=case)).kills
    assert (kill.case, {*kill.validations}, kill.left) == (case, proven, "")
