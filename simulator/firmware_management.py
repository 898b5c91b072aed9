"""Firmware and diagnostics: 4.4, 4.5, 5.9 and 5.19, with errata 3.12, 3.31, 3.47 to 3.50, 3.63 and 3.90.

What the Central System asked for is kept in the memory until it has heard how it ended: a power cut in between delays
it and loses nothing.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

from ocppj.clock import parse_timestamp
from ocppj.errors import CallFailed, Disconnected
from ocppj.frames import Payload
from ocppj.transcript import masked
from simulator.configuration import Key
from simulator.core import Handler
from simulator.file_transfer import PROTOCOLS, TransferFailed, download, upload
from simulator.memory import DiagnosticsUpload, FirmwareUpdate

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

KEYS = [Key("SupportedFileTransferProtocols", "CSL", ",".join(PROTOCOLS), read_only=True)]  # 9.5.1, errata 3.90

OWN_RETRIES = 1  # 6.25, 6.55: the Charge Point's choice where the Central System makes none
OWN_RETRY_INTERVAL = 10  # seconds
INSTALLATION_TIME = 5.0  # seconds
_RECONNECTION = 1.0  # seconds until a lost connection is looked at again
_LONGEST_WAIT = 3600.0  # seconds after which the clock is asked again: the Central System may have set it

_MAGIC = b"ocpp-rehearsal firmware\n"

FirmwareStatus = Literal["Idle", "Downloading", "Downloaded", "Installing"]
DiagnosticsStatus = Literal["Idle", "Uploading"]


def firmware_image(version: str) -> bytes:
    """An image that this Charge Point can install: version, checksum, and what it is the checksum of."""
    body = hashlib.shake_256(version.encode()).digest(100_000)
    return _MAGIC + f"{version}\n{hashlib.sha256(body).hexdigest()}\n".encode() + body


def version_of(image: bytes) -> str | None:
    """The version of an image; None if it is none that this Charge Point can install."""
    if not image.startswith(_MAGIC):
        return None
    version, _, rest = image.removeprefix(_MAGIC).partition(b"\n")
    checksum, _, body = rest.partition(b"\n")
    return version.decode(errors="replace") if hashlib.sha256(body).hexdigest().encode() == checksum else None


class FirmwareManagement:
    """What a Charge Point does about its firmware and its diagnostics.

    ``download_fails``, ``installation_fails`` and ``upload_fails`` are facts that whoever plays with the Charge Point
    may set, and so is ``takes_any_image``: a Central System of somebody else has images for other devices.
    """

    def __init__(self, charge_point: "ChargePoint") -> None:
        self.download_fails = False
        self.installation_fails = False
        self.upload_fails = False
        self.takes_any_image = False
        self.uploaded = b""  # the diagnostics file that was uploaded last
        self.holds_connectors = False  # 4.9: Unavailable while the firmware is about to be installed
        self._charge_point = charge_point
        self._memory = charge_point.memory
        self._updating: asyncio.Task[None] | None = None
        self._uploading: asyncio.Task[None] | None = None
        self._usage_changed = asyncio.Event()

    @property
    def firmware_status(self) -> FirmwareStatus:
        """What a triggered FirmwareStatusNotification.req tells: Idle unless it downloads or installs (4.5, 7.25)."""
        status = self._memory.firmware_updates[0]["status"] if self._memory.firmware_updates else "Waiting"
        return "Idle" if status == "Waiting" else status

    @property
    def diagnostics_status(self) -> DiagnosticsStatus:
        """What a triggered DiagnosticsStatusNotification.req tells: Idle unless it uploads (4.4, 7.24)."""
        return "Uploading" if self._memory.diagnostics_uploads else "Idle"

    def power_up(self) -> None:
        """Go on with what was begun before the power was lost."""
        if self._memory.firmware_updates:
            self._updating = self._charge_point.spawn(self._update())
        if self._memory.diagnostics_uploads:
            self._uploading = self._charge_point.spawn(self._upload_all())

    def power_down(self) -> None:
        """The power is gone, and what was being done with it."""
        self.holds_connectors = False
        self._updating = self._uploading = None

    def usage_changed(self) -> None:
        """A connector has another status."""
        self._usage_changed.set()

    # Firmware

    def update(self, request: Payload) -> None:
        """Begin the update that UpdateFirmware.req asks for, instead of one that is not being installed yet."""
        updates = self._memory.firmware_updates
        updates[:] = [update for update in updates if update["status"] == "Installing"][:1]
        updates.append(
            {
                "status": "Waiting",
                "location": request["location"],
                "retrieveDate": request["retrieveDate"],
                "retries": max(0, request.get("retries", OWN_RETRIES)),
                "retryInterval": max(0, request.get("retryInterval", OWN_RETRY_INTERVAL)),
                "version": None,
                "installed": False,
            }
        )
        if len(updates) == 1:
            self._begin_update()

    def _begin_update(self) -> None:
        if self._updating:
            self._updating.cancel()
        if self.holds_connectors:
            self.holds_connectors = False
            self._charge_point.settle_availability()
        self._updating = self._charge_point.spawn(self._update())

    async def _update(self) -> None:
        steps: dict[str, Callable[[FirmwareUpdate], Awaitable[bool]]] = {
            "Waiting": self._wait_for_retrieve_date,
            "Downloading": self._download,
            "Downloaded": self._install,
            "Installing": self._report_installation,
        }
        while self._memory.firmware_updates:
            update = self._memory.firmware_updates[0]
            if not await steps[update["status"]](update):
                return

    async def _wait_for_retrieve_date(self, update: FirmwareUpdate) -> bool:
        # Errata 3.63: not before that time; 5.19: as soon as possible after it.
        try:
            retrieve_date = parse_timestamp(update["retrieveDate"])
        except ValueError:  # a leap second
            retrieve_date = self._charge_point.now()
        wait = (retrieve_date - self._charge_point.now()).total_seconds()
        if wait > 0:
            await asyncio.sleep(min(wait, _LONGEST_WAIT))
        else:
            update["status"] = "Downloading"
        return True

    async def _download(self, update: FirmwareUpdate) -> bool:
        await self._tell_firmware("Downloading")
        location = update["location"]
        while True:
            try:
                image = await download(location, breaks=self.download_fails)
            except TransferFailed as failure:
                self._record("download", location, failure=str(failure))
                if not update["retries"]:
                    return await self._end_update("DownloadFailed")
                update["retries"] -= 1
                await asyncio.sleep(update["retryInterval"])
            else:
                break
        self._record("download", location, content=image)
        update["version"] = version_of(image)
        if update["version"] is None and self.takes_any_image and image:
            update["version"] = f"image-{hashlib.sha256(image).hexdigest()[:8]}"
        await self._tell_firmware("Downloaded")
        update["status"] = "Downloaded"
        return True

    async def _install(self, update: FirmwareUpdate) -> bool:
        if update["version"] is None:  # errata 3.48: what is installed is a valid image
            return await self._end_update("InstallationFailed")
        # 5.19: after the Charging Sessions; connectors that are not in use become Unavailable meanwhile.
        self.holds_connectors = True
        self._charge_point.settle_availability()
        while any(not connector.is_idle for connector in self._charge_point.connectors.values()):
            self._usage_changed.clear()
            await self._usage_changed.wait()
        update["status"] = "Installing"
        await self._tell_firmware("Installing")
        await asyncio.sleep(INSTALLATION_TIME)
        if not self.installation_fails:
            update["installed"] = True
            self._memory.firmware_version = update["version"][:50]  # 6.3: a CiString50
            self._charge_point.boot_information["firmwareVersion"] = self._memory.firmware_version
        # 5.19: «good practice to first reboot the Charge Point to check the new firmware is booting».
        await self._charge_point.restart()
        return False  # the restart goes on with it

    async def _report_installation(self, update: FirmwareUpdate) -> bool:
        return await self._end_update("Installed" if update["installed"] else "InstallationFailed")

    async def _end_update(self, status: str) -> bool:
        await self._tell_firmware(status)
        del self._memory.firmware_updates[0]
        return True

    async def _tell_firmware(self, status: str) -> None:
        await self._tell("FirmwareStatusNotification", status)

    # Diagnostics

    def diagnostics(self, request: Payload) -> str | None:
        """Begin the upload that GetDiagnostics.req asks for; the name of the file, None if there is nothing to tell."""
        charge_point = self._charge_point
        lines = [
            f"{entry['timestamp']} {entry['text']}\n"
            for entry in self._memory.log
            if _is_between(entry["timestamp"], request.get("startTime"), request.get("stopTime"))
        ]
        if not lines:
            return None
        identity = re.sub(r"[^\w.-]", "_", charge_point.identity)[:100]
        name = f"{identity}-{re.sub('[:.]', '-', charge_point.timestamp())}.log"
        self._memory.diagnostics_uploads.append(
            {
                "location": request["location"],
                "fileName": name,
                "content": "".join(lines),
                "retries": max(0, request.get("retries", OWN_RETRIES)),
                "retryInterval": max(0, request.get("retryInterval", OWN_RETRY_INTERVAL)),
            }
        )
        return name

    def begin_upload(self) -> None:
        """Upload what was promised, one file after the other."""
        if self._uploading is None or self._uploading.done():
            self._uploading = self._charge_point.spawn(self._upload_all())

    async def _upload_all(self) -> None:
        while self._memory.diagnostics_uploads:
            task = self._memory.diagnostics_uploads[0]
            await self._tell("DiagnosticsStatusNotification", "Uploading")
            status = await self._upload(task)
            await self._tell("DiagnosticsStatusNotification", status)
            del self._memory.diagnostics_uploads[0]

    async def _upload(self, task: DiagnosticsUpload) -> str:
        location, name, content = task["location"], task["fileName"], task["content"].encode()
        while True:
            try:
                await upload(location, name, content, breaks=self.upload_fails)
            except TransferFailed as failure:
                self._record("upload", location, name=name, failure=str(failure))
                if not task["retries"]:  # errata 3.50: retries beside the first try
                    return "UploadFailed"
                task["retries"] -= 1
                await asyncio.sleep(task["retryInterval"])
            else:
                self.uploaded = content
                self._record("upload", location, name=name, content=content)
                return "Uploaded"

    # Both

    async def _tell(self, action: str, status: str) -> None:
        """Send the notification when the Central System knows what went before. It waits for a connection."""
        self._charge_point.note(f"{action}: {status}")
        while True:
            await self._charge_point.wait_told()
            try:
                await self._charge_point.request(action, {"status": status})
            except Disconnected:
                await asyncio.sleep(_RECONNECTION)
            except CallFailed:
                return  # 3.7.1 knows retries for transaction-related messages only
            else:
                return

    def _record(
        self, operation: str, location: str, *, name: str = "", content: bytes | None = None, failure: str = ""
    ) -> None:
        words = failure or f"{len(content or b'')} bytes"
        self._charge_point.note(f"{operation} {masked(location)}: {words}")
        if self._charge_point.transcript is not None:
            self._charge_point.transcript.file(operation, location, name=name, content=content, failure=failure)


def _is_between(moment: str, start: str | None, stop: str | None) -> bool:
    """6.25: not older than startTime and not later than stopTime."""
    instant = parse_timestamp(moment)
    try:
        return (start is None or parse_timestamp(start) <= instant) and (
            stop is None or instant <= parse_timestamp(stop)
        )
    except ValueError:  # a leap second
        return True


def firmware_status(charge_point: "ChargePoint") -> FirmwareStatus:
    """What a triggered FirmwareStatusNotification.req tells (4.5)."""
    return charge_point.firmware_management.firmware_status


def diagnostics_status(charge_point: "ChargePoint") -> DiagnosticsStatus:
    """What a triggered DiagnosticsStatusNotification.req tells (4.4)."""
    return charge_point.firmware_management.diagnostics_status


def get_diagnostics(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.9."""
    part = charge_point.firmware_management
    name = part.diagnostics(request)
    if name is None:
        return {}
    charge_point.afterwards(part.begin_upload)
    return {"fileName": name}


def update_firmware(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.19."""
    charge_point.afterwards(lambda: charge_point.firmware_management.update(request))
    return {}


HANDLERS: dict[str, Handler] = {
    "GetDiagnostics": get_diagnostics,
    "UpdateFirmware": update_firmware,
}
