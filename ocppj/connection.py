"""Opening an OCPP-J connection from either end: OCPP-J 1.6, chapter 3."""

import asyncio
import base64
import binascii
import logging
import os
import socket
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit
from weakref import WeakSet

from websockets import http11
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
    NegotiationError,
)
from websockets.frames import Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.typing import Subprotocol

from ocppj.certificates import BadCertificate, Certificate, load_der
from ocppj.certificates import facts as certificate_facts
from ocppj.doorman import Doorman, Facts
from ocppj.secrets import keep, masked
from ocppj.tls import cause_of, handshake_facts
from ocppj.transcript import Transcript

SUBPROTOCOL = Subprotocol("ocpp1.6")  # 3.1.2
MAX_MESSAGE = 64 * 2**20  # bytes; a longer message ends the connection with 1009 (RFC 6455, 7.4.1)
PROTOCOL_ERROR = 1002
CLOSE_TIMEOUT = 5.0  # seconds for a closing handshake, then the socket is dropped
BACKLOG = 1024  # who may come at once, as all Charge Points do when their Central System is there again
NO_ANSWER = "no answer in time"  # the words for an attempt that came to nothing
OPEN_TIMEOUT = 10.0  # seconds for an opening handshake, and as many for that of TLS before it

# Whoever has an identity of 10,000 characters is to be told that it is unknown (3.2), not that its line is too long.
http11.MAX_LINE_LENGTH = 2**16

# websockets logs every header at the level DEBUG, those that hold passwords among them, and the halves of long frames:
# whatever level somebody sets, this is not told.
_log = logging.getLogger("ocppj.websockets")
_log.setLevel(logging.WARNING)
_log.addFilter(lambda record: record.levelno >= logging.WARNING)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody wants to connect as a Charge Point.

    ``certificate``: that of a TLS client, which somebody who is trusted has signed. ``credentials``: user and password
    of HTTP Basic authentication.
    """

    identity: str
    is_secure: bool = False
    certificate: Certificate | None = None
    credentials: tuple[str, bytes] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Admission:
    """What becomes of an attempt: 101, or the status of a refusal, with its reason.

    ``facts``: what can be judged of who it is, without secrets, for the transcript.
    """

    status: HTTPStatus
    reason: str = ""
    facts: Facts = field(default_factory=dict)

    @property
    def is_granted(self) -> bool:
        """Whether a WebSocket is opened."""
        return self.status is HTTPStatus.SWITCHING_PROTOCOLS


class ConnectFailed(Exception):
    """No connection. ``status``: that of an HTTP refusal. ``cause``: why the TLS handshake failed, if it did.

    It is «certificate» where that of the Central System does not do, «own certificate» where it has refused ours.
    """

    def __init__(self, text: str, status: int | None = None, cause: str | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.cause = cause


class _SeesOpcodes(Connection):
    """Tells text messages from binary ones even when bytes are asked for: OCPP-J knows text only (4.1.2)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._opcodes: deque[Opcode] = deque()

    def process_event(self, event: Any) -> None:
        opcode = getattr(event, "opcode", None)
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY:
            self._opcodes.append(opcode)
        super().process_event(event)

    async def receive(self) -> tuple[bytes, bool]:
        """The next message as bytes, and whether it was binary. Raises ``ConnectionClosed``."""
        data = await self.recv(decode=False)
        return data, self._opcodes.popleft() is Opcode.BINARY


class ClientSocket(_SeesOpcodes, ClientConnection):
    """The Charge Point's end of a connection. ``on_open`` is told of a TCP connection, the TLS in it included.

    ``lost_by``: what ended it, if that was no closing.
    """

    on_open: Callable[[asyncio.BaseTransport], None] | None = None
    lost_by: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self.on_open is not None:
            self.on_open(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost_by = exc
        super().connection_lost(exc)


class ServerSocket(_SeesOpcodes, ServerConnection):
    """The Central System's end of a connection. ``tls``: the facts of its handshake, None without TLS."""

    attempt: Attempt
    admission: Admission
    tls: Facts | None = None
    certificate: Certificate | None = None

    @property
    def is_opening(self) -> bool:
        """Whether it has not asked for a WebSocket yet, though it could."""
        return self.state is State.CONNECTING and hasattr(self, "transport")

    @property
    def identity(self) -> str:
        """That of the Charge Point."""
        return self.attempt.identity


Socket = ClientSocket | ServerSocket

_OPTIONS: dict[str, Any] = {
    "compression": None,  # 5.1 allows WebSocket's own; without it a connection costs a third of the memory
    "ping_interval": None,  # WebSocketPingInterval is the Charge Point's business
    "close_timeout": CLOSE_TIMEOUT,
    "max_size": MAX_MESSAGE,
    "logger": _log,
    "open_timeout": OPEN_TIMEOUT,
}


def connection_url(endpoint: str, identity: str) -> str:
    """The URL at which one Charge Point connects: the endpoint, a slash, the percent-encoded identity (3.1.1)."""
    return f"{endpoint.rstrip('/')}/{quote(identity, safe='')}"


def identity_in(target: str) -> str:
    """The identity in the path of a connection URL; empty if there is none."""
    return unquote(urlsplit(target).path.rpartition("/")[2])


def basic_authentication(identity: str, password: bytes) -> str:
    """The Authorization header of RFC 2617; the password is any bytes (OCPP-J 6.2.2)."""
    return f"Basic {base64.b64encode(identity.encode() + b':' + password).decode()}"


def credentials_in(header: str | None) -> tuple[str, bytes] | None:
    """User and password of an Authorization header; None if it is no Basic authentication."""
    scheme, _, text = (header or "").strip().partition(" ")
    if scheme.casefold() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(text.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user.decode(errors="backslashreplace"), password) if colon else None


async def connect(
    endpoint: str,
    identity: str,
    *,
    transcript: Transcript | None = None,
    subprotocols: Sequence[str] = (SUBPROTOCOL,),
    tls: ssl.SSLContext | None = None,
    password: bytes | None = None,
    facts: Facts | None = None,
    open_timeout: float = OPEN_TIMEOUT,
) -> ClientSocket:
    """Open a connection as a Charge Point. Raises ``ConnectFailed``.

    ``tls``: what is spoken where the endpoint begins with wss; without one, what this machine trusts is trusted.
    ``password``: for HTTP Basic authentication. ``facts``: what is to be recorded of the credentials.
    """
    url = connection_url(endpoint, identity)
    shown = masked(url)
    attempt = _Attempt(url, identity, subprotocols, transcript)
    headers = {}
    if password is not None:
        keep(password, identity)
        headers["Authorization"] = basic_authentication(identity, password)
    if facts is not None:
        attempt.record("auth", **facts)
    try:
        websocket = await open_websocket(
            url,
            subprotocols=[Subprotocol(name) for name in subprotocols],
            additional_headers=headers,
            create_connection=cast(Any, attempt.socket),
            proxy=None,
            **_OPTIONS | {"open_timeout": open_timeout} | ({"ssl": tls} if tls and url.startswith("wss:") else {}),
        )
    except InvalidStatus as error:
        status = error.response.status_code
        raise attempt.failed(f"{shown} answers HTTP {status}", status) from None
    except NegotiationError as error:
        raise attempt.failed_to_agree(f"{shown}: {error}") from None
    except (OSError, TimeoutError, InvalidHandshake, InvalidMessage, InvalidURI, ConnectionClosed) as error:
        # With TLS 1.3 a client learns that it is refused only after its handshake (RFC 8446, 4.4.2.4).
        ended_by = attempt.sockets[-1].lost_by if attempt.sockets else None
        if isinstance(cause := ended_by or error, (ssl.SSLError, ConnectionResetError, ConnectionAbortedError)):
            if url.startswith("wss:"):
                raise attempt.failed_in_tls(cause) from None
        raise attempt.failed(f"{shown}: {_words(error)}") from None
    assert isinstance(websocket, ClientSocket)
    attempt.opening(websocket.subprotocol, HTTPStatus.SWITCHING_PROTOCOLS)
    if websocket.subprotocol is None:
        await attempt.see_it_closed(websocket)
        raise ConnectFailed(f"{shown} agrees to none of the subprotocols {', '.join(subprotocols)}", status=101)
    return websocket


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One of our own, as it is recorded."""

    url: str
    identity: str
    subprotocols: Sequence[str]
    transcript: Transcript | None
    sockets: list[ClientSocket] = field(default_factory=list)

    def socket(self, *arguments: Any, **options: Any) -> ClientSocket:
        self.sockets.append(ClientSocket(*arguments, **options))
        self.sockets[-1].on_open = self.opened
        return self.sockets[-1]

    def opened(self, transport: asyncio.BaseTransport) -> None:
        if (ssl_object := transport.get_extra_info("ssl_object")) is not None:
            self.record("tls", **_server_facts(ssl_object))

    def opening(self, chosen: str | None, status: int | None, **more: object) -> None:
        _record_opening(self.transcript, self.identity, self.url, self.subprotocols, chosen, status, **more)

    def failed(self, words: str, status: int | None = None, cause: str | None = None) -> ConnectFailed:
        self.opening(None, status, failure=words)
        return ConnectFailed(words, status, cause)

    def failed_to_agree(self, words: str) -> ConnectFailed:
        """RFC 6455, 4.1: a client fails a connection whose subprotocol it has not offered."""
        response = self.sockets[-1].response
        chosen = response.headers.get("Sec-WebSocket-Protocol") if response else None
        status = HTTPStatus.SWITCHING_PROTOCOLS
        self.opening(chosen, status, failure=words)
        return ConnectFailed(words, status)

    def failed_in_tls(self, error: Exception) -> ConnectFailed:
        cause, words = cause_of(error)
        self.record("tls", cause=cause, failure=words)
        is_alert = not isinstance(error, ssl.SSLCertVerificationError)
        cause_for_us = "own certificate" if cause == "certificate" and is_alert else cause
        return self.failed(f"{masked(self.url)}: TLS: {words}", cause=cause_for_us)

    async def see_it_closed(self, websocket: ClientSocket) -> None:
        """3.2: a Central System that agrees to none of the subprotocols closes the connection at once."""
        party = "Central System"
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await websocket.wait_closed()
        except TimeoutError:
            party = "Charge Point"
            await websocket.close(PROTOCOL_ERROR)
        self.record("connect", event="closed", code=websocket.close_code, by=party)

    def record(self, kind: str, **facts: object) -> None:
        if self.transcript is not None:
            self.transcript.add(kind, chargePointId=self.identity, **facts)


def _server_facts(ssl_object: ssl.SSLObject) -> Facts:
    """What a Charge Point sees of a Central System in a TLS handshake."""
    der = ssl_object.getpeercert(binary_form=True)
    told = handshake_facts(ssl_object) | {"host": ssl_object.server_hostname, "certificate": None}
    try:
        return told | {"certificate": certificate_facts(load_der(der))} if der else told
    except BadCertificate as error:
        return told | {"badCertificate": str(error)}


class Listening:
    """A port at which Charge Points are awaited."""

    def __init__(self, server: Server, doormen: set[Doorman], sockets: WeakSet[ServerSocket]) -> None:
        self._server = server
        self._doormen = doormen
        self._sockets = sockets

    @property
    def port(self) -> int:
        """Its number."""
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    def close(self) -> None:
        """Close every connection, and await no more."""
        for doorman in list(self._doormen):
            doorman.abort()
        for websocket in self._sockets:
            if websocket.is_opening:
                websocket.transport.abort()  # the server would wait for its request
        self._server.close()

    async def wait_closed(self) -> None:
        """Wait until that is done."""
        await self._server.wait_closed()


async def listen(
    host: str,
    port: int,
    *,
    admits: Callable[[Attempt], Admission],
    serve_connection: Callable[[ServerSocket], Awaitable[None]],
    transcript: Transcript | None = None,
    tls: Callable[[], ssl.SSLContext | None] = lambda: None,
    refused: Callable[[Facts], None] = lambda _: None,
    refuses_unknown_subprotocol: Callable[[], bool] = lambda: False,
) -> Listening:
    """Await Charge Points as a Central System. Raises ``OSError`` for a port that cannot be had.

    ``admits`` says what an attempt gets: 101, or the status of a refusal. 3.2: an unknown identity gets 404. When no
    subprotocol is agreed, the handshake is finished without the header and the connection closed at once, unless
    ``refuses_unknown_subprotocol``. ``tls``: what is spoken with whom begins with a TLS handshake; ``refused`` is told
    the facts of one that failed.
    """
    doormen: set[Doorman] = set()
    sockets: WeakSet[ServerSocket] = WeakSet()

    def look_at(websocket: ServerConnection, request: Request) -> Response | None:
        assert isinstance(websocket, ServerSocket)
        offered = request.headers.get_all("Sec-WebSocket-Protocol")
        authorizations = request.headers.get_all("Authorization")
        credentials = credentials_in(authorizations[0] if len(authorizations) == 1 else None)
        identity = identity_in(request.path)
        attempt = Attempt(identity, websocket.tls is not None, websocket.certificate, credentials)
        admission = admits(attempt) if attempt.identity else Admission(HTTPStatus.NOT_FOUND)
        if admission.is_granted and refuses_unknown_subprotocol() and not _agrees(offered):
            admission = Admission(
                HTTPStatus.BAD_REQUEST, f"no subprotocol but {SUBPROTOCOL} is spoken", admission.facts
            )
        if transcript is not None:
            if websocket.tls is not None:
                transcript.add("tls", chargePointId=attempt.identity, **websocket.tls)
            if websocket.tls is not None or authorizations or admission.status is HTTPStatus.UNAUTHORIZED:
                transcript.add("auth", chargePointId=attempt.identity, **admission.facts)
        websocket.attempt, websocket.admission = attempt, admission
        if admission.is_granted:
            if credentials:  # whoever is refused could have ordinary words masked: his are written nowhere
                keep(credentials[1], credentials[0])
            return None
        more = {"failure": admission.reason} if admission.reason else {}
        _record_opening(transcript, attempt.identity, request.path, offered, None, admission.status, **more)
        response = websocket.respond(admission.status, f"{admission.status.phrase}\n")
        if admission.status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Basic realm="OCPP"'  # RFC 2617, 2
        return response

    def agree(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return SUBPROTOCOL if SUBPROTOCOL in offered else None

    async def connected(websocket: ServerConnection) -> None:
        assert isinstance(websocket, ServerSocket)
        assert websocket.request is not None
        offered = websocket.request.headers.get_all("Sec-WebSocket-Protocol")
        url, status = websocket.request.path, HTTPStatus.SWITCHING_PROTOCOLS
        _record_opening(transcript, websocket.identity, url, offered, websocket.subprotocol, status)
        if websocket.subprotocol is not None:
            await serve_connection(websocket)
            return
        await websocket.close(PROTOCOL_ERROR, "no common subprotocol")
        if transcript is not None:
            transcript.add("connect", chargePointId=websocket.identity, event="closed", code=websocket.close_code)

    def tell_refusal(told: Facts) -> None:
        if transcript is not None:
            transcript.add("tls", chargePointId="", **told)
        refused(told)

    def newcomer(*arguments: Any, **options: Any) -> Doorman:
        websocket = ServerSocket(*arguments, **options)
        sockets.add(websocket)

        def admitted(told: Facts, certificate: Certificate | None) -> None:
            websocket.tls, websocket.certificate = told, certificate

        return Doorman(
            websocket, tls=tls(), patience=OPEN_TIMEOUT, admitted=admitted, refused=tell_refusal, waiting=doormen
        )

    server = await serve(
        connected,
        host,
        port,
        select_subprotocol=agree,
        process_request=look_at,
        create_connection=cast(
            Any, newcomer
        ),  # asyncio speaks to what this returns; websockets looks at .protocol alone
        backlog=BACKLOG,
        **_OPTIONS,
    )
    return Listening(server, doormen, sockets)


def _agrees(offered: Sequence[str]) -> bool:
    return any(name.strip() == SUBPROTOCOL for each in offered for name in each.split(","))


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return NO_ANSWER
    if isinstance(error, socket.gaierror):
        return f"the host cannot be found ({error.strerror})"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own words name the address once more
    return str(error) or type(error).__name__


def _record_opening(
    transcript: Transcript | None,
    identity: str,
    url: str,
    offered: Sequence[str],
    chosen: str | None,
    status: int | None,
    **more: object,
) -> None:
    if transcript is not None:
        facts = {"url": url, "offered": [*offered], "subprotocol": chosen, "status": status and int(status)}
        transcript.add("connect", chargePointId=identity, event="opening", **facts, **more)


async def drop(websocket: Socket) -> None:
    """Drop a connection without a closing handshake, as a lost network does."""
    websocket.transport.abort()
    await asyncio.sleep(0)
