"""What a case leaves behind in the device is undone before the next one, and told of where it cannot be."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bench.device import device
from bench.residue import left_by
from ocppj.clock import Calendar, VirtualLoop
from ocppj.errors import ErrorCode, Refused
from ocppj.frames import Payload
from ocppj.transcript import Transcript
from reference_csms import reservation
from reference_csms.central_system import HANDLERS, CentralSystem
from reference_csms.store import Store
from reports.results import CaseResult
from simulator.charge_point import ChargePoint
from tests.bench.wire import CP, CS
from tests.variants.foreign import ID_TAGS, Desk, _play, _VirtualRun
from tests.variants.test_coming_to_rest import at_the_bench

Rehearse = Callable[[str], CaseResult]


@contextmanager
def central_system(calendar: Calendar) -> Iterator[tuple[CentralSystem, Rehearse]]:
    """One under test, and how to rehearse one case after another."""
    loop, store = VirtualLoop(calendar), Store()
    store.heartbeat_interval = 15
    store.know_charge_point("CP1")
    for name, status in (("ValidIdTag", "Accepted"), ("ExpiredIdTag", "Expired"), ("BlockedIdTag", "Blocked")):
        store.know_id_tag(ID_TAGS[name], status)
    it = CentralSystem(store)
    loop.run_until_complete(it.start())
    run = _VirtualRun(device(url=it.endpoint, data=ID_TAGS), Desk(it, 0.0), loop)
    run.open()

    def rehearse(case: str) -> CaseResult:
        (result,) = _play(run, frozenset({case}))
        return result

    try:
        yield it, rehearse
    finally:
        run.leave()
        loop.run_until_complete(it.stop())
        run.close()


def running(it: CentralSystem) -> list[int]:
    return [number for number, each in it.store.transactions.items() if each.stopped_at is None]


def reserved(it: CentralSystem) -> list[int]:
    return [each.reservation_id for each in reservation.standing(it.store.of("CP1"))]


@pytest.mark.parametrize("case", ["TC_003_CSMS", "TC_010_CSMS", "TC_032_1_CSMS", "TC_037_1_CSMS"])
def test_no_transaction_stays_open_in_a_central_system(calendar: Calendar, case: str) -> None:
    with central_system(calendar) as (it, rehearse):
        assert rehearse(case).verdict == "pass"
        assert it.store.transactions
        assert running(it) == []


@pytest.mark.parametrize("case", ["TC_047_CSMS", "TC_049_CSMS", "TC_051_CSMS", "TC_052_CSMS"])
def test_no_reservation_stays_in_a_central_system(calendar: Calendar, case: str) -> None:
    with central_system(calendar) as (it, rehearse):
        assert rehearse(case).verdict == "pass"
        assert rehearse("TC_001_CSMS").residue == []
        assert reserved(it) == []
        assert running(it) == []


def test_the_run_leaves_no_reservation_in_a_central_system(calendar: Calendar) -> None:
    with central_system(calendar) as (it, rehearse):
        rehearse("TC_049_CSMS")
        assert reserved(it)
    assert reserved(it) == []


def test_a_reservation_that_a_case_left_is_used_up(calendar: Calendar) -> None:
    with central_system(calendar) as (it, rehearse):
        assert rehearse("TC_049_CSMS").verdict == "pass"
        assert reserved(it)
        assert rehearse("TC_001_CSMS").verdict == "pass"
        ended_by = [each.reservation_id for each in it.store.transactions.values()]
        assert [number for number in ended_by if number is not None]


def refuse(*_: object) -> Payload:
    raise Refused(ErrorCode.INTERNAL_ERROR, "the database is locked")


def test_what_cannot_be_undone_is_told_of_with_the_next_case(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(HANDLERS, "StopTransaction", refuse)
    with central_system(calendar) as (_, rehearse):
        assert rehearse("TC_003_CSMS").verdict == "pass"
        after = rehearse("TC_001_CSMS")
        (told,) = after.residue
        assert told.startswith("left behind by TC_003_CSMS: transaction ")
        assert told.endswith(" is not stopped: InternalError: the database is locked")
        assert told in after.remarks
        assert (after.verdict, after.strict_verdict) == ("pass", "pass")


def test_what_could_not_be_undone_at_once_is_undone_before_the_next_case(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    with central_system(calendar) as (it, rehearse):
        with monkeypatch.context() as patch:
            patch.setitem(HANDLERS, "StopTransaction", refuse)
            assert rehearse("TC_003_CSMS").verdict == "pass"
        assert running(it)
        after = rehearse("TC_003_CSMS")
        assert (after.verdict, after.residue, running(it)) == ("pass", [], [])


def test_what_a_central_system_is_left_with_is_read_off_the_transcript() -> None:
    wire = Transcript()
    wire.frame(CP, "CP1", '[2,"1","StartTransaction",{"connectorId":1,"idTag":"A","meterStart":5,"timestamp":"x"}]')
    wire.frame(CS, "CP1", '[3,"1",{"transactionId":7,"idTagInfo":{"status":"Accepted"}}]')
    wire.frame(CS, "CP1", '[2,"2","ReserveNow",{"reservationId":3,"expiryDate":"2999-01-01T00:00:00Z","idTag":"A"}]')
    wire.frame(CP, "CP1", '[3,"2",{"status":"Accepted"}]')
    wire.frame(CS, "CP1", '[2,"4","ReserveNow",{"reservationId":4,"expiryDate":"2001-01-01T00:00:00Z","idTag":"A"}]')
    wire.frame(CP, "CP1", '[3,"4",{"status":"Accepted"}]')
    left = left_by("TC_900_CSMS", wire.records)
    assert ([*left.transactions], [*left.reservations]) == ([7], [3])
    wire.frame(CP, "CP1", '[2,"5","StopTransaction",{"transactionId":7,"meterStop":6,"timestamp":"x"}]')
    wire.frame(CS, "CP1", '[2,"6","CancelReservation",{"reservationId":3}]')
    assert left_by("TC_900_CSMS", wire.records)  # nobody has answered yet
    wire.frame(CS, "CP1", '[3,"5",{}]')
    wire.frame(CP, "CP1", '[3,"6",{"status":"Accepted"}]')
    assert not left_by("TC_900_CSMS", wire.records)


# A Charge Point that is rehearsed


def test_a_list_that_is_not_emptied(calendar: Calendar) -> None:
    it = ChargePoint()
    update = it.handlers["SendLocalList"]

    def keep_it(it: ChargePoint, request: Payload) -> Payload:
        return update(it, request) if "localAuthorizationList" in request else {"status": "Failed"}

    it.handlers["SendLocalList"] = keep_it
    with at_the_bench(calendar, it) as (rehearse, _):
        assert rehearse("TC_043_CS").residue == []
        after = rehearse("TC_052_CS")
        text = "left behind by TC_043_CS: the Local Authorization List is not emptied: Failed"
        assert (after.verdict, after.residue) == ("pass", [text])
        assert text in after.remarks


def test_charging_profiles_that_are_not_cleared(calendar: Calendar) -> None:
    it = ChargePoint()

    def refuse_to_clear(*_: object) -> Payload:
        raise Refused(ErrorCode.INTERNAL_ERROR, "the database is locked")

    with at_the_bench(calendar, it) as (rehearse, _):
        assert rehearse("TC_056_CS").verdict == "pass"
        it.handlers["ClearChargingProfile"] = refuse_to_clear
        (told,) = rehearse("TC_052_CS").residue
        assert told.startswith("left behind by TC_056_CS: charging profiles are not cleared: InternalError")


def test_a_key_that_is_not_set_back(calendar: Calendar) -> None:
    it = ChargePoint()
    change = it.handlers["ChangeConfiguration"]

    with at_the_bench(calendar, it) as (rehearse, _):
        it.configuration.set("MeterValueSampleInterval", "17")
        assert rehearse("TC_070_CS").verdict == "pass"

        def reject(it: ChargePoint, request: Payload) -> Payload:
            return {"status": "Rejected"} if request["value"] == "17" else change(it, request)

        it.handlers["ChangeConfiguration"] = reject
        (told,) = rehearse("TC_052_CS").residue
        assert told == "left behind by TC_070_CS: MeterValueSampleInterval is not set back to 17: Rejected"


def test_a_key_that_no_case_could_change_is_not_missed(calendar: Calendar) -> None:
    it = ChargePoint()
    it.handlers["ChangeConfiguration"] = lambda *_: {"status": "Rejected"}
    with at_the_bench(calendar, it) as (rehearse, _):
        rehearse("TC_021_CS")
        assert rehearse("TC_052_CS").residue == []


def test_a_transaction_that_is_not_stopped(calendar: Calendar) -> None:
    it = ChargePoint()
    with at_the_bench(calendar, it) as (rehearse, _):
        assert rehearse("TC_046_2_CS").verdict == "pass"
        it.handlers["RemoteStopTransaction"] = lambda *_: {"status": "Accepted"}
        after = rehearse("TC_052_CS")
        assert after.verdict == "inconclusive"
        assert after.reason.startswith("left behind by TC_046_2_CS: connector 1 is Charging and was not brought to")
