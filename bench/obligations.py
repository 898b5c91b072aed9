"""What holds in every test case without a sentence: each a pure function of a transcript, with its clause.

A breach of a SHALL fails the case, one of a SHOULD is a remark.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from typing import Literal

from bench.messages import (
    Message,
    answer_to,
    begins_connection,
    begins_or_ends_connection,
    call_of,
    messages,
    registration_told,
)
from ocppj.clock import parse_timestamp
from ocppj.errors import Finding, RemoteViolation
from ocppj.frames import Payload, decode
from ocppj.schemas import ACTIONS, FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Kind, faults
from ocppj.transcript import DIRECTIONS, Party, Record, other

BY_HAND = ("power_on", "restart", "regain_power")  # who does one of these has the Charge Point boot
NOT_WHILE_PENDING = ("RemoteStartTransaction", "RemoteStopTransaction")  # 4.2
TELL_PROGRESS = (
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "SignedFirmwareStatusNotification",
)
CONTRADICTIONS = (
    {"Uploaded", "UploadFailed"},
    {"Uploaded", "UploadFailure"},
    {"Downloaded", "DownloadFailed"},
    {"Installed", "InstallationFailed"},
    {"SignatureVerified", "InvalidSignature"},
)
# What a trigger asks for, where the action has another name (white paper 6.16).
TRIGGERED_BY_OTHER_NAMES = {
    ("ExtendedTriggerMessage", "FirmwareStatusNotification"): "SignedFirmwareStatusNotification",
    ("ExtendedTriggerMessage", "SignChargePointCertificate"): "SignCertificate",
}
TELL_INSTALLATION = ("FirmwareStatusNotification", "SignedFirmwareStatusNotification")
CLOCK_DEVIATION = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device is granted, in seconds."""

    message_timeout: float = 30.0
    long_operation_timeout: float = 120.0
    tolerance: float = 2.0  # the greatest time deviation
    settle_time: float = 2.0  # until what comes by itself has come: a report of a change, a surplus message
    silence_time: float = 10.0  # in which shows that nothing comes


@dataclass(frozen=True, slots=True)
class Breach:
    """A party broke an obligation at a place of the transcript."""

    party: Party
    index: int
    clause: str
    text: str
    severe: bool = True
    obligation: str = ""  # the name of what found it

    def __str__(self) -> str:
        return f"{self.text} ({self.clause})"


def answered(records: Sequence[Record], limits: Limits) -> Iterator[Breach]:
    """Every CALL whose connection stayed open for the message time-out is answered (OCPP 1.6, chapters 4 and 5)."""
    if not records:
        return
    end = parse_timestamp(records[-1]["timestamp"])
    rejected = False
    for message in messages(records):
        if (status := registration_told(message, records)) is not None:
            rejected = status == "Rejected"
        if message.type != "CALL":
            continue
        if rejected and message.sender == "Central System":  # 4.2: while Rejected it SHALL NOT respond
            continue
        deadline = message.time + timedelta(seconds=limits.message_timeout)
        answer = answer_to(message, records)
        if answer and answer.time <= deadline:
            continue
        if end < deadline or _connection_ended(records, message.index, deadline):
            continue
        text = f"{message.action}.req {message.unique_id} was not answered in {limits.message_timeout:g} s"
        yield Breach(other(message.sender), message.index, clause_of(message.action, "OCPP 1.6 4"), text)


def _connection_ended(records: Sequence[Record], index: int, deadline: datetime) -> bool:
    for record in records[index + 1 :]:
        if parse_timestamp(record["timestamp"]) > deadline:
            return False
        if begins_or_ends_connection(record):
            return True
    return False


def well_formed(records: Sequence[Record], _: Limits) -> Iterator[Breach]:
    """Frames are as OCPP-J 1.6 section 4 has them, payloads as their schemas and the specification have them."""
    for message in messages(records):
        for finding in _findings(message, records):
            text = finding.text if message.type == "INVALID" else f"{name_of(message, records)}: {finding.text}"
            yield Breach(message.sender, message.index, finding.clause, text, finding.severe)


def _findings(message: Message, records: Sequence[Record]) -> Iterator[Finding]:
    if "encoding" in message.record or message.record.get("fault", "").startswith("the message is not UTF-8"):
        yield Finding("OCPP-J 4.1.2", message.record["fault"])
        return
    try:
        _, found = decode(message.record["raw"])
    except RemoteViolation as violation:
        found = [violation.finding]
    for finding in found:
        yield Finding(f"OCPP-J {finding.clause}", finding.text, finding.severe)
    if message.type == "CALL":
        yield from _payload_findings(message.action, "req", message.payload, message.sender)
    elif message.type in ("CALLRESULT", "CALLERROR"):
        call = call_of(message, records)
        if call is None:
            yield Finding("OCPP-J 4.1.4", f"answers {message.unique_id!r}, which no CALL bears")
        elif (first := answer_to(call, records)) and first.index < message.index:
            yield Finding("OCPP-J 4.1.1", f"answers {call.action}.req {message.unique_id} once more")
        elif message.type == "CALLRESULT":
            yield from _payload_findings(call.action, "conf", message.payload, call.sender)


def _payload_findings(action: str, kind: Kind, payload: Payload, caller: Party) -> Iterator[Finding]:
    if action not in ACTIONS:
        if kind == "req":
            yield Finding("OCPP-J 4.2.1", f"{action!r} is no action of OCPP 1.6")
        return
    if action not in (FROM_CHARGE_POINT if caller == "Charge Point" else FROM_CENTRAL_SYSTEM):
        if kind == "req":
            yield Finding("OCPP 1.6 chapters 4 and 5", f"{action}.req is not for the {caller} to send")
        return
    for fault in faults(action, kind, payload):
        origin = "schema of" if fault.source == "schema" else "specification of"
        yield Finding(f"{origin} {action}.{kind}", str(fault), fault.severe)


def name_of(message: Message, records: Sequence[Record]) -> str:
    """A message as sentences name it: Authorize.req, Authorize.conf; its type if it is neither."""
    if message.type == "CALL":
        return f"{message.action}.req"
    call = call_of(message, records)
    return f"{call.action}.conf" if call and message.type == "CALLRESULT" else message.type


def registered(records: Sequence[Record], _: Limits) -> Iterator[Breach]:
    """Until it is accepted, a Charge Point sends nothing but BootNotification.req and what was triggered (4.2)."""
    refused, triggered, accepted = "", dict[str, float](), False
    for message in messages(records):
        if (status := registration_told(message, records)) is not None:
            refused, triggered, accepted = ("" if status == "Accepted" else status), {}, status == "Accepted"
        elif message.type == "CALL" and message.action in ("TriggerMessage", "ExtendedTriggerMessage"):
            asked = _triggered(message)
            of_all = asked in ("StatusNotification", "MeterValues") and "connectorId" not in message.payload  # 5.17
            triggered[asked] = triggered.get(asked, 0) + (inf if of_all else 1)
            if asked == "BootNotification" and accepted:  # 5.17 itself does not forbid it
                text = "BootNotification.req was asked for after the Charge Point was accepted"
                yield Breach("Central System", message.index, "OCPP 1.6 errata 3.40", text, severe=False)
        elif refused == "Pending" and message.type == "CALL" and message.action in NOT_WHILE_PENDING:
            text = f"{message.action}.req was sent while the registration was Pending"
            yield Breach("Central System", message.index, "OCPP 1.6 4.2", text)
        elif message.type == "CALL" and message.action == "BootNotification":
            accepted = False  # errata 3.40: until it sends another
        elif message.type == "CALL" and message.sender == "Charge Point" and refused:
            if refused == "Pending" and triggered.get(message.action, 0) > 0:
                triggered[message.action] -= 1
                continue
            text = f"{message.action}.req was sent while the registration was {refused}"
            yield Breach("Charge Point", message.index, "OCPP 1.6 4.2", text)


def _triggered(trigger: Message) -> str:
    """The action that a TriggerMessage.req or an ExtendedTriggerMessage.req asks for."""
    asked = str(trigger.payload.get("requestedMessage"))
    return TRIGGERED_BY_OTHER_NAMES.get((trigger.action, asked), asked)


def unreachable(records: Sequence[Record], _: Limits) -> Iterator[Breach]:
    """While Rejected, a Charge Point SHALL NOT respond, and the Central System SHOULD NOT ask (4.2)."""
    rejected_at: int | None = None
    for message in messages(records):
        if (status := registration_told(message, records)) is not None:
            rejected_at = message.index if status == "Rejected" else None
        elif rejected_at is not None and message.type == "CALL" and message.sender == "Central System":
            text = f"{message.action}.req was sent while the registration was Rejected"
            yield Breach("Central System", message.index, "OCPP 1.6 4.2", text, severe=False)
        elif rejected_at is not None and message.type != "CALL" and message.sender == "Charge Point":
            call = call_of(message, records)
            if call is not None and call.index > rejected_at:
                text = f"{call.action}.req was answered while the registration was Rejected"
                yield Breach("Charge Point", message.index, "OCPP 1.6 4.2", text)


def boots_first(records: Sequence[Record], _: Limits) -> Iterator[Breach]:
    """Between a reboot and the BootNotification.conf to it a Charge Point sends no other request (4.2).

    Whoever has only lost his connection does not boot, and needs no BootNotification.req (OCPP-J 5.4). So a breach
    takes both: a reason to reboot before the connection was opened, and a BootNotification.req on it.
    """
    phase: Literal["running", "going down", "connected", "booting"] = "running"
    early: list[Message] = []
    for index, record in enumerate(records):
        if _has_it_reboot(index, records):
            phase = "going down"
        elif phase != "running" and begins_connection(record):
            phase, early = "connected", []
        elif record["kind"] == "frame" and phase in ("connected", "booting"):
            message = Message(index, record)
            if registration_told(message, records) is not None:
                phase = "running"  # for Pending and Rejected see above
            elif message.action == "BootNotification":
                phase = "booting"
            elif message.type == "CALL" and message.sender == "Charge Point":
                early.append(message)
            if phase == "booting":
                yield from map(_too_early, early)
                early = []


def _has_it_reboot(index: int, records: Sequence[Record]) -> bool:
    """Whether a record tells why the Charge Point is about to reboot: by hand, by Reset.req or for its firmware."""
    record = records[index]
    if record["kind"] == "stimulus":
        return record["action"] in BY_HAND
    if record["kind"] != "frame" or record["direction"] != DIRECTIONS["Charge Point"]:
        return False
    message = Message(index, record)
    if message.type == "CALLRESULT":
        call = call_of(message, records)
        return call is not None and call.action == "Reset" and message.payload.get("status") == "Accepted"
    about_to = ("Installing", "InstallRebooting")
    return message.action in TELL_INSTALLATION and message.payload.get("status") in about_to


def _too_early(message: Message) -> Breach:
    text = f"{message.action}.req was sent after a reboot, before BootNotification.conf"
    # Test case 044_1 has Installed before or after the BootNotification.req and does not say on which connection.
    return Breach("Charge Point", message.index, "OCPP 1.6 4.2", text, severe=message.action not in TELL_INSTALLATION)


def idle_when_triggered(records: Sequence[Record], _: Limits) -> Iterator[Breach]:
    """That nothing is uploaded or installed SHALL only be told on request (4.4, 4.5). A remark: no test case minds."""
    asked: set[str] = set()
    for message in messages(records):
        if message.type != "CALL":
            continue
        if message.action in ("TriggerMessage", "ExtendedTriggerMessage"):
            asked.add(_triggered(message))
        elif message.action in TELL_PROGRESS and message.payload.get("status") == "Idle":
            if message.action not in asked:
                text = f"{message.action}.req told Idle, which nobody had asked for"
                yield Breach(message.sender, message.index, clause_of(message.action), text, severe=False)


def one_end(records: Sequence[Record], _: Limits) -> Iterator[Breach]:
    """What has ended one way does not end another way, unless it was begun again (4.4, 4.5)."""
    latest: dict[str, str] = {}
    for message in messages(records):
        status = str(message.payload.get("status"))
        if message.type != "CALL" or message.action not in TELL_PROGRESS or status == "Idle":
            continue
        if {latest.get(message.action), status} in CONTRADICTIONS:
            text = f"{message.action}.req told {status} after {latest[message.action]}"
            yield Breach(message.sender, message.index, clause_of(message.action), text)
        latest[message.action] = status


def clock(records: Sequence[Record], _: Limits) -> Iterator[Breach]:
    """The Central System tells the present time (4.2, 4.6). A remark only: it could be ours that is wrong."""
    for message in messages(records):
        if message.type != "CALLRESULT" or "currentTime" not in message.payload:
            continue
        try:
            told = parse_timestamp(str(message.payload["currentTime"]))
        except ValueError:
            continue
        if abs(told - message.time) > CLOCK_DEVIATION:
            text = f"currentTime is {message.payload['currentTime']}, it is {message.record['timestamp']} here"
            yield Breach(message.sender, message.index, "OCPP 1.6 4.6", text, severe=False)


def unique_ids(records: Sequence[Record], _: Limits) -> Iterator[Breach]:
    """An id serves one message (OCPP-J 4.1.4); a retry may bear that of its original (errata 3.1, 2025-04)."""
    connection = 0
    used: dict[tuple[Party, str], tuple[int, Message]] = {}
    for index, record in enumerate(records):
        if begins_or_ends_connection(record):
            connection += 1
        elif record["kind"] == "frame" and record["messageType"] == "CALL":
            message = Message(index, record)
            key = (message.sender, message.unique_id)
            if key not in used:
                used[key] = (connection, message)
                continue
            before, first = used[key]
            answer = answer_to(first, records)
            is_retry = answer is None or answer.index > index
            if is_retry and (first.action, first.payload) == (message.action, message.payload):
                continue
            text = f"{message.action}.req bears the unique id {message.unique_id} of an earlier {first.action}.req"
            same = before == connection
            clause = "OCPP-J 4.1.4" if same else "OCPP-J errata 3.1"
            yield Breach(message.sender, index, clause, text, severe=same)


def one_at_a_time(records: Sequence[Record], limits: Limits) -> Iterator[Breach]:
    """A party SHOULD NOT send a CALL before the one before is answered or timed out (OCPP-J 4.1.1)."""
    pending: dict[Party, Message] = {}
    for index, record in enumerate(records):
        if begins_or_ends_connection(record):
            pending.clear()
        if record["kind"] != "frame":
            continue
        message = Message(index, record)
        if message.type == "CALL":
            before = pending.get(message.sender)
            if before and message.time < before.time + timedelta(seconds=limits.message_timeout):
                text = f"{message.action}.req was sent while {before.action}.req {before.unique_id} was unanswered"
                yield Breach(message.sender, index, "OCPP-J 4.1.1", text, severe=False)
            pending[message.sender] = message
        elif message.type in ("CALLRESULT", "CALLERROR"):
            caller = other(message.sender)
            if caller in pending and pending[caller].unique_id == message.unique_id:
                del pending[caller]


def transaction_order(records: Sequence[Record], limits: Limits) -> Iterator[Breach]:
    """New transaction messages wait for the queued ones (SHALL), all go in chronological order (SHOULD): 3.7."""
    tolerance = timedelta(seconds=limits.tolerance)
    latest: tuple[datetime, Message] | None = None
    for message in messages(records):
        moment = _moment(message)
        if moment is None:
            continue
        if latest and moment < latest[0]:
            overtook = abs(latest[1].time - latest[0]) <= tolerance < message.time - moment
            text = f"{message.action}.req of {moment.isoformat()} was sent after {latest[1].action}.req of later date"
            # 9.1.5: clock-aligned data bear the beginning of their interval, and tell not when they were ready.
            severe = overtook and "Sample.Clock" not in _contexts(message.payload)
            yield Breach("Charge Point", message.index, "OCPP 1.6 3.7", text, severe=severe)
        else:
            latest = (moment, message)


def _moment(message: Message) -> datetime | None:
    if message.type != "CALL" or message.sender != "Charge Point":
        return None
    try:
        if message.action in ("StartTransaction", "StopTransaction"):
            return parse_timestamp(message.payload["timestamp"])
        if message.action == "MeterValues" and _is_periodic(message.payload):
            measured = [each for each in message.payload["meterValue"] if not _is_of_interval(each)]
            return parse_timestamp(measured[0]["timestamp"]) if measured else None
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return None  # well_formed speaks of it
    return None


def _is_periodic(payload: Payload) -> bool:
    return "transactionId" in payload and _contexts(payload) <= {None, "Sample.Periodic", "Sample.Clock"}


def _contexts(payload: Payload) -> set[str | None]:
    return {value.get("context") for entry in payload.get("meterValue", []) for value in entry["sampledValue"]}


def _is_of_interval(meter_value: Payload) -> bool:
    values = meter_value["sampledValue"]
    return all(
        value.get("context") == "Sample.Clock" and str(value.get("measurand")).endswith(".Interval") for value in values
    )


def local_lists(records: Sequence[Record], _: Limits) -> Iterator[Breach]:
    """No idTag comes twice in a SendLocalList.req (6.41), and none without idTagInfo in a full list (7.1)."""
    for message in messages(records):
        if message.type != "CALL" or message.action != "SendLocalList" or not isinstance(message.payload, dict):
            continue
        found = message.payload.get("localAuthorizationList")
        entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
        times = Counter(str(entry.get("idTag")).casefold() for entry in entries)  # 7.28
        if twice := [id_tag for id_tag, count in times.items() if count > 1]:
            text = f"SendLocalList.req holds idTag {twice[0]} more than once"
            yield Breach(message.sender, message.index, "OCPP 1.6 6.41", text)
        if message.payload.get("updateType") == "Full" and any("idTagInfo" not in entry for entry in entries):
            text = "SendLocalList.req is a full list and holds an idTag without idTagInfo"
            yield Breach(message.sender, message.index, "OCPP 1.6 7.1", text)


def charging_profiles(records: Sequence[Record], _: Limits) -> Iterator[Breach]:
    """A charging profile is of a shape, and set at a place, that it may have (3.13.1, 5.16, 7.8 and 7.13)."""
    for message in messages(records):
        for clause, text in _profile_findings(message):
            yield Breach(message.sender, message.index, clause, f"{message.action}.req: {text}")


def _profile_findings(message: Message) -> Iterator[tuple[str, str]]:
    name = {"SetChargingProfile": "csChargingProfiles", "RemoteStartTransaction": "chargingProfile"}
    profile = _inner(message.payload, name.get(message.action, "")) if message.type == "CALL" else {}
    if not profile:
        return
    purpose, connector = profile.get("chargingProfilePurpose"), message.payload.get("connectorId")
    periods = _inner(profile, "chargingSchedule").get("chargingSchedulePeriod")
    first = periods[0] if isinstance(periods, list) and periods else {}
    if isinstance(first, dict) and first.get("startPeriod", 0) != 0:
        yield "OCPP 1.6 errata 3.45", f"the first startPeriod is {first['startPeriod']}, not 0"
    if "recurrencyKind" in profile and profile.get("chargingProfileKind") != "Recurring":
        yield "OCPP 1.6 errata 3.56", "recurrencyKind belongs to the chargingProfileKind Recurring"
    if message.action == "RemoteStartTransaction":
        if purpose != "TxProfile":
            yield "OCPP 1.6 5.16.2", f"the chargingProfilePurpose is {purpose}, not TxProfile"
        if "transactionId" in profile:
            yield "OCPP 1.6 5.16.2", "the charging profile has a transactionId"
        return
    if "transactionId" in profile and purpose != "TxProfile":
        yield "OCPP 1.6 7.8", f"the transactionId belongs to a TxProfile, this is a {purpose}"
    if (purpose == "ChargePointMaxProfile" and connector != 0) or (purpose == "TxProfile" and connector == 0):
        yield "OCPP 1.6 3.13.1", f"a {purpose} at connector {connector}"


def _inner(payload: object, name: str) -> Payload:
    inner = payload.get(name) if isinstance(payload, dict) else None
    return inner if isinstance(inner, dict) else {}


Obligation = Callable[[Sequence[Record], Limits], Iterator[Breach]]

OBLIGATIONS: tuple[Obligation, ...] = (
    answered,
    well_formed,
    registered,
    unreachable,
    boots_first,
    idle_when_triggered,
    one_end,
    clock,
    unique_ids,
    one_at_a_time,
    transaction_order,
    charging_profiles,
    local_lists,
)


def breaches(records: Sequence[Record], limits: Limits) -> list[Breach]:
    """Every breach of every obligation, in the order of the transcript."""
    found = [
        replace(breach, obligation=obligation.__name__)
        for obligation in OBLIGATIONS
        for breach in obligation(records, limits)
    ]
    return sorted(found, key=lambda breach: breach.index)


# Where OCPP 1.6 edition 2 speaks of each action.
CLAUSES = {
    "Authorize": "4.1",
    "BootNotification": "4.2",
    "DataTransfer": "4.3",
    "DiagnosticsStatusNotification": "4.4",
    "FirmwareStatusNotification": "4.5",
    "Heartbeat": "4.6",
    "MeterValues": "4.7",
    "StartTransaction": "4.8",
    "StatusNotification": "4.9",
    "StopTransaction": "4.10",
    "CancelReservation": "5.1",
    "ChangeAvailability": "5.2",
    "ChangeConfiguration": "5.3",
    "ClearCache": "5.4",
    "ClearChargingProfile": "5.5",
    "GetCompositeSchedule": "5.7",
    "GetConfiguration": "5.8",
    "GetDiagnostics": "5.9",
    "GetLocalListVersion": "5.10",
    "RemoteStartTransaction": "5.11",
    "RemoteStopTransaction": "5.12",
    "ReserveNow": "5.13",
    "Reset": "5.14",
    "SendLocalList": "5.15",
    "SetChargingProfile": "5.16",
    "TriggerMessage": "5.17",
    "UnlockConnector": "5.18",
    "UpdateFirmware": "5.19",
}

# And where the security white paper does.
WHITE_PAPER = {
    "CertificateSigned": "A02",
    "DeleteCertificate": "M04",
    "ExtendedTriggerMessage": "5.5",
    "GetInstalledCertificateIds": "M03",
    "GetLog": "N01",
    "InstallCertificate": "M05",
    "LogStatusNotification": "N01",
    "SecurityEventNotification": "A04",
    "SignCertificate": "A02",
    "SignedFirmwareStatusNotification": "L01",
    "SignedUpdateFirmware": "L01",
}


def clause_of(action: str, default: str = "") -> str:
    """The clause that is about an action."""
    if action in WHITE_PAPER:
        return f"white paper {WHITE_PAPER[action]}"
    return f"OCPP 1.6 {CLAUSES[action]}" if action in CLAUSES else default
