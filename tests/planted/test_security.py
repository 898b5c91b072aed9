"""What the white paper allows fails no case, and what nobody can judge fails none either.

A case that judges the other party may need ours to do it otherwise. Faults that cases must find are in bench/mutants.
"""

import pytest

from bench.cases import all_cases
from bench.mutants import Plant
from bench.mutants.planting import notifies
from bench.mutants.security.certificates import makes_keys, names, notes, signs_wrongly, with_hash_data
from bench.mutants.security.passwords_and_profiles import with_keys_of
from bench.mutants.security.tls import offers, opens_without_subprotocol, shows
from ocppj.frames import Payload
from ocppj.tls import ECDSA_SUITES, RSA_SUITES
from reference_csms.store import View
from tests.planted.test_planted_faults import not_passed

IDS = frozenset(case.id for case in all_cases().values() if case.profile == "Security")


def in_capitals(told: dict[str, str]) -> dict[str, str]:
    return {name: value.upper() for name, value in told.items()}


def named_in_capitals(_: View, told: Payload) -> Payload:
    return in_capitals(told)


# What is done, and the cases that do not pass.
LAWFUL: dict[str, tuple[Plant, dict[str, str]]] = {
    "the AuthorizationKey has 16 bytes": (with_keys_of(16), {}),
    "the CSR is for an RSA key of 2048 bits": (makes_keys("RSA", 2048), {}),
    "hash data are told in capitals": (with_hash_data(in_capitals), {}),
    "hash data are named in capitals": (names(named_in_capitals), {"TC_076_CS": "error"}),
    "InstallRebooting is not told": (
        notifies("SignedFirmwareStatusNotification", "InstallRebooting", None),
        {"TC_080_CSMS": "inconclusive"},
    ),
    "FirmwareUpdated is not told": (notes("FirmwareUpdated", None), {"TC_080_CSMS": "inconclusive"}),
    "both ECDSA suites are offered": (offers(*ECDSA_SUITES), {}),
    "both RSA suites are offered": (offers(*RSA_SUITES), {}),
    "a subjectAltName has the name instead of CN": (
        shows("server", common_name="example.com", dns_names=("localhost",)),
        {},
    ),
    "a connection without a subprotocol is closed at once": (opens_without_subprotocol, {}),
    "nobody knows who has signed the certificate": (
        signs_wrongly("unknown_authority"),
        {"TC_074_CS": "error", "TC_074_CSMS": "inconclusive", "TC_077_CSMS": "inconclusive"},
    ),
}


@pytest.mark.parametrize("name", LAWFUL)
def test_what_is_lawful_or_unknown_fails_nothing(name: str) -> None:
    plant, verdicts = LAWFUL[name]
    assert not_passed(plant, IDS) == verdicts
