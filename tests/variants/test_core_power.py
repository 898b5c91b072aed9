"""Foreign devices that lose their power or connection, break, and are reset while they charge."""

import asyncio
import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest

from ocppj.clock import Calendar, parse_timestamp, timestamp
from ocppj.connection import Admission, Attempt, drop
from ocppj.errors import Disconnected
from ocppj.frames import Payload
from ocppj.peer import Peer
from reference_csms.central_system import CentralSystem
from simulator import transaction
from simulator.charge_point import BOOT_TIME, ChargePoint
from simulator.connector import Connector
from simulator.memory import QueuedMessage
from tests.variants.foreign import Change, Frame, Variant, call
from tests.variants.test_central_systems import conf as csms_conf
from tests.variants.test_central_systems import refused
from tests.variants.test_charge_points import Setup, before, fixed, has, in_turn, lacks, report, req, timestamps

NO_BACKUP = frozenset({"backup_power"})

OFFLINE = "036 037_1 037_2 037_3 038 039"
STARTS_OFFLINE = "037_1 037_2 037_3 039"
ALL = f"015 016 024 030 032_1 034 {OFFLINE} 041"


def with_backup_power(it: ChargePoint) -> None:
    it.backup_power = True


# Resets and power cuts


def resets_by(reset: Callable[[ChargePoint, str], Any]) -> Setup:
    def setup(it: ChargePoint) -> None:
        it._reset = lambda kind: reset(it, kind)  # type: ignore[method-assign]  # one of its own

    return setup


async def stop_and_reboot(it: ChargePoint, kind: str) -> None:
    await it._stop_transactions(f"{kind}Reset")
    await it._reboot()


async def only_stop(it: ChargePoint, kind: str) -> None:
    await it._stop_transactions(f"{kind}Reset")
    it._resetting = False


async def stop_and_reboot_at_once(it: ChargePoint, kind: str) -> None:
    """Nothing but the StopTransaction.req is sent before it goes down."""
    it._tell = lambda connector: None  # type: ignore[method-assign]  # one of its own
    await it._stop_transactions(f"{kind}Reset")
    del it._tell  # that of its class again
    await it._reboot()


async def stop_and_hang_up(it: ChargePoint, kind: str) -> None:
    """It does not even wait for the StopTransaction.conf, and sends the request again after the boot."""

    async def send_and_drop(peer: Peer, message: QueuedMessage) -> None:
        payload = transaction.wire_payload(it.memory, message)
        await peer.send_text(json.dumps([2, "last-words", message["action"], payload]))
        await drop(peer.websocket)
        raise Disconnected("gone")

    it._send_queued = send_and_drop  # type: ignore[method-assign]  # one of its own
    for connector in it.connectors.values():
        transaction.stop(it, connector, f"{kind}Reset")
    await asyncio.sleep(0.001)
    del it._send_queued  # that of its class again
    await it._go_down(farewell=False)
    it._start("Reboot", delay=BOOT_TIME)


def resumes(it: ChargePoint) -> None:
    """A transaction goes on when the power is back."""
    start = it._start

    def start_and_resume(reason: str, delay: float) -> None:
        running = [stored for stored in it.memory.transactions if not stored["ended"]]
        for stored in running:
            stored["ended"] = True
        start(reason, delay)
        for stored in running:
            stored["ended"] = False
            connector = it.connectors[stored["connector"]]
            connector.transaction = stored
            connector.lock()
            connector.adjust_energy()

    it._start = start_and_resume  # type: ignore[method-assign]  # one of its own


def forgets_used_cables(it: ChargePoint) -> None:
    start = it._start_connector

    def start_anew(connector: Connector) -> None:
        it.memory.used_cables.clear()
        start(connector)

    it._start_connector = start_anew  # type: ignore[method-assign]  # one of its own


def interrupted(reason: str | None) -> Callable[[], Change]:
    """Another reason for what a power cut interrupted; None for none."""
    return req("StopTransaction", reason=... if reason is None else reason)


def loses_what_it_interrupts(it: ChargePoint) -> None:
    start = it._start

    def start_anew(reason: str, delay: float) -> None:
        it.memory.transactions.clear()
        it.memory.queue.clear()
        start(reason, delay)

    it._start = start_anew  # type: ignore[method-assign]  # one of its own


# Lost connections


def boots_on_every_connection(it: ChargePoint) -> None:
    connect = it._one_connection

    async def connect_anew() -> bool:
        it.registration = None
        return await connect()

    it._one_connection = connect_anew  # type: ignore[method-assign]  # one of its own


def backs_off(seconds: float) -> Setup:
    """So long before every attempt to connect but the first."""

    def setup(it: ChargePoint) -> None:
        connect, first = it._one_connection, True

        async def connect_late() -> bool:
            nonlocal first
            if not first:
                await asyncio.sleep(seconds)
            first = False
            return await connect()

        it._one_connection = connect_late  # type: ignore[method-assign]  # one of its own

    return setup


def untold(*statuses: str) -> Callable[[], Change]:
    """These are not told."""
    return lambda: lambda frame: [] if frame.payload.get("status") in statuses and frame.is_call else None


def told_as(status: str, of: str) -> Callable[[], Change]:
    """One status is told as another."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        return [frame.with_fields(status=status)] if frame.requests("StatusNotification", status=of) else None

    return lambda: change


def age(frame: Frame) -> float:
    """Seconds since the sample of a MeterValues.req was taken."""
    taken = parse_timestamp(frame.payload["meterValue"][0]["timestamp"])
    return (parse_timestamp(timestamp()) - taken).total_seconds()


def queued(send: Callable[[list[Frame]], Iterable[Frame | float]], count: int = 3) -> Callable[[], Change]:
    """The first samples that were queued, otherwise."""

    def make() -> Change:
        held: list[Frame] = []

        def change(frame: Frame) -> Iterable[Frame | float] | None:
            if not frame.requests("MeterValues") or age(frame) < 2 or len(held) >= count:
                return None
            held.append(frame)
            return send([each.again() for each in held]) if len(held) == count else []

        return change

    return make


def in_one(frames: list[Frame]) -> Iterable[Frame]:
    values = [value for frame in frames for value in frame.payload["meterValue"]]
    return [frames[0].with_fields(meterValue=values)]


def backwards(frames: list[Frame]) -> Iterable[Frame]:
    return frames[::-1]


def slowly_backwards(frames: list[Frame]) -> Iterable[Frame | float]:
    for frame in reversed(frames):
        yield from (frame, 3.0)


def slowly(frames: list[Frame]) -> Iterable[Frame | float]:
    for frame in frames:
        yield from (frame, 3.0)


def sampled(**fields: object) -> Callable[[], Change]:
    """Other fields in every sampledValue; ``...`` leaves one out."""

    def edited(value: Payload) -> Payload:
        return {name: each for name, each in {**value, **fields}.items() if each is not ...}

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.requests("MeterValues"):
            return None
        values = [
            {**entry, "sampledValue": [edited(value) for value in entry["sampledValue"]]}
            for entry in frame.payload["meterValue"]
        ]
        return [frame.with_fields(meterValue=values)]

    return lambda: change


def clock_is_off(seconds: float) -> Callable[[], Change]:
    def shifted(value: object) -> object:
        if isinstance(value, list):
            return [shifted(each) for each in value]
        if isinstance(value, dict):
            return {name: moved(name, each) for name, each in value.items()}
        return value

    def moved(name: str, value: object) -> object:
        if name == "timestamp":
            return timestamp(parse_timestamp(str(value)) + timedelta(seconds=seconds))
        return shifted(value)

    return lambda: lambda frame: [frame.holding(shifted(frame.payload))] if frame.is_call else None


def clock_aligned_too() -> Change:
    """Each sample is followed by a clock-aligned one that lies 7 s before it."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.requests("MeterValues"):
            return None
        (entry,) = frame.payload["meterValue"]
        moment = timestamp(parse_timestamp(entry["timestamp"]) - timedelta(seconds=7))
        values = [{**value, "context": "Sample.Clock"} for value in entry["sampledValue"]]
        beside = {"connectorId": 1, "meterValue": [{"timestamp": moment, "sampledValue": values}]}
        return [call("MeterValues", beside), frame]

    return change


def every_other(frame: Frame) -> bool:
    return bool(int(parse_timestamp(frame.payload["meterValue"][0]["timestamp"]).timestamp() // 60) % 2)


def samples_every(seconds: int) -> Setup:
    def setup(it: ChargePoint) -> None:
        number = it.configuration.number
        it.configuration.number = lambda name: (  # type: ignore[method-assign]  # one of its own
            seconds if name == "MeterValueSampleInterval" else number(name)
        )

    return setup


def knows_only(*ways: str) -> Setup:
    """Of the ways to start a transaction offline."""
    keys = ("AuthorizationCacheEnabled", "LocalAuthListEnabled", "AllowOfflineTxForUnknownId")
    missing = [key for key in keys if key not in ways]
    return in_turn(has(**dict.fromkeys(missing, "false")), lacks(*missing))


# Faults


def asks_although_faulted(it: ChargePoint) -> None:
    present = it.present

    async def ask_and_present(id_tag: str, connector: int | None = None) -> None:
        if it.connectors[1].fault:
            await it.request("Authorize", {"idTag": id_tag})
        await present(id_tag, connector)

    it.present = ask_and_present  # type: ignore[method-assign]  # one of its own


def starts_although_faulted(it: ChargePoint) -> None:
    present = it.present

    async def start_and_present(id_tag: str, connector: int | None = None) -> None:
        if it.connectors[1].fault:
            start = {"connectorId": 1, "idTag": id_tag, "meterStart": 0, "timestamp": timestamp()}
            await it.request("StartTransaction", start)
        await present(id_tag, connector)

    it.present = start_and_present  # type: ignore[method-assign]  # one of its own


def fails_as_a_whole(it: ChargePoint) -> None:
    fail, repair = it.fail, it.repair

    async def fail_wholly(connector: int, error_code: str = "OtherError") -> None:
        await fail(0, error_code)

    async def repair_wholly(connector: int) -> None:
        await repair(0)

    it.fail, it.repair = fail_wholly, repair_wholly  # type: ignore[method-assign]  # of its own


LAWFUL = {
    "ours": Variant(
        "nothing is left behind for the next case", charge_point=with_backup_power, numbers=f"{ALL} 003", strictly=True
    ),
    "ours without back-up power": Variant(
        "a power cut ends a transaction without a word",
        numbers="032_2 034 003",
        lacks=NO_BACKUP,
        strictly=True,
    ),
    "an operator who takes 20 s": Variant(
        "a step's time starts when the operator has confirmed",
        charge_point=in_turn(with_backup_power, has(ConnectionTimeOut="90")),
        numbers=ALL,
        delay=20,
    ),
    "an operator who is slower than ConnectionTimeOut": Variant(
        "9.1.6: it waits no longer for the EV driver, and offline nobody sees it",
        delay=61,
        numbers="024 037_1 039 041",
        inconclusive="024 037_1 039",
        reason="operator",
    ),
    "stops before a hard reset": Variant(
        "5.14 and errata 3.36 leave it the choice", charge_point=resets_by(stop_and_reboot), numbers="015 016 003"
    ),
    "stops and reboots at once": Variant(
        "4.9, errata 3.19: a status that passes need not be told",
        charge_point=resets_by(stop_and_reboot_at_once),
        numbers="015 016 003",
        remark="was not reported Finishing before",
    ),
    "stops and hangs up at once": Variant(
        "3.7: what was not confirmed is sent again", charge_point=resets_by(stop_and_hang_up), numbers="015 016 003"
    ),
    "a soft reset without a reboot": Variant(
        "5.14: it restarts its software if possible", charge_point=resets_by(only_stop), numbers="016 003"
    ),
    "resumes after a power cut": Variant(
        "the test case lets the EV driver stop it",
        charge_point=resumes,
        numbers="032_2 003",
        lacks=NO_BACKUP,
    ),
    "resumes after a power cut, SuspendedEV first": Variant(
        "4.9: the EV takes its time",
        before("SuspendedEV", of="Charging"),
        charge_point=resumes,
        numbers="032_2",
        lacks=NO_BACKUP,
    ),
    "resumes and stops all the same": Variant(
        "the idTag came when it had been stopped, and says nothing",
        req("StopTransaction", reason="PowerLoss", idTag=...),
        charge_point=resumes,
        numbers="032_2",
        lacks=NO_BACKUP,
    ),
    "resumes and stops without a reason": Variant(
        "4.10: Local may be left out",
        interrupted(None),
        charge_point=resumes,
        numbers="032_2",
        lacks=NO_BACKUP,
    ),
    "Unavailable and Available before Finishing": Variant(
        "032_2 lets them appear in between",
        before("Unavailable", "Available", of="Finishing"),
        numbers="032_2",
        lacks=NO_BACKUP,
    ),
    "Preparing after a restart": Variant(
        "the cases take either",
        charge_point=in_turn(with_backup_power, forgets_used_cables),
        numbers="015 016 032_1",
    ),
    "Preparing after a power cut": Variant(
        "4.9: nothing new to tell when the transaction is stopped",
        charge_point=forgets_used_cables,
        numbers="032_2",
        lacks=NO_BACKUP,
        remark="was not reported Preparing or Finishing",
    ),
    "BootNotification.req on every connection": Variant(
        "OCPP-J 5.4: it should not",
        charge_point=boots_on_every_connection,
        numbers=OFFLINE,
        remark="on a mere reconnection",
    ),
    "a back-off of 100 s": Variant("OCPP-J errata 3.4 names no limit", charge_point=backs_off(100), numbers=OFFLINE),
    "Charging passes untold": Variant(
        "4.9, errata 3.19: a status that passes need not be told",
        untold("Charging"),
        charge_point=knows_only("AllowOfflineTxForUnknownId"),
        numbers="037_2 037_3",
        remark="was not reported Charging before",
    ),
    "SuspendedEV before SuspendedEVSE": Variant(
        "4.9: the EV notices before it is told",
        before("SuspendedEV", of="SuspendedEVSE"),
        numbers="037_2",
    ),
    "samples in one MeterValues.req": Variant("6.31: meterValue is a list", queued(in_one), numbers="036"),
    "queued samples backwards": Variant(
        "3.7: chronological order is a SHOULD", queued(backwards), numbers="036", remark="was sent after that of"
    ),
    "queued samples backwards, one by one": Variant(
        "3.7: the latest is not the last", queued(slowly_backwards, 4), numbers="036", remark="was sent after that of"
    ),
    "queued samples one by one": Variant(
        "3.7: nothing says how fast they come",
        queued(slowly),
        numbers="036",
        data={"MeterValueSampleInterval": "57", "Tolerance": "15"},
    ),
    "timestamps in small letters": Variant(
        "RFC 3339 5.6", timestamps(lambda moment: timestamp(moment).lower()), numbers=f"036 {STARTS_OFFLINE}"
    ),
    "a fault takes the neighbour away first": Variant(
        "4.9: connectors have statuses of their own",
        lambda: (
            lambda frame: (
                [report(2, "Unavailable"), 0.5, frame, report(2, "Available")]
                if frame.requests("StatusNotification", status="Faulted")
                else None
            )
        ),
        numbers="041 003",
        connectors=2,
    ),
    "samples without a transactionId": Variant(
        "4.7: if applicable", req("MeterValues", transactionId=...), numbers="036", remark="transactionId is absent"
    ),
    "samples without a context": Variant("7.43: Sample.Periodic is the default", sampled(context=...), numbers="036"),
    "signed samples": Variant(
        "7.49; the test case document wants Raw", sampled(format="SignedData"), numbers="036", remark="SignedData"
    ),
    "clock-aligned samples beside": Variant("3.16.2", lambda: clock_aligned_too(), numbers="036"),
    "a clock that is 40 s off": Variant(
        "4.2: to set the clock is RECOMMENDED; the distances count", clock_is_off(40), numbers="036 037_1 038"
    ),
    "samples without transactionId": Variant(
        "6.31: optional, and what case 036 looks at is the time", req("MeterValues", transactionId=...), numbers="036"
    ),
    "offline with the cache only": Variant(
        "3.5", charge_point=knows_only("AuthorizationCacheEnabled"), numbers=STARTS_OFFLINE
    ),
    "offline as unknown only": Variant(
        "3.5.4", charge_point=knows_only("AllowOfflineTxForUnknownId"), numbers=STARTS_OFFLINE
    ),
    "AllowOfflineTxForUnknownId is read-only and false": Variant(
        "the cache will do", charge_point=fixed(AllowOfflineTxForUnknownId="false"), numbers=STARTS_OFFLINE
    ),
    "no way to start offline": Variant(
        "all three are optional: the device file says so",
        charge_point=knows_only(),
        numbers=STARTS_OFFLINE,
        inconclusive=STARTS_OFFLINE,
        reason="--lacks offline_transactions",
    ),
    "no MaxEnergyOnInvalidId": Variant(
        "9.1.14: optional, and without it nothing is granted",
        charge_point=lacks("MaxEnergyOnInvalidId"),
        numbers="037_2 037_3",
        remark="has no MaxEnergyOnInvalidId",
    ),
    "no reason for Local": Variant("4.10: it may be left out", interrupted(None), numbers="038 039"),
    "Authorize.req at a faulted connector": Variant(
        "4.1 forbids none", charge_point=asks_although_faulted, numbers="041"
    ),
    "a fault of the whole Charge Point": Variant(
        "041 asks for any fault state", charge_point=fails_as_a_whole, numbers="041 003"
    ),
}

UNLAWFUL = {
    "a case ends without power": Variant(
        "7.36; the next one waits for what follows the boot",
        lambda: (
            lambda frame: (
                [frame.with_fields(reason="Other")]
                if frame.requests("StopTransaction")
                else [3.0, frame]
                if frame.requests("StatusNotification") or frame.requests("BootNotification")
                else None
            )
        ),
        charge_point=with_backup_power,
        numbers="032_1 034 036 041",
        fails="032_1",
        reason="reason is Other",
    ),
    "samples of another transaction": Variant(
        "errata 3.16", req("MeterValues", transactionId=99), numbers="036", fails="036", reason="transactionId is 99"
    ),
    "does not connect again": Variant(
        "OCPP-J 5.4, errata 3.4",
        charge_point=backs_off(10_000),
        numbers="038",
        fails="038",
        reason="did not connect again",
    ),
    "a StopTransaction.req is lost with its connection": Variant(
        "3.7: it is queued until it is confirmed",
        charge_point=in_turn(resets_by(stop_and_hang_up), loses_what_it_interrupts),
        numbers="015",
        fails="015",
    ),
    "back-up power ends the transaction for another reason": Variant(
        "7.36; the next case has its power back",
        interrupted("Other"),
        charge_point=with_backup_power,
        numbers="032_1 034",
        fails="032_1",
    ),
    "a power cut ends the transaction for another reason": Variant(
        "7.36", interrupted("Other"), numbers="032_2", lacks=NO_BACKUP, fails="032_2"
    ),
    "resumes and stops for PowerLoss": Variant(
        "7.36: the EV driver stopped it",
        interrupted("PowerLoss"),
        charge_point=resumes,
        numbers="032_2",
        lacks=NO_BACKUP,
        fails="032_2",
    ),
    "a power cut ends the transaction for no reason": Variant(
        "4.10: without one it would be Local",
        interrupted(None),
        numbers="032_2",
        lacks=NO_BACKUP,
        fails="032_2",
    ),
    "forgets the transaction in a power cut": Variant(
        "errata 3.36, 4.10",
        charge_point=loses_what_it_interrupts,
        numbers="032_2",
        lacks=NO_BACKUP,
        fails="032_2",
    ),
    "stays Unavailable after a power cut": Variant(
        "errata 3.22: the current status",
        told_as("Unavailable", of="Finishing"),
        numbers="032_2",
        lacks=NO_BACKUP,
        fails="032_2",
        reason="connector 1 is reported Unavailable, expected one of Preparing, Finishing, Charging",
    ),
    "says nothing of the whole that is Unavailable": Variant(
        "5.2: what was changed is reported",
        lambda: lambda frame: [] if frame.requests("StatusNotification", connectorId=0, status="Unavailable") else None,
        numbers="034",
        fails="034",
        reason="no StatusNotification.req for connector 0 in 30 s, which is due by 5.2",
    ),
    "stops after a soft reset only": Variant(
        "5.14, errata 3.36: it stops them gracefully and then restarts",
        charge_point=resets_by(lambda it, _: ChargePoint._reset(it, "Hard")),
        numbers="016",
        fails="016",
    ),
    "every other sample is missing": Variant(
        "3.7: all are queued",
        lambda: lambda frame: [] if frame.requests("MeterValues") and every_other(frame) else None,
        numbers="036",
        fails="036",
    ),
    "samples of another interval": Variant(
        "9.1.19",
        charge_point=samples_every(45),
        numbers="036",
        fails="036",
    ),
    "Charging is not told": Variant("errata 3.19", untold("Charging"), numbers="037_1", fails="037_1"),
    "Finishing is not told": Variant("errata 3.19", untold("Finishing"), numbers="038", fails="038"),
    "starts although it is Faulted": Variant(
        "7.7: not available for energy delivery", charge_point=starts_although_faulted, numbers="041", fails="041"
    ),
    "Faulted without ConnectorLockFailure": Variant(
        "7.6", req("StatusNotification", errorCode="NoError"), numbers="024", fails="024"
    ),
}

# Central Systems


def unreachable(seconds: float) -> Callable[[CentralSystem], None]:
    """It admits nobody for so long after the connection of a case, the third one, has ended."""

    def setup(it: CentralSystem) -> None:
        admits, serve = it._admits, it._serve
        closed_at, served = float("-inf"), 0

        async def note(websocket: Any) -> None:
            nonlocal closed_at, served
            served += 1
            await serve(websocket)
            closed_at = asyncio.get_running_loop().time() if served > 2 else closed_at

        def decide(attempt: Attempt) -> Admission:
            is_early = asyncio.get_running_loop().time() < closed_at + seconds
            return Admission(HTTPStatus.SERVICE_UNAVAILABLE) if is_early else admits(attempt)

        it._admits = decide  # type: ignore[method-assign]  # one of its own
        it._serve = note  # type: ignore[method-assign]  # one of its own

    return setup


def beside_starts(action: str, payload: Payload) -> Callable[[], Change]:
    """A request of its own before each StartTransaction.conf."""

    def change(frame: Frame) -> Iterable[Frame | float] | None:
        return [call(action, payload), frame] if frame.answers("StartTransaction") else None

    return lambda: change


CENTRAL_SYSTEMS = "024 030 032_1 037_1 037_3 039"
POWER = "032_1 037_1 037_3 039"

LAWFUL_CENTRAL_SYSTEMS = {
    "ours": Variant("nothing is left behind for the next case", numbers=f"{CENTRAL_SYSTEMS} 003", strictly=True),
    "admits nobody for 30 s": Variant(
        "OCPP-J errata 3.4: a Charge Point backs off", central_system=unreachable(30), numbers=POWER
    ),
    "GetConfiguration.req when a transaction begins": Variant(
        "5.8: at any time", beside_starts("GetConfiguration", {}), numbers=POWER, remark="beside the test case"
    ),
    "StopTransaction.conf, Invalid": Variant(
        "4.10: a stop cannot be prevented", csms_conf("StopTransaction", idTagInfo={"status": "Invalid"}), numbers=POWER
    ),
}

UNLAWFUL_CENTRAL_SYSTEMS = {
    "Blocked for Invalid": Variant(
        "7.2: nobody has told it of the idTag",
        csms_conf("StartTransaction", idTagInfo={"status": "Blocked"}),
        numbers="037_3",
        fails="037_3",
    ),
    "a late StartTransaction.req is refused": Variant(
        "3.7: it is processed as any other",
        refused("StartTransaction"),
        numbers="037_1 037_3 039",
        fails="037_1 037_3 039",
    ),
    "a late StopTransaction.req is refused": Variant(
        "4.10, errata 3.18", refused("StopTransaction"), numbers="032_1 037_3 039", fails="032_1 037_3 039"
    ),
    "a report of a fault is refused": Variant("4.9", refused("StatusNotification"), numbers="024", fails="024"),
    "admits nobody any more": Variant(
        "OCPP-J 3.2",
        central_system=unreachable(10_000),
        numbers="037_1",
        fails="037_1",
    ),
    "another connector is unlocked": Variant("5.18", req("UnlockConnector", connectorId=2), numbers="030", fails="030"),
}


@pytest.mark.parametrize("name", LAWFUL)
def test_lawful(calendar: Calendar, name: str) -> None:
    LAWFUL[name].check(calendar, "Charge Point")


@pytest.mark.parametrize("name", UNLAWFUL)
def test_unlawful(calendar: Calendar, name: str) -> None:
    UNLAWFUL[name].check(calendar, "Charge Point")


@pytest.mark.parametrize("name", LAWFUL_CENTRAL_SYSTEMS)
def test_lawful_central_system(calendar: Calendar, name: str) -> None:
    LAWFUL_CENTRAL_SYSTEMS[name].check(calendar, "Central System")


@pytest.mark.parametrize("name", UNLAWFUL_CENTRAL_SYSTEMS)
def test_unlawful_central_system(calendar: Calendar, name: str) -> None:
    UNLAWFUL_CENTRAL_SYSTEMS[name].check(calendar, "Central System")
