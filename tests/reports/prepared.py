"""Small runs, one per verdict, and the golden files that their views are held against.

``python -m tests.reports.prepared`` writes the golden files anew: look at them before they are committed.
"""

from pathlib import Path
from unittest.mock import patch

from ocppj.transcript import DIRECTIONS, Party, Record, describe
from reports.certification import report
from reports.requirements import requirements
from reports.results import CaseResult, Results, StepResult
from reports.sequence import mermaid, svg
from tests.reports.few import case, failure, results

GOLDEN = Path(__file__).parent / "golden"
VERDICTS = ("pass", "fail", "inconclusive", "error", "not_applicable")
ID = "TC_003_CSMS"
CLAUSES = ("OCPP_4_1", "OCPP_4_8")  # which the case is about
WRONG = 8  # the place of the wrong frame in RECORDS


def at(seconds: float, **fields: object) -> Record:
    return {"timestamp": f"2026-02-03T04:05:{seconds:06.3f}Z", **fields}


def frame(seconds: float, sender: Party, raw: str) -> Record:
    told = {"kind": "frame", "chargePointId": "CP1", "direction": DIRECTIONS[sender], **describe(raw), "raw": raw}
    return at(seconds, **told)


def stimulus(seconds: float, party: Party, action: str, sentence: str, **payload: object) -> Record:
    return at(seconds, kind="stimulus", party=party, action=action, payload=payload, sentence=sentence)


RECORDS: list[Record] = [
    frame(0, "Charge Point", '[2,"CP-0","Heartbeat",{}]') | {"kind": "before"},
    stimulus(1, "Charge Point", "power_on", "Given the Charge Point is booted"),
    at(1, kind="tls", chargePointId="CP1", version="TLSv1.3", suite="TLS_AES_256_GCM_SHA384", certificate=None),
    at(1, kind="auth", chargePointId="CP1", securityProfile=2, scheme="Basic", keyBytes=20, key="current"),
    at(
        1.002,
        kind="connect",
        event="opening",
        chargePointId="CP1",
        url="wss://csms.example/CP1",
        offered=["ocpp1.6"],
        subprotocol="ocpp1.6",
        status=101,
    ),
    frame(1.010, "Central System", '[3,"CP-0",{"currentTime":"2026-02-03T04:05:01Z"}]'),
    stimulus(2, "Charge Point", "present", "When the EV driver presents idTag {ValidIdTag}", idTag="04A1B2C3D4"),
    frame(2.1, "Charge Point", '[2,"CP-1","Authorize",{"idTag":"04A1B2C3D4"}]'),
    frame(2.15, "Central System", '[3,"CP-1",{"idTagInfo":{"status":"Invalid"}}]'),
    frame(3, "Charge Point", '[2,"1","MeterValues",{"connectorId":1,"meterValue":[]}]'),
    frame(3.01, "Central System", '[2,"1","ClearCache",{}]'),
    frame(3.02, "Charge Point", '[4,"1","NotSupported","there is no cache",{}]'),
    frame(3.03, "Central System", '[3,"1",{}]'),
    frame(4, "Central System", '[2,"2","Reset",{"type":"Soft"}]'),
    frame(4.5, "Charge Point", '[2,"3"]'),
    at(5, kind="operator", party="Central System", action="Reset", answer="gave up", words="no time left"),
    at(6, kind="file", operation="upload", location="ftp://127.0.0.1/log", fileName="log.txt", bytes=44, sha256="5e86"),
    at(7, kind="connect", event="closed", chargePointId="CP1", code=1006),
    at(8, kind="connect", event="opening", chargePointId="CP1", url="/CP1", offered=["ocpp0.1"], status=400),
    at(9, kind="end"),
]


def run_of(verdict: str) -> tuple[Results, dict[str, list[Record]]]:
    """A run whose first case ends with this verdict; a second one passed with a remark that is strictly a failure."""
    told = {
        "fail": failure(frame=WRONG, frames=[5, 7]),
        "inconclusive": failure(
            text="the operator gave up: no time left", expected=[], clauses=[], next="Play it again.", cause="operator"
        ),
        "error": failure(text="our own code failed", expected=[], clauses=[], next="Please report it.", cause="crash"),
    }
    first = case(
        ID,
        verdict,
        title="Regular Charging Session - Plugin First",
        failure=told.get(verdict),
        steps=[] if verdict == "not_applicable" else steps_of(verdict),
    )
    run = results(first, case("TC_064_CSMS", strict_verdict="fail", remarks=["a warning in the official tool"]))
    run.device["about"] = {"vendor": "Example & Sons", "product": "Cloud <9>", "place": "Arnhem"}
    run.device["security"] = {"profile": 2, "has_password": True, "tls_ca": "ca.pem", "client_cert": "", "pki": ""}
    run.device["test_data"] = {"ConnectorId": "1", "ValidIdTag": "04A1B2C3D4"}
    return run, {} if verdict == "not_applicable" else {ID: RECORDS}


def steps_of(verdict: str) -> list[StepResult]:
    """The sentences of a case that ends so at its second one."""
    ended = "passed" if verdict == "pass" else verdict
    answer = "the Central System responds with {}.conf"
    accepted = [["idTagInfo.status", "Accepted"]]
    return [
        StepResult("Given", "the Charge Point is booted", "passed"),
        StepResult("Then", answer.format("Authorize"), ended, accepted),
        StepResult(
            "And", answer.format("StartTransaction"), "passed" if verdict == "pass" else "not reached", accepted
        ),
    ]


def page_of(verdict: str) -> str:
    """The report of such a run, with the demands of a few clauses instead of all thousand."""
    few = tuple(each for each in requirements() if each.clause in CLAUSES)
    with patch("reports.coverage.requirements", lambda: few):
        return report(*run_of(verdict))


def golden() -> dict[str, str]:
    """Every golden file, as it is to be."""
    pages = {f"{verdict}.html": page_of(verdict) for verdict in VERDICTS}
    return pages | {"sequence.svg": svg(RECORDS, wrong=WRONG), "sequence.mmd": mermaid(RECORDS, wrong=WRONG)}


def hostile(text: str) -> tuple[Results, dict[str, list[Record]]]:
    """A run in which every text that a device or a user chooses is this one."""
    told = failure(
        text=text, sentence=text, clauses=[text], requirements=[text], nearest=text, next=text, cause=text, frame=0,
        frames=[1, 2], expected=[{"field": text, "expected": text, "seen": text}],
    )  # fmt: skip
    testimony = [dict.fromkeys(("asked", "answer", "words", "note", "by"), text)]
    judged: CaseResult = case(
        ID, "fail", title=text, reason=text, clauses=[text], remarks=[text], failure=told, testimony=testimony
    )
    run = results(judged, started=text, ended=text, command=text)
    run.device |= {"identity": text, "address": text, "test_data": {text: text}, "file_servers": {text: text}}
    run.device["security"] = {"profile": 1, "tls_ca": text}
    run.device["about"] = dict.fromkeys(("vendor", "product", "software_version", "place", "reference"), text)
    return run, {ID: hostile_records(text)}


def hostile_records(text: str) -> list[Record]:
    """A record of each kind with this text wherever a device may put one."""
    call = {"kind": "frame", "chargePointId": text, "direction": "cp-to-csms", "messageType": "CALL", "raw": text}
    answer = call | {"direction": "csms-to-cp", "messageType": "CALLRESULT", "messageId": text}
    return [
        at(1, **call, messageId=text, action=text, payload={text: [text, {text: text}]}),
        at(2, **answer, payload={text: text}),
        at(3, **answer | {"messageType": "CALLERROR", "error": {"code": text, "description": text, "details": {}}}),
        at(3, **call | {"messageType": "INVALID", "fault": text}),
        at(3, **call | {"messageType": "UNKNOWN"}),
        stimulus(4, "Central System", text, text, **{text: text}),
        at(4, kind="operator", party=text, action=text, answer=text, words=text, note=text, payload={text: text}),
        at(4, kind="tls", version=text, suite=text, certificate={"subject": {"commonName": text}}),
        at(4, kind="auth", securityProfile=text, scheme=text, key=text, keyBytes=text, failure=text),
        at(5, kind="connect", event="opening", url=text, offered=[text], subprotocol=text, status=101),
        at(5, kind="connect", event="opening", url=text, offered=[text], subprotocol=None, status=None, failure=text),
        at(5, kind="connect", event="closed", code=1000, by=text),
        at(6, kind="file", operation=text, location=text, failure=text),
        {"kind": "end", "timestamp": text},
    ]


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in golden().items():
        (GOLDEN / name).write_text(text, encoding="utf-8")
