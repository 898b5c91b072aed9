"""Every request of a Charge Point with everything that can be wrong with it: refused, and nothing is changed.

First what a schema can tell, field by field; then what only the Central System can know.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

import pytest

from ocppj.authority import Authority, new_key, signing_request
from ocppj.certificates import pem
from ocppj.connection import ClientSocket, connect
from ocppj.frames import Payload
from ocppj.schemas import ACTIONS as ALL_ACTIONS
from ocppj.schemas import FROM_CHARGE_POINT, faults, severe
from reference_csms.central_system import HANDLERS, CentralSystem
from tests.ocppj.payloads import full, mutations
from tests.ocppj.wrong import huge_requests, wrong_requests
from tests.reference_csms.scene import BOOT, NOW, furnished, running

ACTIONS = sorted(FROM_CHARGE_POINT)

AUTHORITY = Authority.root("Operator Root", "Operator")
OWN_REQUEST = signing_request(new_key(), common_name="SN-0001", organization="Operator")

START: Payload = {"connectorId": 1, "idTag": "Valid", "meterStart": 100, "timestamp": NOW}
STOP: Payload = {"transactionId": 1001, "meterStop": 200, "timestamp": NOW}


async def answer_to(websocket: ClientSocket, action: str, payload: Payload) -> list[Any]:
    await websocket.send(json.dumps([2, "id", action, payload]))
    answer: list[Any] = json.loads(await websocket.recv())
    return answer


@asynccontextmanager
async def charging() -> AsyncIterator[tuple[CentralSystem, ClientSocket]]:
    """A Charge Point that is accepted and charges at connector 1."""
    async with running() as cs:
        websocket = await connect(cs.endpoint, "CP-1")
        await answer_to(websocket, "BootNotification", BOOT)
        assert (await answer_to(websocket, "StartTransaction", START))[0] == 3
        try:
            yield cs, websocket
        finally:
            await websocket.close()


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_wrong_field_is_refused_with_a_fitting_code_and_changes_nothing(action: str) -> None:
    async with charging() as (cs, websocket):
        before = deepcopy(cs.store)
        for wrong in wrong_requests(action):
            kind, unique_id, code, description, details = await answer_to(websocket, action, wrong.payload)
            assert (kind, unique_id, details) == (4, "id", {}), wrong
            assert code == wrong.best, wrong
            assert description, wrong
            assert cs.store == before, wrong


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_number_that_is_only_huge_is_processed(action: str) -> None:
    async with charging() as (_, websocket):
        for path, payload in huge_requests(action):
            kind, _, *rest = await answer_to(websocket, action, payload)
            assert kind == 3, (path, rest)


@pytest.mark.parametrize("action", ["NoSuchAction", "authorize", "Authorize.req", "", "x" * 10_000])
async def test_an_unknown_action(action: str) -> None:
    async with charging() as (cs, websocket):
        before = deepcopy(cs.store)
        assert (await answer_to(websocket, action, {}))[:3] == [4, "id", "NotImplemented"]
        assert cs.store == before


@pytest.mark.parametrize("action", sorted(ALL_ACTIONS - FROM_CHARGE_POINT))
async def test_a_request_that_is_for_a_central_system_to_send(action: str) -> None:
    """OCPP-J table 7: known, and not supported by who receives it."""
    async with charging() as (cs, websocket):
        before = deepcopy(cs.store)
        assert (await answer_to(websocket, action, full(action, "req")))[:3] == [4, "id", "NotSupported"]
        assert cs.store == before


@pytest.mark.parametrize("action", ACTIONS)
async def test_whatever_is_changed_in_a_request_is_refused_if_and_only_if_it_is_wrong(action: str) -> None:
    whole = full(action, "req")
    async with running(furnished()) as cs:
        websocket = await connect(cs.endpoint, "CP-1")
        await answer_to(websocket, "BootNotification", BOOT)
        before = deepcopy(cs.store)
        assert (await answer_to(websocket, action, whole))[0] == 3
        for path, payload in mutations(whole):
            if not severe(faults(action, "req", payload)):
                continue
            cs.store = deepcopy(before)
            kind, _, code, *_ = await answer_to(websocket, action, payload)
            first = severe(faults(action, "req", payload))[0]
            assert kind == 4, (path, payload)
            assert code in first.codes, (path, payload)
            assert cs.store == before, (path, payload)
        cs.store = deepcopy(before)
        right = [payload for _, payload in mutations(whole) if not severe(faults(action, "req", payload))]
        for payload in right:
            kind, _, *rest = await answer_to(websocket, action, payload)
            assert kind == 3, (payload, rest)
        await websocket.close()


async def test_a_wrong_request_before_acceptance_is_refused_too() -> None:
    async with running() as cs:
        websocket = await connect(cs.endpoint, "CP-1")
        before = deepcopy(cs.store)
        for action in ACTIONS:
            for wrong in wrong_requests(action):
                assert (await answer_to(websocket, action, wrong.payload))[0] == 4
        assert cs.store == before
        await websocket.close()


# --- what no schema can tell


def of_connector(number: int) -> Payload:
    return {"connectorId": number, "meterValue": [{"timestamp": NOW, "sampledValue": [{"value": "1"}]}]}


# A right request about what is not there, the .conf, and the clause. No transaction and no idTag is changed by it.
SEMANTIC: dict[str, tuple[str, Payload, Payload, str]] = {
    "an unknown idTag": ("Authorize", {"idTag": "Nobody"}, {"idTagInfo": {"status": "Invalid"}}, "7.2"),
    "a blocked idTag": ("Authorize", {"idTag": "Blocked"}, {"idTagInfo": {"status": "Blocked"}}, "7.2"),
    "an unknown vendor": ("DataTransfer", {"vendorId": "com.example"}, {"status": "UnknownVendorId"}, "4.3"),
    "an unknown message": (
        "DataTransfer",
        {"vendorId": "Vendor", "messageId": "Nothing"},
        {"status": "UnknownMessageId"},
        "4.3",
    ),
    "values of an unknown transaction": ("MeterValues", of_connector(1) | {"transactionId": 999}, {}, "errata 3.18"),
    "values of no transaction": ("MeterValues", of_connector(1) | {"transactionId": -1}, {}, "errata 3.18"),
    "values of a connector that was never told of": ("MeterValues", of_connector(99), {}, "4.7"),
    "the status of a connector that was never told of": (
        "StatusNotification",
        {"connectorId": 99, "errorCode": "NoError", "status": "Charging"},
        {},
        "4.9",
    ),
    "the stop of an unknown transaction": ("StopTransaction", STOP | {"transactionId": 999}, {}, "4.10"),
    **{
        f"the stop of transaction {number}": ("StopTransaction", STOP | {"transactionId": number}, {}, "4.10")
        for number in (0, 2**63, -(2**63))
    },
    "values of many a transaction": ("MeterValues", of_connector(2**63) | {"transactionId": -(2**63)}, {}, "4.7"),
    "the stop of no transaction": ("StopTransaction", STOP | {"transactionId": -1}, {}, "errata 3.18"),
    "the stop of a transaction of another Charge Point": (
        "StopTransaction",
        STOP | {"transactionId": 1002},
        {},
        "4.10",
    ),
    "the stop of an unknown transaction by an unknown idTag": (
        "StopTransaction",
        STOP | {"transactionId": 999, "idTag": "Nobody"},
        {"idTagInfo": {"status": "Invalid"}},
        "4.10",
    ),
    **{
        f"the status of a log that nobody asked for ({number})": (
            "LogStatusNotification",
            {"status": "Uploaded", "requestId": number},
            {},
            "white paper N01",
        )
        for number in (999, -1, 2**63)
    },
    **{
        f"the status of an update that nobody asked for ({number})": (
            "SignedFirmwareStatusNotification",
            {"status": "Installed", "requestId": number},
            {},
            "white paper L01",
        )
        for number in (999, -1, 2**63)
    },
    **{
        f"a request for a certificate that is {words}": (
            "SignCertificate",
            {"csr": csr},
            {"status": "Rejected"},
            "white paper A02.FR.12",
        )
        for words, csr in {
            "none": "Sample",
            "empty": "",
            "cut": OWN_REQUEST[:200],
            "of a key that is too small": signing_request(
                new_key("EC", 192), common_name="SN-0001", organization="Operator"
            ),
            "a certificate": pem(AUTHORITY.certificate),
            "of another Operator": signing_request(new_key(), common_name="SN-0001", organization="Somebody"),
            "of another Charge Point": signing_request(new_key(), common_name="SN-0002", organization="Operator"),
        }.items()
    },
}

# Requests that name nothing which could be missing, and StartTransaction.req, which always starts one (4.8). Events are
# never refused (white paper A04.FR.03).
WITHOUT_SUCH_FAULTS = {
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "SecurityEventNotification",
    "StartTransaction",
}


def test_every_request_has_a_handler_to_meet() -> None:
    assert HANDLERS.keys() == FROM_CHARGE_POINT


def test_every_request_is_in_the_table() -> None:
    assert {row[0] for row in SEMANTIC.values()} | WITHOUT_SUCH_FAULTS == FROM_CHARGE_POINT


@pytest.mark.parametrize("name", SEMANTIC)
async def test_a_request_about_what_is_not_there(name: str) -> None:
    action, payload, conf, clause = SEMANTIC[name]
    async with charging() as (cs, websocket):
        cs.store.know_vendor("Vendor")
        cs.store.authority, cs.store.cpo_name = AUTHORITY, "Operator"
        cs.store.charge_points["CP-1"].serial_number = "SN-0001"
        other = await connect(cs.endpoint, "CP-2")
        await answer_to(other, "BootNotification", BOOT)
        started = await answer_to(other, "StartTransaction", START | {"idTag": "Other"})
        assert started[2]["transactionId"] == 1002
        transactions, id_tags = deepcopy(cs.store.transactions), deepcopy(cs.store.id_tags)
        assert await answer_to(websocket, action, payload) == [3, "id", conf], clause
        assert (cs.store.transactions, cs.store.id_tags) == (transactions, id_tags)
        await other.close()


async def test_a_transaction_begins_whatever_the_id_tag_is() -> None:
    async with charging() as (cs, websocket):
        for id_tag, status in (("Nobody", "Invalid"), ("Blocked", "Blocked"), ("Valid", "ConcurrentTx")):
            kind, _, conf = await answer_to(websocket, "StartTransaction", START | {"connectorId": 2, "idTag": id_tag})
            assert (kind, conf["idTagInfo"]["status"]) == (3, status)  # 4.8, 7.2
            assert conf["transactionId"] in cs.store.transactions


@pytest.mark.parametrize("reservation", [0, 999, -1, 2**63])
async def test_a_transaction_begins_whatever_the_reservation_is(reservation: int) -> None:
    async with charging() as (cs, websocket):
        payload = START | {"connectorId": 2, "idTag": "Other", "reservationId": reservation}
        kind, _, conf = await answer_to(websocket, "StartTransaction", payload)
        assert (kind, conf["idTagInfo"]["status"]) == (3, "Accepted")  # 4.8
        assert conf["transactionId"] in cs.store.transactions
