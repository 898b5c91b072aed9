"""Faults about files that the planted ones about signed firmware have in common with bench/mutants."""

from collections.abc import Callable
from typing import Any

import pytest

from ocppj.frames import Payload
from simulator import file_transfer, firmware_management
from simulator.firmware_management import FirmwareManagement
from tests.planted.test_planted_faults import Plant


def tells_instead(**others: str | None) -> Plant:
    """The Charge Point tells one status for another, or, for None, does not tell it."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        tell = FirmwareManagement._tell

        async def otherwise(self: FirmwareManagement, action: str, payload: Payload) -> None:
            told = others.get(payload["status"], payload["status"])
            if told is not None:
                await tell(self, action, payload | {"status": told})

        patch.setattr(FirmwareManagement, "_tell", otherwise)

    return plant


def with_transfers(name: str, transfer: Callable[..., Any]) -> Plant:
    return lambda patch: patch.setattr(firmware_management, name, transfer)


async def downloads_nothing(*_: object, **__: object) -> bytes:
    return firmware_management.firmware_image("1.1.0")


async def uploads_nothing(*_: object, **__: object) -> None:
    return


def uploads_changed(edit: Callable[[bytes], bytes]) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        async def changed(location: str, name: str, content: bytes, **more: Any) -> None:
            await file_transfer.upload(location, name, edit(content), **more)

        patch.setattr(firmware_management, "upload", changed)

    return plant


def stays_unavailable(patch: pytest.MonkeyPatch) -> None:
    power_down = FirmwareManagement.power_down

    def forgetful(self: FirmwareManagement) -> None:
        holds = self.holds_connectors
        power_down(self)
        self.holds_connectors = holds

    patch.setattr(FirmwareManagement, "power_down", forgetful)
