"""Sentences about the security white paper: who connects how, certificates, the security log and events.

What was shown when a connection was made is judged from the facts of the transcript: no password and no key is in it.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from bench.bench import Bench
from bench.connections import Opening, latest_connection, openings
from bench.files import Images
from bench.messages import Message, messages
from bench.seats import ReferenceCentralSystem, SimulatedChargePoint
from bench.verdicts import Difference, Inconclusive, OurError
from ocppj.certificates import (
    LEAST_EC_BITS,
    LEAST_RSA_BITS,
    BadCertificate,
    BadSignature,
    Certificate,
    charge_point_faults,
    common_name,
    faults,
    hash_data,
    is_authority,
    is_root,
    is_signed_by,
    key_fingerprint,
    key_size,
    load,
    load_chain,
    load_request,
    organization,
    pem,
    same_hash_data,
    server_faults,
    verify_path,
    verify_signature,
)
from ocppj.connection import NO_ANSWER
from ocppj.frames import Payload
from ocppj.tls import ECDSA_SUITES, REQUIRED_SUITES, RSA_SUITES
from ocppj.transcript import BENCH, Party
from steps.configuration import read_key, simulated
from steps.messages import bench_seconds, bench_text, claim_conf, claim_request, make_send
from steps.states import claim_every_connector
from steps.words import given, then, when

TLS_ALLOWED = ("TLSv1.2", "TLSv1.3")  # A00.FR.312, A00.FR.416
# Of a Central System, by security profile: about the version, the cipher suites, the compression.
TLS_CLAUSES = {
    2: ("A00.FR.312", "A00.FR.317", "A00.FR.320"),
    3: ("A00.FR.416", "A00.FR.421", "A00.FR.424"),
}
SECURITY_EVENTS = frozenset(
    {
        *("FirmwareUpdated", "FailedToAuthenticationAtCentralSystem", "CentralSystemFailedToAuthentication"),
        *("SettingSystemTime", "StartupOfTheDevice", "ResetOrReboot", "SecurityLogWasCleared"),
        *("ReconfigurationOfSecurityParameters", "MemoryExhaustion", "InvalidMessages", "AttemptedReplayAttacks"),
        *("TamperDetectionActivated", "InvalidFirmwareSignature", "InvalidFirmwareSigningCertificate"),
        *("InvalidCentralSystemCertificate", "InvalidChargePointCertificate", "InvalidTLSVersion"),
        "InvalidTLSCipherSuite",
    }
)  # chapter 8
HOST = re.compile(r"[0-9A-Za-z.:-]*")  # a name or an address; that there is one is judged for itself
LEAST_KEY, LONGEST_KEY = 16, 20  # bytes of an AuthorizationKey (A00.FR.205)


# How a connection is made


@then("the Charge Point connects again")
async def connects_again(bench: Bench) -> None:
    """After what was sent last, in the time of a long operation."""
    await _connection(bench, lambda _: None, "")


@then("the Charge Point connects again with its new AuthorizationKey")
async def connects_with_new_key(bench: Bench) -> None:
    """And the Central System admits it."""

    def fault(opening: Opening) -> str | None:
        key = opening.auth.get("key")
        return None if key in ("current", "proposed") else f"it shows {_shown_key(opening)}"

    await _connection(bench, fault, "white paper A01")


@then("the Charge Point connects again with its new certificate")
async def connects_with_new_certificate(bench: Bench) -> None:
    """The one for the key of the latest SignCertificate.req (A02.FR.08)."""
    wanted = key_fingerprint(_request_of(bench).public_key())

    def fault(opening: Opening) -> str | None:
        shown = opening.auth.get("certificate") or opening.tls.get("certificate") or {}
        if not shown:
            return "it shows no certificate"
        return None if shown.get("publicKeySha256") == wanted else "it shows its former certificate"

    await _connection(bench, fault, "white paper A02.FR.08")


@then("the Charge Point connects again with security profile {n:N}")
async def connects_with_profile(bench: Bench, n: str) -> None:
    await _connects_with_profile(bench, int(bench_text(bench, n)))


async def _connects_with_profile(bench: Bench, profile: int, *, within: float | None = None) -> None:
    def fault(opening: Opening) -> str | None:
        return None if opening.security_profile == profile else f"its security profile is {opening.security_profile}"

    await _connection(bench, fault, "white paper A05.FR.07", within=within)


async def _connection(
    bench: Bench, fault: Callable[[Opening], str | None], clause: str, *, within: float | None = None
) -> Opening:
    """Wait for a connection that has no fault. Ends the case if none comes, or if our own is refused."""
    since, tried = bench.wire.floor, 0

    def look() -> Opening | None:
        nonlocal tried
        for opening in [*openings(bench.wire.records, since)][tried:]:
            tried += 1
            if opening.is_granted and fault(opening) is None:
                return opening
            if not opening.is_granted and bench.judged == "Central System":
                text = f"the Central System refuses the connection: {opening}"
                raise bench.blame("Central System", f"{text}{_by(clause)}", frame=opening.index)
        return None

    limit = bench.long_timeout if within is None else within
    found = await bench.wire.until(look, bench.loop.time() + limit)
    if found is not None:
        return found
    text, frame = f"the Charge Point did not connect again in {limit:g} s", None
    for opening in openings(bench.wire.records, since):
        text = f"the Charge Point connects again, but {(opening.is_granted and fault(opening)) or opening}"
        frame = opening.index
    missing = "connection" if frame is None else ""
    raise bench.blame("Charge Point", f"{text}{_by(clause)}", frame=frame, missing=missing)


def _by(clause: str) -> str:
    return f" ({clause})" if clause else ""


def _shown_key(opening: Opening) -> str:
    if opening.auth.get("scheme") != "Basic":
        return "no password"
    return {"former": "its former AuthorizationKey"}.get(str(opening.auth.get("key")), "another password")


# The official tool in the role of the Charge Point: attempts that are not those of an ordinary one


@given("the Charge Point is disconnected")
async def disconnected(bench: Bench) -> None:
    """Its own attempts begin again when it connects anew."""
    await bench.cut_connection(bench.sentence)


@when("the Charge Point connects anew")
async def connects_anew(bench: Bench) -> None:
    """It boots, and has its network back."""
    bench.wire.raise_floor()
    await bench.do("Charge Point", "restart", {}, bench.sentence)
    await bench.restore_network(bench.sentence)


@when("the Charge Point can connect again")
async def can_connect(bench: Bench) -> None:
    """It has its network back."""
    bench.wire.raise_floor()
    await bench.restore_network(bench.sentence)


@when("the Charge Point tries to connect without its AuthorizationKey")
async def knocks_without_key(bench: Bench) -> None:
    await _knock(bench, shows_key=False)


@when("the Charge Point tries to connect with its former AuthorizationKey")
async def knocks_with_former_key(bench: Bench) -> None:
    """Beside its connection, which stands."""
    former = simulated(bench).security.former_authorization_key
    if former is None:
        raise OurError("the Charge Point has no former AuthorizationKey: a faulty feature")
    await _knock(bench, former_key=former)


@when("the Charge Point tries to connect with its former security profile")
async def knocks_with_former_profile(bench: Bench) -> None:
    await _knock(bench, profile=bench.security_profile)


@when("the Charge Point tries to connect with subprotocols {names}")
async def knocks_with_subprotocols(bench: Bench, names: str) -> None:
    await _knock(bench, subprotocols=[name.strip() for name in names.split(",")])


@when("the Charge Point tries to connect with each required cipher suite alone")
async def knocks_with_suites(bench: Bench) -> None:
    for suite in REQUIRED_SUITES:
        await _knock(bench, suites=[suite])


async def _knock(bench: Bench, **how: Any) -> None:
    bench.transcript.add("stimulus", party="Charge Point", action="knock", payload={}, sentence=bench.sentence)
    bench.wire.raise_floor()
    seat = bench.seats["Charge Point"]
    assert isinstance(seat, SimulatedChargePoint)
    await seat.knock(**how)
    bench.transcript.add(BENCH, event="done")


def _attempts(bench: Bench) -> list[Opening]:
    """What our Charge Point has tried since it was told to; at least one attempt."""
    places = [index for index, record in enumerate(bench.wire.records) if record.get("action") == "knock"]
    found = [*openings(bench.wire.records, places[0])] if places else []
    if not found:
        raise OurError("our Charge Point has not tried to connect: a faulty feature")
    return found


@then("the Central System refuses the connection")
async def refuses(bench: Bench) -> None:
    """The HTTP status is not prescribed; without one a remark."""
    opening = _attempts(bench)[-1]
    if opening.status == 101:
        raise bench.blame("Central System", "the Central System accepts the connection", frame=opening.index)
    if opening.status is None and NO_ANSWER in str(opening):
        text = f"the Central System leaves the attempt without an answer: {opening}"
        raise bench.blame("Central System", text, frame=opening.index)
    if opening.status is None and not opening.tls.get("failure"):
        bench.remark(f"the connection is refused without an HTTP status: {opening}")


@then("the Central System agrees to no subprotocol")
async def agrees_to_none(bench: Bench) -> None:
    """Refused (the test case), or opened without the header and closed at once (OCPP-J 3.2): a strict remark."""
    opening = _attempts(bench)[-1]
    if opening.status != 101:
        return
    if opening.record.get("subprotocol") is not None:
        text = f"the Central System agrees to subprotocol {opening.record['subprotocol']}"
        raise bench.blame("Central System", text, frame=opening.index)
    closed = [each for each in bench.wire.records[opening.index :] if each.get("event") == "closed"]
    if not closed or closed[0].get("by") != "Central System":
        text = "the Central System leaves a connection without a subprotocol open"
        raise bench.blame("Central System", text, frame=opening.index)
    bench.remark("the connection was opened without a subprotocol and closed at once", "OCPP-J 1.6 3.2", strict=True)


@then("the Central System agrees to subprotocol {name}")
async def agrees_to(bench: Bench, name: str) -> None:
    opening = _attempts(bench)[-1]
    if opening.record.get("subprotocol") != name:
        found = opening.record.get("subprotocol") or opening
        text = f"the Central System agrees to {found}, expected {name}"
        wrong = Difference("subprotocol", expected=name, seen=str(found))
        raise bench.blame("Central System", text, frame=opening.index, differences=[wrong])


@then("the Central System accepts the connection")
async def accepts(bench: Bench) -> None:
    """In the time of a long operation, and as long again as there was none."""
    await bench.wait_connected()
    opening = latest_connection(bench.wire.records)
    if opening is None or opening.index < bench.wire.floor:
        came = [str(each) for each in openings(bench.wire.records, bench.wire.floor)]
        raise bench.blame("Central System", f"the Central System accepts no connection: {'; '.join(came) or 'nothing'}")


# TLS


@then("the Central System speaks TLS 1.2 or above with every one of them")
async def speaks_every_suite(bench: Bench) -> None:
    """The clause that is broken is named: a case has a dozen."""
    versions, suites, compression = TLS_CLAUSES[3 if bench.security_profile == 3 else 2]
    found, broken = [], []
    for suite, opening in zip(REQUIRED_SUITES, _attempts(bench)[-len(REQUIRED_SUITES) :], strict=True):
        version = opening.tls.get("version")
        if opening.tls.get("suite") != suite:
            found.append(f"not with {suite} ({opening})")
            broken.append(suites)
        elif version not in TLS_ALLOWED:
            found.append(f"with {version}")
            broken.append(versions)
        elif opening.tls.get("compression"):
            found.append(f"with the compression {opening.tls['compression']}")
            broken.append(compression)
    if found:
        clauses = ", ".join(dict.fromkeys(broken))
        text = f"the Central System speaks TLS {'; '.join(found)}"
        raise bench.blame("Central System", f"{text} (white paper {clauses})")


@then("the certificate of the Central System is as the white paper has it")
async def server_certificate(bench: Bench) -> None:
    """2.6.1: the size of its key, its serial number, CN the FQDN of the endpoint."""
    attempts = _attempts(bench)
    found = [str(each.tls["badCertificate"]) for each in attempts if "badCertificate" in each.tls]
    if not any("certificate" in each.tls or "badCertificate" in each.tls for each in attempts):
        found.append("there is none")
    for opening in attempts:
        if (told := opening.tls.get("certificate")) is not None:
            host = str(opening.tls.get("host"))
            found.extend(server_faults(told, host))
            _judge_name(bench, told["subject"]["commonName"], host)
    # Authorities of the public Internet put no organization into what they sign, and the test case does not ask for it.
    for text in [each for each in dict.fromkeys(found) if each.endswith("(A00.FR.509)")]:
        bench.remark(f"its certificate: {text.removesuffix(' (A00.FR.509)')}", "white paper A00.FR.509")
    if others := [each for each in dict.fromkeys(found) if not each.endswith("(A00.FR.509)")]:
        raise bench.blame("Central System", f"its certificate: {'; '.join(others)}")


def _judge_name(bench: Bench, common_name: str, host: str) -> None:
    """A00.FR.510, and the note on A00.FR.511: a subjectAltName may name the endpoint, CN has an FQDN all the same."""
    if not HOST.fullmatch(common_name):
        raise bench.blame("Central System", f"its certificate: CN {common_name!r} is no FQDN (white paper A00.FR.510)")
    if common_name.removesuffix(".").casefold() != host.removesuffix(".").casefold():
        bench.remark(f"CN is {common_name}, {host} is but a subjectAltName", "white paper A00.FR.510", strict=True)


@then("the Charge Point offers TLS 1.2 or above with a pair of the required cipher suites")
async def offers_suites(bench: Bench) -> None:
    """A00.FR.312, A00.FR.318, A00.FR.320, A00.FR.422: as its ClientHello has it."""
    opening = _standing(bench)
    offered = opening.tls.get("offered")
    if offered is None:
        raise bench.blame("Charge Point", "the Charge Point connects without TLS", frame=opening.index)
    found = []
    if opening.tls.get("version") not in TLS_ALLOWED:
        found.append(f"it speaks {opening.tls.get('version')}")
    suites = set(offered["suites"])
    if not (suites.issuperset(ECDSA_SUITES) or suites.issuperset(RSA_SUITES)):
        found.append(f"it offers neither {' and '.join(ECDSA_SUITES)} nor {' and '.join(RSA_SUITES)}")
    if offered["compression"] != ["null"]:
        found.append(f"it offers the compression {', '.join(offered['compression'])} (A00.FR.320)")
    if found:
        raise bench.blame("Charge Point", f"TLS: {'; '.join(found)}", frame=opening.index)


@then("the Charge Point authenticates itself with its identity and its AuthorizationKey")
async def authenticates(bench: Bench) -> None:
    """A00.FR.202 to A00.FR.205, A00.FR.301 to A00.FR.304. With security profile 3 it has none to show."""
    opening = _standing(bench)
    auth = opening.auth
    if auth.get("securityProfile") == 3:
        return
    found = []
    if auth.get("scheme") != "Basic":
        found.append("there is no HTTP Basic authentication")
    elif not auth["userIsIdentity"]:
        found.append("the user is not its identity (A00.FR.204)")
    elif not LEAST_KEY <= auth["keyBytes"] <= LONGEST_KEY:
        found.append(
            f"the AuthorizationKey has {auth['keyBytes']} bytes, {LEAST_KEY} to {LONGEST_KEY} are due (A00.FR.205)"
        )
    elif auth["key"] not in ("current", "proposed"):
        found.append("the AuthorizationKey is another")
    if found:
        raise bench.blame("Charge Point", f"the Charge Point connects: {found[0]}", frame=opening.index)


@then("the certificate of the Charge Point is as the white paper has it")
async def client_certificate(bench: Bench) -> None:
    """2.6.1: the size of its key, its serial number, O, and CN the serial number of the Charge Point."""
    opening = _standing(bench)
    told = opening.tls.get("certificate")
    if told is None:
        text = "the Charge Point shows no certificate (A00.FR.401)"
        raise bench.blame("Charge Point", text, frame=opening.index)
    if found := charge_point_faults(told, datetime.now(UTC)):
        text = f"the certificate of the Charge Point: {'; '.join(found)}"
        raise bench.blame("Charge Point", text, frame=opening.index)
    _judge_common_name(bench, str(told["subject"]["commonName"]))


def _judge_common_name(bench: Bench, name: str) -> None:
    """A00.FR.511: the unique serial number, as the user or the Charge Point itself tells it."""
    given = bench.device.data.get("SerialNumber")
    if given is not None:
        if name != given:
            raise bench.blame("Charge Point", f"CN is {name}, its serial number is {given} (white paper A00.FR.511)")
        return
    told = {
        str(boot.payload[field])
        for boot in messages(bench.wire.records)
        if boot.action == "BootNotification"
        for field in ("chargePointSerialNumber", "chargeBoxSerialNumber")
        if field in boot.payload
    }
    if name not in told:
        hint = f"BootNotification.req tells {', '.join(sorted(told)) or 'none'}"
        raise Inconclusive(f"CN is {name}, and {hint}: give --data SerialNumber=...")


def _standing(bench: Bench) -> Opening:
    """The connection that stands."""
    opening = latest_connection(bench.wire.records)
    if opening is None:
        raise Inconclusive("nobody has seen how the Charge Point connected")
    return opening


# Passwords


@then("its AuthorizationKey has 16 to 20 bytes in hexadecimal digits")
async def key_is_right(bench: Bench) -> None:
    """A00.FR.205, A00.FR.304: of the latest ChangeConfiguration.req."""
    call = _latest(bench, "Central System", "ChangeConfiguration")
    told = call.record.get("authorizationKey", {})
    digits = int(told.get("characters", 0))
    if not told.get("isHexadecimal") or digits % 2 or not LEAST_KEY <= digits // 2 <= LONGEST_KEY:
        is_hex = "" if told.get("isHexadecimal") else ", not all of them hexadecimal digits"
        text = (
            f"the AuthorizationKey has {digits} characters{is_hex}; due are 32 to 40 hexadecimal digits, two for a byte"
        )
        raise bench.blame("Central System", f"{text} (white paper A00.FR.205)", frame=call.index)


# Security profiles


@given("the Charge Point uses a new security profile after its next boot")
async def waits_for_boot(bench: Bench) -> None:
    """As the official tool does; A05.FR.07 names no moment."""
    simulated(bench).security.reconnects_by_itself = False


@given("the Charge Point has what security profile {n:N} needs")
async def is_prepared(bench: Bench, n: str) -> None:
    """The memory states CertificateInstalled for 2, RenewChargePointCertificate for 3."""
    match int(bench_text(bench, n)):
        case 2:
            await _have_root_installed(bench)
        case 3:
            await _have_certificate_renewed(bench)


@then("the Charge Point uses security profile {n:N}, after a reset if it needs one")
async def uses_profile(bench: Bench, n: str) -> None:
    """RebootRequired takes one, and so does who does not connect again by himself."""
    answer = await bench.conf("Charge Point", "ChangeConfiguration")
    profile = int(bench_text(bench, n))
    if answer.payload["status"] == "Accepted" and await _comes_by_itself(bench):
        await _connects_with_profile(bench, profile)
        return
    await make_send(bench, "Central System", "Reset", (("type", "Hard"),))
    await claim_conf(bench, "Charge Point", "Reset", (("status", "Accepted"),))
    await _connects_with_profile(bench, profile)
    await claim_request(bench, "Charge Point", "BootNotification", within=bench.long_timeout)
    await claim_conf(bench, "Central System", "BootNotification", (("status", "Accepted"),))
    await claim_every_connector(bench, {})
    bench.remark("the new security profile takes a reset")


async def _comes_by_itself(bench: Bench) -> bool:
    """Whether its connection ends, without anybody asking for it."""

    def ends() -> bool | None:
        return any(record.get("event") == "closed" for record in bench.wire.records[bench.wire.floor :]) or None

    return bool(await bench.wire.until(ends, bench.loop.time() + bench.timeout))


@then("the Charge Point keeps its connection for {duration:Duration}")
async def keeps_connection(bench: Bench, duration: str) -> None:
    """A05.FR.01: it does not connect again."""
    start = (await bench.conf("Charge Point", "ChangeConfiguration")).index
    await asyncio.sleep(bench_seconds(bench, duration))
    if any(record.get("event") == "closed" for record in bench.wire.records[start:]):
        raise bench.blame("Charge Point", "the Charge Point ended its connection (white paper A05.FR.01)")


async def _have_root_installed(bench: Bench) -> None:
    with bench.state("CertificateInstalled"):
        use = ("certificateType", "CentralSystemRootCertificate")
        await make_send(bench, "Central System", "GetInstalledCertificateIds", (use,))
        conf = await claim_conf(bench, "Charge Point", "GetInstalledCertificateIds")
        root = load(str(bench.value("CentralSystemRootCertificate")))
        if bench.judged == "Central System":
            is_there = bool(conf.payload.get("certificateHashData"))
        else:
            is_there = _is_listed(conf.payload, root, root)
        if is_there:
            return
        if bench.device.url is not None and bench.device.security.tls_ca is None:
            text = "nobody has said who has signed the certificate of the Central System for the next security profile"
            raise Inconclusive(f"{text}: give --tls-ca")
        cell = (
            "{CentralSystemRootCertificate}"
            if bench.judged == "Charge Point"
            else "any, such as {CentralSystemRootCertificate}"
        )
        await make_send(bench, "Central System", "InstallCertificate", (use, ("certificate", cell)))
        _judge_root(bench)
        await claim_conf(bench, "Charge Point", "InstallCertificate", (("status", "Accepted"),))


async def _have_certificate_renewed(bench: Bench) -> None:
    with bench.state("RenewChargePointCertificate"):
        if bench.judged == "Charge Point":
            await _set_cpo_name(bench)
        wish = (("requestedMessage", "SignChargePointCertificate"), ("connectorId", "absent"))
        await make_send(bench, "Central System", "ExtendedTriggerMessage", wish)
        await claim_conf(bench, "Charge Point", "ExtendedTriggerMessage", (("status", "Accepted"),))
        await claim_request(bench, "Charge Point", "SignCertificate", within=bench.long_timeout)
        _judge_request(bench)
        await claim_conf(bench, "Central System", "SignCertificate", (("status", "Accepted"),))
        await claim_request(bench, "Central System", "CertificateSigned", within=bench.long_timeout)
        _judge_chain(bench)
        await claim_conf(bench, "Charge Point", "CertificateSigned", (("status", "Accepted"),))


# Certificates of the Charge Point


@given("the Charge Point knows the name of the CPO")
async def knows_cpo_name(bench: Bench) -> None:
    """CpoName: a prerequisite of A02."""
    await _set_cpo_name(bench)


async def _set_cpo_name(bench: Bench) -> None:
    if bench.judged == "Central System":
        simulated(bench).configuration.set("CpoName", str(bench.value("CpoName")))
        return
    table = (("key", "CpoName"), ("value", "{CpoName}"))
    await make_send(bench, "Central System", "ChangeConfiguration", table)
    await claim_conf(bench, "Charge Point", "ChangeConfiguration", (("status", "Accepted"),))


@given("the next certificate that is signed will be invalid")
async def will_sign_wrongly(bench: Bench) -> None:
    """As CertificateFault says."""
    seat = bench.seats["Central System"]
    if not isinstance(seat, ReferenceCentralSystem):
        raise OurError("the Central System is not ours: nobody can have it sign wrongly")
    seat.central_system.store.certificate_fault = bench.value("CertificateFault")  # type: ignore[assignment]  # checked by bench.device


@given("the Charge Point will reject the next {what:Rejectable}")
async def will_reject(bench: Bench, what: str) -> None:
    """Our own, as the official tool does, and it tells of it."""
    security = simulated(bench).security
    if what == "signed certificate":
        security.rejects_signed_certificate = True
    else:
        security.rejects_certificates = True


@then("its csr can be signed")
async def csr_is_right(bench: Bench) -> None:
    """A02.FR.02, A02.FR.03, A02.FR.13, A00.FR.501 to A00.FR.503: of the latest SignCertificate.req."""
    _judge_request(bench)


def _judge_request(bench: Bench) -> None:
    request = _request_of(bench)
    found = []
    kind, bits = key_size(request.public_key())
    least = {"RSA": LEAST_RSA_BITS, "DSA": LEAST_RSA_BITS, "EC": LEAST_EC_BITS}.get(kind)
    if least is None or bits < least:
        found.append(f"its {kind} key has {bits} bits (A00.FR.501)")
    if organization(request) != bench.value("CpoName"):
        found.append(f"its O is {organization(request) or 'missing'}, CpoName is {bench.value('CpoName')} (A02.FR.13)")
    if not common_name(request):
        found.append("it has no CN (A00.FR.511)")
    if _key_in_use(bench) == key_fingerprint(request.public_key()):
        found.append("its key is the one in use, not a new one (A02.FR.02)")
    given = bench.device.data.get("SerialNumber", common_name(request))
    if common_name(request) != given:
        found.append(f"its CN is {common_name(request)}, the serial number is {given} (A00.FR.511)")
    if found:
        raise bench.blame("Charge Point", f"the CSR: {'; '.join(found)}")


def _key_in_use(bench: Bench) -> str | None:
    """The fingerprint of the key behind the certificate that the Charge Point is connected with, if there is one."""
    seat = bench.seats["Central System"]
    if not isinstance(seat, ReferenceCentralSystem):
        return None

    def shown() -> str | None:
        certificate = seat.central_system.certificate_of(bench.device.identity)
        return key_fingerprint(certificate.public_key()) if certificate else None

    key: str | None = bench.transcript.fact("publicKeySha256", shown)
    return key


def _request_of(bench: Bench) -> Any:
    """The CSR of the latest SignCertificate.req. Ends the case if it is none."""
    call = _latest(bench, "Charge Point", "SignCertificate")
    try:
        return load_request(str(call.payload.get("csr")))
    except BadCertificate as error:
        text = f"the CSR of SignCertificate.req: {error} (white paper A02.FR.03)"
        raise bench.blame("Charge Point", text, frame=call.index) from None


@then("its certificateChain is a certificate for the csr")
async def chain_is_right(bench: Bench) -> None:
    """2.6.1 and A02: of the latest CertificateSigned.req; CN the serial number of the Charge Point."""
    _judge_chain(bench)


def _judge_chain(bench: Bench) -> None:
    call, request = _latest(bench, "Central System", "CertificateSigned"), _request_of(bench)
    try:
        chain = load_chain(str(call.payload.get("certificateChain")))
    except BadCertificate as error:
        text = f"certificateChain: {error} (white paper 5.1)"
        raise bench.blame("Central System", text, frame=call.index) from None
    certificate = chain[0]
    found = charge_point_faults(certificate, datetime.now(UTC))
    if key_fingerprint(certificate.public_key()) != key_fingerprint(request.public_key()):
        found.append("its key is not that of the CSR")
    if common_name(certificate) != common_name(request):
        found.append(
            f"its CN is {common_name(certificate) or 'missing'}, that of the CSR {common_name(request)} (A00.FR.511)"
        )
    for below, above in pairwise(chain):
        if not is_signed_by(below, above):
            found.append("its chain does not lead upwards")
    if found:
        raise bench.blame("Central System", f"certificateChain: {'; '.join(found)}", frame=call.index)
    _judge_path(bench, chain)


def _judge_path(bench: Bench, chain: Sequence[Certificate]) -> None:
    """Our Charge Point refuses what nobody whom it trusts has signed (A02.FR.06), for want of a root as well."""
    is_ours = bench.judged == "Central System"
    trusted = (lambda: [pem(root) for root in simulated(bench).security.roots]) if is_ours else None
    told = bench.transcript.fact("roots", trusted) if trusted else [str(bench.value("CentralSystemRootCertificate"))]
    roots = [load(each) for each in told]
    try:
        verify_path(chain, roots, datetime.now(UTC))
    except BadCertificate as error:
        if is_ours:
            text = f"certificateChain: {error}: give --tls-ca with who signs the certificates of Charge Points as well"
            raise Inconclusive(text) from None
        raise bench.blame("Central System", f"certificateChain: {error}") from None


# Installed certificates


@then("its certificate is a root certificate")
async def is_root_certificate(bench: Bench) -> None:
    """Of the latest InstallCertificate.req: X.509 in PEM (A00.FR.507), an authority, within 2.6.1."""
    _judge_root(bench)


def _judge_root(bench: Bench) -> None:
    call = _latest(bench, "Central System", "InstallCertificate")
    try:
        certificate = load(str(call.payload.get("certificate")))
    except BadCertificate as error:
        text = f"the certificate: {error} (white paper 5.11)"
        raise bench.blame("Central System", text, frame=call.index) from None
    found = faults(certificate, datetime.now(UTC))
    if not is_authority(certificate):
        found.append("it is not that of an authority (white paper 6.4)")
    if found:
        raise bench.blame("Central System", f"the certificate: {'; '.join(found)}", frame=call.index)


@given("the Charge Point tells whether it checks additional root certificates")
async def tells_check(bench: Bench) -> None:
    """AdditionalRootCertificateCheck (7.1): where it is true, only a successor of the present root may be installed."""
    if bench.judged == "Charge Point":
        await read_key(bench, "AdditionalRootCertificateCheck")


@given("the Charge Point has {certificate:Material} installed")
async def has_installed(bench: Bench, certificate: str) -> None:
    """The memory state CertificateInstalled."""
    with bench.state("CertificateInstalled"):
        use = ("certificateType", "CentralSystemRootCertificate")
        await make_send(bench, "Central System", "GetInstalledCertificateIds", (use,))
        conf = await claim_conf(bench, "Charge Point", "GetInstalledCertificateIds")
        wanted = load(bench_text(bench, certificate))
        if not _is_listed(conf.payload, wanted, _issuer(bench, wanted)):
            await make_send(bench, "Central System", "InstallCertificate", (use, ("certificate", certificate)))
            await claim_conf(bench, "Charge Point", "InstallCertificate", (("status", "Accepted"),))


@then("its certificateHashData names {certificate:Material}")
async def names_certificate(bench: Bench, certificate: str) -> None:
    """Of the latest GetInstalledCertificateIds.conf, with hashes of ours (6.1)."""
    wanted = load(bench_text(bench, certificate))
    conf = await bench.conf("Charge Point", "GetInstalledCertificateIds")
    if not _is_listed(conf.payload, wanted, _issuer(bench, wanted)):
        text = f"GetInstalledCertificateIds.conf does not name {_told(wanted)}{_nearest(bench, conf.payload, wanted)}"
        raise bench.blame("Charge Point", f"{text} (white paper M03.FR.04, 6.1)", frame=conf.index)


@then("its certificateHashData names {certificate:Material} no more")
async def names_no_more(bench: Bench, certificate: str) -> None:
    wanted = load(bench_text(bench, certificate))
    conf = await bench.conf("Charge Point", "GetInstalledCertificateIds")
    if _is_listed(conf.payload, wanted, _issuer(bench, wanted)):
        text = f"{_told(wanted)} is still installed (white paper M04.FR.02)"
        raise bench.blame("Charge Point", text, frame=conf.index)


@when("the Central System sends DeleteCertificate.req for {certificate:Material}")
async def deletes(bench: Bench, certificate: str) -> None:
    """Named as the Charge Point has reported it, its hashAlgorithm included (M04.FR.07)."""
    wanted = load(bench_text(bench, certificate))
    await _delete(bench, _reported(bench, wanted) or hash_data(wanted, _issuer(bench, wanted)))


@given("the Charge Point hashes with {algorithm:HashAlgorithm}")
async def hashes_with(bench: Bench, algorithm: str) -> None:
    simulated(bench).security.hash_algorithm = algorithm


async def _delete(bench: Bench, wanted: Payload) -> None:
    table = [(f"certificateHashData.{name}", value) for name, value in wanted.items()]
    if bench.judged == "Charge Point":
        await make_send(bench, "Central System", "DeleteCertificate", table)
        return
    await make_send(
        bench, "Central System", "DeleteCertificate", [(name, f"any, such as {value}") for name, value in table]
    )
    call = _latest(bench, "Central System", "DeleteCertificate")
    told = call.payload["certificateHashData"]
    found = [
        Difference(name, expected=str(value), seen=str(told.get(name)))
        for name, value in wanted.items()
        if str(told.get(name, "")).casefold() != value.casefold()
    ]
    if found:
        text = f"DeleteCertificate.req: {'; '.join(map(str, found))} (white paper M04.FR.07, 6.1)"
        raise bench.blame("Central System", text, frame=call.index, differences=found)


def _reported(bench: Bench, certificate: Certificate) -> Payload | None:
    """What the Charge Point has named a certificate by, in its own spelling; None if it has not."""
    for conf in _confs(bench, "GetInstalledCertificateIds"):
        for entry in conf.get("certificateHashData", []):
            if _names(entry, certificate, _issuer(bench, certificate)):
                return {name: str(value) for name, value in entry.items()}
    return None


def _confs(bench: Bench, action: str) -> Sequence[Payload]:
    found = []
    for message in messages(bench.wire.records):
        if message.type == "CALL" and message.action == action and (answer := bench.wire.answered(message)):
            found.append(answer.payload)
    return found[::-1]


def _issuer(bench: Bench, certificate: Certificate) -> Certificate:
    """Who has signed a root: itself, or the one that it replaces (M05.FR.09)."""
    root = load(str(bench.value("CentralSystemRootCertificate")))
    return certificate if is_root(certificate) or not is_signed_by(certificate, root) else root


def _is_listed(conf: Payload, certificate: Certificate, issuer: Certificate) -> bool:
    return any(_names(entry, certificate, issuer) for entry in conf.get("certificateHashData", []))


def _names(entry: Payload, certificate: Certificate, issuer: Certificate) -> bool:
    return same_hash_data(entry, hash_data(certificate, issuer, str(entry.get("hashAlgorithm"))))


def _nearest(bench: Bench, conf: Payload, certificate: Certificate) -> str:
    """Where the serial number is right, what else is wrong."""
    for entry in conf.get("certificateHashData", []):
        wanted = hash_data(certificate, _issuer(bench, certificate), str(entry.get("hashAlgorithm")))
        if str(entry.get("serialNumber", "")).casefold() == wanted["serialNumber"].casefold():
            wrong = [name for name in wanted if str(entry.get(name)).casefold() != wanted[name].casefold()]
            return f": {', '.join(f'{name} is {entry.get(name)}, not {wanted[name]}' for name in wrong)}"
    return ""


def _told(certificate: Certificate) -> str:
    return certificate.subject.rfc4514_string()


# Logs and firmware


@then("the Charge Point sends SecurityEventNotification.req of type {event}")
async def tells_event(bench: Bench, event: str) -> None:
    """Others may come before and after it (A04)."""
    deadline = bench.loop.time() + bench.timeout * (1 if bench.judged == "Charge Point" else 4)
    message = await bench.wire.next_call(
        "Charge Point", "SecurityEventNotification", lambda found: found.payload.get("type") == event, deadline
    )
    if message is None:
        told = [str(call.payload.get("type")) for call in bench.wire.calls("Charge Point", "SecurityEventNotification")]
        text = f"the Charge Point told no {event} in {bench.timeout:g} s{f', but {told[-1]}' if told else ''}"
        missing = f"SecurityEventNotification.req {event}"
        raise bench.blame("Charge Point", text, "SecurityEventNotification", missing=missing)
    bench.take(message, ordered=False)


@then("the Charge Point may have told FirmwareUpdated meanwhile")
async def may_have_told(bench: Bench) -> None:
    """A critical event (chapter 8), which TC_080_CS lists as optional. What is no event of chapter 8 is a remark."""
    asked = _latest(bench, "Central System", "SignedUpdateFirmware").index
    told = [each for each in messages(bench.wire.records) if each.type == "CALL" and each.index > asked]
    begun = next((each.index for each in told if each.payload.get("status") == "Installing"), 0)
    for call in told:
        if call.action != "SecurityEventNotification":
            continue
        event = str(call.payload.get("type"))
        if event not in SECURITY_EVENTS:
            bench.remark(f"{event} is no security event that the white paper knows", "white paper 8", strict=True)
        if event == "FirmwareUpdated":
            if call.index < begun:
                text = "the Charge Point told FirmwareUpdated before it told that it was Installing (white paper 8)"
                raise bench.blame("Charge Point", text, frame=call.index)
            bench.take(call, ordered=False)
            await bench.conf_to(call)


@then("the Charge Point installs nothing")
async def installs_nothing(bench: Bench) -> None:
    """6.8: InvalidSignature is an end. L01.FR.03: a security event is due, which the test case does not list."""
    await asyncio.sleep(bench.settle_time)
    end = _latest(bench, "Charge Point", "SignedFirmwareStatusNotification")
    for message in bench.wire.calls("Charge Point", "SignedFirmwareStatusNotification"):
        is_later = message.index > end.index and not bench.repeats(message)
        if is_later and message.payload.get("status") != "Idle":
            text = f"the Charge Point sent {message} after InvalidSignature"
            raise bench.blame("Charge Point", text, "SignedFirmwareStatusNotification", frame=message.index)
    told = [call.payload.get("type") for call in bench.wire.calls("Charge Point", "SecurityEventNotification")]
    if "InvalidFirmwareSignature" not in told:
        bench.remark("the security event InvalidFirmwareSignature was not told", "white paper L01.FR.03")


@then("its signature is that of its file")
async def signature_is_right(bench: Bench) -> None:
    """Of the latest SignedUpdateFirmware.req, if the file is ours."""
    if fault := _fault_of_signature(bench):
        raise bench.blame("Central System", f"firmware: {fault} (white paper L01.FR.04)")


@then("its signature is not that of its file")
async def signature_is_wrong(bench: Bench) -> None:
    """The same; the certificate is to be right, or nothing would be downloaded (L01.FR.24)."""
    _signing_certificate(bench)
    if _is_our_image(bench) and not _fault_of_signature(bench):
        raise bench.blame("Central System", "firmware.signature is right: an invalid one was asked for")


def _is_our_image(bench: Bench) -> bool:
    firmware = _latest(bench, "Central System", "SignedUpdateFirmware").payload["firmware"]
    return bool(firmware.get("location") == bench.locations.get("FirmwareUrl"))


def _fault_of_signature(bench: Bench) -> str:
    """What is wrong with the signature over an image of ours; empty if nothing is, or if it is not ours."""
    firmware = _latest(bench, "Central System", "SignedUpdateFirmware").payload["firmware"]
    certificate = _signing_certificate(bench)
    if not _is_our_image(bench):
        return ""
    try:
        scheme = verify_signature(certificate, _image(bench), str(firmware["signature"]))
    except BadSignature as error:
        return f"signature: {error}"
    if scheme == "RSA-PKCS1v15":
        bench.remark("the firmware is signed with SHA256withRSA, not RSA-PSS", "white paper L01.FR.04")
    return ""


def _signing_certificate(bench: Bench) -> Certificate:
    """That of the latest SignedUpdateFirmware.req. Ends the case if it is none."""
    firmware = _latest(bench, "Central System", "SignedUpdateFirmware").payload["firmware"]
    try:
        return load(str(firmware["signingCertificate"]))
    except BadCertificate as error:
        text = f"firmware: signingCertificate: {error} (white paper 6.9)"
        raise bench.blame("Central System", text) from None


def _image(bench: Bench) -> bytes:
    image = Images.of(bench.device).good
    if image is None:
        raise OurError("there is no image: a faulty feature")
    return image


def _latest(bench: Bench, sender: Party, action: str) -> Message:
    call = bench.wire.latest_claim(sender, action)
    if call is None:
        raise OurError(f"«{bench.sentence}» is about {action}.req, and none was claimed: a faulty feature")
    return call
