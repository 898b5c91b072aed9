"""What is under test, what it can do, and the test data by their meaning."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from bench.obligations import Limits
from ocppj.schemas import ACTIONS
from ocppj.secrets import masked

Role = Literal["CS", "CSMS"]

# What a device may or may not have. A case tagged @needs_... does not apply without it, one tagged @without_... not to
# a Charge Point that has it, and one in the folder of a feature profile other than Core needs the profile.
CAPABILITIES = {
    "authorization_cache": "an Authorization Cache",
    "backup_power": "a back-up power supply",
    "detachable_cable": "a cable that is not fixed",
    "ev_side_disconnect_choice": "StopTransactionOnEVSideDisconnect that can be set",
    "firmware_management": "the profile FirmwareManagement",
    "list_failure": "a Local Authorization List that it can be made to fail to store",
    "local_auth_list": "the profile LocalAuthListManagement",
    "local_authorization": "a way for the EV driver to present an idTag",
    "lock_failure": "a connector lock that can be made to fail",
    "offline_transactions": "transactions that begin while it is offline",
    "remote_authorization": "AuthorizeRemoteTxRequests that is true or can be set",
    "remote_trigger": "the profile RemoteTrigger",
    "reservation": "the profile Reservation",
    "reserve_connector_zero": "reservations of connector 0 (ReserveConnectorZeroSupported)",
    "security_profile_upgrade": "a SecurityProfile that may be raised: over OCPP nobody can lower it again",
    "smart_charging": "the profile SmartCharging",
    "stop_on_ev_side_disconnect": "StopTransactionOnEVSideDisconnect that is true or can be set",
}

# Test data of a self-rehearsal, and of a real device where nobody says otherwise.
DEFAULT_DATA: dict[str, str] = {
    "ConnectorId": "1",
    "NumberOfConnectors": "2",
    "ValidIdTag": "VALID-7F3A91",
    "ValidIdTag2": "VALID-B2E480",
    "ParentIdTag": "GROUP-51C7",
    "InvalidIdTag": "NOBODY-C0FFEE",
    "ExpiredIdTag": "EXPIRED-2B61",
    "BlockedIdTag": "BLOCKED-9D04",
    "HeartbeatInterval": "15",
    "BootRetryInterval": "10",
    "ConnectionTimeOut": "15",
    "MeterValueSampleInterval": "60",
    "ReservationDuration": "180",  # seconds, of which an operator needs some before the request is sent
    "ChargingRateUnit": "A",
    "NumberOfPhases": "3",
    "StackLevel": "0",
    "ScheduleDuration": "300",
    "ChargingLimit": "6",
    "LocalLimit": "16",
    "TransactionDuration": "15",
    "ClockAlignedDataInterval": "60",
    "SerialNumber": "SN-0001",
    "CpoName": "Rehearsal CPO",
    "CertificateFault": "expired",
}

# Where the unit is W, the limits of the cases are as many kW as they are A otherwise; our own connectors have 16 A.
DATA_IN_WATTS = {"ChargingLimit": "6000", "LocalLimit": "11040"}

CHOICES = {
    "ChargingRateUnit": ("A", "W"),
    # What is wrong with a certificate that a Charge Point must refuse (A02.FR.06).
    "CertificateFault": ("expired", "not_yet_valid", "unknown_authority", "other_key"),
}
LONGEST_TEXTS = {"SerialNumber": 25, "CpoName": 64}  # characters; OCPP 1.6 6.3, RFC 5280 A.1 (ub-organization-name)
MAY_BE_ZERO = ("StackLevel",)
NUMBERS = ("ChargingLimit", "LocalLimit")

# A foreign Central System knows only the idTags that its operator has put there: a made-up one would fail it falsely.
KNOWN_TO_THE_CENTRAL_SYSTEM = ("ValidIdTag", "ValidIdTag2", "ParentIdTag", "ExpiredIdTag", "BlockedIdTag")

# These are the limits of a device too, in seconds, and are set like test data.
LIMITS = {
    "MessageTimeout": "message_timeout",
    "LongOperationTimeout": "long_operation_timeout",
    "Tolerance": "tolerance",
    "OperatorTimeout": "operator_timeout",
    "SettleTime": "settle_time",
    "SilenceTime": "silence_time",
}


# The file servers of the bench, set like test data: what a device must be able to reach, and how.
FILE_SERVERS: dict[str, str] = {
    "AdvertisedHost": "",  # the host in our URLs; if empty, the one at which the Charge Point has reached us
    "FileTransferProtocol": "FTP",  # chapter 8 recommends it
    "HttpPort": "0",  # 0: any that is free
    "FtpPort": "0",
    "FtpPassivePorts": "",  # FIRST-LAST; any that are free if empty
    "FirmwareFile": "",  # an image that the Charge Point can install, on this machine
    "BadFirmwareFile": "",  # a file that it cannot install
    "FirmwareSignatureFile": "",  # the signature of FirmwareFile, in base64
    "FirmwareSigningCertificateFile": "",  # the certificate of the key that signed it, in PEM
}

# Places that sentences name: on our file servers, unless they are given as test data.
LOCATIONS = ("FirmwareUrl", "BadFirmwareUrl", "MissingFirmwareUrl", "DiagnosticsUrl", "RefusedDiagnosticsUrl", "LogUrl")

HIGHEST_SECURITY_PROFILE = 3

WORDS_OF_OCPP = ACTIONS | {"AuthorizationKey"}


@dataclass(frozen=True)
class Security:
    """How the two parties know each other: what the white paper «Improved security for OCPP 1.6-J» calls a profile.

    ``profile``: 0 to 3; None in a self-rehearsal that takes for each case one that it is for. ``password``: the
    AuthorizationKey. ``tls_ca``: authorities that are trusted, in PEM. ``client_cert`` and ``client_key``: what our
    Charge Point shows to a Central System under test. ``next_url``: where that one is reached with the next higher
    profile. ``pki``: where our own certificates are kept. ``store``: the file for credentials that a case has changed.
    """

    profile: int | None = None
    password: bytes | None = field(default=None, repr=False)
    tls_ca: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    next_url: str | None = None
    pki: Path | None = None
    store: Path = Path("rehearsal-credentials.json")


@dataclass(frozen=True)
class Device:
    """The device under test.

    ``url``: where a Central System under test listens. ``listen``: host and port where we await a Charge Point under
    test. Neither: our own two parties rehearse with each other. ``second_identity``: that of another Charge Point which
    the Central System knows, with which it is asked whether it still lives.
    """

    identity: str = "CP1"
    second_identity: str | None = None
    url: str | None = None
    listen: tuple[str, int] | None = None
    data: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_DATA))
    file_servers: Mapping[str, str] = field(default_factory=lambda: dict(FILE_SERVERS))
    lacks: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)
    operator_timeout: float = 120.0  # seconds an operator has for one request
    security: Security = field(default_factory=Security)

    @property
    def is_external(self) -> bool:
        """Whether a device of somebody else is judged, in real time."""
        return self.url is not None or self.listen is not None

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles whose cases can be run."""
        if self.url is not None:
            return ("CSMS",)
        return ("CS",) if self.listen is not None else ("CS", "CSMS")

    @property
    def values(self) -> dict[str, str]:
        """What sentences may name: the test data, and the limits, by their names."""
        limits = {name: getattr(self.limits, field, None) for name, field in LIMITS.items()}
        return {**self.data, **{name: f"{limit:g}" for name, limit in limits.items() if limit is not None}}

    def describe(self) -> dict[str, object]:
        """What ``results.json`` says of it."""
        if self.url is not None:
            kind, address = "Central System", self.url
        elif self.listen is not None:
            kind, address = "Charge Point", f"ws://{self.listen[0]}:{self.listen[1]}"
        else:
            kind, address = "self-rehearsal: the simulator and the reference Central System", ""
        return {
            "kind": kind,
            "address": address,
            "identity": self.identity,
            "second_identity": self.second_identity or "",
            "lacks": sorted(self.lacks),
            "test_data": dict(self.data),
            "file_servers": dict(self.file_servers),
            "security": {
                "profile": self.security.profile,
                "has_password": self.security.password is not None,
                **{name: str(getattr(self.security, name) or "") for name in ("tls_ca", "client_cert", "pki")},
            },
            "limits_s": asdict(self.limits),
        }


class BadSetting(ValueError):
    """A setting that cannot be used: what is wrong and what would be right, in one line."""


def device(
    *,
    identity: str = "CP1",
    second_identity: str | None = None,
    url: str | None = None,
    listen: tuple[str, int] | None = None,
    data: Mapping[str, str] | None = None,
    lacks: frozenset[str] = frozenset(),
    security: Security | None = None,
) -> Device:
    """A device from what a user says of it. Raises ``BadSetting``."""
    given = dict(data or {})
    is_external = url is not None or listen is not None
    security = _checked(security or Security(0 if is_external else None), url, is_external=is_external)
    known = DEFAULT_DATA.keys() | LIMITS.keys() | FILE_SERVERS.keys() | set(LOCATIONS)
    if unknown := sorted(given.keys() - known):
        raise BadSetting(f"unknown test data {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    if strange := sorted(lacks - CAPABILITIES.keys()):
        raise BadSetting(f"unknown capability {', '.join(strange)}; there are {', '.join(sorted(CAPABILITIES))}")
    times = {LIMITS[name]: _positive(name, given.pop(name)) for name in [*given] if name in LIMITS}
    operator_timeout = times.pop("operator_timeout", Device.operator_timeout)
    file_servers = FILE_SERVERS | {
        name: _of_file_servers(name, given.pop(name)) for name in [*given] if name in FILE_SERVERS
    }
    for name, value in given.items():
        if name in CHOICES:
            if value not in CHOICES[name]:
                raise BadSetting(f"{name}={value} is none of {', '.join(CHOICES[name])}")
        elif name in NUMBERS:
            _positive(name, value)
        elif name in LOCATIONS:
            _url(name, value)
        elif name in LONGEST_TEXTS:
            if not 0 < len(value) <= LONGEST_TEXTS[name]:
                raise BadSetting(f"{name} has {len(value)} characters, 1 to {LONGEST_TEXTS[name]} are allowed")
        elif DEFAULT_DATA[name].isdigit():
            _whole(name, value, least=0 if name in MAY_BE_ZERO else 1)
        elif not 0 < len(value) <= 20:  # 7.28: an idTag is a CiString20
            raise BadSetting(f"{name} has {len(value)} characters, an idTag has 1 to 20")
    defaults = dict(DEFAULT_DATA)
    if given.get("ChargingRateUnit") == "W":
        defaults |= DATA_IN_WATTS
    if listen is not None:
        defaults["NumberOfConnectors"] = "1"
        del defaults["LocalLimit"]  # nobody knows but its maker
        del defaults["SerialNumber"]
    if url is not None:
        for name in KNOWN_TO_THE_CENTRAL_SYSTEM:
            del defaults[name]
    data_of_device = defaults | given
    if int(data_of_device["ConnectorId"]) > int(data_of_device["NumberOfConnectors"]):
        raise BadSetting(f"ConnectorId={data_of_device['ConnectorId']} is above NumberOfConnectors")
    return Device(
        identity=identity,
        second_identity=second_identity,
        url=url,
        listen=listen,
        data=data_of_device,
        file_servers=file_servers,
        lacks=lacks,
        limits=Limits(**times),
        operator_timeout=operator_timeout,
        security=security,
    )


def _checked(security: Security, url: str | None, *, is_external: bool) -> Security:
    """The settings, if they fit each other. Raises ``BadSetting``."""
    profile, is_secure = security.profile, (url or "").startswith("wss:")
    if profile is not None and not 0 <= profile <= HIGHEST_SECURITY_PROFILE:
        raise BadSetting(f"--security-profile {profile} is none of 0 to {HIGHEST_SECURITY_PROFILE}")
    if (security.client_cert is None) != (security.client_key is None):
        raise BadSetting("--client-cert and --client-key belong together")
    if url is not None and profile in (2, 3) and not is_secure:
        raise BadSetting(f"security profile {profile} is spoken over TLS, and --csms {url} does not begin with wss")
    if url is not None and profile == 1 and is_secure:
        raise BadSetting(f"security profile 1 is spoken without TLS, and --csms {url} begins with wss")
    if is_external and profile in (1, 2) and security.password is None:
        raise BadSetting(f"security profile {profile} needs the password of the Charge Point: --password")
    if url is not None and profile in (2, 3) and security.tls_ca is None:
        raise BadSetting(
            f"security profile {profile} needs who has signed the certificate of the Central System: --tls-ca"
        )
    if url is not None and profile == 3 and security.client_cert is None and security.pki is None:
        raise BadSetting("security profile 3 needs the certificate of the Charge Point: --client-cert and --client-key")
    return security


def authorization_key(text: str) -> bytes:
    """The AuthorizationKey that is meant: 32 to 40 hexadecimal digits, or 16 to 20 characters. Raises ``BadSetting``.

    The official tool reads it so; the white paper wants 16 to 20 bytes (A00.FR.205).
    """
    if 32 <= len(text) <= 40 and len(text) % 2 == 0 and re.fullmatch("[0-9A-Fa-f]+", text):
        return bytes.fromhex(text)
    if text in WORDS_OF_OCPP:
        raise BadSetting(f"the password is {text}, a word of OCPP: it would be masked wherever OCPP says it")
    if not 16 <= len(text.encode()) <= 20:
        raise BadSetting("the password is neither 16 to 20 characters nor 32 to 40 hexadecimal digits")
    return text.encode()


def _whole(name: str, text: str, least: int) -> None:
    if not (text.isascii() and text.isdigit() and least <= int(text) < 2**31):
        raise BadSetting(f"{name}={text} is no whole number above {least - 1}")


def _of_file_servers(name: str, value: str) -> str:
    match name:
        case "FileTransferProtocol" if value not in ("FTP", "HTTP"):
            raise BadSetting(f"{name}={value}: we serve FTP and HTTP")
        case "HttpPort" | "FtpPort" if not (value.isdecimal() and int(value) < 2**16):
            raise BadSetting(f"{name}={value} is no port")
        case "FtpPassivePorts" if value and not _is_range_of_ports(value):
            raise BadSetting(f"{name}={value} is no range of ports such as 50000-50010")
        case _ if name.endswith("File") and value and not Path(value).is_file():
            raise BadSetting(f"{name}={value} is no file")
    return value


def _is_range_of_ports(text: str) -> bool:
    match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text)
    return match is not None and 0 < int(match[1]) <= int(match[2]) < 2**16


def _url(name: str, text: str) -> None:
    if not re.fullmatch(r"(ftps?|https?)://[^/\s]+(/\S*)?", text):
        raise BadSetting(f"{name}={masked(text)} is no URL such as ftp://host/path")


def _positive(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise BadSetting(f"{name}={text} is no positive number")
    return number
