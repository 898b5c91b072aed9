"""Certificates: read, judged, hashed, and what is signed with them. OpenSSL is asked for a second opinion."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ocppj.authority import EXPIRED, NOT_YET, VALID_FROM, VALID_UNTIL, Authority, Credential, Kind, new_key, sign
from ocppj.authority import signing_request as requested
from ocppj.certificates import (
    HASH_ALGORITHMS,
    BadCertificate,
    BadSignature,
    Certificate,
    Key,
    charge_point_faults,
    facts,
    faults,
    hash_data,
    is_root,
    is_signed_by,
    load,
    load_chain,
    load_der,
    load_key,
    load_request,
    pem,
    same_hash_data,
    server_faults,
    verify_path,
    verify_signature,
)
from tests.interop.rehearsals import require

AT = datetime(2031, 5, 13, tzinfo=UTC)
HOST = "csms.example"
OWNER = "Example CPO"


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority.root("Root", OWNER)


@pytest.fixture(scope="module")
def rsa_root() -> Authority:
    return Authority.root("RSA Root", OWNER, kind="RSA")


@pytest.fixture(scope="module")
def charge_point(root: Authority) -> Credential:
    return root.subordinate("Sub", OWNER).issue("client", common_name="SN-1", organization=OWNER)


@pytest.fixture(scope="module")
def signers(root: Authority) -> dict[str, Credential]:
    return {
        "RSA": root.issue("firmware", common_name="Firmware", organization="Vendor", kind="RSA"),
        "EC": root.issue("firmware", common_name="Firmware", organization="Vendor"),
    }


@pytest.fixture
def openssl() -> Callable[..., subprocess.CompletedProcess[str]]:
    program = shutil.which("openssl")
    require(program is not None, "there is no openssl to ask")
    assert program is not None

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 ours

    return run


OpenSSL = Callable[..., subprocess.CompletedProcess[str]]


def certified(
    subject: str,
    key: Key,
    issuer: str,
    issuer_key: Key,
    *,
    authority: bool | None = True,
    path_length: int | None = None,
    may_sign: bool | None = None,
    validity: tuple[datetime, datetime] = (VALID_FROM, VALID_UNTIL),
    serial_number: int = 4711,
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> Certificate:
    """A certificate as no authority of ours would sign it. ``None``: without that extension."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(serial_number)
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
    )
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(authority, path_length), critical=True)
    if may_sign is not None:
        builder = builder.add_extension(
            x509.KeyUsage(True, False, False, False, False, may_sign, False, False, False), critical=True
        )
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = builder.add_extension(signer, critical=False)  # OpenSSL takes the first of a name otherwise
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


# --- reading


def test_a_chain_in_pem_comes_back(charge_point: Credential) -> None:
    assert load_chain(charge_point.chain_pem) == list(charge_point.chain)
    assert load(pem(charge_point.certificate)) == charge_point.certificate
    with pytest.raises(BadCertificate, match="2 certificates where one belongs"):
        load(charge_point.chain_pem)


def test_the_facts_are_plain_data(root: Authority, charge_point: Credential) -> None:
    told = facts(charge_point.certificate)
    assert json.loads(json.dumps(told)) == told
    assert told["subject"] == {"commonName": "SN-1", "organizationName": OWNER}
    assert (told["keyType"], told["keyBits"], told["signatureHash"]) == ("EC", 256, "SHA256")
    assert (told["notBefore"], told["notAfter"]) == ("2020-01-01T00:00:00Z", "2049-12-31T00:00:00Z")
    assert not told["isAuthority"]
    assert facts(root.certificate)["isAuthority"]
    server = root.issue("server", common_name=HOST, organization=OWNER, dns_names=["b.example", "10.0.0.1", "::1"])
    assert facts(server.certificate)["dnsNames"] == ["b.example"]
    assert facts(server.certificate)["ipAddresses"] == ["10.0.0.1", "::1"]
    assert told["publicKeySha256"] != facts(server.certificate)["publicKeySha256"]


def test_the_facts_agree_with_openssl(openssl: OpenSSL, charge_point: Credential, tmp_path: Path) -> None:
    path = tmp_path / "certificate.pem"
    path.write_text(pem(charge_point.certificate))
    told = facts(charge_point.certificate)
    printed = openssl("x509", "-in", path, "-noout", "-serial", "-fingerprint", "-sha256", "-issuer").stdout
    assert f"serial={int(told['serialNumber'], 16):040X}" in printed
    assert told["certificateSha256"] in printed.replace(":", "").lower()


@given(st.text())
@example("")
@example("\ud800")
@example("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
@example("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n")
@example("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n")
def test_no_text_surprises_who_reads_it(text: str) -> None:
    for read in (load, load_chain, load_key, load_request):
        with pytest.raises(BadCertificate):
            read(text)


@settings(max_examples=400, deadline=None)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.integers(0, 10_000))
def test_a_spoilt_certificate_is_refused_or_readable(at: int, byte: int, cut: int) -> None:
    spoilt = bytearray(SPECIMEN.chain[0].public_bytes(Encoding.DER))
    spoilt[at % len(spoilt)] = byte
    for data in (bytes(spoilt), bytes(spoilt[: cut % len(spoilt)])):
        text = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(data).decode()}\n-----END CERTIFICATE-----\n"
        try:
            certificate = load(text)
        except BadCertificate:
            continue
        charge_point_faults(certificate, AT)
        server_faults(certificate, HOST)
        hash_data(certificate, certificate)
        assert isinstance(is_root(certificate), bool)
        if certificate.tbs_certificate_bytes != SPECIMEN.certificate.tbs_certificate_bytes:
            with pytest.raises(BadCertificate):
                verify_path([certificate, *SPECIMEN.chain[1:]], [SPECIMEN_ROOT.certificate], AT)
        with pytest.raises(BadSignature):
            verify_signature(certificate, b"image", "AAAA")


SPECIMEN_ROOT = Authority.root("Root", OWNER)
SPECIMEN = SPECIMEN_ROOT.issue("server", common_name=HOST, organization=OWNER, dns_names=[HOST, "10.0.0.1"])
SPECIMEN_REQUEST = x509.load_pem_x509_csr(requested(new_key(), common_name="SN-1", organization=OWNER).encode())


@settings(max_examples=400, deadline=None)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_spoilt_request_is_refused(at: int, byte: int) -> None:
    spoilt = bytearray(SPECIMEN_REQUEST.public_bytes(Encoding.DER))
    spoilt[at % len(spoilt)] = byte
    text = base64.b64encode(spoilt).decode()
    try:
        read = load_request(f"-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n")
    except BadCertificate:
        return
    # What surrounds the signature may be written in two ways; what is signed, in one.
    assert read.tbs_certrequest_bytes == SPECIMEN_REQUEST.tbs_certrequest_bytes


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07"),  # no such version
        (b"\x55\x1d\x23", b"\x55\x1d\x0e"),  # two extensions of one kind, where RFC 5280, 4.2, has none
        (b"\x82\x0ccsms.example", b"\xa3\x0ccsms.example"),  # an x400Address
    ],
)
def test_what_is_found_when_it_is_looked_at_is_found_at_once(there: bytes, instead: bytes) -> None:
    data = SPECIMEN.certificate.public_bytes(Encoding.DER)
    assert there in data
    with pytest.raises(BadCertificate):
        load_der(data.replace(there, instead))


def test_an_odd_name_is_read_without_a_word() -> None:
    # A countryName of eleven letters; the library would warn of it.
    odd = load_der(SPECIMEN.certificate.public_bytes(Encoding.DER).replace(b"\x55\x04\x0a", b"\x55\x04\x06"))
    assert facts(odd)["subject"] == {"commonName": HOST, "organizationName": ""}
    assert facts(odd)["issuer"] == f"CN=Root,C={OWNER}"


def test_a_request_of_another_version_is_refused() -> None:
    data = SPECIMEN_REQUEST.tbs_certrequest_bytes
    start = data.index(b"\x02\x01\x00")
    spoilt = SPECIMEN_REQUEST.public_bytes(Encoding.DER).replace(
        data, data[:start] + b"\x02\x01\x05" + data[start + 3 :]
    )
    text = base64.b64encode(spoilt).decode()
    with pytest.raises(BadCertificate, match="not a valid CSR version"):
        load_request(f"-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n")


def test_a_request_signed_with_another_key_is_refused() -> None:
    # The signatures of two requests are as long as each other most of the time; the rest is the one's own.
    names = {"common_name": "SN-1", "organization": OWNER}
    ours = x509.load_pem_x509_csr(requested(new_key("RSA"), **names).encode())
    other = x509.load_pem_x509_csr(requested(new_key("RSA"), **names).encode())
    forged = ours.public_bytes(Encoding.DER).replace(ours.signature, other.signature)
    text = base64.b64encode(forged).decode()
    with pytest.raises(BadCertificate, match="not signed with its own key"):
        load_request(f"-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n")


def test_a_key_in_pem_comes_back() -> None:
    for kind in ("EC", "RSA"):
        credential = Authority.root("Root", OWNER, kind=kind)
        text = credential.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        assert load_key(text).private_numbers() == credential.key.private_numbers()


def test_a_key_that_signs_no_certificate_is_refused() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(BadCertificate, match="neither RSA nor on an elliptic curve"):
        load_key(text)


def test_nothing_of_a_key_is_in_the_error() -> None:
    text = SPECIMEN.key_pem.replace("PRIVATE KEY", "EC PRIVATE KEY")
    with pytest.raises(BadCertificate) as caught:
        load_key(text)
    assert not any(line in str(caught.value) for line in SPECIMEN.key_pem.splitlines()[1:-1])


# --- hash data: white paper 6.1


@pytest.mark.parametrize("algorithm", HASH_ALGORITHMS)
@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_hash_data_is_that_of_ocsp(
    openssl: OpenSSL, kind: str, algorithm: str, root: Authority, rsa_root: Authority, tmp_path: Path
) -> None:
    authority = root if kind == "EC" else rsa_root
    beneath = authority.issue("client", common_name="SN-1", organization=OWNER).certificate
    (tmp_path / "issuer.pem").write_text(pem(authority.certificate))
    for certificate in (beneath, authority.certificate):
        (tmp_path / "certificate.pem").write_text(pem(certificate))
        files = ("-issuer", tmp_path / "issuer.pem", "-cert", tmp_path / "certificate.pem")
        printed = openssl("ocsp", f"-{algorithm.lower()}", *files, "-req_text", "-no_nonce").stdout.replace("\\\n", "")
        told = dict(re.findall(r"(Issuer Name Hash|Issuer Key Hash|Serial Number): ([0-9A-F]+)", printed))
        assert len(told) == 3, printed
        found = hash_data(certificate, authority.certificate, algorithm)
        assert found["issuerNameHash"] == told["Issuer Name Hash"].lower()
        assert found["issuerKeyHash"] == told["Issuer Key Hash"].lower()
        assert found["serialNumber"] == told["Serial Number"].lstrip("0")
        assert found["hashAlgorithm"] == algorithm


def test_the_name_is_hashed_as_it_stands(openssl: OpenSSL, tmp_path: Path) -> None:
    # What is decoded and encoded again may differ: here a BMPString that others would write as UTF8String.
    (tmp_path / "openssl.cnf").write_text(
        f"[req]\nstring_mask = MASK:2048\ndistinguished_name = name\nprompt = no\n[name]\nO = {OWNER}\nCN = Root\n"
    )
    made = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "key.pem")
    path = tmp_path / "root.pem"
    openssl("req", "-x509", "-config", tmp_path / "openssl.cnf", *made, "-out", path, "-set_serial", "4095")
    printed = openssl("ocsp", "-sha256", "-issuer", path, "-cert", path, "-req_text", "-no_nonce").stdout
    certificate = load(path.read_text())
    assert OWNER.encode("utf-16-be") in certificate.public_bytes(Encoding.DER)
    assert hash_data(certificate, certificate)["issuerNameHash"].upper() in printed


@pytest.mark.parametrize(
    ("number", "digits"), [(4095, "FFF"), (1, "1"), (0x80, "80"), (0x0F << 150, f"{0x0F << 150:X}")]
)
def test_a_serial_number_has_no_leading_zeroes(number: int, digits: str) -> None:
    key = new_key()
    certificate = certified("Root", key, "Root", key, serial_number=number)
    assert hash_data(certificate, certificate)["serialNumber"] == digits
    assert facts(certificate)["serialNumber"] == digits


def test_hash_data_is_compared_whatever_the_case(root: Authority) -> None:
    ours = hash_data(root.certificate, root.certificate)
    assert same_hash_data(ours, {name: value.upper() for name, value in ours.items()})
    assert same_hash_data(ours, {name: value.lower() for name, value in ours.items()})
    for name, value in ours.items():
        assert not same_hash_data(ours, ours | {name: value[:-1] + ("0" if value[-1] != "0" else "1")})


# --- judging: white paper 2.6.1


def issued(root: Authority, common_name: str, organization: str = OWNER) -> Certificate:
    return root.issue("client", common_name=common_name, organization=organization).certificate


def test_a_good_certificate_has_no_fault(root: Authority, charge_point: Credential) -> None:
    assert charge_point_faults(charge_point.certificate, AT) == []
    assert faults(root.certificate, AT) == []
    assert charge_point_faults(facts(charge_point.certificate), AT) == []


@pytest.mark.parametrize(
    ("kind", "bits", "clause"),
    [("RSA", 1024, "A00.FR.502"), ("RSA", 2048, ""), ("EC", 192, "A00.FR.503"), ("EC", 224, ""), ("EC", 384, "")],
)
def test_a_small_key_is_a_fault(root: Authority, kind: Kind, bits: int, clause: str) -> None:
    certificate = root.issue("client", common_name="SN-1", organization=OWNER, kind=kind, bits=bits).certificate
    for told in (charge_point_faults(certificate, AT), server_faults(certificate, "SN-1")):
        assert len(told) == (1 if clause else 0)
        assert all(clause in each for each in told)
    if clause:
        with pytest.raises(BadCertificate, match=re.escape(clause)):
            verify_path([certificate], [root.certificate], AT)
    else:
        verify_path([certificate], [root.certificate], AT)


def test_a_small_dsa_key_is_a_fault(root: Authority) -> None:
    told = facts(issued(root, "SN-1"))
    assert faults(told | {"keyType": "DSA", "keyBits": 1024}, AT) == [
        "its DSA key has 1024 bits, not 2048 (A00.FR.502)"
    ]
    key = dsa.generate_private_key(1024)  # noqa: S505 it is to be refused
    certificate = x509.load_pem_x509_csr(
        x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    )
    assert not isinstance(certificate.public_key(), Key)
    with pytest.raises(BadCertificate, match="neither RSA nor on an elliptic curve"):
        root.sign_request(certificate)


def self_signed(openssl: OpenSSL, directory: Path, *options: str) -> str:
    """A root as ``cryptography`` would not make it."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", directory / "key.pem")
    subject = ("-subj", f"/O={OWNER}/CN=Root", "-days", "10000")
    openssl("req", "-x509", *key, *subject, *options, "-out", directory / "root.pem")
    return (directory / "root.pem").read_text()


def test_a_broken_hash_is_a_fault(openssl: OpenSSL, tmp_path: Path) -> None:
    certificate = load(self_signed(openssl, tmp_path, "-sha1"))
    assert faults(certificate, AT) == ["it is signed with SHA1, which is not recommended (A00.FR.504)"]
    assert server_faults(certificate, "root") == faults(certificate, AT)
    with pytest.raises(BadCertificate, match=r"A00\.FR\.504"):
        verify_path([certificate], [certificate], AT)


@pytest.mark.parametrize("number", ["0", "-5"])
def test_a_serial_number_that_is_none_is_refused(openssl: OpenSSL, number: str, tmp_path: Path) -> None:
    with pytest.raises(BadCertificate, match="not positive"):
        load(self_signed(openssl, tmp_path, "-set_serial", number))


def test_a_serial_number_that_is_too_long_is_a_fault(openssl: OpenSSL, tmp_path: Path) -> None:
    for number, expected in ("0x7f" + "00" * 19, []), ("0x01" + "00" * 20, ["A00.FR.508"]):
        certificate = load(self_signed(openssl, tmp_path, "-set_serial", number))
        for found in (faults(certificate, AT), server_faults(certificate, "root")):
            assert [clause for each in found for clause in re.findall(r"A00\.FR\.\d+", each)] == expected


@pytest.mark.parametrize(
    ("name", "is_fault"),
    [
        ("SN-1", False),
        ("", True),
        ("https://charge.point", True),
        ("ws://charge.point", True),
        ("10.0.0.1", True),
        ("fe80::1", True),
        ("10.0.0", False),
        ("SN:1//2", False),
    ],
)
def test_the_name_of_a_charge_point(root: Authority, name: str, is_fault: bool) -> None:
    found = charge_point_faults(issued(root, name), AT)
    assert ["A00.FR.511" in each for each in found] == ([True] if is_fault else [])


def test_a_nameless_owner_is_a_fault(root: Authority) -> None:
    certificate = issued(root, "SN-1", "")
    assert charge_point_faults(certificate, AT) == ["its subject names no organization (A00.FR.509)"]
    assert server_faults(certificate, "SN-1") == ["its subject names no organization (A00.FR.509)"]


def test_an_authority_is_no_charge_point(root: Authority) -> None:
    assert charge_point_faults(root.certificate, AT) == ["it is the certificate of an authority"]


def test_the_time_of_a_certificate_is_judged_to_the_second(root: Authority) -> None:
    certificate, second = issued(root, "SN-1"), timedelta(seconds=1)
    assert faults(certificate, VALID_FROM) == []
    assert faults(certificate, VALID_UNTIL) == []
    assert faults(certificate, VALID_FROM - second) == ["it is not valid before 2020-01-01T00:00:00Z"]
    assert charge_point_faults(facts(certificate), VALID_UNTIL + second) == ["it expired on 2049-12-31T00:00:00Z"]


@pytest.mark.parametrize(
    ("common_name", "names", "host", "is_fault"),
    [
        (HOST, [], HOST, False),
        ("CSMS.Example", [], HOST, False),
        (HOST, [], HOST + ".", False),
        (HOST, [], "other.example", True),
        (HOST, [], "example", True),
        (HOST, ["other.example"], "other.example", False),
        ("*.example", [], HOST, True),
        (f"wss://{HOST}/ocpp", [], HOST, True),
        ("", [HOST], HOST, True),
        ("127.0.0.1", [], "127.0.0.1", False),
        (HOST, ["127.0.0.1"], "127.0.0.1", False),
        (HOST, ["::1"], "0:0:0:0:0:0:0:1", False),
        (HOST, [], "127.0.0.1", True),
    ],
)
def test_the_name_of_a_central_system(
    root: Authority, common_name: str, names: list[str], host: str, is_fault: bool
) -> None:
    credential = root.issue("server", common_name=common_name, organization=OWNER, dns_names=names)
    found = server_faults(facts(credential.certificate), host)
    assert ["A00.FR.510" in each for each in found] == ([True] if is_fault else [])


# --- the way to a root: RFC 5280, chapter 6


@pytest.fixture
def judged(openssl: OpenSSL, tmp_path: Path) -> Callable[..., str]:
    """The problem with a path; empty if there is none. OpenSSL must see it alike."""

    def judge(chain: Sequence[Certificate], roots: Sequence[Certificate], at: datetime = AT) -> str:
        first, rest, trusted = tmp_path / "first.pem", tmp_path / "rest.pem", tmp_path / "trusted.pem"
        first.write_text(pem(chain[0]))
        rest.write_text(pem(*chain[1:]))
        trusted.write_text(pem(*roots))
        time = ("-attime", str(int(at.timestamp())))
        trust = ("-CAfile", trusted) if roots else ("-no-CAfile",)
        untrusted = ("-untrusted", rest) if chain[1:] else ()
        strict = ("-no-CApath", "-no-CAstore", "-partial_chain", "-auth_level", "2", "-trusted_first")
        second = openssl("verify", *time, *strict, *trust, *untrusted, first)
        problem = ""
        try:
            verify_path(chain, roots, at)
        except BadCertificate as error:
            problem = str(error)
        assert (second.returncode == 0) is (problem == ""), (problem, second.stdout, second.stderr)
        return problem

    return judge


Judge = Callable[..., str]


def test_good_paths(judged: Judge, root: Authority, rsa_root: Authority, charge_point: Credential) -> None:
    assert judged(charge_point.chain, [root.certificate]) == ""
    assert judged(charge_point.chain, [rsa_root.certificate, root.certificate]) == ""
    assert judged([*charge_point.chain, root.certificate], [root.certificate]) == ""
    assert judged([charge_point.certificate, rsa_root.certificate, *charge_point.chain], [root.certificate]) == ""
    assert judged([issued(rsa_root, "SN-1")], [rsa_root.certificate]) == ""
    assert judged(charge_point.chain, charge_point.chain[1:]) == ""  # what is installed is trusted: 7.1, the note
    assert judged([root.certificate], [root.certificate]) == ""


def test_a_path_to_nobody(judged: Judge, root: Authority, rsa_root: Authority, charge_point: Credential) -> None:
    assert "nobody who is trusted has signed 'CN=Sub" in judged(charge_point.chain, [rsa_root.certificate])
    assert "nobody who is trusted has signed 'CN=SN-1" in judged(charge_point.chain[:1], [root.certificate])
    assert "nobody who is trusted" in judged([*charge_point.chain, root.certificate], [])


def test_who_signs_himself_is_trusted_by_nobody(judged: Judge, root: Authority) -> None:
    for authority in (True, False):
        key = new_key()
        certificate = certified("SN-1", key, "SN-1", key, authority=authority)
        assert judged([certificate], [root.certificate])
        assert judged([certificate, certificate], [root.certificate])


@pytest.mark.parametrize(("validity", "words"), [(EXPIRED, "it expired"), (NOT_YET, "it is not valid before")])
def test_the_time_of_a_path(judged: Judge, validity: tuple[datetime, datetime], words: str, root: Authority) -> None:
    leaf = root.issue("client", common_name="SN-1", organization=OWNER, validity=validity)
    assert words in judged(leaf.chain, [root.certificate])
    middle = root.subordinate("Sub", OWNER, validity=validity)
    assert words in judged(middle.issue("client", common_name="SN-1", organization=OWNER).chain, [root.certificate])
    top = Authority.root("Old", OWNER, validity=validity)
    assert words in judged(top.issue("client", common_name="SN-1", organization=OWNER).chain, [top.certificate])


def test_who_may_not_sign(judged: Judge, root: Authority, charge_point: Credential) -> None:
    beneath = Authority(charge_point.key, charge_point.certificate, charge_point.chain)
    leaf = beneath.issue("client", common_name="SN-2", organization=OWNER)
    assert "'CN=SN-1,O=Example CPO' may not sign certificates" in judged(leaf.chain, [root.certificate])
    key, other = new_key(), new_key()
    leaf_of = certified("SN-2", other, "Sub", key, authority=False)
    for authority, may_sign, is_good in (
        (True, True, True),
        (True, None, True),
        (True, False, False),
        (None, True, False),
    ):
        middle = certified("Sub", key, "Root", root.key, authority=authority, may_sign=may_sign)
        middle_root = certified("Root", root.key, "Root", root.key)
        assert (judged([leaf_of, middle], [middle_root]) == "") is is_good, (authority, may_sign)


def test_the_length_of_a_path(judged: Judge, root: Authority) -> None:
    too_deep = root.subordinate("Sub", OWNER).subordinate("Sub of Sub", OWNER)
    leaf = too_deep.issue("client", common_name="SN-1", organization=OWNER)
    assert "may not have so many authorities beneath it" in judged(leaf.chain, [root.certificate])
    # 4.2.1.9: an authority that has signed itself, with a new key for the same name, is not counted.
    keys = [new_key() for _ in range(4)]
    top = certified("Root", keys[0], "Root", keys[0], path_length=1)
    renewed = certified("Root", keys[1], "Root", keys[0], path_length=1)
    middle = certified("Sub", keys[2], "Root", keys[1])
    leaf_of = certified("SN-1", keys[3], "Sub", keys[2], authority=False)
    assert judged([leaf_of, middle, renewed], [top]) == ""


def test_two_roots_with_one_name(judged: Judge) -> None:
    one, other = Authority.root("Root", OWNER), Authority.root("Root", OWNER)
    leaf = one.issue("client", common_name="SN-1", organization=OWNER)
    for roots in ([one, other], [other, one]):
        assert judged(leaf.chain, [each.certificate for each in roots]) == ""
    assert judged(leaf.chain, [other.certificate])


def test_a_root_that_was_renewed_with_its_key(judged: Judge) -> None:
    key, own = new_key(), new_key()
    leaf = certified("SN-1", own, "Root", key, authority=False)
    old, new = certified("Root", key, "Root", key, validity=EXPIRED), certified("Root", key, "Root", key)
    assert judged([leaf, old], [new]) == ""
    verify_path([leaf], [old, new], AT)  # OpenSSL takes the first way alone
    assert "it expired" in judged([leaf], [old])


def test_a_replacing_root_is_signed_by_the_old_one(judged: Judge, root: Authority) -> None:
    new = Authority.root("New Root", OWNER, signed_by=root)
    leaf = new.issue("client", common_name="SN-1", organization=OWNER)
    assert is_signed_by(new.certificate, root.certificate)
    assert not is_root(new.certificate)
    assert judged(leaf.chain, [new.certificate]) == ""
    assert judged([*leaf.chain, new.certificate], [root.certificate]) == ""


def test_a_path_that_goes_in_circles(judged: Judge, root: Authority) -> None:
    here, there, own = new_key(), new_key(), new_key()
    circle = [certified("Here", here, "There", there), certified("There", there, "Here", here)]
    leaf = certified("SN-1", own, "Here", here, authority=False)
    assert "nobody who is trusted" in judged([leaf, *circle], [root.certificate])
    out = certified("There", there, "Root", root.key)
    top = certified("Root", root.key, "Root", root.key)
    verify_path([leaf, *circle, out], [top], AT)  # OpenSSL takes the first way alone
    assert judged([leaf, circle[0], out, circle[1]], [top]) == ""


def test_many_authorities_that_sign_each_other_take_no_longer() -> None:
    # Twelve certificates of one name and key: a search that tries every order would take until tomorrow.
    key, own = new_key(), new_key()
    crowd = [certified("Sub", key, "Sub", key, serial_number=number + 1) for number in range(12)]
    leaf = certified("SN-1", own, "Sub", key, authority=False)
    with pytest.raises(BadCertificate, match="nobody who is trusted"):
        verify_path([leaf, *crowd], [], AT)


def test_what_is_critical_must_be_understood(judged: Judge) -> None:
    key, own = new_key(), new_key()
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    top = certified("Root", key, "Root", key)
    for critical in (True, False):
        leaf = certified("SN-1", own, "Root", key, authority=False, more=[(unknown, critical)])
        assert ("is not understood" in judged([leaf], [top])) is critical


def test_an_altered_certificate_is_signed_by_nobody(root: Authority, charge_point: Credential) -> None:
    data = bytearray(charge_point.certificate.public_bytes(Encoding.DER))
    data[data.index(b"SN-1")] ^= 1
    altered = load_der(bytes(data))
    with pytest.raises(BadCertificate, match="nobody who is trusted"):
        verify_path([altered, *charge_point.chain[1:]], [root.certificate], AT)


# --- signatures: L01.FR.04


def test_schemes_are_told_apart(signers: dict[str, Credential]) -> None:
    rsa, ec = signers["RSA"], signers["EC"]
    assert verify_signature(rsa.certificate, b"image", sign(rsa.key, b"image")) == "RSA-PSS"
    assert verify_signature(rsa.certificate, b"image", sign(rsa.key, b"image", pkcs1v15=True)) == "RSA-PKCS1v15"
    assert verify_signature(ec.certificate, b"image", sign(ec.key, b"image")) == "ECDSA"


@pytest.mark.parametrize(
    ("kind", "options", "scheme"),
    [
        ("RSA", (), "RSA-PKCS1v15"),
        ("RSA", ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"), "RSA-PSS"),
        ("RSA", ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-2"), "RSA-PSS"),
        ("EC", (), "ECDSA"),
    ],
)
def test_what_openssl_has_signed(
    openssl: OpenSSL, kind: str, options: Sequence[str], scheme: str, signers: dict[str, Credential], tmp_path: Path
) -> None:
    _, key = signers[kind].save(tmp_path, "signer")
    image, signature = tmp_path / "image", tmp_path / "signature"
    image.write_bytes(b"image")
    openssl("dgst", "-sha256", *options, "-sign", key, "-out", signature, image)
    text = base64.encodebytes(signature.read_bytes()).decode()  # in lines, as many tools write it
    assert verify_signature(signers[kind].certificate, b"image", text) == scheme
    openssl("dgst", "-sha512", *options, "-sign", key, "-out", signature, image)
    with pytest.raises(BadSignature):
        verify_signature(signers[kind].certificate, b"image", base64.b64encode(signature.read_bytes()).decode())


IMAGE = bytes(range(256)) * 4
RSA_SIGNER = SPECIMEN_ROOT.issue("firmware", common_name="Firmware", organization="Vendor", kind="RSA")
SIGNED = [
    (RSA_SIGNER, sign(RSA_SIGNER.key, IMAGE)),
    (RSA_SIGNER, sign(RSA_SIGNER.key, IMAGE, pkcs1v15=True)),
    (SPECIMEN, sign(SPECIMEN.key, IMAGE)),
]


@pytest.mark.parametrize(("signer", "signature"), SIGNED, ids=["PSS", "PKCS1v15", "ECDSA"])
@settings(max_examples=100, deadline=None)
@given(bit=st.integers(0, 10**6))
def test_a_flipped_bit_is_found(signer: Credential, signature: str, bit: int) -> None:
    def flipped(data: bytes) -> bytes:
        spoilt, at = bytearray(data), bit % (8 * len(data))
        spoilt[at // 8] ^= 1 << at % 8
        return bytes(spoilt)

    verify_signature(signer.certificate, IMAGE, signature)
    with pytest.raises(BadSignature):
        verify_signature(signer.certificate, flipped(IMAGE), signature)
    raw = flipped(base64.b64decode(signature))
    with pytest.raises(BadSignature):
        verify_signature(signer.certificate, IMAGE, base64.b64encode(raw).decode())
    text = flipped(signature.encode()).decode("latin-1")
    if "".join(text.split()) != signature:
        with pytest.raises(BadSignature):
            verify_signature(signer.certificate, IMAGE, text)


def test_the_last_digits_of_a_signature_mean_all_they_say() -> None:
    signer, signature = SIGNED[0]
    assert signature.endswith("==")  # four bits of the last digit are nothing but zero
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    altered = signature[:-3] + digits[digits.index(signature[-3]) + 1] + "=="
    assert base64.b64decode(altered) == base64.b64decode(signature)
    with pytest.raises(BadSignature, match="is not base64"):
        verify_signature(signer.certificate, IMAGE, altered)


@pytest.mark.parametrize("change", [lambda each: each + b"\0", lambda each: each[:-1], lambda _: b""])
def test_a_longer_or_shorter_image_is_found(change: Callable[[bytes], bytes]) -> None:
    for signer, signature in SIGNED:
        with pytest.raises(BadSignature, match="does not belong to the file"):
            verify_signature(signer.certificate, change(IMAGE), signature)


@settings(deadline=None)
@given(st.text())
@example("signature")
@example("\ud800")
@example("")
def test_no_text_is_a_signature(text: str) -> None:
    for signer, _ in SIGNED:
        with pytest.raises(BadSignature):
            verify_signature(signer.certificate, IMAGE, text)


def test_a_signature_with_another_key(signers: dict[str, Credential]) -> None:
    with pytest.raises(BadSignature, match="does not belong to the file and the certificate"):
        verify_signature(signers["RSA"].certificate, IMAGE, sign(new_key("RSA"), IMAGE))
    with pytest.raises(BadSignature, match="does not belong to the file and the certificate"):
        verify_signature(signers["RSA"].certificate, IMAGE, sign(signers["EC"].key, IMAGE))
    with pytest.raises(BadSignature, match="does not belong to the file and the certificate"):
        verify_signature(signers["EC"].certificate, IMAGE, sign(signers["RSA"].key, IMAGE))


def test_a_kind_of_key_that_signs_no_firmware() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Firmware")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    certificate = builder.serial_number(1).not_valid_before(VALID_FROM).not_valid_after(VALID_UNTIL).sign(key, None)
    assert facts(certificate)["keyType"] == "Ed25519"
    assert facts(certificate)["signatureHash"] == "none"
    with pytest.raises(BadSignature, match="a key of the kind Ed25519 signs no firmware"):
        verify_signature(certificate, IMAGE, base64.b64encode(key.sign(IMAGE)).decode())
