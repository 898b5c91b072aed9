"""What a Central System knows, in RAM.

Field names follow OCPP's, in snake_case; what a Charge Point reported is kept in OCPP's own spelling. Instants that a
Charge Point wrote stay the text it wrote.
"""

import hashlib
import hmac
import os
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from ocppj.authority import Authority
from ocppj.certificates import Certificate
from ocppj.clock import timestamp
from ocppj.errors import LocalMisuse
from ocppj.frames import Payload

MAX_ID_TAG = 20  # characters; 7.28: a CiString20Type
LONGEST_SECURITY_LOG = 1000  # events; the oldest go first
_IDS_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
_LONGEST_TOLD = 255  # characters; white paper 5.15: techInfo


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


@dataclass(frozen=True, slots=True)
class SaltedHash:
    """What is kept of a password (white paper A01.FR.08)."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, password: bytes) -> "SaltedHash":
        """That of a password, with a salt of its own."""
        salt = os.urandom(16)
        return cls(salt, _scrypt(password, salt))

    def matches(self, password: bytes) -> bool:
        """Whether it is that of this password."""
        return hmac.compare_digest(self.digest, _scrypt(password, self.salt))


def _scrypt(password: bytes, salt: bytes) -> bytes:
    # Keys have at least 128 bits (A00.FR.205), so 10 ms for each guess are plenty. SHA-256 goes first, since to scrypt
    # a password is the same with zeros behind it (RFC 2104, 2), and a key may be any bytes.
    return hashlib.scrypt(hashlib.sha256(password).digest(), salt=salt, n=2**12, r=8, p=1)


@dataclass(slots=True)
class InstalledCertificate:
    """A root certificate in the store of a Charge Point.

    ``certificate_type``: one of the white paper's 6.4. ``hash_data``: as the Charge Point reported it (6.1), None
    until it did. ``certificate``: as it was sent, None if somebody else has installed it.
    """

    certificate_type: str
    hash_data: Payload | None = None
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """What the Central System noticed itself (white paper A00.FR.323, A00.FR.408).

    ``type``: one of the white paper's chapter 8 where one fits, else a word of our own. ``identity``: that of the
    Charge Point; empty where it is not known. Both texts have escapes for what is no printable ASCII.
    """

    type: str
    timestamp: str
    identity: str
    tech_info: str


@dataclass(slots=True)
class ChargePoint:
    """A Charge Point that may connect.

    ``registration_status`` is what its next BootNotification.req is answered (7.38). ``accepted``: whether it has been
    answered so, which lasts until another answer, reconnections included (OCPP-J 5.4). ``triggered``: how often it may
    send which action although it is Pending, because it was asked to (4.2). ``firmware_status`` and
    ``diagnostics_status`` are what it told last (7.24, 7.25), ``log_status`` and ``signed_firmware_status`` likewise
    (white paper 6.19, 6.8).

    Of the security white paper: ``security_profile`` is what it connects with. It may connect with
    ``pending_security_profile`` as well, which it has agreed to, and with ``proposed_security_profile``, to which it
    has not answered yet, and from then on with that one alone (A05.FR.07, A05.FR.09). ``password`` authenticates it in
    profiles 1 and 2, and so does each of ``proposed_passwords``, of which nobody knows whether it has taken them over;
    ``former_password`` does no more (A01.FR.03). ``serial_number``: the CN of its certificate (A00.FR.405), None if
    that is not known.
    ``signing_requests``: CSRs in PEM that are to be signed. ``security_events``: the SecurityEventNotification.req
    that came.
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
    log_status: str | None = None
    signed_firmware_status: str | None = None
    triggered: dict[str, float] = field(default_factory=dict)
    security_profile: int = 0
    pending_security_profile: int | None = None
    proposed_security_profile: int | None = None
    password: SaltedHash | None = None
    proposed_passwords: list[SaltedHash] = field(default_factory=list)
    former_password: SaltedHash | None = None
    serial_number: str | None = None
    signing_requests: list[str] = field(default_factory=list)
    installed_certificates: list[InstalledCertificate] = field(default_factory=list)
    security_events: list[Payload] = field(default_factory=list)


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


# How the certificate that a Charge Point asked for is invalid (white paper A02.FR.07).
CertificateFault = Literal["expired", "not_yet_valid", "unknown_authority", "other_key"]


def seconds_since_2020() -> int:
    """A number that grows with time and stays below 2**31 until 2088."""
    return int((datetime.now(UTC) - _IDS_BEGIN).total_seconds())


@dataclass(slots=True)
class Store:
    """Everything that a Central System knows.

    Settings: ``heartbeat_interval`` and ``boot_retry_interval`` in seconds (the interval of BootNotification.conf when
    Accepted, and otherwise); ``accept_unknown_charge_points`` makes every identity known that connects.
    ``next_transaction_id`` is positive and below 2**31 (errata 3.54); by default the first one is the seconds since
    2020, so that two runs against one Charge Point have none in common. ``next_reservation_id`` likewise (6.37), and
    ``next_request_id``, that of GetLog.req and SignedUpdateFirmware.req.

    Of the security white paper: ``cpo_name`` is the O in the certificates of Charge Points (A00.FR.404), None
    if that is not known.
    ``authority`` signs them; without one, none is signed. ``certificate_fault``: what is wrong with those that it
    signs, None if nothing is. ``refuses_unknown_subprotocol``: whether who offers no subprotocol that is spoken here is
    refused the WebSocket, as the test case document has it, or gets one that is closed at once (OCPP-J 3.2).
    ``security_log``: what happened, the oldest first.
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
    next_request_id: int = field(default_factory=seconds_since_2020)
    cpo_name: str | None = None
    authority: Authority | None = field(default=None, repr=False, compare=False)
    certificate_fault: CertificateFault | None = None
    refuses_unknown_subprotocol: bool = True
    security_log: deque[SecurityEvent] = field(default_factory=lambda: deque(maxlen=LONGEST_SECURITY_LOG))
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

    def log_security_event(self, event: str, identity: str, tech_info: str) -> None:
        """Enter into the security log what happened now. ``tech_info``: words without secrets."""
        self.security_log.append(SecurityEvent(event, timestamp(), _escaped(identity), _escaped(tech_info)))

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


def _escaped(text: str) -> str:
    # Anybody may have made it up.
    return text[:_LONGEST_TOLD].encode("unicode_escape").decode()


def folded(text: str) -> str:
    """What two case insensitive strings have in common that are equal (7.15)."""
    return text.lower()


# What the Central System learns from the answer to a request of its own: the request and the .conf.
Outcome = Callable[[View, Payload, Payload], None]
