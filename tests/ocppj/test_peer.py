"""A Session on a WebSocket, over real sockets, in virtual time."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ocppj.connection import MAX_MESSAGE, drop
from ocppj.errors import BadAnswer, Disconnected, LocalMisuse, Refused, Unanswered
from ocppj.frames import Call, Payload
from ocppj.peer import Conf, Raw, Refusal, Script, Silence
from tests.ocppj.wire import IDENTITY, Ends, accept_all, half_wired, wired

NOW = "2031-05-13T08:41:17.389Z"
HEARTBEAT = '[2,"h","Heartbeat",{}]'
HEARTBEAT_CONF = f'[3,"h",{{"currentTime":"{NOW}"}}]'


def elapsed() -> float:
    return asyncio.get_running_loop().time()


# --- a call and its answer


async def test_calls_in_both_directions() -> None:
    async with wired() as ends:
        assert await ends.charge_point.call("Heartbeat", {}) == {"currentTime": NOW}
        assert await ends.central_system.call("ClearCache", {}) == {"status": "Accepted"}
        assert elapsed() == 0


async def test_crossing_calls() -> None:
    async with wired() as ends:
        ours = asyncio.create_task(ends.charge_point.call("Heartbeat", {}))
        theirs = asyncio.create_task(ends.central_system.call("ClearCache", {}))
        assert await ours == {"currentTime": NOW}
        assert await theirs == {"status": "Accepted"}


async def test_calls_wait_for_their_turn() -> None:
    async def slowly(call: Call) -> Payload:
        await asyncio.sleep(3)
        return await accept_all(call)

    async with wired(at_central_system=slowly) as ends:
        await asyncio.gather(*(ends.charge_point.call("Heartbeat", {}) for _ in range(4)))
        assert elapsed() == 12
        kinds = [record["messageType"] for record in ends.transcript.records]
        assert kinds == ["CALL", "CALLRESULT"] * 4
        assert [record["messageId"] for record in ends.transcript.records[::2]] == ["CP-1", "CP-2", "CP-3", "CP-4"]


async def test_a_call_from_inside_a_handler_does_not_deadlock() -> None:
    asked: list[Payload] = []

    async def asks_back(call: Call) -> Payload:
        asked.append(await ends.central_system.call("ClearCache", {}))
        return await accept_all(call)

    async with wired(at_central_system=asks_back) as ends:
        assert await ends.charge_point.call("Heartbeat", {}) == {"currentTime": NOW}
        assert asked == [{"status": "Accepted"}]
        assert elapsed() == 0


async def test_calls_from_inside_handlers_on_both_sides() -> None:
    async def at_charge_point(call: Call) -> Payload:
        if call.action == "Reset":
            await ends.charge_point.call("Authorize", {"idTag": "1"})
        return await accept_all(call)

    async def at_central_system(call: Call) -> Payload:
        if call.action == "Authorize":
            return await accept_all(call)
        await ends.central_system.call("Reset", {"type": "Soft"})
        return await accept_all(call)

    async with wired(at_charge_point, at_central_system) as ends:
        # The Charge Point's own CALL is open while its handler wants to send another: 4.1.1 lets that one wait.
        ends.central_system.message_timeout = 5
        with pytest.raises(Refused, match="InternalError"):
            await ends.charge_point.call("Heartbeat", {})
        assert elapsed() == 5


async def test_handlers_run_beside_each_other() -> None:
    async def slowly(call: Call) -> Payload:
        await asyncio.sleep(2)
        return await accept_all(call)

    async with half_wired(slowly) as ends:
        await ends.socket.send('[2,"1","Heartbeat",{}]')
        await ends.socket.send('[2,"2","Heartbeat",{}]')
        assert [json.loads(await ends.socket.recv())[1] for _ in range(2)] == ["1", "2"]
        assert elapsed() == 2


async def test_what_is_done_after_an_answer_comes_after_it_on_the_wire() -> None:
    async def report() -> None:
        await ends.charge_point.call(
            "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
        )

    reports: list[asyncio.Task[None]] = []
    async with wired(after_answer=lambda: reports.append(asyncio.create_task(report()))) as ends:
        await ends.central_system.call("ClearCache", {})
        await asyncio.gather(*reports)
        seen = [record.get("action", record["messageType"]) for record in ends.transcript.records]
        assert seen == ["ClearCache", "CALLRESULT", "StatusNotification", "CALLRESULT"]


# --- a call that fails


async def test_a_refusal_is_raised_whole() -> None:
    async def refuses(call: Call) -> Payload:
        raise Refused("SecurityError", "not now", {"why": 1})

    async with wired(at_central_system=refuses) as ends:
        with pytest.raises(Refused, match="SecurityError: not now") as raised:
            await ends.charge_point.call("Heartbeat", {})
        assert raised.value.details == {"why": 1}


async def test_an_unknown_action_is_not_implemented() -> None:
    async with half_wired() as ends:
        await ends.socket.send('[2,"1","Dance",{}]')
        assert json.loads(await ends.socket.recv())[:3] == [4, "1", "NotImplemented"]


async def test_a_wrong_request_does_not_reach_the_handler() -> None:
    handled: list[Call] = []

    async def notes(call: Call) -> Payload:
        handled.append(call)
        return await accept_all(call)

    async with half_wired(notes) as ends:
        await ends.socket.send('[2,"1","Authorize",{}]')
        assert json.loads(await ends.socket.recv())[:3] == [4, "1", "OccurenceConstraintViolation"]
        assert not handled


async def test_a_handler_that_breaks_is_an_internal_error(caplog: pytest.LogCaptureFixture) -> None:
    async def breaks(call: Call) -> Payload:
        raise ZeroDivisionError

    async with wired(at_central_system=breaks) as ends:
        with pytest.raises(Refused, match="InternalError: Heartbeat could not be processed"):
            await ends.charge_point.call("Heartbeat", {})
    assert "Central System could not process Heartbeat" in caplog.text


async def test_a_handler_with_a_wrong_answer_is_an_internal_error(caplog: pytest.LogCaptureFixture) -> None:
    async def answers_wrongly(call: Call) -> Payload:
        return {"currentTime": 5}

    async with wired(at_central_system=answers_wrongly) as ends:
        with pytest.raises(Refused, match="InternalError"):
            await ends.charge_point.call("Heartbeat", {})
    assert "LocalMisuse" in caplog.text


async def test_a_wrong_request_of_ours_is_never_sent() -> None:
    async with wired() as ends:
        with pytest.raises(LocalMisuse, match=r"Authorize.req of ours is wrong"):
            await ends.charge_point.call("Authorize", {})
        with pytest.raises(KeyError):
            await ends.charge_point.call("Dance", {})
        assert not ends.transcript.records


async def test_a_wrong_request_is_sent_on_purpose() -> None:
    async with wired() as ends:
        with pytest.raises(Refused):
            await ends.charge_point.call("Authorize", {}, wrong=True)


async def test_no_answer_in_time() -> None:
    script = Script()
    script.answer_next("Heartbeat", Silence())
    async with wired(script=script, message_timeout=17.5) as ends:
        with pytest.raises(Unanswered, match=r"Heartbeat CP-1 not answered in 17.5 s"):
            await ends.charge_point.call("Heartbeat", {})
        assert elapsed() == 17.5
        assert await ends.charge_point.call("Heartbeat", {}) == {"currentTime": NOW}


async def test_a_late_answer_is_not_taken_for_the_next() -> None:
    async with half_wired() as ends:
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(_failure_of(ends.central_system.call("ClearCache", {})))
            await asyncio.sleep(31)
            second = tasks.create_task(ends.central_system.call("ClearCache", {}))
            await asyncio.sleep(1)
            await ends.socket.send('[3,"CS-1",{"status":"Rejected"}]')
            await asyncio.sleep(1)
            assert not second.done()
            await ends.socket.send('[3,"CS-2",{"status":"Accepted"}]')
        assert isinstance(first.result(), Unanswered)
        assert second.result() == {"status": "Accepted"}


async def test_an_answer_in_the_last_moment() -> None:
    async with half_wired() as ends, asyncio.TaskGroup() as tasks:
        call = tasks.create_task(ends.central_system.call("ClearCache", {}))
        await asyncio.sleep(29.999)
        await ends.socket.send('[3,"CS-1",{"status":"Accepted"}]')
        assert await call == {"status": "Accepted"}


@pytest.mark.parametrize(
    "answer",
    [
        '[3,"CS-1"]',
        '[3,"CS-1",[]]',
        '[3,"CS-1",{},{}]',
        '[3,"CS-1",{}]',
        '[3,"CS-1",{"status":"Perhaps"}]',
        '[3,"CS-1",{"status":5}]',
        '[3,"CS-1",{"status":"Accepted","x":1}]',
        '[3,"CS-1",null]',
        '[4,"CS-1"]',
        '[4,"CS-1",5,"",{}]',
    ],
)
async def test_a_malformed_answer_ends_the_call_at_once(answer: str) -> None:
    async with half_wired() as ends, asyncio.TaskGroup() as tasks:
        call = tasks.create_task(_failure_of(ends.central_system.call("ClearCache", {})))
        await asyncio.sleep(0.1)
        await ends.socket.send(answer)
        assert isinstance(await call, BadAnswer)
        assert elapsed() == pytest.approx(0.1)


async def test_a_peer_that_does_not_even_read_does_not_answer_in_time() -> None:
    async with half_wired() as ends:
        ends.socket.transport.pause_reading()
        with pytest.raises(Unanswered):
            await ends.central_system.call("DataTransfer", {"vendorId": "v", "data": "x" * 2**25})
        assert elapsed() == 30
        await drop(ends.socket)


async def test_a_cancelled_call_leaves_room_for_the_next() -> None:
    async with wired(script=_silent_once("Heartbeat")) as ends:
        call = asyncio.create_task(ends.charge_point.call("Heartbeat", {}))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await ends.charge_point.call("Authorize", {"idTag": "1"})


# --- a connection that ends


async def test_the_connection_is_lost_in_the_middle_of_a_call() -> None:
    async with wired(script=_silent_once("Heartbeat")) as ends:
        call = asyncio.create_task(_failure_of(ends.charge_point.call("Heartbeat", {})))
        waiting = asyncio.create_task(_failure_of(ends.charge_point.call("Heartbeat", {})))
        await asyncio.sleep(1)
        await drop(ends.central_system.websocket)
        assert isinstance(await call, Disconnected)
        assert isinstance(await waiting, Disconnected)
        assert not ends.charge_point.is_open
        assert elapsed() == 1


async def test_the_connection_is_closed_in_the_middle_of_a_call() -> None:
    async with wired(script=_silent_once("Heartbeat")) as ends:
        call = asyncio.create_task(_failure_of(ends.charge_point.call("Heartbeat", {})))
        await asyncio.sleep(1)
        await ends.central_system.close(1001)
        assert isinstance(await call, Disconnected)
        await asyncio.sleep(0.1)
        (closed,) = [record for record in ends.transcript.records if record["kind"] == "connect"]
        assert closed["event"] == "closed"
        assert closed["code"] == 1001


async def test_a_handler_at_work_is_given_up_with_its_connection() -> None:
    given_up = asyncio.Event()

    async def endless(call: Call) -> Payload:
        try:
            await asyncio.sleep(10**6)
        finally:
            given_up.set()
        return {}

    async with wired(at_central_system=endless) as ends:
        call = asyncio.create_task(_failure_of(ends.charge_point.call("Heartbeat", {})))
        await asyncio.sleep(1)
        await drop(ends.socket)
        await given_up.wait()
        assert isinstance(await call, Disconnected)
        assert elapsed() < 10


async def test_nothing_can_be_sent_when_it_is_over() -> None:
    async with wired() as ends:
        await ends.charge_point.close()
        for sending in (ends.charge_point.call("Heartbeat", {}), ends.charge_point.send_text("[]")):
            with pytest.raises(Disconnected):
                await sending


# --- what is scripted


async def test_scripted_answers_in_order_and_then_the_ordinary_ones() -> None:
    script = Script()
    script.answer_next("Heartbeat", Conf(lambda: {"currentTime": "2000-01-01T00:00:00Z"}))
    script.answer_next("Heartbeat", Refusal("GenericError", "d", {"a": 1}))
    script.answer_next("Authorize", Conf(lambda: {"idTagInfo": {"status": "Blocked"}}))
    async with wired(script=script) as ends:
        assert (await ends.charge_point.call("Heartbeat", {}))["currentTime"] == "2000-01-01T00:00:00Z"
        with pytest.raises(Refused, match="GenericError: d"):
            await ends.charge_point.call("Heartbeat", {})
        assert (await ends.charge_point.call("Heartbeat", {}))["currentTime"] == NOW
        answer = await ends.charge_point.call("Authorize", {"idTag": "1"})
        assert answer == {"idTagInfo": {"status": "Blocked"}}


async def test_a_scripted_answer_may_be_wrong() -> None:
    script = Script()
    script.answer_next("Heartbeat", Conf(lambda: {"currentTime": 5}))
    script.answer_next("Heartbeat", Raw('[3,"{uniqueId}"]'))
    script.answer_next("Heartbeat", Raw('[3,"{uniqueId}",{"currentTime":"' + NOW + '"}]'))
    async with wired(script=script) as ends:
        with pytest.raises(BadAnswer, match="currentTime"):
            await ends.charge_point.call("Heartbeat", {})
        with pytest.raises(BadAnswer, match="3 elements"):
            await ends.charge_point.call("Heartbeat", {})
        assert await ends.charge_point.call("Heartbeat", {}) == {"currentTime": NOW}


async def test_a_scripted_answer_to_an_unknown_action_and_a_wrong_request() -> None:
    script = Script()
    script.answer_next("Dance", Conf(lambda: {"ok": True}))
    script.answer_next("Authorize", Conf(lambda: {"idTagInfo": {"status": "Accepted"}}))
    async with half_wired(script=script) as ends:
        await ends.socket.send('[2,"1","Dance",{}]')
        assert await ends.socket.recv() == '[3,"1",{"ok":true}]'
        await ends.socket.send('[2,"2","Authorize",{}]')
        assert await ends.socket.recv() == '[3,"2",{"idTagInfo":{"status":"Accepted"}}]'


async def test_a_script_can_be_forgotten() -> None:
    script = _silent_once("Heartbeat")
    script.forget()
    async with wired(script=script) as ends:
        assert await ends.charge_point.call("Heartbeat", {}) == {"currentTime": NOW}


@pytest.mark.parametrize("answer", [Silence(), Raw("x"), Refusal("GenericError"), Conf(dict)])
async def test_a_scripted_answer_settles_the_call(answer: Silence | Raw | Refusal | Conf) -> None:
    script = Script()
    script.answer_next("Heartbeat", answer)
    async with half_wired(script=script) as ends:
        await ends.socket.send(HEARTBEAT)
        await asyncio.sleep(1)
        assert not ends.central_system.session.unanswered


# --- hostile input: whatever comes, the connection lives and the next CALL is answered

DEEP = 100_000

HOSTILE_TEXTS = {
    "nothing": "",
    "no JSON": "hello",
    "half a frame": '[2,"1"',
    "NaN": '[2,"1","Heartbeat",{"a":NaN}]',
    "deep": "[" * DEEP,
    "deep and closed": "[" * DEEP + "]" * DEEP,
    "deep payload": '[2,"d","DataTransfer",' + '{"a":' * DEEP + "1" + "}" * DEEP + "]",
    "half a surrogate pair": r'[2,"1","Authorize",{"idTag":"\ud800"}]',
    "no id": '[2,null,"Heartbeat",{}]',
    "unknown type": '[7,"1","Heartbeat",{}]',
    "answer to nothing": '[3,"x",{}]',
    "error to nothing": '[4,"x","GenericError","",{}]',
    "malformed answer to nothing": '[3,"x"]',
    "16 MB of nonsense": "x" * 2**24,
    "16 MB of brackets": "[" * 2**24,
    "16 MB of white space": " " * 2**24,
    "16 MB of unknown type": f'[9,"{"x" * 2**24}"]',
    "an integer of a million digits": f'[2,"1","Heartbeat",{{"a":{"9" * 10**6}}}]',
}


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
async def test_a_text_that_gets_no_answer(name: str) -> None:
    async with half_wired() as ends:
        await ends.socket.send(HOSTILE_TEXTS[name])
        await _works(ends)


HOSTILE_CALLS = {
    "arity 3": ('[2,"1","Heartbeat"]', "FormationViolation"),
    "arity 5": ('[2,"1","Heartbeat",{},{}]', "FormationViolation"),
    "action a list": ('[2,"1",["Heartbeat"],{}]', "FormationViolation"),
    "action an object": ('[2,"1",{},{}]', "FormationViolation"),
    "action of a million characters": (f'[2,"1","{"x" * 10**6}",{{}}]', "NotImplemented"),
    "action with a path": ('[2,"1","../Heartbeat",{}]', "NotImplemented"),
    "action of a .conf": ('[2,"1","HeartbeatResponse",{}]', "NotImplemented"),
    "payload a list": ('[2,"1","Heartbeat",[]]', "FormationViolation"),
    "16 MB idTag": (f'[2,"1","Authorize",{{"idTag":"{"x" * 2**24}"}}]', "PropertyConstraintViolation"),
    "100,000 unknown fields": (
        '[2,"1","Heartbeat",' + json.dumps(dict.fromkeys(map(str, range(10**5)))) + "]",
        "FormationViolation",
    ),
    "an integer of 4000 digits": (
        f'[2,"1","StopTransaction",{{"meterStop":"x","timestamp":"{NOW}","transactionId":{"9" * 4000}}}]',
        "TypeConstraintViolation",
    ),
    "200 deep": ('[2,"1","Authorize",{"idTag":' + "[" * 200 + "]" * 200 + "}]", "TypeConstraintViolation"),
}


@pytest.mark.parametrize("name", HOSTILE_CALLS)
async def test_a_call_that_is_refused(name: str) -> None:
    text, code = HOSTILE_CALLS[name]
    async with half_wired() as ends:
        await ends.socket.send(text)
        answer = json.loads(await ends.socket.recv())
        assert answer[:3] == [4, "1", code]
        assert len(answer[3]) <= 255
        await _works(ends)


def _nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


@pytest.mark.parametrize("depth", [250, 300, 600, 900])
async def test_a_payload_too_deep_to_be_judged_is_the_fault_of_its_sender(
    depth: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with half_wired() as ends:
        await ends.socket.send(f'[2,"1","DataTransfer",{_nested(depth)}]')
        assert json.loads(await ends.socket.recv())[:3] == [4, "1", "FormationViolation"]
        await _works(ends)
    assert not caplog.records


@pytest.mark.parametrize("depth", [250, 300, 600, 900])
async def test_an_answer_too_deep_to_be_judged_is_a_bad_answer(depth: int) -> None:
    async with half_wired() as ends:
        call = asyncio.create_task(_failure_of(ends.central_system.call("ClearCache", {})))
        assert await ends.socket.recv() == '[2,"CS-1","ClearCache",{}]'
        await ends.socket.send(f'[3,"CS-1",{_nested(depth)}]')
        assert isinstance(await call, BadAnswer)
        await _works(ends)


async def test_a_call_of_16_megabytes_is_served() -> None:
    async with half_wired() as ends:
        await ends.socket.send(f'[2,"1","DataTransfer",{{"vendorId":"v","data":"{"x" * 2**24}"}}]')
        assert await ends.socket.recv() == '[3,"1",{"status":"Accepted"}]'
        await _works(ends)


async def test_more_than_the_greatest_message_ends_the_connection_with_1009() -> None:
    async with half_wired() as ends:
        await ends.socket.send(b"x" * (MAX_MESSAGE + 1), text=True)
        await ends.socket.wait_closed()
        assert ends.socket.close_code == 1009


@pytest.mark.parametrize("data", [b"", b"\0", HEARTBEAT.encode(), b"\xff" * 2**24])
async def test_a_binary_message_is_no_message(data: bytes) -> None:
    async with half_wired() as ends:
        await ends.socket.send(data)
        await _works(ends)
        record = ends.transcript.records[0]
        assert record["fault"] == "a binary WebSocket message"
        assert record["encoding"] == "hex"
        assert record["raw"] == data.hex()


@pytest.mark.parametrize("data", [b"\xff", b'[2,"\xc3\x28","Heartbeat",{}]', b"\xed\xa0\x80", b"\xf8" * 2**20])
async def test_bad_utf_8_is_no_message(data: bytes) -> None:
    async with half_wired() as ends:
        await ends.socket.send(data, text=True)
        await _works(ends)
        assert "not UTF-8" in ends.transcript.records[0]["fault"]


async def test_fragments_make_one_message() -> None:
    async with half_wired() as ends:
        await ends.socket.send(iter(HEARTBEAT))
        assert await ends.socket.recv() == HEARTBEAT_CONF
        await ends.socket.send([b"\x01", b"\x02"])
        await ends.socket.send(iter(HEARTBEAT.replace("h", "i", 1)))
        await ends.socket.recv()
        assert [record.get("encoding") for record in ends.transcript.records[2:]] == ["hex", None, None]


async def test_a_character_may_be_split_between_fragments() -> None:
    whole = '[2,"ü","Heartbeat",{}]'.encode()
    async with half_wired() as ends:
        await ends.socket.send([whole[:5], whole[5:]], text=True)
        assert json.loads(await ends.socket.recv())[1] == "ü"


async def test_pings_are_answered_in_between() -> None:
    async with half_wired() as ends:
        await (await ends.socket.ping())
        await _works(ends)


async def test_a_storm() -> None:
    async with half_wired() as ends:
        for _ in range(20):
            for text in ("", "[", "[7]", '[3,"x",{}]', '[2,null,"Heartbeat",{}]'):
                await ends.socket.send(text)
            await ends.socket.send(b"\xff\x00")
            await ends.socket.send(b"\xff", text=True)
        await _works(ends)
        assert len(ends.transcript.records) == 20 * 7 + 2


async def test_the_same_id_twice_while_the_first_is_handled() -> None:
    async def slowly(call: Call) -> Payload:
        await asyncio.sleep(1)
        return await accept_all(call)

    async with half_wired(slowly) as ends:
        await ends.socket.send(HEARTBEAT)
        await ends.socket.send(HEARTBEAT)
        assert json.loads(await ends.socket.recv())[:3] == [4, "h", "GenericError"]
        assert json.loads(await ends.socket.recv())[:2] == [3, "h"]


# --- what is recorded


async def test_every_message_is_recorded_with_its_sender_and_its_time() -> None:
    async with wired(script=_silent_once("Heartbeat"), message_timeout=2) as ends:
        await _failure_of(ends.charge_point.call("Heartbeat", {}))
        await ends.central_system.call("ClearCache", {})
        records = ends.transcript.records
        assert [(record["direction"], record["timestamp"]) for record in records] == [
            ("cp-to-csms", "2031-05-13T08:41:17.389Z"),
            ("csms-to-cp", "2031-05-13T08:41:19.389Z"),
            ("cp-to-csms", "2031-05-13T08:41:19.389Z"),
        ]
        assert {record["chargePointId"] for record in records} == {IDENTITY}
        assert datetime.now(UTC).second == 19


async def test_opcodes_stay_in_step_with_messages() -> None:
    async with half_wired() as ends:
        for number in range(50):
            await ends.socket.send(b"\x00" if number % 3 else "text")
        await _works(ends)
        encodings = [record.get("encoding") for record in ends.transcript.records[:50]]
        assert encodings == [("hex" if number % 3 else None) for number in range(50)]
        assert not ends.central_system.websocket._opcodes


async def _works(ends: Ends) -> None:
    """A normal call is still answered on the same connection, and at once."""
    before = elapsed()
    await ends.socket.send(HEARTBEAT)
    assert await ends.socket.recv() == HEARTBEAT_CONF
    assert elapsed() == before
    assert ends.central_system.is_open


async def _failure_of(call: Any) -> Exception:
    try:
        await call
    except Exception as failure:
        return failure
    raise AssertionError("the call did not fail")


def _silent_once(action: str) -> Script:
    script = Script()
    script.answer_next(action, Silence())
    return script
