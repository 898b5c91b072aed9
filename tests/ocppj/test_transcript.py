"""The record of what crossed the wire."""

from pathlib import Path

import pytest

from ocppj.clock import VirtualLoop
from ocppj.secrets import masked
from ocppj.transcript import Record, Transcript, describe, normalised, other, read, write

# raw text, the fields that can be read off it
DESCRIBED: list[tuple[str, Record]] = [
    (
        '[2,"1","Authorize",{"idTag":"x"}]',
        {"messageType": "CALL", "messageId": "1", "action": "Authorize", "payload": {"idTag": "x"}},
    ),
    ('[3,"1",{}]', {"messageType": "CALLRESULT", "messageId": "1", "payload": {}}),
    (
        '[4,"1","GenericError","d",{"a":1}]',
        {
            "messageType": "CALLERROR",
            "messageId": "1",
            "error": {"code": "GenericError", "description": "d", "details": {"a": 1}},
        },
    ),
    ('[7,"1"]', {"messageType": "UNKNOWN"}),
    ("[]", {"messageType": "INVALID", "fault": "the message does not begin with a message type number"}),
    ('[2,"1"]', {"messageType": "INVALID", "fault": "a CALL has 4 elements, not 2"}),
]


@pytest.mark.parametrize(("raw", "fields"), DESCRIBED)
def test_what_can_be_read_off_a_frame(raw: str, fields: Record) -> None:
    assert describe(raw) == fields


async def test_a_frame_has_the_fields_of_open_ocpp_trace() -> None:
    record = Transcript().frame("Charge Point", "CP-1", '[2,"1","Heartbeat",{}]', note="x")
    assert record == {
        "kind": "frame",
        "timestamp": "2031-05-13T08:41:17.389Z",
        "schemaVersion": "1.1",
        "ocppVersion": "1.6",
        "transport": "json",
        "chargePointId": "CP-1",
        "direction": "cp-to-csms",
        "messageType": "CALL",
        "messageId": "1",
        "action": "Heartbeat",
        "payload": {},
        "raw": '[2,"1","Heartbeat",{}]',
        "note": "x",
    }
    assert Transcript().frame("Central System", "CP-1", '[3,"1",{}]')["direction"] == "csms-to-cp"


@pytest.mark.parametrize("raw", ["00", "nonsense", ""])
def test_a_fault_that_the_reader_knows_better_stands(raw: str) -> None:
    record = Transcript().frame("Charge Point", "CP-1", raw, fault="a binary WebSocket message", encoding="hex")
    assert record["fault"] == "a binary WebSocket message"
    assert record["messageType"] == "INVALID"
    assert record["raw"] == raw


def test_whoever_listens_hears_of_new_records_in_order() -> None:
    transcript = Transcript()
    heard: list[Record] = []
    transcript.listeners.append(heard.append)
    first = transcript.add("stimulus", what="plug in")
    second = transcript.add("operator", answer="yes")
    assert heard == [first, second] == transcript.records


def test_cutting_hands_over_and_goes_on() -> None:
    transcript = Transcript()
    first = transcript.add("stimulus")
    assert transcript.cut() == [first]
    assert transcript.records == []
    second = transcript.add("stimulus")
    assert transcript.records == [second]


def test_a_transcript_may_begin_with_records() -> None:
    old: Record = {"kind": "stimulus"}
    given = [old]
    transcript = Transcript(given)
    transcript.add("operator")
    assert given == [old]
    assert transcript.records[0] == old


def test_written_and_read_it_is_the_same(tmp_path: Path) -> None:
    transcript = Transcript()
    for raw, _ in DESCRIBED:
        transcript.frame("Charge Point", "Säule 充電", raw)
    transcript.add("connect", url="ws://x", offered=["ocpp1.6"], status=101)
    transcript.add("stimulus", text="a line\u2028break, a\nnewline, a \x85 and \x0c")
    path = tmp_path / "not" / "there yet" / "transcript.jsonl"
    write(transcript.records, path)
    assert read(path) == transcript.records
    assert path.read_bytes().count(b"\n") == len(transcript.records)


def test_an_empty_transcript(tmp_path: Path) -> None:
    write([], tmp_path / "empty")
    assert read(tmp_path / "empty") == []


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_text('{"kind":"stimulus"}\n{"kind":\n')
    with pytest.raises(ValueError, match=r"broken, line 2: "):
        read(path)
    with pytest.raises(OSError, match="absent"):
        read(tmp_path / "absent")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("ws://127.0.0.1:45123/CP-1", "ws://127.0.0.1:PORT/CP-1"),
        ("ws://localhost:1/CP-1 and 127.0.0.1:2", "ws://localhost:PORT/CP-1 and 127.0.0.1:PORT"),
        ("ftp://user@127.0.0.1:2121/x", "ftp://user@127.0.0.1:PORT/x"),
        ("2031-05-13T08:41:17Z", "2031-05-13T08:41:17Z"),
        ("ws://10.0.0.1:9000/", "ws://10.0.0.1:9000/"),
        ('{"serialNumber": "AB12", "notAfter": "2049"}', '{"serialNumber": "RANDOM", "notAfter": "2049"}'),
        (r'"raw": "{\"issuerKeyHash\":\"0a\",\"x\":1}"', r'"raw": "{\"issuerKeyHash\":\"RANDOM\",\"x\":1}"'),
        (r'"-----BEGIN A B-----\n12\n-----END A B-----\n"', '"PEM OF A A B"'),
        (r'"\"-----BEGIN C-----\\n12\\n-----END C-----\\n\""', r'"\"PEM OF A C\""'),
        ('{"chargePointSerialNumber": "SN"}', '{"chargePointSerialNumber": "SN"}'),
        ('{"kind": "file", "sha256": "12"}', '{"kind": "file", "sha256": "12"}'),
    ],
)
def test_normalised(text: str, same: str) -> None:
    assert normalised(text) == same


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ftp://user:secret@h:21/x", "ftp://***@h:21/x"),
        ("ftp://user@h/x and http://a:b@c", "ftp://***@h/x and http://***@c"),
        ("http://h/x@y", "http://h/x@y"),
        ('{"location": "ftp://h/x", "other": "a@b"}', '{"location": "ftp://h/x", "other": "a@b"}'),
    ],
)
def test_credentials_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_file_transfer_is_told_without_its_password(loop: VirtualLoop, tmp_path: Path) -> None:
    transcript = Transcript()
    transcript.file("upload", "ftp://u:secret@h/d", name="a.log", content=b"abc")
    transcript.file("download", "http://h/x", failure="HTTP 404")
    transcript.frame("Central System", "CP", '[2,"1","GetDiagnostics",{"location":"ftp://u:secret@h/d"}]')
    write(transcript.records, tmp_path / "t.jsonl")
    assert "secret" not in (tmp_path / "t.jsonl").read_text()
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    time = {"timestamp": "2031-05-13T08:41:17.389Z"}
    upload = {"operation": "upload", "location": "ftp://***@h/d", "fileName": "a.log", "bytes": 3, "sha256": sha256}
    download = {"operation": "download", "location": "http://h/x", "failure": "HTTP 404"}
    assert transcript.records[:2] == [{"kind": "file", **time, **upload}, {"kind": "file", **time, **download}]


def test_the_other_party() -> None:
    assert other("Charge Point") == "Central System"
    assert other("Central System") == "Charge Point"


def test_two_records_of_one_instant_bear_one_time(loop: VirtualLoop) -> None:
    transcript = Transcript()
    assert transcript.add("a")["timestamp"] == transcript.add("b")["timestamp"]
