"""How a fault is put into one of our parties: what mutants of several profiles have in common.

All of it is undone with the patch. A change of a payload is a function from what would be sent to what is sent instead.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bench.mutants import Mutant, Plant
from ocppj.errors import Refused
from ocppj.frames import Call, Payload
from ocppj.transcript import Party
from reference_csms import central_system
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store
from simulator import file_transfer, firmware_management
from simulator.charge_point import ChargePoint
from simulator.connector import Connector
from simulator.firmware_management import FirmwareManagement

Change = Callable[[Payload], Payload]
Handlers = dict[str, Callable[..., Payload]]


def mutants_of(party: Party, clause: str, faults: Mapping[str, tuple[Plant, str]]) -> list[Mutant]:
    """Several faults of a party that break one clause: name -> how it is planted, and the ids of the cases it kills."""
    return [Mutant(name, party, clause, plant, kills) for name, (plant, kills) in faults.items()]


def _has(payload: Payload, fields: Mapping[str, object]) -> bool:
    return all(payload.get(name) == value for name, value in fields.items())


def with_fields(**fields: object) -> Change:
    """Other values; ``...`` leaves a field out."""
    return lambda payload: {name: value for name, value in {**payload, **fields}.items() if value is not ...}


def instead(status: str) -> Change:
    """Another status."""
    return with_fields(status=status)


def where(change: Change, **fields: object) -> Change:
    """A change of those payloads alone that have these values."""

    def changed(payload: Payload) -> Payload:
        return change(payload) if _has(payload, fields) else payload

    return changed


def together(*plants: Plant) -> Plant:
    """Several faults at once."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        for each in plants:
            each(patch)

    return plant


def answers(handlers: Handlers, action: str, change: Change, **fields: object) -> Plant:
    """A party does as it is asked and answers otherwise, if the request has these values."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        handle = handlers[action]

        def handled(party: Any, request: Payload) -> Payload:
            conf = handle(party, request)
            return change(conf) if _has(request, fields) else conf

        patch.setitem(handlers, action, handled)

    return plant


def only_answers(handlers: Handlers, action: str, conf: Mapping[str, object]) -> Plant:
    """A party answers and does nothing."""
    return lambda patch: patch.setitem(handlers, action, lambda *_: dict(conf))


def refuses(handlers: Handlers, action: str, **fields: object) -> Plant:
    """A party answers with a CALLERROR, if the request has these values."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        handle = handlers[action]

        def handled(party: Any, request: Payload) -> Payload:
            if _has(request, fields):
                raise Refused("InternalError")
            return handle(party, request)

        patch.setitem(handlers, action, handled)

    return plant


def refuses_instead(handlers: Handlers, action: str, status: str, error_code: str) -> Plant:
    """A party answers with a CALLERROR where the .conf has a status for it."""

    def refuse(conf: Payload) -> Payload:
        if conf["status"] == status:
            raise Refused(error_code)
        return conf

    return answers(handlers, action, refuse)


# The Central System


def asks(action: str, change: Change) -> Plant:
    """The Central System sends a request with another payload."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = CentralSystem.request

        async def request(self: CentralSystem, identity: str, asked: str, payload: Payload, **more: bool) -> Payload:
            return await ordinary(self, identity, asked, change(payload) if asked == action else payload, **more)

        patch.setattr(CentralSystem, "request", request)

    return plant


def asks_wrongly(action: str, change: Change, **fields: object) -> Plant:
    """The same, of requests that have these values, with what its own checks would keep it from."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = CentralSystem.request

        async def request(self: CentralSystem, identity: str, asked: str, payload: Payload, **more: bool) -> Payload:
            if asked != action or not _has(payload, fields):
                return await ordinary(self, identity, asked, payload, **more)
            return await ordinary(self, identity, asked, change(payload), wrong=True)

        patch.setattr(CentralSystem, "request", request)

    return plant


def asks_not(action: str) -> Plant:
    """The Central System does not send a request, and takes it for sent."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = CentralSystem.request

        async def request(self: CentralSystem, identity: str, asked: str, payload: Payload, **more: bool) -> Payload:
            return {} if asked == action else await ordinary(self, identity, asked, payload, **more)

        patch.setattr(CentralSystem, "request", request)

    return plant


def never_answers(action: str) -> Plant:
    """The Central System leaves a request without an answer."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = CentralSystem._answer

        async def answer(self: CentralSystem, identity: str, call: Call) -> Payload:
            if call.action == action:
                await asyncio.Event().wait()
            return await ordinary(self, identity, call)

        patch.setattr(CentralSystem, "_answer", answer)

    return plant


def asks_again(status: str, action: str | None = None) -> Plant:
    """The Central System sends a request (of an action) once more when the .conf has a status."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = CentralSystem.request

        async def request(self: CentralSystem, identity: str, asked: str, payload: Payload, **more: bool) -> Payload:
            conf = await ordinary(self, identity, asked, payload, **more)
            if action in (None, asked) and conf.get("status") == status:
                await ordinary(self, identity, asked, payload, **more)
            return conf

        patch.setattr(CentralSystem, "request", request)

    return plant


def says_of(id_tag: str | None, judged: str, answered: str) -> Plant:
    """The Central System answers one AuthorizationStatus for another, of an idTag or of all."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        judge = Store.id_tag_info

        def id_tag_info(store: Store, presented: str) -> Payload:
            info = judge(store, presented)
            concerns = id_tag in (None, presented) and info["status"] == judged
            return info | {"status": answered} if concerns else info

        patch.setattr(Store, "id_tag_info", id_tag_info)

    return plant


def refuses_reports_of(status: str) -> Plant:
    """The Central System answers a StatusNotification.req of a status with a CALLERROR."""
    return refuses(central_system.HANDLERS, "StatusNotification", status=status)


# The Charge Point


def is_silent_about(status: str) -> Plant:
    """The Charge Point reports every status of a connector but one."""
    return is_silent_where(lambda _, connector: connector.status == status)


def is_silent_where(holds: Callable[[ChargePoint, Connector], bool]) -> Plant:
    """The Charge Point does not report a change of status for which this holds."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        tell = ChargePoint._tell

        def tell_less(self: ChargePoint, connector: Connector) -> None:
            if not holds(self, connector):
                tell(self, connector)

        patch.setattr(ChargePoint, "_tell", tell_less)

    return plant


def reports(change: Change) -> Plant:
    """The Charge Point sends a StatusNotification.req with another payload."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        notice = ChargePoint._notice

        def notice_changed(self: ChargePoint, connector: Connector, after: int) -> Any:
            made = notice(self, connector, after)
            made.payload = change(made.payload)
            return made

        patch.setattr(ChargePoint, "_notice", notice_changed)

    return plant


def tells(change: Change) -> Plant:
    """The Charge Point reports a change of status with another payload, and after a boot what is right."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        tell = ChargePoint._tell

        def tell_changed(self: ChargePoint, connector: Connector) -> None:
            tell(self, connector)
            self._notices[-1].payload = change(self._notices[-1].payload)

        patch.setattr(ChargePoint, "_tell", tell_changed)

    return plant


def reports_after_a_boot(change: Change) -> Plant:
    """The Charge Point sends the first StatusNotification.req about each connector with another payload."""
    return _reports_when_connected(change, again=False)


def reports_after_a_reconnection(change: Change) -> Plant:
    """The Charge Point tells with another payload what has changed while it was offline."""
    return _reports_when_connected(change, again=True)


def _reports_when_connected(change: Change, *, again: bool) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        notice = ChargePoint._notice

        def notice_changed(self: ChargePoint, connector: Connector, after: int) -> Any:
            made = notice(self, connector, after)
            if not self._delivers and bool(self._told) == again:
                made.payload = change(made.payload)
            return made

        patch.setattr(ChargePoint, "_notice", notice_changed)

    return plant


def queues(action: str, change: Change) -> Plant:
    """The Charge Point sends a transaction message with another payload."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        queue = ChargePoint.queue_message

        def queue_changed(self: ChargePoint, queued: str, payload: Payload, *more: Any) -> None:
            queue(self, queued, change(payload) if queued == action else payload, *more)

        patch.setattr(ChargePoint, "queue_message", queue_changed)

    return plant


# Files


def notifies(action: str, status: str, instead: str | None) -> Plant:
    """The Charge Point tells one status of a file for another, or, for None, does not tell it."""
    return notifies_with(action, lambda payload: with_fields(status=instead)(payload) if instead else None, status)


def notifies_with(action: str, change: Callable[[Payload], Payload | None], status: str | None = None) -> Plant:
    """The Charge Point tells of a file with another payload, or, for None, does not; of one status or of all."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        tell = FirmwareManagement._tell

        async def tell_changed(self: FirmwareManagement, told: str, payload: Payload) -> None:
            concerns = told == action and status in (None, payload["status"])
            if (changed := change(payload) if concerns else payload) is not None:
                await tell(self, told, changed)

        patch.setattr(FirmwareManagement, "_tell", tell_changed)

    return plant


def downloads_nothing(patch: pytest.MonkeyPatch) -> None:
    """The Charge Point has its firmware from elsewhere."""

    async def download(*_: object, **__: object) -> bytes:
        return firmware_management.firmware_image("1.1.0")

    patch.setattr(firmware_management, "download", download)


def uploads(edit: Callable[[bytes], bytes | None]) -> Plant:
    """The Charge Point uploads something else, or, for None, nothing."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = file_transfer.upload

        async def upload(location: str, name: str, content: bytes, **more: Any) -> None:
            if (edited := edit(content)) is not None:
                await ordinary(location, name, edited, **more)

        patch.setattr(firmware_management, "upload", upload)

    return plant


def stays_unavailable(patch: pytest.MonkeyPatch) -> None:
    """The Charge Point keeps its connectors Unavailable after an installation."""
    power_down = FirmwareManagement.power_down

    def forgetful(self: FirmwareManagement) -> None:
        holds = self.holds_connectors
        power_down(self)
        self.holds_connectors = holds

    patch.setattr(FirmwareManagement, "power_down", forgetful)
