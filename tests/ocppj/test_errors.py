import pytest

from ocppj.errors import (
    BadAnswer,
    CallFailed,
    Disconnected,
    ErrorCode,
    LocalMisuse,
    Refused,
    RemoteViolation,
    Unanswered,
    canonical_code,
)


def test_the_codes_are_those_of_table_7_slips_included() -> None:
    assert {str(code) for code in ErrorCode} == {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
    }


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("FormatViolation", "FormationViolation"),
        ("OccurrenceConstraintViolation", "OccurenceConstraintViolation"),
        ("FormationViolation", "FormationViolation"),
        ("Teapot", "Teapot"),
    ],
)
def test_canonical_codes(written: str, canonical: str) -> None:
    assert canonical_code(written) == canonical


def test_a_call_can_fail_in_four_ways_and_none_is_a_bug_of_ours() -> None:
    for kind in (Refused, Unanswered, Disconnected, BadAnswer):
        assert issubclass(kind, CallFailed)
    assert not issubclass(LocalMisuse, CallFailed)
    assert not issubclass(RemoteViolation, CallFailed)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [(Refused("GenericError"), "GenericError"), (Refused("GenericError", "why"), "GenericError: why")],
)
def test_a_refusal_reads_well(refusal: Refused, words: str) -> None:
    assert str(refusal) == words
    assert refusal.details == {}
