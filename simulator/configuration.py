"""Configuration keys, and those of the Core profile: chapter 9.1, errata 3.80 to 3.91 and OCPP-J chapter 7.

Keys are compared without regard to case (CiString50Type, 7.17) and reported in the spelling of the specification.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ocppj.frames import Payload
from simulator.memory import Memory
from simulator.metering import canonical_measurand

Type = Literal["boolean", "integer", "CSL", "string"]
ChangeStatus = Literal["Accepted", "Rejected", "NotSupported"]

HIGHEST = 2**31 - 1
_SECONDS_PER_DAY = 86_400
_MEASURANDS_MAX_LENGTH = 10
_ROTATIONS = frozenset({"notapplicable", "unknown", "rst", "rts", "srt", "str", "trs", "tsr"})  # 9.1.7


@dataclass(frozen=True, slots=True)
class Key:
    """A configuration key.

    ``minimum`` and ``maximum`` bound an integer. ``item`` gives the canonical form of a list item, or None for one
    that is not allowed; ``max_length`` bounds the number of items. ``pattern`` is what a string has to be like. Nobody
    is told the value of a ``write_only`` key.
    """

    name: str
    type: Type
    default: str
    read_only: bool = False
    minimum: int = 0
    maximum: int = HIGHEST
    item: Callable[[str], str | None] = str
    max_length: int = 0
    pattern: str = ".*"
    write_only: bool = False

    def understood(self, text: str) -> str | None:
        """The value that a Central System means, in canonical form; None if it cannot be had (5.3)."""
        match self.type:
            case "boolean":
                return text.lower() if text.lower() in ("true", "false") else None
            case "integer":
                return self._integer(text)
            case "CSL":
                return self._list(text)
            case "string":
                return text if re.fullmatch(self.pattern, text) else None

    def _integer(self, text: str) -> str | None:
        if not re.fullmatch("[0-9]{1,10}", text) or not self.minimum <= int(text) <= self.maximum:
            return None
        return str(int(text))

    def _list(self, text: str) -> str | None:
        if not text.strip():
            return ""
        items = [self.item(part.strip()) for part in text.split(",")]
        known = list(dict.fromkeys(item for item in items if item is not None))
        if None in items or len(known) > self.max_length:
            return None
        return ",".join(known)


def core_keys(connectors: int, fixed_cable: bool, message_timeout: float, profiles: Sequence[str]) -> list[Key]:
    """The keys of a Charge Point with so many connectors."""

    def rotation(item: str) -> str | None:
        connector, _, value = item.partition(".")
        known = connector.isdecimal() and int(connector) <= connectors and value.lower() in _ROTATIONS
        return item if known else None

    def measurands(name: str, default: str = "") -> Key:
        return Key(name, "CSL", default, item=canonical_measurand, max_length=_MEASURANDS_MAX_LENGTH)

    def constant(name: str, value: int) -> Key:
        return Key(name, "integer", str(value), read_only=True)

    rotations = ",".join(f"{number}.RST" for number in range(connectors + 1))
    return [
        Key("AllowOfflineTxForUnknownId", "boolean", "false"),
        Key("AuthorizationCacheEnabled", "boolean", "true"),
        Key("AuthorizeRemoteTxRequests", "boolean", "true"),
        Key("BlinkRepeat", "integer", "3", maximum=100),
        Key("ClockAlignedDataInterval", "integer", "0", maximum=_SECONDS_PER_DAY),
        # 9.1.6 gives no meaning to 0; taken literally it would forbid presenting an idTag before plugging in.
        Key("ConnectionTimeOut", "integer", "60", minimum=1),
        Key("ConnectorPhaseRotation", "CSL", rotations, item=rotation, max_length=connectors + 1),
        constant("ConnectorPhaseRotationMaxLength", connectors + 1),
        constant("GetConfigurationMaxKeys", 50),
        Key("HeartbeatInterval", "integer", "300"),
        Key("LightIntensity", "integer", "50", maximum=100),
        Key("LocalAuthorizeOffline", "boolean", "true"),
        Key("LocalPreAuthorize", "boolean", "false"),
        Key("MaxEnergyOnInvalidId", "integer", "0"),
        Key("MessageTimeout", "integer", str(max(1, round(message_timeout))), minimum=1),
        Key("MeterValueSampleInterval", "integer", "60"),
        measurands("MeterValuesAlignedData", "Energy.Active.Import.Register"),
        constant("MeterValuesAlignedDataMaxLength", _MEASURANDS_MAX_LENGTH),
        measurands("MeterValuesSampledData", "Energy.Active.Import.Register"),
        constant("MeterValuesSampledDataMaxLength", _MEASURANDS_MAX_LENGTH),
        Key("MinimumStatusDuration", "integer", "0"),
        constant("NumberOfConnectors", connectors),
        Key("ResetRetries", "integer", "0", maximum=100),
        constant("StopTransactionMaxMeterValues", 100),
        Key("StopTransactionOnEVSideDisconnect", "boolean", "true"),
        Key("StopTransactionOnInvalidId", "boolean", "true"),
        measurands("StopTxnAlignedData"),
        constant("StopTxnAlignedDataMaxLength", _MEASURANDS_MAX_LENGTH),
        measurands("StopTxnSampledData"),
        constant("StopTxnSampledDataMaxLength", _MEASURANDS_MAX_LENGTH),
        Key("SupportedFeatureProfiles", "CSL", ",".join(profiles), read_only=True),
        constant("SupportedFeatureProfilesMaxLength", len(profiles)),
        Key("TransactionMessageAttempts", "integer", "3", minimum=1),  # 3.7.1: the first transmission is an attempt
        Key("TransactionMessageRetryInterval", "integer", "60"),
        # Errata 3.84: a Charge Point with a fixed cable reports false and does not let it be changed.
        Key("UnlockConnectorOnEVSideDisconnect", "boolean", "false" if fixed_cable else "true", read_only=fixed_cable),
        Key("WebSocketPingInterval", "integer", "60"),  # OCPP-J 7: negative values are to be rejected
    ]


class Configuration:
    """The configuration keys of a Charge Point and their values. What was changed is in its memory."""

    def __init__(self, keys: list[Key], memory: Memory) -> None:
        self._keys = {key.name.lower(): key for key in sorted(keys, key=lambda key: key.name)}
        self._memory = memory
        self.listeners: dict[str, Callable[[], None]] = {}  # called after the key was given a value
        # Who answers a request to give the key a value that it could have, and keeps it.
        self.deciders: dict[str, Callable[[str], ChangeStatus]] = {}

    @property
    def keys(self) -> list[Key]:
        """Every key in alphabetical order, the one in which GetConfiguration.conf lists them."""
        return list(self._keys.values())

    def find(self, name: str) -> Key | None:
        """The key that is meant by a name, whatever its case."""
        return self._keys.get(name.lower())

    def value(self, name: str) -> str:
        """The present value of a key as text. Raises ``KeyError`` for an unknown one."""
        key = self._keys[name.lower()]
        return self._memory.configuration.get(key.name, key.default)

    def flag(self, name: str) -> bool:
        """The present value of a boolean key."""
        return self.value(name) == "true"

    def number(self, name: str) -> int:
        """The present value of an integer key."""
        return int(self.value(name))

    def items(self, name: str) -> list[str]:
        """The present value of a list key."""
        return [item for item in self.value(name).split(",") if item]

    def change(self, name: str, text: str) -> ChangeStatus:
        """Change a key as ChangeConfiguration.req does; every change is effective immediately (5.3)."""
        key = self.find(name)
        if key is None:
            return "NotSupported"
        value = None if key.read_only else key.understood(text)
        if value is None:
            return "Rejected"
        if decider := self.deciders.get(key.name):
            return decider(value)
        self.set(key.name, value)
        return "Accepted"

    def set(self, name: str, value: str) -> None:
        """Give a key a value from inside the Charge Point, whatever its access."""
        self._memory.configuration[name] = value
        if listener := self.listeners.get(name):
            listener()

    def describe(self, key: Key) -> Payload:
        """The key as GetConfiguration.conf tells it (7.29), without the value of a write-only one."""
        if key.write_only:
            return {"key": key.name, "readonly": key.read_only}
        return {"key": key.name, "readonly": key.read_only, "value": self.value(key.name)}
