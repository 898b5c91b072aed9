"""Security: the messages of the white paper, with certificates that really are signed."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from ocppj.authority import EXPIRED, NOT_YET, Authority, Credential
from ocppj.certificates import common_name, hash_data, load_chain, load_request, organization, pem
from ocppj.clock import VIRTUAL_START, timestamp
from ocppj.errors import Refused
from ocppj.frames import Payload
from ocppj.peer import Refusal, Silence
from simulator.charge_point import PROFILES, ChargePoint
from simulator.memory import Memory
from simulator.security import LONGEST_SECURITY_LOG, RETRY_INTERVAL
from tests.simulator.scene import QUIET, Scene, conf, scene

SECURE = (*PROFILES, "Security")
KEY = "0123456789abcdefABCDEF0123456789abcdef01"  # 20 bytes
CPO = "Rehearsal Operator"
SERIAL = "SN-0001"

ROOT = Authority.root("Root 1", CPO)
OTHER = Authority.root("Root 2", CPO)
SUBORDINATE = ROOT.subordinate("Issuer", CPO)
MANUFACTURER = Authority.root("Manufacturer", "Rehearsal")
OWN = ROOT.issue("client", common_name=SERIAL, organization=CPO)


def root(authority: Authority) -> str:
    return pem(authority.certificate)


def own(credential: Credential) -> Any:
    return {"key": credential.key_pem, "chain": credential.chain_pem}


def settings(**values: object) -> dict[str, str]:
    return QUIET | {name: str(value) for name, value in values.items()}


def events(stage: Scene) -> list[str]:
    return [seen.payload["type"] for seen in stage.calls("SecurityEventNotification")]


def logged(stage: Scene) -> list[str]:
    return [event["type"] for event in stage.charge_point.memory.security_log]


async def test_without_it_nothing_of_it_is_there() -> None:
    async with scene() as stage:
        told = await stage.ask("GetConfiguration", key=["AuthorizationKey", "SecurityProfile"])
        assert told["unknownKey"] == ["AuthorizationKey", "SecurityProfile"]
        with pytest.raises(Refused, match="NotSupported"):
            await stage.ask("GetInstalledCertificateIds", certificateType="CentralSystemRootCertificate")
        assert stage.charge_point.memory.security_log == []


async def test_it_is_no_feature_profile() -> None:
    async with scene(profiles=SECURE) as stage:
        (told,) = (await stage.ask("GetConfiguration", key=["SupportedFeatureProfiles"]))["configurationKey"]
        assert told["value"] == ",".join(PROFILES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AdditionalRootCertificateCheck", "false"),
        ("CertificateSignedMaxChainSize", "10000"),
        ("CertificateStoreMaxLength", "10"),
    ],
)
async def test_keys_that_are_only_read(name: str, value: str) -> None:
    async with scene(profiles=SECURE) as stage:
        told = await stage.ask("GetConfiguration", key=[name])
        assert told["configurationKey"] == [{"key": name, "readonly": True, "value": value}]
        assert await stage.ask("ChangeConfiguration", key=name, value=value) == {"status": "Rejected"}


@pytest.mark.parametrize(
    ("value", "status"), [(CPO, "Accepted"), ("", "Accepted"), ("x" * 65, "Rejected"), ("a\nb", "Rejected")]
)
async def test_cpo_name(value: str, status: str) -> None:
    async with scene(profiles=SECURE) as stage:
        assert await stage.ask("ChangeConfiguration", key="CpoName", value=value) == {"status": status}
        (told,) = (await stage.ask("GetConfiguration", key=["CpoName"]))["configurationKey"]
        assert told["value"] == (value if status == "Accepted" else "")


# AuthorizationKey


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (KEY, "Accepted"),
        (KEY[:32], "Accepted"),
        ("4F43415F4F4354545F61646D696E5F74657374", "Accepted"),
        (KEY[:30], "Rejected"),
        (KEY[:33], "Rejected"),
        (KEY + "ab", "Rejected"),
        (KEY[:38] + "0x", "Rejected"),
        (" " + KEY[:33], "Rejected"),
        ("", "Rejected"),
    ],
)
async def test_authorization_key(value: str, status: str) -> None:
    async with scene(profiles=SECURE) as stage:
        assert await stage.ask("ChangeConfiguration", key="AuthorizationKey", value=value) == {"status": status}
        expected = bytes.fromhex(value) if status == "Accepted" else None
        assert stage.charge_point.security.authorization_key == expected


async def test_authorization_key_is_told_to_nobody() -> None:
    async with scene(profiles=SECURE) as stage:
        await stage.ask("ChangeConfiguration", key="AuthorizationKey", value=KEY)
        every = await stage.ask("GetConfiguration")
        assert "AuthorizationKey" not in [told["key"] for told in every["configurationKey"]]
        one = await stage.ask("GetConfiguration", key=["authorizationkey"])
        assert one == {"configurationKey": [{"key": "AuthorizationKey", "readonly": False}]}
        memory = stage.charge_point.memory
        assert logged(stage)[-1] == "ReconfigurationOfSecurityParameters"  # A01.FR.11
        assert KEY not in json.dumps([memory.log, memory.security_log])  # A01.FR.12
        assert KEY not in repr(memory)
        assert memory.authorization_key == KEY


@pytest.mark.parametrize(("profile", "reconnects"), [(0, False), (1, True)])
async def test_a_new_authorization_key_is_used_at_once(profile: int, reconnects: bool) -> None:
    memory = Memory(authorization_key=KEY[:32])
    async with scene(profiles=SECURE, memory=memory, configuration=settings(SecurityProfile=profile)) as stage:
        stage.connects.clear()
        assert await stage.ask("ChangeConfiguration", key="AuthorizationKey", value=KEY) == {"status": "Accepted"}
        await stage.pass_time(5)
        assert bool(stage.connects) == reconnects
        assert stage.charge_point.is_online
        assert stage.calls("BootNotification") == []


# SecurityProfile


@pytest.mark.parametrize(
    ("present", "wanted", "has", "status"),
    [
        (0, "1", "key", "Accepted"),
        (0, "1", "", "Rejected"),  # A05.FR.02
        (0, "1", "short key", "Rejected"),
        (1, "2", "key root", "Accepted"),
        (1, "2", "root", "Rejected"),
        (1, "2", "key", "Rejected"),  # A05.FR.03
        (1, "2", "key expired", "Rejected"),
        (2, "3", "root certificate", "Accepted"),
        (0, "3", "root certificate", "Accepted"),
        (2, "3", "certificate", "Rejected"),
        (2, "3", "key root", "Rejected"),  # A05.FR.04
        (2, "3", "root expired-certificate", "Rejected"),
        (2, "2", "key root certificate", "Rejected"),  # A05.FR.01
        (2, "1", "key root certificate", "Rejected"),
        (0, "0", "key root certificate", "Rejected"),
        (0, "4", "key root certificate", "Rejected"),
        (0, "-1", "key root certificate", "Rejected"),
        (0, "one", "key root certificate", "Rejected"),
        (0, "", "key root certificate", "Rejected"),
    ],
)
def test_a_security_profile_can_only_be_raised(present: int, wanted: str, has: str, status: str) -> None:
    memory = Memory(configuration={"SecurityProfile": str(present)})
    if "short key" in has:
        memory.authorization_key = "abcd"
    elif "key" in has:
        memory.authorization_key = KEY
    if "root" in has:
        memory.central_system_roots.append(root(ROOT))
    if has == "key expired":
        memory.central_system_roots.append(root(Authority.root("Old", CPO, validity=EXPIRED)))
    if "expired-certificate" in has:
        old = ROOT.issue("client", common_name=SERIAL, organization=CPO, validity=EXPIRED)
        memory.certificates.append(own(old))
    elif "certificate" in has:
        memory.certificates.append(own(OWN))
    it = ChargePoint(profiles=SECURE, memory=memory)
    assert it.configuration.change("SecurityProfile", wanted) == status
    accepted = status == "Accepted"
    assert it.configuration.value("SecurityProfile") == (wanted if accepted else str(present))
    assert it.security.profile == (int(wanted) if accepted else present)
    assert memory.former_security_profile == (present if accepted else None)
    told = [event["type"] for event in memory.security_log]
    assert told == (["ReconfigurationOfSecurityParameters"] if accepted else [])


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_higher_security_profile_is_used_on_the_next_connection_or_after_the_next_boot(at_once: bool) -> None:
    async with scene(profiles=SECURE, memory=Memory(authorization_key=KEY)) as stage:
        it = stage.charge_point
        it.security.reconnects_by_itself = at_once
        stage.connects.clear()
        assert await stage.ask("ChangeConfiguration", key="SecurityProfile", value="1") == {"status": "Accepted"}
        await stage.pass_time(5)
        assert (bool(stage.connects), it.security.profile) == (at_once, int(at_once))
        await stage.ask("Reset", type="Hard")
        await stage.pass_time(10)
        assert it.security.profile == 1


def test_the_former_security_profile_is_gone_back_to_unless_the_new_one_has_worked() -> None:
    memory = Memory(authorization_key=KEY)
    it = ChargePoint(profiles=SECURE, memory=memory)
    assert it.security.fall_back() is False
    it.configuration.change("SecurityProfile", "1")
    assert it.security.fall_back() is True
    assert (it.security.profile, it.configuration.value("SecurityProfile")) == (0, "0")
    assert it.security.fall_back() is False
    it.configuration.change("SecurityProfile", "1")
    it.security.connected()
    assert it.security.fall_back() is False
    assert it.security.profile == 1


def test_a_connection_with_the_former_profile_proves_nothing_about_the_new_one() -> None:
    memory = Memory(authorization_key=KEY)
    it = ChargePoint(profiles=SECURE, memory=memory)
    it.security.reconnects_by_itself = False
    it.configuration.change("SecurityProfile", "1")
    it.security.connected()
    assert memory.former_security_profile == 0
    assert it.security.fall_back() is False  # nor does it that there is none
    assert it.configuration.value("SecurityProfile") == "1"


# Roots


async def install(stage: Scene, text: str, use: str = "CentralSystemRootCertificate") -> str:
    return str((await stage.ask("InstallCertificate", certificateType=use, certificate=text))["status"])


async def installed(stage: Scene, use: str = "CentralSystemRootCertificate") -> Payload:
    return await stage.ask("GetInstalledCertificateIds", certificateType=use)


@pytest.mark.parametrize("use", ["CentralSystemRootCertificate", "ManufacturerRootCertificate"])
@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
async def test_a_root_is_installed_listed_and_deleted(use: str, algorithm: str) -> None:
    async with scene(profiles=SECURE) as stage:
        stage.charge_point.security.hash_algorithm = algorithm
        assert await installed(stage, use) == {"status": "NotFound"}  # M03.FR.02
        assert await install(stage, root(ROOT), use) == "Accepted"
        assert await install(stage, root(OTHER), use) == "Accepted"
        assert await install(stage, root(OTHER), use) == "Accepted"  # it is there already
        data = [hash_data(each.certificate, each.certificate, algorithm) for each in (ROOT, OTHER)]
        assert await installed(stage, use) == {"status": "Accepted", "certificateHashData": data}  # M03.FR.04
        shouted = {name: text.upper() for name, text in data[0].items()}
        assert await stage.ask("DeleteCertificate", certificateHashData=shouted) == {"status": "Accepted"}
        assert await installed(stage, use) == {"status": "Accepted", "certificateHashData": data[1:]}
        assert await stage.ask("DeleteCertificate", certificateHashData=data[0]) == {"status": "NotFound"}
        assert logged(stage).count("ReconfigurationOfSecurityParameters") == 4


async def test_a_root_is_found_by_any_algorithm() -> None:
    async with scene(profiles=SECURE, memory=Memory(central_system_roots=[root(ROOT)])) as stage:
        data = hash_data(ROOT.certificate, ROOT.certificate, "SHA512")
        wrong = data | {"serialNumber": "0"}
        assert await stage.ask("DeleteCertificate", certificateHashData=wrong) == {"status": "NotFound"}
        assert await stage.ask("DeleteCertificate", certificateHashData=data) == {"status": "Accepted"}


async def test_a_root_is_listed_by_its_use() -> None:
    async with scene(profiles=SECURE) as stage:
        await install(stage, root(ROOT))
        assert await installed(stage, "ManufacturerRootCertificate") == {"status": "NotFound"}


async def test_a_root_outlives_power() -> None:
    async with scene(profiles=SECURE) as stage:
        await install(stage, root(ROOT))
        memory = stage.charge_point.memory
        assert Memory.from_dict(json.loads(json.dumps(memory.as_dict()))) == memory
        assert stage.charge_point.security.roots == [ROOT.certificate]


async def test_the_root_in_use_is_not_deleted() -> None:
    memory = Memory(central_system_roots=[root(ROOT), root(OTHER)])
    async with scene(profiles=SECURE, memory=memory) as stage:
        stage.charge_point.security.connected(ROOT.certificate)
        for authority, status in ((ROOT, "Failed"), (OTHER, "Accepted")):  # M04.FR.06
            data = hash_data(authority.certificate, authority.certificate)
            assert await stage.ask("DeleteCertificate", certificateHashData=data) == {"status": status}
        assert stage.charge_point.security.roots == [ROOT.certificate]


async def test_the_certificate_of_the_charge_point_is_not_deleted() -> None:
    through = SUBORDINATE.issue("client", common_name=SERIAL, organization=CPO)
    memory = Memory(central_system_roots=[root(ROOT)], certificates=[own(OWN), own(through)])
    async with scene(profiles=SECURE, memory=memory) as stage:
        for credential, issuer in ((OWN, ROOT), (through, SUBORDINATE)):  # M04.FR.05
            data = hash_data(credential.certificate, issuer.certificate)
            assert await stage.ask("DeleteCertificate", certificateHashData=data) == {"status": "Failed"}
        assert len(memory.certificates) == 2


BAD_ROOTS: dict[str, Callable[[], str]] = {
    "no PEM": lambda: "nonsense",
    "nothing": lambda: "",
    "two": lambda: root(ROOT) + root(OTHER),
    "expired": lambda: root(Authority.root("Old", CPO, validity=EXPIRED)),
    "not yet valid": lambda: root(Authority.root("New", CPO, validity=NOT_YET)),
    "no authority": lambda: pem(OWN.certificate),
    "no root": lambda: root(SUBORDINATE),
    "signed by another": lambda: root(Authority.root("Root 3", CPO, signed_by=ROOT)),
    "small key": lambda: root(Authority.root("Weak", CPO, bits=192)),
    "no organization": lambda: root(Authority.root("Nobody", "")),
}


@pytest.mark.parametrize("bad", BAD_ROOTS)
async def test_a_bad_root_is_rejected_and_told(bad: str) -> None:
    async with scene(profiles=SECURE) as stage:
        assert await install(stage, BAD_ROOTS[bad]()) == "Rejected"  # M05.FR.06
        assert stage.story() == ["InstallCertificate.conf Rejected", "SecurityEventNotification"]
        assert logged(stage)[-1] == "InvalidCentralSystemCertificate"
        assert stage.charge_point.memory.central_system_roots == []
        assert await install(stage, BAD_ROOTS[bad](), "ManufacturerRootCertificate") == "Rejected"
        assert stage.story() == ["InstallCertificate.conf Rejected"]
        assert stage.charge_point.memory.manufacturer_roots == []


async def test_who_rejects_every_root() -> None:
    async with scene(profiles=SECURE) as stage:
        stage.charge_point.security.rejects_certificates = True
        assert await install(stage, root(ROOT)) == "Rejected"
        assert events(stage) == ["InvalidCentralSystemCertificate"]


async def test_a_full_store() -> None:
    memory = Memory(manufacturer_roots=[root(MANUFACTURER)])
    async with scene(profiles=SECURE, memory=memory, configuration=settings(CertificateStoreMaxLength=2)) as stage:
        assert await install(stage, root(ROOT)) == "Accepted"
        assert await install(stage, root(OTHER)) == "Rejected"  # M05.FR.03
        assert events(stage) == []
        assert stage.charge_point.security.roots == [ROOT.certificate]


async def test_a_root_is_replaced_by_one_that_it_has_signed() -> None:
    new = Authority.root("Root 2", CPO, signed_by=ROOT)
    async with scene(profiles=SECURE, configuration=settings(AdditionalRootCertificateCheck="true")) as stage:
        security = stage.charge_point.security
        assert await install(stage, root(ROOT)) == "Accepted"
        assert await install(stage, root(ROOT)) == "Accepted"
        assert security.fallback_root is None
        strangers = (OTHER.certificate, Authority.root("Root 2", CPO, signed_by=OTHER).certificate, OWN.certificate)
        for stranger in strangers:
            assert await install(stage, pem(stranger)) == "Rejected"  # M05.FR.10
        assert security.roots == [ROOT.certificate]
        assert stage.charge_point.memory.fallback_root is None
        assert await install(stage, root(new)) == "Accepted"  # M05.FR.09, M05.FR.11
        assert security.roots == [new.certificate]
        assert stage.charge_point.security.fallback_root == ROOT.certificate
        data = [hash_data(each.certificate, ROOT.certificate) for each in (new, ROOT)]
        assert await installed(stage) == {"status": "Accepted", "certificateHashData": data}
        security.connected(ROOT.certificate)
        assert security.fallback_root == ROOT.certificate
        security.connected(new.certificate)  # M05.FR.12
        assert security.fallback_root is None
        assert await installed(stage) == {"status": "Accepted", "certificateHashData": data[:1]}  # 6.1


# The certificate of the Charge Point


async def csr(stage: Scene, **answer: Any) -> str:
    """What the Charge Point sends when it is asked for a SignCertificate.req."""
    stage.central_system.script.answer_next("SignCertificate", conf(**(answer or {"status": "Accepted"})))
    asked = await stage.ask("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate")
    assert asked == {"status": "Accepted"}
    return str(stage.calls("SignCertificate")[-1].payload["csr"])


def signed(request: str, by: Authority = ROOT, **options: Any) -> str:
    return pem(*by.sign_request(load_request(request), **options))


def with_roots() -> Memory:
    return Memory(central_system_roots=[root(ROOT)], certificates=[own(OWN)])


async def test_a_certificate_is_asked_for() -> None:
    async with scene(profiles=SECURE, memory=with_roots(), configuration=settings(CpoName=CPO)) as stage:
        first, second = load_request(await csr(stage)), load_request(await csr(stage))
        assert (common_name(first), organization(first)) == (SERIAL, CPO)  # A02.FR.13, A00.FR.511
        assert first.public_key() != second.public_key()  # A02.FR.02
        assert "PRIVATE KEY" not in json.dumps([seen.payload for seen in stage.seen])  # A02.FR.05
        assert "PRIVATE KEY" not in repr(stage.charge_point.memory)


@pytest.mark.parametrize("kind", ["EC", "RSA"])
@pytest.mark.parametrize("by", [ROOT, SUBORDINATE])
async def test_a_signed_certificate_is_taken(kind: Any, by: Authority) -> None:
    async with scene(profiles=SECURE, memory=with_roots(), configuration=settings(CpoName=CPO)) as stage:
        security, memory = stage.charge_point.security, stage.charge_point.memory
        security.key_kind = kind
        chain = signed(await csr(stage), by)
        assert await stage.ask("CertificateSigned", certificateChain=chain) == {"status": "Accepted"}
        assert security.credential is not None
        assert security.credential.chain_pem == chain
        assert security.credential.key.public_key() == security.credential.certificate.public_key()
        assert len(memory.certificates) == 2  # A02.FR.10
        assert logged(stage)[-1] == "ReconfigurationOfSecurityParameters"
        assert events(stage) == []
        # It was signed once.
        assert await stage.ask("CertificateSigned", certificateChain=chain) == {"status": "Rejected"}


BAD_CHAINS: dict[str, Callable[[str], str]] = {
    "no PEM": lambda _: "nonsense",
    "nothing": lambda _: "",
    "another key": lambda _: OWN.chain_pem,
    "nobody trusts": lambda request: signed(request, OTHER),
    "the way is missing": lambda request: first(signed(request, SUBORDINATE)),
    "expired": lambda request: signed(request, validity=EXPIRED),
    "expired lately": lambda request: signed(request, validity=valid(begins=-20, days=10)),
    "too long": lambda request: signed(request) + root(ROOT) * 20,
    "another serial number": lambda request: renamed(request, "SN-0002", CPO),
    "another operator": lambda request: renamed(request, SERIAL, "Somebody"),
}


def first(chain: str) -> str:
    return pem(load_chain(chain)[0])


def renamed(request: str, name: str, organization_name: str) -> str:
    subject = ROOT.issue("client", common_name=name, organization=organization_name).certificate.subject
    key: Any = load_request(request).public_key()
    return pem(ROOT.certify(key, "client", subject))


@pytest.mark.parametrize("bad", BAD_CHAINS)
async def test_a_bad_certificate_is_discarded_and_told(bad: str) -> None:
    async with scene(profiles=SECURE, memory=with_roots(), configuration=settings(CpoName=CPO)) as stage:
        request = await csr(stage)
        stage.seen.clear()
        chain = BAD_CHAINS[bad](request)
        if len(chain) > 10_000:
            stage.charge_point.memory.configuration["CertificateSignedMaxChainSize"] = "5000"
            chain = chain[:10_000].rpartition("-----BEGIN")[0]
        assert await stage.ask("CertificateSigned", certificateChain=chain) == {"status": "Rejected"}  # A02.FR.06
        assert stage.story() == ["CertificateSigned.conf Rejected", "SecurityEventNotification"]  # A02.FR.07
        assert logged(stage)[-1] == "InvalidChargePointCertificate"
        assert len(stage.charge_point.memory.certificates) == 1
        # The right one may still come.
        assert await stage.ask("CertificateSigned", certificateChain=signed(request)) == {"status": "Accepted"}


async def test_who_rejects_every_signed_certificate() -> None:
    async with scene(profiles=SECURE, memory=with_roots(), configuration=settings(CpoName=CPO)) as stage:
        stage.charge_point.security.rejects_signed_certificate = True
        chain = signed(await csr(stage))
        assert await stage.ask("CertificateSigned", certificateChain=chain) == {"status": "Rejected"}
        assert events(stage) == ["InvalidChargePointCertificate"]


async def test_a_certificate_that_nobody_asked_for() -> None:
    async with scene(profiles=SECURE, memory=with_roots()) as stage:
        assert await stage.ask("CertificateSigned", certificateChain=OWN.chain_pem) == {"status": "Rejected"}
        assert events(stage) == ["InvalidChargePointCertificate"]


async def test_without_a_cpo_name_none_is_asked_for() -> None:
    async with scene(profiles=SECURE, memory=with_roots()) as stage:
        conf = await stage.ask("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate")
        assert conf == {"status": "Rejected"}
        assert stage.calls("SignCertificate") == []


@pytest.mark.parametrize(("answer", "kept"), [({"status": "Rejected"}, False), ({"status": "Accepted"}, True)])
async def test_a_request_that_was_rejected_is_forgotten(answer: Payload, kept: bool) -> None:
    async with scene(profiles=SECURE, memory=with_roots(), configuration=settings(CpoName=CPO)) as stage:
        chain = signed(await csr(stage, **answer))
        conf = await stage.ask("CertificateSigned", certificateChain=chain)
        assert conf == {"status": "Accepted" if kept else "Rejected"}


async def test_a_request_that_was_refused_is_forgotten() -> None:
    async with scene(profiles=SECURE, memory=with_roots(), configuration=settings(CpoName=CPO)) as stage:
        stage.central_system.script.answer_next("SignCertificate", Refusal("NotSupported"))
        await stage.ask("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate")
        assert stage.charge_point.memory.signing_request is None


async def test_a_serial_number_must_not_look_like_an_address() -> None:
    options: Any = {"memory": with_roots(), "configuration": settings(CpoName=CPO), "serial_number": "10.0.0.1"}
    async with scene(profiles=SECURE, **options) as stage:
        chain = signed(await csr(stage))
        assert await stage.ask("CertificateSigned", certificateChain=chain) == {"status": "Rejected"}  # A00.FR.511


def valid(*, begins: float, days: float = 365) -> tuple[datetime, datetime]:
    """A validity that begins so many days after the start of the calendar."""
    begin = (VIRTUAL_START + timedelta(days=begins)).replace(microsecond=0)
    return begin, begin + timedelta(days=days)


async def test_a_certificate_is_used_when_it_becomes_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(profiles=SECURE, memory=with_roots(), configuration=settings(CpoName=CPO)) as stage:
        security = stage.charge_point.security
        reconnected: list[datetime] = []
        monkeypatch.setattr(stage.charge_point, "reconnect", lambda: reconnected.append(stage.charge_point.now()))
        security.profile = 3
        begin, end = valid(begins=2)
        chain = signed(await csr(stage), validity=(begin, end))
        assert await stage.ask("CertificateSigned", certificateChain=chain) == {"status": "Accepted"}
        await stage.pass_time(86_400)
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        await stage.pass_time(10)
        security.profile = 3
        assert reconnected == []
        assert security.credential is not None
        assert security.credential.certificate == OWN.certificate
        await stage.pass_time(86_400)
        assert len(reconnected) == 1  # A02.FR.08
        assert begin <= reconnected[0] < begin + timedelta(seconds=1)
        assert security.credential.chain_pem == chain


@pytest.mark.parametrize(("profile", "reconnects"), [(0, False), (3, True)])
async def test_a_new_certificate_is_used_at_once(
    profile: int, reconnects: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(profiles=SECURE, memory=with_roots(), configuration=settings(CpoName=CPO)) as stage:
        called: list[str] = []
        monkeypatch.setattr(stage.charge_point, "reconnect", lambda: called.append("reconnect"))
        stage.charge_point.security.profile = profile
        await stage.ask("CertificateSigned", certificateChain=signed(await csr(stage)))
        assert called == ["reconnect"] * reconnects


async def test_the_newest_valid_certificate_is_used() -> None:
    def issued(begins: float) -> Credential:
        return ROOT.issue("client", common_name=SERIAL, organization=CPO, validity=valid(begins=begins, days=100))

    older, newer, late, over = issued(-10), issued(-5), issued(5), issued(-200)
    memory = Memory(certificates=[own(each) for each in (late, newer, older, over)])
    async with scene(profiles=SECURE, memory=memory) as stage:
        security = stage.charge_point.security
        assert security.credential is not None
        assert security.credential.certificate == newer.certificate  # A02.FR.09
        await stage.pass_time(6 * 86_400)
        assert security.credential.certificate == late.certificate
        memory.certificates.clear()
        assert security.credential is None


@pytest.mark.parametrize(("days", "cpo", "asks"), [(29, CPO, True), (31, CPO, False), (29, "", False)])
async def test_a_certificate_that_expires_within_a_month_is_renewed(days: int, cpo: str, asks: bool) -> None:
    soon = ROOT.issue("client", common_name=SERIAL, organization=CPO, validity=valid(begins=-300, days=300 + days))
    memory = Memory(central_system_roots=[root(ROOT)], certificates=[own(soon)])
    async with scene(profiles=SECURE, memory=memory, configuration=settings(CpoName=cpo), boots=False) as stage:
        stage.central_system.script.answer_next("SignCertificate", conf(status="Accepted"))
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time(1)
        requests = [seen.payload["csr"] for seen in stage.calls("SignCertificate")]
        assert len(requests) == asks  # A03.FR.02
        if asks:
            assert stage.seen[0].action == "BootNotification"
            chain = signed(requests[0], validity=valid(begins=-1))
            assert await stage.ask("CertificateSigned", certificateChain=chain) == {"status": "Accepted"}
            assert stage.charge_point.security.credential is not None
            assert stage.charge_point.security.credential.certificate != soon.certificate


# Triggers


TRIGGERED = {
    ("BootNotification", None): ["Rejected"],  # errata 3.35
    ("FirmwareStatusNotification", None): ["Accepted", "SignedFirmwareStatusNotification Idle"],
    ("Heartbeat", None): ["Accepted", "Heartbeat"],
    ("LogStatusNotification", None): ["Accepted", "LogStatusNotification Idle"],
    ("MeterValues", 1): ["Accepted", "MeterValues"],
    ("MeterValues", 3): ["Rejected"],
    ("SignChargePointCertificate", None): ["Accepted", "SignCertificate"],
    ("SignChargePointCertificate", 7): ["Accepted", "SignCertificate"],
    ("StatusNotification", 1): ["Accepted", "StatusNotification 1 Available"],
}


@pytest.mark.parametrize(("message", "connector"), TRIGGERED)
async def test_trigger(message: str, connector: int | None) -> None:
    async with scene(profiles=SECURE, configuration=settings(CpoName=CPO)) as stage:
        named = {} if connector is None else {"connectorId": connector}
        answer = await stage.ask("ExtendedTriggerMessage", requestedMessage=message, **named)
        assert [answer["status"], *stage.story()[1:]] == TRIGGERED[message, connector]


async def test_without_firmware_management_there_is_no_status_of_firmware() -> None:
    async with scene(profiles=("Core", "Security")) as stage:
        answer = await stage.ask("ExtendedTriggerMessage", requestedMessage="FirmwareStatusNotification")
        assert answer == {"status": "NotImplemented"}
        answer = await stage.ask("ExtendedTriggerMessage", requestedMessage="LogStatusNotification")
        assert answer == {"status": "Accepted"}


async def test_credentials_are_updated_while_pending() -> None:
    async with scene(profiles=SECURE, memory=with_roots(), configuration=settings(CpoName=CPO), boots=False) as stage:
        pending = conf(status="Pending", currentTime=timestamp(), interval=100)
        stage.central_system.script.answer_next("BootNotification", pending)
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time(1)
        chain = signed(await csr(stage))  # A00.FR.806
        assert await stage.ask("CertificateSigned", certificateChain=chain) == {"status": "Accepted"}
        assert events(stage) == []  # 4.2
        await stage.pass_time(200)
        assert events(stage) == ["StartupOfTheDevice"]


# Events


async def test_a_boot_is_told_behind_the_boot_notification() -> None:
    async with scene(profiles=SECURE, boots=False) as stage:
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time(1)
        assert [seen.action for seen in stage.seen][:3] == [
            "BootNotification",
            "SecurityEventNotification",
            "StatusNotification",
        ]
        assert events(stage) == ["StartupOfTheDevice"]
        for kind, reason in (("Soft", "Reboot"), ("Hard", "HardReset")):
            stage.seen.clear()
            await stage.ask("Reset", type=kind)
            await stage.pass_time(10)
            assert events(stage) == ["StartupOfTheDevice", "ResetOrReboot"]
            assert stage.charge_point.memory.security_log[-1]["techInfo"] == reason
        stage.seen.clear()
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        await stage.pass_time(10)
        assert events(stage) == ["StartupOfTheDevice"]


async def test_events_wait_for_the_connection_and_outlive_power() -> None:
    async with scene(profiles=SECURE) as stage:
        it = stage.charge_point
        await it.lose_connection()
        then = it.timestamp()
        it.security.happened("TamperDetectionActivated", "lid")
        it.security.happened("InvalidMessages")
        it.security.happened("MemoryExhaustion")
        await stage.pass_time(10)
        await it.lose_power()
        assert Memory.from_dict(json.loads(json.dumps(it.memory.as_dict()))) == it.memory
        await it.restore_connection()
        await it.regain_power()
        await stage.pass_time(10)
        assert events(stage) == ["TamperDetectionActivated", "MemoryExhaustion", "StartupOfTheDevice"]  # A04.FR.02
        first = stage.calls("SecurityEventNotification")[0].payload
        assert (first["timestamp"], first["techInfo"]) == (then, "lid")
        assert it.memory.security_events == []
        assert logged(stage)[1:4] == ["TamperDetectionActivated", "InvalidMessages", "MemoryExhaustion"]  # A04.FR.04


async def test_an_event_that_is_not_confirmed_is_told_again() -> None:
    async with scene(profiles=SECURE) as stage:
        stage.central_system.script.answer_next("SecurityEventNotification", Silence())
        stage.charge_point.security.happened("MemoryExhaustion")
        stage.charge_point.security.happened("TamperDetectionActivated")
        await stage.pass_time(40)
        assert events(stage) == ["MemoryExhaustion"]
        await stage.charge_point.plug_in(1)
        await stage.pass_time(1)
        assert stage.calls("StatusNotification") != []  # it does not hold up the rest
        await stage.pass_time(RETRY_INTERVAL)
        assert events(stage) == ["MemoryExhaustion", "MemoryExhaustion", "TamperDetectionActivated"]


async def test_an_event_that_is_refused_is_not_told_again() -> None:
    async with scene(profiles=SECURE) as stage:
        stage.central_system.script.answer_next("SecurityEventNotification", Refusal("NotSupported"))
        stage.charge_point.security.happened("MemoryExhaustion")
        stage.charge_point.security.happened("TamperDetectionActivated")
        await stage.pass_time(1000)
        assert events(stage) == ["MemoryExhaustion", "TamperDetectionActivated"]


async def test_the_security_log_forgets_the_oldest() -> None:
    it = ChargePoint(profiles=SECURE)
    for number in range(LONGEST_SECURITY_LOG + 5):
        it.security.happened("InvalidMessages", f"{number} " + "x" * 300)
    assert len(it.memory.security_log) == LONGEST_SECURITY_LOG
    assert it.memory.security_log[0]["techInfo"].startswith("5 ")
    assert {len(event["techInfo"]) for event in it.memory.security_log} == {255}  # 5.15


@pytest.mark.parametrize(("seconds", "told"), [(3, []), (3600, ["SettingSystemTime"])])
async def test_a_clock_that_is_set_is_told(seconds: int, told: list[str]) -> None:
    async with scene(profiles=SECURE) as stage:
        time = timestamp(VIRTUAL_START + timedelta(seconds=seconds))
        stage.central_system.script.answer_next("Heartbeat", conf(currentTime=time))
        stage.charge_point.beat()
        await stage.pass_time()
        assert events(stage) == told
