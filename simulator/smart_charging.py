"""Charging profiles and what they allow: 3.13, 5.5, 5.7 and 5.16, and its keys (9.4)."""

from simulator.configuration import Key
from simulator.core import Handler

KEYS = [
    Key("ChargeProfileMaxStackLevel", "integer", "10", read_only=True),
    Key("ChargingScheduleAllowedChargingRateUnit", "CSL", "Current,Power", read_only=True),
    Key("ChargingScheduleMaxPeriods", "integer", "24", read_only=True),
    Key("ConnectorSwitch3to1PhaseSupported", "boolean", "true", read_only=True),
    Key("MaxChargingProfilesInstalled", "integer", "30", read_only=True),
]

HANDLERS: dict[str, Handler] = {}
