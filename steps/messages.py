"""Sentences about messages.

«When» makes a party send one; at a seat that is not ours its operator is asked, and what then comes is judged like a
«Then». «Then» claims the earliest message that nobody has claimed, checks it, and never looks for a later one that
would please it more. A report (StatusNotification, MeterValues) is one about the case's connector unless the table
names another.
"""

from datetime import datetime

from bench.bench import Bench
from bench.messages import Message
from bench.messages import messages as all_messages
from bench.obligations import TELL_PROGRESS
from bench.verdicts import Difference, OurError
from ocppj.clock import timestamp
from ocppj.errors import canonical_code
from ocppj.frames import Payload
from ocppj.peer import Conf, Refusal, Silence
from ocppj.transcript import Party
from steps.cells import Table, expectation, filled_in, mismatches, noted, payload_of, rows, seconds, tolerated
from steps.words import given, then, when

SENDERS: tuple[Party, ...] = ("Charge Point", "Central System")
REPORTS = ("StatusNotification", "MeterValues")
TOLD_APART_BY = ("connectorId", "idTag", "key", "requestedMessage", "transactionId", "type")
TELL_STATUS = ("StatusNotification", *TELL_PROGRESS)


@when("the {sender:Party} sends {action:Action}.req")
async def makes_send(bench: Bench, sender: Party, action: str, datatable: Table = ()) -> None:
    """At our seat it is sent; at another the operator is asked. What crosses the wire is judged either way."""
    await make_send(bench, sender, action, datatable)


@when("the {sender:Party} sends {action:Action}.req against the rules")
async def makes_send_wrong(bench: Bench, sender: Party, action: str, datatable: Table) -> None:
    """Our own party only: what the other makes of a request that OCPP does not allow."""
    bench.misbehaved = True
    await make_send(bench, sender, action, datatable)


@then("the {sender:Party} sends {action:Action}.req")
async def sends(bench: Bench, sender: Party, action: str, datatable: Table = ()) -> None:
    await claim_request(bench, sender, action, datatable)


@then("the {sender:Party} sends {action:Action}.req after at least {duration:Duration}")
async def sends_after(bench: Bench, sender: Party, action: str, duration: str, datatable: Table = ()) -> None:
    """Not before the time has passed since the request of that action that was claimed last was answered."""
    wait = bench_seconds(bench, duration)
    before = _exchanged(bench, bench.wire.latest_claim(sender, action))
    message = await claim_request(bench, sender, action, datatable, within=wait + bench.long_timeout)
    passed = (message.time - before).total_seconds()
    if passed < wait - bench.device.limits.tolerance:
        text = f"the {sender} sent {action}.req after {passed:g} s, {wait:g} s had to pass"
        raise bench.blame(sender, text, frame=message.index)


@then("the {sender:Party} sends {action:Action}.req {n:N} times, {duration:Duration} apart")
async def sends_repeatedly(bench: Bench, sender: Party, action: str, n: str, duration: str) -> None:
    """The first is due in that time, each other that long after the one before; activity may replace one (9.1.10).

    Nothing fixes the phase (4.2, 4.6): some send the first at once.
    """
    apart = bench_seconds(bench, duration)
    tolerance = bench.device.limits.tolerance
    before = _exchanged(bench, bench.wire.latest_claim(sender))
    for number in range(int(n)):
        message = await bench.claim(sender, action, within=apart + bench.timeout)
        activity = max((other.time for other in _sent_before(bench, message)), default=before)
        gap = (message.time - before).total_seconds()
        late = min(gap, (message.time - activity).total_seconds()) - apart
        early = apart - max(gap, (message.time - activity).total_seconds())
        if late > tolerance or (number and early > tolerance):
            text = f"the {sender} sent {action}.req after {gap:g} s, it is due every {apart:g} s"
            raise bench.blame(sender, text, frame=message.index)
        before = message.time


@then("the {sender:Party} may send {action:Action}.req")
async def may_send(bench: Bench, sender: Party, action: str, datatable: Table = ()) -> None:
    """Optional, but right if it comes at once."""
    connector = _reported_connector(bench, datatable) if action in REPORTS else None
    if message := await bench.claim_if_any(sender, action, connector=connector, within=bench.settle_time):
        judge_rows(bench, message, f"{action}.req", datatable)


@then("the {sender:Party} may send {action:Action}.req beside the test case")
async def may_send_beside(bench: Bench, sender: Party, action: str, datatable: Table = ()) -> None:
    """The specification allows it, the test case document does not list it. It may come until the case is over."""

    def fits(message: Message) -> bool:
        is_one = (message.sender, message.action) == (sender, action)
        return is_one and not mismatches(message.payload, datatable, bench.value)

    bench.allowed.append(fits)
    if message := await bench.claim_if_any(sender, action, within=bench.settle_time):
        judge_rows(bench, message, f"{action}.req", datatable)
        bench.remark(f"{action}.req was sent, which the test case does not list", strict=True)


@then("the {sender:Party} sends no {action:Action}.req for {duration:Duration}")
async def sends_none(bench: Bench, sender: Party, action: str, duration: str) -> None:
    await bench.silence(sender, _almost(bench, duration), action)


@then("the {sender:Party} sends nothing for {duration:Duration}")
async def sends_nothing(bench: Bench, sender: Party, duration: str) -> None:
    await bench.silence(sender, _almost(bench, duration))


@then("the {sender:Party} has sent no {action:Action}.req since the idTag was presented")
async def has_sent_none(bench: Bench, sender: Party, action: str) -> None:
    _none_since(bench, "present", sender, action)


@then("the {sender:Party} has sent no {action:Action}.req since {stimulus:Action}.req was sent")
async def has_sent_none_since(bench: Bench, sender: Party, action: str, stimulus: str) -> None:
    _none_since(bench, stimulus, sender, action)


@then("the latest {action:Action}.req has")
async def latest_has(bench: Bench, action: str, datatable: Table) -> None:
    """Looks back at a request that a sentence has claimed."""
    for sender in SENDERS:
        if message := bench.wire.latest_claim(sender, action):
            bench.judge(message, f"{action}.req", mismatches(message.payload, datatable, bench.value))
            return
    raise OurError(f"no {action}.req was claimed: a faulty feature")


@given("the {party:Party} will respond with {action:Action}.conf")
async def will_respond(bench: Bench, party: Party, action: str, datatable: Table = ()) -> None:
    """The next request of the action is answered so instead of as it would be."""
    bench.answer_next(party, action, Conf(lambda: _conf_of(bench, action, datatable)))


@given("the {party:Party} will respond to {action:Action}.req with {code:ErrorCode}")
async def will_refuse(bench: Bench, party: Party, action: str, code: str) -> None:
    bench.answer_next(party, action, Refusal(code))


@given("the {party:Party} will not respond to {action:Action}.req")
async def will_not_respond(bench: Bench, party: Party, action: str) -> None:
    bench.answer_next(party, action, Silence())


@then("the {party:Party} responds with {action:Action}.conf")
async def responds(bench: Bench, party: Party, action: str, datatable: Table = ()) -> None:
    """The answer to the request claimed last, by its unique id; a CALLERROR is an answer too, and ends the wait."""
    await claim_conf(bench, party, action, datatable)


@then("the {party:Party} responds with {action:Action}.conf or CALLERROR")
async def responds_or_refuses(bench: Bench, party: Party, action: str, datatable: Table) -> None:
    """The row CALLERROR names the codes that are as good as the .conf of the other rows."""
    codes = dict(rows(datatable))["CALLERROR"]
    answer = await bench.answer(party, action)
    if answer.type == "CALLERROR":
        wanted = expectation(codes, bench.value)
        if not wanted.fits(canonical_code(answer.error["code"])):
            text = f"the {party} answered {action}.req with {answer}, expected {wanted.text}"
            wrong = Difference("CALLERROR", expected=wanted.text, seen=answer.error["code"])
            raise bench.blame(party, text, frame=answer.index, differences=[wrong])
        if wanted.tolerates(canonical_code(answer.error["code"])):
            bench.remark(f"the {party} answered {action}.req with {answer}", strict=True)
        return
    others = [row for row in datatable if row[0] != "CALLERROR"]
    judge_rows(bench, answer, f"{action}.conf", others)


async def make_send(bench: Bench, sender: Party, action: str, table: Table) -> Message:
    """Have a request sent, and claim and check it."""
    start, asked = len(bench.wire.records), payload_of(action, "req", table, bench.value)
    await bench.send(sender, action, asked, bench.sentence)
    if bench.seats[sender].is_ours:
        return await claim_request(bench, sender, action, table)

    def is_it(message: Message) -> bool:
        return not mismatches(message.payload, table, bench.value) and not _others(message, asked)

    message = await bench.claim_asked(sender, action, is_it, start)
    judge_rows(bench, message, f"{action}.req", table)
    for text in _others(message, asked):
        bench.remark(f"{action}.req: {text}")
    return message


def _others(message: Message, asked: Payload) -> list[str]:
    """In what a request differs from the one that was asked for, as far as requests are told apart by it."""
    return [
        f"{name} is {message.payload.get(name)}, {asked[name]} was asked for"
        for name in TOLD_APART_BY
        if name in asked and str(message.payload.get(name, asked[name])).casefold() != str(asked[name]).casefold()
    ]


async def claim_request(
    bench: Bench,
    sender: Party,
    action: str,
    table: Table = (),
    *,
    within: float | None = None,
    ordered: bool = True,
    why: str = "",
) -> Message:
    """Claim the next request and check it against a table. ``why``: the clause that has it come, if not its own."""
    connector = _reported_connector(bench, table) if action in REPORTS else None
    status = dict(rows(table)).get("status", "") if action in TELL_STATUS else ""
    message = await bench.claim(
        sender, action, connector=connector, status=status, within=within, ordered=ordered, why=why
    )
    judge_rows(bench, message, f"{action}.req", table)
    return message


async def claim_conf(bench: Bench, party: Party, action: str, table: Table = ()) -> Message:
    """Claim the answer to the request claimed last and check it against a table."""
    message = await bench.conf(party, action)
    judge_rows(bench, message, f"{action}.conf", table)
    return message


def judge_rows(bench: Bench, message: Message, name: str, table: Table, payload: Payload | None = None) -> None:
    """Check a message, or a part of it, against a table."""
    payload = message.payload if payload is None else payload
    bench.judge(message, name, mismatches(payload, table, bench.value))
    for text in tolerated(payload, table, bench.value):
        bench.remark(f"{name}: {text}", strict=True)
    for text in noted(payload, table, bench.value):
        bench.remark(f"{name}: {text}")


def bench_seconds(bench: Bench, duration: str) -> float:
    """A duration of a sentence in seconds, its placeholders filled in."""
    return seconds(bench_text(bench, duration))


def bench_text(bench: Bench, text: str) -> str:
    """A word of a sentence, its placeholders filled in."""
    return filled_in(text, bench.value)


def _none_since(bench: Bench, stimulus: str, sender: Party, action: str) -> None:
    if sent := bench.sent_since(stimulus, sender, action):
        raise bench.blame(sender, f"the {sender} sent {sent}", frame=sent.index)


def _almost(bench: Bench, duration: str) -> float:
    """A duration in which nothing may come, less the deviation that is granted to what is due at its end."""
    return max(0.0, bench_seconds(bench, duration) - bench.device.limits.tolerance)


def _reported_connector(bench: Bench, table: Table) -> int | None:
    named = dict(rows(table)).get("connectorId")
    if named is None:
        return bench.connector
    example = expectation(named, bench.value).example
    return int(example) if isinstance(example, str) and example.isdigit() else None


def _conf_of(bench: Bench, action: str, table: Table) -> Payload:
    # What a .conf must hold beside what the table says of it (OCPP 1.6, chapter 6).
    needed = {
        "BootNotification": {"currentTime": timestamp(), "interval": int(str(bench.value("HeartbeatInterval")))},
    }
    return needed.get(action, {}) | payload_of(action, "conf", table, bench.value)


def _exchanged(bench: Bench, call: Message | None) -> datetime:
    """When a request was answered, or sent if nobody has answered it."""
    if call is None:
        raise OurError(f"«{bench.sentence}» counts from a request, and none was claimed: a faulty feature")
    return (bench.wire.answered(call) or call).time


def _sent_before(bench: Bench, message: Message) -> list[Message]:
    return [
        other
        for other in all_messages(bench.wire.records)
        if other.index < message.index and other.type == "CALL" and other.sender == message.sender
    ]
