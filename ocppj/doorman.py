"""Who comes to a port of a Central System: ws or wss, told apart by the first byte, with what a TLS client offers.

The TLS of a server is spoken here and not by asyncio, because asyncio hides what a client offers and closes a handshake
that failed without the alert that tells the client why (RFC 5246, 7.2).
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from websockets.asyncio.server import ServerConnection

from ocppj.certificates import BadCertificate, Certificate, facts, load_der
from ocppj.tls import HANDSHAKE, ClientHello, NoHello, cause_of, handshake_facts, read_client_hello

Facts = dict[str, Any]

_CHUNK = 2**16  # bytes


class Doorman(asyncio.Protocol):
    """Hears the first bytes of a connection and lets its WebSocket speak, through TLS if it is to be.

    ``patience``: seconds that a newcomer has until then. ``refused`` is told the facts of a handshake that failed. One
    that succeeded is told to ``admitted`` before the WebSocket hears a byte: its facts and the client's certificate.
    ``waiting``: those who are not through yet.
    """

    def __init__(
        self,
        websocket: ServerConnection,
        *,
        tls: ssl.SSLContext | None,
        patience: float,
        admitted: Callable[[Facts, Certificate | None], None],
        refused: Callable[[Facts], None],
        waiting: set["Doorman"],
    ) -> None:
        self._websocket = websocket
        self._tls = tls
        self._patience = patience
        self._admitted = admitted
        self._refused = refused
        self._waiting = waiting
        self._first = b""
        self._hello: ClientHello | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl: ssl.SSLObject | None = None
        self._is_through = False
        self._take: Callable[[bytes], None] = self._look_at_first

    @property
    def protocol(self) -> Any:
        """That of the WebSocket: websockets looks for it at what it has made."""
        return self._websocket.protocol

    def abort(self) -> None:
        """End the connection."""
        self._transport.abort()

    # As asyncio calls it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._waiting.add(self)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._patience, self._lose_patience)

    def data_received(self, data: bytes) -> None:
        self._take(data)

    def eof_received(self) -> bool | None:
        if self._is_through:
            self._websocket.eof_received()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_waiting()
        if self._is_through:
            self._websocket.connection_lost(exc)
        elif self._hello is not None:
            self._refuse_because(exc or EOFError())

    def pause_writing(self) -> None:
        if self._is_through:
            self._websocket.pause_writing()

    def resume_writing(self) -> None:
        if self._is_through:
            self._websocket.resume_writing()

    # Before it is clear who it is

    def _lose_patience(self) -> None:
        if self._hello is not None:
            self._refuse({"cause": "tls", "failure": f"no TLS handshake in {self._patience:g} s"})
        self._transport.abort()

    def _look_at_first(self, data: bytes) -> None:
        self._first += data
        if self._first[0] != HANDSHAKE:
            self._end_waiting()
            self._is_through = True
            self._transport.set_protocol(self._websocket)
            self._websocket.connection_made(self._transport)
            self._websocket.data_received(self._first)
            return
        try:
            self._hello = read_client_hello(self._first)
        except NoHello as error:
            self._refuse({"cause": "tls", "failure": str(error)})
            return
        if self._hello is None:
            return
        if self._tls is None:
            self._refuse({"cause": "tls", "failure": "no TLS is spoken here"})
            return
        self._ssl = self._tls.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._take = self._shake_hands
        self._shake_hands(self._first)

    def _shake_hands(self, data: bytes) -> None:
        assert self._ssl is not None
        self._incoming.write(data)
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            self.flush()
        except ssl.SSLError as error:
            self.flush()  # the alert
            self._refuse_because(error)
        else:
            self.flush()
            self._let_through(self._ssl)

    def _refuse_because(self, error: BaseException) -> None:
        cause, words = cause_of(error)
        self._refuse({"cause": cause, "failure": words})

    def _end_waiting(self) -> None:
        self._timer.cancel()
        self._waiting.discard(self)

    def _refuse(self, told: Facts) -> None:
        self._timer.cancel()
        self._take = _nothing
        self._refused(({"offered": self._hello.as_facts()} if self._hello else {}) | told)
        self._hello = None
        self._transport.close()

    # Through

    def _let_through(self, ssl_object: ssl.SSLObject) -> None:
        assert self._hello is not None
        der = ssl_object.getpeercert(binary_form=True)
        try:
            certificate = load_der(der) if der else None
        except BadCertificate as error:
            self._refuse({"cause": "certificate", "failure": str(error)})
            return
        told: Facts = {"offered": self._hello.as_facts()} | handshake_facts(ssl_object)
        self._end_waiting()
        self._admitted(told | {"certificate": facts(certificate) if certificate else None}, certificate)
        self._is_through = True
        self._take = self._decrypt
        self._websocket.connection_made(_Through(self, self._transport, ssl_object))
        self._decrypt(b"")

    def _decrypt(self, data: bytes) -> None:
        assert self._ssl is not None
        self._incoming.write(data)
        try:
            while not self._transport.is_closing():
                plain = self._ssl.read(_CHUNK)
                if not plain:  # close_notify
                    self._websocket.eof_received()
                    self._transport.close()
                    return
                self._websocket.data_received(plain)
        except ssl.SSLWantReadError:
            self.flush()
        except ssl.SSLError:
            self.flush()
            self._transport.abort()

    def flush(self) -> None:
        """Send what TLS has to say."""
        if pending := self._outgoing.read():
            self._transport.write(pending)


class _Through(asyncio.Transport):
    """What the WebSocket writes to, encrypted on its way."""

    def __init__(self, doorman: Doorman, transport: asyncio.Transport, ssl_object: ssl.SSLObject) -> None:
        super().__init__()
        self._doorman = doorman
        self._transport = transport
        self._ssl = ssl_object

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if data and not self.is_closing():
            self._ssl.write(data)
            self._doorman.flush()

    def close(self) -> None:
        if not self.is_closing():
            with suppress(ssl.SSLError):  # it would wait for the close_notify of the other side (RFC 5246, 7.2.1)
                self._ssl.unwrap()
            self._doorman.flush()
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def can_write_eof(self) -> bool:
        return False  # TLS has no half-closed connections

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._ssl if name == "ssl_object" else self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def is_reading(self) -> bool:
        return self._transport.is_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._transport.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._transport.get_protocol()


def _nothing(_: bytes) -> None:
    """What comes after a refusal."""
