"""What is always true of a Charge Point, read off the wire: each law is a pure function that tells what broke it."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from bench.messages import Message, answer_to, begins_or_ends_connection, messages
from bench.obligations import Limits, breaches
from ocppj.clock import parse_timestamp
from ocppj.frames import Payload
from ocppj.transcript import Record

ENERGY = "Energy.Active.Import.Register"
ABOUT_TRANSACTIONS = ("StartTransaction", "StopTransaction", "MeterValues")  # 3.7

_FLOWING = "Charging SuspendedEV SuspendedEVSE"
_AFTER_A_TRANSACTION = f"Available {_FLOWING} Finishing Unavailable Faulted"
# 4.9, the table of possible transitions, with B6 (errata 3.20). It is written down here once more, and not taken
# from the Charge Point that is judged by it.
TRANSITIONS: dict[str, set[str]] = {
    status: set(after.split()) - {status}
    for status, after in {
        "Available": f"Preparing {_FLOWING} Reserved Unavailable Faulted",
        "Preparing": f"Available {_FLOWING} Finishing Faulted",
        "Charging": _AFTER_A_TRANSACTION,
        "SuspendedEV": _AFTER_A_TRANSACTION,
        "SuspendedEVSE": _AFTER_A_TRANSACTION,
        "Finishing": "Available Preparing Unavailable Faulted",
        "Reserved": "Available Preparing Unavailable Faulted",
        "Unavailable": f"Available Preparing {_FLOWING} Faulted",
        "Faulted": f"Available Preparing {_FLOWING} Finishing Reserved Unavailable",
    }.items()
}
OF_CONNECTOR_0 = {"Available", "Unavailable", "Faulted"}  # 4.9


def _calls(records: Sequence[Record], *actions: str) -> Iterator[Message]:
    for message in messages(records):
        if message.type == "CALL" and message.sender == "Charge Point" and message.action in actions:
            yield message


def _conf(call: Message, records: Sequence[Record]) -> Payload | None:
    answer = answer_to(call, records)
    return answer.payload if answer is not None and answer.type == "CALLRESULT" else None


def obligations_kept(records: Sequence[Record]) -> Iterator[str]:
    """Every CALL is answered, every frame and payload is right, ids are unique: the obligations of every test case."""
    for breach in breaches(records, Limits()):
        yield f"{breach.party}: {breach}"


def energy_never_falls(records: Sequence[Record]) -> Iterator[str]:
    """The register of a connector only rises (7.31): meterStart, meterStop and whatever MeterValues tell of it."""
    told: dict[int, list[tuple[str, float, str]]] = {}
    connectors: dict[int, int] = {}  # of a transactionId
    for call in _calls(records, *ABOUT_TRANSACTIONS):
        payload = call.payload
        match call.action:
            case "StartTransaction":
                connector = payload["connectorId"]
                found = [(payload["timestamp"], float(payload["meterStart"]), "meterStart")]
                if conf := _conf(call, records):
                    connectors[conf["transactionId"]] = connector
            case "StopTransaction":
                if (connector := connectors.get(payload["transactionId"], 0)) == 0:
                    continue  # every_start_has_its_stop speaks of it
                found = [*_readings(payload.get("transactionData", []))]
                found.append((payload["timestamp"], float(payload["meterStop"]), "meterStop"))
            case _:
                connector, found = payload["connectorId"], [*_readings(payload["meterValue"])]
        told.setdefault(connector, []).extend(found)
    for connector, values in told.items():
        # In the order of their instants: what was kept in transactionData is told late.
        values.sort(key=lambda value: parse_timestamp(value[0]))
        for (_, before, _), (at, after, name) in pairwise(values):
            if after < before:
                yield f"connector {connector}: {name} of {at} is {after:g} Wh after {before:g} Wh"


def _readings(meter_values: Sequence[Payload]) -> Iterator[tuple[str, float, str]]:
    for meter_value in meter_values:
        for sampled in meter_value["sampledValue"]:
            if sampled.get("measurand", ENERGY) == ENERGY and "phase" not in sampled:
                yield meter_value["timestamp"], float(sampled["value"]), ENERGY


def every_start_has_its_stop(records: Sequence[Record]) -> Iterator[str]:
    """4.8, 4.10: what was started is stopped once, with the transactionId that was given to it, and not before.

    What is told of it meanwhile (4.7) bears its transactionId too.
    """
    running: dict[int, int] = {}  # transactionId -> connector
    over: set[int] = set()
    for call in _calls(records, *ABOUT_TRANSACTIONS):
        conf = _conf(call, records)
        if call.action == "MeterValues" and "transactionId" in call.payload:
            number, connector = call.payload["transactionId"], call.payload["connectorId"]
            if running.get(number) != connector:
                yield f"MeterValues of transaction {number} were sent, which is not running at connector {connector}"
        if call.action == "StartTransaction" and conf is not None:
            if (connector := call.payload["connectorId"]) in running.values():
                yield f"a transaction was started at connector {connector} before the one there was stopped"
            running[conf["transactionId"]] = connector
        elif call.action == "StopTransaction":
            number = call.payload["transactionId"]
            if number not in running:
                yield f"transaction {number} was stopped " + (
                    "once more" if number in over else "before it was started"
                )
            if conf is not None and running.pop(number, None) is not None:
                over.add(number)
    yield from (f"transaction {number} was never stopped" for number in running)


def statuses_follow_the_table(records: Sequence[Record]) -> Iterator[str]:
    """4.9: from one report to the next a status changes as the table has it.

    Nobody has seen what came between the last report before a connection was lost and the first after it.
    """
    latest: dict[int, str] = {}
    for index, record in enumerate(records):
        if begins_or_ends_connection(record):
            latest.clear()
        elif record["kind"] == "frame" and record["messageType"] == "CALL":
            message = Message(index, record)
            if message.action != "StatusNotification":
                continue
            connector, status = message.payload["connectorId"], str(message.payload["status"])
            before = latest.get(connector, status)
            if status != before and status not in TRANSITIONS[before]:
                yield f"connector {connector}: {before} became {status}, which is not in the table of 4.9"
            if connector == 0 and status not in OF_CONNECTOR_0:
                yield f"connector 0 is {status}"
            latest[connector] = status


def nothing_is_lost(records: Sequence[Record], promised: Sequence[tuple[str, Payload]]) -> Iterator[str]:
    """3.7, 3.7.1: each message about a transaction is confirmed once, in order; until then it alone is sent again."""
    unconfirmed: tuple[str, Payload] | None = None
    confirmed = []
    for call in _calls(records, *ABOUT_TRANSACTIONS):
        if _is_of_the_moment(call):
            continue
        sent = (call.action, call.payload)
        if unconfirmed is not None and sent != unconfirmed:
            yield f"{call.action}.req was sent before {unconfirmed[0]}.req was confirmed: {call.payload}"
        unconfirmed = sent if _conf(call, records) is None else None
        if unconfirmed is None:
            confirmed.append(sent)
    for number, (action, payload) in enumerate(promised):
        if number >= len(confirmed):
            yield f"{action}.req was not delivered: {payload}"
        elif (action, payload) != _as_promised(*confirmed[number], payload):
            yield f"{confirmed[number]} was delivered instead of {action}.req {payload}"
    for action, payload in confirmed[len(promised) :]:
        yield f"{action}.req was delivered that nobody had promised: {payload}"


def _is_of_the_moment(call: Message) -> bool:
    # 3.7 keeps periodic and clock-aligned values. What was asked for outside of a transaction is no news later.
    if call.action != "MeterValues" or "transactionId" in call.payload:
        return False
    contexts = {each.get("context") for value in call.payload["meterValue"] for each in value["sampledValue"]}
    return contexts == {"Trigger"}


def _as_promised(action: str, payload: Payload, promised: Payload) -> tuple[str, Payload]:
    # The transactionId is not known before StartTransaction.conf.
    return action, {name: value for name, value in payload.items() if name != "transactionId" or name in promised}
