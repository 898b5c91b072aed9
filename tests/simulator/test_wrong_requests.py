"""Every request of the Central System with everything that can be wrong with it: refused, and nothing is changed.

First what a schema can tell, field by field; then what only the Charge Point can know.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from ocppj.authority import EXPIRED, NOT_YET, Authority, key_pem, new_key, signing_request
from ocppj.certificates import hash_data, pem
from ocppj.frames import Payload
from ocppj.schemas import ACTIONS, FROM_CENTRAL_SYSTEM
from simulator.charge_point import PROFILES, ChargePoint
from simulator.memory import Memory
from tests.ocppj.payloads import full
from tests.ocppj.wrong import FITTING, huge_requests, wrong_requests
from tests.simulator.scene import Scene, scene

NEXT_YEAR = "2032-05-13T00:00:00Z"

ROOT = Authority.root("Root", "Operator")
MANUFACTURER = Authority.root("Manufacturer", "Maker")
OWN = ROOT.issue("client", common_name="SN-0001", organization="Operator")
NEXT_KEY = new_key()
CENTRAL_SYSTEM = "CentralSystemRootCertificate"


def profile(**fields: Any) -> Payload:
    """A charging profile for every transaction."""
    return {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
        },
        **fields,
    }


def tx_profile(**fields: Any) -> Payload:
    """A charging profile for the transaction that runs."""
    return profile(chargingProfileId=2, chargingProfilePurpose="TxProfile", **fields)


def entry(number: int) -> Payload:
    return {"idTag": f"TAG-{number}", "idTagInfo": {"status": "Accepted"}}


# What the Charge Point has been asked to keep before anything wrong comes.
FURNITURE: dict[str, Payload] = {
    "SendLocalList": {"listVersion": 5, "updateType": "Full", "localAuthorizationList": [entry(1), entry(2)]},
    "SetChargingProfile": {"connectorId": 0, "csChargingProfiles": profile()},
    "ReserveNow": {"connectorId": 3, "expiryDate": NEXT_YEAR, "idTag": "BEEF", "reservationId": 7},
}


def secrets_and_certificates() -> Memory:
    """What a Charge Point with security profile 0 has for a higher one."""
    return Memory(
        authorization_key="00112233445566778899aabbccddeeff",
        central_system_roots=[pem(ROOT.certificate)],
        certificates=[{"key": OWN.key_pem, "chain": OWN.chain_pem}],
        signing_request={
            "key": key_pem(NEXT_KEY),
            "csr": signing_request(NEXT_KEY, common_name="SN-0001", organization="Operator"),
        },
    )


@asynccontextmanager
async def furnished(*, secure: bool = False) -> AsyncIterator[Scene]:
    """A Charge Point with something of everything to lose; ``secure``: it has what the white paper adds.

    Connector 1 has a transaction in which no energy flows, 2 is free, 3 is reserved, 4 is Unavailable and 5 is Faulted.
    """
    more: dict[str, Any] = {"profiles": [*PROFILES, "Security"], "memory": secrets_and_certificates()} if secure else {}
    async with scene(connectors=5, **more) as stage:
        await stage.charge(1)
        await stage.charge_point.ev_stops_taking_energy(1)
        for action, payload in FURNITURE.items():
            assert await stage.ask(action, **payload) == {"status": "Accepted"}
        await stage.ask("ChangeAvailability", connectorId=4, type="Inoperative")
        await stage.charge_point.fail(5)
        stage.charge_point.authorization.learn("CACHED", {"status": "Accepted"})
        await stage.pass_time(1)
        stage.seen.clear()
        yield stage


def state(it: ChargePoint) -> Payload:
    """Everything that a request could have changed. A log of what came is no such thing."""
    return {
        "memory": {name: fact for name, fact in it.memory.as_dict().items() if name != "log"},
        "registration": it.registration,
        "online": it.is_online,
        "connectors": [
            {
                "status": connector.status,
                "errorCode": connector.error_code,
                "transaction": connector.transaction and connector.transaction["number"],
                "locked": connector.locked,
                "authorized": connector.authorized and connector.authorized.id_tag,
                "kept for": connector.kept_for and connector.kept_for.id_tag,
                "claimed": connector.claimed,
                "power": connector.meter.power,
            }
            for connector in (it.whole, *it.connectors.values())
        ],
    }


async def ask(stage: Scene, action: str, payload: Payload) -> None:
    """Send a request as a Central System that checks nothing."""
    await stage.central_system.say(json.dumps([2, f"at {asyncio.get_running_loop().time()}", action, payload]))
    await stage.pass_time()


async def answer_to(stage: Scene, action: str, payload: Payload) -> tuple[str, Payload]:
    """The code of the CALLERROR, or empty and the payload of the .conf. Nothing else may be sent."""
    await ask(stage, action, payload)
    assert len(stage.seen) == 1, (payload, [str(seen) for seen in stage.seen])
    answer = stage.seen.pop()
    if answer.action == f"{action}.conf":
        return "", answer.payload
    return answer.action.removeprefix(f"{action} "), {}


TRIGGERS = ("ExtendedTriggerMessage", "TriggerMessage")


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("action", sorted(FROM_CENTRAL_SYSTEM))
async def test_a_wrong_field_is_refused_with_a_fitting_code_and_changes_nothing(action: str, secure: bool) -> None:
    async with furnished(secure=secure) as stage:
        before = state(stage.charge_point)
        for wrong in wrong_requests(action):
            code, conf = await answer_to(stage, action, wrong.payload)
            if action in TRIGGERS and (wrong.path, wrong.fault) == ("requestedMessage", "not in the enumeration"):
                # 5.17, and white paper 6.17: «unknown» is a status of who knows the request.
                known = action in stage.charge_point.handlers
                expected = ("", {"status": "NotImplemented"}) if known else ("NotSupported", {})
                assert (code, conf) == expected, wrong
            else:
                assert code == wrong.best, wrong
            assert state(stage.charge_point) == before, wrong
        await stage.pass_time(100)
        assert stage.story() == []
        assert state(stage.charge_point) == before


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("action", sorted(FROM_CENTRAL_SYSTEM))
async def test_a_number_that_is_only_huge_is_processed(action: str, secure: bool) -> None:
    """It may be accepted or not, but it is no failure to process the message."""
    async with furnished(secure=secure) as stage:
        for path, payload in huge_requests(action):
            await ask(stage, action, payload)
            answers = [seen for seen in stage.seen if seen.action.startswith(f"{action}.conf")]
            refusals = [seen.action for seen in stage.seen if seen.action.startswith(f"{action} ")]
            assert len(answers) + len(refusals) == 1, (path, payload)
            assert f"{action} InternalError" not in refusals, (path, payload)
            stage.seen.clear()
        await stage.pass_time(100)


@pytest.mark.parametrize("action", ["NoSuchAction", "resetNow", "reset", "Reset.req", "", "x" * 10_000])
async def test_an_unknown_action(action: str) -> None:
    async with furnished() as stage:
        before = state(stage.charge_point)
        assert await answer_to(stage, action, {}) == ("NotImplemented", {})
        assert state(stage.charge_point) == before


@pytest.mark.parametrize("action", sorted(ACTIONS - FROM_CENTRAL_SYSTEM))
async def test_a_request_that_is_for_a_charge_point_to_send(action: str) -> None:
    """OCPP-J table 7: known, and not supported by who receives it."""
    async with furnished(secure=True) as stage:
        before = state(stage.charge_point)
        assert await answer_to(stage, action, full(action, "req")) == ("NotSupported", {})
        assert state(stage.charge_point) == before


async def test_without_a_profile_its_requests_are_not_supported() -> None:
    async with scene(profiles=["Core"]) as stage:
        for action in sorted(FROM_CENTRAL_SYSTEM - stage.charge_point.handlers.keys()):
            assert await answer_to(stage, action, full(action, "req")) == ("NotSupported", {}), action


# --- what no schema can tell


@dataclass(frozen=True)
class Fault:
    """A right request for what cannot be. ``outcomes``: the statuses and CALLERROR codes that ``clause`` allows, ours
    first; a Payload is the whole .conf.
    """

    action: str
    payload: Payload
    clause: str
    outcomes: tuple[str | Payload, ...]


def fault(action: str, payload: Mapping[str, Any], clause: str, *outcomes: str | Payload) -> Fault:
    return Fault(action, dict(payload), clause, outcomes)


VALUE = "PropertyConstraintViolation"


def limited_key(name: str, *values: str) -> dict[str, Fault]:
    return {
        f"{name} = {value!r}": fault(
            "ChangeConfiguration",
            {"key": name, "value": value},
            "5.3: out of range, or no such form",
            "Rejected",
            VALUE,
        )
        for value in values
    }


def of(*periods: Payload, **fields: Any) -> Payload:
    """A charging schedule."""
    return {"chargingRateUnit": "A", "chargingSchedulePeriod": [*periods], **fields}


def period(start: int) -> Payload:
    return {"startPeriod": start, "limit": 6.0}


def set_profile(text: str, connector: int, it: Payload, *outcomes: str) -> Fault:
    return fault("SetChargingProfile", {"connectorId": connector, "csChargingProfiles": it}, text, *outcomes)


SEMANTIC: dict[str, Fault] = {
    "availability of an unknown connector": fault(
        "ChangeAvailability", {"connectorId": 6, "type": "Inoperative"}, "5.2", "Rejected", VALUE
    ),
    "an unknown key": fault("ChangeConfiguration", {"key": "Nothing", "value": "1"}, "5.3", "NotSupported"),
    "a read-only key": fault("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "9"}, "5.3", "Rejected"),
    **limited_key("HeartbeatInterval", "-1", "abc", "1.5", "", " ", "1e3", "99999999999", "0x10", "٣"),
    **limited_key("ConnectionTimeOut", "-1", "true"),
    **limited_key("WebSocketPingInterval", "-1"),  # OCPP-J 7
    **limited_key("ClockAlignedDataInterval", "-900", "86401"),
    **limited_key("AuthorizeRemoteTxRequests", "maybe", "1", "", "truefalse"),
    **limited_key("MeterValuesSampledData", "Nothing", "Voltage,Nothing", "Voltage;SoC", ",", "Voltage.L4"),
    **limited_key("ConnectorPhaseRotation", "9.RST", "1.XYZ", "RST"),
    "an unknown key is asked for": fault(
        "GetConfiguration", {"key": ["Nothing"]}, "5.8", {"configurationKey": [], "unknownKey": ["Nothing"]}
    ),
    "more keys than may be asked for": fault(
        "GetConfiguration",
        {"key": [f"Key{number}" for number in range(51)]},
        "5.8: GetConfigurationMaxKeys",
        "OccurenceConstraintViolation",
        VALUE,
    ),
    "a vendor whom nobody knows": fault("DataTransfer", {"vendorId": "com.example"}, "4.3", "UnknownVendorId"),
    "a start at an unknown connector": fault(
        "RemoteStartTransaction", {"connectorId": 6, "idTag": "CAFE"}, "5.11", "Rejected", VALUE
    ),
    "a start where a transaction runs": fault(
        "RemoteStartTransaction", {"connectorId": 1, "idTag": "CAFE"}, "5.11", "Rejected"
    ),
    "a start where nobody may charge": fault(
        "RemoteStartTransaction", {"connectorId": 4, "idTag": "CAFE"}, "5.11", "Rejected"
    ),
    "a start where there is a fault": fault(
        "RemoteStartTransaction", {"connectorId": 5, "idTag": "CAFE"}, "5.11", "Rejected"
    ),
    "a stop of an unknown transaction": fault("RemoteStopTransaction", {"transactionId": 999}, "5.12", "Rejected"),
    **{
        f"a stop of transaction {number}": fault("RemoteStopTransaction", {"transactionId": number}, "5.12", "Rejected")
        for number in (0, 2**63, -(2**63))
    },
    "a stop of no transaction": fault("RemoteStopTransaction", {"transactionId": -1}, "5.12", "Rejected"),
    "an unknown connector is unlocked": fault(
        "UnlockConnector", {"connectorId": 6}, "5.18 with errata 3.87", "NotSupported"
    ),
    "a trigger for an unknown connector": fault(
        "TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 6}, "5.17", "Rejected", VALUE
    ),
    "a boot of who is accepted": fault(
        "TriggerMessage", {"requestedMessage": "BootNotification"}, "5.17 with errata 3.35", "Rejected"
    ),
    "the values of the main meter that is not there": fault(
        "TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 0}, "5.17", "Rejected"
    ),
    **{
        f"reservation {number} is cancelled": fault("CancelReservation", {"reservationId": number}, "5.1", "Rejected")
        for number in (8, 0, -7, 2**63, -(2**63))
    },
    "a reservation where a transaction runs": fault(
        "ReserveNow",
        {"connectorId": 1, "expiryDate": NEXT_YEAR, "idTag": "BEEF", "reservationId": 8},
        "5.13",
        "Occupied",
    ),
    "a reservation where there is one": fault(
        "ReserveNow",
        {"connectorId": 3, "expiryDate": NEXT_YEAR, "idTag": "CAFE", "reservationId": 8},
        "5.13",
        "Occupied",
    ),
    "a reservation where nobody may charge": fault(
        "ReserveNow",
        {"connectorId": 4, "expiryDate": NEXT_YEAR, "idTag": "BEEF", "reservationId": 8},
        "5.13",
        "Unavailable",
    ),
    "a reservation where there is a fault": fault(
        "ReserveNow",
        {"connectorId": 5, "expiryDate": NEXT_YEAR, "idTag": "BEEF", "reservationId": 8},
        "5.13",
        "Faulted",
    ),
    "a reservation of an unknown connector": fault(
        "ReserveNow",
        {"connectorId": 6, "expiryDate": NEXT_YEAR, "idTag": "BEEF", "reservationId": 8},
        "5.13",
        "Rejected",
        VALUE,
    ),
    "a list that is older": fault(
        "SendLocalList",
        {"listVersion": 4, "updateType": "Differential", "localAuthorizationList": [entry(3)]},
        "7.47",
        "VersionMismatch",
    ),
    "a list that is as old": fault(
        "SendLocalList",
        {"listVersion": 5, "updateType": "Differential", "localAuthorizationList": [entry(3)]},
        "7.47",
        "VersionMismatch",
    ),
    "a list that is too long": fault(
        "SendLocalList",
        {"listVersion": 6, "updateType": "Full", "localAuthorizationList": [entry(number) for number in range(1000)]},
        "9.2.3: SendLocalListMaxLength",
        "Failed",
        "OccurenceConstraintViolation",
        VALUE,
    ),
    "a list that holds an idTag twice, in another case": fault(
        "SendLocalList",
        {"listVersion": 6, "updateType": "Full", "localAuthorizationList": [entry(3), entry(3) | {"idTag": "tag-3"}]},
        "6.41, and 7.28: an IdToken is case insensitive",
        "Failed",
        "OccurenceConstraintViolation",
        VALUE,
    ),
    "a change that has an idTag come and go": fault(
        "SendLocalList",
        {"listVersion": 6, "updateType": "Differential", "localAuthorizationList": [entry(1), {"idTag": "TAG-1"}]},
        "6.41: all idTags must be unique",
        "Failed",
        "OccurenceConstraintViolation",
        VALUE,
    ),
    "a list that holds an idTag twice": fault(
        "SendLocalList",
        {"listVersion": 6, "updateType": "Full", "localAuthorizationList": [entry(3), entry(3)]},
        "6.41: all idTags must be unique",
        "Failed",
        "OccurenceConstraintViolation",
        VALUE,
    ),
    "a whole list with an idTag of which it says nothing": fault(
        "SendLocalList",
        {"listVersion": 6, "updateType": "Full", "localAuthorizationList": [{"idTag": "TAG-9"}]},
        "7.1: idTagInfo is required when updateType is Full",
        "Failed",
        "OccurenceConstraintViolation",
        VALUE,
    ),
    "a profile for an unknown connector": set_profile("errata 3.39", 6, profile(), VALUE),
    "a profile of the Charge Point for a connector": set_profile(
        "3.13.1: ChargePointMaxProfile only at connector 0",
        1,
        profile(chargingProfileId=2, chargingProfilePurpose="ChargePointMaxProfile", chargingProfileKind="Absolute"),
        "Rejected",
        VALUE,
    ),
    "a profile of a transaction for the Charge Point": set_profile(
        "3.13.1: TxProfile only at a connector", 0, tx_profile(transactionId=1), "Rejected", VALUE
    ),
    "a profile of a transaction where none runs": set_profile("5.16.4", 2, tx_profile(), "Rejected", VALUE),
    "a profile of another transaction": set_profile("5.16.3", 1, tx_profile(transactionId=999), "Rejected", VALUE),
    "a profile above the highest stack level": set_profile(
        "9.4.1: ChargeProfileMaxStackLevel", 0, profile(chargingProfileId=2, stackLevel=1000), "Rejected", VALUE
    ),
    "a profile with too many periods": set_profile(
        "9.4.3: ChargingScheduleMaxPeriods",
        0,
        profile(
            chargingProfileId=2,
            chargingSchedule={
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 60 * number, "limit": 6.0} for number in range(1000)],
            },
        ),
        "Rejected",
        "OccurenceConstraintViolation",
        VALUE,
    ),
    "a profile whose schedule begins late": set_profile(
        "errata 3.45: the first startPeriod is 0", 0, profile(chargingSchedule=of(period(60))), VALUE
    ),
    "a profile with two periods at once": set_profile(
        "7.14", 0, profile(chargingSchedule=of(period(0), period(60), period(60))), VALUE
    ),
    "a profile with periods in another order": set_profile(
        "7.14", 0, profile(chargingSchedule=of(period(0), period(120), period(60))), VALUE
    ),
    "a profile that recurs nobody knows when": set_profile(
        "errata 3.56",
        0,
        profile(chargingProfileKind="Recurring", chargingSchedule=of(period(0), startSchedule=NEXT_YEAR)),
        VALUE,
    ),
    "a profile that recurs and does not": set_profile("errata 3.56", 0, profile(recurrencyKind="Daily"), VALUE),
    "a profile for every transaction and for one": set_profile(
        "7.8: transactionId belongs to a TxProfile", 0, profile(transactionId=1), "Rejected", VALUE
    ),
    **{
        f"a start with {name}": fault(
            "RemoteStartTransaction", {"connectorId": 2, "idTag": "CAFE", "chargingProfile": it}, clause, *outcomes
        )
        for name, it, clause, *outcomes in (
            ("a profile for every transaction", profile(), "5.16.2", "Rejected", VALUE),
            ("a profile for another transaction", tx_profile(transactionId=1), "errata 3.41", "Rejected", VALUE),
            (
                "a schedule that begins late",
                tx_profile(chargingSchedule=of(period(60))),
                "errata 3.45",
                VALUE,
                "Rejected",
            ),
            ("a stack level that is too high", tx_profile(stackLevel=1000), "9.4.1", "Rejected", VALUE),
        )
    },
    "diagnostics of a time that has not come": fault(
        "GetDiagnostics", {"location": "ftp://127.0.0.1:1/", "startTime": NEXT_YEAR}, "5.9: no fileName", {}
    ),
    "diagnostics until before they begin": fault(
        "GetDiagnostics",
        {"location": "ftp://127.0.0.1:1/", "startTime": "2031-05-14T00:00:00Z", "stopTime": "2031-05-12T00:00:00Z"},
        "5.9: no fileName",
        {},
    ),
    **{
        f"{action} of connector {number}": fault(action, {**more, "connectorId": number}, clause, *outcomes)
        for number in (2**31, 2**63)
        for action, more, clause, *outcomes in (
            ("ChangeAvailability", {"type": "Operative"}, "5.2", "Rejected", VALUE),
            ("ClearChargingProfile", {}, "5.5", "Unknown", VALUE),
            ("GetCompositeSchedule", {"duration": 60}, "5.7", "Rejected", VALUE),
            ("RemoteStartTransaction", {"idTag": "CAFE"}, "5.11", "Rejected", VALUE),
            ("ReserveNow", {"expiryDate": NEXT_YEAR, "idTag": "CAFE", "reservationId": 8}, "5.13", "Rejected", VALUE),
            ("SetChargingProfile", {"csChargingProfiles": profile()}, "errata 3.39", VALUE),
            ("TriggerMessage", {"requestedMessage": "StatusNotification"}, "5.17", "Rejected", VALUE),
            ("UnlockConnector", {}, "errata 3.87", "NotSupported"),
        )
    },
    "no profile of that level to clear": fault("ClearChargingProfile", {"stackLevel": 99}, "5.5, 7.21", "Unknown"),
    "no such profile to clear": fault("ClearChargingProfile", {"id": 999}, "5.5, 7.21", "Unknown"),
    "no profile to clear at an unknown connector": fault(
        "ClearChargingProfile", {"connectorId": 6}, "5.5, 7.21", "Unknown", VALUE
    ),
    "the schedule of an unknown connector": fault(
        "GetCompositeSchedule", {"connectorId": 6, "duration": 60}, "5.7", "Rejected", VALUE
    ),
}

# Requests that cannot be for what is not there: they name nothing, or are processed whatever they name.
WITHOUT_SUCH_FAULTS = {"ClearCache", "GetLocalListVersion", "Reset", "UpdateFirmware"}


def certificate_hash(serial_number: str) -> Payload:
    """A CertificateHashData of the root, but for the serial number."""
    return hash_data(ROOT.certificate, ROOT.certificate) | {"serialNumber": serial_number}


def firmware(signing_certificate: str) -> Payload:
    return {
        "location": "ftp://127.0.0.1:1/image.bin",
        "retrieveDateTime": "2031-05-13T00:00:00Z",
        "signingCertificate": signing_certificate,
        "signature": "AAAA",
    }


BAD_CERTIFICATES = {
    "no certificate": "Sample",
    "half a certificate": pem(ROOT.certificate)[:200],
    "two certificates": pem(ROOT.certificate, MANUFACTURER.certificate),
    "one of no authority": pem(OWN.certificate),
    "one that expired": pem(Authority.root("Root", "Operator", validity=EXPIRED).certificate),
    "one that is not yet valid": pem(Authority.root("Root", "Operator", validity=NOT_YET).certificate),
}

# The same for a Charge Point that has what the white paper adds, and the event that is told (chapter 8).
OF_SECURITY: dict[str, tuple[Fault, str]] = {
    **{
        f"an AuthorizationKey of {words}": (
            fault("ChangeConfiguration", {"key": "AuthorizationKey", "value": value}, "7.2", "Rejected", VALUE),
            "",
        )
        for words, value in {
            "nothing": "",
            "15 bytes": "00" * 15,
            "21 bytes": "00" * 21,
            "half a byte more": "00" * 16 + "0",
            "no digits": "xy" * 16,
        }.items()
    },
    **{
        f"SecurityProfile = {value!r}": (
            fault("ChangeConfiguration", {"key": "SecurityProfile", "value": value}, "A05.FR.01, 7.6", "Rejected"),
            "",
        )
        for value in ("0", "4", "-1", "", "two", "٣")
    },
    **{
        f"{words} is installed": (
            fault("InstallCertificate", {"certificateType": CENTRAL_SYSTEM, "certificate": text}, "M05", "Rejected"),
            "InvalidCentralSystemCertificate",
        )
        for words, text in BAD_CERTIFICATES.items()
    },
    **{
        f"{words} of a manufacturer is installed": (
            fault(
                "InstallCertificate",
                {"certificateType": "ManufacturerRootCertificate", "certificate": text},
                "M05.FR.06",
                "Rejected",
            ),
            "",
        )
        for words, text in BAD_CERTIFICATES.items()
    },
    **{
        f"{words} is what was signed": (
            fault("CertificateSigned", {"certificateChain": text}, "A02.FR.07", "Rejected"),
            "InvalidChargePointCertificate",
        )
        for words, text in (BAD_CERTIFICATES | {"one for another key": OWN.chain_pem}).items()
    },
    "no such certificate to delete": (
        fault("DeleteCertificate", {"certificateHashData": certificate_hash("1")}, "M04.FR.04", "NotFound"),
        "",
    ),
    "a certificate whose serial number is no number": (
        fault("DeleteCertificate", {"certificateHashData": certificate_hash("xyz")}, "M04.FR.04", "NotFound"),
        "",
    ),
    "the own certificate is to be deleted": (
        fault(
            "DeleteCertificate",
            {"certificateHashData": hash_data(OWN.certificate, ROOT.certificate)},
            "M04.FR.05",
            "Failed",
        ),
        "",
    ),
    "certificates of a use of which there are none": (
        fault("GetInstalledCertificateIds", {"certificateType": "ManufacturerRootCertificate"}, "M03", "NotFound"),
        "",
    ),
    "a log of a time that has not come": (
        fault(
            "GetLog",
            {
                "logType": "SecurityLog",
                "requestId": 1,
                "log": {"remoteLocation": "ftp://127.0.0.1:1/", "oldestTimestamp": NEXT_YEAR},
            },
            "N01, 6.9",
            "Rejected",
        ),
        "",
    ),
    **{
        f"an extended trigger for {payload}": (
            fault("ExtendedTriggerMessage", payload, "5.5, 6.17", status),
            "",
        )
        for payload, status in (
            ({"requestedMessage": "StatusNotification", "connectorId": 6}, "Rejected"),
            ({"requestedMessage": "StatusNotification", "connectorId": 2**63}, "Rejected"),
            ({"requestedMessage": "BootNotification"}, "Rejected"),
            ({"requestedMessage": "MeterValues", "connectorId": 0}, "Rejected"),
            ({"requestedMessage": "SignChargePointCertificate"}, "Rejected"),  # A02, prerequisites: no CpoName
            ({"requestedMessage": "DiagnosticsStatusNotification"}, "NotImplemented"),  # is in TriggerMessage alone
            ({"requestedMessage": "Nothing"}, "NotImplemented"),
        )
    },
    **{
        f"firmware is signed with {words}": (
            fault(
                "SignedUpdateFirmware", {"requestId": 1, "firmware": firmware(text)}, "L01.FR.02", "InvalidCertificate"
            ),
            "InvalidFirmwareSigningCertificate",
        )
        for words, text in BAD_CERTIFICATES.items()
    },
}


async def test_every_request_has_a_handler_to_meet() -> None:
    async with furnished(secure=True) as stage:
        assert stage.charge_point.handlers.keys() == FROM_CENTRAL_SYSTEM


def test_every_request_is_in_the_table() -> None:
    actions = {row.action for row in (*SEMANTIC.values(), *(row for row, _ in OF_SECURITY.values()))}
    assert actions | WITHOUT_SUCH_FAULTS == FROM_CENTRAL_SYSTEM
    assert not actions & WITHOUT_SUCH_FAULTS


@pytest.mark.parametrize("name", OF_SECURITY)
async def test_a_request_of_the_white_paper_for_what_cannot_be(name: str) -> None:
    row, event = OF_SECURITY[name]
    async with furnished(secure=True) as stage:
        before = state(stage.charge_point)
        await ask(stage, row.action, row.payload)
        await stage.pass_time(100)
        answer, *told = stage.seen
        assert answer.action == f"{row.action}.conf"
        assert answer.payload["status"] in row.outcomes, row.clause
        assert [(each.action, each.payload["type"]) for each in told] == (
            [("SecurityEventNotification", event)] if event else []
        )
        logged = stage.charge_point.memory.security_log
        assert [each["type"] for each in logged[len(before["memory"]["security_log"]) :]] == ([event] if event else [])
        after = state(stage.charge_point)
        after["memory"]["security_log"] = before["memory"]["security_log"]
        assert after == before


@pytest.mark.parametrize("name", SEMANTIC)
async def test_a_request_for_what_cannot_be(name: str) -> None:
    row = SEMANTIC[name]
    async with furnished() as stage:
        before = state(stage.charge_point)
        code, conf = await answer_to(stage, row.action, row.payload)
        assert (code or conf.get("status") or conf) in row.outcomes, row.clause
        await stage.pass_time(100)
        assert stage.story() == []
        assert state(stage.charge_point) == before


async def test_a_list_that_is_switched_off_has_no_version() -> None:
    async with furnished() as stage:
        assert await answer_to(stage, "GetLocalListVersion", {}) == ("", {"listVersion": 5})
        await stage.change(LocalAuthListEnabled=False)
        before = state(stage.charge_point)
        assert await answer_to(stage, "GetLocalListVersion", {}) == ("", {"listVersion": -1})  # 5.10
        sent = FURNITURE["SendLocalList"] | {"listVersion": 6}
        assert await answer_to(stage, "SendLocalList", sent) == ("", {"status": "NotSupported"})  # 7.47
        assert state(stage.charge_point) == before


async def test_a_cache_that_is_switched_off_is_not_cleared() -> None:
    async with furnished() as stage:
        await stage.change(AuthorizationCacheEnabled=False)
        before = state(stage.charge_point)
        assert await answer_to(stage, "ClearCache", {}) == ("", {"status": "Rejected"})  # errata 3.23
        assert state(stage.charge_point) == before


@pytest.mark.parametrize("fault", sorted(FITTING))
def test_a_callerror_fits_by_table_7(fault: str) -> None:
    assert len(set(FITTING[fault])) == len(FITTING[fault]) >= 2
