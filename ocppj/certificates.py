"""X.509 certificates as the security white paper wants them: read, judged, hashed, and what is signed with them.

Source: "Improved security for OCPP 1.6-J", edition 3, cited as «white paper». Its tables number the requirements.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID, ObjectIdentifier

HASH_ALGORITHMS = ("SHA256", "SHA384", "SHA512")  # white paper 6.12
LEAST_RSA_BITS, LEAST_EC_BITS = 2048, 224  # A00.FR.502, A00.FR.503
LONGEST_PATH = 8
_BROKEN_HASHES = (hashes.MD5, hashes.SHA1)  # A00.FR.504
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

Certificate = x509.Certificate


class BadCertificate(Exception):
    """What is no certificate, or one that must not be used; the text says why."""


class BadSignature(Exception):
    """A signature that does not belong to what it is said to sign; the text says why."""


def load(text: str) -> Certificate:
    """The one certificate of a PEM text (A00.FR.507). Raises ``BadCertificate``."""
    chain = load_chain(text)
    if len(chain) > 1:
        raise BadCertificate(f"{len(chain)} certificates where one belongs")
    return chain[0]


def load_chain(text: str) -> list[Certificate]:
    """The certificates of a PEM text, at least one. Raises ``BadCertificate``."""
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadCertificate(f"no X.509 certificate in PEM: {error}") from None


def pem(*certificates: Certificate) -> str:
    """Certificates as PEM text."""
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def load_key(text: str) -> PrivateKeyTypes:
    """The private key of a PEM text without a password. Raises ``BadCertificate``."""
    try:
        return load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadCertificate(f"no private key in PEM: {error}") from None


def load_request(text: str) -> x509.CertificateSigningRequest:
    """The certificate signing request of a PEM text (A02.FR.03), its signature checked. Raises ``BadCertificate``."""
    try:
        request = x509.load_pem_x509_csr(text.encode())
        is_signed = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadCertificate(f"no certificate signing request in PEM: {error}") from None
    if not is_signed:
        raise BadCertificate("the certificate signing request is not signed with its own key")
    return request


# What a certificate says


def facts(certificate: Certificate) -> dict[str, Any]:
    """What can be judged about a certificate without having it: plain data for a transcript."""
    kind, bits = key_size(certificate.public_key())
    return {
        "subject": {"commonName": common_name(certificate), "organizationName": organization(certificate)},
        "issuer": certificate.issuer.rfc4514_string(),
        "serialNumber": f"{certificate.serial_number:X}",
        "keyType": kind,
        "keyBits": bits,
        "notBefore": _told(certificate.not_valid_before_utc),
        "notAfter": _told(certificate.not_valid_after_utc),
        "isAuthority": is_authority(certificate),
        "dnsNames": dns_names(certificate),
        "publicKeySha256": key_fingerprint(certificate.public_key()),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
    }


def _told(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def common_name(of: Certificate | x509.CertificateSigningRequest) -> str:
    """The CN of the subject; empty if there is none."""
    return _attribute(of.subject, NameOID.COMMON_NAME)


def organization(of: Certificate | x509.CertificateSigningRequest) -> str:
    """The O of the subject; empty if there is none."""
    return _attribute(of.subject, NameOID.ORGANIZATION_NAME)


def _attribute(name: x509.Name, oid: ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def dns_names(certificate: Certificate) -> list[str]:
    """The subjectAltNames of type dnsName."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return names.get_values_for_type(x509.DNSName)


def is_authority(certificate: Certificate) -> bool:
    """Whether others may be signed with its key (RFC 5280, 4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def key_size(key: PublicKeyTypes) -> tuple[str, int]:
    """Kind and bits of a key: RSA, DSA, EC, or another with 0 bits."""
    match key:
        case rsa.RSAPublicKey():
            return "RSA", key.key_size
        case dsa.DSAPublicKey():
            return "DSA", key.key_size
        case ec.EllipticCurvePublicKey():
            return "EC", key.curve.key_size
    return type(key).__name__.strip("_").removesuffix("PublicKey"), 0


def key_fingerprint(key: PublicKeyTypes) -> str:
    """What two equal public keys have in common, in hexadecimal."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


# Hash data


def hash_data(certificate: Certificate, issuer: Certificate, algorithm: str = "SHA256") -> dict[str, str]:
    """The CertificateHashDataType of a certificate (white paper 6.1), whose issuer is itself if it is a root.

    The hashes are those of OCSP (RFC 6960, 4.1.1), in hexadecimal digits.
    """
    key_bits = _subject_public_key(issuer.public_key())
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": hashlib.new(algorithm, certificate.issuer.public_bytes()).hexdigest(),
        "issuerKeyHash": hashlib.new(algorithm, key_bits).hexdigest(),
        "serialNumber": f"{certificate.serial_number:X}",
    }


def same_hash_data(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two CertificateHashDataTypes mean the same certificate: its texts are case insensitive (6.5, 6.6)."""
    return all(
        str(one.get(name, "")).casefold() == str(other.get(name, "")).casefold()
        for name in ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
    )


def _subject_public_key(key: PublicKeyTypes) -> bytes:
    # The BIT STRING without tag, length and the number of unused bits.
    match key:
        case rsa.RSAPublicKey():
            return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
        case ec.EllipticCurvePublicKey():
            return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        case dsa.DSAPublicKey():
            number = key.public_numbers().y
            return _der_integer(number)
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _der_integer(number: int) -> bytes:
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")
    length = len(content)
    head = (
        bytes([length])
        if length < 128
        else bytes([0x80 | (length.bit_length() + 7) // 8]) + length.to_bytes((length.bit_length() + 7) // 8, "big")
    )
    return b"\x02" + head + content


# Judging


def faults(certificate: Certificate, at: datetime) -> list[str]:
    """How a certificate misses what 2.6.1 of the white paper demands of every one, its validity at a time included."""
    found = []
    kind, bits = key_size(certificate.public_key())
    if kind in ("RSA", "DSA") and bits < LEAST_RSA_BITS:
        found.append(f"its {kind} key has {bits} bits, not {LEAST_RSA_BITS} (A00.FR.502)")
    if kind == "EC" and bits < LEAST_EC_BITS:
        found.append(f"its key on an elliptic curve has {bits} bits, not {LEAST_EC_BITS} (A00.FR.503)")
    if isinstance(_signature_hash(certificate), _BROKEN_HASHES):
        found.append("it is signed with an algorithm that is not recommended (A00.FR.504)")
    if not organization(certificate):
        found.append("its subject names no organization (A00.FR.509)")
    found.extend(_validity_faults(certificate, at))
    return found


def charge_point_faults(certificate: Certificate, at: datetime) -> list[str]:
    """How a certificate misses what 2.6.1 demands of that of a Charge Point."""
    found = faults(certificate, at)
    name = common_name(certificate)
    if not name:
        found.append("its subject has no CN with the serial number of the Charge Point (A00.FR.511)")
    elif _URL.match(name) or _is_address(name):
        found.append("its CN is a URL or an IP address (A00.FR.511)")
    if is_authority(certificate):
        found.append("it is the certificate of an authority")
    return found


def _signature_hash(certificate: Certificate) -> hashes.HashAlgorithm | None:
    try:
        return certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None


def _validity_faults(certificate: Certificate, at: datetime) -> list[str]:
    if at < certificate.not_valid_before_utc:
        return [f"it is not valid before {_told(certificate.not_valid_before_utc)}"]
    if at > certificate.not_valid_after_utc:
        return [f"it expired on {_told(certificate.not_valid_after_utc)}"]
    return []


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_root(certificate: Certificate) -> bool:
    """Whether it is signed with its own key and may sign others."""
    return is_authority(certificate) and is_signed_by(certificate, certificate)


def is_signed_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether the issuer's name and key are those behind a certificate."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def verify_path(chain: Sequence[Certificate], roots: Sequence[Certificate], at: datetime) -> None:
    """Check the path from the first certificate of a chain to one of the roots (RFC 5280, chapter 6).

    Raises ``BadCertificate``.
    """
    certificate, pool = chain[0], [*chain[1:], *roots]
    for depth in range(LONGEST_PATH):
        if late := _validity_faults(certificate, at):
            raise BadCertificate(f"{certificate.subject.rfc4514_string()}: {late[0]}")
        if depth and certificate in roots:
            return
        issuers = [each for each in pool if each != certificate and is_signed_by(certificate, each)]
        issuer = next((each for each in issuers if each in roots), next(iter(issuers), None))
        if issuer is None:
            raise BadCertificate(f"nobody who is trusted has signed {certificate.subject.rfc4514_string()}")
        if not _may_sign(issuer, depth):
            raise BadCertificate(f"{issuer.subject.rfc4514_string()} may not sign certificates")
        certificate = issuer
    raise BadCertificate("the chain is too long")


def _may_sign(issuer: Certificate, beneath: int) -> bool:
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not constraints.ca or (constraints.path_length is not None and constraints.path_length < beneath):
            return False
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return is_authority(issuer)
    except ValueError:
        return False


# Signatures


def verify_signature(certificate: Certificate, content: bytes, signature: str) -> str:
    """Check a base64 signature over content and name its scheme: RSA-PSS, ECDSA or RSA-PKCS1v15, all with SHA-256.

    L01.FR.04 wants RSA-PSS or ECSchnorr, A00.FR.505 RSA-PSS or ECDSA; SHA256withRSA is what the official tool sends.
    Raises ``BadSignature``.
    """
    try:
        raw = base64.b64decode("".join(signature.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature("the signature is not base64") from None
    key = certificate.public_key()
    match key:
        case rsa.RSAPublicKey():
            if _fits_rsa(key, content, raw, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)):
                return "RSA-PSS"
            if _fits_rsa(key, content, raw, padding.PKCS1v15()):
                return "RSA-PKCS1v15"
        case ec.EllipticCurvePublicKey():
            try:
                key.verify(raw, content, ec.ECDSA(hashes.SHA256()))
            except InvalidSignature:
                pass
            else:
                return "ECDSA"
        case _:
            raise BadSignature(f"a key of the kind {key_size(key)[0]} signs no firmware")
    raise BadSignature("the signature does not belong to the file and the certificate")


def _fits_rsa(key: rsa.RSAPublicKey, content: bytes, raw: bytes, scheme: padding.PSS | padding.PKCS1v15) -> bool:
    try:
        key.verify(raw, content, scheme, hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def present() -> datetime:
    """The time by which certificates are judged."""
    return datetime.now(UTC)
