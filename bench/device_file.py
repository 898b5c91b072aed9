"""The device file: a device, who it is, who operates it, and what is known to fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.device import Device

# What the report says of the device beside what the run knows of it.
ABOUT = ("vendor", "product", "software_version", "place", "reference", "laboratory")


@dataclass(frozen=True)
class DeviceFile:
    """What a user tells of a device, in a file or on the command line.

    ``about``: names of ``ABOUT``. ``operator``: its kind and what that kind needs; empty if nobody was named.
    ``hooks``: programs by when they are run. ``known_failures``: case id -> why the case is known to fail.
    """

    device: Device
    about: Mapping[str, str] = field(default_factory=dict)
    operator: Mapping[str, Any] = field(default_factory=dict)
    hooks: Mapping[str, str] = field(default_factory=dict)
    known_failures: Mapping[str, str] = field(default_factory=dict)
