"""Requests that no sentence has claimed: which of them fail a case, and what a party may send all the same."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile

from bench.messages import Message, answer_to, messages, spans_connections, told_first
from bench.obligations import BY_HAND
from bench.verdicts import Remark
from ocppj.schemas import ACTIONS
from ocppj.transcript import Party, Record

# Requests that may not go unclaimed: they start, stop or change something.
CONSEQUENTIAL: dict[Party, frozenset[str]] = {
    "Charge Point": frozenset({"Authorize", "BootNotification", "StartTransaction", "StopTransaction"}),
    "Central System": frozenset(
        {
            "CancelReservation",
            "CertificateSigned",
            "ChangeAvailability",
            "ChangeConfiguration",
            "ClearCache",
            "ClearChargingProfile",
            "DeleteCertificate",
            "InstallCertificate",
            "RemoteStartTransaction",
            "RemoteStopTransaction",
            "ReserveNow",
            "Reset",
            "SendLocalList",
            "SetChargingProfile",
            "SignedUpdateFirmware",
            "UnlockConnector",
            "UpdateFirmware",
        }
    ),
}

# What many a Central System sends when a Charge Point has booted, to bring it up to date.
PROVISIONING = frozenset(
    {
        *("ChangeConfiguration", "ClearCache", "ClearChargingProfile", "InstallCertificate"),
        *("SendLocalList", "SetChargingProfile"),
    }
)

# Requests that a Charge Point keeps until they are confirmed, and sends again (3.7).
QUEUED = frozenset({"MeterValues", "StartTransaction", "StopTransaction"})

# Who does one of these has the Charge Point boot; the others are no reason to.
BOOTING = frozenset({*BY_HAND, "Reset"})

# What our Charge Point does about its network is nothing that a Central System is asked for.
OF_THE_NETWORK = frozenset({"knock", "lose_connection", "restore_connection"})

# After one of these a connection may end.
ENDING = BOOTING - {"power_on"} | OF_THE_NETWORK | {"lose_power", "UpdateFirmware", "SignedUpdateFirmware"}

# Who is sent one of these connects anew (white paper A01, A05.FR.07; A02.FR.08).
RECONNECTING_KEYS = frozenset({"authorizationkey", "securityprofile"})

# Whether an unclaimed request is one of a kind: the request, what came before it, who is judged.
Kind = Callable[[Message, Sequence[Record], Party], bool]


def _brings_up_to_date(message: Message, before: Sequence[Record], judged: Party) -> bool:
    """Sent when nobody has done anything since the Charge Point booted."""
    if message.action not in PROVISIONING:
        return False
    for record in reversed(before):
        if record["kind"] == "stimulus" and record["action"] not in OF_THE_NETWORK:
            if record["party"] == judged or record["action"] not in ACTIONS:
                return False
        if record.get("action") == "BootNotification":
            return True
    return False


def _asks_about_reserved(message: Message, before: Sequence[Record], _: Party) -> bool:
    """For the idTag that a connector is reserved for."""
    return message.action == "Authorize" and any(
        call.action == "ReserveNow" and _folded(call.payload.get("idTag")) == _folded(message.payload.get("idTag"))
        for call in messages(before)
    )


def _synchronises_list(message: Message, before: Sequence[Record], _: Party) -> bool:
    """Sent when the Charge Point has just told its list's version, or that it took none."""
    if message.action != "SendLocalList":
        return False
    for earlier in reversed(list(messages(before))):
        if earlier.type == "CALL" and earlier.action in ("GetLocalListVersion", "SendLocalList"):
            answer = answer_to(earlier, before)
            return answer is not None and answer.payload.get("status") != "Accepted"
    return False


def _repeats(message: Message, before: Sequence[Record], _: Party) -> bool:
    """Tells once more what was told on a connection that has ended since."""
    if message.action not in QUEUED:
        return False
    earlier = told_first(message, before)
    return earlier is not None and spans_connections(before[earlier.index :])


def _merely_reconnects(message: Message, before: Sequence[Record], _: Party) -> bool:
    """Sent by a Charge Point that has only been offline, or has taken over other credentials."""
    if message.action != "BootNotification":
        return False
    for record in reversed(before):
        if _has_it_reconnect(record):
            return True
        if record["kind"] == "stimulus" and record["action"] in (*BOOTING, "restore_connection"):
            return bool(record["action"] == "restore_connection")
    return False


def _has_it_reconnect(record: Record) -> bool:
    if record["kind"] != "frame" or record.get("messageType") != "CALL":
        return False
    is_new_key = _folded(record["payload"].get("key")) in RECONNECTING_KEYS
    return record["action"] == "CertificateSigned" or (record["action"] == "ChangeConfiguration" and is_new_key)


def ends_for_no_reason(records: Sequence[Record]) -> list[Record]:
    """Where a connection has ended before anything in the case had one end, or the Charge Point boot."""
    return [record for record in takewhile(_ends_nothing, records) if record.get("event") == "closed"]


def _ends_nothing(record: Record) -> bool:
    is_done = record["kind"] == "stimulus" or record.get("messageType") == "CALL"
    return not (is_done and record["action"] in ENDING) and not _has_it_reconnect(record)


def _signs_what_was_asked(message: Message, before: Sequence[Record], _: Party) -> bool:
    """The certificate that a Charge Point has asked for, once for each time."""
    if message.action != "CertificateSigned":
        return False
    came = [call.action for call in messages(before) if call.type == "CALL"]
    return came.count("SignCertificate") > came.count("CertificateSigned")


def _tells_of_conflict(message: Message, _before: Sequence[Record], _judged: Party) -> bool:
    return message.payload.get("errorCode") == "LocalListConflict"


# What is no surplus, and the remark on it, if any, which may name the action.
EXCUSES: tuple[tuple[Kind, Remark | None], ...] = (
    # 5.3 to 5.16 let a Central System do so at any time, and many do it after every boot.
    (_brings_up_to_date, Remark("{action}.req was sent after the boot", strict=True)),
    # 5.13 recommends it.
    (_asks_about_reserved, Remark("the idTag of a reservation was asked about", "OCPP 1.6 5.13", strict=True)),
    # 5.10 and 5.15 are for that.
    (
        _synchronises_list,
        Remark("SendLocalList.req followed what the Charge Point told of its list", "OCPP 1.6 5.15"),
    ),
    # 3.7: nobody knows whether the answer arrived before the connection ended.
    (_repeats, None),
    (
        _merely_reconnects,
        Remark("BootNotification.req was sent on a mere reconnection", "OCPP-J 1.6 5.4", strict=True),
    ),
    # White paper A02, A03: whenever the Charge Point asks, by itself or because it was asked to.
    (
        _signs_what_was_asked,
        Remark("CertificateSigned.req followed SignCertificate.req", "white paper A02", strict=True),
    ),
    # 3.5.2: it SHALL be reported.
    (_tells_of_conflict, None),
)


def excuse(message: Message, records: Sequence[Record], judged: Party) -> tuple[bool, Remark | None]:
    """Whether an unclaimed request is no surplus, and the remark that it gives."""
    before = records[: message.index]
    for is_of_kind, remark in EXCUSES:
        if is_of_kind(message, before, judged):
            return True, remark and replace(remark, text=remark.text.format(action=message.action))
    return False, None


def _folded(id_tag: object) -> str:
    return str(id_tag).casefold()
