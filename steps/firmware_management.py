"""Sentences about firmware and diagnostics: what takes its time, what may come or not, and which file has crossed."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import inf

from bench.bench import PUT_OFF, Bench
from bench.messages import Message
from bench.obligations import clause_of
from bench.seats import SimulatedChargePoint
from bench.verdicts import Difference, Inconclusive
from ocppj.clock import parse_timestamp
from ocppj.secrets import masked
from ocppj.transcript import Party, Record
from steps.cells import Table, mismatches
from steps.messages import TELL_STATUS, bench_text, claim_request, judge_rows
from steps.words import given, then


@dataclass(frozen=True, slots=True)
class _Upload:
    """What is asked for, the field of the .conf that names the file, and where it says that its end is told."""

    what: str
    field: str
    told_by: str


UPLOADS = {
    "GetDiagnostics": _Upload("diagnostics", "fileName", "OCPP 1.6 4.4"),
    "GetLog": _Upload("log", "filename", "white paper N01.FR.09"),
}

LONGEST_DELAY = 3600.0  # seconds that a Central System under test may put its wish off

INSTALLING = ("Available", "Unavailable")  # what connectors may be, one after the other, around an installation


@given("the next {work:Work} will fail")
async def will_fail(bench: Bench, work: str) -> None:
    """Only our own Charge Point is made to fail; a Charge Point under test is sent to where it must."""
    await bench.do("Charge Point", "spoil", {"work": work}, bench.sentence)


@then("the {sender:Party} sends {action:Action}.req in the time of a long operation")
async def sends_in_time(bench: Bench, sender: Party, action: str, datatable: Table = ()) -> None:
    await claim_request(bench, sender, action, datatable, within=bench.long_timeout + _delay(bench))


@then("the {sender:Party} may send {action:Action}.req in the time of a long operation")
async def may_send(bench: Bench, sender: Party, action: str, datatable: Table = ()) -> None:
    """If the next such request fits the table, it is this one, and must be answered."""
    deadline = bench.loop.time() + bench.long_timeout
    message = await bench.wire.next_call(sender, action, lambda found: _is_news(bench, found), deadline)
    if message is not None and not mismatches(message.payload, datatable, bench.value):
        bench.take(message)
        await bench.conf_to(message)


@then("in either order, the Charge Point reboots and sends {action:Action}.req")
async def reboots_and_sends(bench: Bench, action: str, datatable: Table) -> None:
    """After the reboot connector 0 and every connector become Available.

    Errata 3.47: the reboot is good practice and not required; the test case lists it.
    """
    if not await _send_around_reboot(bench, action, datatable, reports_are_due=True):
        bench.remark("there was no reboot", "OCPP 1.6 errata 3.47", strict=True)
        for connector in sorted(_made_unavailable(bench)):
            await _becomes_available(bench, connector, is_due=True)


@then("in either order, the Charge Point may reboot and sends {action:Action}.req")
async def may_reboot_and_sends(bench: Bench, action: str, datatable: Table) -> None:
    """If it reboots and tells of its connectors then, they become Available."""
    await _send_around_reboot(bench, action, datatable, reports_are_due=False)


@then("connectors may have become Unavailable and Available meanwhile")
async def may_have_become(bench: Bench) -> None:
    """5.19 recommends the one while the Charge Point waits, and 4.9 allows it; nothing fixes when the other follows."""
    limit = bench.loop.time() + bench.long_timeout
    if not await bench.wire.until(lambda: None if _made_unavailable(bench) else True, limit):
        numbers = ", ".join(map(str, sorted(_made_unavailable(bench))))
        bench.remark(f"still Unavailable: connector {numbers}", "OCPP 1.6 5.19")
    await _claim_reports(bench)


@then("the file at {location:Location} has been fetched")
async def fetched(bench: Bench, location: str) -> None:
    """Seen at our own file server only: who tells Downloaded must at least have asked for the file."""
    place = bench_text(bench, location)
    if not _is_ours(bench, location):
        return
    if not any(record["location"] == place and "failure" not in record for record in _files(bench, "download")):
        raise bench.blame("Charge Point", f"nobody has fetched {place}", _asked_for(bench))


def _asked_for(bench: Bench) -> str:
    asked = bench.wire.latest_claim("Central System")
    return asked.action if asked else ""


@then("the Charge Point has tried {location:Location}")
async def tried(bench: Bench, location: str) -> None:
    """A remark if our own file server has seen nothing of it: whoever only says that it failed says the same."""
    place = bench_text(bench, location)
    seen = any(record["kind"] == "file" and record["location"].startswith(place) for record in bench.wire.records)
    if _is_ours(bench, location) and not seen:
        bench.remark(f"nothing was seen of a try at {place}: this pass proves little")


@then("the file named by {action:Action}.conf has arrived at {location:Location}")
async def arrived(bench: Bench, action: str, location: str) -> None:
    """GetDiagnostics or GetLog. Seen at our own file server only; with our own Charge Point, byte for byte."""
    if not _is_ours(bench, location):
        bench.remark(f"nobody here can see what arrives at {masked(bench_text(bench, location))}")
        return

    def look() -> Record | None:
        return next((record for record in _files(bench, "upload") if record.get("bytes")), None)

    told, what = datetime.now(UTC), UPLOADS[action].what
    record = await bench.wire.until(look, bench.loop.time() + bench.timeout)
    if record is None:
        came = [f"{found['location']}: {found.get('failure', 'it is empty')}" for found in _files(bench, "upload")]
        text = f"no {what} file has arrived{f' ({came[-1]})' if came else ''}"
        raise bench.blame("Charge Point", text, action)
    if (parse_timestamp(record["timestamp"]) - told).total_seconds() > bench.device.limits.tolerance:
        bench.remark(f"the {what} had not arrived when they were told to be Uploaded", UPLOADS[action].told_by)
    _check_upload(bench, record, bench_text(bench, location), action)
    _check_name(bench, record, action)
    seat = bench.seats["Charge Point"]
    if isinstance(seat, SimulatedChargePoint):
        uploaded = bench.transcript.fact("uploadedSha256", lambda: seat.uploaded_sha256)
    if isinstance(seat, SimulatedChargePoint) and record["sha256"] != uploaded:
        raise bench.blame("Charge Point", "another file has arrived than was sent", action)


def _check_upload(bench: Bench, record: Record, place: str, action: str) -> None:
    """5.9, N01.FR.02: a single file, and where the Central System wants it, with or without a slash between (6.25)."""
    if not record["location"].startswith(place):
        text = f"the {UPLOADS[action].what} went to {record['location']}, not {place}"
        raise bench.blame("Charge Point", text, action)
    names = {found.get("fileName", "") for found in _files(bench, "upload") if found.get("bytes")}
    if len(names) > 1:
        text = f"{len(names)} files have arrived, not a single one: {', '.join(sorted(names))}"
        raise bench.blame("Charge Point", text, action)


def _check_name(bench: Bench, record: Record, action: str) -> None:
    """5.9 and N01.FR.01 have the .conf name the file. Which one arrived was seen: another name is but a remark."""
    try:
        name = bench.value(f"{action}.conf.{UPLOADS[action].field}")
    except Inconclusive:
        name = None
    if name != record["fileName"]:
        said = f"names {name}" if name else "names no file"
        bench.remark(f"{action}.conf {said}, {record['fileName']} has arrived", clause_of(action))


async def _send_around_reboot(bench: Bench, action: str, table: Table, *, reports_are_due: bool) -> bool:
    """Claim the request and the reboot, whichever comes first; whether there was a reboot."""
    sent = booted = False
    while not (sent and booted):
        deadline = bench.loop.time() + bench.long_timeout
        awaited = ("BootNotification",) if sent else ("BootNotification", action)
        message = await bench.wire.until(partial(_next, bench, awaited), deadline)
        if message is None:
            break
        if message.action == "BootNotification":
            await _claim_reports(bench, before=message.index)
        bench.take(message, ordered=False)
        answer = await bench.conf_to(message)
        if message.action == "BootNotification":
            booted = True
            # 4.2: who is not Accepted may not report its connectors.
            judge_rows(bench, answer, "BootNotification.conf", (("status", "Accepted"),))
            await _connectors_become_available(bench, are_due=reports_are_due)
        else:
            bench.judge(message, f"{action}.req", mismatches(message.payload, table, bench.value))
            sent = True
    if not sent:
        text = f"the Charge Point sent no {action}.req in {bench.long_timeout:g} s"
        raise bench.blame("Charge Point", text, action, missing=f"{action}.req")
    return booted


def _next(bench: Bench, actions: Collection[str]) -> Message | None:
    calls = (message for message in bench.wire.calls("Charge Point") if message.action in actions)
    return next((message for message in calls if message.action not in TELL_STATUS or _is_news(bench, message)), None)


def _is_news(bench: Bench, message: Message) -> bool:
    """Whether it tells another status than the one before, and not that the Charge Point waits (L01.FR.13, 14, 16)."""
    return message.payload.get("status") not in PUT_OFF and not bench.repeats(message)


async def _connectors_become_available(bench: Bench, *, are_due: bool) -> None:
    known = bench.number_of_connectors
    for connector in range(known + 1):
        await _becomes_available(bench, connector, is_due=are_due)
    # A device may have more connectors than we were told: what it says of them counts as well.
    for message in await bench.reports_above(known):
        if message.payload.get("status") not in INSTALLING:
            text = f"{message} after the reboot, expected Available"
            wrong = Difference("status", expected="Available", seen=str(message.payload.get("status")))
            raise bench.blame("Charge Point", text, "StatusNotification", frame=message.index, differences=[wrong])


async def _becomes_available(bench: Bench, connector: int, *, is_due: bool) -> None:
    """4.9: it may be Unavailable as long as the firmware is being dealt with."""
    reported, limit = "", bench.timeout
    while reported != "Available":
        message = await bench.claim_if_any("Charge Point", "StatusNotification", connector=connector, within=limit)
        if message is None:
            break
        reported, limit = str(message.payload.get("status")), bench.long_timeout
        if reported not in INSTALLING:
            break
        await bench.conf_to(message)
    if reported == "Available" or not (reported or is_due):
        return
    told = f"is reported {reported}" if reported else "was not reported"
    text = f"connector {connector} {told}, expected Available"
    if not reported:
        raise bench.blame("Charge Point", text, "StatusNotification", missing="StatusNotification.req Available")
    latest = bench.latest_report(connector)
    wrong = Difference("status", expected="Available", seen=reported)
    raise bench.blame("Charge Point", text, "StatusNotification", frame=latest.index, differences=[wrong])


async def _claim_reports(bench: Bench, *, before: float = inf) -> None:
    """What connectors were around the download and the installation: Available or Unavailable.

    ``before``: a place of the transcript; what comes after it is looked at later.
    """
    for message in list(bench.wire.calls("Charge Point", "StatusNotification")):
        if message.index < before and message.payload.get("status") in INSTALLING:
            bench.take(message, ordered=False)
            await bench.conf_to(message)


def _made_unavailable(bench: Bench) -> set[int]:
    """The connectors whose latest report that nobody has claimed is Unavailable."""
    latest = {
        message.payload.get("connectorId"): message.payload.get("status")
        for message in bench.wire.calls("Charge Point", "StatusNotification")
    }
    return {number for number, status in latest.items() if status == "Unavailable" and isinstance(number, int)}


def _delay(bench: Bench) -> float:
    """Seconds by which a Central System under test has put off the end of what it asked for."""
    asked = bench.wire.latest_claim("Central System")
    if bench.judged != "Central System" or asked is None:
        return 0.0
    wish = asked.payload
    delay = float(wish.get("retries", 0) * wish.get("retryInterval", 0))
    firmware = wish.get("firmware", {})  # of SignedUpdateFirmware.req
    dates = (wish.get("retrieveDate"), firmware.get("retrieveDateTime"), firmware.get("installDateTime"))
    for date in filter(None, dates):
        with suppress(ValueError):  # a leap second
            delay += max(0.0, (parse_timestamp(date) - datetime.now(UTC)).total_seconds())
    if delay > LONGEST_DELAY:
        raise Inconclusive(f"retrieveDate or retries put the end off by {delay:g} s: ask for it at once")
    return delay


def _is_ours(bench: Bench, location: str) -> bool:
    return location.strip("{}") not in bench.device.data


def _files(bench: Bench, operation: str) -> list[Record]:
    return [record for record in bench.wire.records if record["kind"] == "file" and record["operation"] == operation]
