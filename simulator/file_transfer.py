"""Files that cross between the Charge Point and the place that the Central System names: chapter 8."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

import aioftp
import httpx

PROTOCOLS = ("FTP", "HTTP", "HTTPS")  # as SupportedFileTransferProtocols names them (errata 3.90)
TIMEOUT = 30.0  # seconds in which the other side must show a sign of life

# What a server answers to PUT that takes uploads by POST alone: RFC 9110, 15.5.6 and 15.6.2.
_NO_PUT = (405, 501)


class TransferFailed(Exception):
    """A file did not cross; the text says why."""


async def download(location: str, *, breaks: bool = False) -> bytes:
    """What lies at a location. ``breaks``: the line breaks on the way. Raises ``TransferFailed``."""
    content = bytearray()
    async with _failing(location) as url, aclosing(_blocks(url)) as blocks:
        async for block in blocks:
            content += block
            if breaks:
                raise TransferFailed("the line broke")
    return bytes(content)


async def upload(location: str, name: str, content: bytes, *, breaks: bool = False) -> None:
    """Put a file into the directory that a location names (6.25). ``breaks``: as above. Raises ``TransferFailed``."""

    async def blocks() -> AsyncGenerator[bytes, None]:
        yield content[: len(content) // 2]
        if breaks:
            raise TransferFailed("the line broke")
        yield content[len(content) // 2 :]

    async with _failing(location) as url:
        if url.scheme == "ftp":
            path = f"{_ftp_path(url)}/{name}".lstrip("/")
            async with _ftp(url) as client, client.upload_stream(path) as stream, aclosing(blocks()) as halves:
                async for half in halves:
                    await stream.write(half)
            return
        async with _http() as http:
            answer = await http.put(_file_url(url, name), content=blocks())
            if answer.status_code in _NO_PUT:
                answer = await http.post(url.geturl(), files={"file": (name, content)})
        _check(answer)


async def _blocks(url: SplitResult) -> AsyncGenerator[bytes, None]:
    if url.scheme == "ftp":
        async with _ftp(url) as client, client.download_stream(_ftp_path(url)) as stream:
            async for block in stream.iter_by_block():
                yield block
        return
    async with _http() as http, http.stream("GET", url.geturl()) as answer:
        _check(answer)
        async for block in answer.aiter_bytes():
            yield block


@asynccontextmanager
async def _failing(location: str) -> AsyncIterator[SplitResult]:
    """The location read, and whatever goes wrong there as ``TransferFailed``."""
    try:
        url = urlsplit(location)
        if url.scheme.upper() not in PROTOCOLS or not url.hostname:
            raise TransferFailed(f"no location of {', '.join(PROTOCOLS)}")
        yield url
    except (TimeoutError, httpx.TimeoutException):
        raise TransferFailed("no answer in time") from None
    except (OSError, ValueError, aioftp.AIOFTPException, httpx.HTTPError, httpx.InvalidURL) as error:
        raise TransferFailed(_words(error)) from None


def _words(error: Exception) -> str:
    if isinstance(error, aioftp.StatusCodeError):
        return f"FTP {error.received_codes[-1]}"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error) or type(error).__name__


def _http() -> httpx.AsyncClient:
    # Like the WebSocket, it goes straight to the server: no proxy and no password of this machine is used.
    return httpx.AsyncClient(
        verify=ssl.create_default_context(), trust_env=False, follow_redirects=True, timeout=TIMEOUT
    )


def _check(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise TransferFailed(f"HTTP {answer.status_code}")


def _file_url(url: SplitResult, name: str) -> str:
    """The URL of a file in a directory; one with a query is made for this upload and is used as it is."""
    if url.query:
        return url.geturl()
    return url._replace(path=f"{url.path.rstrip('/')}/{quote(name)}").geturl()


class _FtpClient(aioftp.Client):
    """Closes what it has opened, also the data connection of a command that is refused."""

    def __init__(self) -> None:
        super().__init__(socket_timeout=TIMEOUT, connection_timeout=TIMEOUT)
        self._opened: list[asyncio.StreamWriter] = []

    async def get_passive_connection(self, *args: Any, **options: Any) -> Any:
        reader, writer = await super().get_passive_connection(*args, **options)
        self._opened.append(writer)
        return reader, writer

    def close(self) -> None:
        super().close()
        for writer in self._opened:
            writer.close()


@asynccontextmanager
async def _ftp(url: SplitResult) -> AsyncIterator[_FtpClient]:
    client = _FtpClient()
    try:
        await client.connect(url.hostname or "", url.port or aioftp.DEFAULT_PORT)
        await client.login(unquote(url.username or "anonymous"), unquote(url.password or "anonymous@"))
        yield client
        with suppress(OSError, aioftp.AIOFTPException):  # the file has crossed, whatever is answered to QUIT
            await client.quit()
    finally:
        client.close()


def _ftp_path(url: SplitResult) -> str:
    """The path from the directory that the login leads to (RFC 1738, 3.2.2)."""
    return unquote(url.path.removeprefix("/").rstrip("/"))
