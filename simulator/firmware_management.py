"""Firmware and diagnostics: 4.4, 4.5, 5.9 and 5.19."""

from simulator.core import Handler

HANDLERS: dict[str, Handler] = {}
