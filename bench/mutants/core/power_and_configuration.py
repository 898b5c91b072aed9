"""Faults about resets, power cuts, lost connections, faults of the hardware, locks and configuration keys."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from bench.mutants import Mutant, Plant
from bench.mutants.planting import (
    Change,
    answers,
    asks,
    asks_again,
    asks_not,
    instead,
    is_silent_about,
    is_silent_where,
    only_answers,
    queues,
    refuses_instead,
    refuses_reports_of,
    reports,
    reports_after_a_boot,
    reports_after_a_reconnection,
    says_of,
    tells,
    together,
    where,
    with_fields,
)
from ocppj.clock import parse_timestamp
from ocppj.errors import Refused
from ocppj.frames import Payload
from reference_csms import central_system
from reference_csms.store import Store, View
from simulator import charging_session, transaction
from simulator.authorization import Authorization
from simulator.charge_point import ChargePoint
from simulator.configuration import Configuration, Key
from simulator.connector import Connector, Event
from simulator.core import HANDLERS
from simulator.memory import Memory, QueuedMessage, StoredTransaction
from simulator.transaction import Queue

CSMS = central_system.HANDLERS


def gives_another_reason(reason: str, wrong: str) -> Plant:
    return queues("StopTransaction", where(with_fields(reason=wrong), reason=reason))


# Resets and power


def resets(kind: str, otherwise: Callable[[ChargePoint, Callable[[str], Awaitable[None]]], Awaitable[None]]) -> Plant:
    """A reset of one kind is done otherwise by a function that is given the ordinary ways to do one."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        reset = ChargePoint._reset

        async def reset_otherwise(self: ChargePoint, asked: str) -> None:
            await (otherwise(self, partial(reset, self)) if asked == kind else reset(self, asked))

        patch.setattr(ChargePoint, "_reset", reset_otherwise)

    return plant


async def hard(_: ChargePoint, reset: Callable[[str], Awaitable[None]]) -> None:
    await reset("Hard")


async def stop_first(it: ChargePoint, reset: Callable[[str], Awaitable[None]]) -> None:
    await it._stop_transactions("HardReset")
    await reset("Hard")


async def only_stop(it: ChargePoint, _: object) -> None:
    await it._stop_transactions("SoftReset")
    it._resetting = False


async def only_reconnect(it: ChargePoint, _: object) -> None:
    it.reconnect()
    it._resetting = False


def forgets_availability(patch: pytest.MonkeyPatch) -> None:
    start = ChargePoint._start

    def start_anew(self: ChargePoint, reason: str, delay: float) -> None:
        self.memory.availability.clear()
        start(self, reason, delay)

    patch.setattr(ChargePoint, "_start", start_anew)


def forgets_availability_once_it_is_told(patch: pytest.MonkeyPatch) -> None:
    talk = ChargePoint._talk

    async def forget(charge_point: ChargePoint) -> None:
        await charge_point.wait_told()
        charge_point.memory.availability.clear()
        charge_point.settle_availability()

    async def talk_and_forget(self: ChargePoint, peer: Any) -> None:
        if not self._told:  # it has booted
            self.spawn(forget(self))
        await talk(self, peer)

    patch.setattr(ChargePoint, "_talk", talk_and_forget)


def remembers_availability_too_late(patch: pytest.MonkeyPatch) -> None:
    reports_after_a_boot(instead("Available"))(patch)
    talk = ChargePoint._talk

    async def remember(charge_point: ChargePoint) -> None:
        await charge_point.wait_told()
        for connector in (charge_point.whole, *charge_point.connectors.values()):
            if connector.status != "Available":
                charge_point.tell_again(connector)

    async def talk_and_remember(self: ChargePoint, peer: Any) -> None:
        if not self._told:  # it has booted
            self.spawn(remember(self))
        await talk(self, peer)

    patch.setattr(ChargePoint, "_talk", talk_and_remember)


def does_not_notice_cables(patch: pytest.MonkeyPatch) -> None:
    def start(self: ChargePoint, connector: Connector) -> None:
        connector.unlock()
        if not self.is_operative(connector):
            connector.happens(Event.WITHDRAWN)

    patch.setattr(ChargePoint, "_start_connector", start)


def is_preparing_itself_at_a_boot(patch: pytest.MonkeyPatch) -> None:
    report = ChargePoint.report

    def report_the_cable(self: ChargePoint, connector: Connector) -> Payload:
        is_first = not (self._delivers or self._told)
        has_cable = connector is self.whole and any(each.is_occupied for each in self.connectors.values())
        return report(self, connector) | ({"status": "Preparing"} if is_first and has_cable else {})

    patch.setattr(ChargePoint, "report", report_the_cable)


def does_not_use_backup_power(patch: pytest.MonkeyPatch) -> None:
    lose_power = ChargePoint.lose_power

    async def lose_at_once(self: ChargePoint) -> None:
        self.backup_power = False
        await lose_power(self)

    patch.setattr(ChargePoint, "lose_power", lose_at_once)


def forgets_interrupted_transactions(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transaction, "stop_interrupted", lambda *_: None)


def resumes_transactions(patch: pytest.MonkeyPatch) -> None:
    """After a power cut, which a product may: nothing is wrong with that."""
    start = ChargePoint._start

    def start_and_resume(self: ChargePoint, reason: str, delay: float) -> None:
        running = [stored for stored in self.memory.transactions if not stored["ended"]]
        for stored in running:
            stored["ended"] = True
        start(self, reason, delay)
        for stored in running:
            stored["ended"] = False
            connector = self.connectors[stored["connector"]]
            connector.transaction = stored
            connector.lock()
            connector.adjust_energy()

    patch.setattr(ChargePoint, "_start", start_and_resume)


def refuses_unusual_reasons(patch: pytest.MonkeyPatch) -> None:
    stop = CSMS["StopTransaction"]

    def stop_if_usual(store: View, request: Payload) -> Payload:
        if request.get("reason", "Local") not in ("Local", "Remote", "EVDisconnected"):
            raise Refused("PropertyConstraintViolation")
        return stop(store, request)

    patch.setitem(CSMS, "StopTransaction", stop_if_usual)


def is_pending_when_it_boots_again(patch: pytest.MonkeyPatch) -> None:
    boot = CSMS["BootNotification"]

    def boot_anew(store: View, request: Payload) -> Payload:
        store.charge_point.registration_status = "Pending" if store.charge_point.accepted else "Accepted"
        return boot(store, request)

    patch.setitem(CSMS, "BootNotification", boot_anew)


# Without connection


def queues_less(action: str) -> Plant:
    """What would be queued while offline is not."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        queue = ChargePoint.queue_message

        def queue_online(self: ChargePoint, name: str, payload: Payload, stored: StoredTransaction | None) -> None:
            if name != action or self.is_online:
                queue(self, name, payload, stored)

        patch.setattr(ChargePoint, "queue_message", queue_online)

    return plant


def keeps_one_sample_of_two(patch: pytest.MonkeyPatch) -> None:
    queue = ChargePoint.queue_message

    def queue_others(self: ChargePoint, name: str, payload: Payload, stored: StoredTransaction | None) -> None:
        kept = [message["action"] for message in self.memory.queue].count("MeterValues")
        if name != "MeterValues" or kept % 2 == 0:
            queue(self, name, payload, stored)

    patch.setattr(ChargePoint, "queue_message", queue_others)


def sends_the_newest_first(patch: pytest.MonkeyPatch) -> None:
    def newest(queue: Queue) -> QueuedMessage | None:
        return queue._memory.queue[-1] if queue._memory.queue else None

    def remove_newest(queue: Queue) -> None:
        del queue._memory.queue[-1]
        queue.done += 1

    patch.setattr(Queue, "first", property(newest))
    patch.setattr(Queue, "remove_first", remove_newest)


def sends_what_is_new_before_what_it_kept(patch: pytest.MonkeyPatch) -> None:
    sends_the_newest_first(patch)
    talk = ChargePoint._talk

    async def talk_and_wait(self: ChargePoint, peer: Any) -> None:
        if self._told:  # it has only been offline
            interval = self.configuration.number("MeterValueSampleInterval")
            self.queue.retry_at = asyncio.get_running_loop().time() + interval + 10
        await talk(self, peer)

    patch.setattr(ChargePoint, "_talk", talk_and_wait)


def boots_on_every_connection(patch: pytest.MonkeyPatch) -> None:
    connect = ChargePoint._one_connection

    async def connect_anew(self: ChargePoint) -> bool:
        self.registration = None
        return await connect(self)

    patch.setattr(ChargePoint, "_one_connection", connect_anew)


def tells_nothing_after_a_reconnection(patch: pytest.MonkeyPatch) -> None:
    talk = ChargePoint._talk

    async def talk_of_what_comes(self: ChargePoint, peer: Any) -> None:
        for number in self._told:
            connector = self.connectors.get(number, self.whole)
            self._told[number] = (connector.status, connector.error_code)
        await talk(self, peer)

    patch.setattr(ChargePoint, "_talk", talk_of_what_comes)


def lets_nobody_start_offline(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Authorization, "_offline_opinion", lambda *_: None)


def takes_stop_on_invalid_id_for(value: str) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        invalidate = transaction._invalidate

        async def invalidate_so(charge_point: ChargePoint, connector: Connector, stored: StoredTransaction) -> None:
            charge_point.configuration.set("StopTransactionOnInvalidId", value)
            await invalidate(charge_point, connector, stored)

        patch.setattr(transaction, "_invalidate", invalidate_so)

    return plant


def sends_of_the_queue(action: str, change: Change) -> Plant:
    """A message that may have waited goes out with another payload, its transactionId included."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        wire_payload = transaction.wire_payload

        def changed(memory: Memory, message: QueuedMessage) -> Payload:
            payload = wire_payload(memory, message)
            return change(payload) if message["action"] == action else payload

        patch.setattr(transaction, "wire_payload", changed)

    return plant


def refuses_late_starts(patch: pytest.MonkeyPatch) -> None:
    start = CSMS["StartTransaction"]

    def start_if_new(store: View, request: Payload) -> Payload:
        if datetime.now(UTC) - parse_timestamp(request["timestamp"]) > timedelta(seconds=10):
            raise Refused("PropertyConstraintViolation")
        return start(store, request)

    patch.setitem(CSMS, "StartTransaction", start_if_new)


def refuses_id_tags_that_nobody_asked_about(patch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Store, str]] = []
    authorize, start = CSMS["Authorize"], CSMS["StartTransaction"]

    def note(store: View, request: Payload) -> Payload:
        asked.append((store.shared, request["idTag"]))
        return authorize(store, request)

    def judge(store: View, request: Payload) -> Payload:
        conf = start(store, request)
        is_asked = any(each is store.shared and id_tag == request["idTag"] for each, id_tag in asked)
        return conf if is_asked else conf | {"idTagInfo": {"status": "Invalid"}}

    patch.setitem(CSMS, "Authorize", note)
    patch.setitem(CSMS, "StartTransaction", judge)


# Faults and locks


def does_not_watch_the_lock(patch: pytest.MonkeyPatch) -> None:
    lock = Connector.lock

    def lock_anyway(self: Connector) -> bool:
        self.cannot_lock = False
        return lock(self)

    patch.setattr(Connector, "lock", lock_anyway)


def knows_one_fault(patch: pytest.MonkeyPatch) -> None:
    break_down = Connector.break_down
    patch.setattr(Connector, "break_down", lambda self, _: break_down(self, "OtherError"))


def charges_in_spite_of_a_fault(patch: pytest.MonkeyPatch) -> None:
    can_start = charging_session.can_start

    def can_start_anyway(charge_point: ChargePoint, connector: Connector) -> bool:
        fault, connector.fault = connector.fault, None
        try:
            return can_start(charge_point, connector)
        finally:
            connector.fault = fault

    patch.setattr(charging_session, "can_start", can_start_anyway)


def goes_on_when_unlocked(patch: pytest.MonkeyPatch) -> None:
    stop = transaction.stop

    def stop_but(charge_point: ChargePoint, connector: Connector, reason: str, **more: Any) -> None:
        if reason != "UnlockCommand":
            stop(charge_point, connector, reason, **more)

    patch.setattr(transaction, "stop", stop_but)


# Who may charge


def accepts_whoever_is_refused(patch: pytest.MonkeyPatch) -> None:
    ask = Authorization.ask

    async def ask_in_vain(self: Authorization, id_tag: str) -> Payload | None:
        return await ask(self, id_tag) or {"status": "Accepted"}

    patch.setattr(Authorization, "ask", ask_in_vain)


def reports_a_start_for_whoever_was_refused(patch: pytest.MonkeyPatch) -> None:
    """When the cable comes, no energy flows, and yet there is a StartTransaction.req."""
    ask, plugged = Authorization.ask, charging_session.plugged
    refused: WeakKeyDictionary[ChargePoint, str] = WeakKeyDictionary()

    async def ask_and_note(self: Authorization, id_tag: str) -> Payload | None:
        info = await ask(self, id_tag)
        if info is None:
            refused[self._charge_point] = id_tag
        return info

    def plugged_and_told(charge_point: ChargePoint, connector: Connector) -> None:
        if (id_tag := refused.pop(charge_point, None)) is not None:
            start = {"connectorId": connector.number, "idTag": id_tag, "meterStart": connector.meter.whole_register}
            charge_point.queue_message("StartTransaction", start | {"timestamp": charge_point.timestamp()}, None)
        plugged(charge_point, connector)

    patch.setattr(Authorization, "ask", ask_and_note)
    patch.setattr(charging_session, "plugged", plugged_and_told)


def rejects_a_remote_start_without_cable(patch: pytest.MonkeyPatch) -> None:
    start = HANDLERS["RemoteStartTransaction"]

    def start_and_say_otherwise(charge_point: ChargePoint, request: Payload) -> Payload:
        conf = start(charge_point, request)
        connector = charge_point.connectors.get(request.get("connectorId", 0))
        return conf if connector and connector.is_occupied else {"status": "Rejected"}

    patch.setitem(HANDLERS, "RemoteStartTransaction", start_and_say_otherwise)


# Configuration


def describes(name: str, change: Callable[[Payload], Payload | None]) -> Plant:
    """GetConfiguration.conf tells otherwise of a key, or with None nothing."""

    def change_one(conf: Payload) -> Payload:
        told = [change(entry) if entry["key"] == name else entry for entry in conf["configurationKey"]]
        return conf | {"configurationKey": [entry for entry in told if entry is not None]}

    return answers(HANDLERS, "GetConfiguration", change_one)


def has_no(name: str) -> Plant:
    """It is a boolean key, and what it switches is not there either."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        make, flag = Configuration.__init__, Configuration.flag

        def make_without(self: Configuration, keys: list[Key], memory: Memory) -> None:
            make(self, [key for key in keys if key.name != name], memory)

        patch.setattr(Configuration, "__init__", make_without)
        patch.setattr(Configuration, "flag", lambda self, asked: flag(self, asked) if asked != name else False)

    return plant


def reports_all_keys_at_any_time(patch: pytest.MonkeyPatch) -> None:
    get = HANDLERS["GetConfiguration"]
    patch.setitem(HANDLERS, "GetConfiguration", lambda charge_point, _: get(charge_point, {}))


def reports_ten_keys_of_those_asked_for(patch: pytest.MonkeyPatch) -> None:
    get = HANDLERS["GetConfiguration"]

    def get_some(charge_point: ChargePoint, request: Payload) -> Payload:
        return get(charge_point, {"key": request["key"][:10]} if "key" in request else request)

    patch.setitem(HANDLERS, "GetConfiguration", get_some)


def no_way_back(keeps: bool) -> Plant:
    """A key that gets its default back: the change is not made and Accepted, or made and Rejected."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        change = Configuration.change

        def change_from_the_default(self: Configuration, name: str, text: str) -> str:
            key = self.find(name)
            if key is None or text != key.default:
                return change(self, name, text)
            if keeps:
                return "Accepted"
            change(self, name, text)
            return "Rejected"

        patch.setattr(Configuration, "change", change_from_the_default)

    return plant


# The Charge Point

OF_CHARGE_POINT = [
    Mutant(
        "every Reset is Rejected and done",
        "Charge Point",
        "OCPP 1.6 5.14",
        answers(HANDLERS, "Reset", instead("Rejected")),
        "TC_013_CS TC_014_CS TC_015_CS TC_016_CS",
    ),
    Mutant(
        "a Reset is Accepted and not done",
        "Charge Point",
        "OCPP 1.6 5.14",
        only_answers(HANDLERS, "Reset", {"status": "Accepted"}),
        "TC_013_CS TC_015_CS TC_016_CS",
    ),
    Mutant(
        "a hard reset ends a transaction with the reason Reboot",
        "Charge Point",
        "OCPP 1.6 7.36",
        gives_another_reason("HardReset", "Reboot"),
        "TC_015_CS",
    ),
    Mutant(
        "a soft reset ends a transaction with the reason Reboot",
        "Charge Point",
        "OCPP 1.6 7.36",
        gives_another_reason("SoftReset", "Reboot"),
        "TC_016_CS",
    ),
    Mutant(
        "a hard reset only makes a new connection",
        "Charge Point",
        "OCPP 1.6 5.14, OCPP 1.6 4.2, OCPP 1.6 4.2.1, OCPP 1.6 errata 3.11",
        resets("Hard", only_reconnect),
        "TC_013_CS TC_015_CS",
    ),
    Mutant(
        "a soft reset is a hard one",
        "Charge Point",
        "OCPP 1.6 7.42",
        resets("Soft", hard),
        "TC_016_CS",
    ),
    Mutant(
        "a soft reset stops a transaction and leaves its connector Charging",
        "Charge Point",
        "OCPP 1.6 4.9",
        together(resets("Soft", only_stop), is_silent_where(lambda charge_point, _: charge_point._resetting)),
        "TC_016_CS",
    ),
    Mutant(
        "a connector is reported Available though its cable is still to be taken out",
        "Charge Point",
        "OCPP 1.6 4.9",
        tells(where(instead("Available"), status="Finishing")),
        "TC_016_CS TC_018_1_CS TC_032_1_CS TC_037_3_CS",
    ),
    Mutant(
        "a hard reset stops a transaction first and leaves its connector Available",
        "Charge Point",
        "OCPP 1.6 4.9",
        together(resets("Hard", stop_first), tells(where(instead("Available"), status="Finishing"))),
        "TC_015_CS",
    ),
    Mutant(
        "a connector is reported Charging when it is Finishing",
        "Charge Point",
        "OCPP 1.6 4.9",
        reports(where(instead("Charging"), status="Finishing")),
        "TC_015_CS TC_016_CS TC_018_1_CS TC_032_1_CS TC_032_2_CS TC_037_3_CS TC_038_CS",
    ),
    Mutant(
        "a cable that is in is not noticed at a boot",
        "Charge Point",
        "OCPP 1.6 4.9",
        does_not_notice_cables,
        "TC_015_CS TC_016_CS TC_032_1_CS TC_032_2_CS",
    ),
    Mutant(
        "every connector is reported Available after a boot",
        "Charge Point",
        "OCPP 1.6 errata 3.22",
        reports_after_a_boot(instead("Available")),
        "TC_013_CS TC_014_CS TC_015_CS TC_016_CS TC_032_1_CS TC_032_2_CS TC_034_CS",
    ),
    Mutant(
        "connector 0 is reported Preparing after a boot with a cable in",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_preparing_itself_at_a_boot,
        "TC_015_CS TC_016_CS TC_032_1_CS TC_032_2_CS",
    ),
    Mutant(
        "availability does not outlast a boot",
        "Charge Point",
        "OCPP 1.6 5.2",
        forgets_availability,
        "TC_013_CS TC_014_CS TC_034_CS",
    ),
    Mutant(
        "a connector is Available after a boot until its availability is remembered",
        "Charge Point",
        "OCPP 1.6 4.9",
        remembers_availability_too_late,
        "TC_013_CS TC_014_CS TC_034_CS",
    ),
    Mutant(
        "availability is told after a boot and then forgotten",
        "Charge Point",
        "OCPP 1.6 5.2",
        forgets_availability_once_it_is_told,
        "TC_034_CS",
    ),
    Mutant(
        "taking out of operation is Scheduled and done",
        "Charge Point",
        "OCPP 1.6 5.2",
        answers(HANDLERS, "ChangeAvailability", instead("Scheduled"), type="Inoperative"),
        "TC_013_CS TC_014_CS TC_034_CS",
    ),
    Mutant(
        "taking into operation is Rejected and done",
        "Charge Point",
        "OCPP 1.6 5.2",
        answers(HANDLERS, "ChangeAvailability", instead("Rejected"), type="Operative"),
        "TC_013_CS TC_014_CS",
    ),
    Mutant(
        "a connector that becomes Unavailable does not say so",
        "Charge Point",
        "OCPP 1.6 5.2",
        is_silent_about("Unavailable"),
        "TC_013_CS TC_014_CS TC_034_CS",
    ),
    Mutant(
        "a connector that becomes Available does not say so",
        "Charge Point",
        "OCPP 1.6 5.2",
        is_silent_about("Available"),
        "TC_004_2_CS TC_005_1_CS TC_007_1_CS TC_007_2_CS TC_011_2_CS TC_013_CS TC_014_CS TC_018_1_CS TC_061_1_CS "
        "TC_061_2_CS",
    ),
    Mutant(
        "back-up power is not used",
        "Charge Point",
        "OCPP 1.6 4.10",
        does_not_use_backup_power,
        "TC_032_1_CS",
    ),
    Mutant(
        "a power cut ends a transaction with the reason Other",
        "Charge Point",
        "OCPP 1.6 7.36",
        gives_another_reason("PowerLoss", "Other"),
        "TC_032_1_CS TC_032_2_CS",
    ),
    Mutant(
        "a transaction that outlives a power cut ends by hand with the reason Other",
        "Charge Point",
        "OCPP 1.6 7.36",
        together(resumes_transactions, gives_another_reason("Local", "Other")),
        "TC_032_2_CS",
    ),
    Mutant(
        "an interrupted transaction is forgotten",
        "Charge Point",
        "OCPP 1.6 4.10",
        forgets_interrupted_transactions,
        "TC_015_CS TC_032_2_CS",
    ),
    Mutant(
        "samples are not queued while offline",
        "Charge Point",
        "OCPP 1.6 3.7",
        queues_less("MeterValues"),
        "TC_036_CS",
    ),
    Mutant(
        "every second sample is lost while offline",
        "Charge Point",
        "OCPP 1.6 3.7",
        keeps_one_sample_of_two,
        "TC_036_CS",
    ),
    Mutant(
        "samples bear the transactionId of another transaction",
        "Charge Point",
        "OCPP 1.6 4.7",
        sends_of_the_queue("MeterValues", with_fields(transactionId=1)),
        "TC_036_CS",
    ),
    Mutant(
        "samples bear no transactionId",
        "Charge Point",
        "OCPP 1.6 4.7",
        sends_of_the_queue("MeterValues", with_fields(transactionId=...)),
        "TC_036_CS",
        is_remarked=True,
    ),
    Mutant(
        "samples from the time offline are sent the newest first",
        "Charge Point",
        "OCPP 1.6 3.7",
        sends_the_newest_first,
        "TC_036_CS",
        is_remarked=True,
    ),
    Mutant(
        "new samples are sent before those from the time offline",
        "Charge Point",
        "OCPP 1.6 3.7",
        sends_what_is_new_before_what_it_kept,
        "TC_036_CS",
    ),
    Mutant(
        "every connection begins with a BootNotification.req",
        "Charge Point",
        "OCPP-J 1.6 5.4",
        boots_on_every_connection,
        "TC_036_CS TC_038_CS",
        is_remarked=True,
    ),
    Mutant(
        "statuses from the time offline are all reported as Reserved",
        "Charge Point",
        "OCPP 1.6 4.9",
        reports_after_a_reconnection(instead("Reserved")),
        "TC_037_1_CS TC_037_2_CS TC_037_3_CS TC_038_CS",
    ),
    Mutant(
        "statuses from the time offline are not reported",
        "Charge Point",
        "OCPP 1.6 4.9",
        tells_nothing_after_a_reconnection,
        "TC_037_1_CS TC_038_CS",
    ),
    Mutant(
        "nobody may start offline",
        "Charge Point",
        "OCPP 1.6 3.5",
        lets_nobody_start_offline,
        "TC_037_1_CS TC_037_2_CS TC_037_3_CS TC_039_CS",
    ),
    Mutant(
        "a StartTransaction.req from the time offline is lost",
        "Charge Point",
        "OCPP 1.6 3.5.4",
        queues_less("StartTransaction"),
        "TC_037_1_CS TC_037_2_CS TC_037_3_CS TC_039_CS",
    ),
    Mutant(
        "a StopTransaction.req from the time offline is lost",
        "Charge Point",
        "OCPP 1.6 3.7",
        queues_less("StopTransaction"),
        "TC_015_CS TC_032_2_CS TC_038_CS TC_039_CS",
    ),
    Mutant(
        "StopTransactionOnInvalidId counts as true",
        "Charge Point",
        "OCPP 1.6 9.1.24",
        takes_stop_on_invalid_id_for("true"),
        "TC_037_2_CS",
    ),
    Mutant(
        "StopTransactionOnInvalidId counts as false",
        "Charge Point",
        "OCPP 1.6 9.1.24",
        takes_stop_on_invalid_id_for("false"),
        "TC_037_3_CS",
    ),
    Mutant(
        "a connector that becomes SuspendedEVSE does not say so",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_silent_about("SuspendedEVSE"),
        "TC_037_2_CS",
    ),
    Mutant(
        "a connector that keeps the cable of a refused idTag does not say that it is Finishing",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_silent_where(lambda _, connector: connector.kept_for is not None),
        "TC_037_3_CS",
    ),
    Mutant(
        "a refused idTag ends a transaction with the reason Local",
        "Charge Point",
        "OCPP 1.6 3.5.4",
        gives_another_reason("DeAuthorized", "Local"),
        "TC_037_3_CS",
    ),
    Mutant(
        "an idTag that is presented ends a transaction with the reason Other",
        "Charge Point",
        "OCPP 1.6 7.36",
        gives_another_reason("Local", "Other"),
        "TC_038_CS TC_039_CS",
    ),
    Mutant(
        "a StopTransaction.req does not know its transactionId",
        "Charge Point",
        "OCPP 1.6 4.10",
        sends_of_the_queue("StopTransaction", with_fields(transactionId=-1)),
        "TC_005_1_CS TC_005_2_CS TC_005_3_CS TC_007_1_CS TC_012_CS TC_015_CS TC_016_CS TC_032_1_CS TC_032_2_CS "
        "TC_037_3_CS TC_038_CS TC_039_CS TC_068_CS TC_069_CS",
    ),
    Mutant(
        "a lock that does not hold is not noticed",
        "Charge Point",
        "OCPP 1.6 7.6",
        does_not_watch_the_lock,
        "TC_024_CS",
    ),
    Mutant(
        "every errorCode is OtherError",
        "Charge Point",
        "OCPP 1.6 7.6",
        knows_one_fault,
        "TC_024_CS",
    ),
    Mutant(
        "a connector that becomes Faulted does not say so",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_silent_about("Faulted"),
        "TC_024_CS TC_041_CS",
    ),
    Mutant(
        "a faulted connector is reported Unavailable",
        "Charge Point",
        "OCPP 1.6 4.9",
        reports(where(instead("Unavailable"), status="Faulted")),
        "TC_024_CS TC_041_CS",
    ),
    Mutant(
        "a faulted connector charges",
        "Charge Point",
        "OCPP 1.6 4.9",
        charges_in_spite_of_a_fault,
        "TC_041_CS",
    ),
    Mutant(
        "a preparing connector is reported Reserved",
        "Charge Point",
        "OCPP 1.6 4.9",
        reports(where(instead("Reserved"), status="Preparing")),
        "TC_023_4_CS TC_023_5_CS TC_024_CS",
    ),
    Mutant(
        "a remote start is Rejected and done where no cable is in",
        "Charge Point",
        "OCPP 1.6 5.11",
        rejects_a_remote_start_without_cable,
        "TC_007_2_CS TC_011_1_CS TC_011_2_CS TC_023_5_CS TC_024_CS TC_061_2_CS",
    ),
    Mutant(
        "an idTag that is refused may charge",
        "Charge Point",
        "OCPP 1.6 4.1",
        accepts_whoever_is_refused,
        "TC_023_4_CS TC_023_5_CS",
    ),
    Mutant(
        "a transaction is reported that a refused idTag has not started",
        "Charge Point",
        "OCPP 1.6 4.8",
        reports_a_start_for_whoever_was_refused,
        "TC_023_4_CS TC_023_5_CS",
    ),
    Mutant(
        "every UnlockConnector is Unlocked",
        "Charge Point",
        "OCPP 1.6 7.46",
        answers(HANDLERS, "UnlockConnector", instead("Unlocked")),
        "TC_017_2_CS TC_018_2_CS TC_030_CS TC_031_CS",
    ),
    Mutant(
        "every UnlockConnector is UnlockFailed",
        "Charge Point",
        "OCPP 1.6 7.46",
        answers(HANDLERS, "UnlockConnector", instead("UnlockFailed")),
        "TC_005_2_CS TC_017_1_CS TC_017_2_CS TC_018_1_CS TC_018_2_CS TC_031_CS",
    ),
    Mutant(
        "what is NotSupported is refused with a CALLERROR",
        "Charge Point",
        "OCPP-J 1.6 4.2.2",
        together(
            refuses_instead(HANDLERS, "ChangeConfiguration", "NotSupported", "NotSupported"),
            refuses_instead(HANDLERS, "UnlockConnector", "NotSupported", "PropertyConstraintViolation"),
        ),
        "TC_017_2_CS TC_018_2_CS TC_031_CS TC_040_1_CS",
    ),
    Mutant(
        "a value that cannot be is refused with InternalError",
        "Charge Point",
        "OCPP-J 1.6 4.2.3",
        refuses_instead(HANDLERS, "ChangeConfiguration", "Rejected", "InternalError"),
        "TC_040_2_CS",
    ),
    Mutant(
        "a connector is Unlocked and keeps its cable",
        "Charge Point",
        "OCPP 1.6 5.18",
        lambda patch: patch.setattr(Connector, "unlock", lambda _: True),
        "TC_018_1_CS",
    ),
    Mutant(
        "an unlocked connector goes on charging",
        "Charge Point",
        "OCPP 1.6 5.18",
        goes_on_when_unlocked,
        "TC_018_1_CS",
    ),
    Mutant(
        "unlocking ends a transaction with the reason Remote",
        "Charge Point",
        "OCPP 1.6 7.36",
        gives_another_reason("UnlockCommand", "Remote"),
        "TC_018_1_CS",
    ),
    Mutant(
        "there is no AuthorizeRemoteTxRequests",
        "Charge Point",
        "OCPP 1.6 9.1.3",
        has_no("AuthorizeRemoteTxRequests"),
        "TC_005_1_CS TC_010_CS TC_011_1_CS TC_011_2_CS TC_012_CS TC_015_CS TC_016_CS TC_019_CS TC_024_CS "
        "TC_032_1_CS TC_032_2_CS TC_036_CS TC_037_1_CS TC_037_2_CS TC_037_3_CS TC_038_CS TC_039_CS",
    ),
    Mutant(
        "every key is reported, whichever is asked for",
        "Charge Point",
        "OCPP 1.6 5.8",
        reports_all_keys_at_any_time,
        "TC_019_CS TC_021_CS",
    ),
    Mutant(
        "ten keys are reported of those that are asked for",
        "Charge Point",
        "OCPP 1.6 5.8",
        reports_ten_keys_of_those_asked_for,
        "TC_019_CS",
    ),
    Mutant(
        "ConnectionTimeOut is told to be read-only",
        "Charge Point",
        "OCPP 1.6 7.29",
        describes("ConnectionTimeOut", with_fields(readonly=True)),
        "TC_019_CS",
    ),
    Mutant(
        "SendLocalListMaxLength is not reported",
        "Charge Point",
        "OCPP 1.6 9.2.3",
        describes("SendLocalListMaxLength", lambda _: None),
        "TC_019_CS",
    ),
    Mutant(
        "MaxChargingProfilesInstalled is told to be writable",
        "Charge Point",
        "OCPP 1.6 9.4.5",
        describes("MaxChargingProfilesInstalled", with_fields(readonly=False)),
        "TC_019_CS",
    ),
    Mutant(
        "a key that gets its default back is Rejected and changed",
        "Charge Point",
        "OCPP 1.6 5.3",
        no_way_back(keeps=False),
        "TC_021_CS",
    ),
    Mutant(
        "a key that gets its default back is Accepted and not changed",
        "Charge Point",
        "OCPP 1.6 5.3",
        no_way_back(keeps=True),
        "TC_021_CS",
    ),
    Mutant(
        "every ChangeConfiguration is Accepted",
        "Charge Point",
        "OCPP 1.6 7.22",
        answers(HANDLERS, "ChangeConfiguration", instead("Accepted")),
        "TC_040_1_CS TC_040_2_CS",
    ),
    *(
        Mutant(
            f"every value of {key} is Rejected",
            "Charge Point",
            clauses,
            answers(HANDLERS, "ChangeConfiguration", instead("Rejected"), key=key),
            kills,
        )
        for key, clauses, kills in [
            ("AllowOfflineTxForUnknownId", "OCPP 1.6 9.1.1, OCPP 1.6 3.5.4", "TC_037_2_CS TC_037_3_CS"),
            ("MinimumStatusDuration", "OCPP 1.6 9.1.20", "TC_023_4_CS"),
        ]
    ),
    Mutant(
        "SupportedFeatureProfiles leaves Core out",
        "Charge Point",
        "OCPP 1.6 3.3",
        describes("SupportedFeatureProfiles", lambda entry: entry | {"value": entry["value"].replace("Core,", "")}),
        "TC_019_CS",
    ),
]

# The Central System

OF_CENTRAL_SYSTEM = [
    Mutant(
        "a hard reset is asked for as a soft one",
        "Central System",
        "OCPP 1.6 7.42",
        asks("Reset", where(with_fields(type="Soft"), type="Hard")),
        "TC_013_CSMS",
    ),
    Mutant(
        "a soft reset is asked for as a hard one",
        "Central System",
        "OCPP 1.6 7.42",
        asks("Reset", where(with_fields(type="Hard"), type="Soft")),
        "TC_014_CSMS",
    ),
    Mutant(
        "a Charge Point that was Accepted is Pending when it boots again",
        "Central System",
        "OCPP 1.6 4.2",
        is_pending_when_it_boots_again,
        "TC_013_CSMS TC_014_CSMS TC_032_1_CSMS TC_044_1_CSMS TC_080_CSMS",
    ),
    Mutant(
        "a StopTransaction.req with an unusual reason is refused",
        "Central System",
        "OCPP 1.6 4.10",
        refuses_unusual_reasons,
        "TC_018_1_CSMS TC_032_1_CSMS TC_037_3_CSMS",
    ),
    Mutant(
        "a StartTransaction.req that comes late is refused",
        "Central System",
        "OCPP 1.6 3.7",
        refuses_late_starts,
        "TC_039_CSMS",
    ),
    Mutant(
        "an idTag that nobody asked about is Invalid in StartTransaction.conf",
        "Central System",
        "OCPP 1.6 4.8",
        refuses_id_tags_that_nobody_asked_about,
        "TC_037_1_CSMS TC_039_CSMS",
    ),
    Mutant(
        "every idTag is Accepted in StartTransaction.conf",
        "Central System",
        "OCPP 1.6 4.8",
        answers(CSMS, "StartTransaction", with_fields(idTagInfo={"status": "Accepted"})),
        "TC_037_3_CSMS",
    ),
    Mutant(
        "an unknown idTag is Blocked",
        "Central System",
        "OCPP 1.6 7.2",
        says_of(None, "Invalid", "Blocked"),
        "TC_023_1_CSMS TC_037_3_CSMS",
    ),
    Mutant(
        "an Expired idTag is Accepted",
        "Central System",
        "OCPP 1.6 7.2",
        says_of(None, "Expired", "Accepted"),
        "TC_023_2_CSMS",
    ),
    Mutant(
        "a Blocked idTag is Accepted",
        "Central System",
        "OCPP 1.6 7.2",
        says_of(None, "Blocked", "Accepted"),
        "TC_023_3_CSMS",
    ),
    Mutant(
        "reports of Faulted are refused",
        "Central System",
        "OCPP 1.6 4.9",
        refuses_reports_of("Faulted"),
        "TC_024_CSMS",
    ),
    Mutant(
        "another connector is unlocked",
        "Central System",
        "OCPP 1.6 5.18",
        asks("UnlockConnector", lambda payload: {"connectorId": payload["connectorId"] + 1}),
        "TC_017_1_CSMS TC_017_2_CSMS TC_018_1_CSMS TC_030_CSMS",
    ),
    Mutant(
        "what is NotSupported is asked for once more",
        "Central System",
        "OCPP 1.6 5.18",
        asks_again("NotSupported"),
        "TC_017_2_CSMS TC_031_CSMS TC_040_1_CSMS",
    ),
    Mutant(
        "one key is asked for where all are wanted",
        "Central System",
        "OCPP 1.6 5.8",
        asks("GetConfiguration", lambda payload: {"key": ["HeartbeatInterval"]} | payload),
        "TC_019_1_CSMS",
    ),
    Mutant(
        "a key more is asked for than is wanted",
        "Central System",
        "OCPP 1.6 5.8",
        asks("GetConfiguration", lambda payload: {"key": [*payload.get("key", []), "HeartbeatInterval"]}),
        "TC_019_1_CSMS TC_019_2_CSMS",
    ),
    Mutant(
        "another key is changed",
        "Central System",
        "OCPP 1.6 5.3",
        asks("ChangeConfiguration", with_fields(key="HeartbeatInterval")),
        "TC_021_CSMS TC_040_2_CSMS",
    ),
    Mutant("the cache is never cleared", "Central System", "OCPP 1.6 5.4", asks_not("ClearCache"), "TC_061_CSMS"),
    Mutant(
        "a key gets another value",
        "Central System",
        "OCPP 1.6 5.3",
        asks("ChangeConfiguration", lambda payload: payload | {"value": payload["value"] + "0"}),
        "TC_021_CSMS",
    ),
]

MUTANTS: list[Mutant] = [*OF_CHARGE_POINT, *OF_CENTRAL_SYSTEM]
