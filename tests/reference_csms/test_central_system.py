"""The connections of the Central System."""

import asyncio
import json
import logging
import socket

import pytest

from ocppj.connection import ConnectFailed, connect
from ocppj.errors import Disconnected, LocalMisuse, Refused, Unanswered
from ocppj.frames import Call, Payload
from ocppj.peer import Conf, Raw, Refusal, Silence, counted_ids
from ocppj.transcript import Transcript
from reference_csms import central_system as module
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store, View
from tests.reference_csms.scene import BOOT, NOW, charge_point, furnished, running


async def test_it_asks_any_charge_point_anything() -> None:
    asked: list[tuple[str, Call]] = []

    async def first(call: Call) -> Payload:
        asked.append(("CP-1", call))
        return {"status": "Rejected"}

    async def second(call: Call) -> Payload:
        asked.append(("CP-2", call))
        return {"configurationKey": []}

    async with running() as cs, charge_point(cs, handle=first), charge_point(cs, "CP-2", handle=second):
        assert await cs.request("CP-1", "Reset", {"type": "Hard"}) == {"status": "Rejected"}
        assert await cs.request("CP-2", "GetConfiguration", {"key": ["a"]}) == {"configurationKey": []}
    assert asked == [
        ("CP-1", Call("CS-1", "Reset", {"type": "Hard"})),
        ("CP-2", Call("CS-2", "GetConfiguration", {"key": ["a"]})),
    ]


async def test_a_request_of_ours_that_is_wrong_is_never_sent() -> None:
    async with running() as cs, charge_point(cs):
        for action, payload in (("Reset", {"type": "Medium"}), ("TriggerMessage", {})):
            with pytest.raises(LocalMisuse):
                await cs.request("CP-1", action, payload)


async def test_requests_to_several_charge_points_do_not_wait_for_each_other() -> None:
    async def slowly(call: Call) -> Payload:
        await asyncio.sleep(20)
        return {"status": "Accepted"}

    async with running() as cs, charge_point(cs, handle=slowly), charge_point(cs, "CP-2"):
        slow = asyncio.create_task(cs.request("CP-1", "ClearCache", {}))
        await cs.request("CP-2", "ClearCache", {})
        assert asyncio.get_running_loop().time() == 0
        assert not slow.done()
        await slow


async def test_nobody_there_to_ask() -> None:
    async with running() as cs:
        with pytest.raises(Disconnected, match="CP-1 is not connected"):
            await cs.request("CP-1", "ClearCache", {})
        with pytest.raises(Disconnected):
            await cs.send_text("CP-1", "[]")
        assert not cs.is_connected("CP-1")


async def test_a_charge_point_that_does_not_answer_in_time() -> None:
    async with running(message_timeout=9) as cs:
        websocket = await connect(cs.endpoint, "CP-1")
        await cs.wait_connected("CP-1")
        with pytest.raises(Unanswered):
            await cs.request("CP-1", "ClearCache", {})
        assert asyncio.get_running_loop().time() == 9
        await websocket.close()


async def test_any_text_can_be_sent() -> None:
    async with running() as cs:
        websocket = await connect(cs.endpoint, "CP-1")
        await cs.wait_connected("CP-1")
        await cs.send_text("CP-1", "[2,")
        assert await websocket.recv() == "[2,"
        await websocket.close()


async def test_scripted_answers_leave_the_store_alone() -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs, boots=False) as cp:
        cs.script.answer_next(
            "BootNotification", Conf(lambda: {"status": "Accepted", "currentTime": NOW, "interval": 0})
        )
        cs.script.answer_next("BootNotification", Refusal("InternalError"))
        cs.script.answer_next("BootNotification", Silence())
        assert (await cp.call("BootNotification", BOOT))["interval"] == 0
        with pytest.raises(Refused):
            await cp.call("BootNotification", BOOT)
        with pytest.raises(Unanswered):
            await cp.call("BootNotification", BOOT)
        assert store == furnished()
        await cp.call("BootNotification", BOOT)


async def test_unknown_charge_points_get_404_unless_they_are_welcome() -> None:
    store = Store()
    async with running(store) as cs:
        with pytest.raises(ConnectFailed) as raised:
            await connect(cs.endpoint, "CP 9")
        assert raised.value.status == 404
        assert not store.charge_points
        store.accept_unknown_charge_points = True
        async with charge_point(cs, "CP 9"):
            assert cs.is_connected("CP 9")
        assert store.charge_points["CP 9"].boot == BOOT


async def test_whoever_waits_hears_of_the_connection() -> None:
    async with running() as cs:
        waiting = [asyncio.create_task(cs.wait_connected("CP-1")) for _ in range(2)]
        async with charge_point(cs, "CP-2"):
            await asyncio.sleep(1)
            assert not any(task.done() for task in waiting)
            async with charge_point(cs):
                await asyncio.gather(*waiting)
                await cs.wait_connected("CP-1")
        await asyncio.sleep(1)
        assert not cs.is_connected("CP-1")


async def test_the_newer_connection_wins() -> None:
    answered: list[str] = []

    async def first(call: Call) -> Payload:
        await asyncio.sleep(5)
        answered.append("first")
        return {"status": "Accepted"}

    async with running() as cs, charge_point(cs, handle=first) as older:
        pending = asyncio.create_task(_failure_of(cs.request("CP-1", "ClearCache", {})))
        await asyncio.sleep(1)
        async with charge_point(cs, boots=False, unique_ids=counted_ids("again")) as newer:
            assert await cs.request("CP-1", "ClearCache", {}) == {"status": "Accepted"}
            assert isinstance(await pending, Disconnected)
            await asyncio.sleep(1)
            assert not older.is_open
            assert older.websocket.close_code == 1000
            assert newer.is_open
            assert await newer.call("Heartbeat", {})
            assert cs.is_connected("CP-1")
        assert answered == []


async def test_no_answer_crosses_over_to_the_newer_connection() -> None:
    """Both connections have a CALL open whose answers would fit the other."""
    store = furnished()
    async with running(store) as cs:
        older = await connect(cs.endpoint, "CP-1")
        await cs.wait_connected("CP-1")
        first = asyncio.create_task(_failure_of(cs.request("CP-1", "ClearCache", {})))
        asked = json.loads(await older.recv())
        newer = await connect(cs.endpoint, "CP-1")
        assert isinstance(await first, Disconnected)
        second = asyncio.create_task(cs.request("CP-1", "ClearCache", {}))
        asked_again = json.loads(await newer.recv())
        assert asked[1] != asked_again[1]
        await newer.send(f'[3,"{asked[1]}",{{"status":"Rejected"}}]')
        await asyncio.sleep(1)
        assert not second.done()
        await newer.send(f'[3,"{asked_again[1]}",{{"status":"Accepted"}}]')
        assert await second == {"status": "Accepted"}
        await newer.close()


async def test_ten_connections_at_once_leave_one() -> None:
    async with running() as cs:
        sockets = await asyncio.gather(*(connect(cs.endpoint, "CP-1") for _ in range(10)))
        await asyncio.sleep(1)
        left = [websocket for websocket in sockets if websocket.close_code is None]
        assert len(left) == 1
        await cs.send_text("CP-1", "hello")
        assert await left[0].recv() == "hello"


async def test_a_half_open_former_connection_does_not_hold_up_the_newer() -> None:
    async with running() as cs:
        dead = await connect(cs.endpoint, "CP-1")
        await cs.wait_connected("CP-1")
        dead.transport.pause_reading()
        async with charge_point(cs) as newer:
            assert asyncio.get_running_loop().time() == 0
            await asyncio.sleep(60)
            assert await newer.call("Heartbeat", {})
        dead.transport.abort()


async def test_a_former_connection_that_reads_no_more_is_dropped() -> None:
    async with running() as cs:
        dead = await connect(cs.endpoint, "CP-1")
        dead.transport.pause_reading()
        cs.script.answer_next("Heartbeat", Raw("x" * 2**25))
        await dead.send('[2,"1","Heartbeat",{}]')
        await asyncio.sleep(1)
        async with charge_point(cs) as newer:
            await asyncio.sleep(60)
            assert await newer.call("Heartbeat", {})
        dead.transport.resume_reading()
        await dead.wait_closed()
        assert dead.close_code == 1006


async def test_the_network_fails_and_works_again() -> None:
    transcript = Transcript()
    async with running(transcript=transcript) as cs:
        async with charge_point(cs) as cp, charge_point(cs, "CP-2") as other:
            pending = asyncio.create_task(_failure_of(cs.request("CP-1", "DataTransfer", {"vendorId": "v"})))
            await cs.lose_connection("CP-1")
            assert not cs.is_connected("CP-1")
            await pending
            await asyncio.sleep(0.1)
            assert not cp.is_open
            assert cp.websocket.close_code == 1006
            for _ in range(2):
                with pytest.raises(ConnectFailed):
                    await connect(cs.endpoint, "CP-1")
                await asyncio.sleep(60)
            assert await other.call("Heartbeat", {})
            await cs.restore_connection("CP-1")
        async with charge_point(cs, boots=False) as cp:
            assert await cp.call("Heartbeat", {})
        closed = [record["code"] for record in transcript.records if record.get("event") == "closed"]
        assert closed[0] == 1006


async def test_a_lost_network_without_a_connection() -> None:
    async with running() as cs:
        await cs.lose_connection("CP-1")
        await cs.lose_connection("CP-1")
        with pytest.raises(ConnectFailed):
            await connect(cs.endpoint, "CP-1")
        await cs.restore_connection("CP-1")
        await cs.restore_connection("CP-1")
        async with charge_point(cs):
            pass


async def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        cs = CentralSystem()
        with pytest.raises(OSError, match="in use"):
            await cs.start(port=taken.getsockname()[1])
        await cs.stop()


async def test_starting_and_stopping() -> None:
    cs = CentralSystem(furnished())
    for attribute in ("port", "endpoint"):
        with pytest.raises(LocalMisuse, match="not been started"):
            getattr(cs, attribute)
    await cs.stop()
    await cs.start()
    assert cs.endpoint == f"ws://127.0.0.1:{cs.port}"
    with pytest.raises(LocalMisuse, match="before"):
        await cs.start()
    port = cs.port
    await cs.stop()
    await cs.start(port=port)
    assert cs.port == port
    await cs.stop()


async def test_stopping_ends_everything_that_is_under_way() -> None:
    async def endless(call: Call) -> Payload:
        await asyncio.sleep(10**6)
        return {}

    cs = CentralSystem(furnished())
    await cs.start()
    async with charge_point(cs, handle=endless) as cp, charge_point(cs, "CP-2"):
        asked = asyncio.create_task(_failure_of(cs.request("CP-1", "ClearCache", {})))
        silent = await connect(cs.endpoint, "CP-1")  # the newer, which reads nothing
        again = asyncio.create_task(_failure_of(cs.request("CP-1", "ClearCache", {})))
        await asyncio.sleep(0.1)
        await cs.stop()
        assert isinstance(await asked, Disconnected)
        assert isinstance(await again, Disconnected)
        assert not cs.is_connected("CP-1")
        assert not cp.is_open
        await silent.wait_closed()
        assert silent.close_code == 1001
    assert cs.faults == []
    assert asyncio.get_running_loop().time() < 10


async def test_stopping_leaves_no_answer_under_way() -> None:
    cs = CentralSystem(furnished())
    await cs.start()
    websocket = await connect(cs.endpoint, "CP-1")
    websocket.transport.pause_reading()
    cs.script.answer_next("Heartbeat", Raw("x" * 2**25))
    await websocket.send('[2,"1","Heartbeat",{}]')
    await asyncio.sleep(1)
    before = asyncio.all_tasks()
    await cs.stop()
    assert len(before) > 1
    assert asyncio.all_tasks() == {asyncio.current_task()}
    websocket.transport.resume_reading()
    await websocket.wait_closed()


async def test_what_is_known_outlives_a_stop() -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs):
        pass
    async with running(store) as cs, charge_point(cs, boots=False) as cp:
        assert await cp.call("Heartbeat", {})


async def test_ids_go_on_over_connections_and_charge_points() -> None:
    ids: list[str] = []

    async def note(call: Call) -> Payload:
        ids.append(call.unique_id)
        return {"status": "Accepted"}

    async with running() as cs:
        for identity in ("CP-1", "CP-2", "CP-1"):
            async with charge_point(cs, identity, handle=note):
                await cs.request(identity, "ClearCache", {})
    assert ids == ["CS-1", "CS-2", "CS-3"]


async def test_a_handler_that_breaks_is_a_fault_of_ours(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(store: View, request: Payload) -> Payload:
        raise ZeroDivisionError

    monkeypatch.setitem(module.HANDLERS, "Heartbeat", breaks)
    cs = CentralSystem(furnished())
    await cs.start()
    with caplog.at_level(logging.CRITICAL):
        async with charge_point(cs) as cp:
            with pytest.raises(Refused, match="InternalError"):
                await cp.call("Heartbeat", {})
            assert (
                await cp.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
                == {}
            )
    await cs.stop()
    assert [type(fault) for fault in cs.faults] == [ZeroDivisionError]


async def test_everything_is_in_the_transcript() -> None:
    transcript = Transcript()
    async with running(transcript=transcript) as cs, charge_point(cs):
        await cs.request("CP-1", "ClearCache", {})
    assert [(each["kind"], each.get("messageType"), each.get("event")) for each in transcript.records] == [
        ("connect", None, "opening"),
        ("frame", "CALL", None),
        ("frame", "CALLRESULT", None),
        ("frame", "CALL", None),
        ("frame", "CALLRESULT", None),
        ("connect", None, "closed"),
    ]


async def test_two_runs_leave_the_same_transcript() -> None:
    async def once() -> list[str]:
        transcript = Transcript()
        async with running(transcript=transcript) as cs, charge_point(cs) as cp, charge_point(cs, "CP-2") as other:
            for _ in range(3):
                await asyncio.gather(cp.call("Heartbeat", {}), other.call("Heartbeat", {}))
                await cs.request("CP-2", "ClearCache", {})
        return [json.dumps(record | {"timestamp": None}) for record in transcript.records]

    async def without_times() -> list[str]:
        return [line.replace(NOW, "NOW") for line in await once()]

    assert await without_times() == await without_times()


async def _failure_of(call: object) -> Exception | None:
    try:
        await call  # type: ignore[misc]
    except Exception as failure:
        return failure
    return None
