"""Foreign Central Systems: who differs within the law passes, who breaks it fails where it shows."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from ocppj.clock import Calendar, timestamp
from ocppj.frames import Payload
from reference_csms.central_system import CentralSystem
from tests import basic_cases
from tests.variants.foreign import Change, Frame, Variant, call, echo, hang_up

ALL = basic_cases.CENTRAL_SYSTEM


def all_but(numbers: str) -> str:
    return " ".join(number for number in ALL.split() if number not in numbers.split())


# The cases whose message the operator has it send, those in which an idTag is authorized, and a transaction begun.
ASKED = "010 011_1 011_2 012 013 014 017_1 019_1 021 026 028 031 040_1 040_2"
AUTHORIZES = "003 004_1 004_2 005_1 010 011_1 011_2 012 023_1 023_2 023_3 028"
STARTS = "003 004_1 005_1 007 010 011_1 012 028"


def after_boot(*requests: tuple[str, Payload], wait: float = 0.2) -> Callable[[], Change]:
    """It sends requests of its own accord when a Charge Point has booted."""

    def change(frame: Frame) -> Iterable[Frame | float] | None:
        if not frame.answers("BootNotification"):
            return None
        return [frame, wait, *(call(action, payload) for action, payload in requests)]

    return lambda: change


def first(action: str, payload: Payload) -> Callable[[], Change]:
    """It sends another request before each that it is asked for."""
    return lambda: lambda frame: [call(action, payload), frame] if frame.is_call else None


def conf(action: str, **fields: object) -> Callable[[], Change]:
    """One .conf with other fields; ``...`` leaves one out."""
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.answers(action) else None


def req(action: str, **fields: object) -> Callable[[], Change]:
    """One request with other fields."""
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.requests(action) else None


def edited(field: str, edit: Callable[[Any], object]) -> Callable[[], Change]:
    """A field of every request and .conf that has it, edited."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        return [frame.with_fields(**{field: edit(frame.payload[field])})] if field in frame.payload else None

    return lambda: change


def slow(answers: float = 0.0, requests: float = 0.0) -> Callable[[], Change]:
    return lambda: lambda frame: [requests if frame.is_call else answers, frame]


def refused(action: str) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.refused("InternalError")] if frame.answers(action) else None


def answers_twice(frame: Frame) -> Iterable[Frame] | None:
    return None if frame.is_call else [frame, frame]


def asks_twice(frame: Frame) -> Iterable[Frame] | None:
    return [frame, frame.again()] if frame.is_call else None


def asks_nothing(frame: Frame) -> Iterable[Frame] | None:
    return [] if frame.is_call else None


def instead(of: Callable[[Frame], Frame | str | None]) -> Callable[[], Change]:
    """Every answer in one way; None for no answer."""

    def change(frame: Frame) -> Iterable[Frame | str] | None:
        if frame.is_call:
            return None
        answer = of(frame)
        return [] if answer is None else [answer]

    return lambda: change


def result(payload: object) -> Callable[[Frame], Frame]:
    return lambda frame: Frame(frame.action, [3, frame.message[1], payload])


def knows(id_tag: str) -> Callable[[CentralSystem], None]:
    def setup(it: CentralSystem) -> None:
        it.store.know_id_tag(id_tag, "Accepted")

    return setup


YES: dict[str, Callable[[], Payload]] = {
    "BootNotification": lambda: {"status": "Accepted", "currentTime": timestamp(), "interval": 300},
    "Heartbeat": lambda: {"currentTime": timestamp()},
    "Authorize": lambda: {"idTagInfo": {"status": "Accepted"}},
    "StartTransaction": lambda: {"transactionId": 1, "idTagInfo": {"status": "Accepted"}},
    "StopTransaction": dict,
    "StatusNotification": dict,
    "MeterValues": dict,
}

PROVISIONS: dict[str, Payload] = {
    "ChangeConfiguration": {"key": "HeartbeatInterval", "value": "300"},
    "GetConfiguration": {},
    "TriggerMessage": {"requestedMessage": "StatusNotification"},
    "SendLocalList": {"listVersion": 1, "updateType": "Full", "localAuthorizationList": []},
    "ClearChargingProfile": {},
    "DataTransfer": {"vendorId": "x"},
}


def of_its_own(action: str, payload: Payload) -> Callable[[], Change]:
    """It sends another request of an action right before the one that it is asked for."""
    return lambda: lambda frame: [call(action, payload), 0.5, frame] if frame.requests(action) else None


def long_before(action: str) -> Callable[[], Change]:
    """It sends a request when a Charge Point has booted, and none when it is asked for it."""

    def change() -> Change:
        sent: list[str] = []

        def instead(frame: Frame) -> Iterable[Frame] | None:
            if frame.requests(action):
                return []
            if frame.answers("BootNotification"):
                sent.clear()
            if not frame.answers("StatusNotification") or sent:
                return None
            sent.append(action)
            return [frame, call(action, {})]

        return instead

    return change


LAWFUL = {
    "GetConfiguration.req of its own before the one that it is asked for": Variant(
        "5.8: it changes nothing, and is not the one that was asked for",
        of_its_own("GetConfiguration", {"key": ["HeartbeatInterval"]}),
        numbers="019_1",
        remark="GetConfiguration.req was sent beside the test case",
    ),
    **{
        f"{action}.req after every boot": Variant(
            "chapter 5: at any time, and many a Central System brings a Charge Point up to date then",
            after_boot((action, payload)),
            numbers="001 010 021",
            remark=f"{action}.req was sent",
        )
        for action, payload in PROVISIONS.items()
    },
    "GetConfiguration.req at once after every boot": Variant(
        "5.8: at any time", after_boot(("GetConfiguration", {}), wait=0.0), remark="beside the test case"
    ),
    "everything after every boot": Variant("chapter 5", after_boot(*PROVISIONS.items())),
    "GetConfiguration.req before each request": Variant("5.8: it changes nothing", first("GetConfiguration", {})),
    "slow answers": Variant("OCPP-J 4.1.1: the time-out is the caller's, here 30 s", slow(answers=29)),
    "slow requests": Variant("the limit counts from the operator's word, here 30 s", slow(requests=29)),
    "requests that are too slow": Variant(
        "the operator confirmed and nothing came in time: nobody knows why",
        slow(requests=31),
        inconclusive=ASKED,
        reason="sent nothing",
    ),
    "an operator who takes 59 s": Variant("a step's time starts when the operator has confirmed", delay=59),
    "an operator who takes 115 s": Variant("the operator has 120 s", delay=115),
    "an operator who says done and does nothing": Variant(
        "the wire is the only witness", lambda: asks_nothing, inconclusive=ASKED, reason="sent nothing"
    ),
    "RemoteStartTransaction.req without connectorId": Variant(
        "6.33: optional", req("RemoteStartTransaction", connectorId=...)
    ),
    "RemoteStartTransaction.req with an idTag of its own": Variant(
        "5.11: whichever the Central System wants",
        req("RemoteStartTransaction", idTag="ANOTHER"),
        central_system=knows("ANOTHER"),
        remark="idTag is ANOTHER, VALID-7F3A91 was asked for",
    ),
    "idTag in lower case": Variant("7.28: a CiString20", edited("idTag", str.lower)),
    "keys in lower case": Variant(
        "6.9: a CiString50", edited("key", lambda key: key.lower() if isinstance(key, str) else key)
    ),
    "GetConfiguration.req, key []": Variant("6.23: no keys", req("GetConfiguration", key=[]), numbers="019_1"),
    **{
        f"interval {interval}": Variant(
            "4.2: any that is not negative", conf("BootNotification", interval=interval), numbers="001 003 004_2 013"
        )
        for interval in (0, 86400)
    },
    **{
        f"transactionId {number}": Variant(
            "6.46: any integer", conf("StartTransaction", transactionId=number), numbers="003 005_1 012 028"
        )
        for number in (0, -1)
    },
    "StopTransaction.conf, Invalid": Variant(
        "4.10: a stop cannot be prevented", conf("StopTransaction", idTagInfo={"status": "Invalid"})
    ),
    "Accepted until yesterday": Variant(
        "7.27: the date is there for the cache, the status is what the cases look at",
        conf("Authorize", idTagInfo={"status": "Accepted", "expiryDate": "2001-01-01T00:00:00Z"}),
        numbers="003 004_1 010",
    ),
    "currentTime without a zone": Variant(
        "3.14 recommends UTC and demands no zone; the JSON schema does",
        edited("currentTime", lambda time: time.rstrip("Z")),
        numbers="001 003",
        remark='is not a "date-time"',
    ),
    "currentTime of long ago": Variant(
        "4.6: a remark, for it could be our clock that is wrong",
        edited("currentTime", lambda _: "2001-01-01T00:00:00Z"),
        numbers="001 003",
        remark="currentTime is 2001",
    ),
}

UNLAWFUL = {
    "RemoteStartTransaction.req of its own before the one that it is asked for": Variant(
        "5.11: a session that no test case knows",
        of_its_own("RemoteStartTransaction", {"idTag": "ANOTHER"}),
        central_system=knows("ANOTHER"),
        numbers="010 026",
        fails="010 026",
    ),
    "GetConfiguration.req before it is asked for it, and none then": Variant(
        "5.8: what came before the asking is not what was asked for",
        long_before("GetConfiguration"),
        numbers="019_1",
        inconclusive="019_1",
        reason="sent nothing",
    ),
    "answers twice": Variant("OCPP-J 4.1.1: one answer to a CALL", lambda: answers_twice, fails=ALL),
    "asks twice": Variant(
        "the test case knows one; GetConfiguration.req changes nothing",
        lambda: asks_twice,
        fails=" ".join(number for number in ASKED.split() if number != "019_1"),
    ),
    "ChangeConfiguration.req before each request": Variant(
        "a change that no test case knows",
        first("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "100"}),
        fails=ASKED,
    ),
    "another transactionId": Variant(
        "5.12; TC_028 takes any", edited("transactionId", lambda number: number + 1), numbers="012 028", fails="012"
    ),
    "another connectorId": Variant("5.11, 5.18", edited("connectorId", lambda _: 2), fails="010 011_1 011_2 017_1"),
    "connectorId 0": Variant(
        "6.33, 6.53: above 0; TC_026 is asked for without one",
        edited("connectorId", lambda _: 0),
        fails="010 011_1 011_2 017_1 031",
    ),
    "an idTag that it does not accept itself": Variant(
        "5.11, 4.1", req("RemoteStartTransaction", idTag="NOBODY"), fails="010 011_1 011_2"
    ),
    "Hard for Soft": Variant("5.14", req("Reset", type="Hard"), numbers="013 014", fails="014"),
    "another value": Variant("5.3", req("ChangeConfiguration", value="61"), numbers="021 040_1 040_2", fails="021"),
    "keys that it was not asked for": Variant(
        "5.8", req("GetConfiguration", key=["HeartbeatInterval"]), numbers="019_1", fails="019_1"
    ),
    "accepts anyone": Variant(
        "4.1",
        lambda: lambda frame: [frame.holding(YES[frame.action]())] if frame.answers("Authorize") else None,
        fails="023_1 023_2 023_3",
        remark="accepts any idTag",
    ),
    "ConcurrentTx": Variant("4.8", conf("StartTransaction", idTagInfo={"status": "ConcurrentTx"}), fails=STARTS),
    **{
        f"{action}.req is refused": Variant(f"chapter 4, {action}", refused(action), fails=fails)
        for action, fails in {
            "Authorize": AUTHORIZES,
            "BootNotification": ALL,
            "Heartbeat": "001",
            "StartTransaction": STARTS,
            "StatusNotification": ALL,
            "StopTransaction": "005_1 012",
        }.items()
    },
    **{
        f"{action}.conf, {field} {value!r}": Variant(
            f"the schema of {action}.conf", conf(action, **{field: value}), numbers=numbers, fails=fails
        )
        for action, field, values, numbers, fails in (
            ("BootNotification", "status", (None, "x", ...), "001 010", "001 010"),
            ("BootNotification", "interval", ("15", 15.0, -1, ...), "001 010", "001 010"),
            ("BootNotification", "currentTime", (5, "yesterday", ...), "001 010", "001 010"),
            ("Heartbeat", "currentTime", ("yesterday", ...), "001 010", "001"),
            ("Authorize", "idTagInfo", (None, {}, {"status": "x"}, ...), "003 007", "003"),
            ("StartTransaction", "transactionId", ("5", 1.0, ...), "012 017_1", "012"),
            ("StartTransaction", "idTagInfo", ({}, {"status": 1}, ...), "012 017_1", "012"),
            ("StopTransaction", "idTagInfo", ({},), "012 017_1", "012"),
            ("StatusNotification", "x", (1,), "001 010", "001 010"),
        )
        for value in values
    },
}

REGISTERS_NOBODY = "4.2: without a BootNotification.conf that is Accepted no case begins"

NULL = {
    "answers {}": Variant(REGISTERS_NOBODY, instead(result({})), fails=ALL),
    "answers null": Variant(REGISTERS_NOBODY, instead(result(None)), fails=ALL),
    "is always Accepted, and no more": Variant(REGISTERS_NOBODY, instead(result({"status": "Accepted"})), fails=ALL),
    "never answers": Variant(REGISTERS_NOBODY, instead(lambda _: None), fails=ALL),
    "answers garbage": Variant(REGISTERS_NOBODY, instead(lambda _: "garbage"), fails=ALL),
    "refuses all": Variant(REGISTERS_NOBODY, instead(lambda frame: frame.refused("NotSupported")), fails=ALL),
    "sends everything back": Variant(REGISTERS_NOBODY, reflex=echo, fails=ALL),
    "closes at once": Variant(REGISTERS_NOBODY, reflex=hang_up, fails=ALL),
    "is always Pending": Variant(REGISTERS_NOBODY, conf("BootNotification", status="Pending", interval=5), fails=ALL),
    "is always Rejected": Variant(REGISTERS_NOBODY, conf("BootNotification", status="Rejected", interval=5), fails=ALL),
    "says yes to everything": Variant(
        "no case but TC_023 asks for a no; a remark says how little that proves",
        instead(lambda frame: frame.holding(YES[frame.action]())),
        fails="023_1 023_2 023_3",
        remark="accepts any idTag",
    ),
}


@pytest.mark.parametrize("name", LAWFUL)
def test_lawful(calendar: Calendar, name: str) -> None:
    LAWFUL[name].check(calendar, "Central System")


@pytest.mark.parametrize("name", UNLAWFUL)
def test_unlawful(calendar: Calendar, name: str) -> None:
    UNLAWFUL[name].check(calendar, "Central System")


@pytest.mark.parametrize("name", NULL)
def test_null_device(calendar: Calendar, name: str) -> None:
    replace(NULL[name], is_missed=False).check(calendar, "Central System")
