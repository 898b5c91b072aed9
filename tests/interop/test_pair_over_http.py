"""The reference pair as two foreign devices: processes of their own, real time, and HTTP for who operates them.

Each test case passes where it applies, in one run or another, as it does in one process.
"""

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.cases import all_cases
from tests.interop.rehearsals import (
    HERE,
    PASSWORD,
    SERIAL_NUMBER,
    Party,
    Place,
    Rehearsed,
    free_port,
    own_party,
    rehearsing,
)

DEVICES = HERE.parents[1] / "devices"
AT_ONCE = 6  # most of it is waiting

CORE = ("core",)
OTHERS = ("local_auth_list", "firmware_management", "reservation", "remote_trigger", "smart_charging")
SECURITY = ("security",)

KNOWN = (
    *("--id-tag", "VALID-7F3A91=Accepted,GROUP-51C7", "--id-tag", "VALID-B2E480=Accepted,GROUP-51C7"),
    *("--id-tag", "EXPIRED-2B61=Expired", "--id-tag", "BLOCKED-9D04=Blocked"),
)


@dataclass(frozen=True)
class Pair:
    """A run: the device file, the feature profiles that are played, and how our party is started."""

    device: str
    profiles: tuple[str, ...]
    security_profile: int = 0
    lacks: tuple[str, ...] = ()

    @property
    def is_of_central_system(self) -> bool:
        return "central-system" in self.device


# The longest first.
PAIRS = {
    "Charge Point, Core": Pair("reference-charge-point", CORE),
    "Central System, Core": Pair("reference-central-system", (*CORE, *SECURITY)),
    "basic Charge Point": Pair(
        *("reference-charge-point-basic", (*CORE, "local_auth_list", "reservation")),
        lacks=("detachable_cable", "local_authorization", "backup_power"),
    ),
    "Central System, others": Pair("reference-central-system", OTHERS),
    "Charge Point, others": Pair("reference-charge-point", (*OTHERS, *SECURITY)),
    **{
        f"{role}, security profile {profile}": Pair(f"reference-{name}-secured", SECURITY, profile)
        for profile in (1, 2, 3)
        for role, name in (("Charge Point", "charge-point"), ("Central System", "central-system"))
    },
    "plain Charge Point": Pair(
        *("reference-charge-point-core", ("local_auth_list", "reservation")),
        lacks=("local_auth_list", "reservation"),
    ),
}


def rehearse(place: Place, name: str) -> tuple[Rehearsed, list[str]]:
    """What came of a run, and what went wrong inside of our party."""
    pair = PAIRS[name]
    folder = place.folder / name
    folder.mkdir()
    shutil.copy(DEVICES / f"{pair.device}.toml", folder)
    secured: list[str] = []
    if pair.security_profile:
        secured = ["--security-profile", str(pair.security_profile), "--pki", str(place.pki), "--password", PASSWORD]
    asked = [word for profile in pair.profiles for word in ("--profile", profile)]
    common = ["--device", str(folder / f"{pair.device}.toml"), *secured, *asked]
    is_secure = pair.security_profile > 1
    if pair.is_of_central_system:
        root = ["--tls-ca", str(place.pki / "CentralSystemRoot.pem")] if secured else []
        who = ("--identity", "CP1", "--serial-number", SERIAL_NUMBER) if secured else ()
        with own_party(folder, "csms", "--port", "0", *KNOWN, *secured, *who) as party:
            endpoint = party.secure_endpoint if is_secure else party.endpoint
            higher = ["--next-csms", party.secure_endpoint] if pair.security_profile in (1, 2) else []
            return _run(folder, party, [*common, *root, *higher, "--csms", endpoint])
    port = free_port()
    endpoint = f"{'wss' if is_secure else 'ws'}://localhost:{port}"  # the name in the certificate
    lacking = [word for capability in pair.lacks for word in ("--lacks", capability)]
    with own_party(folder, "charge-point", endpoint, *lacking, *secured) as party:
        return _run(folder, party, [*common, "--listen", f"127.0.0.1:{port}", *place.firmware])


def _run(folder: Path, party: Party, arguments: list[str]) -> tuple[Rehearsed, list[str]]:
    with rehearsing(folder / "run", *arguments, *party.operator) as rehearsal:
        return rehearsal.finish(), party.faults()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Rehearsed, list[str]]]:
    """All of them, several at the same time."""
    place = Place(tmp_path_factory.mktemp("pairs"))
    place.furnish()
    with ThreadPoolExecutor(AT_ONCE) as executor:
        return dict(zip(PAIRS, executor.map(lambda name: rehearse(place, name), PAIRS), strict=True))


@pytest.mark.parametrize("name", PAIRS)
def test_nothing_is_judged_otherwise_than_in_one_process(
    runs: Mapping[str, tuple[Rehearsed, list[str]]], name: str
) -> None:
    came, faults = runs[name]
    others = [
        f"{case['id']}: {case['verdict']} ({case['reason']})"
        for case in came.cases.values()
        if case["verdict"] not in ("pass", "not_applicable")
    ]
    assert others == []
    assert came.status == 0
    assert faults == []


def test_every_case_passes_in_a_run_in_which_it_applies(runs: Mapping[str, tuple[Rehearsed, list[str]]]) -> None:
    passed = {case["id"] for came, _ in runs.values() for case in came.cases.values() if case["verdict"] == "pass"}
    assert {*all_cases()} - passed == set()
    assert len(passed) == 184
