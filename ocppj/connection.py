"""Opening an OCPP-J connection from either end: OCPP-J 1.6, chapter 3."""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus, InvalidURI
from websockets.frames import Opcode
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from ocppj.transcript import Transcript

SUBPROTOCOL = Subprotocol("ocpp1.6")  # 3.1.2
MAX_MESSAGE = 64 * 2**20  # bytes; a longer message ends the connection with 1009 (RFC 6455, 7.4.1)
PROTOCOL_ERROR = 1002
CLOSE_TIMEOUT = 5.0  # seconds for a closing handshake, then the socket is dropped


class ConnectFailed(Exception):
    """No connection. ``status`` is the HTTP status of the refusal, if there was one."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


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
    """The Charge Point's end of a connection."""


class ServerSocket(_SeesOpcodes, ServerConnection):
    """The Central System's end of a connection."""

    identity: str


Socket = ClientSocket | ServerSocket

_OPTIONS: dict[str, Any] = {
    "compression": None,  # 5.1 allows WebSocket's own; without it a connection costs a third of the memory
    "ping_interval": None,  # WebSocketPingInterval is the Charge Point's business
    "close_timeout": CLOSE_TIMEOUT,
    "max_size": MAX_MESSAGE,
}


def connection_url(endpoint: str, identity: str) -> str:
    """The URL at which one Charge Point connects: the endpoint, a slash, the percent-encoded identity (3.1.1)."""
    return f"{endpoint.rstrip('/')}/{quote(identity, safe='')}"


def identity_in(target: str) -> str:
    """The identity in the path of a connection URL; empty if there is none."""
    return unquote(urlsplit(target).path.rpartition("/")[2])


async def connect(
    endpoint: str,
    identity: str,
    *,
    transcript: Transcript | None = None,
    subprotocols: Sequence[str] = (SUBPROTOCOL,),
    open_timeout: float = 10.0,
) -> ClientSocket:
    """Open a connection as a Charge Point. Raises ``ConnectFailed``."""
    url = connection_url(endpoint, identity)
    status: int | None = None
    try:
        websocket = await open_websocket(
            url,
            subprotocols=[Subprotocol(name) for name in subprotocols],
            create_connection=ClientSocket,
            open_timeout=open_timeout,
            proxy=None,
            **_OPTIONS,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        failure = f"{url} answers HTTP {status}"
    except (OSError, TimeoutError, InvalidHandshake, InvalidMessage, InvalidURI, ConnectionClosed) as error:
        failure = f"{url}: {_words(error)}"
    else:
        assert isinstance(websocket, ClientSocket)
        _record(transcript, identity, url, subprotocols, websocket.subprotocol, HTTPStatus.SWITCHING_PROTOCOLS)
        if websocket.subprotocol is None:  # 3.2: the Central System agrees to none and is about to close
            await websocket.close(PROTOCOL_ERROR)
            raise ConnectFailed(f"{url} agrees to none of the subprotocols {', '.join(subprotocols)}", status=101)
        return websocket
    _record(transcript, identity, url, subprotocols, None, status, failure=failure)
    raise ConnectFailed(failure, status)


async def listen(
    host: str,
    port: int,
    *,
    admits: Callable[[str], HTTPStatus],
    serve_connection: Callable[[ServerSocket], Awaitable[None]],
    transcript: Transcript | None = None,
) -> Server:
    """Await Charge Points as a Central System. Raises ``OSError`` for a port that cannot be had.

    ``admits`` says what an identity gets: 101, or the status of a refusal. 3.2: an unknown one gets 404. When no
    subprotocol is agreed, the handshake is finished without the header and the connection closed at once.
    """

    def check_identity(websocket: ServerConnection, request: Request) -> Response | None:
        identity = identity_in(request.path)
        status = admits(identity) if identity else HTTPStatus.NOT_FOUND
        if status is HTTPStatus.SWITCHING_PROTOCOLS:
            assert isinstance(websocket, ServerSocket)
            websocket.identity = identity
            return None
        offered = request.headers.get_all("Sec-WebSocket-Protocol")
        _record(transcript, identity, request.path, offered, None, status)
        return websocket.respond(status, f"{status.phrase}\n")

    def agree(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return SUBPROTOCOL if SUBPROTOCOL in offered else None

    async def connected(websocket: ServerConnection) -> None:
        assert isinstance(websocket, ServerSocket)
        assert websocket.request is not None
        offered = websocket.request.headers.get_all("Sec-WebSocket-Protocol")
        url = websocket.request.path
        _record(transcript, websocket.identity, url, offered, websocket.subprotocol, HTTPStatus.SWITCHING_PROTOCOLS)
        if websocket.subprotocol is not None:
            await serve_connection(websocket)
            return
        await websocket.close(PROTOCOL_ERROR, "no common subprotocol")
        if transcript is not None:
            transcript.add("connect", chargePointId=websocket.identity, event="closed", code=websocket.close_code)

    return await serve(
        connected,
        host,
        port,
        select_subprotocol=agree,
        process_request=check_identity,
        create_connection=ServerSocket,
        **_OPTIONS,
    )


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return f"the host cannot be found ({error.strerror})"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own words name the address once more
    return str(error) or type(error).__name__


def _record(
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
