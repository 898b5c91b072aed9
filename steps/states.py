"""Sentences that bring the two parties into a state, over the wire where there is a wire to see it, and that see one.

What the judged party does wrong on the way is a fail «in state ...».
"""

from collections.abc import Callable

from bench.bench import QUIET, Bench
from bench.messages import Message
from bench.seats import ExternalChargePoint, ReferenceCentralSystem, SimulatedChargePoint
from bench.verdicts import OurError
from steps.cells import Table, rows
from steps.configuration import authorize_if_it_must, is_true, set_configuration
from steps.messages import bench_seconds, bench_text, claim_conf, claim_request, make_send
from steps.station import at_connector
from steps.words import given, then

ACCEPTED = (("idTagInfo.status", "Accepted"),)


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
        await _every_connector(bench, {})
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


async def _charging(bench: Bench, id_tag: str) -> None:
    with bench.state("Charging"):
        if bench.judged == "Charge Point":
            await _start_remotely(bench, id_tag)
        else:
            await _authorize(bench, id_tag)
            await _plug_in(bench)
        await claim_request(
            bench, "Charge Point", "StartTransaction", (("connectorId", "{ConnectorId}"), ("idTag", id_tag))
        )
        await claim_conf(bench, "Central System", "StartTransaction", ACCEPTED)
        await bench.reaches(bench.connector, "Charging")


@given("idTag {id_tag:IdTag} is {status:IdTagStatus}")
async def id_tag_is(bench: Bench, id_tag: str, status: str) -> None:
    """Our Central System is told; a foreign one must have been told by its operator: the test data names the idTag."""
    value = bench_text(bench, id_tag)
    seat = bench.seats["Central System"]
    if isinstance(seat, ReferenceCentralSystem) and status != "unknown":
        store = seat.central_system.store
        store.know_id_tag(value, status, store.id_tag_info(value).get("parentIdTag"))


@given("the Authorization Cache holds {id_tag:IdTag}")
async def cached(bench: Bench, id_tag: str) -> None:
    """The memory state IdTagCached: a whole charging session of a Charge Point under test has put it there."""
    seat = bench.seats["Charge Point"]
    if bench.judged == "Central System":
        if not isinstance(seat, SimulatedChargePoint):
            raise OurError("the Charge Point beside a Central System under test is ours")
        seat.charge_point.authorization.learn(bench_text(bench, id_tag), {"status": "Accepted"})
        return
    await set_configuration(bench, (("AuthorizationCacheEnabled", "true"),))
    await _charging(bench, id_tag)
    with bench.state("IdTagCached"):
        await _present(bench, id_tag)
        transaction = (("transactionId", "{StartTransaction.conf.transactionId}"),)
        await claim_request(bench, "Charge Point", "StopTransaction", transaction)
        await claim_conf(bench, "Central System", "StopTransaction")
        await bench.reaches(bench.connector, "Finishing")
        await at_connector(bench, "unplug", "the EV driver unplugs the cable")
        await bench.reaches(bench.connector, "Available")


@then("connector {n:N} is {status:Status}")
async def connector_is(bench: Bench, n: str, status: str) -> None:
    """Sooner or later: a real EV may go through SuspendedEV on its way to Charging."""
    await bench.reaches(_connector(bench, n), status)


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
        raise bench.blame("Charge Point", text)
    if passed > wait + tolerance:
        bench.remark(text, strict=True)


@then("connector 0 and every connector are reported {status:Status}")
async def every_connector_is(bench: Bench, status: str) -> None:
    await _every_connector(bench, {}, status)


@then("connector 0 and every connector are reported {status:Status}, except")
async def every_connector_but(bench: Bench, status: str, datatable: Table) -> None:
    """The table names connectors and their statuses."""
    await _every_connector(bench, {_connector(bench, n): other for n, other in rows(datatable)}, status)


@then("the Charge Point reboots and sends BootNotification.req")
async def reboots(bench: Bench) -> None:
    """A reboot is a long operation."""
    await claim_request(bench, "Charge Point", "BootNotification", within=bench.long_timeout)


@then("the Charge Point may reboot, and then connector 0 and every connector are reported {status:Status}, except")
async def may_reboot(bench: Bench, status: str, datatable: Table) -> None:
    """Optional: what follows a reboot is due only if there is one."""
    if await bench.claim_if_any("Charge Point", "BootNotification", within=bench.long_timeout):
        await claim_conf(bench, "Central System", "BootNotification", (("status", "Accepted"),))
        await _every_connector(bench, {_connector(bench, n): other for n, other in rows(datatable)}, status)


async def _every_connector(bench: Bench, exceptions: dict[int, str], status: str = "Available") -> None:
    known = int(str(bench.value("NumberOfConnectors")))
    for connector in range(known + 1):
        message = await bench.claim(
            "Charge Point", "StatusNotification", connector=connector, ordered=False, why="errata 3.22"
        )
        await _check_report(bench, message, exceptions, status)
    # A device may have more connectors than we were told: what it says of them counts as well.
    for message in await bench.reports_above(known):
        await _check_report(bench, message, exceptions, status)


async def _check_report(bench: Bench, message: Message, exceptions: dict[int, str], status: str) -> None:
    connector = message.payload["connectorId"]
    wanted = exceptions.get(connector, status)
    reported = message.payload.get("status")
    if reported != wanted:
        text = f"connector {connector} is reported {reported}, expected {wanted}"
        raise bench.blame("Charge Point", text, "StatusNotification")
    bench.as_conf(await bench.answer_to(message), "StatusNotification")


async def _authorize(bench: Bench, id_tag: str) -> None:
    await _present(bench, id_tag)
    await claim_request(bench, "Charge Point", "Authorize", (("idTag", id_tag),), ordered=False)
    await claim_conf(bench, "Central System", "Authorize", ACCEPTED)
    await bench.reaches(bench.connector, "Preparing")


async def _start_remotely(bench: Bench, id_tag: str) -> None:
    await make_send(bench, "Central System", "GetConfiguration", (("key", "[AuthorizeRemoteTxRequests]"),))
    await claim_conf(bench, "Charge Point", "GetConfiguration")
    reserved = is_reserved(bench)
    await _plug_in(bench)
    if not reserved:
        await bench.reaches(bench.connector, "Preparing")
    wanted = (("connectorId", "{ConnectorId}"), ("idTag", id_tag))
    await make_send(bench, "Central System", "RemoteStartTransaction", wanted)
    await claim_conf(bench, "Charge Point", "RemoteStartTransaction", (("status", "Accepted"),))
    if reserved:
        await bench.reaches(bench.connector, "Preparing")
        await _authorize_for_reservation(bench, id_tag)
    else:
        await authorize_if_it_must(bench, id_tag)


def is_reserved(bench: Bench) -> bool:
    """Whether the connector of the case was reported Reserved last, as far as a sentence has claimed it."""
    report = bench.wire.latest_claim("Charge Point", "StatusNotification", bench.connector)
    return report is not None and report.payload.get("status") == "Reserved"


async def _authorize_for_reservation(bench: Bench, id_tag: str) -> None:
    """At a reserved connector Authorize.req may come before Preparing: what it tells decides who may have it (5.13).

    The reserved idTag itself need not be asked about again.
    """
    is_holder = bench_text(bench, id_tag).casefold() == str(bench.value("ReserveNow.req.idTag")).casefold()
    if is_holder or not is_true(bench, "AuthorizeRemoteTxRequests"):
        await authorize_if_it_asks(
            bench, id_tag, lambda: next(bench.wire.calls("Charge Point", "StartTransaction"), None)
        )
    else:
        await claim_request(bench, "Charge Point", "Authorize", (("idTag", id_tag),), ordered=False)
        await claim_conf(bench, "Central System", "Authorize", ACCEPTED)


async def authorize_if_it_asks(bench: Bench, id_tag: str, otherwise: Callable[[], Message | None]) -> None:
    """Claim the optional Authorize.req, which is not waited for when what can do without it is seen."""

    def asked() -> Message | None:
        return next(bench.wire.calls("Charge Point", "Authorize"), None)

    if await bench.wire.until(lambda: asked() or otherwise(), bench.loop.time() + bench.timeout):
        await bench.wire.until(asked, bench.loop.time() + QUIET)
    if asked():
        await claim_request(bench, "Charge Point", "Authorize", (("idTag", id_tag),), ordered=False)
        await claim_conf(bench, "Central System", "Authorize", ACCEPTED)


async def _plug_in(bench: Bench) -> None:
    await at_connector(bench, "plug_in", "the EV driver plugs in the cable")


async def _present(bench: Bench, id_tag: str) -> None:
    value = bench_text(bench, id_tag)
    await at_connector(bench, "present", f"the EV driver presents idTag {value}", idTag=value)


def _connector(bench: Bench, n: str) -> int:
    return int(bench_text(bench, n))
