"""What is under test, what it can do, and the test data by their meaning."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from bench.obligations import Limits
from ocppj.transcript import masked

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
}

# Where the unit is W, the limits of the cases are as many kW as they are A otherwise; our own connectors have 16 A.
DATA_IN_WATTS = {"ChargingLimit": "6000", "LocalLimit": "11040"}

CHOICES = {"ChargingRateUnit": ("A", "W")}
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
}

# Places that sentences name: on our file servers, unless they are given as test data.
LOCATIONS = ("FirmwareUrl", "BadFirmwareUrl", "MissingFirmwareUrl", "DiagnosticsUrl", "RefusedDiagnosticsUrl")


@dataclass(frozen=True)
class Device:
    """The device under test.

    ``url``: where a Central System under test listens. ``listen``: host and port where we await a Charge Point under
    test. Neither: our own two parties rehearse with each other.
    """

    identity: str = "CP1"
    url: str | None = None
    listen: tuple[str, int] | None = None
    data: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_DATA))
    file_servers: Mapping[str, str] = field(default_factory=lambda: dict(FILE_SERVERS))
    lacks: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)
    operator_timeout: float = 120.0  # seconds an operator has for one request

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
            "lacks": sorted(self.lacks),
            "test_data": dict(self.data),
            "file_servers": dict(self.file_servers),
            "limits_s": asdict(self.limits),
        }


class BadSetting(ValueError):
    """A setting that cannot be used: what is wrong and what would be right, in one line."""


def device(
    *,
    identity: str = "CP1",
    url: str | None = None,
    listen: tuple[str, int] | None = None,
    data: Mapping[str, str] | None = None,
    lacks: frozenset[str] = frozenset(),
) -> Device:
    """A device from what a user says of it. Raises ``BadSetting``."""
    given = dict(data or {})
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
    if url is not None:
        for name in KNOWN_TO_THE_CENTRAL_SYSTEM:
            del defaults[name]
    data_of_device = defaults | given
    if int(data_of_device["ConnectorId"]) > int(data_of_device["NumberOfConnectors"]):
        raise BadSetting(f"ConnectorId={data_of_device['ConnectorId']} is above NumberOfConnectors")
    return Device(
        identity=identity,
        url=url,
        listen=listen,
        data=data_of_device,
        file_servers=file_servers,
        lacks=lacks,
        limits=Limits(**times),
        operator_timeout=operator_timeout,
    )


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
        case "FirmwareFile" | "BadFirmwareFile" if value and not Path(value).is_file():
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
