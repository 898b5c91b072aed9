"""The HTTP interface of the Charge Point, over real sockets on both sides."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from ocppj.frames import Payload
from ocppj.http_api import bind, serving
from ocppj.peer import Refusal
from ocppj.schemas import FROM_CHARGE_POINT
from simulator.charge_point import ChargePoint
from simulator.firmware_management import version_of
from simulator.hands import HANDS
from simulator.http_api import http_api
from tests.simulator.scene import Scene, conf, scene

AT = "/charge-points/CP1"
TOKEN = "a-token-of-nobody"  # noqa: S105


@asynccontextmanager
async def reached(charge_point: ChargePoint, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    listening = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    async with (
        serving(http_api(charge_point, "0", token=token), listening),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
    ):
        yield client


Play = Callable[[httpx.AsyncClient, Scene], Coroutine[Any, Any, None]]


def play(story: Play, token: str | None = None, **options: Any) -> None:
    async def run() -> None:
        async with scene(boots=False, **options) as stage:
            await stage.charge_point.power_on(stage.endpoint)
            await stage.charge_point.wait_told()
            stage.seen.clear()
            async with reached(stage.charge_point, token) as client:
                await story(client, stage)

    asyncio.run(run())


async def until(condition: Callable[[], object]) -> None:
    """Wait for what comes in its own time; a test that hangs is ended by whoever runs it."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# --- hands


def test_hands_charge() -> None:
    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        plugged = await client.post(f"{AT}/plug_in", json={"connectorId": 1})
        assert (plugged.status_code, plugged.content) == (204, b"")
        await client.post(f"{AT}/present", json={"connectorId": 1, "idTag": "CAFE"})
        await until(lambda: stage.calls("StartTransaction"))
        await stage.charge_point.wait_told()
        assert stage.story() == [
            "StatusNotification 1 Preparing",
            "Authorize",
            "StartTransaction",
            "StatusNotification 1 Charging",
        ]
        locked = await client.post(f"{AT}/unplug", json={"connectorId": 1})
        assert (locked.status_code, locked.json()) == (409, {"detail": "the cable is locked in connector 1"})
        (transaction,) = (await client.get(f"{AT}/transactions")).json()
        assert (transaction["transactionId"], transaction["idTag"], transaction["ended"]) == (1, "CAFE", False)
        state = (await client.get(AT)).json()
        connector = state["connectors"][1]
        assert (connector["status"], connector["transactionId"], connector["isLocked"]) == ("Charging", 1, True)

    play(story)


EFFECTS: dict[str, tuple[Payload, Callable[[ChargePoint], object], object]] = {
    "fail": ({"connectorId": 1}, lambda it: it.connectors[1].error_code, "OtherError"),
    "lose_power": ({}, lambda it: it.has_power, False),
    "lose_connection": ({}, lambda it: it.network.is_there, False),
    "prevent_locking": ({"connectorId": 1}, lambda it: it.connectors[1].cannot_lock, True),
    "prevent_unlocking": ({"connectorId": 1}, lambda it: it.connectors[1].lock_fails, True),
    "prevent_storing": ({}, lambda it: it.local_auth_list.storage_fails, True),
    "spoil": ({"work": "upload"}, lambda it: it.firmware_management.upload_fails, True),
    "plug_in": ({"connectorId": 1}, lambda it: it.connectors[1].is_connected, True),
    "stop_taking_energy": ({"connectorId": 1}, lambda it: it.connectors[1].ev_takes_energy, False),
}
UNDONE_BY = {
    "fail": "repair",
    "lose_power": "regain_power",
    "lose_connection": "restore_connection",
    "prevent_locking": "repair",
    "prevent_unlocking": "repair",
    "prevent_storing": "allow_storing",
    "spoil": "mend",
    "plug_in": "unplug",
    "stop_taking_energy": "take_energy",
}


@pytest.mark.parametrize("action", EFFECTS)
def test_what_hands_do_is_done_and_undone(action: str) -> None:
    payload, seen, after = EFFECTS[action]

    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        if action == "stop_taking_energy":
            await client.post(f"{AT}/plug_in", json=payload)
        before = seen(stage.charge_point)
        assert before != after
        assert (await client.post(f"{AT}/{action}", json=payload)).status_code == 204
        assert seen(stage.charge_point) == after
        assert (await client.post(f"{AT}/{UNDONE_BY[action]}", json=payload)).status_code == 204
        assert seen(stage.charge_point) == before

    play(story)


def test_the_other_hands() -> None:
    assert {*HANDS} - {*EFFECTS} - {*UNDONE_BY.values()} == {"present", "restart", "unplug_ev_side"}

    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        await client.post(f"{AT}/plug_in", json={"connectorId": 1})
        assert (await client.post(f"{AT}/unplug_ev_side", json={"connectorId": 1})).status_code == 204
        assert not stage.charge_point.connectors[1].ev_in
        assert stage.charge_point.connectors[1].cable_in
        assert (await client.post(f"{AT}/restart")).status_code == 204
        await until(lambda: stage.calls("BootNotification"))

    play(story)


WRONG: dict[str, tuple[str, Any, int, str]] = {
    "a field missing": ("plug_in", {}, 422, "connectorId"),
    "a field too many": ("plug_in", {"connectorId": 1, "idTag": "CAFE"}, 422, "idTag"),
    "no number": ("plug_in", {"connectorId": "1"}, 422, "connectorId"),
    "no connector": ("plug_in", {"connectorId": 2}, 422, "connectorId 2: there are 1"),
    "connector 0": ("plug_in", {"connectorId": 0}, 422, "connectorId"),
    "no fault": ("fail", {"connectorId": 0, "errorCode": "NoError"}, 422, "errorCode"),
    "too long an idTag": ("present", {"idTag": "x" * 21}, 422, "idTag"),
    "a list": ("plug_in", [], 400, "no JSON object"),
    "nobody does it": ("kick", {}, 404, "nobody does kick here; there are plug_in, unplug"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_done_is_told(name: str) -> None:
    action, body, status, words = WRONG[name]

    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        answer = await client.post(f"{AT}/{action}", json=body)
        assert answer.status_code == status
        assert words in answer.json()["detail"]
        await stage.pass_time()
        assert stage.story() == []

    play(story)


@pytest.mark.parametrize("action", ["present", "prevent_storing", "allow_storing", "spoil", "mend"])
def test_what_it_does_not_have_is_not_implemented(action: str) -> None:
    bodies: dict[str, Payload] = {
        "present": {"idTag": "CAFE"},
        "spoil": {"work": "upload"},
        "mend": {"work": "upload"},
    }

    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        answer = await client.post(f"{AT}/{action}", json=bodies.get(action, {}))
        assert answer.status_code == 501
        assert action in answer.json()["detail"]

    play(story, reader=False, profiles=["Core"])


# --- requests of its own


def test_it_sends_a_request_of_its_own() -> None:
    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        answer = await client.post(f"{AT}/DataTransfer", json={"vendorId": "Acme"})
        assert (answer.status_code, answer.json()) == (200, {"status": "Accepted"})
        assert answer.headers["OCPP-Message-Type"] == "CALLRESULT"
        stage.central_system.script.answer_next("Heartbeat", Refusal("InternalError", "not now"))
        refused = await client.post(f"{AT}/Heartbeat")
        assert (refused.status_code, refused.headers["OCPP-Message-Type"]) == (200, "CALLERROR")
        assert refused.json()["errorCode"] == "InternalError"
        assert [seen.action for seen in stage.seen] == ["DataTransfer", "Heartbeat"]

    play(story)


def test_what_breaks_ocpp_is_sent_only_anyway() -> None:
    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        body = {"idTag": "CAFE", "pin": 1}
        refused = await client.post(f"{AT}/Authorize", json=body)
        assert refused.status_code == 422
        assert refused.json()["detail"].startswith("Authorize.req: ")
        assert stage.seen == []
        answer = await client.post(f"{AT}/Authorize?anyway=true", json=body)
        assert (answer.status_code, answer.headers["OCPP-Message-Type"]) == (200, "CALLERROR")
        assert [seen.payload for seen in stage.seen] == [body]

    play(story)


def test_nothing_is_learnt_from_what_breaks_ocpp() -> None:
    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        for body in ({}, {"idTag": 7}):
            stage.central_system.script.answer_next("Authorize", conf(idTagInfo={"status": "Accepted"}))
            answer = await client.post(f"{AT}/Authorize?anyway=true", json=body)
            assert (answer.status_code, answer.headers["OCPP-Message-Type"]) == (200, "CALLRESULT")
        assert stage.charge_point.memory.cache == []

    play(story)


@pytest.mark.parametrize("action", sorted(FROM_CHARGE_POINT))
def test_nothing_that_is_sent_anyway_breaks_it(action: str) -> None:
    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        for body in ({}, {"idTag": 7, "connectorId": []}):
            assert (await client.post(f"{AT}/{action}?anyway=true", json=body)).status_code == 200, body

    play(story)


def test_without_a_connection_nothing_is_sent() -> None:
    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        await client.post(f"{AT}/lose_connection")
        await until(lambda: not stage.charge_point.is_connected)
        answer = await client.post(f"{AT}/Heartbeat")
        assert answer.status_code == 404
        assert answer.json() == {"detail": "CP1 is not connected to its Central System"}

    play(story)


# --- what it tells


def test_it_tells_how_it_is() -> None:
    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        state = (await client.get(AT)).json()
        assert state["identity"] == "CP1"
        assert (state["hasPower"], state["isConnected"], state["registrationStatus"]) == (True, True, "Accepted")
        assert [each["connectorId"] for each in state["connectors"]] == [0, 1, 2]
        assert (await client.get("/faults")).json() == []
        configuration = (await client.get(f"{AT}/configuration")).json()
        assert {"key": "NumberOfConnectors", "readonly": True, "value": "2"} in configuration
        assert (await client.get(f"{AT}/transactions")).json() == []
        (one,) = (await client.get("/charge-points")).json()
        assert one == state

    play(story, connectors=2)


def test_it_has_firmware_that_it_can_install() -> None:
    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        location = f"{str(client.base_url).rstrip('/')}/firmware/2.0.7"
        image = await client.get(location)
        assert version_of(image.content) == "2.0.7"
        assert (await client.get("/firmware/..%2Fx")).status_code in (404, 422)
        await stage.ask("UpdateFirmware", location=location, retrieveDate="2020-01-01T00:00:00Z")
        await until(
            lambda: [seen.payload["status"] for seen in stage.calls("FirmwareStatusNotification")][-1:] == ["Installed"]
        )
        state = (await client.get(AT)).json()
        assert state["firmwareVersion"] == "2.0.7"

    play(story)


def test_the_key_is_told_to_nobody() -> None:
    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        configuration = (await client.get(f"{AT}/configuration")).json()
        (key,) = [each for each in configuration if each["key"] == "AuthorizationKey"]
        assert "value" not in key
        stage.charge_point.network.endpoint = "ws://CP1:a-password@csms.example/ocpp"
        assert (await client.get(AT)).json()["centralSystem"] == "ws://***@csms.example/ocpp"

    play(story, profiles=["Core", "Security"])


def test_another_charge_point_is_not_here() -> None:
    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        for method, path in (("GET", ""), ("GET", "/configuration"), ("POST", "/restart"), ("POST", "/Heartbeat")):
            answer = await client.request(method, f"/charge-points/CP2{path}")
            assert (answer.status_code, answer.json()) == (404, {"detail": "the Charge Point here is CP1"})
        assert stage.seen == []

    play(story)


def test_a_token_is_asked_for() -> None:
    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        assert (await client.post(f"{AT}/restart")).status_code == 401
        assert (await client.get(AT, headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 200

    play(story, token=TOKEN)


def test_every_action_is_described() -> None:
    async def story(client: httpx.AsyncClient, stage: Scene) -> None:
        told = (await client.get("/openapi.json")).json()
        described = {path.rpartition("/")[2] for path in told["paths"]}
        assert described >= {*HANDS, *FROM_CHARGE_POINT}
        plug_in = told["paths"]["/charge-points/{identity}/plug_in"]["post"]
        assert plug_in["requestBody"]["content"]["application/json"]["example"] == {"connectorId": 1}
        page = await client.get("/docs")
        assert "/charge-points/{identity}/plug_in" in page.text

    play(story)
