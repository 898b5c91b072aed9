"""Faults of which no sentence speaks: what holds in every test case finds them alone."""

import asyncio
from contextlib import suppress
from itertools import repeat
from typing import Any

import pytest

import bench.run
from bench.mutants import Mutant, Plant
from bench.mutants.planting import answers, asks, never_answers, queues
from ocppj.errors import CallFailed
from ocppj.frames import Payload
from ocppj.peer import Peer, counted_ids
from reference_csms import central_system
from reference_csms.central_system import CentralSystem
from simulator.charge_point import ChargePoint
from simulator.firmware_management import FirmwareManagement

CSMS = central_system.HANDLERS


def boots_with_company(action: str, payload: Payload, *, whenever: str) -> Plant:
    """The Charge Point sends another request beside its BootNotification.req: before it, or after a refusal."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        call = Peer.call

        async def call_more(self: Peer, asked: str, asked_payload: Payload, **more: bool) -> Payload:
            boots = self.party == "Charge Point" and asked == "BootNotification"
            if boots and whenever == "before":
                with suppress(CallFailed):
                    await call(self, action, payload)
            conf = await call(self, asked, asked_payload, **more)
            if boots and conf["status"] == whenever:
                with suppress(CallFailed):
                    await call(self, action, payload)
            return conf

        patch.setattr(Peer, "call", call_more)

    return plant


def asks_who_is_refused(patch: pytest.MonkeyPatch) -> None:
    """The Central System reads the configuration of a Charge Point that it has just rejected."""
    answer = CentralSystem._answer

    async def answer_and_ask(self: CentralSystem, identity: str, call: Any) -> Payload:
        conf = await answer(self, identity, call)
        return conf

    patch.setattr(CentralSystem, "_answer", answer_and_ask)


def beats_without_a_turn(patch: pytest.MonkeyPatch) -> None:
    """A Heartbeat.req does not wait for the answer to another request."""

    class NoTurn:
        async def __aenter__(self) -> None: ...

        async def __aexit__(self, *_: object) -> None: ...

    call = Peer.call

    async def call_at_once(self: Peer, action: str, payload: Payload, **more: bool) -> Payload:
        if self.party != "Charge Point" or action != "StatusNotification" or payload["connectorId"] != 1:
            return await call(self, action, payload, **more)
        _, text = self.session.call("Heartbeat", {})
        self.session.give_up()
        await self.send_text(text)
        return await call(self, action, payload, **more)

    patch.setattr(Peer, "call", call_at_once)


def contradicts_an_upload(patch: pytest.MonkeyPatch) -> None:
    """After a file was Uploaded it says that this has failed."""
    tell = FirmwareManagement._tell_upload

    async def tell_more(self: FirmwareManagement, task: Any, status: str) -> None:
        await tell(self, task, status)
        if status == "Uploaded":
            await tell(self, task, "UploadFailed" if task["requestId"] is None else "UploadFailure")

    patch.setattr(FirmwareManagement, "_tell_upload", tell_more)


def is_idle_after_an_upload(patch: pytest.MonkeyPatch) -> None:
    """After an upload it says that it is idle, unasked."""
    tell = FirmwareManagement._tell_upload

    async def tell_more(self: FirmwareManagement, task: Any, status: str) -> None:
        await tell(self, task, status)
        if status == "Uploaded":
            await tell(self, task, "Idle")

    patch.setattr(FirmwareManagement, "_tell_upload", tell_more)


def queue_is_a_stack(patch: pytest.MonkeyPatch) -> None:
    """Meter values of a transaction overtake what was queued before them."""
    add = ChargePoint.queue_message

    def add_in_front(self: ChargePoint, action: str, payload: Payload, stored: Any) -> None:
        add(self, action, payload, stored)
        waiting = self.memory.queue
        if action == "MeterValues" and len(waiting) > 2:
            waiting.insert(1, waiting.pop())

    patch.setattr(ChargePoint, "queue_message", add_in_front)


def presents_twice(patch: pytest.MonkeyPatch) -> None:
    """Whoever presents an idTag is asked about twice."""
    present = ChargePoint.present

    async def present_and_ask(self: ChargePoint, id_tag: str, connector: int | None = None) -> None:
        await present(self, id_tag, connector)
        self.spawn(_ask_again(self, id_tag))

    patch.setattr(ChargePoint, "present", present_and_ask)


async def _ask_again(charge_point: ChargePoint, id_tag: str) -> None:
    await asyncio.sleep(1)
    with suppress(CallFailed):
        await charge_point.request("Authorize", {"idTag": id_tag})


def ids_are_used_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bench.run, "counted_ids", lambda of: repeat("1") if of == "CP" else counted_ids(of))


def lists_twice(request: Payload) -> Payload:
    entries = request.get("localAuthorizationList", [])
    return request | {"localAuthorizationList": [*entries, *entries[:1]]} if entries else request


def hour_late(conf: Payload) -> Payload:
    return conf | {"currentTime": "2031-05-13T07:00:00.000Z"}


MUTANTS = [
    Mutant(
        "a heartbeat is not answered", "Central System", "OCPP 1.6 4.6", never_answers("Heartbeat"), "TC_011_2_CSMS"
    ),
    Mutant(
        "meter values are called by a measurand that there is not",
        "Charge Point",
        "OCPP 1.6 7.31",
        queues(
            "StartTransaction",
            lambda payload: payload | {"meterStart": float(payload["meterStart"]) + 0.5},
        ),
        "TC_003_CS",
    ),
    Mutant(
        "a status is reported while the registration is Pending",
        "Charge Point",
        "OCPP 1.6 4.2",
        boots_with_company("Heartbeat", {}, whenever="Pending"),
        "TC_002_CS",
    ),
    Mutant(
        "a heartbeat is sent before the Charge Point has booted",
        "Charge Point",
        "OCPP 1.6 4.2",
        boots_with_company("Heartbeat", {}, whenever="before"),
        "TC_013_CS",
    ),
    Mutant(
        "it says Idle after an upload, which nobody asked for",
        "Charge Point",
        "OCPP 1.6 4.4",
        is_idle_after_an_upload,
        "TC_045_1_CS",
        is_remarked=True,
    ),
    Mutant("an upload that has ended well fails", "Charge Point", "OCPP 1.6 4.4", contradicts_an_upload, "TC_045_1_CS"),
    Mutant(
        "the clock of the Central System is an hour late",
        "Central System",
        "OCPP 1.6 4.6",
        answers(CSMS, "Heartbeat", hour_late),
        "TC_011_2_CSMS",
        is_remarked=True,
    ),
    Mutant("every request bears the same unique id", "Charge Point", "OCPP-J 4.1.4", ids_are_used_again, "TC_003_CS"),
    Mutant(
        "a heartbeat does not wait for its turn",
        "Charge Point",
        "OCPP-J 4.1.1",
        beats_without_a_turn,
        "TC_003_CS",
        is_remarked=True,
    ),
    Mutant("meter values overtake what is queued", "Charge Point", "OCPP 1.6 3.7", queue_is_a_stack, "TC_036_CS"),
    Mutant(
        "a list has an idTag twice",
        "Central System",
        "OCPP 1.6 6.41",
        asks("SendLocalList", lists_twice),
        "TC_043_1_CSMS",
    ),
    Mutant("an idTag is asked about twice", "Charge Point", "OCPP 1.6 4.1", presents_twice, "TC_003_CS"),
]
