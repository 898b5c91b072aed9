"""Two sessions and the two directions between them: whatever comes late or never, an answer goes to its own CALL."""

from collections import deque
from collections.abc import Iterator

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from ocppj.errors import Finding, LocalMisuse
from ocppj.frames import Call, CallError, CallResult, encode
from ocppj.peer import counted_ids
from ocppj.session import Received, Session
from tests.properties.searching import examples, until_one_is_found

BOTH = (0, 1)
sides = st.sampled_from(BOTH)


class Side:
    """A party: its sessions one after the other, what is under way to it, and how each of its CALLs ended."""

    def __init__(self, ids: Iterator[str]) -> None:
        self._ids = ids
        self.calls = 0
        self.connect()

    def connect(self) -> None:
        """Begin a connection; what the former had under way is gone."""
        self.session = Session(self._ids)
        self.inbox: deque[str] = deque()
        self.to_answer: list[Call] = []


class TwoSessions(RuleBasedStateMachine):
    """Both parties count their ids alike, so that only the direction of a frame tells whose CALL it is about."""

    def __init__(self) -> None:
        super().__init__()
        self.parties = [Side(counted_ids("x")), Side(counted_ids("x"))]

    def _is_free(self, side: int) -> bool:
        return self.parties[side].session.pending is None

    @rule(side=sides)
    def call(self, side: int) -> None:
        it = self.parties[side]
        if it.session.pending:
            with pytest.raises(LocalMisuse):  # 4.1.1
                it.session.call("DataTransfer", {})
            return
        it.calls += 1
        call, text = it.session.call("DataTransfer", {"vendorId": f"{side}", "data": f"{it.calls}"})
        assert it.session.pending == call
        self.parties[1 - side].inbox.append(text)

    @precondition(lambda self: any(it.inbox for it in self.parties))
    @rule(side=sides)
    def deliver(self, side: int) -> None:
        self._deliver(side if self.parties[side].inbox else 1 - side)

    def _deliver(self, side: int) -> None:
        it, other = self.parties[side], self.parties[1 - side]
        before = it.session.pending
        received = it.session.receive(it.inbox.popleft())
        assert all(self._is_about_time(finding) for finding in received.findings), received.findings
        if isinstance(received.frame, Call):
            assert received.answers is None
            it.to_answer.append(received.frame)
        elif received.answers is not None:
            assert received.answers == before
            assert it.session.pending is None
            self._assert_paired(side, received)
        else:
            assert it.session.pending == before
        if received.reply:
            other.inbox.append(received.reply)

    @staticmethod
    def _is_about_time(finding: Finding) -> bool:
        # All frames here are right, so there is nothing to say but that one came while another was open, or late.
        return finding.clause == "4.1.1" and not finding.severe

    def _assert_paired(self, side: int, received: Received) -> None:
        asked = received.answers
        assert asked is not None
        match received.frame:
            case CallResult(unique_id, payload):
                told = payload
            case CallError(unique_id, _, _, details):
                told = details
            case frame:
                raise AssertionError(f"{frame} is no answer")
        assert unique_id == asked.unique_id
        assert told == {"to": asked.payload}
        assert asked.payload["vendorId"] == f"{side}"

    @precondition(lambda self: any(it.to_answer for it in self.parties))
    @rule(side=sides, which=st.integers(0, 5), accepts=st.booleans())
    def answer(self, side: int, which: int, accepts: bool) -> None:
        """In any order: where the caller has given up, several of his CALLs may be open here."""
        self._answer(side if self.parties[side].to_answer else 1 - side, which, accepts)

    def _answer(self, side: int, which: int, accepts: bool) -> None:
        it = self.parties[side]
        call = it.to_answer.pop(which % len(it.to_answer))
        told = {"to": call.payload}
        text = it.session.respond(call, told) if accepts else it.session.refuse(call, "GenericError", "", told)
        with pytest.raises(LocalMisuse):
            it.session.respond(call, told)
        self.parties[1 - side].inbox.append(text)

    @precondition(lambda self: any(it.session.pending for it in self.parties))
    @rule(side=sides)
    def time_out(self, side: int) -> None:
        """Who has given up may call again at once."""
        self.parties[side].session.give_up()
        assert self._is_free(side)

    @rule()
    def lose_the_connection(self) -> None:
        for it in self.parties:
            it.connect()

    @rule(side=sides, unique_id=st.sampled_from(("x-99", "y", "")), accepts=st.booleans())
    def hear_an_answer_to_nothing(self, side: int, unique_id: str, accepts: bool) -> None:
        it = self.parties[side]
        before = it.session.pending
        frame = CallResult(unique_id, {}) if accepts else CallError(unique_id, "GenericError")
        received = it.session.receive(encode(frame))
        assert received == Received(findings=received.findings)
        assert [finding.clause for finding in received.findings] == ["4.1.4"]
        assert it.session.pending == before

    def teardown(self) -> None:
        """Once all is delivered and answered nobody waits for anything."""
        while any(it.inbox or it.to_answer for it in self.parties):
            for side in BOTH:
                while self.parties[side].inbox:
                    self._deliver(side)
                while self.parties[side].to_answer:
                    self._answer(side, 0, True)
        for side in BOTH:
            assert self._is_free(side)
            assert not self.parties[side].session.unanswered


SEARCH = examples(150, steps=60)


def test_no_answer_goes_astray() -> None:
    run_state_machine_as_test(TwoSessions, settings=SEARCH)


def _takes_any_answer(session: Session, unique_id: str) -> Call | None:
    call, session.pending = session.pending, None
    return call


def _never_gives_up(session: Session) -> None:
    pass


def _forgets_what_was_asked(session: Session, call: Call) -> None:
    session.unanswered.pop(call.unique_id, None)


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("_take_pending", _takes_any_answer),
        ("give_up", _never_gives_up),
        ("_answered", _forgets_what_was_asked),
    ],
)
def test_a_session_with_a_fault_is_found_out(monkeypatch: pytest.MonkeyPatch, method: str, fault: object) -> None:
    monkeypatch.setattr(Session, method, fault)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run_state_machine_as_test(TwoSessions, settings=until_one_is_found(SEARCH))
