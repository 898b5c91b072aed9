"""Sentences that bring the two parties into a state, over the wire where there is a wire to see it, and that see one.

What the judged party does wrong on the way is a fail «in state ...».
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from bench.bench import Bench
from bench.messages import Message
from bench.seats import ExternalChargePoint, ReferenceCentralSystem
from bench.verdicts import Difference, Inconclusive, OurError
from steps.cells import Table, expectation, mismatches, rows, tolerated
from steps.configuration import authorize_if_it_must, has_true, is_true, set_configuration, simulated
from steps.messages import bench_seconds, bench_text, claim_conf, claim_request, judge_rows, make_send
from steps.station import at_connector, fail, has
from steps.words import given, then

ACCEPTED = (("idTagInfo.status", "Accepted"),)

# What a connector may be reported as before its hardware has been looked at.
FIRST_REPORTS = ("Available", "Unavailable", "SuspendedEV", "SuspendedEVSE")


@given("the Charge Point is booted")
async def booted(bench: Bench) -> None:
    """Connected, accepted, idle. A Charge Point under test has been brought there before the case began."""
    with bench.state("Booted"):
        seat = bench.seats["Charge Point"]
        if isinstance(seat, ExternalChargePoint):
            await seat.device.wait_connected()
            return
        await bench.do("Charge Point", "power_on", {}, bench.sentence)
        await claim_request(bench, "Charge Point", "BootNotification")
        await claim_conf(bench, "Central System", "BootNotification", (("status", "Accepted"),))
        await claim_every_connector(bench, {})
        if not bench.seats["Central System"].is_ours:
            await bench.settle()  # many a Central System now brings the Charge Point up to date


@given("idTag {id_tag:IdTag} is authorized")
async def authorized(bench: Bench, id_tag: str) -> None:
    """Presented, accepted, and the connector Preparing, no cable plugged in yet."""
    with bench.state("Authorized"):
        await _authorize(bench, id_tag)


@given("a transaction is running with idTag {id_tag:IdTag}")
async def transaction_running(bench: Bench, id_tag: str) -> None:
    """The reusable state Charging: remotely started for a Charge Point, locally for a Central System."""
    await _charging(bench, id_tag)


async def _charging(bench: Bench, id_tag: str, more: Table = ()) -> None:
    with bench.state("Charging"):
        if bench.judged == "Charge Point":
            await _start_remotely(bench, id_tag, more)
        else:
            await _authorize(bench, id_tag)
            await _plug_in(bench)
        await claim_request(
            bench, "Charge Point", "StartTransaction", (("connectorId", "{ConnectorId}"), ("idTag", id_tag))
        )
        await claim_conf(bench, "Central System", "StartTransaction", ACCEPTED)
        await bench.reaches(bench.connector, "Charging")


async def transaction_running_after(bench: Bench, id_tag: str, more: Table) -> None:
    """The same, its RemoteStartTransaction.req with more fields."""
    await _charging(bench, id_tag, more)


@given("idTag {id_tag:IdTag} is {status:IdTagStatus}")
async def id_tag_is(bench: Bench, id_tag: str, status: str) -> None:
    """Our Central System is told; a foreign one must have been told by its operator: the test data names the idTag."""
    _know(bench, id_tag, status)


@given("idTag {id_tag:IdTag} is {status:IdTagStatus} in the group {parent:IdTag}")
async def id_tag_is_in_group(bench: Bench, id_tag: str, status: str, parent: str) -> None:
    """The group is the parentIdTag that its idTags share (3.10)."""
    _know(bench, id_tag, status, bench_text(bench, parent))


def _know(bench: Bench, id_tag: str, status: str, parent: str | None = None) -> None:
    value = bench_text(bench, id_tag)
    seat = bench.seats["Central System"]
    if isinstance(seat, ReferenceCentralSystem) and status != "unknown":
        seat.central_system.store.know_id_tag(value, status, parent)


@given("the Authorization Cache holds {id_tag:IdTag}")
async def cached(bench: Bench, id_tag: str) -> None:
    """The memory state IdTagCached: a whole charging session of a Charge Point under test has put it there."""
    if bench.judged == "Central System":
        _teach(bench, id_tag)
        return
    await set_configuration(bench, (("AuthorizationCacheEnabled", "true"),))
    await _have_cached(bench, id_tag)


def _teach(bench: Bench, id_tag: str) -> None:
    simulated(bench).authorization.learn(bench_text(bench, id_tag), {"status": "Accepted"})


async def _have_cached(bench: Bench, id_tag: str) -> None:
    await _charging(bench, id_tag)
    with bench.state("IdTagCached"):
        transaction = (("transactionId", "{StartTransaction.conf.transactionId}"),)
        if has(bench, "local_authorization"):
            await _present(bench, id_tag)
        else:
            await make_send(bench, "Central System", "RemoteStopTransaction", transaction)
            await claim_conf(bench, "Charge Point", "RemoteStopTransaction", (("status", "Accepted"),))
        await claim_request(bench, "Charge Point", "StopTransaction", transaction)
        await claim_conf(bench, "Central System", "StopTransaction")
        await bench.reaches(bench.connector, "Finishing")
        await at_connector(bench, "unplug", "the EV driver unplugs the cable")
        await bench.reaches(bench.connector, "Available")


@given("idTag {id_tag:IdTag} may start a transaction offline")
async def may_start_offline(bench: Bench, id_tag: str) -> None:
    """The memory states IdTagCached and IdTagLocalAuthList, as far as the Charge Point has told that it has them.

    To get there our Central System accepts the idTag for so long, whatever it is to say of it later.
    """
    if bench.judged == "Central System":
        _teach(bench, id_tag)
        return
    value = bench_text(bench, id_tag)
    has_cache = "authorization_cache" not in bench.device.lacks and has_true(bench, "AuthorizationCacheEnabled")
    if has_cache:
        with _accepted_for_now(bench, value):
            await _have_cached(bench, id_tag)
    has_list = await _have_listed(bench, value)
    if not (has_cache or has_list or has_true(bench, "AllowOfflineTxForUnknownId")):
        text = "the Charge Point knows no way to start a transaction offline: rehearse it with --lacks"
        raise Inconclusive(f"{text} offline_transactions")


@contextmanager
def _accepted_for_now(bench: Bench, id_tag: str) -> Iterator[None]:
    seat = bench.seats["Central System"]
    if not isinstance(seat, ReferenceCentralSystem):
        raise OurError("the Central System beside a Charge Point under test is ours")
    store = seat.central_system.store
    is_known = store.id_tag_info(id_tag)["status"] != "Invalid"
    if not is_known:
        store.know_id_tag(id_tag)
    try:
        yield
    finally:
        if not is_known:
            store.forget_id_tag(id_tag)


async def _have_listed(bench: Bench, id_tag: str) -> bool:
    """Whether the Charge Point has the idTag in its Local Authorization List now."""
    if "local_auth_list" in bench.device.lacks or not has_true(bench, "LocalAuthListEnabled"):
        return False
    with bench.state("IdTagLocalAuthList"):
        entry = {"idTag": id_tag, "idTagInfo": {"status": "Accepted"}}
        payload = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [entry]}
        await bench.send("Central System", "SendLocalList", payload, bench.sentence)
        await claim_request(bench, "Central System", "SendLocalList")
        answer = await bench.answer("Charge Point", "SendLocalList")
        if answer.type == "CALLERROR" and answer.error["code"] in ("NotImplemented", "NotSupported"):
            return False  # it has the key and not the profile
        await claim_conf(bench, "Charge Point", "SendLocalList", (("status", "Accepted"),))
    return True


@given("connector {n:N} is Faulted")
async def faulted(bench: Bench, n: str) -> None:
    """The reusable states SetConnectorFaulted and, with 0, SetChargePointFaulted."""
    connector = _connector(bench, n)
    with bench.state("SetConnectorFaulted" if connector else "SetChargePointFaulted"):
        await fail(bench, n, "OtherError")
        if connector == 0:
            await _charge_point_faulted(bench)
            return
        wanted = (("connectorId", n), ("status", "Faulted"))
        await claim_request(bench, "Charge Point", "StatusNotification", wanted)
        await claim_conf(bench, "Central System", "StatusNotification")


async def _charge_point_faulted(bench: Bench) -> None:
    """Connector 0, or every connector above it, is reported Faulted.

    4.9 ties their statuses to each other in no way; the test case document lists both.
    """

    def is_faulted(message: Message) -> bool:
        return message.payload.get("status") == "Faulted" and message.payload.get("connectorId") in missing

    above = set(range(1, bench.number_of_connectors + 1))
    missing = {0, *above}
    deadline = bench.loop.time() + bench.timeout
    while missing:
        message = await bench.wire.next_call("Charge Point", "StatusNotification", is_faulted, deadline)
        if message is None:
            break
        bench.take(message, ordered=False)
        await bench.conf_to(message)
        missing.discard(message.payload["connectorId"])
    await bench.reports_above(max(above))
    if not missing:
        return
    text = f"connector {', '.join(map(str, sorted(missing)))} was not reported Faulted"
    if 0 in missing and above & missing:
        raise bench.blame("Charge Point", text, "StatusNotification", missing="StatusNotification.req Faulted")
    bench.remark(text, "OCPP 1.6 4.9", strict=True)


@then("connector {n:N} goes through {statuses:Statuses}")
async def goes_through(bench: Bench, n: str, statuses: str) -> None:
    """All but the last may last so shortly that they are not told (4.9, errata 3.19): a remark."""
    *before, last = statuses.split(", ")
    connector = _connector(bench, n)
    told = [report.payload["status"] for report in await bench.reaches(connector, last, by_way_of=before)]
    for status in before:
        if status not in told:
            bench.remark(f"connector {connector} was not reported {status} before {last}", "OCPP 1.6 4.9", strict=True)


@then("connector {n:N} is {statuses:Either}")
async def connector_is(bench: Bench, n: str, statuses: str, datatable: Table = ()) -> None:
    """Sooner or later: a real EV may go through SuspendedEV on its way to Charging.

    One of them will do; the table is about the report that suits it best.
    """
    connector, either = _connector(bench, n), statuses.split(" or ")
    reports = (await bench.reaches(connector, *either))[-1:]
    if datatable:
        reports += await _others(bench, connector, {*either} - {reports[0].payload["status"]})

    def lacking(report: Message) -> tuple[int, int]:
        found = (mismatches(report.payload, datatable, bench.value), tolerated(report.payload, datatable, bench.value))
        return len(found[0]), len(found[1])

    judge_rows(bench, min(reports, key=lacking), "StatusNotification.req", datatable)


async def _others(bench: Bench, connector: int, statuses: Collection[str]) -> list[Message]:
    """The report of one of these statuses that follows at once, if there is one, claimed."""

    def fits(message: Message) -> bool:
        return message.payload.get("connectorId") == connector and message.payload.get("status") in statuses

    report = await bench.wire.next_call(
        "Charge Point", "StatusNotification", fits, bench.loop.time() + bench.settle_time
    )
    if report is None:
        return []
    bench.take(report, ordered=False)
    return [report]


@then("connector {n:N} is {status:Status}, unless it was reported so before")
async def connector_is_unless_told(bench: Bench, n: str, status: str) -> None:
    """4.9: who was so before and stays so has nothing new to tell: a remark."""
    connector = _connector(bench, n)

    def tells(message: Message) -> bool:
        return message.payload.get("connectorId") == connector

    if bench.status_told(connector, bench.wire.floor) == status:
        deadline = bench.loop.time() + bench.settle_time
        if await bench.wire.next_call("Charge Point", "StatusNotification", tells, deadline) is None:
            bench.remark(f"connector {connector} was reported {status} only before", "OCPP 1.6 4.9", strict=True)
            return
    await bench.reaches(connector, status)


@then("connector {n:N} is {status:Status}, or with a fixed cable {other:Status}")
async def connector_is_by_its_cable(bench: Bench, n: str, status: str, other: str) -> None:
    """Without a cable to take out nobody has anything left to do (4.9, C1)."""
    await bench.reaches(_connector(bench, n), status, *([] if has(bench, "detachable_cable") else [other]))


@then("connector {n:N} is {status:Status}, if its cable is detachable")
async def connector_is_if_detachable(bench: Bench, n: str, status: str) -> None:
    """Not twice: a Charge Point that has told it before says nothing new (4.9)."""
    connector = _connector(bench, n)
    if has(bench, "detachable_cable") and bench.status_told(connector, bench.wire.floor) != status:
        await bench.reaches(connector, status)


@then("connector {n:N} is {status:Status}, at the latest after {duration:Duration}")
async def connector_is_by_then(bench: Bench, n: str, status: str, duration: str) -> None:
    await bench.reaches(_connector(bench, n), status, within=bench_seconds(bench, duration) + bench.timeout)


@then("connector {n:N} is {status:Status} after {duration:Duration}")
async def connector_is_after(bench: Bench, n: str, status: str, duration: str) -> None:
    """The time counts from the report of that connector that was claimed last."""
    connector, wait = _connector(bench, n), bench_seconds(bench, duration)
    before = bench.latest_report(connector)
    await bench.reaches(connector, status, within=wait + bench.timeout)
    passed = (bench.latest_report(connector).time - before.time).total_seconds()
    tolerance = bench.device.limits.tolerance
    text = f"connector {connector} was {status} after {passed:g} s, {wait:g} s were due"
    if bench.judged != "Charge Point":
        return  # a Central System that takes its time to answer delays our reports
    if passed < wait - tolerance or passed > wait + max(5 * tolerance, wait / 2):
        raise bench.blame("Charge Point", text, frame=bench.latest_report(connector).index)
    if passed > wait + tolerance:
        bench.remark(text, strict=True)


@then("connector 0 and every connector are reported {status:Status}")
async def every_connector_is(bench: Bench, status: str) -> None:
    await claim_every_connector(bench, {}, status)


@then("connector 0 and every connector are reported {status:Status}, except")
async def every_connector_but(bench: Bench, status: str, datatable: Table) -> None:
    """The table names connectors and, in a cell, their statuses."""
    await claim_every_connector(bench, _exceptions(bench, datatable), status)


@then("connector 0 and every connector are reported {status:Status} sooner or later, except")
async def every_connector_in_the_end(bench: Bench, status: str, datatable: Table) -> None:
    """After a power cut, which a transaction may outlive: what is Available or Unavailable at first is looked at again.

    A real EV may go through SuspendedEV on its way.
    """
    await claim_every_connector(bench, _exceptions(bench, datatable), status, FIRST_REPORTS)


@then("connector 0 and every connector are still {status:Status} after {duration:Duration}")
async def every_connector_is_still(bench: Bench, status: str, duration: str) -> None:
    """What was reported last of each counts: a Charge Point that has just booted may look at itself first."""
    await asyncio.sleep(bench_seconds(bench, duration))
    for connector in range(bench.number_of_connectors + 1):
        told = bench.status_told(connector, len(bench.wire.records))
        if told != status:
            text = f"connector {connector} is {told} in the end, expected {status}"
            wrong = Difference("status", expected=status, seen=str(told))
            raise bench.blame("Charge Point", text, "StatusNotification", differences=[wrong])


@then("the Charge Point reboots and sends BootNotification.req")
async def reboots(bench: Bench) -> None:
    """A reboot is a long operation."""
    await claim_request(bench, "Charge Point", "BootNotification", within=bench.long_timeout)


@then("the Charge Point may reboot, and then connector 0 and every connector are reported {status:Status}, except")
async def may_reboot(bench: Bench, status: str, datatable: Table) -> None:
    """Optional: what follows a reboot is due only if there is one."""
    if await bench.claim_if_any("Charge Point", "BootNotification", within=bench.long_timeout, ordered=True):
        await claim_conf(bench, "Central System", "BootNotification", (("status", "Accepted"),))
        await claim_every_connector(bench, _exceptions(bench, datatable), status)


def _exceptions(bench: Bench, table: Table) -> dict[int, str]:
    return {_connector(bench, n): cell for n, cell in rows(table)}


async def claim_every_connector(
    bench: Bench, exceptions: dict[int, str], status: str = "Available", on_the_way: Collection[str] = ()
) -> None:
    """Claim a report of each connector, 0 included, and its answer; some may have another status than all others."""
    known, due = bench.number_of_connectors, _what_has_them_reported(bench)
    for connector in range(known + 1):
        message = await bench.claim("Charge Point", "StatusNotification", connector=connector, ordered=False, why=due)
        wanted = expectation(exceptions.get(connector, status), bench.value)
        while message.payload.get("status") in on_the_way and not wanted.fits(message.payload["status"]):
            within = bench.timeout + bench.status_delay
            later = await bench.claim_if_any("Charge Point", "StatusNotification", connector=connector, within=within)
            if later is None:
                break
            message = later
        await _check_report(bench, message, exceptions, status)
    # A device may have more connectors than we were told: what it says of them counts as well.
    for message in await bench.reports_above(known):
        await _check_report(bench, message, exceptions, status)


def _what_has_them_reported(bench: Bench) -> str:
    """The clause: every connector is reported after a boot, and what ChangeAvailability.req has changed."""
    boot = bench.wire.latest_claim("Charge Point", "BootNotification")
    change = bench.wire.latest_claim("Central System", "ChangeAvailability")
    return "5.2" if change and not (boot and boot.index > change.index) else "errata 3.22"


async def _check_report(bench: Bench, message: Message, exceptions: dict[int, str], status: str) -> None:
    connector = message.payload["connectorId"]
    wanted = expectation(exceptions.get(connector, status), bench.value)
    reported = message.payload.get("status")
    if not wanted.fits(reported):
        text = f"connector {connector} is reported {reported}, expected {wanted.text}"
        wrong = Difference("status", expected=wanted.text, seen=str(reported))
        raise bench.blame("Charge Point", text, "StatusNotification", frame=message.index, differences=[wrong])
    await bench.conf_to(message)


async def _authorize(bench: Bench, id_tag: str) -> None:
    await _present(bench, id_tag)
    await claim_request(bench, "Charge Point", "Authorize", (("idTag", id_tag),), ordered=False)
    await claim_conf(bench, "Central System", "Authorize", ACCEPTED)
    await bench.reaches(bench.connector, "Preparing")


async def _start_remotely(bench: Bench, id_tag: str, more: Table) -> None:
    await make_send(bench, "Central System", "GetConfiguration", (("key", "[AuthorizeRemoteTxRequests]"),))
    await claim_conf(bench, "Charge Point", "GetConfiguration")
    reserved = is_reserved(bench)
    await _plug_in(bench)
    if not reserved:
        await bench.reaches(bench.connector, "Preparing")
    wanted = (("connectorId", "{ConnectorId}"), ("idTag", id_tag), *more)
    await make_send(bench, "Central System", "RemoteStartTransaction", wanted)
    await claim_conf(bench, "Charge Point", "RemoteStartTransaction", (("status", "Accepted"),))
    if reserved:
        await _authorize_for_reservation(bench, id_tag)
    else:
        await authorize_if_it_must(bench, id_tag)


def is_reserved(bench: Bench) -> bool:
    """Whether the connector of the case is reserved, as far as sentences have claimed what tells of it.

    It was reported Reserved last, or ReserveNow.req came after its last report. Where the whole Charge Point is
    reserved, it may be so without a report.
    """
    report = bench.wire.latest_claim("Charge Point", "StatusNotification", bench.connector)
    reservation = bench.wire.latest_claim("Central System", "ReserveNow")
    if report is not None and report.payload.get("status") == "Reserved":
        return True
    if reservation is None:
        return False
    number = reservation.payload.get("connectorId")
    is_latest = report is None or report.index < reservation.index
    return number == 0 or (number == bench.connector and is_latest)


async def _authorize_for_reservation(bench: Bench, id_tag: str) -> None:
    """At a reserved connector Authorize.req may come before Preparing: what it tells decides who may have it (5.13).

    The reserved idTag itself need not be asked about again.
    """

    def comes(action: str, status: object = None) -> Message | None:
        calls = bench.wire.calls("Charge Point", action)
        return next((each for each in calls if each.payload.get("status") == status), None)

    deadline = bench.loop.time() + bench.timeout
    await bench.wire.until(lambda: comes("Authorize") or comes("StatusNotification", "Preparing"), deadline)
    if comes("Authorize"):
        await _claim_authorize(bench, id_tag)
        await bench.reaches(bench.connector, "Preparing")
        return
    await bench.reaches(bench.connector, "Preparing")
    is_holder = bench_text(bench, id_tag).casefold() == str(bench.value("ReserveNow.req.idTag")).casefold()
    if is_holder or not is_true(bench, "AuthorizeRemoteTxRequests"):
        await authorize_if_it_asks(bench, id_tag, lambda: comes("StartTransaction"))
    else:
        await _claim_authorize(bench, id_tag)


async def _claim_authorize(bench: Bench, id_tag: str) -> None:
    await claim_request(bench, "Charge Point", "Authorize", (("idTag", id_tag),), ordered=False)
    await claim_conf(bench, "Central System", "Authorize", ACCEPTED)


async def authorize_if_it_asks(bench: Bench, id_tag: str, otherwise: Callable[[], Message | None]) -> None:
    """Claim the optional Authorize.req, which is not waited for when what can do without it is seen."""

    def asked() -> Message | None:
        return next(bench.wire.calls("Charge Point", "Authorize"), None)

    if await bench.wire.until(lambda: asked() or otherwise(), bench.loop.time() + bench.timeout):
        await bench.wire.until(asked, bench.loop.time() + bench.settle_time)
    if asked():
        await _claim_authorize(bench, id_tag)


async def _plug_in(bench: Bench) -> None:
    await at_connector(bench, "plug_in", "the EV driver plugs in the cable")


async def _present(bench: Bench, id_tag: str) -> None:
    value = bench_text(bench, id_tag)
    await at_connector(bench, "present", f"the EV driver presents idTag {value}", idTag=value)


def _connector(bench: Bench, n: str) -> int:
    return int(bench_text(bench, n))
