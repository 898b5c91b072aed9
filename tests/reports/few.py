"""A few cases for the views of a run, and texts that a device would like to be read as something else."""

from typing import Any

from reports.results import CaseResult, Results

# What a vendor may call itself, an idTag may be, an error text may say.
NASTY = (
    "<script>alert(1)</script> ]]> | `x` *b* [l](http://evil.example) www.evil.example @all & \" ' "
    "\x00\x1b[31m\ud800\ufffe\n# H"
)
LONG = "A" * 10_000


def case(case_id: str, verdict: str = "pass", **fields: Any) -> CaseResult:
    """A case by its id, of Core if nobody says otherwise; what did not pass has a reason."""
    told: dict[str, Any] = {
        "title": f"Title of {case_id}",
        "role": "CSMS" if case_id.endswith("CSMS") else "CS",
        "profile": "Core",
        "strict_verdict": verdict,
        "reason": "" if verdict == "pass" else f"a reason for {verdict}",
        "duration_s": 1.5,
        "clauses": ["OCPP 1.6 4.1"],
    }
    return CaseResult(id=case_id, verdict=verdict, **told | fields)


def failure(**fields: Any) -> dict[str, Any]:
    """What is known of a failure."""
    told: dict[str, Any] = {
        "sentence": "Then the Central System responds with Authorize.conf",
        "text": "idTagInfo.status is Invalid",
        "clauses": ["OCPP 1.6 4.1"],
        "requirements": ["A known idTag is accepted"],
        "expected": [{"field": "idTagInfo.status", "expected": "Accepted", "seen": "Invalid"}],
        "nearest": "",
        "frame": None,
        "frames": [],
        "next": "Look at the idTag in the Central System.",
        "cause": "Authorize.conf idTagInfo.status",
    }
    return told | fields


def results(*cases: CaseResult, kind: str = "Central System", **run: Any) -> Results:
    """A run of these cases."""
    facts: dict[str, object] = {
        "tool": "ocpp-rehearsal",
        "version": "0.1.0",
        "started": "2026-02-03T04:05:06+00:00",
        "time": "real",
        "strict": False,
        "shuffle": None,
    }
    device: dict[str, object] = {
        "kind": kind,
        "address": "ws://localhost:8180/ocpp",
        "identity": "CP1",
        "lacks": [],
        "test_data": {},
        "file_servers": {},
        "limits_s": {"message_timeout": 30.0},
    }
    return Results(facts | run, device, list(cases))
