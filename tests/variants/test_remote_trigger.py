"""Foreign devices and the cases about remote trigger."""

from collections.abc import Callable, Iterable

import pytest

from ocppj.clock import Calendar, timestamp
from ocppj.errors import Refused
from ocppj.frames import Payload
from simulator.charge_point import ChargePoint
from tests.variants.foreign import Change, Frame, Variant, call

CASES = "054 055"

Handle = Callable[[Payload], Payload]


def lacks_firmware_management(it: ChargePoint) -> None:
    it.profiles = tuple(profile for profile in it.profiles if profile != "FirmwareManagement")


def answers(of: Callable[[Payload], bool], status: str) -> Callable[[ChargePoint], None]:
    """Some triggers have another status, and nothing is sent."""

    def setup(it: ChargePoint) -> None:
        handle = it.handlers["TriggerMessage"]

        def trigger(it: ChargePoint, request: Payload) -> Payload:
            return {"status": status} if of(request) else handle(it, request)

        it.handlers["TriggerMessage"] = trigger

    return setup


def for_message(message: str) -> Callable[[Payload], bool]:
    return lambda request: bool(request["requestedMessage"] == message)


def refuses_connectors(it: ChargePoint) -> None:
    handle = it.handlers["TriggerMessage"]

    def trigger(it: ChargePoint, request: Payload) -> Payload:
        if request.get("connectorId", 1) not in it.connectors:
            raise Refused("PropertyConstraintViolation", "there is no such connector")
        return handle(it, request)

    it.handlers["TriggerMessage"] = trigger


def takes_no_longer_interval_than(most: int) -> Callable[[ChargePoint], None]:
    def setup(it: ChargePoint) -> None:
        change = it.handlers["ChangeConfiguration"]

        def changed(it: ChargePoint, request: Payload) -> Payload:
            if request["key"] == "HeartbeatInterval" and int(request["value"]) > most:
                return {"status": "Rejected"}
            return change(it, request)

        it.handlers["ChangeConfiguration"] = changed

    return setup


def keeps_its_heartbeat(it: ChargePoint) -> None:
    """A changed HeartbeatInterval counts after the next boot alone."""
    del it.configuration.listeners["HeartbeatInterval"]
    registered = it._registered

    def register(conf: Payload, at: float) -> None:
        registered(conf, at)
        it._restart_heartbeats()

    it._registered = register  # type: ignore[method-assign]  # this one device


def ignores_heartbeat_triggers(it: ChargePoint) -> None:
    answers(for_message("Heartbeat"), "Accepted")(it)


def both(*setups: Callable[[ChargePoint], None]) -> Callable[[ChargePoint], None]:
    def setup(it: ChargePoint) -> None:
        for each in setups:
            each(it)

    return setup


def late(seconds: float) -> Callable[[], Change]:
    """What is triggered comes later."""
    return lambda: lambda frame: [seconds, frame] if frame.is_call and frame.action != "BootNotification" else None


def without_context(frame: Frame) -> Iterable[Frame] | None:
    if not frame.requests("MeterValues"):
        return None
    (value,) = frame.payload["meterValue"]
    samples = [{name: it for name, it in sample.items() if name != "context"} for sample in value["sampledValue"]]
    return [frame.with_fields(meterValue=[value | {"sampledValue": samples}])]


def main_meter_first(frame: Frame) -> Iterable[Frame] | None:
    return [call("MeterValues", frame.payload | {"connectorId": 0}), frame] if frame.requests("MeterValues") else None


def every_status(frame: Frame) -> Iterable[Frame] | None:
    if not frame.requests("StatusNotification", connectorId=1):
        return None
    report = {"connectorId": 0, "errorCode": "NoError", "status": "Available", "timestamp": timestamp()}
    return [call("StatusNotification", report), frame]


def instead(action: str, **fields: object) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.requests(action) else None


def never(action: str) -> Callable[[], Change]:
    return lambda: lambda frame: [] if frame.requests(action) else None


def before_the_conf(action: str) -> Callable[[], Change]:
    """It sends what is triggered before it says that it will, and not again."""

    def make() -> Change:
        sent: list[Frame] = []

        def change(frame: Frame) -> Iterable[Frame] | None:
            if frame.answers("TriggerMessage"):
                sent.append(frame)
                return [call(action, {}), frame]
            if frame.requests(action) and sent:
                return []
            return None

        return change

    return make


def beats_when_changed() -> Change:
    def change(frame: Frame) -> Iterable[Frame] | None:
        return [frame, call("Heartbeat", {})] if frame.answers("ChangeConfiguration") else None

    return change


CHARGE_POINTS = {
    "no firmware management": Variant(
        "5.17: NotImplemented; the draft of 2025-06 has both optional",
        charge_point=lacks_firmware_management,
        numbers=CASES,
        remark="NotImplemented",
    ),
    "no firmware trigger": Variant(
        "TC_054: Accepted or NotImplemented",
        charge_point=answers(for_message("FirmwareStatusNotification"), "NotImplemented"),
        numbers=CASES,
        strictly=True,
    ),
    "a connector that is not there is refused": Variant(
        "TC_055: any CALLERROR", charge_point=refuses_connectors, numbers=CASES, strictly=True
    ),
    "two connectors where the data say one": Variant("9.1.21: NumberOfConnectors", connectors=2, numbers=CASES),
    "one connector where the data say three": Variant(
        "9.1.21: NumberOfConnectors", numbers=CASES, data={"NumberOfConnectors": "3"}
    ),
    "it takes its time": Variant("5.17 sets no time; 30 s here", late(5), numbers=CASES),
    "no context": Variant("7.43: optional", lambda: without_context, numbers=CASES),
    "the main meter too": Variant("4.7", lambda: main_meter_first, numbers=CASES),
    "the status of the Charge Point too": Variant("4.9 forbids none", lambda: every_status, numbers=CASES),
    "an hour is the longest interval": Variant(
        "5.3: what is out of range may be Rejected", charge_point=takes_no_longer_interval_than(3600), numbers=CASES
    ),
    "its interval cannot be made longer": Variant(
        "5.3", charge_point=takes_no_longer_interval_than(20), numbers=CASES, remark="HeartbeatInterval stays"
    ),
    "a changed interval counts after a boot": Variant(
        "the triggered one comes at once", charge_point=keeps_its_heartbeat, numbers=CASES
    ),
    "a measurand is missing": Variant(
        "errata 3.46: all of them; not every one can be measured without an EV",
        charge_point=lambda it: it.configuration.set("MeterValuesSampledData", "Energy.Active.Import.Register,SoC"),
        numbers="054",
        remark="the triggered MeterValues.req has no SoC",
    ),
    "all measurands are there": Variant(
        "errata 3.46",
        charge_point=lambda it: it.configuration.set("MeterValuesSampledData", "Energy.Active.Import.Register,Voltage"),
        numbers="054",
        strictly=True,
    ),
    # Unlawful
    "a Heartbeat at once when its interval is changed": Variant(
        "9.1.10 does not forbid it, and what comes later was triggered",
        beats_when_changed,
        numbers="054",
        data={"HeartbeatInterval": "3"},
    ),
    "no Heartbeat": Variant("5.17", charge_point=ignores_heartbeat_triggers, numbers=CASES, fails="054", reason="5.17"),
    "no Heartbeat but the routine one": Variant(
        "nobody can tell them apart",
        charge_point=both(keeps_its_heartbeat, ignores_heartbeat_triggers),
        numbers=CASES,
        inconclusive="054",
        reason="routine",
    ),
    "Heartbeat before the .conf": Variant(
        "5.17", before_the_conf("Heartbeat"), numbers=CASES, fails="054", reason="before"
    ),
    **{
        f"no {action}": Variant("5.17", never(action), numbers=CASES, fails="054", reason="5.17")
        for action in ("MeterValues", "DiagnosticsStatusNotification", "FirmwareStatusNotification")
    },
    "MeterValues of connector 0": Variant(
        "5.17: connector 1 was asked for", instead("MeterValues", connectorId=0), numbers=CASES, fails="054"
    ),
    "Uploaded": Variant(
        "4.4: Idle",
        instead("DiagnosticsStatusNotification", status="Uploaded"),
        numbers=CASES,
        fails="054",
        reason="4.4",
    ),
    "Installed": Variant(
        "4.5: Idle", instead("FirmwareStatusNotification", status="Installed"), numbers=CASES, fails="054", reason="4.5"
    ),
    **{
        f"{message} is {status}": Variant(
            "TC_054", charge_point=answers(for_message(message), status), numbers=CASES, fails=fails
        )
        for message, status, fails in (
            ("Heartbeat", "Rejected", "054"),
            ("StatusNotification", "NotImplemented", "054"),
            ("DiagnosticsStatusNotification", "Rejected", "054"),
            ("FirmwareStatusNotification", "Rejected", "054"),
            ("MeterValues", "NotImplemented", "054 055"),
            ("MeterValues", "Accepted", "054 055"),
        )
    },
}


def asked_for(message: str, **fields: object) -> Callable[[], Change]:
    """A TriggerMessage.req for this message with other fields; ``...`` leaves one out."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        asks = frame.requests("TriggerMessage", requestedMessage=message)
        return [frame.with_fields(**fields)] if asks else None

    return lambda: change


def conf(action: str, payload: Payload) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.holding(payload)] if frame.answers(action) else None


def after_boot(message: str) -> Callable[[], Change]:
    def change(frame: Frame) -> Iterable[Frame | float] | None:
        trigger = call("TriggerMessage", {"requestedMessage": message})
        return [frame, 0.2, trigger] if frame.answers("BootNotification") else None

    return lambda: change


CENTRAL_SYSTEMS = {
    "a connector beside what has none": Variant(
        "5.17: it is ignored there", asked_for("Heartbeat", connectorId=1), numbers=CASES, strictly=True
    ),
    "the whole Charge Point in TC_055": Variant(
        "no edition since 2025-11 looks at the connectorId", asked_for("MeterValues", connectorId=0), numbers="055"
    ),
    "a status after every boot": Variant(
        "5.17: at any time", after_boot("StatusNotification"), numbers=CASES, remark="TriggerMessage.req was sent"
    ),
    "a boot after every boot": Variant(
        "errata 3.40 forbids it, 5.17 does not", after_boot("BootNotification"), numbers=CASES, remark="errata 3.40"
    ),
    "slow": Variant("30 s after its operator's word", lambda: lambda f: [20, f] if f.is_call else None, numbers=CASES),
    # Unlawful
    "every connector": Variant(
        "TC_054", asked_for("MeterValues", connectorId=...), numbers=CASES, fails="054", reason="connectorId"
    ),
    "another connector": Variant("TC_054", asked_for("StatusNotification", connectorId=2), numbers=CASES, fails="054"),
    "another message": Variant(
        "TC_054, TC_055", asked_for("MeterValues", requestedMessage="Heartbeat"), numbers=CASES, fails=CASES
    ),
    "an unknown message": Variant(
        "7.32", asked_for("Heartbeat", requestedMessage="StartTransaction"), numbers=CASES, fails="054"
    ),
    "asks for nothing": Variant(
        "the wire is the only witness",
        lambda: lambda frame: [] if frame.requests("TriggerMessage") else None,
        numbers=CASES,
        inconclusive=CASES,
        reason="sent nothing",
    ),
    **{
        f"{action}.conf with a field": Variant(
            "its schema", conf(action, {"status": "Accepted"}), numbers=CASES, fails="054"
        )
        for action in ("DiagnosticsStatusNotification", "FirmwareStatusNotification", "MeterValues")
    },
}


@pytest.mark.parametrize("name", CHARGE_POINTS)
def test_charge_point(calendar: Calendar, name: str) -> None:
    CHARGE_POINTS[name].check(calendar, "Charge Point")


@pytest.mark.parametrize("name", CENTRAL_SYSTEMS)
def test_central_system(calendar: Calendar, name: str) -> None:
    CENTRAL_SYSTEMS[name].check(calendar, "Central System")
