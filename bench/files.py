"""The file servers of the bench: where a Charge Point gets its firmware from and brings its diagnostics to.

One server speaks HTTP, one FTP; both hold the same images and take any file, except in one directory. What crosses is
written into the transcript: a status that a Charge Point reports proves nothing.
"""

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import aioftp
from aiohttp import BodyPartReader, web

from bench.device import FILE_SERVERS, LOCATIONS, Device
from ocppj.transcript import Transcript
from simulator.firmware_management import firmware_image

NEXT_VERSION = "1.1.0"
_GOOD, _BAD, _MISSING = "/firmware/good.bin", "/firmware/bad.bin", "/firmware/missing.bin"
_DIAGNOSTICS, _REFUSED, _LOG = "/diagnostics", "/refused", "/log"
_PATHS = dict(zip(LOCATIONS, (_GOOD, _BAD, _MISSING, _DIAGNOSTICS, _REFUSED, _LOG), strict=True))
_NO_FIRMWARE = b"This is no firmware: a Charge Point that installs it does not look at what it installs.\n"

LARGEST_UPLOAD = 2**30  # bytes
DATA_CONNECTION = 30.0  # seconds that a Charge Point has to open it


@dataclass(frozen=True, slots=True)
class Images:
    """What is served: an image that can be installed, None if we have none for this device, and a file that is none."""

    good: bytes | None = firmware_image(NEXT_VERSION)
    bad: bytes = _NO_FIRMWARE

    @classmethod
    def of(cls, device: Device) -> "Images":
        """What is served to a device. Raises ``OSError`` for a file that cannot be read."""
        good, bad = device.file_servers["FirmwareFile"], device.file_servers["BadFirmwareFile"]
        ours = None if device.listen else firmware_image(NEXT_VERSION)  # no device of somebody else can install ours
        return cls(Path(good).read_bytes() if good else ours, Path(bad).read_bytes() if bad else _NO_FIRMWARE)


class FileServer:
    """HTTP and FTP on ports of their own. ``transcript`` is told of every file that crosses or does not."""

    def __init__(
        self, images: Images, settings: Mapping[str, str] = FILE_SERVERS, transcript: Transcript | None = None
    ) -> None:
        self.transcript = transcript
        self._settings = settings
        self._files = {_BAD: images.bad} | ({_GOOD: images.good} if images.good is not None else {})
        self._host = ""
        self._reached_at = ""
        self._ports = {"HTTP": 0, "FTP": 0}
        self._runner: web.AppRunner | None = None
        self._ftp: _FtpServer | None = None

    async def start(self, host: str = "127.0.0.1") -> None:
        """Begin to serve. Raises ``OSError`` for a port that cannot be had."""
        try:
            await self._start(host)
        except OSError:
            await self.stop()
            raise

    async def _start(self, host: str) -> None:
        self._host = host
        application = web.Application(client_max_size=LARGEST_UPLOAD)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, int(self._settings["HttpPort"])).start()
        self._ports["HTTP"] = self._runner.addresses[0][1]
        ftp = _FtpServer(self, self._files, self._settings)
        await ftp.furnish()
        await ftp.start(host, int(self._settings["FtpPort"]))
        self._ftp = ftp
        self._ports["FTP"] = ftp.server_port

    async def stop(self) -> None:
        """Serve no more."""
        ftp, self._ftp = self._ftp, None
        if ftp is not None:
            await ftp.close()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def locations(self, reached_at: str = "") -> dict[str, str]:
        """The places on our servers, under the names that sentences give them.

        ``reached_at``: the address of ours that the Charge Point has found, for when nobody has said which to use.
        """
        self._reached_at = reached_at
        host = self._settings["AdvertisedHost"] or reached_at or self._host
        return {
            name: self.url(path, self._settings["FileTransferProtocol"], host)
            for name, path in _PATHS.items()
            if path != _GOOD or _GOOD in self._files
        }

    def url(self, path: str, protocol: str, host: str = "") -> str:
        """Where a path is found."""
        host = host or self._host
        return f"{protocol.lower()}://{f'[{host}]' if ':' in host else host}:{self._ports[protocol]}{quote(path)}"

    def note(
        self,
        operation: str,
        protocol: str,
        path: str,
        *,
        name: str = "",
        content: bytes | None = None,
        failure: str = "",
    ) -> None:
        """A file has crossed, or has not."""
        if self.transcript is not None:
            location = self.url(path, protocol, self._settings["AdvertisedHost"] or self._reached_at)
            self.transcript.file(operation, location, name=name, content=content, failure=failure)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.method in ("GET", "HEAD"):
            return self._serve(request)
        if request.method in ("PUT", "POST"):
            return await self._take(request)
        return web.Response(status=405)

    def _serve(self, request: web.Request) -> web.Response:
        content = self._files.get(request.path)
        if request.method == "GET":
            failure = "" if content is not None else "HTTP 404"
            self.note("download", "HTTP", request.path, content=content, failure=failure)
        if content is None:
            return web.Response(status=404)
        return web.Response(body=content, content_type="application/octet-stream")

    async def _take(self, request: web.Request) -> web.Response:
        path = PurePosixPath(request.path)
        try:
            name, content = await _uploaded(request)
        except (OSError, ValueError):
            self.note("upload", "HTTP", str(path), failure="the upload broke off")
            return web.Response(status=400)
        if path.is_relative_to(_REFUSED):
            self.note("upload", "HTTP", str(path), name=name, failure="HTTP 403")
            return web.Response(status=403)
        self.note("upload", "HTTP", str(path), name=name, content=content)
        return web.Response(status=201)


async def _uploaded(request: web.Request) -> tuple[str, bytes]:
    """Name and content of an uploaded file: the body of the request, or its first part that is a file."""
    if request.content_type != "multipart/form-data":
        return PurePosixPath(request.path).name, await request.read()
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.filename:
            return part.filename, bytes(await part.read(decode=True))
    raise ValueError("no part of the form is a file")


# FTP


class _Anyone(aioftp.AbstractUserManager):
    """Whoever names himself is let in."""

    def __init__(self) -> None:
        super().__init__()
        self._user = aioftp.User(
            permissions=[
                aioftp.Permission("/"),
                aioftp.Permission("/firmware", writable=False),
                aioftp.Permission(_REFUSED, readable=False, writable=False),
            ]
        )

    async def get_user(self, login: str) -> tuple[Any, aioftp.User, str]:
        # A password is asked for although any will do: some devices send PASS whatever was answered to USER.
        return self.GetUserResponse.PASSWORD_REQUIRED, self._user, "any password will do"

    async def authenticate(self, user: aioftp.User, password: str) -> bool:
        return True


class _File(io.BytesIO):
    """A file that knows where it is and whether it is written to."""

    path = ""
    operation = "download"


def _path_io(server: FileServer) -> type[aioftp.MemoryPathIO]:
    class PathIO(aioftp.MemoryPathIO):
        """Files in RAM; the end of each transfer is told."""

        async def _open(self, path: PurePosixPath, mode: Any = "rb") -> _File:
            found = await super()._open(path, mode=mode)
            file = _File(found.getvalue())
            file.path = f"/{path}"
            if mode != "rb":
                file.operation = "upload"
                file.seek(found.tell())
                node = self.get_node(path)
                assert node is not None
                node.content = file
            return file

        async def close(self, file: io.BytesIO) -> None:
            if not isinstance(file, _File):
                return
            name = PurePosixPath(file.path).name if file.operation == "upload" else ""
            if sys.exception() is not None:
                server.note(file.operation, "FTP", file.path, name=name, failure="the transfer broke off")
            else:
                server.note(file.operation, "FTP", file.path, name=name, content=file.getvalue())

    return PathIO


class _FtpServer(aioftp.Server):
    def __init__(self, server: FileServer, files: Mapping[str, bytes], settings: Mapping[str, str]) -> None:
        host = settings["AdvertisedHost"]
        super().__init__(
            _Anyone(),
            path_io_factory=_path_io(server),  # type: ignore[arg-type]  # paths in RAM are pure
            wait_future_timeout=DATA_CONNECTION,
            data_ports=_ports(settings["FtpPassivePorts"]),
            ipv4_pasv_forced_response_address=host if _is_ipv4(host) else None,
        )
        self._server = server
        self._held = files

    async def furnish(self) -> None:
        """Put the images where they are looked for."""
        files: Any = self.path_io_factory()
        for directory in ("firmware", _DIAGNOSTICS.strip("/"), _LOG.strip("/")):
            await files.mkdir(PurePosixPath("/") / directory)
        for path, content in self._held.items():
            file = await aioftp.MemoryPathIO._open(files, PurePosixPath(path), mode="wb")
            file.write(content)

    async def retr(self, connection: Any, rest: str | PurePosixPath) -> bool:
        """RETR, noted if there is no such file."""
        path = self._path(connection, rest)
        if path and path not in self._held:
            self._server.note("download", "FTP", path, failure="FTP 550")
        return bool(await super().retr(connection, rest))

    async def stor(self, connection: Any, rest: str | PurePosixPath, mode: str = "wb") -> bool:
        """STOR, noted if it is refused."""
        path = self._path(connection, rest)
        if path and PurePosixPath(path).is_relative_to(_REFUSED):
            self._server.note("upload", "FTP", path, name=PurePosixPath(path).name, failure="FTP 550")
        return bool(await super().stor(connection, rest, mode))

    def _path(self, connection: Any, rest: str | PurePosixPath) -> str:
        return str(self.get_paths(connection, rest)[1]) if connection.future.logged.done() else ""


def _ports(text: str) -> range | None:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1) if first else None


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True
