"""The Local Authorization List: 3.5.2, 5.10 and 5.15, and its keys (9.2)."""

from simulator.configuration import Key
from simulator.core import Handler

KEYS = [
    Key("LocalAuthListEnabled", "boolean", "true"),
    Key("LocalAuthListMaxLength", "integer", "50", read_only=True),
    Key("SendLocalListMaxLength", "integer", "20", read_only=True),
]

HANDLERS: dict[str, Handler] = {}
