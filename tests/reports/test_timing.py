"""What a transcript written by hand tells of times is exactly what was written into it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ocppj.transcript import Party, Record
from reports import timing
from reports.reading import BadResults
from reports.results import CaseResult, Results
from reports.times import NAMES, Times, of_transcript
from reports.timing import Session, basis, chart, performance, read, times
from tests.bench.wire import CP, CS, Records, at, meter_values, start, status, stop

REAL = {"time": "real"}
VIRTUAL = {"time": "virtual"}
HOSTILE = ("<script>alert(1)</script>", "]]>", "a|b", "`x`", "\x00\x1b[31m\n", '"><g onload="x"/>', "x" * 10_000)


def told(records: Sequence[Record], party: Party, kind: str, **more: Any) -> dict[str, tuple[float, ...]]:
    """The times of one kind by their action."""
    return {each.action: each.times_s for each in of_transcript(records, party, **more) if each.kind == kind}


def round_trip(records: Records, sender: Party, action: str, at_s: float, took: float, unique_id: str) -> Records:
    answering: Party = CS if sender == CP else CP
    return records.call(sender, action, unique_id=unique_id, at_s=at_s).result(
        answering, unique_id=unique_id, at_s=at_s + took
    )


# --- answers


def test_the_time_of_an_answer_is_that_between_call_and_callresult() -> None:
    records = Records()
    for number, took in enumerate((0.012, 0.007, 1.5, 29.999)):
        round_trip(records, CP, "Authorize", 40.0 * number, took, str(number))
    assert told(records, CS, "response") == {"Authorize": (0.012, 0.007, 1.5, 29.999)}


def test_each_party_has_the_times_of_what_it_answers() -> None:
    records = Records()
    round_trip(records, CP, "DataTransfer", 0.0, 0.1, "1")
    round_trip(records, CS, "DataTransfer", 1.0, 0.2, "1")
    assert told(records, CS, "response") == {"DataTransfer": (0.1,)}
    assert told(records, CP, "response") == {"DataTransfer": (0.2,)}


def test_calls_of_both_parties_that_bear_the_same_id_and_cross_have_each_their_answer() -> None:
    records = Records().call(CP, "Heartbeat", at_s=0.0).call(CS, "GetConfiguration", at_s=0.1)
    records.result(CS, at_s=0.5).result(CP, at_s=0.8)
    assert told(records, CS, "response") == {"Heartbeat": (0.5,)}
    assert told(records, CP, "response") == {"GetConfiguration": (0.7,)}


def test_a_refusal_is_an_answer() -> None:
    records = Records().call(CS, "ClearCache").error(CP, at_s=0.25)
    assert told(records, CP, "response") == {"ClearCache": (0.25,)}


@pytest.mark.parametrize(
    "records",
    [
        Records().call(CP, "Heartbeat"),
        Records().call(CP, "Heartbeat", unique_id="1").result(CS, unique_id="2", at_s=1.0),
        Records().call(CP, "Heartbeat").result(CP, at_s=1.0),
        Records().call(CP, "Heartbeat").connect(0.5, "closed").connect(0.6).result(CS, at_s=1.0),
        Records().call(CP, "Heartbeat", at_s=1.0).result(CS, at_s=0.5),
    ],
    ids=["no answer", "another id", "an answer to oneself", "another connection", "a calendar that was set back"],
)
def test_what_is_no_answer_has_no_time(records: Records) -> None:
    assert told(records, CS, "response") == {}


def test_an_attempt_to_connect_that_was_refused_ends_no_connection() -> None:
    records = Records().call(CP, "Heartbeat").connect(0.5, status=401).result(CS, at_s=1.0)
    assert told(records, CS, "response") == {"Heartbeat": (1.0,)}


def test_of_two_answers_the_first_counts() -> None:
    records = Records().call(CP, "Heartbeat").result(CS, at_s=0.5).result(CS, at_s=0.9)
    assert told(records, CS, "response") == {"Heartbeat": (0.5,)}


def test_a_call_from_before_the_case_has_its_answer_in_it() -> None:
    records = Records().call(CP, "Heartbeat")
    records[0]["kind"] = "before"
    assert told(records.result(CS, at_s=12.0), CS, "response") == {"Heartbeat": (12.0,)}


def test_the_figures_of_a_distribution() -> None:
    each = Times("response", "Authorize", CS, (*(number / 1000 for number in range(100, 0, -1)), 5.0))
    assert (each.count, each.shortest, each.median, each.p95, each.longest) == (101, 0.001, 0.051, 0.096, 5.0)
    one = Times("response", "Authorize", CS, (0.25,))
    assert (one.count, one.shortest, one.median, one.p95, one.longest) == (1, 0.25, 0.25, 0.25, 0.25)
    twenty = Times("response", "Authorize", CS, (*map(float, range(1, 21)),))
    assert (twenty.median, twenty.p95) == (10.5, 19.0)


# --- effects


def asked(action: str, payload: dict[str, Any], conf: dict[str, Any] | None = None) -> Records:
    """What the Central System asks for at 0, answered after 0.1 seconds."""
    return Records().call(CS, action, payload, "A").result(CP, conf or {"status": "Accepted"}, "A", 0.1)


REMOTE_START = {"connectorId": 1, "idTag": "T"}


@pytest.mark.parametrize(
    ("records", "action", "payload"),
    [
        (asked("RemoteStartTransaction", REMOTE_START), "StartTransaction", start()),
        (asked("RemoteStartTransaction", {"idTag": "t"}), "StartTransaction", start(2)),
        (asked("RemoteStopTransaction", {"transactionId": 7}), "StopTransaction", stop(7)),
        (asked("TriggerMessage", {"requestedMessage": "Heartbeat"}), "Heartbeat", {}),
        (
            asked("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}),
            *("SignCertificate", {"csr": "x"}),
        ),
        (
            asked("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 2}),
            *("StatusNotification", status(2, "Available")),
        ),
        (asked("Reset", {"type": "Hard"}).connect(0.2, "closed").connect(0.7), "BootNotification", {}),
        (
            asked("GetDiagnostics", {"location": "ftp://x"}, {"fileName": "d.log"}),
            *("DiagnosticsStatusNotification", {"status": "Uploading"}),
        ),
        (asked("GetLog", {"logType": "SecurityLog"}), "LogStatusNotification", {"status": "Uploading"}),
        (asked("ReserveNow", {"connectorId": 1}), "StatusNotification", status(1, "Reserved")),
        (
            asked("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}),
            *("StatusNotification", status(1, "Unavailable")),
        ),
    ],
    ids=lambda value: value[0].get("action") if isinstance(value, Records) else "",
)
def test_the_time_of_an_effect_is_that_from_the_request_to_the_message_that_shows_it(
    records: Records, action: str, payload: dict[str, Any]
) -> None:
    records.call(CP, "StatusNotification", status(1, "Available"), "before", 0.72)
    records.call(CP, action, payload, "effect", 0.75).call(CP, action, payload, "once more", 0.9)
    assert told(records, CP, "effect") == {records[0]["action"]: (0.75,)}
    assert told(records, CS, "effect") == {}


def test_the_effect_may_come_before_the_answer() -> None:
    records = Records().call(CS, "TriggerMessage", {"requestedMessage": "Heartbeat"}, "A")
    records.call(CP, "Heartbeat", at_s=0.2).result(CP, {"status": "Accepted"}, "A", 0.3)
    assert told(records, CP, "effect") == {"TriggerMessage": (0.2,)}


def test_the_effect_of_each_of_two_triggers() -> None:
    records = Records()
    for at_s, took in ((0.0, 0.5), (10.0, 0.7)):
        records.call(CS, "TriggerMessage", {"requestedMessage": "Heartbeat"}, f"A{at_s}", at_s)
        records.result(CP, {"status": "Accepted"}, f"A{at_s}", at_s + 0.1)
        records.call(CP, "Heartbeat", unique_id=f"B{at_s}", at_s=at_s + took)
    assert told(records, CP, "effect") == {"TriggerMessage": (0.5, 0.7)}


@pytest.mark.parametrize(
    "records",
    [
        asked("RemoteStartTransaction", REMOTE_START, {"status": "Rejected"}),
        Records().call(CS, "RemoteStartTransaction", REMOTE_START, "A").error(CP, unique_id="A", at_s=0.1),
        Records().call(CS, "RemoteStartTransaction", REMOTE_START, "A"),
        asked("RemoteStartTransaction", REMOTE_START).other("stimulus", 0.3, party=CP, action="plug_in"),
        asked("RemoteStartTransaction", REMOTE_START).other("operator", 0.3, party=CP, action="plug_in"),
        asked("RemoteStartTransaction", REMOTE_START).connect(0.3, "closed").connect(0.4),
        asked("RemoteStartTransaction", REMOTE_START).call(CS, "Reset", {"type": "Soft"}, "C", 0.3),
        asked("RemoteStartTransaction", REMOTE_START | {"connectorId": 2}),
        asked("RemoteStartTransaction", REMOTE_START | {"idTag": "ANOTHER"}),
        asked("GetDiagnostics", {"location": "ftp://x"}, {"other": "no file name"}),
        asked("ChangeAvailability", {"connectorId": 1, "type": "Operative"}),
        asked("GetConfiguration", {}),
    ],
    ids=[
        *("rejected", "refused", "unanswered", "a hand", "an operator", "another connection", "another request"),
        *("another connector", "another idTag", "nothing to upload", "perhaps no change", "no effect at all"),
    ],
)
def test_what_did_not_come_from_the_request_alone_has_no_time(records: Records) -> None:
    records.call(CP, "StartTransaction", start(), "B", 0.75)
    records.call(CP, "DiagnosticsStatusNotification", {"status": "Idle"}, "D", 0.8)
    records.call(CP, "StatusNotification", status(1, "Available"), "E", 0.9)
    assert "RemoteStartTransaction" not in told(records, CP, "effect")
    assert told(records, CP, "effect") == {}


def test_the_effect_is_a_message_of_the_charge_point_about_the_same_transaction() -> None:
    records = asked("RemoteStopTransaction", {"transactionId": 7}).call(CP, "StopTransaction", stop(6), "S", 0.5)
    assert told(records, CP, "effect") == {}
    records = asked("TriggerMessage", {"requestedMessage": "DataTransfer"}).call(CS, "DataTransfer", {}, "D", 0.5)
    assert told(records, CP, "effect") == {}


def test_a_request_without_an_effect_does_not_interfere() -> None:
    records = asked("RemoteStartTransaction", REMOTE_START)
    records.call(CS, "ChangeAvailability", {"connectorId": 2, "type": "Operative"}, "C", 0.3)
    assert told(records.call(CP, "StartTransaction", start(), "S", 0.75), CP, "effect") == {
        "RemoteStartTransaction": (0.75,)
    }


# --- connections and boots


def boot(records: Records, at_s: float, took: float, answer: str = "Accepted", interval: int = 60) -> Records:
    conf = {"status": answer, "currentTime": at(at_s), "interval": interval}
    unique_id = f"boot-{at_s}"
    return records.call(CP, "BootNotification", {}, unique_id, at_s).result(CS, conf, unique_id, at_s + took)


def test_the_time_from_the_connection_to_accepted() -> None:
    records = boot(Records().connect(1.0), 1.25, 0.5)
    assert told(records, CS, "boot") == told(records, CP, "boot") == {"connection": (0.75,)}


def test_who_is_refused_at_first_waits_as_long_as_he_is_told_to() -> None:
    records = boot(boot(Records().connect(0.0), 0.1, 0.1, "Pending"), 20.0, 0.1)
    assert told(records, CS, "boot") == {}


def test_the_time_from_a_reset_to_accepted_is_one_of_the_charge_point() -> None:
    records = asked("Reset", {"type": "Hard"}).connect(1.0, "closed").connect(5.0)
    boot(records, 5.5, 0.1)
    assert told(records, CP, "boot") == {"Reset": (5.5,), "connection": (0.6,)}
    assert told(records, CS, "boot") == {"connection": (0.6,)}


def test_a_boot_by_hand_is_none_of_a_reset() -> None:
    records = asked("Reset", {"type": "Hard"}).other("stimulus", 2.0, party=CP, action="restart").connect(5.0)
    assert "Reset" not in told(boot(records, 5.5, 0.1), CP, "boot")


def test_a_reset_has_one_boot() -> None:
    records = boot(asked("Reset", {"type": "Hard"}).connect(5.0), 5.5, 0.1)
    assert told(boot(records.connect(20.0), 20.5, 0.1), CP, "boot")["Reset"] == (5.5,)


def restored(at_s: float = 10.0) -> Records:
    records = Records().other("stimulus", 1.0, party=CP, action="lose_connection").connect(1.1, "closed", code=1006)
    return records.other("stimulus", at_s, party=CP, action="restore_connection")


def test_the_time_of_a_reconnection_begins_when_the_network_is_there_again() -> None:
    assert told(restored().connect(11.2), CP, "reconnection") == {"": (1.2,)}
    assert told(restored().connect(11.2), CS, "reconnection") == {}
    assert told(restored().connect(11.2).connect(30.0), CP, "reconnection") == {"": (1.2,)}


@pytest.mark.parametrize(
    "records",
    [
        Records().connect(1.0).connect(2.0, "closed").connect(3.0),
        restored().other("stimulus", 10.1, party=CP, action="regain_power").connect(11.0),
        restored().connect(11.0, status=401),
        restored().other("stimulus", 10.1, party=CP, action="lose_connection").connect(11.0),
    ],
    ids=["nobody took the network away", "it boots first", "refused", "taken away again"],
)
def test_what_is_no_reconnection(records: Records) -> None:
    assert told(records, CP, "reconnection") == {}


def test_the_queue_is_empty_when_the_last_message_of_before_is_answered() -> None:
    records = restored().connect(11.0)
    records.call(CP, "StartTransaction", start(at_s=3.0), "1", 11.1).result(CS, {}, "1", 11.3)
    records.call(CP, "StatusNotification", status(1, "Charging", 3.0), "2", 11.4).result(CS, {}, "2", 11.5)
    records.call(CP, "MeterValues", meter_values(5.0), "3", 11.6).result(CS, {}, "3", 12.0)
    records.call(CP, "StopTransaction", stop(at_s=7.0), "4", 12.1).result(CS, {}, "4", 12.25)
    records.call(CP, "StartTransaction", start(at_s=20.0), "5", 20.0).result(CS, {}, "5", 20.5)
    assert told(records, CP, "queue") == {"": (1.25,)}


def test_what_was_not_confirmed_leaves_the_queue_full() -> None:
    records = restored().connect(11.0).call(CP, "StartTransaction", start(at_s=3.0), "1", 11.1)
    records.result(CS, {}, "1", 11.3).call(CP, "StopTransaction", stop(at_s=7.0), "2", 11.4)
    assert told(records, CP, "queue") == {}
    assert told(records.connect(12.0, "closed"), CP, "queue") == {}


def test_a_queue_is_that_of_one_connection() -> None:
    records = (
        restored().connect(11.0).call(CP, "StartTransaction", start(at_s=3.0), "1", 11.1).result(CS, {}, "1", 11.3)
    )
    records.connect(12.0, "closed").connect(13.0)
    records.call(CP, "StopTransaction", stop(at_s=7.0), "2", 13.1).result(CS, {}, "2", 13.6)
    assert told(records, CP, "queue") == {"": (0.3, 0.6)}


def test_who_was_never_offline_has_no_queue() -> None:
    records = Records().connect(11.0).call(CP, "StartTransaction", start(at_s=3.0), "1", 11.1)
    assert told(records.result(CS, {}, "1", 11.3), CP, "queue") == {}


# --- drift


def beats(records: Records, *at_s: float) -> Records:
    for moment in at_s:
        records.call(CP, "Heartbeat", {}, f"beat-{moment}", moment).result(CS, {}, f"beat-{moment}", moment)
    return records


def test_the_drift_of_heartbeats_is_what_exceeds_their_interval() -> None:
    records = beats(boot(Records().connect(0.0), 0.0, 0.1), 60.1, 120.6, 180.6, 240.5)
    assert told(records, CP, "drift") == {"Heartbeat": (0.5, 0.0, -0.1)}


def test_the_interval_may_be_of_an_earlier_case() -> None:
    assert told(beats(Records(), 0.0, 15.25), CP, "drift") == {}
    assert told(beats(Records(), 0.0, 15.25), CP, "drift", heartbeat_interval=15) == {"Heartbeat": (0.25,)}


def test_a_heartbeat_after_another_message_may_come_later() -> None:
    records = beats(Records(), 0.0).call(CP, "StatusNotification", status(1, "Available"), "S", 7.0)
    assert told(beats(records, 22.0), CP, "drift", heartbeat_interval=15) == {}


@pytest.mark.parametrize("kind", ["trigger", "connection", "hand"])
def test_a_heartbeat_that_something_else_brings_about_does_not_drift(kind: str) -> None:
    records = beats(Records(), 0.0)
    match kind:
        case "trigger":
            records.call(CS, "TriggerMessage", {"requestedMessage": "Heartbeat"}, "T", 7.0)
        case "connection":
            records.connect(7.0, "closed").connect(7.5)
        case "hand":
            records.other("stimulus", 7.0, party=CP, action="restart")
    assert told(beats(records, 8.0), CP, "drift", heartbeat_interval=15) == {}


def changed(key: str, value: str, at_s: float = 0.0) -> Records:
    records = Records().call(CS, "ChangeConfiguration", {"key": key, "value": value}, f"C{at_s}", at_s)
    return records.result(CP, {"status": "Accepted"}, f"C{at_s}", at_s)


def test_an_interval_that_was_changed_counts_from_then_on() -> None:
    records = beats(changed("heartbeatinterval", "30"), 30.0, 60.5)
    assert told(records, CP, "drift", heartbeat_interval=15) == {"Heartbeat": (0.5,)}
    assert told(beats(changed("HeartbeatInterval", "0"), 30.0, 60.5), CP, "drift") == {}


def test_what_came_before_a_change_is_no_beginning_of_an_interval() -> None:
    records = beats(Records(), 0.0)
    records.extend(changed("HeartbeatInterval", "30", 10.0))
    assert told(beats(records, 40.5), CP, "drift", heartbeat_interval=15) == {}


def test_the_interval_of_a_refusal_is_none_of_heartbeats() -> None:
    records = beats(boot(Records(), 0.0, 0.1, "Pending", interval=5), 1.0, 16.5)
    assert told(records, CP, "drift", heartbeat_interval=15) == {"Heartbeat": (0.5,)}


def sampled(records: Records, *at_s: float, transaction: int | None = 1, **more: Any) -> Records:
    for moment in at_s:
        records.call(CP, "MeterValues", meter_values(moment, transaction, **more), f"M{moment}", moment + 5)
    return records


def test_the_drift_of_sampled_values_is_that_of_their_own_timestamps() -> None:
    records = sampled(changed("MeterValueSampleInterval", "10"), 0.0, 10.25, 20.0, context="Sample.Periodic")
    assert told(records, CP, "drift") == {"sampled values": (0.25, -0.25)}
    assert told(sampled(changed("MeterValueSampleInterval", "10"), 0.0, 10.25), CP, "drift")  # 7.43: the default


def test_an_interval_that_was_only_read_counts_too() -> None:
    entry = {"key": "MeterValueSampleInterval", "readonly": False, "value": "10"}
    records = Records().call(CS, "GetConfiguration", {}, "G").result(CP, {"configurationKey": [entry]}, "G")
    assert told(sampled(records, 0.0, 11.0), CP, "drift") == {"sampled values": (1.0,)}


@pytest.mark.parametrize(
    "records",
    [
        sampled(Records(), 0.0, 11.0),
        sampled(changed("MeterValueSampleInterval", "10"), 0.0, 11.0, transaction=None),
        sampled(changed("MeterValueSampleInterval", "10"), 0.0, 11.0, context="Sample.Clock"),
        sampled(sampled(changed("MeterValueSampleInterval", "10"), 0.0), 11.0, transaction=2),
        sampled(changed("MeterValueSampleInterval", "soon"), 0.0, 11.0),
    ],
    ids=["no interval", "no transaction", "of the clock", "of another transaction", "an interval that is none"],
)
def test_what_is_not_sampled_in_an_interval_does_not_drift(records: Records) -> None:
    assert told(records, CP, "drift") == {}


JUNK: tuple[Any, ...] = (
    None,
    [],
    "x",
    7,
    {"meterValue": 7},
    {"meterValue": [7, {"sampledValue": [7], "timestamp": 7}]},
)


@pytest.mark.parametrize("payload", [*JUNK, {"timestamp": "soon", "connectorId": [], "status": {}, "interval": -1}])
def test_nothing_that_a_device_sends_stops_the_reading(payload: Any) -> None:
    actions = ("BootNotification", "Heartbeat", "MeterValues", "StartTransaction", "Reset", "ChangeConfiguration")
    records = restored().connect(10.5)
    for number, action in enumerate([*actions, "TriggerMessage", "GetConfiguration", "RemoteStartTransaction"] * 2):
        sender, answering = (CP, CS) if number < 4 else (CS, CP)
        records.call(sender, action, payload, f"J{number}", 11.0 + number)
        records.result(answering, payload, f"J{number}", 11.5 + number)
    records.frame(CP, "no JSON", 40.0)
    for party in (CP, CS):
        assert all(each.kind in NAMES for each in of_transcript(records, party))


def test_a_payload_that_is_no_object_is_none() -> None:
    records = Records().call(CP, "StartTransaction").result(CS, at_s=0.5)
    for record in records:
        record["payload"] = ["x"]
    assert told(records, CS, "response") == {"StartTransaction": (0.5,)}
    assert told(restored().connect(10.5) + records, CP, "queue") == {}


# --- what a run tells of them


def results(kind: str, run: dict[str, Any], *cases: str) -> Results:
    device = {
        "kind": kind,
        "address": "ws://x",
        "identity": "CP1",
        "test_data": {"HeartbeatInterval": "15"},
        "limits_s": {"message_timeout": 30.0, "long_operation_timeout": 120.0},
    }
    found = [CaseResult(each, "", each.rsplit("_", 1)[1], "Core", "pass", "pass", "", 1.0) for each in cases]
    return Results(dict(run), dict(device), found)


def session(subject: Results, *measured: Times, not_measured: Sequence[str] = ()) -> Session:
    device = {key: subject.device[key] for key in ("kind", "address", "identity")}
    words = {"tool": "ocpp-rehearsal", "version": "0", "started": "2026-01-02T03:04:05+00:00", "ended": "2026-01-02"}
    return Session(**words, how="by hand.", device=device, measurements=measured, not_measured=(*not_measured,))


AUTHORIZE = Times("response", "Authorize", CS, (0.25, 0.5, 2.0))


def test_the_performance_of_a_central_system() -> None:
    subject = results(CS, REAL, "TC_001_CSMS", "TC_002_CSMS")
    first, second = Records(), Records()
    for number, took in enumerate((0.25, 0.5, 2.0)):
        round_trip(first if number else second, CP, "Authorize", 10.0 * number, took, str(number))
    round_trip(second, CP, "Heartbeat", 90.0, 3.5, "H")
    round_trip(second, CS, "Reset", 95.0, 9.0, "R")  # that is one of our own
    measured = times(subject, {"TC_001_CSMS": first, "TC_002_CSMS": second})
    rows = [(row.party, row.name, row.pics_value, row.measured) for row in performance(subject, measured)]
    assert rows == [
        (CS, "OCPP response timeout", "30 s", "3.500 s (longest of 4; median 1.250 s)"),
        (CS, "Response time Authorize", "30 s", "0.500 s (median of 3; longest 2.000 s)"),
    ]


def test_the_performance_of_a_charge_point_has_four_parameters() -> None:
    subject = results(CP, REAL, "TC_001_CS")
    records = asked("RemoteStartTransaction", REMOTE_START).call(CP, "StartTransaction", start(), "S", 0.75)
    records.result(CS, {}, "S", 9.0)  # that is one of our own
    records.call(CS, "RemoteStopTransaction", {"transactionId": 1}, "P", 20.0)
    records.result(CP, {"status": "Accepted"}, "P", 20.2).call(CP, "StopTransaction", stop(1), "Q", 21.5)
    records.call(CS, "TriggerMessage", {"requestedMessage": "Heartbeat"}, "T", 30.0)
    records.result(CP, {"status": "Accepted"}, "T", 30.3).call(CP, "Heartbeat", {}, "B", 30.4)
    rows = performance(subject, times(subject, {"TC_001_CS": records}))
    assert [(row.name, row.pics_value, row.measured) for row in rows] == [
        ("OCPP response timeout", "30 s", "0.300 s (longest of 3; median 0.200 s)"),
        ("OCPP triggered function timeout", "120 s", "0.400 s (longest of 1; median 0.400 s)"),
        ("Transaction authorization time by RemoteStartTransaction", "30 s", "0.750 s (longest of 1; median 0.750 s)"),
        (
            "Transaction authorization end time by RemoteStopTransaction",
            "30 s",
            "1.500 s (longest of 1; median 1.500 s)",
        ),
    ]


def test_a_virtual_run_has_no_times() -> None:
    subject = results("self-rehearsal: ...", VIRTUAL, "TC_001_CSMS")
    records = round_trip(Records(), CP, "Authorize", 0.0, 0.25, "1")
    measured = times(subject, {"TC_001_CSMS": records})
    assert measured == []
    rows = performance(subject, measured)
    assert [row.party for row in rows] == [CP] * 4 + [CS] * 2
    assert {row.measured for row in rows} == {"not measured (virtual time)"}
    assert basis(subject, None).startswith("Not measured (virtual time)")


def test_a_session_gives_a_virtual_run_its_times() -> None:
    subject = results("self-rehearsal: ...", VIRTUAL)
    measured = times(subject, {}, session(subject, AUTHORIZE))
    assert measured == [AUTHORIZE]
    by_name = {(row.party, row.name): row.measured for row in performance(subject, measured)}
    assert by_name[CS, "Response time Authorize"] == "0.500 s (median of 3; longest 2.000 s)"
    assert by_name[CP, "OCPP response timeout"] == "not measured (virtual time)"
    assert "from 2026-01-02T03:04:05+00:00" in basis(subject, session(subject, AUTHORIZE, not_measured=["this"]))
    assert "Not measured: this." in basis(subject, session(subject, AUTHORIZE, not_measured=["this"]))


def test_a_session_adds_to_what_a_real_run_has_measured() -> None:
    subject = results(CS, REAL, "TC_001_CSMS")
    records = round_trip(Records(), CP, "Authorize", 0.0, 0.125, "1")
    measured = times(subject, {"TC_001_CSMS": records}, session(subject, AUTHORIZE))
    assert measured == [Times("response", "Authorize", CS, (0.125, 0.25, 0.5, 2.0))]


@pytest.mark.parametrize("key", ["kind", "address", "identity"])
def test_a_session_with_another_device_is_left_out_and_said_to_be(key: str) -> None:
    subject = results("self-rehearsal: ...", VIRTUAL)
    measured = session(subject, AUTHORIZE)
    subject.device[key] = "another"
    assert times(subject, {}, measured) == []
    assert "another device" in basis(subject, measured)


def test_what_a_real_run_had_no_occasion_to_measure_is_not_called_virtual() -> None:
    subject = results(CS, REAL, "TC_001_CSMS")
    assert {row.measured for row in performance(subject, times(subject, {}))} == {"not measured"}


def test_what_is_too_short_for_a_transcript_is_not_called_nothing() -> None:
    subject = results(CS, REAL)
    rows = performance(subject, [Times("response", "Authorize", CS, (0.0, 0.0004))])
    assert {row.measured for row in rows} == {
        "below 0.001 s (longest of 2; median below 0.001 s)",
        "below 0.001 s (median of 2; longest below 0.001 s)",
    }


# --- measurements.json


def test_a_session_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = session(results(CS, REAL), AUTHORIZE, not_measured=["GetConfiguration: refused"])
    written.write(tmp_path)
    assert read(tmp_path) == written


def test_who_has_measured_nothing_has_no_session(tmp_path: Path) -> None:
    assert read(tmp_path) is None


def broken(**changes: Any) -> str:
    document = {
        **dict.fromkeys(("tool", "version", "started", "ended", "how"), "x"),
        "format": 1,
        "device": {},
        "not_measured": [],
        "measurements": [{"kind": "response", "action": "Authorize", "party": CS, "times_s": [0.1]}],
    }
    return json.dumps(document | changes)


def of_measurement(**changes: Any) -> str:
    return broken(measurements=[{"kind": "response", "action": "Authorize", "party": CS, "times_s": [0.1]} | changes])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cut off or no JSON"),
        (broken()[:80], "cut off or no JSON"),
        ("[" * 100_000, "cut off or no JSON"),
        ("\ud800", "cut off or no JSON"),
        ("[]", "is not what a measurement writes"),
        (broken(format=2), "is from a newer version: format 2"),
        (broken(format="1"), "is not what a measurement writes"),
        (broken(measurements=7), "measurements"),
        (broken(device=None), "device"),
        (of_measurement(party="Nobody"), "party"),
        (of_measurement(kind="guess"), "kind"),
        (of_measurement(times_s=[]), "times_s"),
        (of_measurement(times_s=["0.1"]), "times_s"),
        (of_measurement(times_s=[0.1]).replace("0.1", "1e999"), "times_s"),
        (of_measurement(times_s=[0.1]).replace("0.1", "NaN"), "times_s"),
        (of_measurement(kind="\x1b\n" * 5000), "kind"),
    ],
)
def test_a_file_that_is_something_else_is_said_to_be_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / timing.FILE).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(BadResults, match=timing.FILE.replace(".", r"\.")) as raised:
        read(tmp_path)
    assert words in str(raised.value)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) <= 1000


# --- the chart


def test_the_chart_has_a_row_for_each_distribution() -> None:
    svg = ElementTree.fromstring(chart([AUTHORIZE, Times("effect", "Reset", CP, (13.5,))]))  # noqa: S314
    texts = ["".join(each.itertext()) for each in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [
        *("100 ms", "1 s", "10 s", "100 s", "line: median, dotted: 95 of 100"),
        *("Authorize", "Central System, 3 times", "500 ms", "Reset to its effect", "Charge Point, once", "13.5 s"),
    ]


def test_a_bar_is_as_high_as_its_times_are_many() -> None:
    svg = chart([Times("response", "Authorize", CS, (*[0.02] * 10, *[0.2] * 5, 1.0))])
    (bars,) = [line for line in svg.splitlines() if 'class="distribution"' in line]
    heights = [float(part.split("v-")[1].split("h")[0]) for part in bars.split("z") if "v-" in part]
    assert heights == [22.0, 11.0, 2.2]


def test_nothing_to_draw_is_no_chart() -> None:
    assert chart([]) == ""
    assert chart([Times("drift", "Heartbeat", CP, (-0.1,))]) == ""


def test_nothing_is_drawn_beyond_the_axis() -> None:
    (bars,) = [line for line in chart([Times("response", "x", CS, (1.0, 100.0))]).splitlines() if 'bution"' in line]
    assert max(float(part.split()[0]) for part in bars.split("M")[1:]) < timing.WIDTH - timing.RIGHT


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 1e-4, 0.001, 1.0, 99_999.0])
def test_the_chart_takes_any_time(seconds: float) -> None:
    ElementTree.fromstring(chart([Times("response", "Authorize", CS, (seconds,))]))  # noqa: S314


def test_the_chart_is_drawn_in_the_colours_of_its_page() -> None:
    svg = chart([AUTHORIZE])
    assert "currentColor" in svg
    assert "#" not in svg


@pytest.mark.parametrize("action", HOSTILE)
def test_what_a_device_sends_is_text_in_the_chart(action: str) -> None:
    svg = chart([Times("response", action, CS, (0.1,))])
    tree = ElementTree.fromstring(svg)  # noqa: S314
    assert {each.tag.split("}")[1] for each in tree.iter()} == {"svg", "title", "line", "g", "text", "path"}
    assert "<script" not in svg
    assert len(svg) < 5000
