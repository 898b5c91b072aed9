"""Transactions, and the queue of the messages about them: 3.7, 4.7, 4.8 and 4.10."""

import asyncio
from typing import TYPE_CHECKING

from ocppj.frames import Payload
from simulator import metering, reservation, smart_charging
from simulator.connector import Connector, Event, IdTagHolder
from simulator.memory import Memory, QueuedMessage, StoredTransaction

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

EV_SIDE_DISCONNECTED = "EV side disconnected"  # 4.9 prescribes this info


class Queue:
    """Transaction-related messages that wait for their .conf, in chronological order (3.7).

    ``done`` counts those that left the queue; ``retry_at`` is the loop time before which the first one waits.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.done = 0
        self.retry_at = 0.0

    def __len__(self) -> int:
        return len(self._memory.queue)

    @property
    def total(self) -> int:
        """How many messages were ever put into it."""
        return self.done + len(self)

    @property
    def first(self) -> QueuedMessage | None:
        """The message that is to be sent next."""
        return self._memory.queue[0] if self._memory.queue else None

    def add(self, action: str, payload: Payload, stored: StoredTransaction | None) -> None:
        """Put a message at the end."""
        number = stored["number"] if stored else None
        self._memory.queue.append({"action": action, "payload": payload, "transaction": number, "attempts": 0})

    def remove_first(self) -> None:
        """The first message was confirmed, or is given up."""
        del self._memory.queue[0]
        self.done += 1
        self.retry_at = 0.0

    def has_failed(self, attempts: int, interval: int) -> bool:
        """Note that the first message was not processed; whether it is to be given up.

        3.7.1: before every retransmission wait the interval (s) times the number of preceding transmissions.
        """
        message = self._memory.queue[0]
        message["attempts"] += 1
        if message["attempts"] >= attempts:
            return True
        self.retry_at = asyncio.get_running_loop().time() + interval * message["attempts"]
        return False


def wire_payload(memory: Memory, message: QueuedMessage) -> Payload:
    """A queued message as it is sent now: with the transactionId, which is not known when it is queued."""
    stored = memory.transaction(message["transaction"])
    if stored is None or message["action"] == "StartTransaction":
        return message["payload"]
    # Errata 3.18: nothing is sent before the StartTransaction.req is confirmed or given up, and the latter leaves -1.
    known = stored["transactionId"]
    return {"transactionId": -1 if known is None else known, **message["payload"]}


def start(charge_point: "ChargePoint", connector: Connector, holder: IdTagHolder) -> None:
    """Start a transaction; the cable is in at both sides. A lock that does not hold prevents it."""
    if not connector.lock():
        connector.authorized = None
        connector.break_down("ConnectorLockFailure")
        return
    moment = charge_point.now()
    memory = charge_point.memory
    memory.transactions_begun += 1
    stored: StoredTransaction = {
        "number": memory.transactions_begun,
        "connector": connector.number,
        "idTag": holder.id_tag,
        "parentIdTag": holder.parent_id_tag,
        "transactionId": None,
        "meterStart": connector.meter.whole_register,
        "ended": False,
        "data": [],
    }
    memory.transactions.append(stored)
    connector.transaction = stored
    connector.transaction_began = asyncio.get_running_loop().time()
    connector.transaction_started = moment
    if holder.charging_profile is not None:  # 5.16.2
        smart_charging.install(charge_point, connector, stored["number"], holder.charging_profile)
    connector.authorized = None
    connector.energy_allowed = True
    connector.begin_interval("Sample.Periodic")
    begin = metering.transaction_value(charge_point, connector, "Transaction.Begin", moment)
    metering.keep(charge_point, stored, begin)
    payload: Payload = {
        "connectorId": connector.number,
        "idTag": holder.id_tag,
        "meterStart": stored["meterStart"],
        "timestamp": charge_point.timestamp(moment),
    }
    if (reservation_id := reservation.used(charge_point, connector, holder)) is not None:
        payload["reservationId"] = reservation_id  # 4.8
    charge_point.queue_message("StartTransaction", payload, stored)
    charge_point.follow_limits()
    restart_sampling(charge_point, connector)


def restart_sampling(charge_point: "ChargePoint", connector: Connector) -> None:
    """Sample with the present interval."""
    if connector.sampler:
        connector.sampler.cancel()
    if connector.transaction:
        sampling = metering.sample_periodically(charge_point, connector, connector.transaction)
        connector.sampler = charge_point.spawn(sampling)


def stop(
    charge_point: "ChargePoint",
    connector: Connector,
    reason: str,
    *,
    id_tag: str | None = None,
    info: str | None = None,
    unlocks: bool = True,
) -> None:
    """Stop the transaction of a connector (4.10). ``unlocks`` false keeps the cable for whoever started it."""
    stored = connector.transaction
    if stored is None:
        return
    if connector.sampler:
        connector.sampler.cancel()
        connector.sampler = None
    _end(charge_point, stored, reason, id_tag, connector)
    connector.transaction = None
    connector.power_down()
    charge_point.follow_limits()  # what it took is for the others
    if unlocks or not connector.locked:
        connector.unlock()
    else:
        connector.kept_for = IdTagHolder(stored["idTag"], stored["parentIdTag"])
    if connector.is_occupied:
        connector.happens(Event.TRANSACTION_ENDS, info)
    else:
        charge_point.end_usage(connector, info)
    charge_point.settle_availability()


def stop_interrupted(charge_point: "ChargePoint", reason: str) -> None:
    """Stop the transactions that a restart interrupted; nobody knows them but the memory."""
    for stored in charge_point.memory.transactions:
        if not stored["ended"]:
            _end(charge_point, stored, reason, None, charge_point.connectors.get(stored["connector"]))


def _end(
    charge_point: "ChargePoint",
    stored: StoredTransaction,
    reason: str,
    id_tag: str | None,
    connector: Connector | None,
) -> None:
    moment = charge_point.now()
    payload: Payload = {
        "meterStop": connector.meter.whole_register if connector else stored["meterStart"],
        "timestamp": charge_point.timestamp(moment),
        "reason": reason,
    }
    if id_tag is not None:
        payload["idTag"] = id_tag
    if connector:
        end = metering.transaction_value(charge_point, connector, "Transaction.End", moment)
        if end:
            stored["data"].append(end)
        if connector.is_occupied and connector.number not in charge_point.memory.used_cables:
            charge_point.memory.used_cables.append(connector.number)
    if stored["data"]:  # 3.16.5: nothing is configured, nothing is sent
        payload["transactionData"] = stored["data"]
    stored["ended"] = True
    smart_charging.forget(charge_point, stored["number"])
    charge_point.queue_message("StopTransaction", payload, stored)


def confirmed(charge_point: "ChargePoint", message: QueuedMessage, conf: Payload) -> None:
    """Take in the .conf of a queued message."""
    stored = charge_point.memory.transaction(message["transaction"])
    if stored is None:
        return
    match message["action"]:
        case "StartTransaction":
            _started(charge_point, stored, conf)
        case "StopTransaction":
            charge_point.memory.transactions.remove(stored)
            id_tag = message["payload"].get("idTag")
            if id_tag is not None and "idTagInfo" in conf:
                charge_point.authorization.learn(id_tag, conf["idTagInfo"])


def given_up(charge_point: "ChargePoint", message: QueuedMessage) -> None:
    """A queued message was discarded (3.7.1)."""
    stored = charge_point.memory.transaction(message["transaction"])
    if stored and message["action"] == "StopTransaction":
        charge_point.memory.transactions.remove(stored)


def _started(charge_point: "ChargePoint", stored: StoredTransaction, conf: Payload) -> None:
    info = conf["idTagInfo"]
    stored["transactionId"] = conf["transactionId"]
    charge_point.authorization.learn(stored["idTag"], info)
    if "parentIdTag" in info:
        stored["parentIdTag"] = info["parentIdTag"]
    connector = charge_point.connectors.get(stored["connector"])
    if info["status"] != "Accepted" and connector:
        charge_point.spawn(_invalidate(charge_point, connector, stored))


async def _invalidate(charge_point: "ChargePoint", connector: Connector, stored: StoredTransaction) -> None:
    """The Central System did not accept the idTag of a running transaction (errata 3.17)."""
    # 9.1.14 counts what is delivered when an idTag is invalidated, so from here on.
    allowance = charge_point.configuration.number("MaxEnergyOnInvalidId")
    until = connector.meter.register + allowance
    while connector.transaction is stored and (left := until - connector.meter.register) > 1e-3:
        power = connector.meter.power
        # Power is looked at again now and then: the EV may pause meanwhile.
        await asyncio.sleep(min(60.0, left * 3600 / power) if power else 1.0)
    if connector.transaction is not stored:
        return
    if charge_point.configuration.flag("StopTransactionOnInvalidId"):
        # Errata 3.5: the cable stays locked until the same idTag, or one of its group, is presented.
        stop(charge_point, connector, "DeAuthorized", unlocks=False)
    else:
        connector.energy_allowed = False
        connector.adjust_energy()
