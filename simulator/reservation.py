"""Reservations of a connector or of the whole Charge Point: 3.3, 5.1 and 5.13, and its key (9.3)."""

from simulator.configuration import Key
from simulator.core import Handler

KEYS = [Key("ReserveConnectorZeroSupported", "boolean", "true", read_only=True)]

HANDLERS: dict[str, Handler] = {}
