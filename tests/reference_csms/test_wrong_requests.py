"""Every request of a Charge Point with everything that can be wrong with it: refused, and nothing is changed."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from ocppj.connection import ClientSocket, connect
from ocppj.frames import Payload
from ocppj.schemas import FROM_CHARGE_POINT, faults, severe
from tests.ocppj.payloads import full, least, mutations
from tests.reference_csms.scene import BOOT, furnished, running

ACTIONS = sorted(FROM_CHARGE_POINT)

TYPE = {"TypeConstraintViolation", "FormationViolation", "PropertyConstraintViolation"}
OCCURRENCE = {"OccurenceConstraintViolation", "ProtocolError", "FormationViolation"}
VALUE = {"PropertyConstraintViolation", "FormationViolation", "TypeConstraintViolation"}

# What a fault is called, and the codes of table 7 that fit it.
FITTING = {
    "a field is missing": OCCURRENCE,
    "a field is null": TYPE,
    "a field is of another type": TYPE,
    "a field is unknown": OCCURRENCE,
    "a text is too long": VALUE,
    "a number is out of range": VALUE,
    "a word is not in the list": VALUE,
    "a time is none": VALUE,
    "a list is empty": {"OccurenceConstraintViolation", "PropertyConstraintViolation"},
}


async def answer_to(websocket: ClientSocket, action: str, payload: Payload) -> list[Any]:
    await websocket.send(json.dumps([2, "id", action, payload]))
    answer: list[Any] = json.loads(await websocket.recv())
    return answer


def wrong(action: str) -> Iterator[tuple[str, Payload]]:
    """Each way in which one field of a whole payload can be wrong, by its name."""
    whole = full(action, "req")
    for name in least(action, "req"):
        yield "a field is missing", {each: value for each, value in whole.items() if each != name}
    yield "a field is unknown", whole | {"unknownField": 1}
    yield "a field is unknown", whole | {"": None}
    for name, value in whole.items():
        yield "a field is null", whole | {name: None}
        others: list[Any] = [5, 0.5, "text", True, [], {}]
        for other in others:
            if type(other) is not type(value) and not (isinstance(value, float) and type(other) is int):
                yield "a field is of another type", whole | {name: other}
        if isinstance(value, str):
            # Only DataTransfer's data has no limit (6.15); enumerations and times are not about length.
            kinds = {fault.kind for fault in faults(action, "req", whole | {name: "x" * 10_000})}
            if "maxLength" in kinds:
                yield "a text is too long", whole | {name: "x" * 10_000}
            if "enum" in kinds:
                yield "a word is not in the list", whole | {name: value.lower()}
                yield "a word is not in the list", whole | {name: ""}
            if "format" in kinds:
                yield "a time is none", whole | {name: "yesterday"}
                yield "a time is none", whole | {name: "2031-02-30T00:00:00Z"}
    if "connectorId" in whole:
        yield "a number is out of range", whole | {"connectorId": -1}
    if action == "StartTransaction":
        yield "a number is out of range", whole | {"connectorId": 0}
    if action == "MeterValues":
        yield "a list is empty", whole | {"meterValue": []}
        yield "a list is empty", whole | {"meterValue": [whole["meterValue"][0] | {"sampledValue": []}]}
    if action == "StopTransaction":
        yield "a list is empty", whole | {"transactionData": [whole["transactionData"][0] | {"sampledValue": []}]}


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_wrong_request_is_refused_with_a_fitting_code_and_changes_nothing(action: str) -> None:
    async with running() as cs:
        websocket = await connect(cs.endpoint, "CP-1")
        await answer_to(websocket, "BootNotification", BOOT)
        before = deepcopy(cs.store)
        for name, payload in wrong(action):
            kind, unique_id, code, description, details = await answer_to(websocket, action, payload)
            assert (kind, unique_id, details) == (4, "id", {}), payload
            assert code in FITTING[name], (name, payload)
            assert description, payload
            assert cs.store == before, payload
        await websocket.close()


@pytest.mark.parametrize("action", ACTIONS)
async def test_whatever_is_changed_in_a_request_is_refused_if_and_only_if_it_is_wrong(action: str) -> None:
    whole = full(action, "req")
    async with running(furnished()) as cs:
        websocket = await connect(cs.endpoint, "CP-1")
        await answer_to(websocket, "BootNotification", BOOT)
        before = deepcopy(cs.store)
        supported = (await answer_to(websocket, action, whole))[0] == 3
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
            assert (kind == 3) == supported, (payload, rest)
            assert supported or rest[0] == "NotSupported"
        await websocket.close()


async def test_a_wrong_request_before_acceptance_is_refused_too() -> None:
    async with running() as cs:
        websocket = await connect(cs.endpoint, "CP-1")
        before = deepcopy(cs.store)
        for action in ACTIONS:
            for _, payload in wrong(action):
                assert (await answer_to(websocket, action, payload))[0] == 4
        assert cs.store == before
        await websocket.close()
