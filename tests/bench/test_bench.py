"""Whose fault it is: blame, operators, unclaimed messages and the end of a case."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bench.bench import Bench
from bench.cases import Case
from bench.device import Device, Role, device
from bench.operators import Nobody, Outcome, Request
from bench.surplus import CONSEQUENTIAL, PROVISIONING
from bench.verdicts import CaseOver, Failed, Inconclusive, NotApplicable, OurError, Remark, Verdict
from ocppj.clock import VirtualLoop
from ocppj.errors import Unanswered
from ocppj.frames import Payload
from ocppj.peer import Conf, Refusal, Script, Silence
from ocppj.schemas import ACTIONS, FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT
from ocppj.transcript import Party, Transcript, other
from steps.messages import claim_conf, claim_request, make_send
from tests.bench.wire import CP, CS, heartbeat_conf, start, status, stop


class FakeSeat:
    """A party that does what the test says; what it is asked for is written down."""

    def __init__(self, party: Party, bench: "Bench", *, is_ours: bool) -> None:
        self.party = party
        self.is_ours = is_ours
        self.script: Script | None = Script() if is_ours else None
        self.wrong: list[BaseException] = []
        self.asked: list[tuple[str, Payload]] = []
        self.acts: Callable[[], Awaitable[None]] | None = None
        self._bench = bench

    async def request(self, action: str, payload: Payload, sentence: str) -> None:
        await self.do(action, payload, sentence)

    async def do(self, action: str, payload: Payload, sentence: str) -> None:
        self.asked.append((action, payload))
        if not self.is_ours:
            await self._bench.ask_operator(self.party, action, payload, sentence)
        if self.acts:
            await self.acts()

    def faults(self) -> list[BaseException]:
        return self.wrong


class FakeOperator:
    """Says what the test says, after a while."""

    def __init__(self, outcome: Outcome | None = None, takes: float = 0.0) -> None:
        self.outcome = outcome or Outcome("done")
        self.takes = takes
        self.requests: list[Request] = []

    async def ask(self, request: Request) -> Outcome:
        self.requests.append(request)
        await asyncio.sleep(self.takes)
        return self.outcome


class Stage:
    """A bench with two fake seats, and the wire between them."""

    def __init__(
        self,
        role: Role = "CS",
        *,
        external: bool = False,
        operator: FakeOperator | None = None,
        device: Device | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        case = Case("TC_900_CS", "A case", role, "Core", "core/a.feature", ("OCPP 1.6 4.1", "OCPP 1.6 7.2"), ())
        self.transcript = Transcript()
        self.operator = operator or FakeOperator()
        self.bench = Bench(case, device or Device(), self.loop, self.transcript, self.operator)
        self.judged = self.bench.judged
        self.ours = other(self.judged)
        self.seats = {
            party: FakeSeat(party, self.bench, is_ours=party == self.ours or not external) for party in (CP, CS)
        }
        self.bench.seats.update(self.seats)
        self._number = 0

    def call(self, sender: Party, action: str, payload: Payload | None = None) -> str:
        """A CALL on the wire; its id."""
        self._number += 1
        self.raw(sender, [2, str(self._number), action, payload or {}])
        return str(self._number)

    def result(self, sender: Party, unique_id: str, payload: Payload | None = None) -> None:
        self.raw(sender, [3, unique_id, payload or {}])

    def error(self, sender: Party, unique_id: str, code: str = "GenericError") -> None:
        self.raw(sender, [4, unique_id, code, "why", {}])

    def raw(self, sender: Party, frame: object) -> None:
        self.transcript.frame(sender, "CP1", frame if isinstance(frame, str) else json.dumps(frame))

    def exchange(self, sender: Party, action: str, payload: Payload, answer: Payload) -> None:
        self.result(other(sender), self.call(sender, action, payload), answer)

    async def claim(self, sender: Party, action: str) -> None:
        await self.bench.claim(sender, action, within=0)

    def later(self, seconds: float, what: Callable[[], object]) -> None:
        self.loop.call_later(seconds, what)


ROLES: tuple[Role, ...] = ("CS", "CSMS")
BOTH = pytest.mark.parametrize("role", ROLES)


async def ending(work: Awaitable[object]) -> CaseOver:
    """How a case ends."""
    with pytest.raises(CaseOver) as caught:
        await work
    return caught.value


# --- whose fault


@BOTH
async def test_the_judged_party_fails_with_the_clauses_of_the_case(role: Role) -> None:
    stage = Stage(role)
    over = stage.bench.blame(stage.judged, "it did nothing")
    assert type(over) is Failed
    assert str(over) == "it did nothing (OCPP 1.6 4.1, OCPP 1.6 7.2)"


async def test_a_case_without_clauses_fails_without_them() -> None:
    stage = Stage()
    stage.bench.case = replace(stage.bench.case, clauses=())
    assert str(stage.bench.blame(CP, "it did nothing")) == "it did nothing"


@BOTH
async def test_ours_undisturbed_is_an_error(role: Role) -> None:
    stage = Stage(role)
    over = stage.bench.blame(stage.ours, "it did nothing")
    assert type(over) is OurError
    assert str(over) == "it did nothing"


@BOTH
async def test_ours_after_right_and_expected_messages_is_an_error(role: Role) -> None:
    stage = Stage(role)
    stage.exchange(CP, "Authorize", {"idTag": "T"}, {"idTagInfo": {"status": "Accepted"}})
    stage.exchange(CS, "Reset", {"type": "Hard"}, {"status": "Accepted"})
    await stage.claim(CP, "Authorize")
    await stage.claim(CS, "Reset")
    stage.exchange(CP, "Heartbeat", {}, heartbeat_conf())  # not consequential
    assert type(stage.bench.blame(stage.ours, "it did nothing")) is OurError


@BOTH
async def test_ours_after_a_callerror_of_the_judged_party_is_inconclusive(role: Role) -> None:
    stage = Stage(role)
    action, payload = ("Reset", {"type": "Hard"}) if stage.ours == CS else ("Authorize", {"idTag": "T"})
    stage.error(stage.judged, stage.call(stage.ours, action, payload), "InternalError")
    over = stage.bench.blame(stage.ours, "it did nothing")
    assert type(over) is Inconclusive
    assert str(over) == f"it did nothing; before that the {stage.judged} answered CALLERROR InternalError 'why'"


@BOTH
async def test_a_callerror_of_ours_disturbs_nobody(role: Role) -> None:
    stage = Stage(role)
    action, payload = ("Reset", {"type": "Hard"}) if stage.judged == CS else ("Authorize", {"idTag": "T"})
    stage.error(stage.ours, stage.call(stage.judged, action, payload))
    await stage.claim(stage.judged, action)
    assert type(stage.bench.blame(stage.ours, "it did nothing")) is OurError


@BOTH
async def test_ours_after_a_surplus_message_of_the_judged_party_is_inconclusive(role: Role) -> None:
    stage = Stage(role)
    action, payload = ("Reset", {"type": "Hard"}) if stage.judged == CS else ("Authorize", {"idTag": "T"})
    stage.exchange(stage.judged, action, payload, {})
    assert type(stage.bench.blame(stage.ours, "it did nothing")) is OurError  # a sentence may yet claim it
    stage.bench.begin_stage()
    over = stage.bench.blame(stage.ours, "it did nothing")
    assert type(over) is Inconclusive
    assert str(over).startswith(f"it did nothing; before that the {stage.judged} sent {action}.req")


@BOTH
async def test_ours_after_a_breach_of_the_judged_party_is_inconclusive(role: Role) -> None:
    stage = Stage(role)
    stage.raw(stage.judged, "nonsense")
    over = stage.bench.blame(stage.ours, "it did nothing")
    assert type(over) is Inconclusive
    assert f"before that the {stage.judged} broke a rule: the message is not valid JSON" in str(over)


@BOTH
async def test_ours_after_a_mere_remark_or_a_breach_of_ours_is_an_error(role: Role) -> None:
    stage = Stage(role)
    stage.raw(stage.judged, [2, "x", "DataTransfer", {"vendorId": "v"}])
    stage.raw(stage.judged, [2, "y", "DataTransfer", {"vendorId": "v"}])  # 4.1.1, a SHOULD
    stage.raw(stage.ours, "nonsense")
    assert type(stage.bench.blame(stage.ours, "it did nothing")) is OurError


async def test_who_has_hardly_left_is_not_gone() -> None:
    stage = Stage("CSMS")
    stage.transcript.add("connect", event="opening", status=101, subprotocol="ocpp1.6")
    stage.transcript.add("connect", event="closed", code=1006)
    await asyncio.sleep(2)
    over = stage.bench.blame(CP, "it did nothing")
    assert type(over) is Inconclusive
    assert str(over) == "it did nothing; before that the connection was closed"
    await asyncio.sleep(28)
    over = stage.bench.blame(CP, "it did nothing")
    assert type(over) is Failed
    text = "the connection to the Central System ended (code 1006) and was not made again within 30 s"
    assert str(over).startswith(text)


async def test_who_admits_nobody_again_is_gone_at_once() -> None:
    stage = Stage("CSMS")
    stage.transcript.add("connect", event="opening", status=101, subprotocol="ocpp1.6")
    stage.transcript.add("connect", event="closed", code=1001)
    stage.transcript.add("connect", event="opening", status=503, subprotocol=None, failure="Service Unavailable")
    over = stage.bench.blame(CP, "it did nothing")
    assert type(over) is Failed
    assert "the latest attempt: HTTP 503: Service Unavailable" in str(over)
    stage.transcript.add("connect", event="opening", status=101, subprotocol="ocpp1.6")
    assert type(stage.bench.blame(CP, "it did nothing")) is Inconclusive  # it was closed, but it is there


@BOTH
async def test_whom_the_bench_has_cut_off_is_not_gone(role: Role) -> None:
    stage = Stage(role)
    stage.transcript.add("connect", event="opening", status=101, subprotocol="ocpp1.6")
    stage.transcript.add("stimulus", party=CP, action="lose_connection", payload={}, sentence="")
    stage.transcript.add("connect", event="closed", code=1006)
    stage.transcript.add("connect", event="closed", code=1006)
    await asyncio.sleep(300)
    assert type(stage.bench.blame(stage.ours, "it did nothing")) is not Failed


async def test_a_given_is_named_in_the_reason() -> None:
    stage = Stage()
    with stage.bench.state("Charging"):
        assert str(stage.bench.blame(CP, "no")).startswith("in state Charging: no")
        with stage.bench.state("Authorized"):
            assert str(stage.bench.blame(CP, "no")).startswith("in state Authorized: no")
        assert str(stage.bench.blame(CS, "no")) == "in state Charging: no"
    assert str(stage.bench.blame(CP, "no")).startswith("no")


# --- what a sentence knows


async def test_test_data_and_what_was_seen() -> None:
    stage = Stage()
    assert stage.bench.value("ValidIdTag") == "VALID-7F3A91"
    assert stage.bench.connector == 1
    assert stage.bench.timeout == 30
    assert stage.bench.long_timeout == 120
    with pytest.raises(Inconclusive, match=r"no StartTransaction\.conf with transactionId was seen"):
        stage.bench.value("StartTransaction.conf.transactionId")
    stage.exchange(CP, "StartTransaction", start(), {"transactionId": 7, "idTagInfo": {"status": "Accepted"}})
    stage.exchange(CP, "StartTransaction", start(2), {"transactionId": 8, "idTagInfo": {"status": "Blocked"}})
    assert stage.bench.value("StartTransaction.conf.transactionId") == 8
    assert stage.bench.value("StartTransaction.req.connectorId") == 2
    assert stage.bench.value("StartTransaction.conf.idTagInfo.status") == "Blocked"
    with pytest.raises(Inconclusive):
        stage.bench.value("StartTransaction.conf.idTagInfo.status.deeper")


async def test_a_false_value_was_seen_too() -> None:
    stage = Stage()
    stage.exchange(CS, "DataTransfer", {"vendorId": "v", "data": ""}, {"status": "Accepted"})
    stage.exchange(CP, "StartTransaction", {**start(), "meterStart": 0}, {})
    assert stage.bench.value("DataTransfer.req.data") == ""
    assert stage.bench.value("StartTransaction.req.meterStart") == 0


async def test_missing_test_data_is_inconclusive() -> None:
    stage = Stage("CSMS", device=device(url="ws://127.0.0.1:1"))
    for name in ("ValidIdTag", "ExpiredIdTag", "BlockedIdTag"):
        with pytest.raises(Inconclusive, match=f"test data is missing: give --data {name}="):
            stage.bench.value(name)
    assert stage.bench.value("InvalidIdTag") == "NOBODY-C0FFEE"


# --- claims end cases


@BOTH
@pytest.mark.parametrize("sender", [CP, CS])
async def test_a_message_that_does_not_come(role: Role, sender: Party) -> None:
    stage = Stage(role)
    began = stage.loop.time()
    over = await ending(stage.bench.claim(sender, "DataTransfer"))
    assert type(over) is (Failed if sender == stage.judged else OurError)
    # Ours comes when the judged party has answered what came before it.
    limit = 30 if sender == stage.judged else 120
    assert str(over).startswith(f"the {sender} sent no DataTransfer.req in {limit} s")
    assert stage.loop.time() - began == limit


async def test_no_time_is_told_of_what_was_not_waited_for() -> None:
    stage = Stage()
    over = await ending(stage.bench.claim(CP, "DataTransfer", within=0))
    assert str(over).startswith("the Charge Point sent no DataTransfer.req (")


async def test_what_came_too_early_is_named() -> None:
    stage = Stage()
    stage.call(CP, "StartTransaction", {"idTag": "T"})
    stage.bench.begin_stage()
    over = await ending(stage.bench.claim(CP, "StartTransaction", within=5))
    assert "in 5 s; StartTransaction.req came before what should have led to it" in str(over)


async def test_what_came_instead_is_quoted() -> None:
    stage = Stage()
    stage.call(CP, "Heartbeat")  # comes anyway
    stage.call(CP, "FirmwareStatusNotification", {"status": "Idle"})
    over = await ending(stage.bench.claim(CP, "StatusNotification", connector=1, within=5))
    assert str(over) == (
        "the Charge Point sent no StatusNotification.req for connector 1 in 5 s; "
        'instead came FirmwareStatusNotification.req {"status": "Idle"} (OCPP 1.6 4.9)'
    )


async def test_a_claim_about_one_connector() -> None:
    stage = Stage()
    stage.call(CP, "StatusNotification", status(2, "Preparing"))
    stage.call(CP, "StatusNotification", status(1, "Preparing"))
    message = await stage.bench.claim(CP, "StatusNotification", connector=1)
    assert message.payload["connectorId"] == 1


@BOTH
async def test_disorder_fails_the_judged_party_and_is_an_error_of_ours(role: Role) -> None:
    stage = Stage(role)
    for sender in (CP, CS):
        stage.call(sender, "DataTransfer", {"vendorId": "v"})
        stage.call(sender, "Heartbeat" if sender == CP else "ClearCache")
    await stage.claim(stage.judged, "Heartbeat" if stage.judged == CP else "ClearCache")
    over = await ending(stage.claim(stage.judged, "DataTransfer"))
    assert type(over) is Failed
    assert "sent DataTransfer.req before" in str(over)
    stage = Stage(role)
    action = "Heartbeat" if stage.ours == CP else "Reset"
    stage.call(stage.ours, "DataTransfer", {"vendorId": "v"})
    stage.call(stage.ours, action, {} if action == "Heartbeat" else {"type": "Hard"})
    await stage.claim(stage.ours, action)
    assert type(await ending(stage.claim(stage.ours, "DataTransfer"))) is OurError


@BOTH
async def test_the_place_of_a_report_is_only_a_strict_remark(role: Role) -> None:
    stage = Stage(role)
    stage.call(CP, "StatusNotification", status(1, "Preparing"))
    stage.call(CP, "Authorize", {"idTag": "T"})
    await stage.claim(CP, "Authorize")
    await stage.claim(CP, "StatusNotification")
    remarks = [Remark("the Charge Point sent StatusNotification.req before Authorize.req", "OCPP 1.6 4.9", True)]
    assert stage.bench.remarks == (remarks if role == "CS" else [])


async def test_an_optional_message() -> None:
    stage = Stage()
    assert await stage.bench.claim_if_any(CP, "Heartbeat", within=5) is None
    stage.call(CP, "Heartbeat")
    assert await stage.bench.claim_if_any(CP, "Heartbeat", within=5) is not None
    assert await stage.bench.claim_if_any(CP, "Heartbeat", within=5) is None


# --- answers


@BOTH
async def test_an_answer_that_does_not_come(role: Role) -> None:
    for caller in (CP, CS):
        stage = Stage(role)
        stage.call(caller, "DataTransfer", {"vendorId": "v"})
        await stage.claim(caller, "DataTransfer")
        over = await ending(stage.bench.conf(other(caller), "DataTransfer"))
        assert type(over) is (Failed if other(caller) == stage.judged else OurError)
        assert str(over).startswith(f"the {other(caller)} did not answer DataTransfer.req in 30 s")


@pytest.mark.parametrize(
    ("seconds", "kind", "text"),
    [
        (29, Failed, "StopTransaction.req was not answered before the connection ended, and not sent again"),
        (30, Inconclusive, "the Central System did not answer StopTransaction.req in 30 s"),
    ],
)
async def test_a_connection_that_ends_without_an_answer(seconds: float, kind: type[CaseOver], text: str) -> None:
    """3.7: who had no time to answer is asked once more; who has let it pass is to blame."""
    stage = Stage()
    stage.call(CP, "StopTransaction", stop())
    stage.later(seconds, lambda: stage.transcript.add("connect", event="closed", code=1006))
    await stage.claim(CP, "StopTransaction")
    over = await ending(stage.bench.conf(CS, "StopTransaction"))
    assert type(over) is kind
    assert str(over).startswith(text)


@BOTH
async def test_a_callerror_ends_the_wait_at_once(role: Role) -> None:
    stage = Stage(role)
    unique_id = stage.call(stage.ours, "DataTransfer", {"vendorId": "v"})
    stage.later(2, lambda: stage.error(stage.judged, unique_id, "NotSupported"))
    await stage.claim(stage.ours, "DataTransfer")
    over = await ending(claim_conf(stage.bench, stage.judged, "DataTransfer"))
    assert type(over) is Failed
    assert f"the {stage.judged} answered DataTransfer.req with CALLERROR NotSupported 'why'" in str(over)
    assert stage.loop.time() == 2


async def test_the_answer_is_that_to_the_request_claimed_last() -> None:
    stage = Stage()
    first = stage.call(CS, "ChangeConfiguration", {"key": "a", "value": "1"})
    second = stage.call(CS, "ChangeConfiguration", {"key": "b", "value": "1"})
    await stage.claim(CS, "ChangeConfiguration")
    await stage.claim(CS, "ChangeConfiguration")
    stage.result(CP, first, {"status": "Rejected"})
    stage.later(1, lambda: stage.result(CP, second, {"status": "Accepted"}))
    answer = await claim_conf(stage.bench, CP, "ChangeConfiguration", (("status", "Accepted"),))
    assert answer.unique_id == second


async def test_a_step_that_speaks_of_another_answer_is_an_error_of_ours() -> None:
    stage = Stage()
    assert type(await ending(stage.bench.answer(CP, "Reset"))) is OurError
    stage.call(CS, "ClearCache")
    await stage.claim(CS, "ClearCache")
    over = await ending(stage.bench.answer(CP, "Reset"))
    assert type(over) is OurError
    assert "a faulty feature" in str(over)


@BOTH
async def test_a_wrong_conf_fails_the_judged_party(role: Role) -> None:
    stage = Stage(role)
    stage.exchange(stage.ours, "DataTransfer", {"vendorId": "v"}, {"status": "Rejected"})
    await stage.claim(stage.ours, "DataTransfer")
    over = await ending(claim_conf(stage.bench, stage.judged, "DataTransfer", (("status", "Accepted"),)))
    assert type(over) is Failed
    assert f"DataTransfer.conf of the {stage.judged}: status is Rejected, expected Accepted" in str(over)


async def test_a_step_does_not_look_for_a_later_message_that_pleases_it_more() -> None:
    stage = Stage()
    stage.call(CP, "Authorize", {"idTag": "U"})
    stage.call(CP, "Authorize", {"idTag": "T"})
    over = await ending(claim_request(stage.bench, CP, "Authorize", (("idTag", "T"),)))
    assert type(over) is Failed
    assert "idTag is U, expected T" in str(over)


# --- connectors


async def test_a_status_is_reached_through_those_on_the_way() -> None:
    stage = Stage()
    for each in ("Preparing", "SuspendedEV", "SuspendedEVSE", "Charging"):
        stage.call(CP, "StatusNotification", status(1, each))
    stage.call(CP, "StatusNotification", status(2, "Faulted"))
    await stage.bench.reaches(1, "Charging")
    assert stage.bench.latest_report(1).payload["status"] == "Charging"
    assert [message.payload["connectorId"] for message in stage.bench.wire.unclaimed()] == [2]


@BOTH
async def test_a_status_that_is_not_on_the_way(role: Role) -> None:
    stage = Stage(role)
    stage.call(CP, "StatusNotification", status(1, "Finishing"))
    if role == "CSMS":  # ours is to blame, nobody disturbed it
        stage.result(CS, "1")
    over = await ending(stage.bench.reaches(1, "Charging"))
    assert type(over) is (Failed if role == "CS" else OurError)
    assert "connector 1 is Finishing, expected Charging" in str(over)


async def test_a_status_that_is_never_reached_tells_the_way() -> None:
    stage = Stage()
    stage.call(CP, "StatusNotification", status(1, "Preparing"))
    over = await ending(stage.bench.reaches(1, "Charging", within=10))
    assert "connector 1 was not reported Charging in time (it went through Preparing)" in str(over)
    assert stage.loop.time() == 10


async def test_the_deadline_is_not_prolonged_by_what_is_on_the_way() -> None:
    stage = Stage()
    for second in range(0, 60, 8):
        stage.later(second, lambda: stage.call(CP, "StatusNotification", status(1, "SuspendedEV")))
    await ending(stage.bench.reaches(1, "Charging"))
    assert stage.loop.time() == 30
    await asyncio.sleep(40)


async def test_no_report_was_claimed() -> None:
    with pytest.raises(OurError, match="a faulty feature"):
        Stage().bench.latest_report(1)


# --- silence, and looking back


async def test_silence() -> None:
    stage = Stage()
    stage.call(CP, "Heartbeat")
    stage.later(3, lambda: stage.call(CS, "ClearCache"))
    stage.later(3, lambda: stage.call(CP, "MeterValues"))
    await stage.bench.silence(CP, 10, "Heartbeat")
    assert stage.loop.time() == 10
    stage.later(3, lambda: stage.call(CP, "MeterValues"))
    over = await ending(stage.bench.silence(CP, 10))
    assert type(over) is Failed
    assert "where nothing was due for 10 s" in str(over)


async def test_what_was_sent_since() -> None:
    stage = Stage()
    stage.call(CP, "Authorize", {"idTag": "before"})
    with pytest.raises(OurError, match="a faulty feature"):
        stage.bench.sent_since("present", CP, "Authorize")
    await stage.bench.do(CP, "present", {"idTag": "T"}, "it is presented")
    assert stage.bench.sent_since("present", CP, "Authorize") is None
    stage.call(CP, "Heartbeat")
    stage.call(CP, "Authorize", {"idTag": "T"})
    await stage.claim(CP, "Authorize")
    await stage.claim(CP, "Authorize")
    found = stage.bench.sent_since("present", CP, "Authorize")
    assert found is not None
    assert found.payload == {"idTag": "T"}
    assert stage.bench.sent_since("present", CS, "Authorize") is None


# --- operators


async def test_the_operator_of_the_judged_party_is_asked_with_the_sentence() -> None:
    stage = Stage("CSMS", external=True)
    stage.seats[CS].acts = None
    stage.bench.sentence = "When the Central System sends Reset.req"
    stage.operator.takes = 500  # the limit of the message counts from the answer
    stage.later(510, lambda: stage.call(CS, "Reset", {"type": "Hard"}))
    await make_send(stage.bench, CS, "Reset", (("type", "Hard"),))
    (request,) = stage.operator.requests
    assert (request.party, request.action, request.payload) == (CS, "Reset", {"type": "Hard"})
    assert (request.sentence, request.case, request.charge_point) == (stage.bench.sentence, "TC_900_CS", "CP1")
    assert request.time_limit == 120
    kinds = [(record["kind"], record.get("action"), record.get("answer")) for record in stage.transcript.records[:2]]
    assert kinds == [("stimulus", "Reset", None), ("operator", "Reset", "done")]


async def test_told_and_sent_nothing_is_inconclusive() -> None:
    stage = Stage("CSMS", external=True)
    over = await ending(make_send(stage.bench, CS, "Reset", (("type", "Hard"),)))
    assert type(over) is Inconclusive
    assert str(over) == "the Central System was told to send Reset.req and sent nothing in 30 s"
    assert stage.loop.time() == 30


async def test_what_comes_is_judged_whatever_the_operator_meant() -> None:
    stage = Stage("CSMS", external=True)
    stage.later(5, lambda: stage.call(CS, "Reset", {"type": "Soft"}))
    over = await ending(make_send(stage.bench, CS, "Reset", (("type", "Hard"),)))
    assert type(over) is Failed
    assert "Reset.req of the Central System: type is Soft, expected Hard" in str(over)


async def test_another_message_is_not_the_one_that_was_asked_for() -> None:
    stage = Stage("CSMS", external=True)
    stage.later(5, lambda: stage.call(CS, "ClearCache"))
    assert type(await ending(make_send(stage.bench, CS, "Reset", ()))) is Inconclusive


@BOTH
@pytest.mark.parametrize(
    ("outcome", "kind"),
    [(Outcome("device cannot", "it cannot"), Failed), (Outcome("gave up", "it is late"), Inconclusive)],
)
async def test_the_operator_could_not(role: Role, outcome: Outcome, kind: type[CaseOver]) -> None:
    stage = Stage(role, external=True, operator=FakeOperator(outcome))
    over = await ending(stage.bench.do(stage.judged, "plug_in", {}, "plug in"))
    assert type(over) is kind
    assert str(over).startswith(outcome.words)
    assert stage.transcript.records[-1]["words"] == outcome.words


async def test_nobody_gives_up_with_what_would_have_been_asked() -> None:
    stage = Stage("CSMS", external=True)
    stage.bench.operator = Nobody()
    over = await ending(make_send(stage.bench, CS, "Reset", (("type", "Hard"),)))
    assert type(over) is Inconclusive
    assert "Reset (type = Hard) at the Central System" in str(over)


async def test_what_came_before_the_asking_is_not_what_was_asked_for() -> None:
    stage = Stage("CSMS", external=True)
    stage.call(CS, "Reset", {"type": "Hard"})
    over = await ending(make_send(stage.bench, CS, "Reset", (("type", "Hard"),)))
    assert type(over) is Inconclusive
    assert "was told to send Reset.req and sent nothing in 30 s" in str(over)


async def test_what_bears_the_fields_is_what_was_asked_for() -> None:
    stage = Stage("CSMS", external=True)
    asked = (("key", "[HeartbeatInterval]"),)
    stage.later(1, lambda: stage.call(CS, "GetConfiguration", {}))
    stage.later(2, lambda: stage.call(CS, "GetConfiguration", {"key": ["HeartbeatInterval"]}))
    message = await make_send(stage.bench, CS, "GetConfiguration", asked)
    assert message.payload == {"key": ["HeartbeatInterval"]}
    stage.later(1, lambda: stage.call(CS, "GetConfiguration", {}))
    over = await ending(make_send(stage.bench, CS, "GetConfiguration", asked))
    assert type(over) is Failed  # nothing better came


async def test_our_own_party_is_not_asked_but_told() -> None:
    stage = Stage("CSMS", external=True)

    async def act() -> None:
        stage.call(CP, "Heartbeat")

    stage.seats[CP].acts = act
    await make_send(stage.bench, CP, "Heartbeat", ())
    assert stage.operator.requests == []
    assert stage.seats[CP].asked == [("Heartbeat", {})]


async def test_our_own_party_that_sends_nothing_is_an_error() -> None:
    stage = Stage("CSMS", external=True)
    assert type(await ending(make_send(stage.bench, CP, "Heartbeat", ()))) is OurError


async def test_answers_can_be_prescribed_for_a_party_of_ours_only() -> None:
    stage = Stage("CSMS", external=True)
    stage.bench.answer_next(CP, "Reset", Refusal("NotSupported"))
    script = stage.seats[CP].script
    assert script is not None
    assert script.take("Reset") == Refusal("NotSupported")
    assert not stage.bench.misbehaved
    stage.bench.answer_next(CP, "Reset", Silence())
    assert stage.bench.misbehaved
    with pytest.raises(OurError, match="nobody can prescribe"):
        stage.bench.answer_next(CS, "Authorize", Conf(dict))


# --- the end of a case


async def test_a_clean_end_is_a_pass() -> None:
    stage = Stage()
    stage.exchange(CP, "Authorize", {"idTag": "T"}, {"idTagInfo": {"status": "Accepted"}})
    await stage.claim(CP, "Authorize")
    assert stage.bench.conclude(None) is None
    assert stage.bench.remarks == []


@BOTH
@pytest.mark.parametrize("before", [None, Inconclusive("the operator gave up")])
async def test_a_breach_of_the_judged_party_fails_the_case(role: Role, before: CaseOver | None) -> None:
    stage = Stage(role)
    stage.raw(stage.judged, "nonsense")
    over = stage.bench.conclude(before)
    assert type(over) is Failed
    assert str(over).endswith("(OCPP-J 4.1.2)")


@BOTH
async def test_a_breach_of_ours_is_an_error(role: Role) -> None:
    stage = Stage(role)
    stage.raw(stage.ours, "nonsense")
    over = stage.bench.conclude(None)
    assert type(over) is OurError
    assert "not valid JSON" in str(over)


@BOTH
@pytest.mark.parametrize("before", [None, Failed("it sent the wrong thing"), Inconclusive("the operator gave up")])
async def test_of_two_breaches_the_first_counts(role: Role, before: CaseOver | None) -> None:
    stage = Stage(role)
    stage.raw(stage.ours, "nonsense")
    stage.raw(stage.judged, "nonsense")
    over = stage.bench.conclude(before)
    assert type(over) is OurError
    assert str(over).endswith(f"; then {before}" if before else "(OCPP-J 4.1.2)")
    stage = Stage(role)
    stage.raw(stage.judged, "nonsense")
    stage.raw(stage.ours, "nonsense")
    over = stage.bench.conclude(before)
    assert type(over) is Failed
    assert isinstance(before, Failed) == (over is before)


@BOTH
async def test_a_fail_after_a_breach_of_ours_is_an_error(role: Role) -> None:
    stage = Stage(role)
    stage.raw(stage.ours, "nonsense")
    assert type(stage.bench.conclude(Failed("it answered CALLERROR"))) is OurError


@BOTH
async def test_a_breach_of_ours_that_a_step_wanted_is_none(role: Role) -> None:
    stage = Stage(role)
    stage.bench.answer_next(stage.ours, "DataTransfer", Silence())
    stage.raw(stage.ours, "nonsense")
    assert stage.bench.conclude(None) is None


async def test_a_should_that_was_broken_is_a_remark_once_and_no_strict_one() -> None:
    stage = Stage()
    for _ in range(3):
        stage.call(CP, "DataTransfer", {"vendorId": "v"})
    assert stage.bench.conclude(None) is None
    texts = [str(remark) for remark in stage.bench.remarks if not remark.strict]
    assert len(texts) == 2  # the second and the third
    assert all(text.endswith("(OCPP-J 4.1.1)") for text in texts)
    stage.bench.remark("the same", "1")
    stage.bench.remark("the same", "1")
    assert [remark.text for remark in stage.bench.remarks].count("the same") == 1


async def test_a_should_that_ours_broke_is_no_remark() -> None:
    stage = Stage("CSMS")
    for _ in range(2):
        stage.call(CP, "DataTransfer", {"vendorId": "v"})
    assert stage.bench.conclude(None) is None
    assert stage.bench.remarks == []


@pytest.mark.parametrize("over", [Failed("a"), NotApplicable("b")])
async def test_a_fail_stays_one(over: CaseOver) -> None:
    stage = Stage()
    stage.raw(CP, "nonsense")
    assert stage.bench.conclude(over) is over


async def test_an_error_of_ours_stays_one() -> None:
    stage = Stage()
    stage.raw(CP, "nonsense")
    over = OurError("our own code failed")
    assert stage.bench.conclude(over) is over


@BOTH
@pytest.mark.parametrize("before", [None, Inconclusive("the operator gave up")])
async def test_a_fault_of_our_party_is_an_error(role: Role, before: CaseOver | None) -> None:
    stage = Stage(role)
    stage.seats[stage.ours].wrong.append(KeyError("x"))
    over = stage.bench.conclude(before)
    assert type(over) is OurError
    assert str(over) == "our own code failed: KeyError('x')"


async def test_work_in_the_background_that_fails_is_an_error_unless_the_wire_shows_it() -> None:
    async def fails(error: Exception) -> None:
        raise error

    stage = Stage()
    stage.bench.in_background(fails(Unanswered("30 s")))
    await asyncio.sleep(0)
    assert stage.bench.conclude(None) is None
    stage.bench.in_background(fails(ZeroDivisionError("x")))
    await asyncio.sleep(0)
    assert type(stage.bench.conclude(None)) is OurError


@pytest.mark.parametrize("action", sorted(CONSEQUENTIAL[CP] | CONSEQUENTIAL[CS]))
async def test_a_surplus_message_that_changes_something(action: str) -> None:
    sender = CP if action in CONSEQUENTIAL[CP] else CS
    for role in ROLES:
        stage = Stage(role)
        stage.bench._breaches = list  # type: ignore[method-assign]  # its payload is beside the point
        stage.call(sender, action)
        over = stage.bench.conclude(None)
        assert type(over) is (Failed if sender == stage.judged else OurError)
        assert f"the {sender} sent {action}.req {{}}, which the test case does not know" in str(over)


@pytest.mark.parametrize("action", sorted(ACTIONS - CONSEQUENTIAL[CP] - CONSEQUENTIAL[CS]))
async def test_a_surplus_message_that_changes_nothing(action: str) -> None:
    sender = CP if action in FROM_CHARGE_POINT else CS
    for role in ROLES:
        stage = Stage(role)
        stage.bench._breaches = list  # type: ignore[method-assign]
        stage.call(sender, action)
        assert stage.bench.conclude(None) is None
        told = sender == stage.judged and action not in ("Heartbeat", "SecurityEventNotification")
        wanted = [Remark(f"{action}.req was sent beside the test case", "", True)] if told else []
        assert stage.bench.remarks == wanted


async def test_readings_go_on_while_a_transaction_does() -> None:
    stage = Stage("CS")
    reading = {"timestamp": "2031-05-13T08:41:17Z", "sampledValue": [{"value": "1"}]}
    stage.call(CP, "MeterValues", {"connectorId": 1, "transactionId": 7, "meterValue": [reading]})
    assert stage.bench.conclude(None) is None
    assert stage.bench.remarks == []


@pytest.mark.parametrize("action", sorted(PROVISIONING))
async def test_a_central_system_may_provision_after_a_boot(action: str) -> None:
    stage = Stage("CSMS")
    stage.bench._breaches = list  # type: ignore[method-assign]
    stage.transcript.add("stimulus", party=CP, action="power_on")
    stage.call(CP, "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    await stage.claim(CP, "BootNotification")
    stage.call(CS, action)
    assert stage.bench.conclude(None) is None
    assert stage.bench.remarks == [Remark(f"{action}.req was sent after the boot", "", True)]
    stage.transcript.add("stimulus", party=CP, action="plug_in")
    stage.call(CS, action)
    assert type(stage.bench.conclude(None)) is Failed


def test_which_requests_may_go_unclaimed() -> None:
    assert CONSEQUENTIAL[CP] == {"Authorize", "BootNotification", "StartTransaction", "StopTransaction"}
    asks = {action for action in FROM_CENTRAL_SYSTEM if action.startswith("Get") or "Trigger" in action}
    assert CONSEQUENTIAL[CS] == FROM_CENTRAL_SYSTEM - asks - {"DataTransfer"}


SETTLED = 2  # seconds, SettleTime


async def test_an_operator_who_forgets_to_confirm_fails_nobody() -> None:
    # TC_003_CS: the idTag is presented, the device goes on as it should, Enter is pressed too late.
    stage = Stage("CS", external=True, operator=FakeOperator(Outcome("gave up", "no answer in 120 s"), takes=120))
    stage.later(5, lambda: stage.exchange(CP, "Authorize", {"idTag": "T"}, {"idTagInfo": {"status": "Accepted"}}))
    over = await ending(stage.bench.do(CP, "present", {"idTag": "T"}, "the EV driver presents the idTag"))
    assert type(over) is Inconclusive
    assert stage.bench.conclude(over) is over


async def test_an_inconclusive_case_is_not_made_an_error_by_what_ours_went_on_to_send() -> None:
    stage = Stage("CSMS", external=True)
    stage.exchange(CP, "Authorize", {"idTag": "T"}, {"idTagInfo": {"status": "Accepted"}})
    over = Inconclusive("the operator gave up")
    assert stage.bench.conclude(over) is over


async def test_a_fail_after_a_fault_of_ours_is_an_error() -> None:
    stage = Stage()
    stage.seats[CS].wrong.append(KeyError("x"))
    assert type(stage.bench.conclude(Failed("the Charge Point sent no StatusNotification.req"))) is OurError


# --- strict


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_strict_verdicts(verdict: Verdict) -> None:
    stage = Stage()
    assert stage.bench.strict_verdict(verdict) is verdict
    stage.bench.remark("a SHOULD was broken")
    assert stage.bench.strict_verdict(verdict) is verdict
    stage.bench.remark("it came in another place", strict=True)
    assert stage.bench.strict_verdict(verdict) is (Verdict.FAIL if verdict is Verdict.PASS else verdict)


# --- settling and clearing up


async def test_settling_waits_for_open_calls() -> None:
    stage = Stage()
    await stage.bench.settle()
    assert stage.loop.time() == SETTLED
    unique_id = stage.call(CS, "Reset", {"type": "Hard"})
    stage.later(12, lambda: stage.result(CP, unique_id, {"status": "Accepted"}))
    await stage.bench.settle()
    assert stage.loop.time() == SETTLED + 12
    stage.call(CS, "Reset", {"type": "Hard"})
    await stage.bench.settle()
    assert stage.loop.time() == SETTLED + 12 + 30 + SETTLED


@BOTH
async def test_the_last_call_of_a_case_must_be_answered(role: Role) -> None:
    stage = Stage(role)
    stage.call(stage.ours, "DataTransfer", {"vendorId": "v"})
    await stage.bench.settle()
    stage.transcript.add("end")
    over = stage.bench.conclude(None)
    assert type(over) is Failed
    assert str(over) == "DataTransfer.req 1 was not answered in 30 s (OCPP 1.6 4.3)"


async def test_what_comes_while_clearing_up_is_not_recorded() -> None:
    stage = Stage()
    stage.call(CP, "Heartbeat")
    before = stage.bench.records
    assert len(before) == 1
    stage.bench.freeze()
    stage.call(CP, "Heartbeat")
    stage.bench.freeze()
    assert len(stage.bench.records) == 1
    stage.bench.in_background(asyncio.sleep(1000))
    await asyncio.sleep(0)
    await stage.bench.clear()
    assert stage.transcript.listeners == []


async def test_the_loop_is_the_virtual_one(loop: VirtualLoop) -> None:
    stage = Stage()
    await asyncio.sleep(1000)
    assert stage.bench.elapsed == 1000
    assert stage.bench.loop is loop
