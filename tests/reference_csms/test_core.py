"""The answers of the Core profile, over a connection."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from ocppj.clock import parse_timestamp
from ocppj.errors import ErrorCode, Refused
from ocppj.frames import Payload
from ocppj.schemas import ACTIONS, FROM_CHARGE_POINT
from reference_csms.central_system import HANDLERS
from reference_csms.store import Connector
from tests.ocppj.payloads import full, least
from tests.reference_csms.scene import BOOT, NOW, charge_point, furnished, running

START: Payload = {"connectorId": 1, "idTag": "Valid", "meterStart": 100, "timestamp": "2031-05-13T08:40:00Z"}
STOP: Payload = {"transactionId": 1001, "meterStop": 900, "timestamp": "2031-05-13T09:40:00Z"}
METER_VALUE: Payload = {"timestamp": NOW, "sampledValue": [{"value": "500"}]}


async def test_an_accepted_boot() -> None:
    store = furnished()
    store.heartbeat_interval = 77
    async with running(store) as cs, charge_point(cs, boots=False) as cp:
        await asyncio.sleep(10)
        assert await cp.call("BootNotification", BOOT | {"iccid": "1"}) == {
            "status": "Accepted",
            "currentTime": "2031-05-13T08:41:27.389Z",
            "interval": 77,
        }
    known = store.charge_points["CP-1"]
    assert known.boot == BOOT | {"iccid": "1"}
    assert known.accepted
    assert known.last_seen == datetime(2031, 5, 13, 8, 41, 27, 389_000, UTC)
    assert not store.charge_points["CP-2"].accepted


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_a_boot_that_is_not_accepted_yet(status: str) -> None:
    store = furnished()
    store.know_charge_point("CP-1", status)
    store.boot_retry_interval = 11
    async with running(store) as cs, charge_point(cs, boots=False) as cp:
        assert await cp.call("BootNotification", BOOT) == {"status": status, "currentTime": NOW, "interval": 11}
        with pytest.raises(Refused, match="SecurityError"):
            await cp.call("Heartbeat", {})
        store.know_charge_point("CP-1")
        with pytest.raises(Refused, match="SecurityError"):
            await cp.call("Heartbeat", {})
        assert (await cp.call("BootNotification", BOOT))["status"] == "Accepted"
        await cp.call("Heartbeat", {})


@pytest.mark.parametrize("action", sorted(ACTIONS - {"BootNotification"}))
async def test_nothing_but_a_boot_before_acceptance(action: str) -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs, boots=False) as cp:
        with pytest.raises(Refused) as raised:
            await cp.call(action, full(action, "req"))
        assert raised.value.code == ErrorCode.SECURITY_ERROR
    assert store == furnished()


async def test_a_pending_charge_point_may_send_what_it_was_asked_for_once() -> None:
    store = furnished()
    store.know_charge_point("CP-1", "Pending")
    async with running(store) as cs, charge_point(cs) as cp:
        await cs.request("CP-1", "TriggerMessage", {"requestedMessage": "Heartbeat"})
        with pytest.raises(Refused, match="SecurityError"):
            await cp.call("MeterValues", {"connectorId": 1, "meterValue": [METER_VALUE]})
        assert await cp.call("Heartbeat", {}) == {"currentTime": NOW}
        with pytest.raises(Refused, match="SecurityError"):
            await cp.call("Heartbeat", {})


async def test_once_accepted_it_stays_so_over_connections() -> None:
    async with running() as cs:
        async with charge_point(cs):
            pass
        async with charge_point(cs, boots=False) as again:
            assert await again.call("Heartbeat", {}) == {"currentTime": NOW}


async def test_a_charge_point_that_is_no_longer_accepted() -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs) as cp:
        store.know_charge_point("CP-1", "Rejected")
        await cp.call("Heartbeat", {})
        await cp.call("BootNotification", BOOT)
        with pytest.raises(Refused, match="SecurityError"):
            await cp.call("Heartbeat", {})


@pytest.mark.parametrize("action", sorted(ACTIONS - HANDLERS.keys()))
async def test_what_is_not_supported_here(action: str) -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs) as cp:
        with pytest.raises(Refused) as raised:
            await cp.call(action, least(action, "req"))
        assert raised.value.code == ErrorCode.NOT_SUPPORTED
        assert cp.is_open


def test_only_a_charge_points_requests_are_handled() -> None:
    assert HANDLERS.keys() <= FROM_CHARGE_POINT


async def test_heartbeat_tells_the_time() -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs) as cp:
        for seconds in (10, 20):
            await asyncio.sleep(10)
            conf = await cp.call("Heartbeat", {})
            assert parse_timestamp(conf["currentTime"]) == datetime.now(UTC)
            assert store.charge_points["CP-1"].last_seen == parse_timestamp(NOW) + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("id_tag", "info"),
    [
        ("Valid", {"status": "Accepted", "parentIdTag": "Family"}),
        ("vALID", {"status": "Accepted", "parentIdTag": "Family"}),
        ("Other", {"status": "Accepted"}),
        ("Blocked", {"status": "Blocked"}),
        ("Nobody", {"status": "Invalid"}),
        ("Lapsed", {"status": "Expired", "expiryDate": "2031-05-13T08:41:17.389Z"}),
        ("Lasting", {"status": "Accepted", "expiryDate": "2031-05-14T08:41:17.389Z"}),
    ],
)
async def test_id_tags(id_tag: str, info: Payload) -> None:
    store = furnished()
    store.know_id_tag("Lapsed", expiry_date=parse_timestamp(NOW))
    store.know_id_tag("Lasting", expiry_date=parse_timestamp(NOW) + timedelta(days=1))
    async with running(store) as cs, charge_point(cs) as cp:
        assert await cp.call("Authorize", {"idTag": id_tag}) == {"idTagInfo": info}
        start = await cp.call("StartTransaction", START | {"idTag": id_tag})
        assert start == {"transactionId": 1001, "idTagInfo": info}
        assert await cp.call("StopTransaction", STOP | {"idTag": id_tag}) == {"idTagInfo": info}


async def test_a_transaction_from_start_to_stop() -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs) as cp:
        await cp.call("StartTransaction", START | {"reservationId": 5})
        values = {"connectorId": 1, "transactionId": 1001, "meterValue": [METER_VALUE, METER_VALUE]}
        assert await cp.call("MeterValues", values) == {}
        assert await cp.call("MeterValues", values) == {}
        stop = STOP | {"reason": "EVDisconnected", "transactionData": [METER_VALUE]}
        assert await cp.call("StopTransaction", stop) == {}
    transaction = store.transactions[1001]
    assert transaction.identity == "CP-1"
    assert transaction.connector_id == 1
    assert transaction.id_tag == "Valid"
    assert transaction.reservation_id == 5
    assert (transaction.meter_start, transaction.meter_stop) == (100, 900)
    assert (transaction.started_at, transaction.stopped_at) == (START["timestamp"], STOP["timestamp"])
    assert transaction.stop_id_tag is None
    assert transaction.reason == "EVDisconnected"
    assert transaction.meter_values == [METER_VALUE] * 4
    assert transaction.transaction_data == [METER_VALUE]
    assert store.charge_points["CP-1"].meter_values == [values, values]


async def test_a_stop_without_a_reason_is_local() -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs) as cp:
        await cp.call("StartTransaction", START)
        await cp.call("StopTransaction", STOP | {"idTag": "Other"})
    assert store.transactions[1001].reason == "Local"
    assert store.transactions[1001].stop_id_tag == "Other"


async def test_a_refused_id_tag_has_a_transaction_all_the_same() -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs) as cp:
        await cp.call("StartTransaction", START | {"idTag": "Nobody"})
        assert store.transactions[1001].id_tag == "Nobody"


async def test_a_repeated_start_has_the_same_transaction_and_the_same_answer() -> None:
    store = furnished()
    async with running(store) as cs:
        async with charge_point(cs) as cp:
            first = await cp.call("StartTransaction", START)
            assert await cp.call("StartTransaction", START) == first
        async with charge_point(cs, boots=False) as cp:
            assert await cp.call("StartTransaction", START) == first
            await cp.call("StopTransaction", STOP)
            # 3.7: messages come in their order, so after the stop this is another start, whatever it looks like.
            assert (await cp.call("StartTransaction", START))["transactionId"] == 1002
    assert list(store.transactions) == [1001, 1002]


async def test_one_id_tag_runs_one_transaction() -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs) as cp, charge_point(cs, "CP-2") as elsewhere:
        await cp.call("StartTransaction", START)
        again = START | {"connectorId": 2, "idTag": "VALID"}
        refused = {"transactionId": 1002, "idTagInfo": {"status": "ConcurrentTx", "parentIdTag": "Family"}}
        assert await cp.call("StartTransaction", again) == refused
        assert await cp.call("StartTransaction", again) == refused
        assert (await elsewhere.call("StartTransaction", START))["idTagInfo"]["status"] == "ConcurrentTx"
        # 7.2: not for Authorize, or the EV driver could not stop it
        assert (await cp.call("Authorize", {"idTag": "Valid"}))["idTagInfo"]["status"] == "Accepted"
        # another idTag of the group has transactions of its own
        assert (await cp.call("StartTransaction", START | {"connectorId": 3, "idTag": "Other"}))["idTagInfo"] == {
            "status": "Accepted"
        }


async def test_an_id_tag_is_free_again_after_the_stop() -> None:
    async with running() as cs, charge_point(cs) as cp:
        await cp.call("StartTransaction", START)
        await cp.call("StopTransaction", STOP)
        conf = await cp.call("StartTransaction", START | {"connectorId": 2})
        assert conf["idTagInfo"]["status"] == "Accepted"


async def test_an_id_tag_is_free_when_its_connector_runs_another_transaction() -> None:
    """The first StopTransaction never came: errata 3.18 has the Charge Point go on."""
    async with running() as cs, charge_point(cs) as cp:
        await cp.call("StartTransaction", START)
        conf = await cp.call("StartTransaction", START | {"timestamp": NOW})
        assert conf == {"transactionId": 1002, "idTagInfo": {"status": "Accepted", "parentIdTag": "Family"}}


async def test_a_blocked_id_tag_is_blocked_and_not_concurrent() -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs) as cp:
        await cp.call("StartTransaction", START)
        store.know_id_tag("Valid", "Blocked")
        conf = await cp.call("StartTransaction", START | {"connectorId": 2})
        assert conf["idTagInfo"]["status"] == "Blocked"


@pytest.mark.parametrize("transaction_id", [-1, 0, 999, 2**31, 1001])
@pytest.mark.parametrize("id_tag", [None, "Valid", "Nobody"])
async def test_a_stop_of_what_nobody_knows_is_answered(transaction_id: int, id_tag: str | None) -> None:
    store = furnished()
    stop = STOP | {"transactionId": transaction_id} | ({"idTag": id_tag} if id_tag else {})
    async with running(store) as cs, charge_point(cs, "CP-2") as other, charge_point(cs) as cp:
        await other.call("StartTransaction", START)  # 1001 is not CP-1's to stop
        conf = await cp.call("StopTransaction", stop)
        assert await cp.call("StopTransaction", stop) == conf
        assert ("idTagInfo" in conf) == (id_tag is not None)
    assert store.charge_points["CP-1"].unmatched_stops == [stop]
    assert store.transactions[1001].stopped_at is None


async def test_a_repeated_stop_changes_nothing() -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs) as cp:
        await cp.call("StartTransaction", START)
        await cp.call("StopTransaction", STOP)
        await cp.call("StopTransaction", STOP)
        assert await cp.call("StopTransaction", STOP | {"meterStop": 7, "idTag": "Other"}) == {
            "idTagInfo": {"status": "Accepted"}
        }
    assert store.transactions[1001].meter_stop == 900
    assert store.charge_points["CP-1"].unmatched_stops == []


@pytest.mark.parametrize("transaction_id", [None, -1, 999])
async def test_meter_values_without_a_transaction_are_kept(transaction_id: int | None) -> None:
    store = furnished()
    values: Payload = {"connectorId": 0, "meterValue": [METER_VALUE]}
    if transaction_id is not None:
        values["transactionId"] = transaction_id
    async with running(store) as cs, charge_point(cs) as cp:
        assert await cp.call("MeterValues", values) == {}
    assert store.charge_points["CP-1"].meter_values == [values]


async def test_the_status_of_connectors_is_kept() -> None:
    store = furnished()
    report = {"connectorId": 0, "errorCode": "NoError", "status": "Available"}
    fault = {
        "connectorId": 2,
        "errorCode": "OtherError",
        "status": "Faulted",
        "info": "hot",
        "timestamp": "2031-05-13T08:00:00Z",
        "vendorId": "org",
        "vendorErrorCode": "E1",
    }
    async with running(store) as cs, charge_point(cs) as cp:
        assert await cp.call("StatusNotification", report) == {}
        await cp.call("StatusNotification", report | {"connectorId": 2})
        await cp.call("StatusNotification", fault)
    assert store.charge_points["CP-1"].connectors == {
        0: Connector("Available", "NoError", timestamp=NOW),
        2: Connector("Faulted", "OtherError", "hot", "2031-05-13T08:00:00Z", "org", "E1"),
    }
    assert not store.charge_points["CP-2"].connectors


async def test_data_transfer() -> None:
    store = furnished()
    store.know_vendor("org.known", ["M"])
    async with running(store) as cs, charge_point(cs) as cp:
        assert await cp.call("DataTransfer", {"vendorId": "org.x", "data": "d"}) == {"status": "UnknownVendorId"}
        unknown = {"vendorId": "org.known", "messageId": "N"}
        assert await cp.call("DataTransfer", unknown) == {"status": "UnknownMessageId"}
        assert await cp.call("DataTransfer", {"vendorId": "org.known", "messageId": "M"}) == {"status": "Accepted"}
    assert [(each.identity, each.vendor_id, each.message_id, each.data) for each in store.messages] == [
        ("CP-1", "org.x", None, "d"),
        ("CP-1", "org.known", "N", None),
        ("CP-1", "org.known", "M", None),
    ]


@pytest.mark.parametrize(
    "timestamp", ["2031-05-13T08:40:00", "2031-05-13T10:40:00.123456789+02:00", "20310513T084000Z"]
)
async def test_other_notations_of_time_are_accepted(timestamp: str) -> None:
    store = furnished()
    async with running(store) as cs, charge_point(cs) as cp:
        # The peer of ours is strict about itself, and right: these are ISO 8601 (3.15).
        await cp.call("StartTransaction", START | {"timestamp": timestamp})
    assert store.transactions[1001].started_at == timestamp
