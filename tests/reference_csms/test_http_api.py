"""The HTTP interface of the Central System, over real sockets on both sides."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from ocppj.errors import Refused
from ocppj.frames import Call, Payload
from ocppj.http_api import LONGEST_BODY, bind, serving
from ocppj.peer import Conf, Raw, Script
from ocppj.schemas import FROM_CENTRAL_SYSTEM, schema
from ocppj.secrets import masked
from reference_csms.central_system import CentralSystem
from reference_csms.http_api import OF_ITS_OWN, http_api
from tests.reference_csms.scene import BOOT, accept, charge_point, furnished, running

TOKEN = "a-token-of-nobody"  # noqa: S105
KEY = "AF" * 16


@asynccontextmanager
async def reached(
    system: CentralSystem, *, host: str = "127.0.0.1", token: str | None = None, **headers: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the HTTP interface. ``host``: what the interface takes for the place where it listens."""
    listening = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    async with (
        serving(http_api(system, "0", host=host, token=token), listening),
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60) as client,
    ):
        yield client


Play = Callable[[httpx.AsyncClient, CentralSystem], Coroutine[Any, Any, None]]


def play(scene: Play, **options: Any) -> None:
    async def run() -> None:
        async with running() as system, reached(system, **options) as client:
            await scene(client, system)

    asyncio.run(run())


# --- requests


def test_a_request_is_sent_and_its_conf_comes_back() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        came: list[Call] = []

        async def handle(call: Call) -> Payload:
            came.append(call)
            return {"status": "Accepted"}

        async with charge_point(system, handle=handle):
            answer = await client.post("/charge-points/CP-1/RemoteStartTransaction", json={"idTag": "Valid"})
        assert (answer.status_code, answer.json()) == (200, {"status": "Accepted"})
        assert answer.headers["OCPP-Message-Type"] == "CALLRESULT"
        assert [(call.action, call.payload) for call in came] == [("RemoteStartTransaction", {"idTag": "Valid"})]

    play(scene)


def test_a_callerror_is_an_answer_like_another() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        async def handle(_: Call) -> Payload:
            raise Refused("NotSupported", "no such thing", {"why": "none"})

        async with charge_point(system, handle=handle):
            answer = await client.post("/charge-points/CP-1/ClearCache")
        assert answer.status_code == 200
        assert answer.headers["OCPP-Message-Type"] == "CALLERROR"
        assert answer.json() == {
            "errorCode": "NotSupported",
            "errorDescription": "no such thing",
            "errorDetails": {"why": "none"},
        }

    play(scene)


def test_one_that_does_not_answer_was_asked_all_the_same() -> None:
    async def run() -> None:
        asked = asyncio.Event()

        async def handle(_: Call) -> Payload:
            asked.set()
            await asyncio.sleep(3600)
            return {}

        async with (
            running(message_timeout=0.2) as system,
            charge_point(system, handle=handle),
            reached(system) as client,
        ):
            answer = await client.post("/charge-points/CP-1/ClearCache")
            await asked.wait()
        assert answer.status_code == 202
        assert "not answered in 0.2 s" in answer.json()["detail"]
        assert "OCPP-Message-Type" not in answer.headers

    asyncio.run(run())


def test_an_answer_that_cannot_be_read_is_none() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        script = Script()
        script.answer_next("ClearCache", Raw('[3,"{uniqueId}",{"status":"Perhaps"}]'))
        async with charge_point(system, script=script):
            answer = await client.post("/charge-points/CP-1/ClearCache")
        assert answer.status_code == 202
        assert "Perhaps" in answer.json()["detail"]

    play(scene)


def test_a_connection_that_ends_before_the_answer() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        asked = asyncio.Event()

        async def handle(_: Call) -> Payload:
            asked.set()
            await asyncio.sleep(3600)
            return {}

        async with charge_point(system, handle=handle) as peer:
            posted = asyncio.create_task(client.post("/charge-points/CP-1/ClearCache"))
            await asked.wait()
            await peer.close()
            answer = await posted
        assert (answer.status_code, answer.json()) == (502, {"detail": "the connection ended before the answer came"})

    play(scene)


WRONG = {
    "no JSON": (b"{", 400, "the body is no JSON"),
    "no UTF-8": (b'{"type": "\xff"}', 400, "the body is no JSON"),
    "no number of JSON": (b'{"limit": NaN}', 400, "NaN is no number of JSON"),
    "nested too deeply": (b"[" * 100_000, 400, "the body is no JSON"),
    "a list": (b"[]", 400, "the body is no JSON object"),
    "too long": (b" " * (LONGEST_BODY + 1), 413, "the body has more than"),
    "a field missing": (b"{}", 422, "Reset.req: "),
    "a wrong value": (b'{"type": "Warm"}', 422, "Reset.req: type"),
    "a field too many": (b'{"type": "Soft", "at": 1}', 422, "Reset.req: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_ocpp_does_not_allow_is_not_sent(name: str) -> None:
    body, status, words = WRONG[name]

    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        async def handle(_: Call) -> Payload:
            raise AssertionError("it was sent")

        async with charge_point(system, handle=handle):
            answer = await client.post("/charge-points/CP-1/Reset", content=body)
        assert (answer.status_code, [*answer.json()]) == (status, ["detail"])
        assert words in answer.json()["detail"]

    play(scene)


def test_a_rule_beside_the_schema_holds_too() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        async with charge_point(system):
            payload = {"key": "AuthorizationKey", "value": "AB"}
            answer = await client.post("/charge-points/CP-1/ChangeConfiguration", json=payload)
        assert answer.status_code == 422
        assert "A00.FR.205" in answer.json()["detail"]

    play(scene)


def test_it_is_sent_anyway_if_it_shall_be() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        script = Script()
        script.answer_next("Reset", Conf(lambda: {"status": "Rejected"}))
        async with charge_point(system, script=script):
            answer = await client.post("/charge-points/CP-1/Reset?anyway=true", json={"type": "Warm"})
        assert (answer.status_code, answer.json()) == (200, {"status": "Rejected"})

    play(scene)


NONSENSE: list[Any] = [7, "x", None, []]
BODIES: list[Payload] = [
    {},
    {"nonsense": [1, {"a": None}]},
    *(dict.fromkeys(("key", "value", "type", "reservationId", "requestId"), value) for value in NONSENSE),
    {"certificateHashData": {"hashAlgorithm": 1, "issuerNameHash": 2, "issuerKeyHash": 3, "serialNumber": 4}},
    {"certificate": 5, "certificateType": []},
    {"requestedMessage": 3, "connectorId": "x"},
    {"localAuthorizationList": [5, {"idTag": 6}], "listVersion": "1", "updateType": 3},
]


@pytest.mark.parametrize("action", sorted(FROM_CENTRAL_SYSTEM))
def test_nothing_that_is_sent_anyway_breaks_it(action: str) -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        async def handle(_: Call) -> Payload:
            raise AssertionError("nothing of it is right")

        async with charge_point(system, handle=handle):
            for body in BODIES:
                answer = await client.post(f"/charge-points/CP-1/{action}?anyway=true", json=body)
                assert answer.status_code == 200, (action, body, answer.text)

    play(scene)


def test_what_the_central_system_chooses_may_be_left_out() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        came: list[Payload] = []

        async def handle(call: Call) -> Payload:
            came.append(call.payload)
            return {"status": "Accepted"}

        async with charge_point(system, handle=handle):
            body = {"connectorId": 1, "idTag": "Valid"}
            answer = await client.post("/charge-points/CP-1/ReserveNow", json=body)
        assert answer.json() == {"status": "Accepted"}
        assert came[0]["reservationId"] == 2001
        assert "expiryDate" in came[0]

    play(scene)


def test_who_is_not_there_is_not_found() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        known = await client.post("/charge-points/CP-2/ClearCache")
        assert (known.status_code, known.json()) == (404, {"detail": "the Charge Point CP-2 is not connected"})
        stranger = await client.post("/charge-points/CP-9/ClearCache")
        assert stranger.json() == {"detail": "the Charge Point CP-9 is not connected, and nobody knows it"}
        async with charge_point(system):
            action = await client.post("/charge-points/CP-1/Heartbeat", json={})
        assert action.status_code == 404
        assert action.json()["detail"].startswith("a Central System does not send Heartbeat; there are CancelReserv")
        assert (await client.get("/charge-points/CP-9")).status_code == 404
        assert (await client.get("/nowhere")).json() == {"detail": "Not Found"}

    play(scene)


# --- what it knows


def test_charge_points_are_told() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        async with charge_point(system) as peer:
            status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
            await peer.call("StatusNotification", status)
            one, other = (await client.get("/charge-points")).json()
            assert (one["identity"], one["isConnected"], one["isAccepted"]) == ("CP-1", True, True)
            assert one["connectors"] == [status]
            assert (other["identity"], other["isConnected"], other["lastSeen"]) == ("CP-2", False, None)
            details = (await client.get("/charge-points/CP-1")).json()
            assert details["bootNotification"] == BOOT
        assert (await client.get("/charge-points/CP-1")).json()["isConnected"] is False

    play(scene)


def test_an_id_tag_is_entered_changed_and_forgotten() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        async with charge_point(system) as peer:

            async def told() -> Payload:
                info: Payload = (await peer.call("Authorize", {"idTag": "NEW 1"}))["idTagInfo"]
                return info

            assert await told() == {"status": "Invalid"}
            entered = {"status": "Accepted", "parentIdTag": "Group", "expiryDate": "2040-01-01T00:00:00Z"}
            answer = await client.put("/id-tags/NEW%201", json=entered)
            assert answer.status_code == 200
            assert await told() == answer.json() == entered | {"expiryDate": "2040-01-01T00:00:00.000Z"}
            await client.put("/id-tags/new%201", content=b'{"status": "Blocked"}')
            assert await told() == {"status": "Blocked"}
            assert [each["idTag"] for each in (await client.get("/id-tags")).json()][-1] == "new 1"
            assert (await client.delete("/id-tags/NEW%201")).status_code == 204
            assert await told() == {"status": "Invalid"}

    play(scene)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "Perhaps"},
        {"parentIdTag": "x" * 21},
        {"parent": "Group"},
        {"expiryDate": "tomorrow"},
        {"expiryDate": "2040-01-01T00:00:00"},
    ],
    ids=str,
)
def test_what_is_no_id_tag_is_refused(body: Payload) -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        answer = await client.put("/id-tags/Valid", json=body)
        assert answer.status_code == 422
        assert next(iter(body)) in answer.json()["detail"]
        assert (await client.get("/id-tags/Valid")).json() == {"status": "Accepted", "parentIdTag": "Family"}

    play(scene)


def test_an_id_tag_has_20_characters_at_most() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        assert (await client.put(f"/id-tags/{'x' * 21}", json={})).status_code == 422

    play(scene)


def test_a_transaction_is_told() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        async with charge_point(system) as peer:
            start = {"connectorId": 1, "idTag": "Valid", "meterStart": 10, "timestamp": "2031-05-13T08:41:17Z"}
            number = (await peer.call("StartTransaction", start))["transactionId"]
            value = {"timestamp": "2031-05-13T08:42:17Z", "sampledValue": [{"value": "12"}]}
            await peer.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [value]})
        (told,) = (await client.get("/transactions")).json()
        assert (told["transactionId"], told["idTag"], told["stoppedAt"]) == (1001, "Valid", None)
        assert "meterValues" not in told
        assert (await client.get("/transactions/1001")).json()["meterValues"] == [value]
        assert (await client.get("/transactions/9")).status_code == 404

    play(scene)


def test_settings_are_changed_one_by_one() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        before = (await client.get("/settings")).json()
        after = (await client.put("/settings", json={"heartbeatInterval": 77, "certificateFault": "expired"})).json()
        assert after == before | {"heartbeatInterval": 77, "certificateFault": "expired"}
        assert (await client.put("/settings", json={"bootRetryInterval": 5})).json()["certificateFault"] == "expired"
        assert (await client.put("/settings", json={"certificateFault": None})).json()["certificateFault"] is None
        async with charge_point(system, boots=False) as peer:
            assert (await peer.call("BootNotification", BOOT))["interval"] == 77
        wrong = await client.put("/settings", json={"heartbeatInterval": 0})
        assert wrong.status_code == 422

    play(scene)


def test_a_charge_point_is_provisioned() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        body = {"registrationStatus": "Pending", "securityProfile": 1, "authorizationKey": KEY}
        answer = await client.put("/charge-points/CP-7", json=body)
        assert (answer.status_code, answer.json()["securityProfile"]) == (200, 1)
        known = system.store.charge_points["CP-7"]
        assert known.registration_status == "Pending"
        assert known.password is not None
        assert known.password.matches(bytes.fromhex(KEY))
        assert masked(f"it is {KEY}") == "it is ***"
        await client.put("/charge-points/CP-7", json={"registrationStatus": "Accepted"})
        assert known.password is not None  # what is left out stays
        refused = await client.put("/charge-points/CP-7", json={"authorizationKey": "short and secret"})
        assert refused.status_code == 422
        assert "short and secret" not in refused.text

    play(scene)


def test_data_transfer_and_the_security_log_are_told() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        assert (await client.put("/vendors/Acme", json={"messageIds": ["Hello"]})).status_code == 204
        async with charge_point(system) as peer:
            sent = {"vendorId": "Acme", "messageId": "Hello", "data": "x"}
            assert (await peer.call("DataTransfer", sent)) == {"status": "Accepted"}
        assert (await client.get("/messages")).json() == [{"identity": "CP-1", **sent}]
        system.store.log_security_event("UnknownChargePoint", "CP-9", "nobody knows it")
        (event,) = (await client.get("/security-log")).json()
        assert (event["type"], event["identity"], event["techInfo"]) == (
            "UnknownChargePoint",
            "CP-9",
            "nobody knows it",
        )
        assert (await client.get("/faults")).json() == []

    play(scene)


def test_it_does_of_its_own_what_is_no_request_of_ocpp() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        status = "Accepted"

        async def handle(call: Call) -> Payload:
            match call.action:
                case "GetLocalListVersion":
                    return {"listVersion": 0}
                case "GetConfiguration":
                    return {"configurationKey": []}
            return {"status": status}

        async with charge_point(system, handle=handle):
            assert (await client.post("/charge-points/CP-1/update_local_auth_list")).status_code == 204
            held = (await client.get("/charge-points/CP-1")).json()["localAuthList"]
            assert [entry["idTag"] for entry in held["entries"]] == ["Valid", "Other", "Blocked"]
            assert (await client.post("/charge-points/CP-1/lose_connection")).status_code == 204
            assert not system.is_connected("CP-1")
        assert (await client.post("/charge-points/CP-1/update_local_auth_list")).status_code == 404
        await client.post("/charge-points/CP-1/restore_connection")
        async with charge_point(system, handle=handle):
            await client.put("/id-tags/New", json={})
            status = "Failed"
            assert (await client.post("/charge-points/CP-1/update_local_auth_list")).status_code == 409

    play(scene)


# --- who may ask


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:x", "", "[::2]", "10.0.0.1"])
def test_a_name_that_suddenly_leads_here_is_refused(host: str) -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        answer = await client.get("/charge-points", headers={"Host": host})
        assert answer.status_code == 400

    play(scene)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "LOCALHOST", "[::1]:8080"])
def test_the_names_of_this_machine_are_taken(host: str) -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        assert (await client.get("/charge-points", headers={"Host": host})).status_code == 200

    play(scene)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
def test_a_page_of_somebody_else_may_not_ask(origin: str) -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        answer = await client.put("/id-tags/Valid", json={"status": "Blocked"}, headers={"Origin": origin})
        assert answer.status_code == 403
        assert system.store.id_tags["valid"].status == "Accepted"
        own = await client.put("/id-tags/Valid", json={}, headers={"Origin": str(client.base_url).rstrip("/")})
        assert own.status_code == 200

    play(scene)


def test_a_token_is_asked_for() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        for shown in ("", TOKEN, f"Bearer {TOKEN}x", "Bearer", f"Basic {TOKEN}", "Bearer ü"):
            answer = await client.get("/charge-points", headers={b"Authorization": shown.encode()})
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), shown
        assert (await client.post("/charge-points/CP-1/Reset", json={"type": "Soft"})).status_code == 401
        right = await client.get("/charge-points", headers={"Authorization": f"Bearer {TOKEN}", "Host": "lab.example"})
        assert right.status_code == 200
        assert (await client.get("/docs")).status_code == 200  # it tells what can be asked for, and nothing else

    play(scene, host="0.0.0.0", token=TOKEN)  # noqa: S104  # it is told so, and listens on loopback


# --- the description


def test_every_action_is_described_with_its_schema() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        told = (await client.get("/openapi.json")).json()
        described = {path.rpartition("/")[2] for path in told["paths"] if path.startswith("/charge-points/{identity}/")}
        assert described == {*FROM_CENTRAL_SYSTEM, *OF_ITS_OWN}
        body = told["paths"]["/charge-points/{identity}/Reset"]["post"]["requestBody"]["content"]["application/json"]
        assert body["schema"]["properties"] == schema("Reset", "req")["properties"]
        assert "#/definitions/" not in json.dumps(told)  # which would be looked for in another document
        assert body["example"] == {"type": "Hard"}
        for path, methods in told["paths"].items():
            for operation in methods.values():
                assert operation["summary"], path

    play(scene)


@pytest.mark.parametrize("action", sorted(FROM_CENTRAL_SYSTEM))
def test_the_example_of_an_action_has_the_form_that_it_needs(action: str) -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        told = (await client.get("/openapi.json")).json()["paths"][f"/charge-points/{{identity}}/{action}"]["post"]
        example = told["requestBody"]["content"]["application/json"]["example"]
        async with charge_point(system, handle=accept):
            answer = await client.post(f"/charge-points/CP-1/{action}", json=example)
        assert not answer.json().get("detail", "").startswith(f"{action}.req"), answer.text

    play(scene)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    async def scene(client: httpx.AsyncClient, system: CentralSystem) -> None:
        page = await client.get("/", follow_redirects=True)
        assert page.status_code == 200
        assert "/charge-points/{identity}/RemoteStartTransaction" in page.text
        assert "parentIdTag" in page.text  # what OpenAPI keeps elsewhere stands where it is used
        assert "$ref" not in page.text
        for elsewhere in ("src=", "http://", "https://", "@import", "url("):
            assert elsewhere not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]

    play(scene)


def test_a_store_that_takes_anybody_is_told_of_strangers() -> None:
    async def run() -> None:
        store = furnished()
        store.accept_unknown_charge_points = True
        async with running(store) as system, reached(system) as client, charge_point(system, "Stranger"):
            assert (await client.post("/charge-points/Stranger/ClearCache")).json() == {"status": "Accepted"}

    asyncio.run(run())
