"""Faults about passwords and security profiles (white paper A00, A01, A05)."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from websockets.frames import CloseCode

import bench.run
import ocppj.connection
import reference_csms.security
from bench.mutants import Mutant, Plant
from bench.mutants.planting import answers, asks, asks_wrongly, instead, together, where, with_fields
from ocppj.connection import Admission, Attempt, ServerSocket
from ocppj.frames import Payload
from reference_csms import central_system
from reference_csms.central_system import CentralSystem
from reference_csms.store import ChargePoint as KnownChargePoint
from reference_csms.store import Store, View
from simulator import core
from simulator.charge_point import ChargePoint
from simulator.configuration import Key
from simulator.security import Security

CSMS = central_system.HANDLERS
SECONDS = 10.0
LOCKOUT = 300.0  # seconds


def changes_key(change: Callable[[Security, str], str]) -> Plant:
    """What the Charge Point does about another AuthorizationKey."""
    return lambda patch: patch.setattr(Security, "_change_authorization_key", change)


def forgets_key(security: Security, value: str) -> str:
    security._charge_point.afterwards(security._charge_point.reconnect)
    return "Accepted"


def does_not_reconnect(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ChargePoint, "reconnect", lambda self: None)


def with_password(show: Callable[[bytes | None], bytes | None]) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        get: Any = vars(Security)["authorization_key"].fget
        patch.setattr(Security, "authorization_key", property(lambda self: show(get(self))))

    return plant


def in_digits(password: bytes | None) -> bytes | None:
    return password.hex().upper().encode() if password else None


def with_user(name: str) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = ocppj.connection.basic_authentication
        patch.setattr(ocppj.connection, "basic_authentication", lambda _, password: ordinary(name, password))

    return plant


def after_a_boot(fault: Plant) -> Plant:
    """The fault begins with the second boot of a Charge Point, and ends with the Charge Point."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        power_up, stop = Security.power_up, ChargePoint.stop
        faults: list[pytest.MonkeyPatch] = []

        def later(self: Security, reason: str) -> None:
            if reason != "PowerLoss":
                faults.append(pytest.MonkeyPatch())
                fault(faults[-1])
            power_up(self, reason)

        async def mended(self: ChargePoint) -> None:
            await stop(self)
            while faults:
                faults.pop().undo()

        patch.setattr(Security, "power_up", later)
        patch.setattr(ChargePoint, "stop", mended)

    return plant


def with_keys_of(size: int) -> Plant:
    """The key that both parties know from the beginning."""
    return lambda patch: patch.setattr(bench.run, "token_bytes", lambda _: bytes(range(1, size + 1)))


def changes_profile(change: Callable[[Security, str], str]) -> Plant:
    """What the Charge Point does about another SecurityProfile."""
    return lambda patch: patch.setattr(Security, "_change_profile", change)


def needs_a_reboot(status: str) -> Plant:
    def change(security: Security, value: str) -> str:
        security._configure_profile(int(value))
        return status

    return changes_profile(change)


def reconnects_with_it(security: Security, value: str) -> str:
    security._configure_profile(int(value))
    security.profile = int(value)
    security._charge_point.afterwards(security._charge_point.reconnect)
    return "Rejected"


def reconnects_in_vain(security: Security, value: str) -> str:
    security._charge_point.afterwards(security._charge_point.reconnect)
    return "Accepted"


def is_unavailable(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ChargePoint, "is_operative", lambda *_: False)


def admits_every_profile(patch: pytest.MonkeyPatch) -> None:
    """So does the Central System beside a faulty Charge Point."""
    patch.setattr(reference_csms.security, "profiles_of", lambda _: {0, 1, 2, 3})


REBOOTS = "TC_085_CS TC_086_CS TC_087_CS"

OF_CHARGE_POINT = [
    Mutant(
        "a new AuthorizationKey is Rejected",
        "Charge Point",
        "white paper A01",
        changes_key(lambda *_: "Rejected"),
        "TC_073_CS",
    ),
    Mutant(
        "a new AuthorizationKey is used at once and takes a reboot, as it says",
        "Charge Point",
        "white paper A01",
        answers(core.HANDLERS, "ChangeConfiguration", instead("RebootRequired"), key="AuthorizationKey"),
        "TC_073_CS",
    ),
    Mutant(
        "a new AuthorizationKey is Accepted, and the old one shown",
        "Charge Point",
        "white paper A01",
        changes_key(forgets_key),
        "TC_073_CS",
        accuses="TC_073_CSMS",
    ),
    Mutant(
        "the Charge Point does not connect again",
        "Charge Point",
        "white paper A02.FR.08",
        does_not_reconnect,
        "TC_073_CS TC_074_CS",
    ),
    *(
        Mutant(
            f"after a boot {words}",
            "Charge Point",
            f"white paper {clause}",
            after_a_boot(fault),
            "TC_080_CS TC_085_CS TC_086_CS",
            accuses="TC_080_CSMS TC_083_CSMS",
        )
        for words, clause, fault in [
            ("the AuthorizationKey is shown in hexadecimal digits", "A00.FR.205", with_password(in_digits)),
            ("the user is not the identity", "A00.FR.204", with_user("SN-0001")),
            ("no AuthorizationKey is shown", "A00.FR.203", with_password(lambda _: None)),
        ]
    ),
    Mutant(
        "after a boot no AuthorizationKey is shown over TLS",
        "Charge Point",
        "white paper A00.FR.302",
        after_a_boot(with_password(lambda _: None)),
        "TC_085_CS TC_086_CS",
        security_profile=2,
    ),
    Mutant(
        "the AuthorizationKey has 10 bytes",
        "Charge Point",
        "white paper A00.FR.205",
        with_keys_of(10),
        "TC_083_CS TC_085_CS TC_086_CS",
    ),
    Mutant(
        "the AuthorizationKey has 21 bytes",
        "Charge Point",
        "white paper A00.FR.205",
        with_keys_of(21),
        "TC_083_CS TC_085_CS TC_086_CS",
    ),
    Mutant(
        "every SecurityProfile is Rejected",
        "Charge Point",
        "white paper A05.FR.05",
        changes_profile(lambda *_: "Rejected"),
        "TC_083_CS",
    ),
    Mutant(
        "SecurityProfile is NotSupported",
        "Charge Point",
        "white paper 7.6",
        changes_profile(lambda *_: "NotSupported"),
        "TC_083_CS TC_084_CS",
    ),
    Mutant(
        "a new SecurityProfile is Rejected, and used after a reboot",
        "Charge Point",
        "white paper A05.FR.05",
        together(needs_a_reboot("Rejected"), admits_every_profile),
        "TC_083_CS",
    ),
    Mutant(
        "every SecurityProfile is RebootRequired",
        "Charge Point",
        "white paper A05.FR.01",
        needs_a_reboot("RebootRequired"),
        "TC_084_CS",
    ),
    Mutant(
        "every SecurityProfile is Accepted, and none used",
        "Charge Point",
        "white paper A05.FR.07, white paper 7.6",
        changes_profile(lambda *_: "Accepted"),
        "TC_083_CS TC_084_CS",
    ),
    Mutant(
        "a new SecurityProfile is Accepted, and the former one used",
        "Charge Point",
        "white paper A05.FR.07",
        changes_profile(reconnects_in_vain),
        "TC_083_CS TC_084_CS",
    ),
    Mutant(
        "a Rejected SecurityProfile is used",
        "Charge Point",
        "white paper A05.FR.01",
        changes_profile(reconnects_with_it),
        "TC_083_CS TC_084_CS",
    ),
    Mutant(
        "Reset is Rejected, also that for a new SecurityProfile",
        "Charge Point",
        "OCPP 1.6 5.14",
        together(needs_a_reboot("RebootRequired"), answers(core.HANDLERS, "Reset", instead("Rejected"))),
        f"TC_083_CS {REBOOTS}",
    ),
    Mutant(
        "the connectors are Unavailable after a boot, also that for a new SecurityProfile",
        "Charge Point",
        "OCPP 1.6 4.9",
        together(needs_a_reboot("RebootRequired"), after_a_boot(is_unavailable)),
        f"TC_080_CS TC_083_CS {REBOOTS}",
    ),
]


def takes_any_key(patch: pytest.MonkeyPatch) -> None:
    """So does the Charge Point beside a faulty Central System."""
    understood = Key.understood

    def anything(self: Key, text: str) -> str | None:
        return text if self.name == "AuthorizationKey" else understood(self, text)

    patch.setattr(Key, "understood", anything)


def writes_profiles_with_decimals(patch: pytest.MonkeyPatch) -> None:
    """And the Charge Point beside it reads them so."""
    integer = Key._integer
    patch.setattr(Key, "_integer", lambda self, text: integer(self, text.removesuffix(".0")))
    patch.setattr(reference_csms.security, "_profile_in", lambda value: int(float(value)))
    asks("ChangeConfiguration", lambda asked: with_decimals(asked) if asked["key"] == "SecurityProfile" else asked)(
        patch
    )


def with_decimals(asked: Payload) -> Payload:
    return asked | {"value": f"{asked['value']}.0"}


def changes_cpo_name(asked: Payload) -> Payload:
    return asked | {"key": asked["key"].replace("AuthorizationKey", "CpoName")}


def admits(fault: Callable[[dict[str, Any]], bool]) -> Plant:
    """The Central System lets some pass who do not authenticate themselves."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = reference_csms.security._fault_of_credentials
        patch.setattr(
            reference_csms.security, "_fault_of_credentials", lambda facts: "" if fault(facts) else ordinary(facts)
        )

    return plant


def admits_not(who: Callable[[Store, Attempt, Admission], bool]) -> Plant:
    """The Central System refuses some whom it would admit."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        admit = reference_csms.security.admit

        def refuse(store: Store, attempt: Attempt) -> Admission:
            admission = admit(store, attempt)
            if admission.is_granted and who(store, attempt, admission):
                return Admission(HTTPStatus.FORBIDDEN, "not today", admission.facts)
            return admission

        patch.setattr(reference_csms.security, "admit", refuse)

    return plant


def admits_nobody_after_a_change_of_key(patch: pytest.MonkeyPatch) -> None:
    """For a while."""
    take_over = reference_csms.security._take_over
    changed_at: dict[int, float] = {}

    def note(charge_point: KnownChargePoint, key: bytes) -> None:
        take_over(charge_point, key)
        changed_at[id(charge_point)] = asyncio.get_running_loop().time()

    def is_changing(store: Store, attempt: Attempt, _: Admission) -> bool:
        at = changed_at.get(id(store.charge_points[attempt.identity]))
        return at is not None and asyncio.get_running_loop().time() < at + SECONDS

    patch.setattr(reference_csms.security, "_take_over", note)
    admits_not(is_changing)(patch)


def first_with_a_new_profile() -> Callable[[Store, Attempt, Admission], bool]:
    seen: list[Store] = []

    def is_first(store: Store, attempt: Attempt, admission: Admission) -> bool:
        if admission.facts["securityProfile"] <= store.charge_points[attempt.identity].security_profile:
            return False
        seen.append(store)
        return sum(each is store for each in seen) == 1

    return is_first


def believes_in_lost_connections(patch: pytest.MonkeyPatch) -> None:
    """For some minutes who has lost his connection is refused, as if he still had it."""
    serve, admit = CentralSystem._serve, CentralSystem._admits
    lost_at: dict[tuple[CentralSystem, str], float] = {}

    async def serve_and_note(self: CentralSystem, websocket: ServerSocket) -> None:
        await serve(self, websocket)
        if websocket.close_code == CloseCode.ABNORMAL_CLOSURE:
            lost_at[self, websocket.identity] = asyncio.get_running_loop().time()

    def admits_later(self: CentralSystem, attempt: Attempt) -> Admission:
        at = lost_at.get((self, attempt.identity))
        if at is not None and asyncio.get_running_loop().time() < at + LOCKOUT:
            return Admission(HTTPStatus.CONFLICT, "connected already", admit(self, attempt).facts)
        return admit(self, attempt)

    patch.setattr(CentralSystem, "_serve", serve_and_note)
    patch.setattr(CentralSystem, "_admits", admits_later)


def forgets_new_key(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reference_csms.security, "_take_over", lambda *_: None)
    patch.setattr(reference_csms.security, "_propose_key", lambda *_: None)


def forgets_new_profile(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reference_csms.security, "_learn_profile", lambda *_: None)
    patch.setattr(reference_csms.security, "_propose_profile", lambda *_: None)


def admits_former_profile(patch: pytest.MonkeyPatch) -> None:
    profiles_of = reference_csms.security.profiles_of

    def and_lower(charge_point: Any) -> set[int]:
        return {*profiles_of(charge_point), *range(1, charge_point.security_profile)}

    patch.setattr(reference_csms.security, "profiles_of", and_lower)


def boots_again(status: str, *, always: bool) -> Plant:
    """The Central System answers the second BootNotification.req with a status, or every one but the first."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        handle = CSMS["BootNotification"]
        seen: list[Store] = []

        def pend(store: View, request: Payload) -> Payload:
            conf = handle(store, request)
            seen.append(store.shared)
            times = sum(each is store.shared for each in seen)
            return conf | {"status": status, "interval": 5} if times == 2 or (always and times > 1) else conf

        patch.setitem(CSMS, "BootNotification", pend)

    return plant


OF_CENTRAL_SYSTEM = [
    *(
        Mutant(
            f"a new AuthorizationKey {words}",
            "Central System",
            "white paper A00.FR.205",
            together(
                asks_wrongly("ChangeConfiguration", with_fields(value=value), key="AuthorizationKey"), takes_any_key
            ),
            "TC_073_CSMS",
        )
        for words, value in [("has 10 bytes", "0F" * 10), ("has 21 bytes", "0F" * 21)]
    ),
    Mutant(
        "a new AuthorizationKey is text",
        "Central System",
        "white paper A00.FR.205",
        asks_wrongly("ChangeConfiguration", with_fields(value="a secret of 24 characters"), key="AuthorizationKey"),
        "TC_073_CSMS",
    ),
    Mutant(
        "another key than AuthorizationKey is changed",
        "Central System",
        "white paper A01.FR.02",
        asks("ChangeConfiguration", changes_cpo_name),
        "TC_073_CSMS",
    ),
    Mutant(
        "the former AuthorizationKey is still admitted",
        "Central System",
        "white paper A01.FR.03",
        admits(lambda facts: facts["key"] == "former"),
        "TC_073_CSMS",
    ),
    Mutant(
        "any AuthorizationKey is admitted",
        "Central System",
        "white paper A00.FR.202",
        admits(lambda facts: facts["scheme"] == "Basic"),
        "TC_073_CSMS",
    ),
    Mutant(
        "no AuthorizationKey is admitted as well",
        "Central System",
        "white paper A00.FR.202",
        admits(lambda facts: facts["scheme"] is None),
        "TC_085_CSMS",
    ),
    Mutant(
        "no AuthorizationKey is admitted as well over TLS",
        "Central System",
        "white paper A00.FR.301",
        admits(lambda facts: facts["scheme"] is None),
        "TC_085_CSMS",
        security_profile=2,
    ),
    Mutant(
        "a new AuthorizationKey is forgotten",
        "Central System",
        "white paper A01.FR.03",
        forgets_new_key,
        "TC_073_CSMS",
        accuses="TC_073_CS",
    ),
    Mutant(
        "nobody is admitted for a while after a change of AuthorizationKey",
        "Central System",
        "white paper A01.FR.03",
        admits_nobody_after_a_change_of_key,
        "TC_073_CSMS",
    ),
    Mutant(
        "after a refusal nobody is admitted",
        "Central System",
        "white paper A00.FR.202",
        admits_not(lambda store, *_: bool(store.security_log)),
        "TC_083_CSMS TC_085_CSMS",
    ),
    Mutant(
        "who has lost his connection is taken for connected for some minutes",
        "Central System",
        "OCPP-J 3.2",
        believes_in_lost_connections,
        "TC_083_CSMS TC_085_CSMS TC_086_CSMS TC_087_CSMS",
    ),
    Mutant(
        "Pending after the first boot",
        "Central System",
        "OCPP 1.6 4.2",
        boots_again("Pending", always=True),
        "TC_080_CSMS TC_083_CSMS TC_085_CSMS TC_086_CSMS TC_087_CSMS",
    ),
    Mutant(
        "Pending once after the first boot",
        "Central System",
        "OCPP 1.6 4.2",
        boots_again("Pending", always=False),
        "TC_080_CSMS TC_083_CSMS TC_085_CSMS TC_086_CSMS TC_087_CSMS",
    ),
    Mutant(
        "SecurityProfile does not rise",
        "Central System",
        "white paper A05",
        asks("ChangeConfiguration", where(with_fields(value="1"), key="SecurityProfile")),
        "TC_083_CSMS",
    ),
    Mutant(
        "SecurityProfile rises by two",
        "Central System",
        "white paper A05",
        asks("ChangeConfiguration", where(with_fields(value="3"), key="SecurityProfile")),
        "TC_083_CSMS",
    ),
    Mutant(
        "SecurityProfile is written with decimals",
        "Central System",
        "white paper 7.6",
        writes_profiles_with_decimals,
        "TC_083_CSMS",
    ),
    Mutant(
        "a new security profile takes a Soft reset",
        "Central System",
        "OCPP 1.6 5.14",
        asks("Reset", where(with_fields(type="Soft"), type="Hard")),
        "TC_083_CSMS",
    ),
    Mutant(
        "the former security profile is still admitted",
        "Central System",
        "white paper A05.FR.09",
        admits_former_profile,
        "TC_083_CSMS",
    ),
    Mutant(
        "the former security profile is still admitted, over TLS",
        "Central System",
        "white paper A05.FR.09",
        admits_former_profile,
        "TC_083_CSMS",
        security_profile=2,
    ),
    Mutant(
        "a new security profile is forgotten",
        "Central System",
        "white paper A00.FR.002",
        forgets_new_profile,
        "TC_083_CSMS",
        accuses="TC_083_CS",
    ),
    Mutant(
        "the first attempt with a new security profile is refused",
        "Central System",
        "white paper A05",
        admits_not(first_with_a_new_profile()),
        "TC_083_CSMS",
    ),
]

MUTANTS = [*OF_CHARGE_POINT, *OF_CENTRAL_SYSTEM]
