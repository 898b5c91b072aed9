"""Sentences about the configuration of the Charge Point (OCPP 1.6, chapter 9)."""

from bench.bench import Bench
from bench.cases import PROFILES
from bench.messages import Message
from bench.seats import SimulatedChargePoint
from bench.verdicts import Difference, Inconclusive, OurError
from ocppj.frames import Payload
from simulator.charge_point import ChargePoint
from steps.cells import Table, expectation, rows
from steps.messages import claim_conf, claim_request, make_send
from steps.words import given, then

# Optional keys that tell of a capability (9.1): who has no such key has none.
CAPABILITY_OF = {
    "AuthorizationCacheEnabled": "authorization_cache",
    "LocalAuthListEnabled": "local_auth_list",  # which is required where there is the profile (9.2.1)
    "ReserveConnectorZeroSupported": "reserve_connector_zero",
    "StopTransactionOnEVSideDisconnect": "stop_on_ev_side_disconnect",
}

# Without these, what a case sets is as it is: nothing depends on the function but what is told how soon.
OPTIONAL = ("MinimumStatusDuration",)

# Keys that may be read-only, the value that a case wants of them, and who can do without that.
FIXED = {
    ("AuthorizeRemoteTxRequests", "true"): "remote_authorization",
    ("StopTransactionOnEVSideDisconnect", "false"): "ev_side_disconnect_choice",
    ("StopTransactionOnEVSideDisconnect", "true"): "stop_on_ev_side_disconnect",
}

ACCESS = {"R": True, "RW": False}  # as readonly has it


@given("the configuration")
async def configuration(bench: Bench, datatable: Table) -> None:
    """Set over the wire at a Charge Point under test, by hand at ours."""
    await set_configuration(bench, datatable)


@given("the configuration, where there are such keys")
async def configuration_if_any(bench: Bench, datatable: Table) -> None:
    """Optional keys: what is missing, or read-only, stays as it is."""
    with bench.state("configuration"):
        for key, cell in rows(datatable):
            value = str(expectation(cell, bench.value).example)
            if bench.judged == "Charge Point":
                await _set_if_there_is(bench, key, value)
            elif simulated(bench).configuration.find(key):
                _set_by_hand(bench, key, value)


@then("if AuthorizeRemoteTxRequests is true, the Charge Point has idTag {id_tag:IdTag} authorized")
async def authorized_if(bench: Bench, id_tag: str) -> None:
    await authorize_if_it_must(bench, id_tag)


async def authorize_if_it_must(bench: Bench, id_tag: str) -> None:
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


@then("SupportedFeatureProfiles lists Core and no profile that OCPP 1.6 does not know")
async def lists_profiles(bench: Bench) -> None:
    """9.1.29 names six. Editions of the test case document before 2025-06 look for none but Core."""
    names = [name.strip() for name in value_of(bench, "SupportedFeatureProfiles").split(",")]
    if "Core" not in names:
        text = f"SupportedFeatureProfiles is {', '.join(names)}: Core is not among them"
        raise bench.blame("Charge Point", text, frame=_latest_conf(bench))
    if strange := [name for name in names if name not in PROFILES.values() or name == "Security"]:
        bench.remark(f"SupportedFeatureProfiles lists {', '.join(strange)}", "OCPP 1.6 9.1.29", strict=True)


def _judge_keys(bench: Bench, answer: Message, datatable: Table) -> None:
    reported = {entry["key"].casefold(): entry for entry in answer.payload.get("configurationKey", [])}
    found: list[str | Difference] = []
    for key, access in rows(datatable):
        allowed = [ACCESS[word.strip()] for word in access.split(" or ")]
        entry = reported.get(key.casefold())
        if entry is None:
            found.append(f"{key} is missing")
        elif entry["readonly"] not in allowed:
            found.append(Difference(key, expected=access, seen="R" if entry["readonly"] else "RW"))
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
            if key == "MinimumStatusDuration":
                bench.status_delay = float(value)
            if bench.judged == "Charge Point":
                await _set_over_the_wire(bench, key, value)
            else:
                _set_by_hand(bench, key, value)


async def _set_over_the_wire(bench: Bench, key: str, value: str) -> None:
    answer, entry = await read_key(bench, key)
    if entry is None:
        unknown = [name.casefold() for name in answer.payload.get("unknownKey", [])]
        bench.judge(answer, "GetConfiguration.conf", [] if key.casefold() in unknown else [f"it is silent about {key}"])
        _do_without(bench, key, value)
    elif str(entry.get("value")).casefold() != value.casefold():
        await _change(bench, key, value, entry)


async def read_key(bench: Bench, key: str) -> tuple[Message, Payload | None]:
    await make_send(bench, "Central System", "GetConfiguration", (("key", f"[{key}]"),))
    answer = await claim_conf(bench, "Charge Point", "GetConfiguration")
    return answer, entry_of(bench, key, answer)


async def _set_if_there_is(bench: Bench, key: str, value: str) -> None:
    _, entry = await read_key(bench, key)
    if entry and not entry["readonly"] and str(entry.get("value")).casefold() != value.casefold():
        await _change(bench, key, value, entry)
        await read_key(bench, key)


def _do_without(bench: Bench, key: str, value: str) -> None:
    if key in CAPABILITY_OF:
        text = f"the Charge Point has no {key}: rehearse it with --lacks {CAPABILITY_OF[key]}"
        raise Inconclusive(text)
    # 9.1: without the key the function is not provided, which is what the value asks for; TC_019 judges the key.
    if key not in OPTIONAL and value.casefold() not in ("false", "0"):
        raise bench.blame("Charge Point", f"the Charge Point has no {key}, which is a required key")
    bench.remark(f"the Charge Point has no {key}", "OCPP 1.6 9.1")


async def _change(bench: Bench, key: str, value: str, entry: Payload) -> None:
    if entry["readonly"]:  # which of the keys that a case wants set may be is a matter of errata 3.80 and 3.84
        lacks = FIXED.get((key, value))
        hint = f": rehearse it with --lacks {lacks}" if lacks else ""
        raise Inconclusive(f"{key} is {entry.get('value')} and read-only, the case wants {value}{hint}")
    await make_send(bench, "Central System", "ChangeConfiguration", (("key", key), ("value", value)))
    answer = await bench.conf("Charge Point", "ChangeConfiguration")
    status = answer.payload["status"]
    if status == "RebootRequired":
        raise Inconclusive(f"{key} = {value} takes a reboot: set it before the run")
    if status != "Accepted":
        wrong = Difference("status", expected="Accepted", seen=str(status))
        text = f"{key} = {value} is answered {status}"
        raise bench.blame("Charge Point", text, "ChangeConfiguration", frame=answer.index, differences=[wrong])


def _set_by_hand(bench: Bench, key: str, value: str) -> None:
    simulated(bench).configuration.set(key, value)


def simulated(bench: Bench) -> ChargePoint:
    seat = bench.seats["Charge Point"]
    if not isinstance(seat, SimulatedChargePoint):
        raise OurError("the Charge Point beside a Central System under test is ours")
    return seat.charge_point


def has_true(bench: Bench, key: str) -> bool:
    """Whether the Charge Point reported a boolean key as true; without the key it has not what it stands for (9.1)."""
    entry = entry_of(bench, key)
    return entry is not None and str(entry.get("value")).casefold() == "true"


def items_of(bench: Bench, key: str) -> list[str]:
    """The items of a list that the Charge Point reported for a key; a list that is not set is empty (7.29)."""
    entry = entry_of(bench, key)
    if entry is None:
        text = f"the Charge Point reported no {key}, which is a required key"
        raise bench.blame("Charge Point", text, frame=_latest_conf(bench))
    return [item.strip() for item in str(entry.get("value", "")).split(",") if item.strip()]


def is_true(bench: Bench, key: str) -> bool:
    """Whether the Charge Point reported a boolean key as true. Ends the case if it did not report the key."""
    return value_of(bench, key).casefold() == "true"


def value_of(bench: Bench, key: str) -> str:
    """The value that the Charge Point reported for a key. Ends the case if it did not."""
    entry = entry_of(bench, key)
    if entry is None or "value" not in entry:
        text = f"the Charge Point reported no value of {key}, which is a required key"
        raise bench.blame("Charge Point", text, frame=_latest_conf(bench))
    return str(entry["value"])


def _latest_conf(bench: Bench) -> int | None:
    call = bench.wire.latest_claim("Central System", "GetConfiguration")
    answer = bench.wire.answered(call) if call else None
    return answer.index if answer else None


def entry_of(bench: Bench, key: str, answer: Message | None = None) -> Payload | None:
    """The key in an answer, or as the Charge Point has reported it last; None if it has not."""
    reported = bench.reported_configuration() if answer is None else answer.payload.get("configurationKey", [])
    for entry in reported:
        if entry["key"].casefold() == key.casefold():
            found: Payload = entry
            return found
    return None
