"""What a case has left behind in the device, and could not be undone before the next one.

A Central System under test is not told to forget: our Charge Point is a fresh one in each case and reports itself so,
but a transaction that nobody has stopped and a reservation that nobody has used stay. Our Charge Point ends both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bench.messages import Message, answer_to, messages
from ocppj.clock import parse_timestamp, timestamp
from ocppj.errors import CallFailed
from ocppj.frames import Payload
from ocppj.transcript import Record
from simulator.charge_point import ChargePoint


@dataclass(frozen=True)
class Residue:
    """``case``: the id of the one that has left it. ``text``: what it is, and why it is still there, a clause."""

    case: str
    text: str

    def __str__(self) -> str:
        return f"left behind by {self.case}: {self.text}"


@dataclass
class Left:
    """What a Central System still has of the Charge Point that a case played with.

    ``transactions``: the StartTransaction.req of each that was not stopped, by transactionId. ``reservations``: the
    ReserveNow.req of each that was neither used nor cancelled, by reservationId.
    """

    case: str
    transactions: dict[int, Payload] = field(default_factory=dict)
    reservations: dict[int, Payload] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.transactions or self.reservations)

    async def undo(self, charge_point: ChargePoint) -> list[Residue]:
        """Stop the transactions, and use up the reservations (5.13): what does not succeed stays."""
        found = []
        for number, started in list(self.transactions.items()):
            try:
                await self._stop(charge_point, number, started.get("meterStart", 0))
            except CallFailed as failure:
                found.append(Residue(self.case, f"transaction {number} is not stopped: {failure}"))
        for number, reserved in list(self.reservations.items()):
            try:
                await self._use(charge_point, number, reserved)
            except CallFailed as failure:
                found.append(Residue(self.case, f"reservation {number} is not ended: {failure}"))
        return found

    async def _stop(self, charge_point: ChargePoint, number: int, meter: int) -> None:
        stop = {"transactionId": number, "meterStop": meter, "timestamp": timestamp(), "reason": "Other"}
        await charge_point.request("StopTransaction", stop)
        self.transactions.pop(number, None)

    async def _use(self, charge_point: ChargePoint, number: int, reserved: Payload) -> None:
        # 4.8: the reservationId tells that this transaction ends the reservation.
        start = {
            "connectorId": reserved["connectorId"] or 1,
            "idTag": reserved["idTag"],
            "meterStart": 0,
            "timestamp": timestamp(),
            "reservationId": number,
        }
        conf = await charge_point.request("StartTransaction", start)
        del self.reservations[number]
        self.transactions[conf["transactionId"]] = start
        await self._stop(charge_point, conf["transactionId"], 0)


def left_by(case: str, records: Sequence[Record]) -> Left:
    """What a Central System was told of and not told the end of."""
    left = Left(case)
    for message in messages(records):
        answer = answer_to(message, records) if message.type == "CALL" else None
        if answer is not None and answer.type == "CALLRESULT":
            _follow(left, message, answer.payload)
    return left


def _follow(left: Left, call: Message, conf: Payload) -> None:
    told, is_accepted = call.payload, conf.get("status") == "Accepted"
    match call.action:
        case "StartTransaction":
            if isinstance(number := conf.get("transactionId"), int):
                left.transactions[number] = told
            left.reservations.pop(told.get("reservationId", -1), None)
        case "StopTransaction":
            left.transactions.pop(told.get("transactionId", -1), None)
        case "ReserveNow" if is_accepted and _is_to_come(told):
            left.reservations[told["reservationId"]] = told
        case "CancelReservation" if is_accepted:
            left.reservations.pop(told["reservationId"], None)


def _is_to_come(reserved: Payload) -> bool:
    return parse_timestamp(reserved["expiryDate"]) > datetime.now(UTC)
