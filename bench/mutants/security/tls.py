"""Faults about TLS, the certificates that are shown for it, and the WebSocket over it (white paper 2.4 to 2.6)."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from websockets.typing import Subprotocol

import ocppj.connection
import ocppj.doorman
import reference_csms.security
import simulator.network
from bench.mutants import Mutant, Plant
from bench.mutants.planting import together
from bench.mutants.security.passwords_and_profiles import after_a_boot
from ocppj.authority import EXPIRED, Authority, Credential
from ocppj.connection import ServerSocket
from ocppj.tls import (
    ECDSA_SUITES,
    REQUIRED_SUITES,
    RSA_SUITES,
    ClientHello,
    client_context,
    handshake_facts,
    read_client_hello,
    server_context,
    suite_name,
)
from reference_csms import central_system
from reference_csms.store import Store


def old(context: ssl.SSLContext) -> ssl.SSLContext:
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def offers(*suites: str) -> Plant:
    """The Charge Point speaks TLS with these suites alone."""
    return lambda patch: patch.setattr(
        simulator.network, "client_context", lambda *told, **more: client_context(*told, **{"suites": suites} | more)
    )


def offers_tls_1_1(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(simulator.network, "client_context", lambda *told, **more: old(client_context(*told, **more)))


def speaks_tls_1_1(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(central_system, "server_context", lambda *arguments: old(server_context(*arguments)))


def offers_compression(patch: pytest.MonkeyPatch) -> None:
    """No OpenSSL of today has any: what is read of the handshake tells of it."""

    def otherwise(data: bytes) -> ClientHello | None:
        hello = read_client_hello(data)
        return hello and replace(hello, compression=["DEFLATE", "null"])

    patch.setattr(ocppj.doorman, "read_client_hello", otherwise)


def speaks_with_compression(patch: pytest.MonkeyPatch) -> None:
    """The same at the other end."""
    patch.setattr(
        ocppj.connection, "handshake_facts", lambda told: handshake_facts(told) | {"compression": "zlib compression"}
    )


def speaks_tls_without(suite: str) -> Plant:
    def otherwise(*arguments: Any) -> ssl.SSLContext:
        context = server_context(*arguments)
        names = [each["name"] for each in context.get_ciphers()]
        context.set_ciphers(":".join(["@SECLEVEL=2", *(name for name in names if suite_name(name) != suite)]))
        return context

    return lambda patch: patch.setattr(central_system, "server_context", otherwise)


def issues(usage: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Plant:
    """What the certificates for a usage are made with."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        issue = Authority.issue

        def otherwise(self: Authority, wanted: Any, **told: Any) -> Credential:
            return issue(self, wanted, **(change(told) if wanted == usage else told))

        patch.setattr(Authority, "issue", otherwise)

    return plant


def shows(usage: str, **others: Any) -> Plant:
    return issues(usage, lambda told: told | others)


def with_weak_rsa(patch: pytest.MonkeyPatch) -> None:
    """The other one, with the ECDSA key, is as it should be."""
    issues("server", lambda told: told | {"bits": 1024} if told.get("kind") == "RSA" else told)(patch)


def weak_openssl(patch: pytest.MonkeyPatch) -> None:
    """Both parties have an OpenSSL that takes everything."""
    set_ciphers = ssl.SSLContext.set_ciphers

    def anything(self: ssl.SSLContext, ciphers: str) -> None:
        set_ciphers(self, ciphers.replace("SECLEVEL=2", "SECLEVEL=0"))

    patch.setattr(ssl.SSLContext, "set_ciphers", anything)


def admits_any_certificate(patch: pytest.MonkeyPatch) -> None:
    """So does the Central System beside a faulty Charge Point."""
    patch.setattr(reference_csms.security, "_fault_of_certificate", lambda *_: "")


def looks_at_no_name(patch: pytest.MonkeyPatch) -> None:
    """The Charge Point beside a faulty Central System takes a certificate for another host."""

    def careless(*arguments: Any, **more: Any) -> ssl.SSLContext:
        context = client_context(*arguments, **more)
        context.check_hostname = False
        return context

    patch.setattr(simulator.network, "client_context", careless)


def agrees_to(choose: Callable[[Sequence[Subprotocol]], str | None]) -> Plant:
    """The Central System chooses the subprotocol so."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        serve: Any = vars(ocppj.connection)["serve"]

        def otherwise(*arguments: Any, **more: Any) -> Any:
            return serve(*arguments, **more | {"select_subprotocol": lambda _, offered: choose(offered)})

        patch.setattr(ocppj.connection, "serve", otherwise)

    return plant


def leaves_it_open(patch: pytest.MonkeyPatch) -> None:
    """A connection without a subprotocol."""
    close = ServerSocket.close

    async def stay(self: ServerSocket, *arguments: Any) -> None:
        if self.subprotocol is None:
            await asyncio.sleep(60)
        await close(self, *arguments)

    patch.setattr(ServerSocket, "close", stay)


def opens_without_subprotocol(patch: pytest.MonkeyPatch) -> None:
    """As OCPP-J 3.2 has it."""
    begin = Store.__init__

    def otherwise(self: Store, *arguments: Any, **more: Any) -> None:
        begin(self, *arguments, **more)
        self.refuses_unknown_subprotocol = False

    patch.setattr(Store, "__init__", otherwise)


OF_CHARGE_POINT = [
    Mutant(
        "one suite of each pair is offered",
        "Charge Point",
        "white paper A00.FR.422",
        offers(ECDSA_SUITES[0], RSA_SUITES[1]),
        "TC_086_CS TC_087_CS",
    ),
    Mutant(
        "one suite of each pair is offered with a certificate",
        "Charge Point",
        "white paper A00.FR.422",
        offers(ECDSA_SUITES[0], RSA_SUITES[1]),
        "TC_086_CS",
        security_profile=3,
    ),
    Mutant(
        "no required suite is offered",
        "Charge Point",
        "white paper A00.FR.318",
        offers("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        "TC_086_CS TC_087_CS",
    ),
    Mutant(
        "the Charge Point speaks TLS 1.1",
        "Charge Point",
        "white paper A00.FR.312",
        offers_tls_1_1,
        "TC_086_CS TC_087_CS",
        accuses="TC_086_CSMS TC_087_CSMS",
    ),
    Mutant(
        "the Charge Point offers compression",
        "Charge Point",
        "white paper A00.FR.320",
        offers_compression,
        "TC_086_CS TC_087_CS",
    ),
    Mutant(
        "the Central System compresses",
        "Central System",
        "white paper A00.FR.320",
        speaks_with_compression,
        "TC_086_CSMS TC_087_CSMS",
    ),
    Mutant(
        "after a boot it speaks TLS 1.1",
        "Charge Point",
        "white paper A00.FR.312",
        after_a_boot(offers_tls_1_1),
        "TC_086_CS TC_087_CS",
        accuses="TC_083_CSMS",
    ),
    Mutant(
        "the certificate that a Charge Point shows has expired",
        "Charge Point",
        "white paper A00.FR.403",
        shows("client", validity=EXPIRED),
        "TC_087_CS",
        accuses="TC_087_CSMS",
    ),
    *(
        Mutant(
            f"the certificate that a Charge Point shows has {words}",
            "Charge Point",
            f"white paper {clause}",
            together(fault, admits_any_certificate, weak_openssl),
            "TC_087_CS",
        )
        for words, clause, fault in [
            ("a URL for its CN", "A00.FR.511", shows("client", common_name="https://localhost/CP1")),
            ("its identity for its CN", "A00.FR.511", shows("client", common_name="CP1")),
            ("no CN", "A00.FR.511", shows("client", common_name="")),
            ("an RSA key of 1024 bits", "A00.FR.502", shows("client", kind="RSA", bits=1024)),
        ]
    ),
]

OF_CENTRAL_SYSTEM = [
    *(
        Mutant(
            f"{suite} is not spoken",
            "Central System",
            "white paper A00.FR.317",
            speaks_tls_without(suite),
            "TC_086_CSMS TC_087_CSMS",
        )
        for suite in REQUIRED_SUITES
    ),
    Mutant(
        f"{REQUIRED_SUITES[3]} is not spoken where certificates are asked for",
        "Central System",
        "white paper A00.FR.421",
        speaks_tls_without(REQUIRED_SUITES[3]),
        "TC_086_CSMS",
        security_profile=3,
    ),
    Mutant(
        "the Central System speaks TLS 1.1",
        "Central System",
        "white paper A00.FR.312",
        speaks_tls_1_1,
        "TC_086_CSMS TC_087_CSMS",
        accuses="TC_086_CS TC_087_CS",
    ),
    Mutant(
        "the certificate of the Central System has expired",
        "Central System",
        "white paper A00.FR.309",
        shows("server", validity=EXPIRED),
        "TC_086_CSMS TC_087_CSMS",
        accuses="TC_086_CS TC_087_CS",
    ),
    Mutant(
        "the certificate of the Central System is for another host",
        "Central System",
        "white paper A00.FR.510",
        shows("server", common_name="example.com"),
        "TC_086_CSMS TC_087_CSMS",
        accuses="TC_086_CS TC_087_CS",
    ),
    *(
        Mutant(
            f"the Central System shows {words}",
            "Central System",
            f"white paper {clause}",
            together(fault, *partners),
            "TC_086_CSMS",
        )
        for words, clause, fault, partners in [
            ("a CN of another host", "A00.FR.510", shows("server", common_name="example.com"), (looks_at_no_name,)),
            ("no CN", "A00.FR.510", shows("server", common_name=""), (looks_at_no_name,)),
            ("RSA keys of 1024 bits", "A00.FR.502", shows("server", kind="RSA", bits=1024), (weak_openssl,)),
            ("an RSA key of 1024 bits beside a good one", "A00.FR.502", with_weak_rsa, (weak_openssl,)),
        ]
    ),
    *(
        Mutant(name, "Central System", "OCPP-J 3.2", plant, "TC_088_CSMS")
        for name, plant in [
            ("ocpp1.6 is agreed unasked", together(opens_without_subprotocol, agrees_to(lambda _: "ocpp1.6"))),
            (
                "the first subprotocol is agreed",
                together(opens_without_subprotocol, agrees_to(lambda offered: offered[0] if offered else None)),
            ),
            (
                "no subprotocol is agreed of several",
                agrees_to(lambda offered: "ocpp1.6" if [*offered] == ["ocpp1.6"] else None),
            ),
            ("a connection without a subprotocol stays open", together(opens_without_subprotocol, leaves_it_open)),
        ]
    ),
]

MUTANTS = [*OF_CHARGE_POINT, *OF_CENTRAL_SYSTEM]
