"""Firmware and diagnostics: 4.4, 4.5, 5.9 and 5.19, with errata 3.12, 3.31, 3.47 to 3.50, 3.63 and 3.90.

Also the signed update (L01) and the logs (N01) of the white paper: the same work under other notifications.

What the Central System asked for is kept in the memory until it has heard how it ended: a power cut in between delays
it and loses nothing.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from ocppj.certificates import BadCertificate, BadSignature, faults, load, verify_path, verify_signature
from ocppj.clock import parse_timestamp
from ocppj.errors import CallFailed, Disconnected, ErrorCode, Refused
from ocppj.frames import Payload
from ocppj.secrets import masked
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

# What FirmwareStatusNotification.req calls the progress of an update (7.25).
_PROGRESS: dict[str, FirmwareStatus] = {
    "Waiting": "Idle",
    "Downloading": "Downloading",
    "Downloaded": "Downloaded",
    "Verified": "Downloaded",
    "Ready": "Downloaded",
    "Installing": "Installing",
    "Rebooted": "Installing",
}
_INSTALLS = ("Installing", "Rebooted")
_DENIED = ("HTTP 401", "HTTP 403", "FTP 530", "FTP 532", "FTP 550")  # RFC 9110, 15.5; RFC 959, 4.2


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
    may set, and so is ``takes_any_image``: a Central System of somebody else has images for other devices, whose
    manufacturers this one does not know. Their signatures are verified nevertheless.
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
        return _PROGRESS[self._memory.firmware_updates[0]["status"]] if self._memory.firmware_updates else "Idle"

    @property
    def signed_firmware_status(self) -> Payload:
        """What a triggered SignedFirmwareStatusNotification.req tells: the last one again (L01.FR.28, L01.FR.29)."""
        last = self._memory.signed_firmware_status
        return {"status": "Idle"} if last is None or last["status"] == "Installed" else last

    @property
    def diagnostics_status(self) -> DiagnosticsStatus:
        """What a triggered DiagnosticsStatusNotification.req tells: Idle unless it uploads (4.4, 7.24)."""
        return "Uploading" if any(each["requestId"] is None for each in self._memory.diagnostics_uploads) else "Idle"

    @property
    def log_status(self) -> Payload:
        """What a triggered LogStatusNotification.req tells: Idle unless it uploads (N01.FR.12, white paper 6.19)."""
        ids = [each["requestId"] for each in self._memory.diagnostics_uploads if each["requestId"] is not None]
        return {"status": "Uploading", "requestId": ids[0]} if ids else {"status": "Idle"}

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
        """Begin the update of (Signed)UpdateFirmware.req, instead of one that is not being installed yet."""
        firmware = request.get("firmware", request)
        updates = self._memory.firmware_updates
        updates[:] = [update for update in updates if update["status"] in _INSTALLS][:1]
        updates.append(
            {
                "status": "Waiting",
                "location": firmware["location"],
                "retrieveDate": firmware["retrieveDateTime"] if "firmware" in request else firmware["retrieveDate"],
                "retries": max(0, request.get("retries", OWN_RETRIES)),
                "retryInterval": max(0, request.get("retryInterval", OWN_RETRY_INTERVAL)),
                "version": None,
                "installed": False,
                "requestId": request.get("requestId"),
                "installDate": firmware.get("installDateTime"),
                "signingCertificate": firmware.get("signingCertificate", ""),
                "signature": firmware.get("signature", ""),
                "verified": None,
            }
        )
        if len(updates) == 1:
            self._begin_update()

    def check_signing_certificate(self, text: str) -> None:
        """Raise ``BadCertificate`` unless firmware may be signed with it (L01.FR.12, L01.FR.23).

        White paper L01, remarks: there is nothing between it and the root of the manufacturer.
        """
        certificate, now = load(text), self._charge_point.now()
        if found := faults(certificate, now):
            raise BadCertificate(found[0])
        if not self.takes_any_image:
            verify_path([certificate], [load(root) for root in self._memory.manufacturer_roots], now)

    @property
    def is_updating(self) -> bool:
        """Whether there is an update that has not ended."""
        return bool(self._memory.firmware_updates)

    @property
    def is_installing(self) -> bool:
        """Whether an update has gone too far to be canceled (L01.FR.27)."""
        return self.is_updating and self._memory.firmware_updates[0]["status"] in _INSTALLS

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
            "Downloaded": self._verify,
            "Verified": self._wait_for_install_date,
            "Ready": self._install,
            "Installing": self._boot,
            "Rebooted": self._report_installation,
        }
        while self._memory.firmware_updates:
            update = self._memory.firmware_updates[0]
            if not await steps[update["status"]](update):
                return

    async def _wait_for_retrieve_date(self, update: FirmwareUpdate) -> bool:
        # Errata 3.63: not before that time; 5.19: as soon as possible after it.
        if await self._has_come(update["retrieveDate"], update, "DownloadScheduled"):  # L01.FR.13
            update["status"] = "Downloading"
        return True

    async def _wait_for_install_date(self, update: FirmwareUpdate) -> bool:
        date = update["installDate"]
        if date is None or await self._has_come(date, update, "InstallScheduled"):  # L01.FR.05, L01.FR.16, L01.FR.17
            update["status"] = "Ready"
        return True

    async def _has_come(self, date: str, update: FirmwareUpdate, scheduled: str) -> bool:
        """Whether it is time. If not it waits for a while; a signed update says once that it does."""
        try:
            wait = (parse_timestamp(date) - self._charge_point.now()).total_seconds()
        except ValueError:  # a leap second
            return True
        if wait <= 0:
            return True
        if update["requestId"] is not None and self._memory.signed_firmware_status != _signed(update, scheduled):
            await self._tell_firmware(update, scheduled)
        else:
            await asyncio.sleep(min(wait, _LONGEST_WAIT))
        return False

    async def _download(self, update: FirmwareUpdate) -> bool:
        await self._tell_firmware(update, "Downloading")
        location = update["location"]
        while True:
            try:
                image = await download(location, breaks=self.download_fails)
            except TransferFailed as failure:
                self._record("download", location, failure=str(failure))
                if not update["retries"]:
                    return await self._end_update(update, "DownloadFailed")
                update["retries"] -= 1
                await asyncio.sleep(update["retryInterval"])
            else:
                break
        self._record("download", location, content=image)
        update["version"] = version_of(image)
        if update["version"] is None and self.takes_any_image and image:
            update["version"] = f"image-{hashlib.sha256(image).hexdigest()[:8]}"
        if update["requestId"] is not None:
            update["verified"] = self._verified(update, image)
        await self._tell_firmware(update, "Downloaded")
        update["status"] = "Downloaded"
        return True

    def _verified(self, update: FirmwareUpdate, image: bytes) -> str | None:
        # L01.FR.04, L01.FR.12
        try:
            scheme = verify_signature(load(update["signingCertificate"]), image, update["signature"])
        except BadSignature as fault:
            self._charge_point.note(f"firmware signature: {fault}")
            return None
        self._charge_point.note(f"firmware signature: {scheme}")
        return scheme

    async def _verify(self, update: FirmwareUpdate) -> bool:
        if update["requestId"] is not None:
            if update["verified"] is None:
                self._charge_point.security.happened("InvalidFirmwareSignature", tell=True)  # L01.FR.03
                return await self._end_update(update, "InvalidSignature")
            await self._tell_firmware(update, "SignatureVerified")
        update["status"] = "Verified"
        return True

    async def _install(self, update: FirmwareUpdate) -> bool:
        if update["version"] is None:  # errata 3.48: what is installed is a valid image
            unfit = "InstallationFailed" if update["requestId"] is None else "InstallVerificationFailed"
            return await self._end_update(update, unfit)
        # 5.19, L01.FR.06, L01.FR.07: after the Charging Sessions; connectors that are not in use become Unavailable
        # meanwhile.
        self.holds_connectors = True
        self._charge_point.settle_availability()
        while any(not connector.is_idle for connector in self._charge_point.connectors.values()):
            self._usage_changed.clear()
            await self._usage_changed.wait()
        update["status"] = "Installing"
        await self._tell_firmware(update, "Installing")
        await asyncio.sleep(INSTALLATION_TIME)
        if not self.installation_fails:
            update["installed"] = True
            self._memory.firmware_version = update["version"][:50]  # 6.3: a CiString50
            self._charge_point.boot_information["firmwareVersion"] = self._memory.firmware_version
            if update["requestId"] is not None:
                await self._tell_firmware(update, "InstallRebooting")  # L01.FR.15
        # 5.19: «good practice to first reboot the Charge Point to check the new firmware is booting».
        await self._charge_point.restart()
        return False  # the restart goes on with it

    async def _boot(self, update: FirmwareUpdate) -> bool:
        if update["installed"]:
            self._charge_point.security.happened("FirmwareUpdated", f"version {self._memory.firmware_version}")
        update["status"] = "Rebooted"
        return True

    async def _report_installation(self, update: FirmwareUpdate) -> bool:
        return await self._end_update(update, "Installed" if update["installed"] else "InstallationFailed")

    async def _end_update(self, update: FirmwareUpdate, status: str) -> bool:
        await self._tell_firmware(update, status)
        del self._memory.firmware_updates[0]
        return True

    async def _tell_firmware(self, update: FirmwareUpdate, status: str) -> None:
        if update["requestId"] is None:
            await self._tell("FirmwareStatusNotification", {"status": status})
        else:
            await self._tell("SignedFirmwareStatusNotification", _signed(update, status))

    # Diagnostics

    def diagnostics(self, request: Payload) -> str | None:
        """Begin the upload that GetDiagnostics.req asks for; the name of the file, None if there is nothing to tell."""
        lines = [
            f"{entry['timestamp']} {entry['text']}\n"
            for entry in self._memory.log
            if _is_between(entry["timestamp"], request.get("startTime"), request.get("stopTime"))
        ]
        return self._promise(request, request["location"], lines)

    def log(self, request: Payload) -> str | None:
        """The same for GetLog.req (N01.FR.01 to N01.FR.04), instead of a log that is still being uploaded."""
        wanted = request["log"]
        oldest, latest = wanted.get("oldestTimestamp"), wanted.get("latestTimestamp")
        if request["logType"] == "DiagnosticsLog":
            period = {"startTime": oldest, "stopTime": latest}
            name = self.diagnostics(request | period | {"location": wanted["remoteLocation"]})
        else:
            lines = [
                f"{event['timestamp']} {event['type']} {event.get('techInfo', '')}".rstrip() + "\n"
                for event in self._memory.security_log
                if _is_between(event["timestamp"], oldest, latest)
            ]
            name = self._promise(request, wanted["remoteLocation"], lines, "security-")
        if name is not None:
            self._cancel_former_log()
        return name

    def _cancel_former_log(self) -> None:
        # N01.FR.11
        uploads = self._memory.diagnostics_uploads
        first, last = uploads[0], uploads[-1]
        uploads[:] = [each for each in uploads if each["requestId"] is None or each is last]
        if first is not uploads[0] and self._uploading is not None:
            self._uploading.cancel()
            self._uploading = None

    def _promise(self, request: Payload, location: str, lines: Sequence[str], kind: str = "") -> str | None:
        if not lines:
            return None
        identity = re.sub(r"[^\w.-]", "_", self._charge_point.identity)[:100]
        name = f"{identity}-{kind}{re.sub('[:.]', '-', self._charge_point.timestamp())}.log"
        self._memory.diagnostics_uploads.append(
            {
                "location": location,
                "fileName": name,
                "content": "".join(lines),
                "retries": max(0, request.get("retries", OWN_RETRIES)),
                "retryInterval": max(0, request.get("retryInterval", OWN_RETRY_INTERVAL)),
                "requestId": request.get("requestId"),
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
            await self._tell_upload(task, "Uploading")
            await self._tell_upload(task, await self._upload(task))
            del self._memory.diagnostics_uploads[0]

    async def _tell_upload(self, task: DiagnosticsUpload, status: str) -> None:
        if task["requestId"] is None:
            await self._tell("DiagnosticsStatusNotification", {"status": status})
        else:
            await self._tell("LogStatusNotification", {"status": status, "requestId": task["requestId"]})  # N01.FR.07

    async def _upload(self, task: DiagnosticsUpload) -> str:
        location, name, content = task["location"], task["fileName"], task["content"].encode()
        while True:
            try:
                await upload(location, name, content, breaks=self.upload_fails)
            except TransferFailed as failure:
                self._record("upload", location, name=name, failure=str(failure))
                if not task["retries"]:  # errata 3.50: retries beside the first try
                    return _failed(task, str(failure))
                task["retries"] -= 1
                await asyncio.sleep(task["retryInterval"])
            else:
                self.uploaded = content
                self._record("upload", location, name=name, content=content)
                return "Uploaded"

    # Both

    async def _tell(self, action: str, payload: Payload) -> None:
        """Send the notification when the Central System knows what went before. It waits for a connection."""
        self._charge_point.note(f"{action}: {payload['status']}")
        while True:
            await self._charge_point.wait_told()
            if action == "SignedFirmwareStatusNotification":
                self._memory.signed_firmware_status = payload
            try:
                await self._charge_point.request(action, payload)
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


def _signed(update: FirmwareUpdate, status: str) -> Payload:
    return {"status": status, "requestId": update["requestId"]}  # L01.FR.10


def _failed(task: DiagnosticsUpload, failure: str) -> str:
    if task["requestId"] is None:
        return "UploadFailed"
    # N01.FR.10 calls it UploadFailed, its enumeration (6.19) UploadFailure.
    return "PermissionDenied" if failure in _DENIED else "UploadFailure"


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


def get_log(charge_point: "ChargePoint", request: Payload) -> Payload:
    """White paper N01. Where there is nothing to tell there is no name (5.10), and no upload that could be accepted."""
    part = charge_point.firmware_management
    uploads = part.log_status["status"] == "Uploading"
    name = part.log(request)
    if name is None:
        return {"status": "Rejected"}
    charge_point.afterwards(part.begin_upload)
    return {"status": "AcceptedCanceled" if uploads else "Accepted", "filename": name}


def update_firmware(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.19. Raises ``Refused`` while a security profile is in use (L01.FR.20)."""
    if charge_point.security.profile and charge_point.security.refuses_unsigned_firmware:
        raise Refused(ErrorCode.NOT_SUPPORTED, "firmware has to be signed: SignedUpdateFirmware.req")
    charge_point.afterwards(lambda: charge_point.firmware_management.update(request))
    return {}


def signed_update_firmware(charge_point: "ChargePoint", request: Payload) -> Payload:
    """White paper L01. Raises ``Refused`` where there is no firmware management."""
    part = charge_point.firmware_management
    if "FirmwareManagement" not in charge_point.profiles:
        raise Refused(ErrorCode.NOT_SUPPORTED, "SignedUpdateFirmware is not supported")
    try:
        part.check_signing_certificate(request["firmware"]["signingCertificate"])  # L01.FR.23
    except BadCertificate as fault:
        tell = partial(charge_point.security.happened, "InvalidFirmwareSigningCertificate", str(fault), tell=True)
        charge_point.afterwards(tell)  # L01.FR.02
        return {"status": "InvalidCertificate"}
    if part.is_installing:
        return {"status": "Rejected"}
    charge_point.afterwards(lambda: part.update(request))
    return {"status": "AcceptedCanceled" if part.is_updating else "Accepted"}  # L01.FR.26


HANDLERS: dict[str, Handler] = {
    "GetDiagnostics": get_diagnostics,
    "UpdateFirmware": update_firmware,
}
