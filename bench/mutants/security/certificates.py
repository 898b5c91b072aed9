"""Faults about certificates and the events about them (white paper A02, A04, M03 to M05)."""

import hashlib
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import ocppj.authority
import reference_csms.security
import simulator.security
from bench.mutants import Mutant, Plant
from bench.mutants.planting import Change, answers, asks, instead, refuses, together, where, with_fields
from bench.mutants.security.passwords_and_profiles import admits_not
from ocppj.authority import EXPIRED, Authority, Credential, new_key, signing_request
from ocppj.certificates import load_chain, load_key, load_request, organization, pem
from ocppj.connection import Admission, Attempt
from ocppj.frames import Payload
from reference_csms import central_system
from reference_csms.security import sign
from reference_csms.store import CertificateFault, Store, View
from simulator.core import HANDLERS as CORE
from simulator.security import HANDLERS, Security

CSMS = central_system.HANDLERS
HASHES = ("issuerNameHash", "issuerKeyHash")
TYPES = ("CentralSystemRootCertificate", "ManufacturerRootCertificate")
# Where a root is installed, and where the roots are asked for.
INSTALLED = "TC_075_1_{0} TC_075_2_{0} TC_076_{0} TC_078_{0} TC_083_{0}"
LISTED = "TC_075_1_CS TC_075_2_CS TC_076_CS"
SIGNED = "TC_074_{0} TC_077_{0}"


def base64_alone(text: str) -> str:
    """What stands between the lines of a PEM text that begin with hyphens."""
    return "".join(line for line in text.splitlines() if not line.startswith("-----"))


def asks_with(change: Callable[..., str]) -> Plant:
    """The Charge Point has another CSR."""
    return lambda patch: patch.setattr(simulator.security, "signing_request", change)


def named(**others: str) -> Plant:
    return asks_with(lambda key, **names: signing_request(key, **names | others))


def makes_keys(*kind: Any) -> Plant:
    return lambda patch: patch.setattr(simulator.security, "new_key", lambda _: new_key(*kind))


def asks_with_the_key_in_use(patch: pytest.MonkeyPatch) -> None:
    ask = Security._ask_for_certificate

    async def ask_again(self: Security) -> None:
        credential = self.credential
        assert credential
        patch.setattr(simulator.security, "new_key", lambda _: credential.key)
        await ask(self)

    patch.setattr(Security, "_ask_for_certificate", ask_again)


def does_not_ask(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Security, "ask_for_certificate", lambda self: None)


def does_not_switch(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Security, "_switch", lambda self, certificate: None)


def shows_its_first_certificate(patch: pytest.MonkeyPatch) -> None:
    def first(self: Security) -> Credential | None:
        if not self._memory.certificates:
            return None
        stored = self._memory.certificates[0]
        return Credential(load_key(stored["key"]), tuple(load_chain(stored["chain"])))

    patch.setattr(Security, "credential", property(first))


def takes_any_signed_certificate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(simulator.security, "charge_point_faults", lambda *_: [])
    patch.setattr(simulator.security, "verify_path", lambda *_: None)


def takes_any_root(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(simulator.security, "faults", lambda *_: [])


def notes(event: str, instead: str | None) -> Plant:
    """The Charge Point notes one event for another, or, for None, none."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        happened = Security.happened

        def otherwise(self: Security, told: str, tech_info: str = "", *, tell: bool = False) -> None:
            if (noted := instead if told == event else told) is not None:
                happened(self, noted, tech_info, tell=tell)

        patch.setattr(Security, "happened", otherwise)

    return plant


def installs_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Security, "install", lambda *_: True)


def deletes_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Security, "delete", lambda *_: "Accepted")


def lists_the_other_type(patch: pytest.MonkeyPatch) -> None:
    def installed(self: Security, use: str) -> list[dict[str, str]]:
        return [
            simulator.security._hash_data(text, self.hash_algorithm) for each, text in self._installed() if each != use
        ]

    patch.setattr(Security, "installed", installed)


def with_hash_data(change: Callable[[dict[str, str]], dict[str, str]]) -> Plant:
    """The Charge Point lists its certificates so, and finds them so."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = simulator.security._hash_data
        patch.setattr(simulator.security, "_hash_data", lambda *told: change(ordinary(*told)))

    return plant


def hashes_the_whole_key(patch: pytest.MonkeyPatch) -> None:
    """With tag and length."""
    ordinary = simulator.security._hash_data

    def whole(text: str, algorithm: str) -> dict[str, str]:
        key = load_chain(text)[-1].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return ordinary(text, algorithm) | {"issuerKeyHash": hashlib.new(algorithm, key).hexdigest()}

    patch.setattr(simulator.security, "_hash_data", whole)


def with_small_serial_numbers(patch: pytest.MonkeyPatch) -> None:
    """Of which leading zeroes can be told."""
    numbers = count(0x0ABC)
    patch.setattr(x509, "random_serial_number", lambda: next(numbers))


def with_leading_zeroes(told: dict[str, str]) -> dict[str, str]:
    return told | {"serialNumber": told["serialNumber"].zfill(40)}


def with_0x(told: dict[str, str]) -> dict[str, str]:
    return told | {"serialNumber": f"0x{told['serialNumber']}"}


OF_CHARGE_POINT = [
    Mutant(
        "SignCertificate.req is sent, and its trigger is NotImplemented",
        "Charge Point",
        "white paper 5.6",
        answers(HANDLERS, "ExtendedTriggerMessage", instead("NotImplemented")),
        SIGNED.format("CS"),
    ),
    Mutant(
        "every value of CpoName is Rejected",
        "Charge Point",
        "white paper 7.5, white paper A02",
        answers(CORE, "ChangeConfiguration", instead("Rejected"), key="CpoName"),
        "TC_074_CS TC_077_CS",
    ),
    Mutant(
        "no SignCertificate.req follows",
        "Charge Point",
        "white paper A02.FR.03, white paper 6.16",
        does_not_ask,
        SIGNED.format("CS"),
    ),
    Mutant(
        "the CSR is for the key in use",
        "Charge Point",
        "white paper A02.FR.02",
        asks_with_the_key_in_use,
        SIGNED.format("CS"),
    ),
    *(
        Mutant(f"the CSR has {words}", "Charge Point", f"white paper {clause}", plant, SIGNED.format("CS"))
        for words, clause, plant in [
            ("another O", "A02.FR.13", named(organization="Somebody")),
            ("no O", "A02.FR.13", named(organization="")),
            ("another CN", "A00.FR.511", named(common_name="CP1")),
            ("no CN", "A00.FR.511", named(common_name="")),
            ("an RSA key of 1024 bits", "A00.FR.502", makes_keys("RSA", 1024)),
            ("a key on a curve of 192 bits", "A00.FR.503", makes_keys("EC", 192)),
        ]
    ),
    Mutant(
        "the CSR is no PEM",
        "Charge Point",
        "white paper A02.FR.03",
        asks_with(lambda *key, **subject: base64_alone(signing_request(*key, **subject))),
        SIGNED.format("CS"),
    ),
    Mutant(
        "a valid certificate is used and Rejected",
        "Charge Point",
        "white paper A02",
        answers(HANDLERS, "CertificateSigned", instead("Rejected")),
        "TC_074_CS",
    ),
    Mutant(
        "a valid certificate for a new security profile is Rejected",
        "Charge Point",
        "white paper A02",
        answers(HANDLERS, "CertificateSigned", instead("Rejected")),
        "TC_083_CS",
        security_profile=2,
    ),
    Mutant("a signed certificate is not used", "Charge Point", "white paper A02.FR.08", does_not_switch, "TC_074_CS"),
    Mutant(
        "the former certificate is shown",
        "Charge Point",
        "white paper A02.FR.09",
        shows_its_first_certificate,
        "TC_074_CS",
    ),
    Mutant(
        "every signed certificate is taken",
        "Charge Point",
        "white paper A02.FR.06",
        takes_any_signed_certificate,
        "TC_077_CS",
    ),
    Mutant(
        "an invalid certificate is discarded and Accepted",
        "Charge Point",
        "white paper A02.FR.07",
        answers(HANDLERS, "CertificateSigned", where(instead("Accepted"), status="Rejected")),
        "TC_077_CS",
    ),
    Mutant(
        "InvalidChargePointCertificate is not told",
        "Charge Point",
        "white paper A02.FR.07",
        notes("InvalidChargePointCertificate", None),
        "TC_077_CS",
    ),
    Mutant(
        "InvalidChargePointCertificate is told as another event",
        "Charge Point",
        "white paper 8",
        notes("InvalidChargePointCertificate", "InvalidCentralSystemCertificate"),
        "TC_077_CS",
    ),
    Mutant(
        "a root is installed and Rejected",
        "Charge Point",
        "white paper M05.FR.02",
        answers(HANDLERS, "InstallCertificate", instead("Rejected")),
        "TC_075_1_CS TC_075_2_CS TC_076_CS TC_083_CS",
    ),
    Mutant(
        "an Accepted root is not installed",
        "Charge Point",
        "white paper M05.FR.02",
        installs_nothing,
        INSTALLED.format("CS"),
    ),
    Mutant(
        "no certificate is ever found",
        "Charge Point",
        "white paper M03.FR.03",
        answers(HANDLERS, "GetInstalledCertificateIds", lambda _: {"status": "NotFound"}),
        LISTED,
    ),
    *(
        Mutant(name, "Charge Point", f"white paper {clause}", plant, LISTED)
        for name, clause, plant in [
            ("the roots of the other type are listed", "M03.FR.04", lists_the_other_type),
            (
                "serialNumber has leading zeroes",
                "6.1",
                together(with_small_serial_numbers, with_hash_data(with_leading_zeroes)),
            ),
            ("serialNumber begins with 0x", "6.1", together(with_small_serial_numbers, with_hash_data(with_0x))),
            ("issuerKeyHash is made with tag and length", "6.1", hashes_the_whole_key),
            (
                "the hashes are as long as those of SHA-1",
                "6.1",
                with_hash_data(lambda told: told | {name: told[name][:40] for name in HASHES}),
            ),
            ("another hashAlgorithm is named", "6.1", with_hash_data(lambda told: told | {"hashAlgorithm": "SHA512"})),
            (
                "issuerNameHash and issuerKeyHash are mixed up",
                "6.1",
                with_hash_data(
                    lambda told: told | dict(zip(HASHES, [told[name] for name in HASHES[::-1]], strict=True))
                ),
            ),
        ]
    ),
    Mutant("nothing is deleted", "Charge Point", "white paper M04.FR.02", deletes_nothing, "TC_076_CS"),
    Mutant(
        "a certificate is deleted, and the answer is Failed",
        "Charge Point",
        "white paper M04.FR.02",
        answers(HANDLERS, "DeleteCertificate", instead("Failed")),
        "TC_076_CS",
    ),
    Mutant("every root is taken", "Charge Point", "white paper M05.FR.06", takes_any_root, "TC_078_CS"),
    Mutant(
        "an invalid root is discarded and Accepted",
        "Charge Point",
        "white paper M05.FR.06",
        answers(HANDLERS, "InstallCertificate", where(instead("Accepted"), status="Rejected")),
        "TC_078_CS",
    ),
    Mutant(
        "InvalidCentralSystemCertificate is not told",
        "Charge Point",
        "white paper 8",
        notes("InvalidCentralSystemCertificate", None),
        "TC_078_CS",
    ),
    Mutant(
        "InvalidCentralSystemCertificate is told as another event",
        "Charge Point",
        "white paper 8",
        notes("InvalidCentralSystemCertificate", "InvalidChargePointCertificate"),
        "TC_078_CS",
    ),
]


def shows_another_certificate_than_at_first() -> Callable[[Store, Attempt, Admission], bool]:
    first: list[tuple[Store, object]] = []

    def differs(store: Store, attempt: Attempt, _: Admission) -> bool:
        if attempt.certificate is None:
            return False
        known = [certificate for each, certificate in first if each is store]
        if not known:
            first.append((store, attempt.certificate))
        return bool(known) and known[0] != attempt.certificate

    return differs


def signs(change: Callable[[Authority, str], str]) -> Plant:
    """The Central System signs otherwise, unless it is to sign wrongly anyway."""

    def otherwise(authority: Authority, csr: str, fault: CertificateFault | None = None) -> str:
        return change(authority, csr) if fault is None else sign(authority, csr, fault)

    return lambda patch: patch.setattr(reference_csms.security, "sign", otherwise)


def signs_wrongly(fault: CertificateFault) -> Plant:
    return signs(lambda authority, csr: sign(authority, csr, fault))


def for_another(authority: Authority, csr: str) -> str:
    """Another CN."""
    request = load_request(csr)
    name = ocppj.authority._name("SN-9999", organization(request))
    return pem(authority.certify(request.public_key(), "client", name))  # type: ignore[arg-type]  # EC


def under_a_stranger(authority: Authority, csr: str) -> str:
    """The chain goes on with one that has not signed it."""
    return sign(authority, csr) + pem(Authority.root("Stranger", "Strangers").certificate)


def sends_no_certificate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reference_csms.security, "certificates_to_send", lambda _: [])


def of_the_other_type(asked: Payload) -> Payload:
    return asked | {"certificateType": TYPES[asked["certificateType"] == TYPES[0]]}


def other_root(**kind: Any) -> Change:
    return lambda asked: asked | {"certificate": pem(Authority.root("Other", "CPO", **kind).certificate)}


def in_base64(asked: Payload) -> Payload:
    return asked | {"certificate": base64_alone(asked["certificate"])}


def with_a_leaf(asked: Payload) -> Payload:
    leaf = Authority.root("Root", "CPO").issue("server", common_name="localhost", organization="CPO")
    return asked | {"certificate": leaf.chain_pem}


def names(change: Callable[[View, Payload], Payload]) -> Plant:
    """The Central System names a certificate otherwise that it wants to have deleted."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        about_to_delete = reference_csms.security.about_to_delete

        def otherwise(store: View, request: Payload, wrong: bool) -> Payload:
            told = about_to_delete(store, request, wrong)
            return {"certificateHashData": change(store, told["certificateHashData"])}

        patch.setitem(reference_csms.security._PREPARATIONS, "DeleteCertificate", otherwise)

    return plant


def with_sha256_for_sha512(store: View, told: Payload) -> Payload:
    if told["hashAlgorithm"] != "SHA512":
        return told
    certificate = reference_csms.security._certificate_meant(store, told)
    assert certificate
    return reference_csms.security._hash_data(store, certificate, "SHA256")


OF_CENTRAL_SYSTEM = [
    Mutant(
        "a renewed certificate is not admitted",
        "Central System",
        "white paper A00.FR.403",
        admits_not(shows_another_certificate_than_at_first()),
        "TC_074_CSMS",
        accuses="TC_074_CS",
    ),
    Mutant(
        "another message is triggered",
        "Central System",
        "white paper 6.16",
        asks("ExtendedTriggerMessage", with_fields(requestedMessage="Heartbeat")),
        SIGNED.format("CSMS"),
    ),
    Mutant(
        "the certificate of a connector is asked for",
        "Central System",
        "white paper 5.5",
        asks("ExtendedTriggerMessage", with_fields(connectorId=1)),
        SIGNED.format("CSMS"),
    ),
    Mutant(
        "what will be signed is Rejected",
        "Central System",
        "white paper A02.FR.11",
        answers(CSMS, "SignCertificate", instead("Rejected")),
        SIGNED.format("CSMS"),
    ),
    Mutant(
        "no CertificateSigned.req follows",
        "Central System",
        "white paper A02",
        sends_no_certificate,
        SIGNED.format("CSMS"),
    ),
    *(
        Mutant(f"the certificate of a Charge Point {words}", "Central System", clause, plant, SIGNED.format("CSMS"))
        for words, clause, plant in [
            ("is for another key", "white paper A02", signs_wrongly("other_key")),
            ("has expired", "white paper A02.FR.06", signs_wrongly("expired")),
            ("is not valid yet", "white paper A02.FR.06", signs_wrongly("not_yet_valid")),
            ("has another CN", "white paper A00.FR.511", signs(for_another)),
            ("leads astray", "white paper A02.FR.06", signs(under_a_stranger)),
            (
                "follows that of its authority",
                "white paper 5.1",
                signs(lambda authority, csr: pem(authority.certificate) + sign(authority, csr)),
            ),
            ("is no PEM", "white paper A00.FR.507", signs(lambda *asked: base64_alone(sign(*asked)))),
        ]
    ),
    Mutant(
        "the certificate for a new security profile has expired",
        "Central System",
        "white paper A02.FR.06",
        signs_wrongly("expired"),
        "TC_083_CSMS",
        security_profile=2,
    ),
    *(
        Mutant(f"{words} is installed", "Central System", clause, asks("InstallCertificate", change), kills)
        for words, clause, change, kills in [
            ("a root of the other type", "white paper 5.11", of_the_other_type, INSTALLED.format("CSMS")),
            ("what is no PEM", "white paper A00.FR.507, white paper 5.11", in_base64, INSTALLED.format("CSMS")),
            ("an expired root", "white paper M05.FR.06", other_root(validity=EXPIRED), INSTALLED.format("CSMS")),
            (
                "a root with an RSA key of 1024 bits",
                "white paper A00.FR.502",
                other_root(kind="RSA", bits=1024),
                INSTALLED.format("CSMS"),
            ),
            ("what is no root", "white paper 6.4", with_a_leaf, INSTALLED.format("CSMS")),
        ]
    ),
    Mutant(
        "the roots of the other type are asked for",
        "Central System",
        "white paper 5.7",
        asks("GetInstalledCertificateIds", of_the_other_type),
        "TC_075_1_CSMS TC_075_2_CSMS TC_076_CSMS TC_083_CSMS",
    ),
    Mutant(
        "a certificate that was reported with SHA512 is named with SHA256",
        "Central System",
        "white paper M04.FR.07",
        names(with_sha256_for_sha512),
        "TC_076_CSMS",
    ),
    Mutant(
        "a serialNumber is named with leading zeroes",
        "Central System",
        "white paper 6.1",
        together(with_small_serial_numbers, names(lambda _, told: with_leading_zeroes(dict(told)))),
        "TC_076_CSMS",
    ),
    *(
        Mutant(f"DeleteCertificate.req has another {name}", "Central System", "white paper 6.1", plant, "TC_076_CSMS")
        for name, plant in [
            ("serialNumber", names(lambda _, told: told | {"serialNumber": "ABC"})),
            ("issuerNameHash", names(lambda _, told: told | {"issuerNameHash": told["issuerKeyHash"]})),
            ("issuerKeyHash", names(lambda _, told: told | {"issuerKeyHash": told["issuerNameHash"]})),
        ]
    ),
    Mutant(
        "SecurityEventNotification.req is refused",
        "Central System",
        "white paper A04.FR.03",
        refuses(CSMS, "SecurityEventNotification"),
        "TC_077_CSMS TC_078_CSMS TC_080_CSMS",
    ),
]

MUTANTS = [*OF_CHARGE_POINT, *OF_CENTRAL_SYSTEM]
