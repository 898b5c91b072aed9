"""How a Charge Point reaches the Central System, with what its security profile asks for (white paper, chapter 2)."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ocppj.authority import Credential
from ocppj.certificates import Certificate, facts, is_signed_by, load_der
from ocppj.connection import SUBPROTOCOL, ClientSocket, ConnectFailed, connect
from ocppj.doorman import Facts
from ocppj.tls import client_context

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

ATTEMPTS_BEFORE_FALLBACK = 3  # A05.FR.08 names no number

# What a failed TLS handshake tells: the security event (chapter 8).
_EVENTS = {
    "own certificate": "FailedToAuthenticationAtCentralSystem",
    "certificate": "InvalidCentralSystemCertificate",  # A00.FR.309, A00.FR.413
    "tls version": "InvalidTLSVersion",  # A00.FR.315, A00.FR.419
    "cipher suite": "InvalidTLSCipherSuite",  # A00.FR.322, A00.FR.426
}
_NOT_AUTHENTICATED = (401, 403)  # HTTP, RFC 9110 15.5


class Network:
    """The way to the Central System.

    ``endpoint``: the URL to which the identity is appended; ``others``: those for other security profiles, where they
    are not the same with wss instead of ws.
    """

    def __init__(self, charge_point: "ChargePoint") -> None:
        self.endpoint = ""
        self.others: Mapping[int, str] = {}
        self._charge_point = charge_point
        self._is_there = asyncio.Event()
        self._is_there.set()
        self._failures = 0  # with the present security profile, one after the other

    @property
    def is_there(self) -> bool:
        """Whether anything can be reached."""
        return self._is_there.is_set()

    def lose(self) -> None:
        """Nothing can be reached any more."""
        self._is_there.clear()

    def restore(self) -> None:
        """Everything can be reached again."""
        self._is_there.set()

    async def wait(self) -> None:
        """Wait until something can be reached."""
        await self._is_there.wait()

    def endpoint_of(self, profile: int) -> str:
        """The URL for a security profile: wss for 2 and 3; with 0 whatever was given."""
        if profile in self.others or profile == 0:
            return self.others.get(profile, self.endpoint)
        wanted, scheme = "wss" if profile > 1 else "ws", urlsplit(self.endpoint).scheme
        return self.endpoint if scheme == wanted else self.endpoint.replace(f"{scheme}:", f"{wanted}:", 1)

    async def open(self) -> ClientSocket:
        """Try to connect. Raises ``ConnectFailed``."""
        security = self._charge_point.security
        try:
            websocket, root = await self._attempt(security.profile)
        except ConnectFailed as failure:
            self._note(failure)
            raise
        self._failures = 0
        security.connected(root)
        return websocket

    async def _attempt(self, profile: int) -> tuple[ClientSocket, Certificate | None]:
        if profile < 2:
            return await self._connect(profile, ()), None
        security = self._charge_point.security
        roots, fallback = security.roots, security.fallback_root
        try:
            websocket = await self._connect(profile, roots)
        except ConnectFailed as failure:
            if failure.cause != "certificate" or fallback is None:
                raise
            roots = [fallback]  # M05.FR.13
            websocket = await self._connect(profile, roots)
        return websocket, _root_behind(websocket, roots)

    async def _connect(self, profile: int, roots: Sequence[Certificate]) -> ClientSocket:
        charge_point, security = self._charge_point, self._charge_point.security
        endpoint = self.endpoint_of(profile)
        if profile == 0:
            trusted = client_context(security.roots) if security.roots else None
            return await connect(endpoint, charge_point.identity, transcript=charge_point.transcript, tls=trusted)
        password = security.authorization_key if profile in (1, 2) else None
        credential = security.credential if profile == 3 else None
        return await connect(
            endpoint,
            charge_point.identity,
            transcript=charge_point.transcript,
            tls=client_context(roots, credential) if profile > 1 else None,
            password=password,
            facts=credential_facts(profile, password, credential),
        )

    async def knock(
        self,
        *,
        profile: int | None = None,
        shows_key: bool = True,
        former_key: bytes | None = None,
        subprotocols: Sequence[str] = (SUBPROTOCOL,),
        suites: Sequence[str] = (),
    ) -> None:
        """Try to connect in another way than its own, and hang up. What came of it is in the transcript.

        ``former_key`` is shown instead of the present one. ``suites``: the only ones that are offered.
        """
        charge_point, security = self._charge_point, self._charge_point.security
        profile = security.profile if profile is None else profile
        shown = former_key or security.authorization_key if profile in (1, 2) and shows_key else None
        key = "former" if former_key else "current"
        credential = security.credential if profile == 3 else None
        with suppress(ConnectFailed):
            websocket = await connect(
                self.endpoint_of(profile),
                charge_point.identity,
                transcript=charge_point.transcript,
                tls=client_context(security.roots, credential, suites=suites) if profile > 1 else None,
                password=shown,
                facts=credential_facts(profile, shown, credential, key) if profile else None,
                subprotocols=subprotocols,
            )
            await websocket.close()
            if charge_point.transcript is not None:
                charge_point.transcript.add(
                    "connect", chargePointId=charge_point.identity, event="closed", code=websocket.close_code
                )

    def _note(self, failure: ConnectFailed) -> None:
        security = self._charge_point.security
        if (event := _EVENTS.get(failure.cause or "")) is not None:
            security.happened(event, str(failure))
        elif failure.status in _NOT_AUTHENTICATED:
            security.happened("FailedToAuthenticationAtCentralSystem", f"HTTP {failure.status}")
        self._failures += 1
        if self._failures >= ATTEMPTS_BEFORE_FALLBACK:
            security.fall_back()
            self._failures = 0


def credential_facts(
    profile: int, password: bytes | None, credential: Credential | None, key: str = "current"
) -> Facts:
    """What the transcript says of what a Charge Point shows; ``key``: which password of its own it is."""
    return {
        "securityProfile": profile,
        "scheme": "Basic" if password is not None else None,
        "userIsIdentity": password is not None,
        "keyBytes": len(password or b""),
        "key": key if password is not None else None,
        "certificate": facts(credential.certificate) if credential else None,
    }


def _root_behind(websocket: ClientSocket, roots: Sequence[Certificate]) -> Certificate | None:
    """The root that has signed the certificate of the Central System; the only one, if others stand between them."""
    ssl_object = websocket.transport.get_extra_info("ssl_object")
    der = ssl_object.getpeercert(binary_form=True) if ssl_object is not None else None
    certificate = load_der(der) if der else None
    signers = [root for root in roots if certificate and is_signed_by(certificate, root)]
    return next(iter(signers or (roots if len(roots) == 1 else [])), None)
