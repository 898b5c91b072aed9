"""The connections of a Central System: who is there, what is asked of them and who answers what they ask."""

import asyncio
import ssl
from collections.abc import Coroutine, Iterator, Sequence
from http import HTTPStatus

from ocppj.authority import Credential
from ocppj.certificates import Certificate
from ocppj.connection import CLOSE_TIMEOUT, Admission, Attempt, Listening, ServerSocket, drop, listen
from ocppj.errors import CallFailed, Disconnected, ErrorCode, LocalMisuse, Refused
from ocppj.frames import Call, Payload
from ocppj.peer import Peer, Script, fresh_ids
from ocppj.tls import ClientCertificate, server_context
from ocppj.transcript import Transcript
from reference_csms import (
    core,
    firmware_management,
    local_auth_list,
    remote_trigger,
    reservation,
    security,
    smart_charging,
)
from reference_csms.store import Outcome, Store

HANDLERS: dict[str, core.Handler] = {**core.HANDLERS, **firmware_management.HANDLERS, **security.HANDLERS}

OUTCOMES: dict[str, Outcome] = {
    **local_auth_list.OUTCOMES,
    **reservation.OUTCOMES,
    **security.OUTCOMES,
    **smart_charging.OUTCOMES,
}

# Seconds. A closing handshake waits for the message that is being sent, and a Charge Point that reads no more never
# takes that one: then the connection is dropped.
PATIENCE = 2 * CLOSE_TIMEOUT


class CentralSystem:
    """A Central System that listens on a port of its own.

    ``store``: what it knows. ``script``: what it shall answer instead of what it would. ``faults``: exceptions of its
    own that nobody could be told of in another way; there should be none.

    With ``credentials``, one for each kind of key (the note on A00.FR.317), it speaks TLS on the same port. ``host`` is
    the name in them. ``client_roots`` are the authorities whose certificates Charge Points may show.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        script: Script | None = None,
        unique_ids: Iterator[str] | None = None,
        transcript: Transcript | None = None,
        message_timeout: float = 30.0,
        credentials: Sequence[Credential] = (),
        client_roots: Sequence[Certificate] = (),
        host: str = "",
    ) -> None:
        self.store = store or Store()
        self.script = script or Script()
        self.transcript = transcript
        self.message_timeout = message_timeout
        self.faults: list[BaseException] = []
        self._unique_ids = unique_ids or fresh_ids()
        self._listening: Listening | None = None
        self._host = ""
        self._credentials = credentials
        self._client_roots = client_roots
        self._name = host
        self._contexts: dict[ClientCertificate, ssl.SSLContext] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._peers: dict[str, Peer] = {}
        self._unreachable: set[str] = set()
        self._newcomer = asyncio.Condition()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Await Charge Points; port 0 takes a free one. Raises ``OSError`` for a port that cannot be had."""
        if self._listening:
            raise LocalMisuse("the Central System has been started before")
        self._listening = await listen(
            host,
            port,
            admits=self._admits,
            serve_connection=self._serve,
            transcript=self.transcript,
            tls=self._tls,
            refused=lambda facts: security.handshake_failed(self.store, facts),
            refuses_unknown_subprotocol=lambda: self.store.refuses_unknown_subprotocol,
        )
        self._host = f"[{host}]" if ":" in host else host

    async def stop(self) -> None:
        """Close every connection and the port. What is known stays, and ``start`` may follow."""
        for task in list(self._tasks):
            task.cancel()
        if self._listening:
            self._listening.close()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._listening.wait_closed()
            except TimeoutError:
                for peer in list(self._peers.values()):
                    await drop(peer.websocket)
                await self._listening.wait_closed()
            self._listening = None

    @property
    def port(self) -> int:
        """The port that is listened on. Raises ``LocalMisuse`` if there is none."""
        if self._listening is None:
            raise LocalMisuse("the Central System has not been started")
        return self._listening.port

    @property
    def endpoint(self) -> str:
        """The URL to which a Charge Point appends its identity (OCPP-J 3.1.1)."""
        return f"ws://{self._host}:{self.port}"

    @property
    def secure_endpoint(self) -> str:
        """The same with TLS."""
        return f"wss://{self._name or self._host}:{self.port}"

    async def request(self, identity: str, action: str, payload: Payload, *, wrong: bool = False) -> Payload:
        """Send a request to a Charge Point and return the payload of the .conf. Raises a kind of ``CallFailed``.

        ``wrong``: it may break the rules.
        """
        peer = self._peer(identity)
        store = self.store.of(identity)
        if action in remote_trigger.TRIGGERS:
            remote_trigger.about_to_trigger(store, payload, action)
        payload = reservation.complete(store, action, payload)
        payload = security.about_to_send(store, action, payload, wrong=wrong)
        conf = await peer.call(action, payload, wrong=wrong)
        if outcome := OUTCOMES.get(action):
            outcome(store, payload, conf)
        return conf

    async def update_local_auth_list(self, identity: str) -> bool:
        """Bring the Local Authorization List of a Charge Point in line with the idTags that are known (3.5.2).

        Whether it is now. Raises a kind of ``CallFailed``.
        """

        def ask(action: str, payload: Payload) -> Coroutine[object, object, Payload]:
            return self.request(identity, action, payload)

        return await local_auth_list.update(self.store.of(identity), ask)

    async def send_text(self, identity: str, text: str) -> None:
        """Send any text, right or wrong, to a Charge Point. Raises ``Disconnected``."""
        await self._peer(identity).send_text(text)

    def is_connected(self, identity: str) -> bool:
        """Whether a Charge Point is connected."""
        peer = self._peers.get(identity)
        return peer is not None and peer.is_open

    def reached_at(self, identity: str) -> str:
        """The address of ours that a Charge Point has connected to; empty if it is not connected."""
        peer = self._peers.get(identity)
        return str(peer.websocket.local_address[0]) if peer is not None and peer.is_open else ""

    def certificate_of(self, identity: str) -> Certificate | None:
        """The certificate that a Charge Point has shown for its present connection; None if there is none."""
        peer = self._peers.get(identity)
        return peer.websocket.certificate if peer and isinstance(peer.websocket, ServerSocket) else None

    async def wait_connected(self, identity: str) -> None:
        """Wait until a Charge Point is connected."""
        async with self._newcomer:
            await self._newcomer.wait_for(lambda: self.is_connected(identity))

    async def lose_connection(self, identity: str) -> None:
        """Be the network that fails: drop the connection of a Charge Point, if any, and admit no other."""
        self._unreachable.add(identity)
        if peer := self._peers.pop(identity, None):
            await drop(peer.websocket)

    async def restore_connection(self, identity: str) -> None:
        """Be the network that works again: a Charge Point may connect."""
        self._unreachable.discard(identity)

    def _peer(self, identity: str) -> Peer:
        peer = self._peers.get(identity)
        if peer is None:
            raise Disconnected(f"{identity} is not connected")
        return peer

    def _admits(self, attempt: Attempt) -> Admission:
        if attempt.identity in self._unreachable:
            return Admission(HTTPStatus.SERVICE_UNAVAILABLE)
        return security.admit(self.store, attempt)

    def _tls(self) -> ssl.SSLContext | None:
        if not self._credentials:
            return None
        wish = self._client_certificate
        if wish not in self._contexts:
            self._contexts[wish] = server_context(self._credentials, self._client_roots, wish)
        return self._contexts[wish]

    @property
    def _client_certificate(self) -> ClientCertificate:
        """Whether TLS asks for a certificate. Who may do without is refused after he has said who he is."""
        profiles = [security.profiles_of(each) for each in self.store.charge_points.values()]
        if not any(security.HIGHEST_PROFILE in each for each in profiles):
            return "none"
        return "required" if all(each == {security.HIGHEST_PROFILE} for each in profiles) else "optional"

    async def _serve(self, websocket: ServerSocket) -> None:
        identity = websocket.identity
        security.connected(self.store, websocket.attempt, websocket.admission)
        peer = Peer(
            websocket,
            party="Central System",
            identity=identity,
            handle=lambda call: self._answer(identity, call),
            unique_ids=self._unique_ids,
            script=self.script,
            transcript=self.transcript,
            after_answer=lambda: self._after_answer(identity),
            on_fault=self.faults.append,
            message_timeout=self.message_timeout,
        )
        try:
            async with self._newcomer:
                if identity in self._unreachable:  # since the handshake
                    await drop(websocket)
                    return
                # A Charge Point has one connection: when it opens another, it has given the former up.
                former = self._peers.get(identity)
                self._peers[identity] = peer
                self._newcomer.notify_all()
            async with asyncio.TaskGroup() as tasks:
                if former and former.is_open:
                    tasks.create_task(former.close())
                await peer.run()
        except Exception as error:
            self.faults.append(error)
        finally:
            if self._peers.get(identity) is peer:
                del self._peers[identity]

    async def _answer(self, identity: str, call: Call) -> Payload:
        store = self.store.of(identity)
        if not core.may_send(store, call.action):
            text = f"{call.action} before the BootNotification was accepted"
            raise Refused(ErrorCode.SECURITY_ERROR, text)
        handler = HANDLERS.get(call.action)
        if handler is None:
            raise Refused(ErrorCode.NOT_SUPPORTED, f"{call.action} is not supported")
        core.seen(store, call.action)
        return handler(store, call.payload)

    def _after_answer(self, identity: str) -> None:
        for chain in security.certificates_to_send(self.store.of(identity)):
            task = asyncio.create_task(self._send_certificate(identity, chain))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send_certificate(self, identity: str, chain: str) -> None:
        """A02: the certificate follows the answer to SignCertificate.req."""
        try:
            await self.request(identity, "CertificateSigned", {"certificateChain": chain})
        except CallFailed as failure:
            self.store.log_security_event("CertificateNotTaken", identity, str(failure))
        except Exception as fault:
            self.faults.append(fault)
