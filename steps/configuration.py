"""Sentences about the configuration of the Charge Point (OCPP 1.6, chapter 9)."""

from bench.bench import Bench
from bench.messages import Message
from bench.seats import ExternalChargePoint, SimulatedChargePoint
from bench.verdicts import OurError
from ocppj.frames import Payload
from steps.cells import Table, expectation, rows
from steps.messages import claim_conf, claim_request, make_send
from steps.words import given, then

# Keys that a case wants set and a Charge Point need not have (9.1): without them it is judged as it is.
OPTIONAL = ("MinimumStatusDuration", "StopTransactionOnEVSideDisconnect")

ACCESS = {"R": True, "RW": False}  # as readonly has it


@given("the configuration")
async def configuration(bench: Bench, datatable: Table) -> None:
    """Set over the wire at a Charge Point under test, by hand at ours."""
    await set_configuration(bench, datatable)


@then("if AuthorizeRemoteTxRequests is true, the Charge Point has idTag {id_tag:IdTag} authorized")
async def authorized_if(bench: Bench, id_tag: str) -> None:
    """Only then does a remote start ask first (5.11): the Charge Point said so in its GetConfiguration.conf."""
    if is_true(bench, "AuthorizeRemoteTxRequests"):
        await claim_request(bench, "Charge Point", "Authorize", (("idTag", id_tag),))
        await claim_conf(bench, "Central System", "Authorize", (("idTagInfo.status", "Accepted"),))


@then("the latest GetConfiguration.conf reports these keys")
async def reports_keys(bench: Bench, datatable: Table) -> None:
    """The table names keys and their accessibility: R, RW, or either."""
    answer = await bench.conf("Charge Point", "GetConfiguration")
    _judge_keys(bench, answer, datatable)


@then("where profile {profile:Profile} is supported, these keys")
async def reports_keys_of(bench: Bench, profile: str, datatable: Table) -> None:
    """As above, if the Charge Point names the profile in SupportedFeatureProfiles (9.1.29)."""
    answer = await bench.conf("Charge Point", "GetConfiguration")
    if profile in [name.strip() for name in value_of(bench, "SupportedFeatureProfiles").split(",")]:
        _judge_keys(bench, answer, datatable)


def _judge_keys(bench: Bench, answer: Message, datatable: Table) -> None:
    reported = {entry["key"]: entry for entry in answer.payload.get("configurationKey", [])}
    found = []
    for key, access in rows(datatable):
        allowed = [ACCESS[word.strip()] for word in access.split(" or ")]
        if key not in reported:
            found.append(f"{key} is missing")
        elif reported[key]["readonly"] not in allowed:
            found.append(f"{key} is {'R' if reported[key]['readonly'] else 'RW'}, expected {access}")
    bench.judge(answer, "GetConfiguration.conf", found)


@then("the Central System reads as many of the reported keys as it may at once, and all come back")
async def reads_many(bench: Bench) -> None:
    """As many keys as GetConfigurationMaxKeys allows, of the longest list that the Charge Point gave."""
    allowed = int(value_of(bench, "GetConfigurationMaxKeys"))
    asked = [entry["key"] for entry in bench.longest_configuration()][:allowed]
    await make_send(bench, "Central System", "GetConfiguration", (("key", f"[{', '.join(asked)}]"),))
    answer = await bench.conf("Charge Point", "GetConfiguration")
    came = {entry["key"].casefold() for entry in answer.payload.get("configurationKey", [])}
    found = [f"{key} is missing" for key in asked if key.casefold() not in came]
    if unknown := answer.payload.get("unknownKey"):
        found.append(f"unknownKey holds {', '.join(unknown)}")
    bench.judge(answer, "GetConfiguration.conf", found)


async def set_configuration(bench: Bench, table: Table) -> None:
    """Set configuration keys of the Charge Point."""
    with bench.state("configuration"):
        for key, cell in rows(table):
            value = str(expectation(cell, bench.value).example)
            if bench.judged == "Charge Point":
                await _set_over_the_wire(bench, key, value)
            else:
                _set_by_hand(bench, key, value)


async def _set_over_the_wire(bench: Bench, key: str, value: str) -> None:
    if isinstance(bench.seats["Charge Point"], ExternalChargePoint) and key not in bench.changed_configuration:
        await make_send(bench, "Central System", "GetConfiguration", (("key", f"[{key}]"),))
        await claim_conf(bench, "Charge Point", "GetConfiguration")
        if before := _entry(bench, key):
            bench.changed_configuration[key] = str(before.get("value", ""))
    await make_send(bench, "Central System", "ChangeConfiguration", (("key", key), ("value", value)))
    answer = await bench.conf("Charge Point", "ChangeConfiguration")
    status = answer.payload["status"]
    if status == "NotSupported" and key in OPTIONAL:
        bench.remark(f"the Charge Point has no {key}", "OCPP 1.6 9.1")
    elif status != "Accepted":
        raise bench.blame("Charge Point", f"{key} = {value} is answered {status}")


def _set_by_hand(bench: Bench, key: str, value: str) -> None:
    seat = bench.seats["Charge Point"]
    if not isinstance(seat, SimulatedChargePoint):
        raise OurError("the Charge Point beside a Central System under test is ours")
    seat.charge_point.configuration.set(key, value)


def is_true(bench: Bench, key: str) -> bool:
    """Whether the Charge Point reported a boolean key as true. Ends the case if it did not report the key."""
    return value_of(bench, key).casefold() == "true"


def value_of(bench: Bench, key: str) -> str:
    """The value that the Charge Point reported for a key. Ends the case if it did not."""
    entry = _entry(bench, key)
    if entry is None or "value" not in entry:
        raise bench.blame("Charge Point", f"the Charge Point reported no value of {key}, which is a required key")
    return str(entry["value"])


def _entry(bench: Bench, key: str) -> Payload | None:
    for entry in bench.reported_configuration():
        if entry["key"].casefold() == key.casefold():
            return entry
    return None
