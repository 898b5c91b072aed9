"""What is under test, what it can do, and the test data by their meaning."""

import re
from collections.abc import Iterator, Mapping, Sequence
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

URL_OF_A_FILE = re.compile(r"(ftps?|https?)://[^/\s]+(/\S*)?")

HIGHEST_SECURITY_PROFILE = 3

WORDS_OF_OCPP = ACTIONS | {"AuthorizationKey"}


@dataclass(frozen=True)
class Security:
    """How the two parties know each other: what the white paper «Improved security for OCPP 1.6-J» calls a profile.

    ``profile``: 0 to 3; None in a self-rehearsal that takes for each case one that it is for. ``password``: the
    AuthorizationKey. ``tls_ca``: authorities that are trusted, in PEM. ``client_cert`` and ``client_key``: what our
    Charge Point shows to a Central System under test. ``urls``: where that one is reached with other profiles than the
    one that is rehearsed. ``server_cert`` and ``server_key``: what our Central System shows to a Charge Point under
    test, where that is to be no certificate of our own making. ``pki``: where our own certificates are kept.
    ``store``: the file for credentials that a case has changed.
    """

    profile: int | None = None
    password: bytes | None = field(default=None, repr=False)
    tls_ca: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    urls: Mapping[int, str] = field(default_factory=dict)
    pki: Path | None = None
    server_cert: Path | None = None
    server_key: Path | None = None
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


@dataclass(frozen=True, slots=True)
class Problem:
    """A setting that cannot be used. ``setting``: as a device file names it, ``security.profile``.

    ``words``: what is wrong and what would be right, said after the name of the setting and its ``value``.
    """

    setting: str
    words: str
    value: str | None = None

    def __str__(self) -> str:
        """In one line, with the setting as the command line has it."""
        table, _, key = self.setting.partition(".")
        name = OPTIONS.get(self.setting) or NAMES.get(self.setting) or f"--{key or table}".replace("_", "-")
        if self.value is None:
            return f"{name} {self.words}"
        return f"{name}{' ' if name.startswith('--') else '='}{self.value} {self.words}"


class BadSetting(ValueError):
    """Settings that cannot be used: what is wrong and what would be right. ``problems``: one by one, where known."""

    def __init__(self, text: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(text or "\n".join(map(str, problems)))
        self.problems = (*problems,)


def setting_of(name: str) -> str:
    """Where a name of test data stands in a device file: ``MessageTimeout`` is ``limits.message_timeout``."""
    if name in LIMITS:
        return f"limits.{LIMITS[name]}"
    if name in FILE_SERVERS:
        return f"files.{re.sub('(?<=[a-z])(?=[A-Z])', '_', name).lower()}"
    return f"test_data.{name}"


# What a device file calls a setting -> what it is called on the command line.
NAMES = {setting_of(name): name for name in (*DEFAULT_DATA, *LIMITS, *FILE_SERVERS, *LOCATIONS)}
NEXT_URL = "connection.next_url"  # the command line alone has it: a file tells the URL of each profile
OPTIONS = {
    NEXT_URL: "--next-csms",
    "connection.url": "--csms",
    "connection.listen": "--listen",
    "security.profile": "--security-profile",
    "security.password_from": "--password",
}


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
    security = security or Security(0 if is_external else None)
    known = DEFAULT_DATA.keys() | LIMITS.keys() | FILE_SERVERS.keys() | set(LOCATIONS)
    if unknown := sorted(given.keys() - known):
        raise BadSetting(f"unknown test data {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    if strange := sorted(lacks - CAPABILITIES.keys()):
        raise BadSetting(f"unknown capability {', '.join(strange)}; there are {', '.join(sorted(CAPABILITIES))}")
    problems = [*_of_security(security, url, is_external=is_external), *_of_data(given)]
    wrong = {problem.setting for problem in problems}
    in_watts = given.get("ChargingRateUnit") == "W"
    data_of_device = _default_data(in_watts, is_charge_point=listen is not None, is_central_system=url is not None) | {
        name: value for name, value in given.items() if name in DEFAULT_DATA.keys() | LOCATIONS
    }
    if wrong.isdisjoint(("test_data.ConnectorId", "test_data.NumberOfConnectors")):
        connector, connectors = data_of_device["ConnectorId"], data_of_device["NumberOfConnectors"]
        if int(connector) > int(connectors):
            problems.append(Problem("test_data.ConnectorId", f"is above NumberOfConnectors, {connectors}", connector))
    if problems:
        raise BadSetting(problems=problems)
    times = {LIMITS[name]: float(value) for name, value in given.items() if name in LIMITS}
    operator_timeout = times.pop("operator_timeout", Device.operator_timeout)
    return Device(
        identity=identity,
        second_identity=second_identity,
        url=url,
        listen=listen,
        data=data_of_device,
        file_servers=FILE_SERVERS | {name: value for name, value in given.items() if name in FILE_SERVERS},
        lacks=lacks,
        limits=Limits(**times),
        operator_timeout=operator_timeout,
        security=security,
    )


def _default_data(in_watts: bool, *, is_charge_point: bool, is_central_system: bool) -> dict[str, str]:
    """The test data that nobody needs to tell of a foreign Charge Point, a foreign Central System, or our own two."""
    defaults = DEFAULT_DATA | (DATA_IN_WATTS if in_watts else {})
    if is_charge_point:
        defaults["NumberOfConnectors"] = "1"
        del defaults["LocalLimit"]  # nobody knows but its maker
        del defaults["SerialNumber"]
    if is_central_system:
        for name in KNOWN_TO_THE_CENTRAL_SYSTEM:
            del defaults[name]
    return defaults


def _of_data(given: Mapping[str, str]) -> Iterator[Problem]:
    for name, value in given.items():
        if (words := _fault(name, value)) is not None:
            # An idTag or a text is too long to be said once more, a URL may hold a password.
            is_short = name in FILE_SERVERS or name in LIMITS or name in CHOICES or DEFAULT_DATA.get(name, "").isdigit()
            yield Problem(setting_of(name), words, value if is_short else None)


def _fault(name: str, value: str) -> str | None:
    """What is wrong with the value of test data; None if nothing is."""
    match name:
        case _ if name in CHOICES and value not in CHOICES[name]:
            return f"is none of {', '.join(CHOICES[name])}"
        case _ if name in CHOICES:
            return None
        case _ if name in LIMITS or name in NUMBERS:
            return None if _is_positive(value) else "is no positive number"
        case _ if name in FILE_SERVERS:
            return _fault_of_file_server(name, value)
        case _ if name in LOCATIONS:
            return None if URL_OF_A_FILE.fullmatch(value) else "is no URL such as ftp://host/path"
        case _ if name in LONGEST_TEXTS:
            longest = LONGEST_TEXTS[name]
            return None if 0 < len(value) <= longest else f"has {len(value)} characters, 1 to {longest} are allowed"
        case _ if DEFAULT_DATA[name].isdigit():
            least = 0 if name in MAY_BE_ZERO else 1
            return None if _is_whole(value, least) else f"is no whole number above {least - 1}"
    # 7.28: an idTag is a CiString20
    return None if 0 < len(value) <= 20 else f"has {len(value)} characters, an idTag has 1 to 20"


def _of_security(security: Security, url: str | None, *, is_external: bool) -> Iterator[Problem]:
    """What does not fit each other."""
    profile, is_secure = security.profile, (url or "").startswith("wss:")
    if profile is not None and not 0 <= profile <= HIGHEST_SECURITY_PROFILE:
        yield Problem("security.profile", f"is none of 0 to {HIGHEST_SECURITY_PROFILE}", str(profile))
    for one, other in (("client_cert", "client_key"), ("server_cert", "server_key")):
        for given, missing in ((one, other), (other, one)):
            if getattr(security, given) is not None and getattr(security, missing) is None:
                yield Problem(f"security.{missing}", "is missing: a certificate and its private key belong together")
    if url is not None and profile in (2, 3) and not is_secure:
        words = f"does not begin with wss: security profile {profile} is spoken over TLS"
        yield Problem("connection.url", words, masked(url))
    if url is not None and profile == 1 and is_secure:
        yield Problem("connection.url", "begins with wss: security profile 1 is spoken without TLS", masked(url))
    needs = f"is missing: security profile {profile} needs"
    if is_external and profile in (1, 2) and security.password is None:
        yield Problem("security.password_from", f"{needs} the password of the Charge Point")
    if url is not None and profile in (2, 3) and security.tls_ca is None:
        yield Problem("security.tls_ca", f"{needs} who has signed the certificate of the Central System")
    has_certificate = security.client_cert or security.client_key or security.pki
    if url is not None and profile == 3 and not has_certificate:
        yield Problem("security.client_cert", f"{needs} the certificate of the Charge Point, and its private key")


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


def _is_whole(text: str, least: int) -> bool:
    return text.isascii() and text.isdigit() and least <= int(text) < 2**31


def _fault_of_file_server(name: str, value: str) -> str | None:
    match name:
        case "FileTransferProtocol" if value not in ("FTP", "HTTP"):
            return "is neither FTP nor HTTP, which we serve"
        case "HttpPort" | "FtpPort" if not (value.isdecimal() and int(value) < 2**16):
            return "is no port"
        case "FtpPassivePorts" if value and not _is_range_of_ports(value):
            return "is no range of ports such as 50000-50010"
        case _ if name.endswith("File") and value and not Path(value).is_file():
            return "is no file"
    return None


def _is_range_of_ports(text: str) -> bool:
    match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text)
    return match is not None and 0 < int(match[1]) <= int(match[2]) < 2**16


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < 1e6
    except ValueError:
        return False
