"""The RPC rules, without a socket."""

import json
from itertools import count

import pytest

from ocppj.errors import LocalMisuse
from ocppj.frames import Call, CallError, CallResult, decode
from ocppj.peer import counted_ids, fresh_ids
from ocppj.session import Received, Session


@pytest.fixture
def session() -> Session:
    return Session(counted_ids("a"))


def clauses(received: Received) -> list[tuple[str, bool]]:
    return [(finding.clause, finding.severe) for finding in received.findings]


def test_a_call_and_its_result(session: Session) -> None:
    call, text = session.call("Heartbeat", {})
    assert text == '[2,"a-1","Heartbeat",{}]'
    assert session.pending == call
    received = session.receive('[3,"a-1",{"currentTime":"x"}]')
    assert received.answers == call
    assert received.frame == CallResult("a-1", {"currentTime": "x"})
    assert not received.findings
    assert session.pending is None


def test_a_call_and_its_error(session: Session) -> None:
    call, _ = session.call("Heartbeat", {})
    received = session.receive('[4,"a-1","InternalError","why",{"a":1}]')
    assert received.answers == call
    assert received.frame == CallError("a-1", "InternalError", "why", {"a": 1})
    assert session.pending is None


def test_one_outstanding_call(session: Session) -> None:
    session.call("Heartbeat", {})
    with pytest.raises(LocalMisuse, match="while Heartbeat is unanswered"):
        session.call("Authorize", {"idTag": "1"})
    session.receive('[3,"a-1",{}]')
    assert session.call("Authorize", {"idTag": "1"})[0].unique_id == "a-2"


def test_an_answer_after_its_time_is_a_remark(session: Session) -> None:
    session.call("Heartbeat", {})
    session.give_up()
    assert session.pending is None
    for text in ('[3,"a-1",{}]', '[4,"a-1","GenericError","",{}]'):
        received = session.receive(text)
        assert received.answers is None
        assert received.frame is None
        assert clauses(received) == [("4.1.1", False)]


def test_a_late_answer_does_not_answer_the_next_call(session: Session) -> None:
    session.call("Heartbeat", {})
    session.give_up()
    call, _ = session.call("Heartbeat", {})
    assert session.receive('[3,"a-1",{}]').answers is None
    assert session.pending == call
    assert session.receive('[3,"a-2",{}]').answers == call


def test_giving_up_nothing_is_nothing(session: Session) -> None:
    session.give_up()
    assert clauses(session.receive('[3,"a-1",{}]')) == [("4.1.4", True)]


def test_an_answer_to_nothing(session: Session) -> None:
    received = session.receive('[3,"b",{}]')
    assert received == Received(findings=received.findings)
    assert clauses(received) == [("4.1.4", True)]


def test_an_answer_twice(session: Session) -> None:
    session.call("Heartbeat", {})
    session.receive('[3,"a-1",{}]')
    assert clauses(session.receive('[3,"a-1",{}]')) == [("4.1.4", True)]


def test_an_answer_to_another_id_leaves_the_call_open(session: Session) -> None:
    call, _ = session.call("Heartbeat", {})
    assert session.receive('[3,"A-1",{}]').answers is None
    assert session.pending == call


@pytest.mark.parametrize(
    "text",
    ['[3,"a-1"]', '[3,"a-1",[]]', '[3,"a-1",{},{}]', '[3,"a-1","x"]', '[4,"a-1"]', '[4,"a-1",5,"",{}]'],
)
def test_a_malformed_answer_ends_the_call(session: Session, text: str) -> None:
    call, _ = session.call("Heartbeat", {})
    received = session.receive(text)
    assert received.answers == call
    assert received.broken
    assert received.frame is None
    assert received.reply is None
    assert session.pending is None


@pytest.mark.parametrize("text", ['[3,"b"]', '[4,"b"]', "[3]", "[4]", "nonsense", "[]", '{"a":1}', '[9,"a-1"]'])
def test_what_answers_nothing_leaves_the_call_open(session: Session, text: str) -> None:
    call, _ = session.call("Heartbeat", {})
    received = session.receive(text)
    assert received.answers is None
    assert received.reply is None
    assert len(received.findings) == 1
    assert session.pending == call


def test_a_call_of_the_peer_is_answered_once(session: Session) -> None:
    received = session.receive('[2,"b-1","Reset",{"type":"Soft"}]')
    call = Call("b-1", "Reset", {"type": "Soft"})
    assert received.frame == call
    assert received.answers is None
    assert session.unanswered == {"b-1": call}
    assert session.respond(call, {"status": "Accepted"}) == '[3,"b-1",{"status":"Accepted"}]'
    assert not session.unanswered
    with pytest.raises(LocalMisuse, match="answered before"):
        session.respond(call, {})
    with pytest.raises(LocalMisuse, match="answered before"):
        session.refuse(call, "GenericError")


def test_a_refusal(session: Session) -> None:
    session.receive('[2,"b-1","Reset",{}]')
    text = session.refuse(Call("b-1", "Reset", {}), "NotSupported", "x" * 300, {"a": 1})
    assert decode(text) == (CallError("b-1", "NotSupported", "x" * 255, {"a": 1}), [])


def test_crossing_calls(session: Session) -> None:
    ours, _ = session.call("Heartbeat", {})
    theirs = session.receive('[2,"a-1","Reset",{"type":"Soft"}]').frame  # the same id: directions are apart
    assert isinstance(theirs, Call)
    assert session.pending == ours
    session.respond(theirs, {})
    assert session.receive('[3,"a-1",{}]').answers == ours


def test_a_call_with_the_id_of_one_still_open_is_refused(session: Session) -> None:
    first = session.receive('[2,"b-1","Reset",{}]').frame
    received = session.receive('[2,"b-1","ClearCache",{}]')
    assert received.frame is None
    assert received.reply == '[4,"b-1","GenericError","a CALL with this unique id is being handled",{}]'
    assert clauses(received) == [("4.1.4", True)]
    assert isinstance(first, Call)
    session.respond(first, {})


def test_a_retry_may_bear_the_id_of_one_answered(session: Session) -> None:
    call = session.receive('[2,"b-1","Reset",{}]').frame
    assert isinstance(call, Call)
    session.respond(call, {})
    received = session.receive('[2,"b-1","Reset",{}]')
    assert received.frame == call
    assert not received.findings


def test_a_second_call_before_the_answer_is_served_with_a_remark(session: Session) -> None:
    session.receive('[2,"b-1","Reset",{}]')
    received = session.receive('[2,"b-2","ClearCache",{}]')
    assert received.frame == Call("b-2", "ClearCache", {})
    assert clauses(received) == [("4.1.1", False)]


@pytest.mark.parametrize("text", ['[2,"b"]', '[2,"b",5,{}]', '[2,"b","Reset",[]]', f'[2,"{"b" * 37}","Reset",{{}}]'])
def test_a_malformed_call_with_an_id_is_refused(session: Session, text: str) -> None:
    received = session.receive(text)
    assert received.reply is not None
    _, unique_id, code, _, details = json.loads(received.reply)
    assert text.startswith(f'[2,"{unique_id}"')  # 4.2.3: the id of the CALL, too long or not
    assert code == "FormationViolation"
    assert details == {}
    assert not session.unanswered
    assert received.frame is None


@pytest.mark.parametrize("text", ["[2]", '[2,5,"Reset",{}]', '[2,null,"Reset",{}]'])
def test_a_call_without_an_id_cannot_be_answered(session: Session, text: str) -> None:
    received = session.receive(text)
    assert received.reply is None
    assert clauses(received) == [("4.1.4", True)]


def test_an_id_that_is_too_long_is_a_bug_of_ours() -> None:
    session = Session("i" * length for length in count(36))
    assert len(session.call("Heartbeat", {})[0].unique_id) == 36
    session.give_up()
    with pytest.raises(LocalMisuse, match="longer than 36"):
        session.call("Heartbeat", {})
    assert session.pending is None


def test_ids_go_on_over_connections() -> None:
    ids = counted_ids("a")
    used = []
    for _ in range(3):
        session = Session(ids)
        for _ in range(3):
            used.append(session.call("Heartbeat", {})[0].unique_id)
            session.give_up()
    assert used == [f"a-{number}" for number in range(1, 10)]


def test_fresh_ids_never_repeat_and_fit() -> None:
    one, other = fresh_ids(), fresh_ids()
    ids = [next(one) for _ in range(2000)] + [next(other) for _ in range(2000)]
    assert len(set(ids)) == len(ids)
    assert all(len(unique_id) <= 36 for unique_id in ids)
