"""Faults about boots, charging sessions, the Authorization Cache, remote actions, meter values and data transfer."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bench.mutants import Mutant, Plant
from bench.mutants.planting import (
    answers,
    asks,
    asks_again,
    instead,
    is_silent_about,
    is_silent_where,
    never_answers,
    only_answers,
    queues,
    refuses_instead,
    reports_after_a_boot,
    where,
    with_fields,
)
from ocppj import peer, schemas
from ocppj.frames import Payload
from reference_csms import central_system
from reference_csms.store import View
from simulator import charging_session, metering, transaction
from simulator.charge_point import ChargePoint
from simulator.configuration import Configuration
from simulator.connector import Connector, IdTagHolder
from simulator.core import HANDLERS
from simulator.memory import StoredTransaction

CSMS = central_system.HANDLERS


# Boots


def boots_too_soon(patch: pytest.MonkeyPatch) -> None:
    registered = ChargePoint._registered

    def impatient(self: ChargePoint, conf: Payload, at: float) -> None:
        registered(self, conf, at)
        self._boot_at = at + 1

    patch.setattr(ChargePoint, "_registered", impatient)


def halves_its_heartbeat(patch: pytest.MonkeyPatch) -> None:
    heartbeats = ChargePoint._heartbeats
    patch.setattr(ChargePoint, "_heartbeats", lambda self, interval: heartbeats(self, 2 * interval))


def rejects_changes_while_pending(patch: pytest.MonkeyPatch) -> None:
    change = HANDLERS["ChangeConfiguration"]

    def change_and_say_otherwise(charge_point: ChargePoint, request: Payload) -> Payload:
        conf = change(charge_point, request)
        return {"status": "Rejected"} if charge_point.registration == "Pending" else conf

    patch.setitem(HANDLERS, "ChangeConfiguration", change_and_say_otherwise)


def is_pending_at_first(patch: pytest.MonkeyPatch) -> None:
    boot = CSMS["BootNotification"]

    def boot_twice(store: View, request: Payload) -> Payload:
        has_booted = bool(store.charge_point.boot)
        conf = boot(store, request)
        return conf if has_booted else conf | {"status": "Pending", "interval": 1}

    patch.setitem(CSMS, "BootNotification", boot_twice)


# Sessions


def takes_for(name: str, value: bool) -> Plant:
    """A boolean key is accepted and ignored."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        flag = Configuration.flag
        patch.setattr(Configuration, "flag", lambda self, asked: value if asked == name else flag(self, asked))

    return plant


def waits_for_ever(patch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        return

    patch.setattr(charging_session, "_time_out", never)


def is_without_cable(_: ChargePoint, connector: Connector) -> bool:
    return connector.status == "Preparing" and not connector.is_occupied


def charges_again(charge_point: ChargePoint, connector: Connector) -> bool:
    return connector.status == "Charging" and charge_point.memory.transactions_begun > 1


def another_connector(payload: Payload) -> Payload:
    return payload | {"connectorId": payload["connectorId"] + 1}


def belongs(opinion: Callable[[IdTagHolder, str], bool]) -> Plant:
    """Who may stop a transaction, without asking anybody."""

    async def decide(_: ChargePoint, __: Connector, holder: IdTagHolder, id_tag: str) -> bool:
        return opinion(holder, id_tag)

    return lambda patch: patch.setattr(charging_session, "_belongs", decide)


def tells_of_a_stop_for_anyone(patch: pytest.MonkeyPatch) -> None:
    """And lets the energy flow until the right idTag is presented."""
    decide = charging_session._belongs

    async def decide_and_tell(charge_point: ChargePoint, connector: Connector, holder: IdTagHolder, it: str) -> bool:
        belongs = await decide(charge_point, connector, holder, it)
        if not belongs and connector.transaction:
            stop: Payload = {
                "transactionId": connector.transaction["transactionId"],
                "idTag": it,
                "meterStop": connector.meter.whole_register,
                "timestamp": charge_point.timestamp(),
            }
            charge_point.queue_message("StopTransaction", stop, None)
        return belongs

    patch.setattr(charging_session, "_belongs", decide_and_tell)


def names_who_started(patch: pytest.MonkeyPatch) -> None:
    end = transaction._end

    def end_as_begun(
        charge_point: ChargePoint, stored: StoredTransaction, reason: str, id_tag: str | None, connector: Any
    ) -> None:
        end(charge_point, stored, reason, id_tag and stored["idTag"], connector)

    patch.setattr(transaction, "_end", end_as_begun)


def accepts_remote_starts_at_connector_zero(patch: pytest.MonkeyPatch) -> None:
    """Nothing comes of it."""
    check, start = schemas.check, HANDLERS["RemoteStartTransaction"]

    def check_others(action: str, kind: Any, payload: Payload, unique_id: str) -> None:
        if payload.get("connectorId") != 0:
            check(action, kind, payload, unique_id)

    def start_or_accept(charge_point: ChargePoint, request: Payload) -> Payload:
        return {"status": "Accepted"} if request.get("connectorId") == 0 else start(charge_point, request)

    patch.setattr(peer, "check", check_others)
    patch.setitem(HANDLERS, "RemoteStartTransaction", start_or_accept)


# Meter values


def tells_context(wrong: str, right: str) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        meter_value = metering.meter_value

        def in_another(connector: Connector, measurands: list[str], context: str, *more: Any) -> Payload | None:
            return meter_value(connector, measurands, wrong if context == right else context, *more)

        patch.setattr(metering, "meter_value", in_another)

    return plant


def samples_every(other: Callable[[int], float]) -> Plant:
    """At another interval (s) than the one that the key has, made from that."""

    async def sample(it: ChargePoint, connector: Connector, stored: StoredTransaction) -> None:
        while interval := it.configuration.number("MeterValueSampleInterval"):
            await asyncio.sleep(other(interval))
            metering._sample(it, connector, stored, "Sample.Periodic", "Sampled", it.now())

    return lambda patch: patch.setattr(metering, "sample_periodically", sample)


def aligned(moment: Callable[[datetime, int], datetime]) -> Plant:
    return lambda patch: patch.setattr(metering, "next_aligned", moment)


def measures_the_voltage_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(metering, "sampled_measurands", lambda *_: ["Voltage"])


# The cases of this part in which a transaction is to start, by what begins it.
BY_HAND = "TC_003_CS TC_004_1_CS"
REMOTELY = (
    "TC_005_1_CS TC_005_2_CS TC_005_3_CS TC_007_1_CS TC_007_2_CS TC_010_CS TC_011_1_CS TC_012_CS TC_026_CS TC_028_CS "
    "TC_061_2_CS TC_068_CS TC_069_CS TC_070_CS TC_071_CS"
)
STARTED_CSMS = "TC_003_CSMS TC_004_1_CSMS TC_005_1_CSMS TC_010_CSMS TC_011_1_CSMS TC_012_CSMS TC_028_CSMS"

# The Charge Point

OF_CHARGE_POINT = [
    Mutant(
        "the interval until the next BootNotification.req is ignored",
        "Charge Point",
        "OCPP 1.6 4.2",
        boots_too_soon,
        "TC_001_CS TC_002_CS",
    ),
    Mutant(
        "heartbeats come half as often as they are to",
        "Charge Point",
        "OCPP 1.6 4.6",
        halves_its_heartbeat,
        "TC_001_CS TC_002_CS",
    ),
    Mutant(
        "all connectors but the first are reported Unavailable after a boot",
        "Charge Point",
        "OCPP 1.6 4.9",
        reports_after_a_boot(where(instead("Unavailable"), connectorId=2)),
        "TC_001_CS TC_002_CS",
    ),
    Mutant(
        "a key that is changed while Pending is Rejected and changed",
        "Charge Point",
        "OCPP 1.6 4.2",
        rejects_changes_while_pending,
        "TC_002_CS",
    ),
    Mutant(
        "a connector that becomes Preparing does not say so",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_silent_about("Preparing"),
        f"{BY_HAND} {REMOTELY} TC_004_2_CS TC_011_2_CS TC_061_1_CS",
    ),
    Mutant(
        "a connector that is Preparing before its cable is in does not say so",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_silent_where(is_without_cable),
        "TC_004_1_CS TC_004_2_CS TC_007_1_CS TC_007_2_CS TC_011_1_CS TC_011_2_CS TC_061_1_CS",
    ),
    Mutant(
        "a connector that becomes Charging does not say so",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_silent_about("Charging"),
        f"{BY_HAND} {REMOTELY}",
    ),
    Mutant(
        "Charging is reported of one transaction only",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_silent_where(charges_again),
        "TC_007_1_CS TC_007_2_CS",
    ),
    Mutant(
        "a connector that becomes Finishing does not say so",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_silent_about("Finishing"),
        "TC_005_1_CS TC_005_2_CS TC_005_3_CS TC_007_1_CS TC_007_2_CS TC_012_CS TC_061_2_CS TC_068_CS TC_069_CS",
    ),
    Mutant(
        "a connector that becomes SuspendedEV does not say so",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_silent_about("SuspendedEV"),
        "TC_005_3_CS",
    ),
    Mutant(
        "a preparation never ends",
        "Charge Point",
        "OCPP 1.6 9.1.6",
        waits_for_ever,
        "TC_004_2_CS TC_011_2_CS TC_061_1_CS",
    ),
    Mutant(
        "LocalPreAuthorize is ignored",
        "Charge Point",
        "OCPP 1.6 9.1.13",
        takes_for("LocalPreAuthorize", False),
        "TC_007_1_CS TC_007_2_CS",
    ),
    Mutant(
        "AuthorizeRemoteTxRequests is ignored",
        "Charge Point",
        "OCPP 1.6 9.1.3",
        takes_for("AuthorizeRemoteTxRequests", False),
        f"{REMOTELY} TC_011_2_CS",
    ),
    Mutant(
        "a transaction starts with the number of the next connector",
        "Charge Point",
        "OCPP 1.6 6.45",
        queues("StartTransaction", another_connector),
        f"{BY_HAND} TC_010_CS TC_011_1_CS",
    ),
    Mutant(
        "every RemoteStartTransaction is Rejected and done",
        "Charge Point",
        "OCPP 1.6 5.11",
        answers(HANDLERS, "RemoteStartTransaction", instead("Rejected")),
        "TC_005_1_CS TC_010_CS TC_011_1_CS TC_011_2_CS",
    ),
    Mutant(
        "every RemoteStartTransaction is Accepted",
        "Charge Point",
        "OCPP 1.6 5.11",
        answers(HANDLERS, "RemoteStartTransaction", instead("Accepted")),
        "TC_026_CS",
    ),
    Mutant(
        "a RemoteStartTransaction for connector 0 is Accepted",
        "Charge Point",
        "OCPP 1.6 6.33",
        accepts_remote_starts_at_connector_zero,
        "TC_027_CS",
    ),
    Mutant(
        "every RemoteStopTransaction is Rejected and done",
        "Charge Point",
        "OCPP 1.6 5.12",
        answers(HANDLERS, "RemoteStopTransaction", instead("Rejected")),
        "TC_005_3_CS TC_012_CS",
    ),
    Mutant(
        "every RemoteStopTransaction is Accepted",
        "Charge Point",
        "OCPP 1.6 5.12",
        answers(HANDLERS, "RemoteStopTransaction", instead("Accepted")),
        "TC_028_CS",
    ),
    Mutant(
        "a remote stop ends a transaction with the reason Local",
        "Charge Point",
        "OCPP 1.6 7.36",
        queues("StopTransaction", where(with_fields(reason="Local"), reason="Remote")),
        "TC_005_3_CS TC_012_CS",
    ),
    Mutant(
        "a cable that is taken out of the EV ends a transaction with the reason Other",
        "Charge Point",
        "OCPP 1.6 7.36",
        queues("StopTransaction", where(with_fields(reason="Other"), reason="EVDisconnected")),
        "TC_005_1_CS TC_005_2_CS",
    ),
    Mutant(
        "StopTransactionOnEVSideDisconnect counts as false",
        "Charge Point",
        "OCPP 1.6 9.1.23",
        takes_for("StopTransactionOnEVSideDisconnect", False),
        "TC_005_1_CS TC_005_2_CS",
    ),
    Mutant(
        "StopTransactionOnEVSideDisconnect counts as true",
        "Charge Point",
        "OCPP 1.6 9.1.23",
        takes_for("StopTransactionOnEVSideDisconnect", True),
        "TC_005_3_CS",
    ),
    Mutant(
        "the cache is Accepted to be cleared and is not",
        "Charge Point",
        "OCPP 1.6 5.4",
        only_answers(HANDLERS, "ClearCache", {"status": "Accepted"}),
        "TC_061_1_CS TC_061_2_CS",
    ),
    Mutant(
        "every ClearCache is Rejected and done",
        "Charge Point",
        "OCPP 1.6 5.4",
        answers(HANDLERS, "ClearCache", instead("Rejected")),
        "TC_061_1_CS TC_061_2_CS",
    ),
    Mutant(
        "anyone may stop a transaction",
        "Charge Point",
        "OCPP 1.6 3.10",
        belongs(lambda *_: True),
        "TC_068_CS TC_069_CS",
    ),
    Mutant(
        "a stop is reported whoever is at the reader",
        "Charge Point",
        "OCPP 1.6 4.10",
        tells_of_a_stop_for_anyone,
        "TC_068_CS",
    ),
    Mutant(
        "nobody of the same group may stop a transaction",
        "Charge Point",
        "OCPP 1.6 3.10",
        belongs(IdTagHolder.is_same),
        "TC_069_CS",
    ),
    Mutant(
        "a StopTransaction.req does not tell who has stopped",
        "Charge Point",
        "OCPP 1.6 6.49",
        queues("StopTransaction", with_fields(idTag=...)),
        "TC_068_CS TC_069_CS",
    ),
    Mutant(
        "a StopTransaction.req tells who has started",
        "Charge Point",
        "OCPP 1.6 6.49",
        names_who_started,
        "TC_069_CS",
    ),
    Mutant(
        "values are told of another connector",
        "Charge Point",
        "OCPP 1.6 4.7",
        queues("MeterValues", another_connector),
        "TC_070_CS TC_071_CS",
    ),
    Mutant(
        "a sample has the context Sample.Clock",
        "Charge Point",
        "OCPP 1.6 7.43",
        tells_context("Sample.Clock", "Sample.Periodic"),
        "TC_070_CS",
    ),
    Mutant(
        "a clock-aligned value has the context Sample.Periodic",
        "Charge Point",
        "OCPP 1.6 7.43",
        tells_context("Sample.Periodic", "Sample.Clock"),
        "TC_071_CS",
    ),
    Mutant(
        "samples come twice as often as they are to",
        "Charge Point",
        "OCPP 1.6 3.16.1",
        samples_every(lambda interval: interval / 2),
        "TC_070_CS",
    ),
    Mutant(
        "each sample is taken some seconds later than it is due",
        "Charge Point",
        "OCPP 1.6 3.16.1",
        samples_every(lambda interval: interval + 3),
        "TC_070_CS",
    ),
    Mutant(
        "clock-aligned values are aligned to something else than the clock",
        "Charge Point",
        "OCPP 1.6 3.16.2",
        aligned(lambda moment, interval: moment + timedelta(seconds=interval)),
        "TC_071_CS",
    ),
    Mutant(
        "every second clock-aligned value is missing",
        "Charge Point",
        "OCPP 1.6 9.1.5",
        aligned(lambda moment, interval: metering.last_aligned(moment, interval) + 2 * timedelta(seconds=interval)),
        "TC_071_CS",
    ),
    Mutant(
        "the voltage is measured, whatever is asked for",
        "Charge Point",
        "OCPP 1.6 3.16",
        measures_the_voltage_alone,
        "TC_070_CS TC_071_CS",
    ),
    Mutant(
        "a vendor that is not known is refused with a CALLERROR",
        "Charge Point",
        "OCPP 1.6 5.6",
        refuses_instead(HANDLERS, "DataTransfer", "UnknownVendorId", "NotSupported"),
        "TC_062_CS",
    ),
]

# The Central System

OF_CENTRAL_SYSTEM = [
    Mutant(
        "a transaction that does not run is stopped",
        "Central System",
        "OCPP 1.6 5.12",
        asks("RemoteStopTransaction", lambda payload: {"transactionId": payload["transactionId"] + 1}),
        "TC_012_CSMS",
    ),
    Mutant(
        "a Charge Point that is known is Pending at first",
        "Central System",
        "OCPP 1.6 4.2",
        is_pending_at_first,
        "TC_001_CSMS",
    ),
    Mutant(
        "an idTag that is known is Invalid in Authorize.conf",
        "Central System",
        "OCPP 1.6 4.1",
        answers(CSMS, "Authorize", with_fields(idTagInfo={"status": "Invalid"})),
        f"{STARTED_CSMS} TC_004_2_CSMS TC_011_2_CSMS",
    ),
    Mutant(
        "an idTag is ConcurrentTx with its own transaction",
        "Central System",
        "OCPP 1.6 7.2",
        answers(CSMS, "StartTransaction", with_fields(idTagInfo={"status": "ConcurrentTx"})),
        f"{STARTED_CSMS} TC_007_CSMS",
    ),
    Mutant(
        "a StopTransaction.req is not answered",
        "Central System",
        "OCPP 1.6 4.10",
        never_answers("StopTransaction"),
        "TC_005_1_CSMS TC_012_CSMS TC_032_1_CSMS",
    ),
    Mutant(
        "what is Rejected is asked for once more",
        "Central System",
        "OCPP 1.6 5.11",
        asks_again("Rejected"),
        "TC_026_CSMS TC_028_CSMS",
    ),
    Mutant(
        "the cache is cleared twice",
        "Central System",
        "OCPP 1.6 5.4",
        asks_again("Accepted", "ClearCache"),
        "TC_061_CSMS",
    ),
    Mutant(
        "a Charge Point's vendor that is not known is refused with a CALLERROR",
        "Central System",
        "OCPP 1.6 4.3",
        refuses_instead(CSMS, "DataTransfer", "UnknownVendorId", "NotSupported"),
        "TC_064_CSMS",
    ),
]

MUTANTS = [*OF_CHARGE_POINT, *OF_CENTRAL_SYSTEM]
