"""Each obligation on wires written by hand: it holds, it is broken, it is excused."""

import pytest

from bench.messages import answer_to, call_of, messages, open_calls
from bench.obligations import (
    CLAUSES,
    OBLIGATIONS,
    Breach,
    Limits,
    Obligation,
    answered,
    boots_first,
    breaches,
    charging_profiles,
    idle_when_triggered,
    local_lists,
    one_at_a_time,
    one_end,
    registered,
    transaction_order,
    unique_ids,
    unreachable,
    well_formed,
)
from ocppj.schemas import ACTIONS
from tests.bench.wire import CP, CS, Records, at, heartbeat_conf, meter_values, start, status, stop

LIMITS = Limits(message_timeout=30, tolerance=2)
BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}


def found(obligation: Obligation, records: Records) -> list[Breach]:
    return list(obligation(records, LIMITS))


def boot(records: Records, status: str, at_s: float = 0.0) -> Records:
    records.call(CP, "BootNotification", BOOT, f"boot-{at_s}", at_s)
    return records.result(CS, {"status": status, "currentTime": at(at_s), "interval": 10}, f"boot-{at_s}", at_s)


def test_an_empty_wire_and_an_idle_one_break_nothing() -> None:
    assert breaches([], LIMITS) == []
    wire = (
        Records().connect().other("stimulus", action="plug_in").other("operator", 3, answer="done").connect(5, "closed")
    )
    assert breaches(wire, LIMITS) == []


def test_an_ordinary_wire_breaks_nothing() -> None:
    wire = boot(Records().connect(), "Accepted")
    wire.call(CP, "Heartbeat", {}, "2", 10).result(CS, heartbeat_conf(10), "2", 10.1)
    wire.call(CS, "Reset", {"type": "Soft"}, "2", 11).result(CP, {"status": "Accepted"}, "2", 11)
    wire.call(CP, "StartTransaction", start(at_s=12), "3", 12)
    wire.result(CS, {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}, "3", 12)
    wire.call(CP, "MeterValues", meter_values(72), "4", 72).result(CS, {}, "4", 72)
    wire.call(CP, "StopTransaction", stop(at_s=80), "5", 80).result(CS, {}, "5", 80)
    wire.call(CP, "Heartbeat", {}, "6", 200).result(CS, heartbeat_conf(200), "6", 201)
    assert breaches(wire, LIMITS) == []


# --- every CALL is answered


def later(wire: Records, at_s: float) -> Records:
    """Let the world go on so long."""
    return wire.other("stimulus", at_s, action="nothing")


@pytest.mark.parametrize(("sender", "silent"), [(CP, CS), (CS, CP)])
def test_an_unanswered_call(sender: str, silent: str) -> None:
    party = CP if sender == CP else CS
    wire = later(Records().connect().call(party, "DataTransfer", {"vendorId": "v"}, "7", 5), 35)
    (breach,) = found(answered, wire)
    assert breach == Breach(
        CS if silent == CS else CP,
        1,
        f"OCPP 1.6 {CLAUSES['DataTransfer']}",
        "DataTransfer.req 7 was not answered in 30 s",
    )
    assert breach.severe


def test_an_answer_may_take_its_time_until_the_time_out() -> None:
    assert found(answered, later(Records().call(CP, "Heartbeat", at_s=5), 34.999)) == []
    assert len(found(answered, later(Records().call(CP, "Heartbeat", at_s=5), 35))) == 1


@pytest.mark.parametrize("answer", ["CALLRESULT", "CALLERROR"])
def test_an_answer_of_either_kind_is_one(answer: str) -> None:
    wire = Records().call(CP, "Heartbeat", at_s=5)
    if answer == "CALLERROR":
        wire.error(CS, at_s=6)
    else:
        wire.result(CS, heartbeat_conf(6), at_s=6)
    assert found(answered, later(wire, 100)) == []


def test_what_is_no_answer() -> None:
    wire = Records().call(CP, "Heartbeat", unique_id="1").result(CS, heartbeat_conf(), unique_id="2")
    wire.result(CP, heartbeat_conf(), unique_id="1")  # its own
    wire.frame(CS, '[3,"1"]')  # unreadable
    wire.call(CS, "Reset", {"type": "Hard"}, "1")  # a CALL with the same id
    assert [breach.index for breach in found(answered, later(wire, 100)) if breach.party == CS] == [0]


def test_an_answer_before_its_call_is_none() -> None:
    wire = Records().result(CS, heartbeat_conf(), "1", 0).call(CP, "Heartbeat", {}, "1", 1)
    assert len(found(answered, later(wire, 100))) == 1


def test_the_answer_to_a_retry_is_late_for_its_original() -> None:
    wire = Records().call(CP, "StartTransaction", start(), "1", 0).call(CP, "StartTransaction", start(), "1", 60)
    wire.result(CS, {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}, "1", 61)
    assert [breach.index for breach in found(answered, later(wire, 200))] == [0]


@pytest.mark.parametrize("event", ["closed", "opening"])
def test_a_lost_connection_excuses(event: str) -> None:
    wire = Records().connect().call(CP, "Heartbeat", at_s=5).connect(20, event)
    assert found(answered, later(wire, 100)) == []


def test_a_connection_that_is_lost_after_the_time_out_excuses_nothing() -> None:
    wire = Records().connect().call(CP, "Heartbeat", at_s=5).connect(36, "closed")
    assert len(found(answered, wire)) == 1


def test_while_rejected_the_charge_point_need_not_answer() -> None:
    wire = boot(Records(), "Rejected").call(CS, "Reset", {"type": "Hard"}, "9", 1)
    assert found(answered, later(wire, 100)) == []


@pytest.mark.parametrize("registration", ["Accepted", "Pending"])
def test_otherwise_it_must(registration: str) -> None:
    wire = boot(Records(), registration).call(CS, "Reset", {"type": "Hard"}, "9", 1)
    assert [breach.party for breach in found(answered, later(wire, 100))] == [CP]
    wire = boot(boot(Records(), "Rejected"), registration, 10).call(CS, "Reset", {"type": "Hard"}, "9", 11)
    assert [breach.party for breach in found(answered, later(wire, 100))] == [CP]


def test_while_rejected_the_central_system_must_answer() -> None:
    wire = boot(Records(), "Rejected").call(CP, "BootNotification", BOOT, "9", 10)
    assert [breach.party for breach in found(answered, later(wire, 100))] == [CS]


def test_the_failure_of_another_to_connect_excuses_nothing() -> None:
    wire = Records().connect().call(CS, "Reset", {"type": "Hard"}, "9", 5)
    wire.connect(6, chargePointId="STRANGER", status=404)
    assert len(found(answered, later(wire, 100))) == 1


# --- frames and payloads

BAD_FRAMES = {
    "no JSON": ("hello", "OCPP-J 4.1.2"),
    "nothing": ("", "OCPP-J 4.1.2"),
    "no array": ('{"a":1}', "OCPP-J 4.2"),
    "no message type": ('["2","1","Heartbeat",{}]', "OCPP-J 4.1.3"),
    "an unknown message type": ('[5,"1","Heartbeat",{}]', "OCPP-J 4.1.3"),
    "a long id": (f'[2,"{"x" * 37}","Heartbeat",{{}}]', "OCPP-J 4.1.4"),
    "a number for an id": ('[2,1,"Heartbeat",{}]', "OCPP-J 4.1.4"),
    "three elements": ('[2,"1","Heartbeat"]', "OCPP-J 4.2.1"),
    "a list for a payload": ('[2,"1","Heartbeat",[]]', "OCPP-J 4.2.1"),
    "an unknown action": ('[2,"1","Dance",{}]', "OCPP-J 4.2.1"),
    "an action in another case": ('[2,"1","heartbeat",{}]', "OCPP-J 4.2.1"),
    "the other's action": ('[2,"1","Reset",{"type":"Hard"}]', "OCPP 1.6 chapters 4 and 5"),
    "a wrong field": ('[2,"1","Heartbeat",{"a":1}]', "schema of Heartbeat.req"),
    "a missing field": ('[2,"1","Authorize",{}]', "schema of Authorize.req"),
    "a negative connector": (
        '[2,"1","StatusNotification",{"connectorId":-1,"errorCode":"NoError","status":"Available"}]',
        "specification of StatusNotification.req",
    ),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_a_bad_frame(name: str) -> None:
    raw, named = BAD_FRAMES[name]
    wire = Records().frame(CP, raw)
    assert [(breach.party, breach.index, breach.clause, breach.severe) for breach in found(well_formed, wire)] == [
        (CP, 0, named, True)
    ]


def test_a_long_id_of_36_characters_is_right() -> None:
    assert found(well_formed, Records().call(CP, "Heartbeat", {}, "x" * 36)) == []


def test_a_binary_message_and_one_that_is_not_utf_8() -> None:
    wire = Records().frame(CP, "5b5d", encoding="hex", fault="a binary WebSocket message")
    wire.frame(CS, "\\xff", fault="the message is not UTF-8: invalid start byte at byte 0")
    assert [(breach.party, breach.clause) for breach in found(well_formed, wire)] == [
        (CP, "OCPP-J 4.1.2"),
        (CS, "OCPP-J 4.1.2"),
    ]


def test_data_transfer_goes_both_ways_and_others_do_not() -> None:
    wire = Records().call(CP, "DataTransfer", {"vendorId": "v"}).call(CS, "DataTransfer", {"vendorId": "v"})
    assert found(well_formed, wire) == []
    (breach,) = found(well_formed, Records().call(CS, "Heartbeat", {}))
    assert (breach.party, breach.text) == (CS, "Heartbeat.req: Heartbeat.req is not for the Central System to send")


def test_a_wrong_conf() -> None:
    wire = Records().call(CP, "Heartbeat", {}, "1").result(CS, {"currentTime": 5}, "1")
    (breach,) = found(well_formed, wire)
    assert (breach.party, breach.index, breach.clause, breach.severe) == (CS, 1, "schema of Heartbeat.conf", True)


def test_a_conf_is_judged_by_the_call_that_it_answers() -> None:
    wire = Records().call(CP, "Heartbeat", {}, "1").call(CS, "Reset", {"type": "Hard"}, "1")
    wire.result(CP, {"status": "Accepted"}, "1").result(CS, heartbeat_conf(), "1")
    assert found(well_formed, wire) == []


def test_an_answer_to_nothing() -> None:
    (breach,) = found(well_formed, Records().result(CS, {}, "77"))
    assert (breach.party, breach.clause, breach.severe) == (CS, "OCPP-J 4.1.4", True)
    assert "'77'" in breach.text


def test_the_answer_to_an_unknown_action_or_the_wrong_party_is_not_judged_by_a_schema() -> None:
    wire = Records().call(CP, "Dance", {}, "1").result(CS, {"a": 1}, "1")
    wire.call(CP, "Reset", {"type": "Hard"}, "2").result(CS, {"a": 1}, "2")
    assert [breach.party for breach in found(well_formed, wire)] == [CP, CP]


@pytest.mark.parametrize(
    ("code", "severe"),
    [
        ("NotImplemented", None),
        ("FormationViolation", None),
        ("OccurenceConstraintViolation", None),
        ("FormatViolation", False),
        ("OccurrenceConstraintViolation", False),
        ("Whatever", True),
        ("notImplemented", True),
    ],
)
def test_the_spelling_of_an_error_code(code: str, severe: bool | None) -> None:
    wire = Records().call(CP, "Heartbeat").error(CS, code)
    assert [breach.severe for breach in found(well_formed, wire)] == ([] if severe is None else [severe])


def test_a_call_error_without_details() -> None:
    (breach,) = found(well_formed, Records().call(CP, "Heartbeat").frame(CS, '[4,"1","GenericError",""]'))
    assert breach.severe
    assert "5 elements" in breach.text


def test_null_for_an_empty_payload_is_a_remark() -> None:
    (breach,) = found(well_formed, Records().frame(CP, '[2,"1","Heartbeat",null]'))
    assert not breach.severe


@pytest.mark.parametrize(
    ("moment", "severe"),
    [
        ("2026-11-22T10:00:00Z", None),
        ("2026-11-22T10:00:00.123+01:00", None),
        ("2026-11-22T10:00:00", False),
        ("20261122T100000Z", False),
        ("2026-11-22 10:00:00", True),
        ("2026-11-22", True),
        ("yesterday", True),
        ("2026-13-22T10:00:00Z", True),
    ],
)
def test_date_times(moment: str, severe: bool | None) -> None:
    wire = Records().call(CP, "Heartbeat").result(CS, {"currentTime": moment})
    assert [breach.severe for breach in found(well_formed, wire)] == ([] if severe is None else [severe])


@pytest.mark.parametrize(
    ("unit", "severe"), [("Wh", None), ("Celsius", None), ("Celcius", None), ("Hertz", False), ("hertz", True)]
)
def test_units(unit: str, severe: bool | None) -> None:
    data = meter_values(unit=unit)["meterValue"]
    wire = Records().call(CP, "StopTransaction", stop(transactionData=data))
    assert [breach.severe for breach in found(well_formed, wire)] == ([] if severe is None else [severe])


def test_hertz_is_a_remark_wherever_it_stands() -> None:
    wire = Records().call(CP, "MeterValues", meter_values(unit="Hertz"))
    assert [breach.severe for breach in found(well_formed, wire)] == [False]


@pytest.mark.parametrize("transaction", [-1, 0, 1])
def test_any_transaction_id_is_legal(transaction: int) -> None:
    wire = (
        Records()
        .call(CP, "StopTransaction", stop(transaction), "1")
        .call(CP, "MeterValues", meter_values(0, transaction), "2")
    )
    wire.call(CS, "RemoteStopTransaction", {"transactionId": transaction}, "3")
    wire.call(CP, "StartTransaction", start(), "4")
    wire.result(CS, {"transactionId": transaction, "idTagInfo": {"status": "Invalid"}}, "4")
    assert found(well_formed, wire) == []


def test_list_version_minus_one() -> None:
    wire = Records().call(CS, "GetLocalListVersion", {}).result(CP, {"listVersion": -1})
    assert found(well_formed, wire) == []


def test_a_call_is_answered_once() -> None:
    wire = Records().call(CP, "Heartbeat", {}, "1").result(CS, heartbeat_conf(), "1").result(CS, heartbeat_conf(), "1")
    assert [breach.party for breach in breaches(wire, LIMITS)] == [CS]


# --- silence until accepted


@pytest.mark.parametrize("registration", ["Rejected", "Pending"])
def test_before_it_is_accepted_a_charge_point_only_boots(registration: str) -> None:
    wire = boot(boot(Records(), registration), registration, 10)
    assert found(registered, wire) == []
    wire.call(CP, "Heartbeat", {}, "9", 12)
    (breach,) = found(registered, wire)
    assert (breach.party, breach.index, breach.clause, breach.severe) == (CP, 4, "OCPP 1.6 4.2", True)
    assert breach.text == f"Heartbeat.req was sent while the registration was {registration}"


def test_what_is_accepted_may_speak() -> None:
    wire = boot(Records(), "Accepted").call(CP, "Heartbeat", {}, "9", 1)
    assert found(registered, wire) == []
    wire = boot(boot(Records(), "Rejected"), "Accepted", 10).call(CP, "Heartbeat", {}, "9", 11)
    assert found(registered, wire) == []
    assert found(registered, Records().call(CP, "Heartbeat")) == []  # accepted in an earlier case


def test_the_central_system_may_speak_meanwhile() -> None:
    wire = boot(Records(), "Pending").call(CS, "GetConfiguration", {}, "9", 1).result(CP, {}, "9", 1)
    assert found(registered, wire) == []


def test_what_was_triggered_may_be_sent_while_pending() -> None:
    wire = boot(Records(), "Pending").call(CS, "TriggerMessage", {"requestedMessage": "Heartbeat"}, "9", 1)
    wire.result(CP, {"status": "Accepted"}, "9", 1).call(CP, "Heartbeat", {}, "10", 2)
    assert found(registered, wire) == []
    assert len(found(registered, wire.call(CP, "Heartbeat", {}, "11", 3))) == 1


def test_while_rejected_nothing_can_be_triggered() -> None:
    wire = boot(Records(), "Rejected").call(CS, "TriggerMessage", {"requestedMessage": "Heartbeat"}, "9", 1)
    assert len(found(registered, wire.call(CP, "Heartbeat", {}, "10", 2))) == 1


def test_a_trigger_without_a_connector_asks_for_a_report_of_each() -> None:
    # 5.17: if connectorId is absent, the message is for all connectors.
    trigger = {"requestedMessage": "StatusNotification"}
    wire = (
        boot(Records(), "Pending")
        .call(CS, "TriggerMessage", trigger, "9", 1)
        .result(CP, {"status": "Accepted"}, "9", 1)
    )
    for connector in (0, 1, 2):
        wire.call(CP, "StatusNotification", status(connector, "Available"), f"s{connector}", 2)
    assert found(registered, wire) == []


def test_a_boot_is_not_to_be_asked_for_after_acceptance() -> None:
    # Errata 3.40; the specification itself does not forbid it, so it is a remark.
    trigger = {"requestedMessage": "BootNotification"}
    assert found(registered, boot(Records(), "Pending").call(CS, "TriggerMessage", trigger, "9", 1)) == []
    (breach,) = found(registered, boot(Records(), "Accepted").call(CS, "TriggerMessage", trigger, "9", 1))
    assert (breach.party, breach.severe) == ("Central System", False)


def test_who_boots_again_may_be_asked_to() -> None:
    # Errata 3.40: until the Charge Point sends a BootNotification.req.
    wire = boot(Records(), "Accepted").call(CP, "BootNotification", BOOT, "b", 5)
    assert found(registered, wire.call(CS, "TriggerMessage", {"requestedMessage": "BootNotification"}, "9", 6)) == []


# --- while Rejected


def test_who_is_rejected_is_not_asked_and_does_not_answer() -> None:
    wire = boot(Records(), "Rejected").call(CS, "GetConfiguration", {}, "9", 1).result(CP, {}, "9", 1)
    assert [(breach.party, breach.index, breach.severe, breach.clause) for breach in found(unreachable, wire)] == [
        (CS, 2, False, "OCPP 1.6 4.2"),
        (CP, 3, True, "OCPP 1.6 4.2"),
    ]
    assert len(found(unreachable, wire.call(CS, *RESET, "10", 2).error(CP, "SecurityError", "10", 2))) == 4


@pytest.mark.parametrize("registration", ["Accepted", "Pending"])
def test_others_are_asked_and_answer(registration: str) -> None:
    wire = boot(boot(Records(), "Rejected"), registration, 10)
    assert found(unreachable, wire.call(CS, "GetConfiguration", {}, "9", 11).result(CP, {}, "9", 11)) == []


def test_what_was_asked_before_may_still_be_answered() -> None:
    wire = Records().call(CS, "GetConfiguration", {}, "9", 0)
    assert found(unreachable, boot(wire, "Rejected", 1).result(CP, {}, "9", 2)) == []


# --- silence after a reboot

RESET = ("Reset", {"type": "Hard"})


def by_hand(action: str) -> Records:
    return Records().other("stimulus", 1, party=CP, action=action).connect(2, "closed")


def by_reset(answer: str = "Accepted") -> Records:
    return Records().call(CS, *RESET, "R", 1).result(CP, {"status": answer}, "R", 1).connect(2, "closed")


def for_firmware() -> Records:
    wire = Records().call(CP, "FirmwareStatusNotification", {"status": "Installing"}, "I", 1)
    return wire.result(CS, {}, "I", 1).connect(2, "closed")


REBOOTS = {
    "switched on": lambda: by_hand("power_on"),
    "restarted": lambda: by_hand("restart"),
    "power regained": lambda: by_hand("regain_power"),
    "reset": by_reset,
    "new firmware": for_firmware,
}


def report(wire: Records, at_s: float) -> Records:
    wire.call(CP, "StatusNotification", status(1, "Available", at_s), f"s{at_s}", at_s)
    return wire.result(CS, {}, f"s{at_s}", at_s)


@pytest.mark.parametrize("reboot", REBOOTS)
def test_who_reboots_boots_first(reboot: str) -> None:
    wire = boot(REBOOTS[reboot]().connect(3), "Accepted", 4)
    assert found(boots_first, report(wire, 5)) == []
    wire = boot(report(REBOOTS[reboot]().connect(3), 4), "Accepted", 5)
    (breach,) = found(boots_first, wire)
    assert (breach.party, breach.clause, breach.severe) == (CP, "OCPP 1.6 4.2", True)
    assert wire[breach.index]["action"] == "StatusNotification"
    assert breach.text == "StatusNotification.req was sent after a reboot, before BootNotification.conf"


@pytest.mark.parametrize("reboot", REBOOTS)
def test_who_reboots_waits_for_the_answer(reboot: str) -> None:
    wire = REBOOTS[reboot]().connect(3).call(CP, "BootNotification", BOOT, "b", 4)
    wire.call(CP, "StatusNotification", status(0, "Available", 4), "s0", 4)
    index = len(wire) - 1
    wire.result(CS, {"status": "Accepted", "currentTime": at(5), "interval": 10}, "b", 5)
    assert [breach.index for breach in found(boots_first, report(wire, 6))] == [index]


def test_a_boot_that_is_refused_or_not_answered_is_not_completed() -> None:
    wire = by_reset().connect(3).call(CP, "BootNotification", BOOT, "b", 4).error(CS, unique_id="b", at_s=4)
    assert len(found(boots_first, boot(report(wire, 5), "Accepted", 10))) == 1
    wire = by_reset().connect(3).call(CP, "BootNotification", BOOT, "b", 4)
    assert len(found(boots_first, boot(report(wire, 40), "Accepted", 50))) == 1
    wire = by_reset().connect(3).call(CP, "BootNotification", BOOT, "b", 4).connect(5, "closed").connect(6)
    assert found(boots_first, report(boot(wire, "Accepted", 7), 8)) == []
    wire = by_reset().connect(3).call(CP, "BootNotification", BOOT, "b", 4).connect(5, "closed").connect(6)
    assert len(found(boots_first, boot(report(wire, 7), "Accepted", 8))) == 1


@pytest.mark.parametrize("registration", ["Pending", "Rejected"])
def test_what_is_sent_while_it_is_refused_is_counted_once(registration: str) -> None:
    wire = report(boot(by_reset().connect(3), registration, 4), 5)
    assert found(boots_first, wire) == []
    assert len(found(registered, wire)) == 1


def test_who_is_reset_may_send_until_it_goes_down() -> None:
    wire = Records().connect().call(CS, *RESET, "R", 1).result(CP, {"status": "Accepted"}, "R", 1)
    wire.call(CP, "StopTransaction", stop(at_s=2), "x", 2).result(CS, {}, "x", 2).connect(3, "closed").connect(4)
    assert found(boots_first, report(boot(wire, "Accepted", 5), 6)) == []


def test_who_restarts_on_the_same_connection_cannot_be_told() -> None:
    wire = Records().connect().call(CS, *RESET, "R", 1).result(CP, {"status": "Accepted"}, "R", 1)
    assert found(boots_first, report(boot(report(wire, 2), "Accepted", 3), 4)) == []


def test_a_reconnection_needs_no_boot() -> None:
    wire = Records().other("stimulus", 1, party=CP, action="lose_connection").connect(1, "closed")
    wire.other("stimulus", 2, party=CP, action="restore_connection").connect(3)
    assert found(boots_first, report(wire, 4)) == []
    assert found(boots_first, boot(report(wire, 4), "Accepted", 5)) == []  # too much, and no reboot (OCPP-J 5.4)
    assert found(boots_first, boot(report(Records().connect(), 1), "Accepted", 2)) == []


@pytest.mark.parametrize("reboot", REBOOTS)
def test_who_did_not_reboot_after_all_needs_none_either(reboot: str) -> None:
    # Batteries carried it, or the network failed before it went down: it boots on the next connection, or never.
    wire = report(REBOOTS[reboot]().connect(3), 4)
    assert found(boots_first, wire) == []
    assert found(boots_first, report(boot(wire.connect(9, "closed").connect(10), "Accepted", 11), 12)) == []


def test_a_reset_that_is_rejected_is_no_reboot() -> None:
    assert found(boots_first, boot(report(by_reset("Rejected").connect(3), 4), "Accepted", 5)) == []


def test_installed_before_the_boot_is_a_remark() -> None:
    wire = for_firmware().connect(3).call(CP, "FirmwareStatusNotification", {"status": "Installed"}, "x", 4)
    (breach,) = found(boots_first, boot(wire.result(CS, {}, "x", 4), "Accepted", 5))
    assert not breach.severe


def test_an_attempt_to_connect_that_is_refused_is_no_connection() -> None:
    wire = by_hand("restart").connect(3, status=503)
    assert found(boots_first, boot(report(wire, 4), "Accepted", 5)) == []


def test_a_recording_that_begins_in_the_middle() -> None:
    wire = Records().result(CP, {"status": "Accepted"}, "R", 0).connect(1)
    assert found(boots_first, boot(report(wire, 2), "Accepted", 3)) == []


# --- Idle


@pytest.mark.parametrize(
    ("action", "clause"), [("DiagnosticsStatusNotification", "4.4"), ("FirmwareStatusNotification", "4.5")]
)
def test_idle_is_told_when_it_is_asked_for(action: str, clause: str) -> None:
    wire = Records().call(CP, action, {"status": "UploadFailed" if clause == "4.4" else "Installed"}, "1", 1)
    assert found(idle_when_triggered, wire) == []
    (breach,) = found(idle_when_triggered, wire.call(CP, action, {"status": "Idle"}, "2", 2))
    assert (breach.party, breach.index, breach.severe, breach.clause) == (CP, 1, False, f"OCPP 1.6 {clause}")
    wire = Records().call(CS, "TriggerMessage", {"requestedMessage": action}, "9", 1)
    assert found(idle_when_triggered, wire.call(CP, action, {"status": "Idle"}, "2", 2)) == []
    wire = Records().call(CS, "TriggerMessage", {"requestedMessage": "Heartbeat"}, "9", 1)
    assert len(found(idle_when_triggered, wire.call(CP, action, {"status": "Idle"}, "2", 2))) == 1


# --- one end


def told(action: str, *statuses: str) -> Records:
    wire = Records()
    for number, each in enumerate(statuses):
        wire.call(CP, action, {"status": each}, str(number), number)
    return wire


@pytest.mark.parametrize(
    ("action", "one", "another", "begun"),
    [
        ("DiagnosticsStatusNotification", "Uploaded", "UploadFailed", "Uploading"),
        ("FirmwareStatusNotification", "Downloaded", "DownloadFailed", "Downloading"),
        ("FirmwareStatusNotification", "Installed", "InstallationFailed", "Installing"),
    ],
)
def test_what_ends_one_way_does_not_end_another(action: str, one: str, another: str, begun: str) -> None:
    for first, second in ((one, another), (another, one)):
        (breach,) = found(one_end, told(action, begun, first, "Idle", second))
        assert (breach.party, breach.index, breach.severe) == (CP, 3, True)
        assert breach.text == f"{action}.req told {second} after {first}"
        assert found(one_end, told(action, begun, first, begun, second)) == []
        assert found(one_end, told(action, begun, first, first)) == []


def test_each_part_of_an_update_has_an_end() -> None:
    update = ("Downloading", "DownloadFailed", "Downloading", "Downloaded", "Installing", "Installed")
    assert found(one_end, told("FirmwareStatusNotification", *update)) == []
    assert found(one_end, told("FirmwareStatusNotification", "Downloaded", "InstallationFailed")) == []


# --- unique ids


def test_every_call_has_an_id_of_its_own() -> None:
    wire = Records().call(CP, "Heartbeat", {}, "1").call(CP, "Authorize", {"idTag": "T"}, "2")
    wire.call(CS, "Reset", {"type": "Hard"}, "1")  # the other party has ids of its own
    assert found(unique_ids, wire) == []


def test_an_id_that_served_another_message() -> None:
    wire = Records().connect().call(CP, "Heartbeat", {}, "1", 0).result(CS, heartbeat_conf(), "1")
    wire.call(CP, "Authorize", {"idTag": "T"}, "1", 50)
    (breach,) = found(unique_ids, wire)
    assert (breach.party, breach.index, breach.clause, breach.severe) == (CP, 3, "OCPP-J 4.1.4", True)
    assert breach.text == "Authorize.req bears the unique id 1 of an earlier Heartbeat.req"


def test_an_id_that_served_the_same_action_with_other_content() -> None:
    wire = Records().call(CP, "Authorize", {"idTag": "T"}, "1").call(CP, "Authorize", {"idTag": "U"}, "1")
    assert [breach.severe for breach in found(unique_ids, wire)] == [True]


def test_a_retry_may_bear_the_id_of_its_original() -> None:
    wire = Records().connect().call(CP, "StopTransaction", stop(), "1", 0).call(CP, "StopTransaction", stop(), "1", 40)
    assert found(unique_ids, wire) == []
    wire.connect(50).call(CP, "StopTransaction", stop(), "1", 60)
    assert found(unique_ids, wire) == []


def test_an_id_of_an_earlier_connection_is_a_remark() -> None:
    wire = Records().connect().call(CP, "Heartbeat", {}, "1").connect(5, "closed").connect(6)
    wire.call(CP, "Authorize", {"idTag": "T"}, "1", 7)
    (breach,) = found(unique_ids, wire)
    assert (breach.clause, breach.severe) == ("OCPP-J errata 3.1", False)


def test_what_was_answered_is_not_retried() -> None:
    # Errata 3.1: the id of a retry may be that of the original, for example when no response came in time.
    wire = Records().connect()
    for second in (0, 15, 30):
        wire.call(CP, "Heartbeat", {}, "1", second).result(CS, heartbeat_conf(second), "1", second)
    assert [breach.severe for breach in found(unique_ids, wire)] == [True, True]


# --- one at a time


def test_a_call_after_the_answer() -> None:
    wire = (
        Records()
        .call(CP, "Heartbeat", {}, "1", 0)
        .result(CS, heartbeat_conf(), "1", 1)
        .call(CP, "Heartbeat", {}, "2", 1)
    )
    wire.error(CS, unique_id="2", at_s=2).call(CP, "Heartbeat", {}, "3", 2)
    assert found(one_at_a_time, wire) == []


def test_a_second_outstanding_call_is_a_remark() -> None:
    wire = Records().call(CP, "Heartbeat", {}, "1", 0).call(CP, "Authorize", {"idTag": "T"}, "2", 29.9)
    (breach,) = found(one_at_a_time, wire)
    assert (breach.party, breach.index, breach.clause, breach.severe) == (CP, 1, "OCPP-J 4.1.1", False)
    assert breach.text == "Authorize.req was sent while Heartbeat.req 1 was unanswered"


def test_a_second_call_after_the_time_out_of_the_first() -> None:
    wire = Records().call(CP, "Heartbeat", {}, "1", 0).call(CP, "Authorize", {"idTag": "T"}, "2", 30)
    assert found(one_at_a_time, wire) == []


def test_each_direction_counts_for_itself() -> None:
    wire = Records().call(CP, "Heartbeat", {}, "1").call(CS, "Reset", {"type": "Hard"}, "1")
    wire.result(CP, {"status": "Accepted"}, "1").call(CS, "ClearCache", {}, "2")
    assert found(one_at_a_time, wire) == []


def test_a_new_connection_begins_anew() -> None:
    wire = Records().call(CP, "Heartbeat", {}, "1", 0).connect(1).call(CP, "Heartbeat", {}, "2", 2)
    assert found(one_at_a_time, wire) == []


def test_the_answer_to_another_call_ends_nothing() -> None:
    wire = Records().call(CP, "Heartbeat", {}, "1", 0).result(CS, {}, "9", 1).call(CP, "Heartbeat", {}, "2", 2)
    assert len(found(one_at_a_time, wire)) == 1


# --- the order of transaction messages


def test_transaction_messages_in_order() -> None:
    wire = (
        Records().call(CP, "StartTransaction", start(at_s=0), "1", 0).call(CP, "MeterValues", meter_values(60), "2", 60)
    )
    wire.call(CP, "StopTransaction", stop(at_s=70), "3", 70).call(CP, "StartTransaction", start(2, 70), "4", 71)
    assert found(transaction_order, wire) == []


def test_queued_messages_first_and_new_ones_after_them() -> None:
    wire = (
        Records()
        .call(CP, "StartTransaction", start(at_s=-500), "1", 0)
        .call(CP, "StopTransaction", stop(at_s=-400), "2", 0)
    )
    wire.call(CP, "StartTransaction", start(at_s=-1), "3", 1)
    assert found(transaction_order, wire) == []


def test_a_new_message_that_overtakes_a_queued_one() -> None:
    wire = (
        Records().call(CP, "StartTransaction", start(2, 0), "1", 0).call(CP, "StopTransaction", stop(at_s=-400), "2", 1)
    )
    (breach,) = found(transaction_order, wire)
    assert (breach.party, breach.index, breach.clause, breach.severe) == (CP, 1, "OCPP 1.6 3.7", True)
    assert breach.text.startswith("StopTransaction.req of ")
    assert "StartTransaction.req of later date" in breach.text


def test_queued_messages_in_another_order_are_a_remark() -> None:
    wire = (
        Records()
        .call(CP, "StopTransaction", stop(at_s=-300), "1", 0)
        .call(CP, "StartTransaction", start(at_s=-400), "2", 0)
    )
    assert [breach.severe for breach in found(transaction_order, wire)] == [False]


def test_two_new_messages_that_are_swapped_within_the_tolerance_are_a_remark() -> None:
    wire = (
        Records()
        .call(CP, "MeterValues", meter_values(10.5), "1", 10.6)
        .call(CP, "StopTransaction", stop(at_s=10), "2", 10.7)
    )
    assert [breach.severe for breach in found(transaction_order, wire)] == [False]


def test_the_same_instant_is_in_order() -> None:
    wire = (
        Records().call(CP, "MeterValues", meter_values(10), "1", 10).call(CP, "StopTransaction", stop(at_s=10), "2", 10)
    )
    assert found(transaction_order, wire) == []


@pytest.mark.parametrize(
    "payload",
    [
        meter_values(-400, None),
        meter_values(-400, context="Trigger"),
        meter_values(-400, context="Transaction.Begin"),
        meter_values(-400, context="Other"),
    ],
)
def test_meter_values_that_no_queue_holds(payload: dict[str, object]) -> None:
    wire = Records().call(CP, "StartTransaction", start(at_s=0), "1", 0).call(CP, "MeterValues", payload, "2", 1)
    assert found(transaction_order, wire) == []


@pytest.mark.parametrize(("context", "severe"), [("Sample.Periodic", True), ("Sample.Clock", False)])
def test_meter_values_that_a_queue_holds(context: str, severe: bool) -> None:
    """9.1.5: clock-aligned values may bear the beginning of their interval, which is long ago."""
    wire = Records().call(CP, "StartTransaction", start(at_s=0), "1", 0)
    wire.call(CP, "MeterValues", meter_values(-400, context=context), "2", 5)
    assert [breach.severe for breach in found(transaction_order, wire)] == [severe]


def test_what_an_interval_measured_is_as_old_as_its_beginning() -> None:
    payload = meter_values(-400, context="Sample.Clock")
    payload["meterValue"][0]["sampledValue"][0]["measurand"] = "Energy.Active.Import.Interval"
    wire = Records().call(CP, "StartTransaction", start(at_s=0), "1", 0).call(CP, "MeterValues", payload, "2", 5)
    assert found(transaction_order, wire) == []


def test_other_messages_and_the_other_party_have_no_order() -> None:
    wire = Records().call(CP, "StartTransaction", start(at_s=0), "1", 0)
    wire.call(CP, "StatusNotification", status(1, "Charging", -400), "2", 5)
    wire.call(CS, "StartTransaction", start(at_s=-400), "1", 6)
    assert found(transaction_order, wire) == []


WRONG = [
    {},
    {"timestamp": 5},
    {"timestamp": None},
    {"timestamp": "soon"},
    {"transactionId": 1, "meterValue": []},
    {"transactionId": 1, "meterValue": {}},
    {"transactionId": 1, "meterValue": 5},
    {"transactionId": 1, "meterValue": [5]},
    {"transactionId": 1, "meterValue": ["x"]},
    {"transactionId": 1, "meterValue": [{}]},
    {"transactionId": 1, "meterValue": [{"sampledValue": []}]},
    {"transactionId": 1, "meterValue": [{"sampledValue": None}]},
    {"transactionId": 1, "meterValue": [{"sampledValue": [{"context": []}]}]},
]


@pytest.mark.parametrize("payload", WRONG)
@pytest.mark.parametrize("action", ["StartTransaction", "StopTransaction", "MeterValues"])
def test_a_wrong_payload_breaks_the_schema_and_not_the_obligations(action: str, payload: dict[str, object]) -> None:
    wire = Records().call(CP, "StartTransaction", start(at_s=0), "1", 0).call(CP, action, payload, "2", 1)
    clauses = {breach.clause for breach in breaches(wire, LIMITS) if breach.severe}
    assert f"schema of {action}.req" in clauses
    assert clauses <= {f"schema of {action}.req", f"specification of {action}.req"}


@pytest.mark.parametrize("value", ["x", 5, None])
def test_a_sampled_value_that_is_no_object(value: object) -> None:
    payload = {"connectorId": 1, "transactionId": 1, "meterValue": [{"timestamp": at(0), "sampledValue": [value]}]}
    assert [breach.severe for breach in breaches(Records().call(CP, "MeterValues", payload), LIMITS)] == [True]


# --- all together


def test_breaches_come_in_the_order_of_the_wire() -> None:
    wire = Records().call(CP, "Heartbeat", {}, "1", 0).call(CP, "Authorize", {}, "1", 1).frame(CS, "x", 2)
    wire.call(CP, "Dance", {}, "1", 3)
    places = [breach.index for breach in breaches(later(wire, 100), LIMITS)]
    assert places == sorted(places)
    assert set(places) == {0, 1, 2, 3}


def test_every_obligation_is_asked_and_tells_its_clause() -> None:
    assert set(OBLIGATIONS) >= {answered, well_formed, registered, unique_ids, one_at_a_time, transaction_order}
    wire = Records().call(CP, "Heartbeat", {}, "1", 0).call(CP, "StartTransaction", start(at_s=-5), "1", 1)
    for breach in breaches(later(wire, 100), LIMITS):
        assert str(breach) == f"{breach.text} ({breach.clause})"
        assert breach.clause.startswith(("OCPP", "schema", "specification"))


def test_every_clause_is_that_of_an_action() -> None:
    assert CLAUSES.keys() <= ACTIONS


# --- messages


def test_calls_and_their_answers() -> None:
    wire = Records().call(CP, "Heartbeat", {}, "1").call(CS, "Reset", {"type": "Hard"}, "1").error(CP, unique_id="1")
    wire.result(CS, heartbeat_conf(), "1").call(CP, "Heartbeat", {}, "1").connect().result(CS, heartbeat_conf(), "1")
    all_messages = list(messages(wire))
    assert [message.index for message in all_messages] == [0, 1, 2, 3, 4, 6]
    first, reset, error, result, again, last = all_messages
    assert answer_to(first, wire) == result
    assert answer_to(reset, wire) == error
    assert answer_to(again, wire) == last
    assert (call_of(error, wire), call_of(result, wire), call_of(last, wire)) == (reset, first, again)
    assert [message.index for message in messages(wire, 3)] == [3, 4, 6]


def test_open_calls() -> None:
    wire = Records().call(CP, "Heartbeat", {}, "1").call(CS, "Reset", {"type": "Hard"}, "1")
    assert [message.action for message in open_calls(wire)] == ["Heartbeat", "Reset"]
    wire.error(CP, unique_id="1")
    assert [message.action for message in open_calls(wire)] == ["Heartbeat"]
    wire.result(CS, heartbeat_conf(), "2")
    assert [message.action for message in open_calls(wire)] == ["Heartbeat"]
    assert open_calls(wire.connect()) == []


def test_messages_in_words() -> None:
    wire = Records().call(CP, "Authorize", {"idTag": "T"}).result(CS, {}).error(CS, "InternalError", description="why")
    wire.frame(CP, "x" * 500).frame(CP, "[7]")
    assert [str(message) for message in messages(wire)] == [
        'Authorize.req {"idTag": "T"}',
        "CALLRESULT {}",
        "CALLERROR InternalError 'why'",
        f"invalid frame {'x' * 157}...",
        "unknown frame [7]",
    ]


# --- charging profiles


def profile(purpose: str = "TxDefaultProfile", start: int = 0, **more: object) -> dict[str, object]:
    plan = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": start, "limit": 6.0}]}
    ids = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": purpose}
    return {**ids, "chargingProfileKind": "Absolute", "chargingSchedule": plan, **more}


def set_at(connector: int, what: dict[str, object]) -> tuple[str, dict[str, object]]:
    return "SetChargingProfile", {"connectorId": connector, "csChargingProfiles": what}


def start_with(what: dict[str, object]) -> tuple[str, dict[str, object]]:
    return "RemoteStartTransaction", {"idTag": "A", "chargingProfile": what}


@pytest.mark.parametrize(
    ("message", "clause"),
    [
        (set_at(1, profile(start=5)), "errata 3.45"),
        (set_at(1, profile(recurrencyKind="Daily")), "errata 3.56"),
        (set_at(1, profile(transactionId=1)), "7.8"),
        (set_at(0, profile("ChargePointMaxProfile", transactionId=1)), "7.8"),
        (set_at(1, profile("ChargePointMaxProfile")), "3.13.1"),
        (set_at(0, profile("TxProfile")), "3.13.1"),
        (start_with(profile()), "5.16.2"),
        (start_with(profile("TxProfile", transactionId=1)), "5.16.2"),
        (start_with(profile("TxProfile", start=1)), "errata 3.45"),
    ],
)
def test_a_charging_profile_that_may_not_be(message: tuple[str, dict[str, object]], clause: str) -> None:
    (breach,) = found(charging_profiles, Records().connect().call(CS, *message, "1"))
    assert (breach.party, breach.clause, breach.severe) == (CS, f"OCPP 1.6 {clause}", True)


@pytest.mark.parametrize(
    "message",
    [
        set_at(0, profile()),
        set_at(1, profile()),
        set_at(0, profile("ChargePointMaxProfile")),
        set_at(1, profile("TxProfile", transactionId=1)),
        set_at(1, profile(chargingProfileKind="Recurring", recurrencyKind="Daily")),
        start_with(profile("TxProfile")),
        ("RemoteStartTransaction", {"idTag": "A"}),
        ("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": [1]}),
        ("SetChargingProfile", {"csChargingProfiles": {"chargingSchedule": {"chargingSchedulePeriod": [[]]}}}),
    ],
)
def test_a_charging_profile_as_it_may_be(message: tuple[str, dict[str, object]]) -> None:
    assert found(charging_profiles, Records().connect().call(CS, *message, "1")) == []


# --- Local Authorization Lists


def listed(id_tag: object, **more: object) -> dict[str, object]:
    return {"idTag": id_tag, "idTagInfo": {"status": "Accepted"}, **more}


@pytest.mark.parametrize(
    ("kind", "entries", "clauses"),
    [
        ("Full", [listed("A"), listed("B")], []),
        ("Full", [listed("A"), listed("B"), listed("A")], ["6.41"]),
        ("Differential", [listed("tag"), {"idTag": "TAG"}], ["6.41"]),
        ("Full", [listed("A"), {"idTag": "B"}], ["7.1"]),
        ("Full", [listed("A"), {"idTag": "a"}], ["6.41", "7.1"]),
        ("Differential", [listed("A"), {"idTag": "B"}], []),
        ("Full", [], []),
        ("Full", None, []),
        ("Full", {"idTag": "A"}, []),  # well_formed speaks of it
        ("Full", ["A", "A"], []),
    ],
)
def test_a_local_authorization_list(kind: str, entries: object, clauses: list[str]) -> None:
    payload = {"listVersion": 1, "updateType": kind, "localAuthorizationList": entries}
    breaches = found(local_lists, Records().connect().call(CS, "SendLocalList", payload, "1"))
    assert [breach.clause for breach in breaches] == [f"OCPP 1.6 {clause}" for clause in clauses]
    assert all(breach.party == CS and breach.severe for breach in breaches)
