"""Faults of which no sentence speaks: what holds in every test case finds them alone."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import chain, repeat
from typing import Any

import pytest

from bench.mutants import Mutant, Plant
from bench.mutants.planting import answers, asks, never_answers, queues
from ocppj.clock import parse_timestamp, timestamp
from ocppj.errors import CallFailed
from ocppj.frames import Call, Payload
from ocppj.peer import Peer
from ocppj.session import Session
from reference_csms import central_system
from reference_csms.central_system import CentralSystem
from simulator.charge_point import ChargePoint, _SilentWhileRejected
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


def answers_while_rejected(patch: pytest.MonkeyPatch) -> None:
    """A Charge Point that is Rejected answers a Central System that asks nevertheless."""
    send = Peer.send_text

    async def send_and_ask(self: Peer, text: str) -> None:
        await send(self, text)
        if self.party == "Central System" and '"status":"Rejected"' in text.replace(" ", ""):
            task = asyncio.create_task(_ask(self))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    patch.setattr(Peer, "send_text", send_and_ask)
    patch.setattr(_SilentWhileRejected, "take", lambda self, action: self._charge_point.script.take(action))


async def _ask(peer: Peer) -> None:
    with suppress(CallFailed):
        await peer.call("GetConfiguration", {})


def beats_without_a_turn(patch: pytest.MonkeyPatch) -> None:
    """A Heartbeat.req does not wait for the answer to another request."""
    call = Peer.call

    async def call_at_once(self: Peer, action: str, payload: Payload, **more: bool) -> Payload:
        if self.party != "Charge Point" or action != "StatusNotification" or payload["connectorId"] != 1:
            return await call(self, action, payload, **more)
        _, text = self.session.call("Heartbeat", {})
        self.session.give_up()
        await self.send_text(text)
        return await call(self, action, payload, **more)

    patch.setattr(Peer, "call", call_at_once)


def tells_more_of_an_upload(of_diagnostics: str, of_log: str) -> Plant:
    """After a file was Uploaded the Charge Point tells one more status, whatever kind of file it was."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        tell = FirmwareManagement._tell_upload

        async def tell_more(self: FirmwareManagement, task: Any, status: str) -> None:
            await tell(self, task, status)
            if status == "Uploaded":
                await tell(self, task, of_diagnostics if task["requestId"] is None else of_log)

        patch.setattr(FirmwareManagement, "_tell_upload", tell_more)

    return plant


def in_local_time(payload: Payload) -> Payload:
    """The clock on the wall, two hours behind, and called UTC."""
    return payload | {"timestamp": timestamp(parse_timestamp(payload["timestamp"]) - timedelta(hours=2))}


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
    """The ids of a Charge Point do not count on."""
    begin = Session.__init__

    def begin_anew(self: Session, unique_ids: Iterator[str]) -> None:
        first = next(unique_ids)
        begin(self, repeat(first) if first.startswith("CP") else chain([first], unique_ids))

    patch.setattr(Session, "__init__", begin_anew)


def answers_twice(patch: pytest.MonkeyPatch) -> None:
    """To be on the safe side a Charge Point sends every answer once more."""
    send = Peer._send_quietly

    async def send_twice(self: Peer, text: str) -> None:
        await send(self, text)
        if self.party == "Charge Point":
            await send(self, text)

    patch.setattr(Peer, "_send_quietly", send_twice)


def confirms_with(action: str, **fields: object) -> Plant:
    """A party adds fields to a .conf that its schema does not have."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        respond = Session.respond

        def respond_more(self: Session, call: Call, payload: Payload) -> str:
            return respond(self, call, payload | fields if call.action == action else payload)

        patch.setattr(Session, "respond", respond_more)

    return plant


def lists_service_twice(request: Payload) -> Payload:
    """The idTag of the service is put on every list for each of two reasons."""
    service = {"idTag": "SERVICE", "idTagInfo": {"status": "Accepted"}}
    return request | {"localAuthorizationList": [*request.get("localAuthorizationList", []), service, service]}


def hour_late(conf: Payload) -> Payload:
    told = parse_timestamp(conf["currentTime"]) - timedelta(hours=1)
    return conf | {"currentTime": timestamp(told)}


def provides_a_relative_profile_that_recurs(patch: pytest.MonkeyPatch) -> None:
    """Whoever has booted gets a charging profile: Relative, and every day."""
    answer = CentralSystem._answer
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "recurrencyKind": "Daily",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
        },
    }

    async def set_profile(self: CentralSystem, identity: str) -> None:
        with suppress(CallFailed):
            await self.request(identity, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile})

    async def answer_and_provide(self: CentralSystem, identity: str, call: Call) -> Payload:
        conf = await answer(self, identity, call)
        if call.action == "BootNotification":
            task = asyncio.create_task(set_profile(self, identity))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return conf

    patch.setattr(CentralSystem, "_answer", answer_and_provide)


MUTANTS = [
    Mutant(
        "a heartbeat is not answered",
        "Central System",
        "OCPP 1.6 4.6",
        never_answers("Heartbeat"),
        "TC_004_2_CSMS TC_011_2_CSMS TC_047_CSMS",
    ),
    Mutant(
        "every answer is sent twice", "Charge Point", "OCPP-J 4.1.1", answers_twice, "TC_013_CS TC_043_CS TC_052_CS"
    ),
    Mutant(
        "the Central System tells its name in Heartbeat.conf",
        "Central System",
        "OCPP 1.6 6.30",
        confirms_with("Heartbeat", name="ours"),
        "TC_004_2_CSMS TC_011_2_CSMS TC_047_CSMS",
    ),
    Mutant(
        "a heartbeat is sent while the registration is Pending",
        "Charge Point",
        "OCPP 1.6 4.2",
        boots_with_company("Heartbeat", {}, whenever="Pending"),
        "TC_002_CS",
    ),
    Mutant(
        "whoever is Rejected answers all the same",
        "Charge Point",
        "OCPP 1.6 4.2",
        answers_while_rejected,
        "TC_001_CS",
    ),
    Mutant(
        "a heartbeat is sent before the Charge Point has booted",
        "Charge Point",
        "OCPP 1.6 4.2",
        boots_with_company("Heartbeat", {}, whenever="before"),
        "TC_013_CS TC_014_CS",
    ),
    Mutant(
        "diagnostics that are Uploaded are told as Idle, unasked",
        "Charge Point",
        "OCPP 1.6 4.4",
        tells_more_of_an_upload("Idle", "Idle"),
        "TC_045_1_CS",
        is_remarked=True,
    ),
    Mutant(
        "diagnostics that are Uploaded are told as UploadFailed after it",
        "Charge Point",
        "OCPP 1.6 4.4",
        tells_more_of_an_upload("UploadFailed", "UploadFailure"),
        "TC_045_1_CS",
    ),
    Mutant(
        "the clock of the Central System is an hour late",
        "Central System",
        "OCPP 1.6 4.6",
        answers(CSMS, "Heartbeat", hour_late),
        "TC_001_CSMS TC_004_2_CSMS TC_011_2_CSMS",
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
    Mutant(
        "the end of a transaction is told in local time",
        "Charge Point",
        "OCPP 1.6 6.49",
        queues("StopTransaction", in_local_time),
        "TC_012_CS TC_068_CS TC_005_1_CS TC_069_CS",
    ),
    Mutant(
        "a charging profile that is Relative and recurs is set after every boot",
        "Central System",
        "OCPP 1.6 7.8",
        provides_a_relative_profile_that_recurs,
        "TC_003_CSMS TC_010_CSMS",
    ),
    Mutant(
        "the idTag of the service is on every list twice",
        "Central System",
        "OCPP 1.6 6.41",
        asks("SendLocalList", lists_service_twice),
        "TC_043_1_CSMS TC_043_3_CSMS TC_043_4_CSMS",
    ),
    Mutant(
        "an idTag is asked about twice",
        "Charge Point",
        "OCPP 1.6 4.1",
        presents_twice,
        "TC_003_CS TC_004_1_CS TC_023_4_CS",
    ),
]
