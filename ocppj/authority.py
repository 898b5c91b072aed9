"""Making keys, certificates and signatures: what an authority, a manufacturer and a Charge Point do.

Whatever the calendar of a rehearsal says, OpenSSL judges by the real date, so certificates are valid from 2020 to 2049.
"""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ocppj.certificates import BadCertificate, Certificate, Key, pem

Kind = Literal["EC", "RSA"]
Usage = Literal["server", "client", "firmware"]
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

VALID_FROM = datetime(2020, 1, 1, tzinfo=UTC)
VALID_UNTIL = datetime(2049, 12, 31, tzinfo=UTC)
EXPIRED = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC))
NOT_YET = (datetime(2090, 1, 1, tzinfo=UTC), datetime(2095, 1, 1, tzinfo=UTC))

_CURVES: dict[int, ec.EllipticCurve] = {
    192: ec.SECP192R1(),  # too small for A00.FR.503
    224: ec.SECP224R1(),
    256: ec.SECP256R1(),
    384: ec.SECP384R1(),
}
_EXTENDED = {
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "firmware": ExtendedKeyUsageOID.CODE_SIGNING,
}


def new_key(kind: Kind = "EC", bits: int = 0) -> Key:
    """A private key: on P-256 or with 2048 bits, unless other ones are asked for."""
    if kind == "EC":
        return ec.generate_private_key(_CURVES[bits or 256])
    return rsa.generate_private_key(65537, bits or 2048)


def key_pem(key: Key) -> str:
    """A private key as PEM text, without a password."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def signing_request(key: Key, *, common_name: str, organization: str) -> str:
    """A CSR in PEM (A02.FR.03): CN is the serial number of the Charge Point, O its CpoName (A02.FR.13)."""
    name = _name(common_name, organization)
    return x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def sign(key: Key, content: bytes, *, pkcs1v15: bool = False) -> str:
    """A signature over content in base64: RSA-PSS or ECDSA, with SHA-256 (L01.FR.04)."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        raw = key.sign(content, ec.ECDSA(hashes.SHA256()))
    else:
        scheme = padding.PKCS1v15() if pkcs1v15 else _pss()
        raw = key.sign(content, scheme, hashes.SHA256())
    return base64.b64encode(raw).decode()


def _pss() -> padding.PSS:
    return padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)


def _name(common_name: str, organization: str) -> x509.Name:
    parts = [(NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common_name)]
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts if text])


def _general_name(name: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass(frozen=True, slots=True)
class Credential:
    """A private key and its certificate, first in ``chain``; behind it those that lead to the root, without it."""

    key: Key = field(repr=False)
    chain: tuple[Certificate, ...]

    @property
    def certificate(self) -> Certificate:
        """The certificate of the key."""
        return self.chain[0]

    @property
    def chain_pem(self) -> str:
        """The chain as PEM text."""
        return pem(*self.chain)

    @property
    def key_pem(self) -> str:
        """The private key as PEM text. Secret."""
        return key_pem(self.key)

    def save(self, directory: Path, name: str) -> tuple[Path, Path]:
        """Write ``NAME.pem`` and, readable by its owner alone, ``NAME.key``."""
        directory.mkdir(parents=True, exist_ok=True)
        chain, key = directory / f"{name}.pem", directory / f"{name}.key"
        chain.write_text(self.chain_pem, encoding="ascii")
        key.unlink(missing_ok=True)  # a file that is there keeps its mode
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.key_pem)
        return chain, key


class Authority:
    """Who signs certificates: a root, or one beneath it.

    ``chain``: its own certificate first, then those above it, without the root.
    """

    def __init__(self, key: Key, certificate: Certificate, chain: Sequence[Certificate] = ()) -> None:
        self.key = key
        self.certificate = certificate
        self.chain = tuple(chain)

    @classmethod
    def root(
        cls,
        common_name: str,
        organization: str,
        *,
        kind: Kind = "EC",
        bits: int = 0,
        validity: tuple[datetime, datetime] = (VALID_FROM, VALID_UNTIL),
        signed_by: "Authority | None" = None,
    ) -> "Authority":
        """A root. ``signed_by``: the one that it replaces has signed it (M05.FR.09), not it itself."""
        key = new_key(kind, bits)
        name = _name(common_name, organization)
        issuer = signed_by.certificate.subject if signed_by else name
        signer = signed_by.key if signed_by else key
        builder = _builder(name, issuer, key.public_key(), validity, signer.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        certificate = _signed(_with_usage(builder, authority=True), signer)
        return cls(key, certificate)

    def subordinate(
        self,
        common_name: str,
        organization: str,
        *,
        kind: Kind = "EC",
        validity: tuple[datetime, datetime] = (VALID_FROM, VALID_UNTIL),
    ) -> "Authority":
        """An authority beneath this one, which may have none beneath it."""
        key = new_key(kind)
        name = _name(common_name, organization)
        builder = self._beneath(name, key.public_key(), validity).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        certificate = _signed(_with_usage(builder, authority=True), self.key)
        return Authority(key, certificate, (certificate, *self.chain))

    def issue(
        self,
        usage: Usage,
        *,
        common_name: str,
        organization: str,
        kind: Kind = "EC",
        bits: int = 0,
        validity: tuple[datetime, datetime] = (VALID_FROM, VALID_UNTIL),
        dns_names: Sequence[str] = (),
    ) -> Credential:
        """A new key and its certificate. ``dns_names`` become subjectAltNames, which A00.FR.511 wants to do without.

        The IP addresses among them and, for a server, as CN become iPAddresses: TLS looks for those nowhere else.
        """
        key = new_key(kind, bits)
        if usage == "server" and isinstance(_general_name(common_name), x509.IPAddress):
            dns_names = (common_name, *dns_names)
        certificate = self.certify(
            key.public_key(), usage, _name(common_name, organization), validity=validity, dns_names=dns_names
        )
        return Credential(key, (certificate, *self.chain))

    def sign_request(
        self,
        request: x509.CertificateSigningRequest,
        *,
        validity: tuple[datetime, datetime] = (VALID_FROM, VALID_UNTIL),
    ) -> tuple[Certificate, ...]:
        """The chain for a Charge Point that has asked for a certificate (A02). Raises ``BadCertificate``."""
        key = request.public_key()
        if not isinstance(key, PublicKey):
            raise BadCertificate("the key to be certified is neither RSA nor on an elliptic curve")
        return (self.certify(key, "client", request.subject, validity=validity), *self.chain)

    def certify(
        self,
        key: PublicKey,
        usage: Usage,
        subject: x509.Name,
        *,
        validity: tuple[datetime, datetime] = (VALID_FROM, VALID_UNTIL),
        dns_names: Sequence[str] = (),
    ) -> Certificate:
        """A certificate for a public key."""
        builder = self._beneath(subject, key, validity)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([_EXTENDED[usage]]), critical=False)
        if dns_names:
            names = x509.SubjectAlternativeName([_general_name(name) for name in dns_names])
            builder = builder.add_extension(names, critical=False)
        # TLS_RSA suites encrypt with the key of the server.
        enciphers = usage == "server" and isinstance(key, rsa.RSAPublicKey)
        return _signed(_with_usage(builder, enciphers=enciphers), self.key)

    def _beneath(
        self, subject: x509.Name, key: PublicKey, validity: tuple[datetime, datetime]
    ) -> x509.CertificateBuilder:
        return _builder(subject, self.certificate.subject, key, validity, self.key.public_key())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, validity: tuple[datetime, datetime], issuer_key: PublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())  # A00.FR.508
        .not_valid_before(_present_kind(validity[0]))
        .not_valid_after(_present_kind(validity[1]))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _present_kind(moment: datetime) -> datetime:
    """An instant as cryptography takes it: of the class that datetime is now, which a frozen calendar has replaced."""
    return datetime.fromisoformat(moment.isoformat())


def _with_usage(
    builder: x509.CertificateBuilder, *, authority: bool = False, enciphers: bool = False
) -> x509.CertificateBuilder:
    """A00.FR.512: the key is for what it is used for."""
    usage = x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=enciphers,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    return builder.add_extension(usage, critical=True)


def _signed(builder: x509.CertificateBuilder, key: Key) -> Certificate:
    """A00.FR.505 and 506: RSA-PSS or ECDSA, with SHA-256."""
    if isinstance(key, rsa.RSAPrivateKey):
        return builder.sign(key, hashes.SHA256(), rsa_padding=_pss())
    return builder.sign(key, hashes.SHA256())
