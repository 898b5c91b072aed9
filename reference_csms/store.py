"""What a Central System knows, in RAM.

Field names follow OCPP's, in snake_case; what a Charge Point reported is kept in OCPP's own spelling. Instants that a
Charge Point wrote stay the text it wrote.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ocppj.clock import timestamp
from ocppj.errors import LocalMisuse
from ocppj.frames import Payload

MAX_ID_TAG = 20  # characters; 7.28: a CiString20Type
_IDS_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Connector:
    """What the latest StatusNotification.req said of a connector; 0 is the main controller (3.8)."""

    status: str
    error_code: str
    info: str | None = None
    timestamp: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None


@dataclass(slots=True)
class Reservation:
    """What a Charge Point has agreed to reserve; ``connector_id`` 0 is any connector (5.13)."""

    reservation_id: int
    connector_id: int
    id_tag: str
    expiry_date: str
    parent_id_tag: str | None = None


@dataclass(slots=True)
class ChargingProfile:
    """A profile (7.8) that a Charge Point has accepted; connector 0 is the Charge Point (5.16)."""

    connector_id: int
    profile: Payload


@dataclass(slots=True)
class LocalAuthList:
    """What is known of the Local Authorization List of a Charge Point (3.5.2).

    ``version``: as GetLocalListVersion.conf would tell it; None if nobody knows. ``entries``: idTag in lower case ->
    AuthorizationData (7.1); None if nobody knows. ``highest``: of the versions that were ever seen or sent.
    """

    version: int | None = None
    entries: dict[str, Payload] | None = None
    highest: int = 0


@dataclass(slots=True)
class ChargePoint:
    """A Charge Point that may connect.

    ``registration_status`` is what its next BootNotification.req is answered (7.38). ``accepted``: whether it has been
    answered so, which lasts until another answer, reconnections included (OCPP-J 5.4). ``triggered``: how often it may
    send which action although it is Pending, because it was asked to (4.2). ``firmware_status`` and
    ``diagnostics_status`` are what it told last (7.24, 7.25).
    """

    identity: str
    registration_status: str = "Accepted"
    accepted: bool = False
    boot: Payload = field(default_factory=dict)
    last_seen: datetime | None = None
    connectors: dict[int, Connector] = field(default_factory=dict)
    meter_values: list[Payload] = field(default_factory=list)
    unmatched_stops: list[Payload] = field(default_factory=list)
    reservations: dict[int, Reservation] = field(default_factory=dict)
    charging_profiles: list[ChargingProfile] = field(default_factory=list)
    local_auth_list: LocalAuthList = field(default_factory=LocalAuthList)
    firmware_status: str | None = None
    diagnostics_status: str | None = None
    triggered: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class IdTag:
    """An identifier for charging. ``status`` is one of 7.2 and counts until ``expiry_date``."""

    id_tag: str
    status: str = "Accepted"
    parent_id_tag: str | None = None
    expiry_date: datetime | None = None


@dataclass(slots=True)
class Transaction:
    """A transaction as its messages told it; meter readings in Wh. Without ``stopped_at`` it is open."""

    transaction_id: int
    identity: str
    connector_id: int
    id_tag: str
    meter_start: int
    started_at: str
    reservation_id: int | None = None
    meter_stop: int | None = None
    stopped_at: str | None = None
    stop_id_tag: str | None = None
    reason: str | None = None
    meter_values: list[Payload] = field(default_factory=list)
    transaction_data: list[Payload] = field(default_factory=list)


@dataclass(slots=True)
class Message:
    """A DataTransfer.req that came."""

    identity: str
    vendor_id: str
    message_id: str | None = None
    data: str | None = None


def seconds_since_2020() -> int:
    """A number that grows with time and stays below 2**31 until 2088."""
    return int((datetime.now(UTC) - _IDS_BEGIN).total_seconds())


@dataclass(slots=True)
class Store:
    """Everything that a Central System knows.

    Settings: ``heartbeat_interval`` and ``boot_retry_interval`` in seconds (the interval of BootNotification.conf when
    Accepted, and otherwise); ``accept_unknown_charge_points`` makes every identity known that connects.
    ``next_transaction_id`` is positive and below 2**31 (errata 3.54); by default the first one is the seconds since
    2020, so that two runs against one Charge Point have none in common. ``next_reservation_id`` likewise (6.37).
    """

    heartbeat_interval: int = 300
    boot_retry_interval: int = 60
    accept_unknown_charge_points: bool = False
    charge_points: dict[str, ChargePoint] = field(default_factory=dict)
    id_tags: dict[str, IdTag] = field(default_factory=dict)
    transactions: dict[int, Transaction] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    vendors: dict[str, frozenset[str]] = field(default_factory=dict)
    next_transaction_id: int = field(default_factory=seconds_since_2020)
    next_reservation_id: int = field(default_factory=seconds_since_2020)
    _started: dict[tuple[object, ...], Transaction] = field(default_factory=dict, init=False)
    _latest: dict[tuple[str, int], Transaction] = field(default_factory=dict, init=False)

    def know_charge_point(self, identity: str, registration_status: str = "Accepted") -> ChargePoint:
        """Let a Charge Point connect; one that is known keeps what is known of it."""
        charge_point = self.charge_points.setdefault(identity, ChargePoint(identity))
        charge_point.registration_status = registration_status
        return charge_point

    def knows_charge_point(self, identity: str) -> bool:
        """Whether a Charge Point may connect."""
        return self.accept_unknown_charge_points or identity in self.charge_points

    def know_id_tag(
        self,
        id_tag: str,
        status: str = "Accepted",
        parent: str | None = None,
        expiry_date: datetime | None = None,
    ) -> IdTag:
        """Enter an idTag, or change it. Raises ``LocalMisuse`` for what is no IdToken."""
        for token in (id_tag, parent or id_tag):
            if not 0 < len(token) <= MAX_ID_TAG:
                raise LocalMisuse(f"{token!r} is no IdToken: 1 to {MAX_ID_TAG} characters")
        known = self.id_tags[folded(id_tag)] = IdTag(id_tag, status, parent, expiry_date)
        return known

    def forget_id_tag(self, id_tag: str) -> None:
        """Make an idTag unknown."""
        self.id_tags.pop(folded(id_tag), None)

    def know_vendor(self, vendor_id: str, message_ids: Iterable[str] = ()) -> None:
        """Take part in a vendor's DataTransfer (4.3): ``message_ids`` are those with an implementation."""
        self.vendors[folded(vendor_id)] = frozenset(map(folded, message_ids))

    def id_tag_info(self, id_tag: str) -> Payload:
        """The IdTagInfo (7.27) of an idTag; case does not matter (7.28)."""
        known = self.id_tags.get(folded(id_tag))
        if known is None:
            return {"status": "Invalid"}
        info: Payload = {"status": known.status}
        if known.parent_id_tag is not None:
            info["parentIdTag"] = known.parent_id_tag
        if known.expiry_date is not None:
            info["expiryDate"] = timestamp(known.expiry_date)
            if known.status == "Accepted" and known.expiry_date <= datetime.now(UTC):
                info["status"] = "Expired"
        return info

    def data_transfer_status(self, vendor_id: str, message_id: str | None) -> str:
        """How a DataTransfer.req is answered (4.3)."""
        message_ids = self.vendors.get(folded(vendor_id))
        if message_ids is None:
            return "UnknownVendorId"
        if message_id is not None and folded(message_id) not in message_ids:
            return "UnknownMessageId"
        return "Accepted"

    def running(self, id_tag: str) -> list[Transaction]:
        """The transactions that an idTag runs.

        A connector runs one transaction at a time, so an older one is over even if its StopTransaction.req never came.
        """
        wanted = folded(id_tag)
        latest = self._latest.values()
        return [each for each in latest if each.stopped_at is None and folded(each.id_tag) == wanted]

    def of(self, identity: str) -> "View":
        """The store as the requests of one Charge Point see it. Raises ``KeyError`` for one that is not known."""
        if self.accept_unknown_charge_points and identity not in self.charge_points:
            self.know_charge_point(identity)
        return View(self, self.charge_points[identity])


@dataclass(frozen=True, slots=True)
class View:
    """The store as the requests of one Charge Point see it: what all share, and the Charge Point itself.

    Transactions are seen only if they are this Charge Point's.
    """

    shared: Store
    charge_point: ChargePoint

    def start(self, request: Payload) -> Transaction:
        """The transaction that a StartTransaction.req tells of.

        3.7.1: a Charge Point repeats the request when the answer was lost; the transaction stays the same.
        """
        connector_id, id_tag = request["connectorId"], request["idTag"]
        meter_start, started_at = request["meterStart"], request["timestamp"]
        told = (self.charge_point.identity, connector_id, folded(id_tag), meter_start, started_at)
        before = self.shared._started.get(told)
        if before and before.stopped_at is None:
            return before
        transaction = Transaction(
            self.shared.next_transaction_id,
            self.charge_point.identity,
            connector_id,
            id_tag,
            meter_start,
            started_at,
            request.get("reservationId"),
        )
        self.shared.next_transaction_id += 1
        self.shared.transactions[transaction.transaction_id] = transaction
        self.shared._started[told] = transaction
        self.shared._latest[self.charge_point.identity, connector_id] = transaction
        return transaction

    def transaction(self, transaction_id: int | None) -> Transaction | None:
        """A transaction of this Charge Point. None has the id -1 (errata 3.18)."""
        transaction = self.shared.transactions.get(transaction_id) if transaction_id is not None else None
        return transaction if transaction and transaction.identity == self.charge_point.identity else None


def folded(text: str) -> str:
    """What two case insensitive strings have in common that are equal (7.15)."""
    return text.lower()


# What the Central System learns from the answer to a request of its own: the request and the .conf.
Outcome = Callable[[View, Payload, Payload], None]
