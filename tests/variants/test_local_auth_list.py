"""Foreign devices and the cases about the Local Authorization List."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from bench.device import device
from ocppj.clock import Calendar, VirtualLoop, timestamp
from ocppj.errors import ErrorCode, Refused
from ocppj.frames import Payload
from simulator.charge_point import ChargePoint
from simulator.configuration import Key
from tests.variants.foreign import ID_TAGS, Change, Frame, Hands, Variant, _play, _VirtualRun, call

Setup = Callable[[ChargePoint], None]
Handle = Callable[[Payload], Payload]

CASES = "008_1 042_1 042_2 043 043_2 043_3"
SENDS = "008_1 042_2 043 043_2 043_3"
WITHOUT = "042_1 043_1"
NO_LIST = frozenset({"local_auth_list"})
NO_READER = frozenset({"local_authorization"})
ACCEPTED = {"status": "Accepted"}


def handles(action: str, instead: Callable[[Payload, Handle], Payload]) -> Setup:
    """It handles one action otherwise; the ordinary way is at hand."""

    def setup(it: ChargePoint) -> None:
        handle = it.handlers[action]
        it.handlers[action] = lambda it, request: instead(request, lambda request: handle(it, request))

    return setup


def both(*setups: Setup) -> Setup:
    def setup(it: ChargePoint) -> None:
        for each in setups:
            each(it)

    return setup


def answers(action: str, **conf: object) -> Setup:
    return handles(action, lambda *_: dict(conf))


def refuses(code: ErrorCode, *actions: str) -> Setup:
    def refuse(*_: object) -> Payload:
        raise Refused(code, "")

    return both(*(handles(action, refuse) for action in actions or ("GetLocalListVersion", "SendLocalList")))


def lacks_the_profile(it: ChargePoint) -> None:
    del it.configuration._keys["localauthlistenabled"]


def keeps_it_enabled(it: ChargePoint) -> None:
    it.configuration._keys["localauthlistenabled"] = Key("LocalAuthListEnabled", "boolean", "true", read_only=True)


def rejects_disabling(request: Payload, change: Handle) -> Payload:
    disables = request["key"] == "LocalAuthListEnabled" and request["value"] == "false"
    return {"status": "Rejected"} if disables else change(request)


def refuses_while_disabled(it: ChargePoint) -> None:
    def version(request: Payload, handle: Handle) -> Payload:
        if not it.local_auth_list.is_enabled:
            raise Refused(ErrorCode.NOT_SUPPORTED, "")
        return handle(request)

    handles("GetLocalListVersion", version)(it)


def tells_the_version_while_disabled(it: ChargePoint) -> None:
    handles("GetLocalListVersion", lambda *_: {"listVersion": it.memory.local_auth_list_version})(it)


def has_a_list(it: ChargePoint) -> None:
    """From before the rehearsal."""
    listed = [{"idTag": "OLD", "idTagInfo": ACCEPTED}]
    it.local_auth_list.update({"listVersion": 17, "updateType": "Full", "localAuthorizationList": listed})


def is_short(it: ChargePoint) -> None:
    for key in ("LocalAuthListMaxLength", "SendLocalListMaxLength"):
        it.configuration.set(key, "1")


def compares_full_lists(it: ChargePoint) -> None:
    has_a_list(it)

    def update(request: Payload, handle: Handle) -> Payload:
        is_older = request["listVersion"] <= it.local_auth_list.version
        return {"status": "VersionMismatch"} if is_older else handle(request)

    handles("SendLocalList", update)(it)


def takes_older_lists(it: ChargePoint) -> None:
    def update(request: Payload, handle: Handle) -> Payload:
        it.memory.local_auth_list_version = 0
        return handle(request)

    handles("SendLocalList", update)(it)


def only_full(request: Payload, handle: Handle) -> Payload:
    return {"status": "Failed"} if request["updateType"] == "Differential" else handle(request)


def version_instead(of: int, told: int) -> Setup:
    def version(request: Payload, handle: Handle) -> Payload:
        conf = handle(request)
        return {"listVersion": told} if conf["listVersion"] == of else conf

    return handles("GetLocalListVersion", version)


def ignores_the_list(it: ChargePoint) -> None:
    it.authorization.local_sources = []


def stores_whatever_happens(it: ChargePoint) -> None:
    def update(request: Payload, handle: Handle) -> Payload:
        it.local_auth_list.storage_fails = False
        return handle(request)

    handles("SendLocalList", update)(it)


def conflict(frame: Frame) -> Iterable[Frame] | None:
    if not frame.requests("StartTransaction"):
        return None
    report = {"connectorId": 0, "status": "Available", "errorCode": "LocalListConflict", "timestamp": timestamp()}
    return [frame, call("StatusNotification", report)]


def silent(action: str) -> Callable[[], Change]:
    return lambda: lambda frame: [] if frame.answers(action) else None


CHARGE_POINTS = {
    "ours": Variant("as it stands", numbers=CASES, strictly=True),
    "no reader": Variant("TC_008_2", numbers="008_2", lacks=NO_READER, strictly=True),
    "an operator who takes his time": Variant("120 s", numbers=CASES, delay=20, strictly=True),
    "a list of its own": Variant("7.47: a full list may have any version", charge_point=has_a_list, numbers=CASES),
    "a list of one idTag": Variant("9.2.2, 9.2.3", charge_point=is_short, numbers=CASES, strictly=True),
    "a report of a conflict": Variant("3.5.2", lambda: conflict, numbers="008_1", strictly=True),
    "a list that is disabled is refused": Variant(
        "TC_042_1: or CALLERROR NotSupported", charge_point=refuses_while_disabled, numbers=CASES, strictly=True
    ),
    "a list that is disabled keeps its version": Variant(
        "5.10: -1 is for who does not support lists",
        charge_point=tells_the_version_while_disabled,
        numbers=CASES,
        remark="listVersion is 0",
        strict_fails="042_1",
    ),
    "a list that stays enabled": Variant(
        "TC_042_1: only where it can be false", charge_point=keeps_it_enabled, numbers=CASES, not_applicable="042_1"
    ),
    "a list that may not be disabled": Variant(
        "TC_042_1: only where it can be false",
        charge_point=handles("ChangeConfiguration", rejects_disabling),
        numbers=CASES,
        not_applicable="042_1",
    ),
    "no list": Variant("5.10, 7.47", charge_point=lacks_the_profile, numbers=WITHOUT, lacks=NO_LIST, strictly=True),
    "no list, refused": Variant(
        "TC_042_1, TC_043_1: CALLERROR NotSupported",
        charge_point=both(lacks_the_profile, refuses(ErrorCode.NOT_SUPPORTED)),
        numbers=WITHOUT,
        lacks=NO_LIST,
        strictly=True,
    ),
    "no list, not known": Variant(
        "OCPP-J table 7",
        charge_point=both(lacks_the_profile, refuses(ErrorCode.NOT_IMPLEMENTED)),
        numbers=WITHOUT,
        lacks=NO_LIST,
        remark="NotImplemented",
    ),
    "no list, and nobody says so": Variant(
        "--lacks is for that",
        charge_point=lacks_the_profile,
        numbers=CASES,
        inconclusive=CASES,
        reason="--lacks local_auth_list",
    ),
    # Unlawful
    "asks about listed idTags": Variant(
        "9.1.13", charge_point=ignores_the_list, numbers=CASES, fails="008_1", reason="Authorize"
    ),
    "asks about listed idTags from afar": Variant(
        "9.1.13", charge_point=ignores_the_list, numbers="008_2", lacks=NO_READER, fails="008_2", reason="Authorize"
    ),
    "no update is accepted": Variant(
        "5.15", charge_point=answers("SendLocalList", status="Failed"), numbers=CASES, fails="008_1 042_2 043 043_2"
    ),
    "every update is accepted": Variant(
        "5.15", charge_point=answers("SendLocalList", status="Accepted"), numbers=CASES, fails="008_1 043_2 043_3"
    ),
    "no update is supported": Variant(
        "5.15", charge_point=refuses(ErrorCode.NOT_SUPPORTED, "SendLocalList"), numbers=CASES, fails=SENDS
    ),
    "no update is answered": Variant("5.15", silent("SendLocalList"), numbers=CASES, fails=SENDS, reason="answer"),
    "no version is answered": Variant(
        "5.10", silent("GetLocalListVersion"), numbers=CASES, fails="008_1 042_1 042_2 043_2", reason="5.10"
    ),
    "a status in other letters": Variant(
        "7.47",
        lambda: lambda frame: [frame.with_fields(status="accepted")] if frame.answers("SendLocalList") else None,
        numbers=CASES,
        fails=SENDS,
    ),
    "no differential update": Variant(
        "5.15", charge_point=handles("SendLocalList", only_full), numbers=CASES, fails="043 043_2", reason="Failed"
    ),
    "older updates are applied": Variant("7.47", charge_point=takes_older_lists, numbers=CASES, fails="043_2"),
    "full lists have to be newer": Variant(
        "7.47: of a differential update alone", charge_point=compares_full_lists, numbers=CASES, fails=SENDS
    ),
    "an empty list is none": Variant("5.10", charge_point=version_instead(0, -1), numbers=CASES, fails="042_2"),
    "an empty list has a version": Variant("5.10", charge_point=version_instead(0, 1), numbers=CASES, fails="042_2"),
    "no list at all is an empty one": Variant(
        "5.10",
        charge_point=both(lacks_the_profile, version_instead(-1, 0)),
        numbers=WITHOUT,
        lacks=NO_LIST,
        fails="042_1",
    ),
    "a list that is disabled is an error": Variant(
        "TC_042_1",
        charge_point=refuses(ErrorCode.INTERNAL_ERROR, "GetLocalListVersion"),
        numbers="042_1",
        fails="042_1",
        reason="InternalError",
    ),
    "no list, an error": Variant(
        "TC_042_1, TC_043_1: NotSupported",
        charge_point=both(lacks_the_profile, refuses(ErrorCode.GENERIC_ERROR)),
        numbers=WITHOUT,
        lacks=NO_LIST,
        fails=WITHOUT,
        reason="GenericError",
    ),
    "no list, and takes one": Variant(
        "TC_043_1",
        charge_point=both(lacks_the_profile, answers("SendLocalList", status="Accepted")),
        numbers=WITHOUT,
        lacks=NO_LIST,
        fails="043_1",
    ),
    "says Accepted of what it cannot store": Variant(
        "TC_043_3", charge_point=stores_whatever_happens, numbers=CASES, fails="043_3", reason="status"
    ),
}


def test_after_the_run_no_list_is_left(calendar: Calendar) -> None:
    """TC_043 leaves one, and no case comes after it that would empty it."""
    loop = VirtualLoop(calendar)
    it = ChargePoint()
    run = _VirtualRun(device(listen=("127.0.0.1", 0), data=ID_TAGS), Hands(it, 0.0), loop)
    run.open()
    loop.run_until_complete(it.power_on(run.endpoint))
    assert run.await_charge_point()
    (result,) = _play(run, frozenset({"TC_043_CS"}))
    assert (result.verdict, len(it.memory.local_auth_list)) == ("pass", 1)
    under_test = run._charge_point_under_test
    assert under_test is not None
    loop.run_until_complete(under_test.leave())
    assert it.memory.local_auth_list == {}
    loop.run_until_complete(it.stop())
    run.close()


# Central Systems


def lists(edit: Callable[[Payload], Payload]) -> Callable[[], Change]:
    """Every SendLocalList.req with another payload."""
    return lambda: lambda frame: [frame.holding(edit(frame.payload))] if frame.requests("SendLocalList") else None


def of_type(update_type: str, edit: Callable[[Payload], Payload]) -> Callable[[], Change]:
    return lists(lambda payload: edit(payload) if payload["updateType"] == update_type else payload)


def entries(edit: Callable[[list[Payload]], list[Payload]]) -> Callable[[Payload], Payload]:
    return lambda payload: payload | {"localAuthorizationList": edit(payload.get("localAuthorizationList", []))}


def told(**fields: object) -> Callable[[Payload], Payload]:
    return lambda payload: {name: value for name, value in {**payload, **fields}.items() if value is not ...}


def informed(**info: object) -> Callable[[list[Payload]], list[Payload]]:
    return lambda listed: [entry | {"idTagInfo": ACCEPTED | info} for entry in listed]


def many(listed: list[Payload]) -> list[Payload]:
    return [*listed, *({"idTag": f"TAG-{number}", "idTagInfo": ACCEPTED} for number in range(200))]


def and_another(*id_tags: str, **more: object) -> Callable[[list[Payload]], list[Payload]]:
    return lambda listed: [*listed, *({"idTag": id_tag, **more} for id_tag in id_tags)]


def in_lower_case(listed: list[Payload]) -> list[Payload]:
    return [entry | {"idTag": entry["idTag"].lower()} for entry in listed]


def first(action: str) -> Callable[[], Change]:
    """It asks for something else before it sends a list."""
    return lambda: lambda frame: [call(action, {}), 0.1, frame] if frame.requests("SendLocalList") else None


FULL: Payload = {
    "listVersion": 40,
    "updateType": "Full",
    "localAuthorizationList": [{"idTag": "X", "idTagInfo": ACCEPTED}],
}


def afterwards(action: str) -> Callable[[], Change]:
    """Whatever the answer is, it sends a full list a moment later."""
    return lambda: lambda frame: [frame, 0.5, call("SendLocalList", FULL)] if frame.requests(action) else None


def after_boot(payload: Payload) -> Callable[[], Change]:
    def change(frame: Frame) -> Iterable[Frame | float] | None:
        return [frame, 0.2, call("SendLocalList", payload)] if frame.answers("BootNotification") else None

    return lambda: change


def twice(frame: Frame) -> Iterable[Frame] | None:
    return [frame, frame.again()] if frame.requests("SendLocalList") else None


CSMS = "042_1 042_2 043_1 043_3 043_4 043_5"
LISTS = "043_1 043_3 043_4 043_5"

CENTRAL_SYSTEMS = {
    "ours": Variant("as it stands", numbers=CSMS, strictly=True),
    "an operator who takes his time": Variant("120 s", numbers=CSMS, delay=20, strictly=True),
    "the version first": Variant(
        "TC_043_5 has it, chapter 5 allows it elsewhere",
        first("GetLocalListVersion"),
        numbers=CSMS,
        remark="GetLocalListVersion.req was sent beside",
    ),
    "the version first, in TC_043_5": Variant(
        "its steps 1 and 2",
        lambda: (
            lambda frame: (
                [call("GetLocalListVersion", {}), 0.1, frame]
                if frame.requests("SendLocalList", updateType="Differential")
                else None
            )
        ),
        numbers="043_5",
        strictly=True,
    ),
    "versions of its own": Variant(
        "errata 3.52: anything but 0 and -1",
        lists(lambda payload: payload | {"listVersion": 1_700_000_000 + payload["listVersion"]}),
        numbers=CSMS,
        strictly=True,
    ),
    "a long list": Variant(
        "ours beside it takes any length", of_type("Full", entries(many)), numbers=CSMS, strictly=True
    ),
    "idTags in lower case": Variant("7.28", lists(entries(in_lower_case)), numbers=CSMS, strictly=True),
    "all of IdTagInfo": Variant(
        "7.27",
        lists(entries(informed(parentIdTag="P", expiryDate="2032-01-01T00:00:00Z"))),
        numbers="043_4 043_5",
        strictly=True,
    ),
    "no entries for whom they do not matter": Variant(
        "6.41: it empties the list", lists(told(localAuthorizationList=...)), numbers="043_1 043_3", strictly=True
    ),
    "a list after every boot": Variant(
        "5.15: at any time", after_boot(FULL), numbers=CSMS, remark="SendLocalList.req was sent after the boot"
    ),
    "a list after every version": Variant(
        "5.10: in order to support synchronisation",
        afterwards("GetLocalListVersion"),
        numbers="042_1 042_2",
        remark="followed",
    ),
    "a list again after what was not accepted": Variant(
        "5.15", afterwards("SendLocalList"), numbers="043_1 043_3", remark="followed"
    ),
    "everybody is on the list": Variant(
        "there is nothing to add",
        of_type("Full", entries(and_another("valid-b2e480", idTagInfo=ACCEPTED))),
        numbers="043_4 043_5",
        inconclusive="043_5",
        reason="--data ValidIdTag2",
    ),
    "sends nothing": Variant(
        "the wire is the only witness",
        lambda: lambda frame: [] if frame.is_call else None,
        numbers=CSMS,
        inconclusive=CSMS,
        reason="sent nothing",
    ),
    # Unlawful
    "always Full": Variant(
        "TC_043_5", lists(told(updateType="Full")), numbers=CSMS, fails="043_5", reason="updateType"
    ),
    "always Differential": Variant(
        "TC_043", lists(told(updateType="Differential")), numbers=CSMS, fails=LISTS, reason="updateType"
    ),
    "no idTagInfo": Variant(
        "7.1",
        lists(entries(lambda listed: [{"idTag": it["idTag"]} for it in listed])),
        numbers=CSMS,
        fails="043_4 043_5",
    ),
    "an entry without idTagInfo": Variant(
        "7.1", of_type("Full", entries(and_another("X"))), numbers=CSMS, fails="043_1 043_3 043_4 043_5", reason="7.1"
    ),
    "a differential list without idTagInfo": Variant(
        "TC_043_5", of_type("Differential", entries(lambda _: [{"idTag": "VALID-B2E480"}])), numbers=CSMS, fails="043_5"
    ),
    "more than was asked for": Variant(
        "TC_043_5: only the specified idTag",
        of_type("Differential", entries(and_another("X", idTagInfo=ACCEPTED))),
        numbers=CSMS,
        fails="043_5",
        reason="localAuthorizationList[1]",
    ),
    "another idTag": Variant(
        "TC_043_5: the specified idTag",
        of_type("Differential", entries(lambda _: [{"idTag": "X", "idTagInfo": ACCEPTED}])),
        numbers=CSMS,
        fails="043_5",
        reason="idTag is X",
    ),
    "an empty full list": Variant(
        "TC_043_4: there is an idTag to put on it",
        lists(told(localAuthorizationList=[])),
        numbers=CSMS,
        fails="043_4 043_5",
    ),
    "the same version": Variant("7.47", lists(told(listVersion=3)), numbers=CSMS, fails="043_5", reason="greater"),
    "a lower version": Variant(
        "7.47",
        lists(lambda payload: payload | {"listVersion": 10 - payload["listVersion"]}),
        numbers=CSMS,
        fails="043_5",
        reason="greater",
    ),
    **{
        f"version {version}": Variant(
            "errata 3.52", lists(told(listVersion=version)), numbers=CSMS, fails=LISTS, reason="listVersion"
        )
        for version in (0, -1)
    },
    "an idTag twice": Variant(
        "6.41",
        of_type("Full", entries(and_another("X", "x", idTagInfo=ACCEPTED))),
        numbers=CSMS,
        fails=LISTS,
        reason="6.41",
    ),
    "every list twice": Variant("a surplus one", lambda: twice, numbers=CSMS, fails=LISTS),
    "a list again after what was accepted": Variant(
        "a surplus one", afterwards("SendLocalList"), numbers="043_4 043_5", fails="043_4 043_5"
    ),
    "an unknown updateType": Variant("7.48", lists(told(updateType="Partial")), numbers=CSMS, fails=LISTS),
}


@pytest.mark.parametrize("name", CHARGE_POINTS)
def test_charge_point(calendar: Calendar, name: str) -> None:
    CHARGE_POINTS[name].check(calendar, "Charge Point")


@pytest.mark.parametrize("name", CENTRAL_SYSTEMS)
def test_central_system(calendar: Calendar, name: str) -> None:
    replace(CENTRAL_SYSTEMS[name], data={"ValidIdTag2": "VALID-B2E480"}).check(calendar, "Central System")
