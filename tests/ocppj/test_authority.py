"""Authorities: what they make is what the security white paper wants, and OpenSSL reads it."""

import shutil
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from ocppj.authority import EXPIRED, NOT_YET, Authority, Kind, Usage, key_pem, new_key, sign, signing_request
from ocppj.certificates import (
    Certificate,
    Key,
    charge_point_faults,
    facts,
    faults,
    is_root,
    key_fingerprint,
    load_chain,
    load_key,
    load_request,
    pem,
    server_faults,
    verify_path,
)
from tests.interop.rehearsals import require

AT = datetime(2031, 5, 13, tzinfo=UTC)
OWNER = "Example CPO"


@pytest.fixture(scope="module", params=["EC", "RSA"])
def authority(request: pytest.FixtureRequest) -> Authority:
    root = Authority.root("Root", OWNER, kind=request.param)
    return root.subordinate("Sub", OWNER, kind=request.param)


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority.root("Root", OWNER)


def usage_of(certificate: Certificate) -> x509.KeyUsage:
    return certificate.extensions.get_extension_for_class(x509.KeyUsage).value


# --- keys


def test_keys_are_as_large_as_they_must_be_unless_smaller_ones_are_asked_for() -> None:
    def size(key: Key) -> int:
        return key.key_size

    assert size(new_key()) == 256
    assert size(new_key("RSA")) == 2048
    assert size(new_key("RSA", 1024)) == 1024
    assert [size(new_key("EC", bits)) for bits in (192, 224, 384)] == [192, 224, 384]


def test_no_two_keys_are_equal() -> None:
    assert key_fingerprint(new_key().public_key()) != key_fingerprint(new_key().public_key())


def test_a_key_is_secret(root: Authority, tmp_path: Path) -> None:
    credential = root.issue("client", common_name="SN-1", organization=OWNER)
    assert "PRIVATE" not in repr(credential)
    assert "key" not in repr(credential)
    (tmp_path / "CP-1.key").write_text("an older one that everyone may read")
    (tmp_path / "CP-1.key").chmod(0o644)
    chain, key = credential.save(tmp_path / "deeper" / "still", "CP-1")
    assert (chain.name, key.name) == ("CP-1.pem", "CP-1.key")
    for directory in (tmp_path, tmp_path / "deeper" / "still"):
        chain, key = credential.save(directory, "CP-1")
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert load_chain(chain.read_text()) == list(credential.chain)
        assert load_key(key.read_text()).private_numbers() == credential.key.private_numbers()


# --- certificates


def test_every_certificate_has_its_properties(authority: Authority) -> None:
    client = authority.issue("client", common_name="SN-1", organization=OWNER)
    server = authority.issue("server", common_name="csms.example", organization=OWNER)
    assert charge_point_faults(client.certificate, AT) == []
    assert server_faults(server.certificate, "csms.example") == []
    assert faults(authority.certificate, AT) == []
    numbers = {each.certificate.serial_number for each in (client, server, authority)}
    assert len(numbers) == 3  # A00.FR.508; RFC 5280, 4.1.2.2: unique for each


def test_what_an_authority_signs_with(authority: Authority) -> None:
    certificate = authority.issue("client", common_name="SN-1", organization=OWNER).certificate
    assert facts(certificate)["signatureHash"] == "SHA256"  # A00.FR.506
    scheme = certificate.signature_algorithm_parameters  # A00.FR.505
    assert isinstance(scheme, padding.PSS if isinstance(authority.key, rsa.RSAPrivateKey) else ec.ECDSA)


@pytest.mark.parametrize(
    ("usage", "extended"),
    [
        ("server", ExtendedKeyUsageOID.SERVER_AUTH),
        ("client", ExtendedKeyUsageOID.CLIENT_AUTH),
        ("firmware", ExtendedKeyUsageOID.CODE_SIGNING),
    ],
)
def test_a_key_is_for_what_it_is_used_for(root: Authority, usage: Usage, extended: x509.ObjectIdentifier) -> None:
    certificate = root.issue(usage, common_name="SN-1", organization=OWNER).certificate
    assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [extended]
    assert usage_of(certificate).digital_signature
    assert not usage_of(certificate).key_cert_sign
    assert not usage_of(certificate).key_encipherment
    assert usage_of(root.certificate).key_cert_sign
    assert not usage_of(root.certificate).digital_signature


def test_an_rsa_server_may_be_sent_a_key(root: Authority) -> None:
    server = root.issue("server", common_name="csms.example", organization=OWNER, kind="RSA")
    client = root.issue("client", common_name="SN-1", organization=OWNER, kind="RSA")
    assert usage_of(server.certificate).key_encipherment  # TLS_RSA_WITH_..., RFC 5246 7.4.2
    assert not usage_of(client.certificate).key_encipherment


def test_a_chain_leads_to_its_root_without_it(root: Authority) -> None:
    sub = root.subordinate("Sub", OWNER)
    credential = sub.issue("client", common_name="SN-1", organization=OWNER)
    assert credential.chain == (credential.certificate, sub.certificate)
    verify_path(credential.chain, [root.certificate], AT)
    assert root.issue("client", common_name="SN-1", organization=OWNER).chain[1:] == ()
    assert is_root(root.certificate)
    assert not is_root(sub.certificate)


@pytest.mark.parametrize("kind", ["EC", "RSA"])
@pytest.mark.parametrize("usage", ["client", "server"])
def test_openssl_lets_it_do_its_work_alone(root: Authority, usage: Usage, kind: Kind, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    require(openssl is not None, "there is no openssl to ask")
    assert openssl is not None
    credential = root.subordinate("Sub", OWNER).issue(usage, common_name="SN-1", organization=OWNER, kind=kind)
    chain, _ = credential.save(tmp_path, "chain")
    (tmp_path / "root.pem").write_text(pem(root.certificate))
    trust = ("-CAfile", tmp_path / "root.pem", "-untrusted", chain)
    for purpose in ("sslclient", "sslserver"):
        strict = ("-x509_strict", "-purpose", purpose, "-auth_level", "2")
        command: list[str | Path] = [openssl, "verify", *strict, *trust, chain]
        answer = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 ours
        assert (answer.returncode == 0) is (purpose == f"ssl{usage}"), answer.stderr


def test_the_names_of_a_server(root: Authority) -> None:
    def names(common_name: str, *more: str, usage: Usage = "server") -> tuple[list[str], list[str]]:
        issued = root.issue(usage, common_name=common_name, organization=OWNER, dns_names=more)
        told = facts(issued.certificate)
        return told["dnsNames"], told["ipAddresses"]

    assert names("csms.example") == ([], [])  # the note on A00.FR.511
    assert names("csms.example", "vpn.example", "10.0.0.1") == (["vpn.example"], ["10.0.0.1"])
    assert names("127.0.0.1") == ([], ["127.0.0.1"])
    assert names("::1") == ([], ["::1"])
    assert names("10.0.0.1", usage="client") == ([], [])


def test_invalid_ones_are_invalid_today_and_in_the_rehearsal(root: Authority) -> None:
    for at in (AT, datetime.now(UTC)):
        for validity, words in ((EXPIRED, "it expired"), (NOT_YET, "it is not valid before")):
            invalid = root.issue("client", common_name="SN-1", organization=OWNER, validity=validity)
            assert words in charge_point_faults(invalid.certificate, at)[0]
        assert faults(root.certificate, at) == []


# --- requests


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_a_request_becomes_a_certificate(authority: Authority, kind: Kind) -> None:
    key = new_key(kind)
    text = signing_request(key, common_name="SN-1", organization=OWNER)
    request = load_request(text)
    assert text.startswith("-----BEGIN CERTIFICATE REQUEST-----\n")
    chain = authority.sign_request(request)
    assert chain[1:] == authority.chain
    assert charge_point_faults(chain[0], AT) == []
    assert facts(chain[0])["subject"] == {"commonName": "SN-1", "organizationName": OWNER}
    assert key_fingerprint(chain[0].public_key()) == key_fingerprint(key.public_key())
    assert "it expired" in charge_point_faults(authority.sign_request(request, validity=EXPIRED)[0], AT)[0]


def test_what_a_request_asks_for_beyond_a_name_is_not_granted(root: Authority) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "SN-1")])
    builder = x509.CertificateSigningRequestBuilder(name).add_extension(x509.BasicConstraints(True, None), True)
    request = builder.sign(new_key(), hashes.SHA256())
    certificate = root.sign_request(request)[0]
    assert not facts(certificate)["isAuthority"]
    assert not usage_of(certificate).key_cert_sign


def test_a_signature_is_base64_without_line_breaks(root: Authority) -> None:
    for key in (new_key(), new_key("RSA")):
        assert len(sign(key, b"image").split()) == 1
        assert key_pem(key).startswith("-----BEGIN PRIVATE KEY-----\n")
