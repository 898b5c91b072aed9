"""X.509 certificates as the security white paper wants them: read, judged, hashed, and what is signed with them.

Source: "Improved security for OCPP 1.6-J", edition 3, cited as «white paper». Its tables number the requirements.
"""

import base64
import binascii
import hashlib
import re
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from ipaddress import ip_address
from typing import Any, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.ocsp import OCSPRequestBuilder
from cryptography.x509.oid import ExtensionOID, NameOID, ObjectIdentifier

LEAST_RSA_BITS, LEAST_EC_BITS = 2048, 224  # A00.FR.502, A00.FR.503
LONGEST_SERIAL_NUMBER = 160  # bits: RFC 5280, 4.1.2.2
_BROKEN_HASHES = ("MD5", "SHA1")  # A00.FR.504
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

# white paper 6.12
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
HASH_ALGORITHMS = tuple(_HASHES)

# What may be critical in a certificate (RFC 5280, 4.2), because it is looked at, or because no policy is asked for.
_UNDERSTOOD = (
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CERTIFICATE_POLICIES,
)

# What ``cryptography`` raises, sooner or later, about what it cannot read.
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)

Certificate = x509.Certificate
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Facts = dict[str, Any]

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


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
    with _reading("X.509 certificate in PEM"):
        return [_readable(certificate) for certificate in x509.load_pem_x509_certificates(text.encode())]


def load_der(data: bytes) -> Certificate:
    """A certificate as TLS has it. Raises ``BadCertificate``."""
    with _reading("X.509 certificate in DER"):
        return _readable(x509.load_der_x509_certificate(data))


def load_key(text: str) -> Key:
    """The private key, RSA or on an elliptic curve, of a PEM text without a password. Raises ``BadCertificate``."""
    with _reading("private key in PEM"):
        key = load_pem_private_key(text.encode(), None)
    if not isinstance(key, Key):
        raise BadCertificate("the private key is neither RSA nor on an elliptic curve")
    return key


def load_request(text: str) -> x509.CertificateSigningRequest:
    """The certificate signing request of a PEM text (A02.FR.03), its signature checked. Raises ``BadCertificate``."""
    with _reading("certificate signing request in PEM"):
        request = x509.load_pem_x509_csr(text.encode())
        is_signed = request.is_signature_valid
        common_name(request)
    if not is_signed:
        raise BadCertificate("the certificate signing request is not signed with its own key")
    return request


def pem(*certificates: Certificate) -> str:
    """Certificates as PEM text."""
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of odd names, and of a serial number that is refused below
            yield
    except _UNREADABLE as error:
        raise BadCertificate(f"no {what}: {error}") from None


def _readable(certificate: Certificate) -> Certificate:
    if certificate.serial_number <= 0:
        raise BadCertificate("the serial number of the certificate is not positive (A00.FR.508; RFC 5280, 4.1.2.2)")
    facts(certificate)  # its parts are read when they are asked for: now, so that nobody is surprised later
    return certificate


# What a certificate says


def facts(certificate: Certificate) -> Facts:
    """What can be judged about a certificate without having it: plain data for a transcript."""
    kind, bits = key_size(certificate.public_key())
    names = _extension(certificate, x509.SubjectAlternativeName)
    return {
        "subject": {"commonName": common_name(certificate), "organizationName": organization(certificate)},
        "issuer": certificate.issuer.rfc4514_string(),
        "serialNumber": f"{certificate.serial_number:X}",
        "keyType": kind,
        "keyBits": bits,
        "signatureHash": _signature_hash(certificate),
        "notBefore": _told(certificate.not_valid_before_utc),
        "notAfter": _told(certificate.not_valid_after_utc),
        "isAuthority": is_authority(certificate),
        "dnsNames": names.get_values_for_type(x509.DNSName) if names else [],
        "ipAddresses": [str(address) for address in names.get_values_for_type(x509.IPAddress)] if names else [],
        "publicKeySha256": key_fingerprint(certificate.public_key()),
        "certificateSha256": certificate.fingerprint(hashes.SHA256()).hex(),
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


def is_authority(certificate: Certificate) -> bool:
    """Whether others may be signed with its key (RFC 5280, 4.2.1.9)."""
    constraints = _extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _extension(certificate: Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _signature_hash(certificate: Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return "unknown"
    return algorithm.name.upper() if algorithm else "none"  # Ed25519 has none of its own


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
    ocsp = OCSPRequestBuilder().add_certificate(certificate, issuer, _HASHES[algorithm]).build()
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": ocsp.issuer_name_hash.hex(),
        "issuerKeyHash": ocsp.issuer_key_hash.hex(),
        "serialNumber": f"{certificate.serial_number:X}",
    }


def same_hash_data(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two CertificateHashDataTypes mean the same certificate: its texts are case insensitive (6.5, 6.6)."""
    return all(
        str(one[name]).casefold() == str(other[name]).casefold()
        for name in ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
    )


# Judging: a certificate, or the facts of one that a transcript has kept


def faults(certificate: Certificate | Facts, at: datetime) -> list[str]:
    """How a certificate misses what 2.6.1 of the white paper demands of every one, its validity at a time included."""
    told = _facts(certificate)
    return [*_property_faults(told), *_validity_faults(told, at)]


def charge_point_faults(certificate: Certificate | Facts, at: datetime) -> list[str]:
    """How a certificate misses what 2.6.1 demands of that of a Charge Point, its validity at a time included."""
    told = _facts(certificate)
    found = faults(told, at)
    name = told["subject"]["commonName"]
    if not name:
        found.append("its subject has no CN with the serial number of the Charge Point (A00.FR.511)")
    elif _URL.match(name) or _is_address(name):
        found.append("its CN is a URL or an IP address (A00.FR.511)")
    if told["isAuthority"]:
        found.append("it is the certificate of an authority")
    return found


def server_faults(certificate: Certificate | Facts, host: str) -> list[str]:
    """How a certificate misses what 2.6.1 demands of that of a Central System. Its validity TLS has judged.

    ``host`` is what the URL of the Central System names: its FQDN, or an IP address.
    """
    told = _facts(certificate)
    found = _property_faults(told)
    name = told["subject"]["commonName"]
    if not name:
        found.append("its subject has no CN (A00.FR.510)")
    # The note on A00.FR.511: one that is reached in several ways may have subjectAltNames. A wildcard is no FQDN.
    elif _plain(host) not in map(_plain, (name, *told["dnsNames"], *told["ipAddresses"])):
        found.append(f"neither its CN {name!r} nor a subjectAltName is {host!r} (A00.FR.510)")
    return found


def _facts(certificate: Certificate | Facts) -> Facts:
    return certificate if isinstance(certificate, dict) else facts(certificate)


def _property_faults(told: Facts) -> list[str]:
    found = _weaknesses(told)
    if int(told["serialNumber"], 16).bit_length() > LONGEST_SERIAL_NUMBER:
        found.append("its serial number has more than 20 bytes (A00.FR.508)")
    if not told["subject"]["organizationName"]:
        found.append("its subject names no organization (A00.FR.509)")
    return found


def _weaknesses(told: Facts) -> list[str]:
    kind, bits = told["keyType"], told["keyBits"]
    found = []
    if kind in ("RSA", "DSA") and bits < LEAST_RSA_BITS:
        found.append(f"its {kind} key has {bits} bits, not {LEAST_RSA_BITS} (A00.FR.502)")
    if kind == "EC" and bits < LEAST_EC_BITS:
        found.append(f"its key on an elliptic curve has {bits} bits, not {LEAST_EC_BITS} (A00.FR.503)")
    if told["signatureHash"] in _BROKEN_HASHES:
        found.append(f"it is signed with {told['signatureHash']}, which is not recommended (A00.FR.504)")
    return found


def _validity_faults(told: Facts, at: datetime) -> list[str]:
    if at < datetime.fromisoformat(told["notBefore"]):
        return [f"it is not valid before {told['notBefore']}"]
    if at > datetime.fromisoformat(told["notAfter"]):
        return [f"it expired on {told['notAfter']}"]
    return []


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _plain(host: str) -> str:
    # Names are case insensitive and may end with the dot of the root (RFC 1034, 3.1); IPv6 has several notations.
    return str(ip_address(host)) if _is_address(host) else host.removesuffix(".").casefold()


# The way to a root


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
    """Check that a path leads from the first certificate of a chain to one of the roots (RFC 5280, chapter 6).

    The rest of the chain may stand in any order and lead astray. Every certificate on the path is strong enough
    (A00.FR.501 to 504) and valid at that time; what is among the roots is trusted whoever signed it.
    Raises ``BadCertificate``.
    """
    pool = [*roots, *chain[1:]]
    problems = _path_faults(chain[0], at)
    # The nearest first, so that the fewest authorities are between it and the first: 4.2.1.9 limits their number.
    reached = deque([] if problems else [(chain[0], 0)])
    while reached:
        certificate, beneath = reached.popleft()
        if certificate in roots:
            return
        issuers = [each for each in pool if is_signed_by(certificate, each)]
        pool = [each for each in pool if each not in issuers]
        for issuer in issuers:
            found = _path_faults(issuer, at) + _issuing_faults(issuer, beneath)
            if not found:
                reached.append((issuer, beneath + (issuer.subject != issuer.issuer)))
            problems += found
        if not issuers:
            problems.append(f"nobody who is trusted has signed {_who(certificate)}")
    raise BadCertificate(problems[0])


def _path_faults(certificate: Certificate, at: datetime) -> list[str]:
    told = facts(certificate)
    found = [*_weaknesses(told), *_validity_faults(told, at)]
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            found.append(f"its critical extension {extension.oid.dotted_string} is not understood")
    return [f"{_who(certificate)}: {each}" for each in found]


def _issuing_faults(issuer: Certificate, beneath: int) -> list[str]:
    usage = _extension(issuer, x509.KeyUsage)
    if not is_authority(issuer) or (usage and not usage.key_cert_sign):
        return [f"{_who(issuer)} may not sign certificates"]
    constraints = _extension(issuer, x509.BasicConstraints)
    if constraints and constraints.path_length is not None and constraints.path_length < beneath:
        return [f"{_who(issuer)} may not have so many authorities beneath it"]
    return []


def _who(certificate: Certificate) -> str:
    return repr(certificate.subject.rfc4514_string())


# Signatures


def verify_signature(certificate: Certificate, content: bytes, signature: str) -> str:
    """Check a base64 signature over content and name its scheme: RSA-PSS, ECDSA or RSA-PKCS1v15, all with SHA-256.

    L01.FR.04 wants RSA-PSS or ECSchnorr, A00.FR.505 RSA-PSS or ECDSA; SHA256withRSA is what the official tool sends.
    Raises ``BadSignature``.
    """
    raw = _decoded(signature)
    key = certificate.public_key()
    match key:
        case rsa.RSAPublicKey():
            if _fits_rsa(key, content, raw, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)):
                return "RSA-PSS"
            if _fits_rsa(key, content, raw, padding.PKCS1v15()):
                return "RSA-PKCS1v15"
        case ec.EllipticCurvePublicKey():
            if _fits_ec(key, content, raw):
                return "ECDSA"
        case _:
            raise BadSignature(f"a key of the kind {key_size(key)[0]} signs no firmware")
    raise BadSignature("the signature does not belong to the file and the certificate")


def _decoded(signature: str) -> bytes:
    text = "".join(signature.split())
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature("the signature is not base64") from None
    if base64.b64encode(raw).decode() != text:
        raise BadSignature("the signature is not base64: there is more in its last digits than they say")
    return raw


def _fits_rsa(key: rsa.RSAPublicKey, content: bytes, raw: bytes, scheme: padding.PSS | padding.PKCS1v15) -> bool:
    try:
        key.verify(raw, content, scheme, hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _fits_ec(key: ec.EllipticCurvePublicKey, content: bytes, raw: bytes) -> bool:
    try:
        key.verify(raw, content, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
