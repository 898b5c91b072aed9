"""Messages on request: 5.17."""

from simulator.core import Handler

HANDLERS: dict[str, Handler] = {}
