"""What survives a power cut.

Every part of the Charge Point keeps such a fact here and nowhere else, so it is stored when it changes: a power cut
gives no time to store anything. All of it is plain data that JSON can hold.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypedDict

from ocppj.frames import Payload


class CacheEntry(TypedDict):
    """What the Central System said last about one idTag (3.5.1)."""

    idTag: str
    idTagInfo: Payload


class StoredTransaction(TypedDict):
    """A transaction, from its start until its StopTransaction.req is off our hands.

    ``number`` is our own and orders transactions; ``transactionId`` is that of the Central System, None as long as
    it is unknown. ``data`` becomes transactionData (4.10).
    """

    number: int
    connector: int
    idTag: str
    parentIdTag: str | None
    transactionId: int | None
    meterStart: int
    ended: bool
    data: list[Payload]


class QueuedMessage(TypedDict):
    """A transaction-related message (3.7) that no one has confirmed yet; ``transaction`` is a transaction's number."""

    action: str
    payload: Payload
    transaction: int | None
    attempts: int


class StoredReservation(TypedDict):
    """A reservation, as ReserveNow.req made it; ``connectorId`` 0 is any connector (5.13)."""

    reservationId: int
    connectorId: int
    idTag: str
    parentIdTag: str | None
    expiryDate: str


class StoredChargingProfile(TypedDict):
    """A ChargingProfile (7.8) that was set at a connector; 0 is the Charge Point.

    ``transaction``: the number of ours that a TxProfile belongs to. ``received``: when, as OCPP writes it.
    """

    connector: int
    profile: Payload
    transaction: int | None
    received: str


class LogEntry(TypedDict):
    """Something that happened, for the diagnostics (5.9)."""

    timestamp: str
    text: str


class FirmwareUpdate(TypedDict):
    """An update that was asked for (5.19, white paper L01), and how far it is.

    ``version`` is that of a valid image that was downloaded. ``requestId`` and what follows belong to
    SignedUpdateFirmware.req; ``verified``: the scheme of the signature, None as long as there is no right one.
    """

    status: Literal["Waiting", "Downloading", "Downloaded", "Verified", "Ready", "Installing", "Rebooted"]
    location: str
    retrieveDate: str
    retries: int  # that are left
    retryInterval: int
    version: str | None
    installed: bool
    requestId: int | None
    installDate: str | None
    signingCertificate: str
    signature: str
    verified: str | None


class DiagnosticsUpload(TypedDict):
    """A file that a GetDiagnostics.conf (5.9) or, with a ``requestId``, a GetLog.conf (N01) has promised."""

    location: str
    fileName: str
    content: str
    retries: int  # that are left
    retryInterval: int
    requestId: int | None


class OwnCertificate(TypedDict):
    """A private key and the chain of its certificate, both in PEM (white paper A02)."""

    key: str
    chain: str


class SigningRequest(TypedDict):
    """A private key and the request to sign its public key, both in PEM (white paper A02.FR.03)."""

    key: str
    csr: str


Availability = Literal["Operative", "Inoperative"]


@dataclass
class Memory:
    """The non-volatile memory of one Charge Point. Connector numbers are strings here, as keys of JSON objects are."""

    configuration: dict[str, str] = field(default_factory=dict)  # only what was changed
    availability: dict[str, Availability] = field(default_factory=dict)  # only what was changed; 4.9, 5.2
    cache: list[CacheEntry] = field(default_factory=list)  # the oldest first; errata 3.4
    local_auth_list: dict[str, Payload] = field(default_factory=dict)  # idTag in lower case -> IdTagInfo; 3.5.2
    local_auth_list_version: int = 0  # 0 as long as the list is empty
    registers: dict[str, float] = field(default_factory=dict)  # Wh
    queue: list[QueuedMessage] = field(default_factory=list)
    transactions: list[StoredTransaction] = field(default_factory=list)
    transactions_begun: int = 0
    reservations: list[StoredReservation] = field(default_factory=list)  # 5.13
    used_cables: list[int] = field(default_factory=list)  # connectors whose cable stayed in after a transaction
    charging_profiles: list[StoredChargingProfile] = field(default_factory=list)  # errata 3.37
    accepted_by: str | None = None  # the endpoint that accepted this Charge Point last (4.2.1)
    log: list[LogEntry] = field(default_factory=list)  # the oldest first
    firmware_version: str | None = None  # None as long as it is the one it was made with
    firmware_updates: list[FirmwareUpdate] = field(default_factory=list)  # the first is the present one
    diagnostics_uploads: list[DiagnosticsUpload] = field(default_factory=list)  # the first is the present one
    restart_reason: str | None = None  # why the next start is no power-up after a power cut (7.36)
    # Of the white paper. What is secret is in no repr.
    authorization_key: str = field(default="", repr=False)  # hexadecimal digits (7.2)
    former_security_profile: int | None = None  # until the new one has proved itself (A05.FR.08)
    # PEM, the newest last. Behind a root that another has signed stands the one that did: 6.1 wants its key.
    central_system_roots: list[str] = field(default_factory=list)
    fallback_root: str | None = None  # M05.FR.11
    manufacturer_roots: list[str] = field(default_factory=list)
    certificates: list[OwnCertificate] = field(default_factory=list, repr=False)  # the newest last
    signing_request: SigningRequest | None = field(default=None, repr=False)  # the one under way
    security_log: list[Payload] = field(default_factory=list)  # as SecurityEventNotification.req tells it (A04.FR.04)
    security_events: list[Payload] = field(default_factory=list)  # to be confirmed (A04.FR.02), the oldest first
    signed_firmware_status: Payload | None = None  # the last SignedFirmwareStatusNotification.req (L01.FR.29)

    def as_dict(self) -> dict[str, Any]:
        """A copy of everything, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> "Memory":
        """The memory that ``as_dict`` described. Raises ``TypeError`` for a fact that is none of a memory."""
        memory = cls(**facts)
        for name, fresh in cls().as_dict().items():
            if fresh is not None and type(getattr(memory, name)) is not type(fresh):
                raise TypeError(f"{name} is no {type(fresh).__name__}")
        return memory

    def transaction(self, number: int | None) -> StoredTransaction | None:
        """The transaction with this number of ours, if it is still kept."""
        return next((stored for stored in self.transactions if stored["number"] == number), None)
