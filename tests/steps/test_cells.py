"""The cell language, form by form."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from freezegun import freeze_time

from bench.verdicts import Difference
from ocppj.clock import parse_timestamp
from ocppj.schemas import Kind
from steps.cells import (
    MISSING,
    BadCell,
    Table,
    expectation,
    filled_in,
    mismatches,
    noted,
    payload_of,
    rows,
    seconds,
    tolerated,
    value_at,
)

KNOWN: dict[str, object] = {
    "ValidIdTag": "VALID-7F3A91",
    "OddIdTag": "one of A, B",
    "ConnectorId": "1",
    "HeartbeatInterval": "15",
    "StartTransaction.conf.transactionId": 4711,
    "GetConfiguration.conf.key": ["A", "B"],
    "ChangeConfiguration.conf.flag": True,
    "Moment": datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
}


def known(name: str) -> object:
    return KNOWN[name]


@pytest.fixture(autouse=True)
def _frozen() -> Iterator[None]:
    with freeze_time("2026-11-22T10:00:00.123"):
        yield


# --- what fits, what does not, what is sent

FORMS: dict[str, tuple[list[object], list[object], object]] = {
    # a value
    "Accepted": (["Accepted"], ["accepted", "Rejected", "", None, MISSING, ["Accepted"]], "Accepted"),
    "1": ([1, "1"], [2, "01", 1.5, True, None, MISSING], "1"),
    "-1": ([-1, "-1"], [1, "1"], "-1"),
    "true": ([True, "true"], [False, "True", 1, MISSING], "true"),
    "false": ([False, "false"], [True, 0, None, "", MISSING], "false"),
    "[]": ([[]], [["A"], MISSING, "", None, {}], "[]"),
    "[A, B]": ([["A", "B"]], [["B", "A"], ["A"], "A, B", MISSING], "[A, B]"),
    "[A]": ([["A"]], [["a"], ["A", "A"], []], "[A]"),
    # placeholders
    "{ValidIdTag}": (["VALID-7F3A91"], ["VALID", MISSING], "VALID-7F3A91"),
    "{OddIdTag}": (["one of A, B"], ["A", "B"], "one of A, B"),  # test data is no language
    "{ConnectorId}": ([1, "1"], [2, MISSING], "1"),
    "{StartTransaction.conf.transactionId}": ([4711, "4711"], [4712, MISSING], "4711"),
    "{GetConfiguration.conf.key}": ([["A", "B"]], [["B", "A"], []], "[A, B]"),
    "{ChangeConfiguration.conf.flag}": ([True, "true"], [False, "True"], "true"),
    "{Moment}": (["2026-11-22T10:00:00.000Z"], ["2026-11-22T10:00:00Z"], "2026-11-22T10:00:00.000Z"),
    # placeholders in other forms
    "any, such as {ValidIdTag}": (["whatever", 0, "", None], [MISSING], "VALID-7F3A91"),
    "other than {HeartbeatInterval}": ([16, "16", "", None], [15, "15", MISSING], "30"),
    "other than {StartTransaction.conf.transactionId}": ([1, -1], [4711, "4711", MISSING], "4726"),
    "at least {HeartbeatInterval}": ([15, "15", 16.5], [14, "14", MISSING], "15"),
    "one of {ConnectorId}, absent": ([1, "1", MISSING], [2, None, "absent"], "1"),
    "one of absent, {ConnectorId}": ([1, MISSING], [2], MISSING),
    # any, absent
    "any": (["", 0, False, None, [], {}, "any"], [MISSING], MISSING),
    "any, such as 60": ([60, "61", None, []], [MISSING], "60"),
    "absent": ([MISSING], [None, "", [], "absent", 0], MISSING),
    # other than
    "other than Accepted": (["Rejected", "accepted", None, 1], ["Accepted", MISSING], "Accepted-other"),
    "other than 60": ([61, "61", 60.5, "060"], [60, "60", MISSING], "75"),
    "other than -15": ([0, 15], [-15, "-15"], "0"),
    # one of
    "one of Accepted, Rejected": (["Accepted", "Rejected"], ["Blocked", "Accepted, Rejected", MISSING], "Accepted"),
    "one of  A ,B": (["A", "B"], ["A ", " B", MISSING], "A"),
    "one of absent, []": ([MISSING, []], [None, "", ["A"], "[]A", {}], MISSING),
    "one of 1, 2": ([1, "2"], [3, 12, MISSING], "1"),
    # numbers
    "at least 3": ([3, 4, "3", "3.0", 3.5, 1e9], [2, 2.99, "2", True, None, [], "three", "", MISSING], "3"),
    "at most 3": ([3, 2, -1, "3", 2.5], [4, "4", 3.01, False, None, "x", MISSING], "3"),
    "at least 0": ([0, "0", 1], [-1, "-1", MISSING], "0"),
    "at least -2.5": ([-2.5, "-2.5", 0], [-3], "-2.5"),
    "at most 0.5": ([0.5, 0, "0.5"], [1, 0.51], "0.5"),
    # texts
    r"matching /\bCore\b/": (["Core", "Core,Reservation", "X, Core"], ["core", "Cores", 1, None, MISSING], MISSING),
    "matching /^a/b$/": (["a/b"], ["a/bc", "xa/b"], MISSING),
    # what only looks like a form is a value
    "anything": (["anything"], ["x"], "anything"),
    "nowhere": (["nowhere"], ["x"], "nowhere"),
    "Now": (["Now"], ["x"], "Now"),
    "{lowercase}": (["{lowercase}"], ["x"], "{lowercase}"),
}


@pytest.mark.parametrize("cell", FORMS)
def test_what_fits_a_cell(cell: str) -> None:
    fits = expectation(cell, known).fits
    assert [value for value in FORMS[cell][0] if not fits(value)] == []


@pytest.mark.parametrize("cell", FORMS)
def test_what_does_not_fit_a_cell(cell: str) -> None:
    fits = expectation(cell, known).fits
    assert [value for value in FORMS[cell][1] if fits(value)] == []


@pytest.mark.parametrize("cell", FORMS)
def test_what_a_cell_sends(cell: str) -> None:
    assert expectation(cell, known).example == FORMS[cell][2]


@pytest.mark.parametrize("cell", [cell for cell in FORMS if FORMS[cell][2] is not MISSING])
def test_what_a_cell_sends_fits_it(cell: str) -> None:
    wanted = expectation(cell, known)
    assert wanted.fits(wanted.example)


# --- instants

INSTANTS: dict[str, tuple[list[object], list[object], object]] = {
    "now": (["2026-11-22T10:00:00.123Z"], ["2026-11-22T10:00:00.124Z", MISSING], "2026-11-22T10:00:00.123Z"),
    "now - 5 minutes": (["2026-11-22T09:55:00.123Z"], ["2026-11-22T10:00:00.123Z"], "2026-11-22T09:55:00.123Z"),
    "now + 1 day": (["2026-11-23T10:00:00.123Z"], [], "2026-11-23T10:00:00.123Z"),
    "now + 0.5 hours": (["2026-11-22T10:30:00.123Z"], [], "2026-11-22T10:30:00.123Z"),
    "after now, such as now + 1 hour": (
        ["2026-11-22T10:00:01Z", "2031-01-01T00:00:00Z"],
        ["2026-11-22T10:00:00Z", "2025-01-01T00:00:00Z", "soon", 5, None, MISSING],
        "2026-11-22T11:00:00.123Z",
    ),
    "within 5 seconds of now": (
        ["2026-11-22T10:00:05.123Z", "2026-11-22T09:59:55.123Z", "2026-11-22T11:00:00+01:00", "2026-11-22T10:00:00"],
        ["2026-11-22T10:00:05.124Z", "2026-11-22T09:59:55.122Z", "soon", "", 5, None, MISSING],
        "2026-11-22T10:00:00.123Z",
    ),
    "within 1 minute of now + 1 hour": (
        ["2026-11-22T11:01:00.123Z", "2026-11-22T10:59:00.123Z"],
        ["2026-11-22T10:00:00.123Z"],
        "2026-11-22T11:00:00.123Z",
    ),
    "within 2 seconds of 2026-01-01T00:00:00Z": (
        ["2026-01-01T00:00:01Z", "2025-12-31T23:59:58.000Z"],
        ["2026-01-01T00:00:03Z"],
        "2026-01-01T00:00:00.000Z",
    ),
    "within {HeartbeatInterval} seconds of {Moment}": (
        ["2026-11-22T10:00:15Z"],
        ["2026-11-22T10:00:16Z"],
        "2026-11-22T10:00:00.000Z",
    ),
}


@pytest.mark.parametrize("cell", INSTANTS)
def test_instants(cell: str) -> None:
    fitting, others, example = INSTANTS[cell]
    wanted = expectation(cell, known)
    assert [value for value in fitting if not wanted.fits(value)] == []
    assert [value for value in others if wanted.fits(value)] == []
    assert wanted.example == example


# --- how it reads


@pytest.mark.parametrize(
    ("cell", "value", "words"),
    [
        ("Accepted", "Rejected", "x is Rejected, expected Accepted"),
        ("{ValidIdTag}", MISSING, "x is absent, expected VALID-7F3A91"),
        ("absent", True, "x is true, expected absent"),
        ("any, such as 60", MISSING, "x is absent, expected any value"),
        ("one of absent, []", ["A", 1], "x is [A, 1], expected one of absent, []"),
        ("at least {HeartbeatInterval}", 1, "x is 1, expected at least 15"),
        ("within 5 seconds of now", "never", "x is never, expected within 5 seconds of 2026-11-22T10:00:00.123Z"),
    ],
)
def test_a_mismatch_in_words(cell: str, value: object, words: str) -> None:
    payload = {} if value is MISSING else {"x": value}
    assert [str(each) for each in mismatches(payload, [["x", cell]], known)] == [words]


def test_every_mismatch_is_told_and_what_is_not_named_is_free() -> None:
    payload = {"status": "Rejected", "interval": 5, "currentTime": "whatever"}
    table = [["status", "Accepted"], ["interval", "at least 5"], ["retry", "1"]]
    found = mismatches(payload, table, known)
    assert found == [Difference("status", "Accepted", "Rejected"), Difference("retry", "1", "absent")]
    assert [str(each) for each in found] == ["status is Rejected, expected Accepted", "retry is absent, expected 1"]
    assert mismatches(payload, [], known) == []


# --- idTags are compared without case (7.28), nothing else is


@pytest.mark.parametrize("path", ["idTag", "parentIdTag", "idTagInfo.parentIdTag", "localAuthorizationList[0].idTag"])
@pytest.mark.parametrize("written", ["VALID-7F3A91", "valid-7f3a91", "Valid-7F3a91"])
def test_the_case_of_an_id_tag_does_not_matter(path: str, written: str) -> None:
    payload = {
        "idTag": written,
        "parentIdTag": written,
        "idTagInfo": {"parentIdTag": written},
        "localAuthorizationList": [{"idTag": written}],
    }
    for cell in ("{ValidIdTag}", "VALID-7F3A91", "any, such as {ValidIdTag}", "one of {ValidIdTag}, absent"):
        assert mismatches(payload, [[path, cell]], known) == []
    assert mismatches(payload, [[path, "OTHER"]], known) != []


def test_the_case_of_an_id_tag_does_not_matter_in_the_second_choice() -> None:
    assert mismatches({"idTag": "valid-7f3a91"}, [["idTag", "one of OTHER, {ValidIdTag}"]], known) == []


def test_the_same_id_tag_in_another_case_is_no_other() -> None:
    assert mismatches({"idTag": "valid-7f3a91"}, [["idTag", "other than {ValidIdTag}"]], known) != []


@pytest.mark.parametrize("path", ["status", "idTagInfo", "idTagInfo.status", "value"])
def test_case_matters_elsewhere(path: str) -> None:
    payload = {"status": "accepted", "idTagInfo": {"status": "accepted"}, "value": "accepted"}
    assert mismatches(payload, [[path, "Accepted"]], known) != []


def test_an_id_tag_that_is_no_text() -> None:
    assert mismatches({"idTag": 5}, [["idTag", "{ValidIdTag}"]], known) != []
    assert mismatches({"idTag": 5}, [["idTag", "absent"]], known) != []
    assert mismatches({}, [["idTag", "absent"]], known) == []
    assert mismatches({"idTag": "absent"}, [["idTag", "absent"]], known) != []
    assert mismatches({}, [["idTag", "{ValidIdTag}"]], known) != []


# --- paths


def test_the_case_of_a_key_does_not_matter_to_a_path() -> None:
    entries = {"configurationKey": [{"key": "heartbeatinterval", "value": "5"}]}
    assert value_at(entries, "configurationKey[key=HeartbeatInterval].value") == "5"


NESTED = {
    "status": "Accepted",
    "idTagInfo": {"status": "Blocked", "parentIdTag": None},
    "configurationKey": [
        {"key": "A", "readonly": True, "value": "1"},
        {"key": "B", "readonly": False},
        {"key": "B", "readonly": True, "value": "second"},
    ],
    "meterValue": [{"sampledValue": [{"value": "7"}, {"value": "8"}]}],
    "unknownKey": [],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status", "Accepted"),
        ("idTagInfo.status", "Blocked"),
        ("idTagInfo.parentIdTag", None),
        ("idTagInfo.expiryDate", MISSING),
        ("status.deeper", MISSING),
        ("nothing.at.all", MISSING),
        ("configurationKey[0].key", "A"),
        ("configurationKey[2].value", "second"),
        ("configurationKey[3]", MISSING),
        ("configurationKey[3].key", MISSING),
        ("configurationKey[key=A].value", "1"),
        ("configurationKey[key=B].readonly", False),
        ("configurationKey[key=B].value", MISSING),
        ("configurationKey[readonly=true].key", "A"),
        ("configurationKey[key=C]", MISSING),
        ("configurationKey[key=C].value", MISSING),
        ("meterValue[0].sampledValue[1].value", "8"),
        ("meterValue[0].sampledValue[value=7].value", "7"),
        ("meterValue[1].sampledValue[1].value", MISSING),
        ("unknownKey", []),
        ("unknownKey[0]", MISSING),
        ("status[0]", MISSING),
        ("idTagInfo[0]", MISSING),
        ("idTagInfo[status=Blocked]", MISSING),
    ],
)
def test_value_at_a_path(path: str, value: object) -> None:
    assert value_at(NESTED, path) == value


@pytest.mark.parametrize("payload", ["text", None, 5, [1, 2], {"a": ["x", {"key": ["A"]}, {"key": "A", "v": 1}]}])
def test_any_payload_can_be_looked_at(payload: object) -> None:
    assert value_at(payload, "a[key=A].v") in (MISSING, 1)
    assert value_at(payload, "b.c[4]") is MISSING


# --- what is sent


@pytest.mark.parametrize(
    ("action", "kind", "table", "payload"),
    [
        ("Reset", "req", [["type", "Hard"]], {"type": "Hard"}),
        ("UnlockConnector", "req", [["connectorId", "{ConnectorId}"]], {"connectorId": 1}),
        ("ChangeConfiguration", "req", [["key", "K"], ["value", "60"]], {"key": "K", "value": "60"}),
        ("ChangeConfiguration", "req", [["key", "K"], ["value", "true"]], {"key": "K", "value": "true"}),
        ("ChangeConfiguration", "req", [["key", "K"], ["value", "-1"]], {"key": "K", "value": "-1"}),
        ("GetConfiguration", "req", [["key", "absent"]], {}),
        ("GetConfiguration", "req", [["key", "one of absent, []"]], {}),
        ("GetConfiguration", "req", [["key", "[]"]], {"key": []}),
        ("GetConfiguration", "req", [["key", "[A]"]], {"key": ["A"]}),
        ("GetConfiguration", "req", [["key", "[A, B ,C]"]], {"key": ["A", "B", "C"]}),
        ("RemoteStopTransaction", "req", [["transactionId", "any, such as 7"]], {"transactionId": 7}),
        ("RemoteStopTransaction", "req", [["transactionId", "-1"]], {"transactionId": -1}),
        (
            "RemoteStopTransaction",
            "req",
            [["transactionId", "other than {StartTransaction.conf.transactionId}"]],
            {"transactionId": 4726},
        ),
        (
            "RemoteStartTransaction",
            "req",
            [["connectorId", "one of {ConnectorId}, absent"], ["idTag", "{ValidIdTag}"]],
            {"connectorId": 1, "idTag": "VALID-7F3A91"},
        ),
        (
            "BootNotification",
            "conf",
            [["status", "Pending"], ["interval", "10"]],
            {"status": "Pending", "interval": 10},
        ),
        ("BootNotification", "conf", [["currentTime", "now"]], {"currentTime": "2026-11-22T10:00:00.123Z"}),
        ("Authorize", "conf", [["idTagInfo.status", "Blocked"]], {"idTagInfo": {"status": "Blocked"}}),
        (
            "StartTransaction",
            "conf",
            [["transactionId", "5"], ["idTagInfo.status", "Accepted"], ["idTagInfo.parentIdTag", "7"]],
            {"transactionId": 5, "idTagInfo": {"status": "Accepted", "parentIdTag": "7"}},
        ),
        (
            "GetConfiguration",
            "conf",
            [
                ["configurationKey[0].key", "A"],
                ["configurationKey[0].readonly", "true"],
                ["configurationKey[1].key", "B"],
                ["configurationKey[1].readonly", "false"],
            ],
            {"configurationKey": [{"key": "A", "readonly": True}, {"key": "B", "readonly": False}]},
        ),
        (
            "SetChargingProfile",
            "req",
            [
                ["connectorId", "0"],
                ["csChargingProfiles.stackLevel", "2"],
                ["csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].startPeriod", "0"],
                ["csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit", "16"],
                ["csChargingProfiles.chargingSchedule.chargingSchedulePeriod[1].limit", "6.5"],
            ],
            {
                "connectorId": 0,
                "csChargingProfiles": {
                    "stackLevel": 2,
                    "chargingSchedule": {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}, {"limit": 6.5}]},
                },
            },
        ),
        (
            "SendLocalList",
            "req",
            [["localAuthorizationList[0].idTag", "1"]],
            {"localAuthorizationList": [{"idTag": "1"}]},
        ),
        ("Authorize", "req", [["idTag", "any"]], {}),
        ("Heartbeat", "req", [], {}),
    ],
)
def test_what_a_table_sends_has_the_types_of_the_schema(
    action: str, kind: Kind, table: Table, payload: dict[str, object]
) -> None:
    made = payload_of(action, kind, table, known)
    assert made == payload
    assert repr(made) == repr(payload)  # 1 and 1.0 and True are equal


# --- durations and placeholders in sentences


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1 second", 1),
        ("5 seconds", 5),
        ("0.5 seconds", 0.5),
        ("2 minutes", 120),
        ("1 hour", 3600),
        ("1.5 days", 129600),
        (" 3 seconds ", 3),
    ],
)
def test_durations(text: str, length: float) -> None:
    assert seconds(text) == length


def test_a_text_is_filled_in() -> None:
    assert filled_in("{HeartbeatInterval} seconds", known) == "15 seconds"
    assert filled_in("{ConnectorId} and {ValidIdTag}, {not}", known) == "1 and VALID-7F3A91, {not}"


# --- what cannot be read


@pytest.mark.parametrize(
    "text", ["", "5", "seconds", "5 weeks", "-5 seconds", "5seconds", "five seconds", "5 seconds later", "1 sec"]
)
def test_no_duration(text: str) -> None:
    with pytest.raises(BadCell, match="is no duration such as"):
        seconds(text)


@pytest.mark.parametrize(
    "cell", ["at least three", "now - 5", "now + five minutes", "within 5 of now", "within 5 seconds of soon"]
)
def test_a_bad_cell(cell: str) -> None:
    with pytest.raises(BadCell):
        expectation(cell, known)


@pytest.mark.parametrize("table", [[["a"]], [["a", "b", "c"]], [["a", "b"], ["c"]], [[]]])
def test_a_table_has_two_columns(table: Table) -> None:
    with pytest.raises(BadCell, match="a row has a field and a value"):
        rows(table)
    with pytest.raises(BadCell):
        mismatches({}, table, known)


def test_what_is_sent_has_positions() -> None:
    with pytest.raises(BadCell, match="positions"):
        payload_of("GetConfiguration", "conf", [["configurationKey[key=A].value", "1"]], known)


@pytest.mark.parametrize(
    ("action", "row"),
    [
        ("UnlockConnector", ["connectorId", "one"]),
        ("UnlockConnector", ["connectorId", "1.5"]),
        ("SendLocalList", ["localAuthorizationList[1].idTag", "x"]),
    ],
)
def test_what_cannot_be_sent_is_a_bad_cell(action: str, row: list[str]) -> None:
    try:
        payload_of(action, "req", [row], known)
    except BadCell:
        return
    raise AssertionError(row)


def test_a_placeholder_that_nobody_knows_ends_the_look_up() -> None:
    with pytest.raises(KeyError):
        expectation("{Unknown}", known)
    with pytest.raises(KeyError):
        expectation("other than {Unknown}", known)


@pytest.mark.parametrize(("value", "found"), [("Accepted", []), ("RebootRequired", 1), ("Rejected", [])])
def test_what_is_tolerated_is_told(value: str, found: list[str] | int) -> None:
    table = [["status", "Accepted, tolerated RebootRequired"]]
    told = tolerated({"status": value}, table, known)
    assert told == ([] if found == [] else ["status is RebootRequired, the test case wants Accepted"])
    assert (mismatches({"status": value}, table, known) == []) == (value != "Rejected")


def test_the_wanted_value_is_not_merely_tolerated() -> None:
    table = [["location", "ftp://h/x, tolerated any"]]
    assert tolerated({"location": "ftp://h/x"}, table, known) == []
    assert tolerated({"location": "ftp://h/y"}, table, known) == [
        "location is ftp://h/y, the test case wants ftp://h/x"
    ]
    assert [str(each) for each in mismatches({}, table, known)] == ["location is absent, expected ftp://h/x"]


@freeze_time("2031-05-13T08:41:17.389Z")
def test_an_example_may_be_an_instant() -> None:
    assert expectation("any, such as now", known).example == "2031-05-13T08:41:17.389Z"


@pytest.mark.parametrize(("value", "found"), [("Rejected", 0), ("Accepted", 1), ("Unlocked", 0)])
def test_what_is_worth_a_remark_is_told(value: str, found: int) -> None:
    table = [["status", "one of Rejected, UnknownVendorId, noted Accepted"]]
    assert (
        noted({"status": value}, table, known)
        == ["status is Accepted, better one of Rejected, UnknownVendorId"] * found
    )
    assert tolerated({"status": value}, table, known) == []
    assert (mismatches({"status": value}, table, known) == []) == (value != "Unlocked")
    assert payload_of("DataTransfer", "conf", table, known) == {"status": "Rejected"}


@pytest.mark.parametrize(("info", "found"), [("gone", 0), ("away", 1), (MISSING, 1)])
def test_what_fits_is_not_merely_tolerated(info: object, found: int) -> None:
    table = [["info", "gone, tolerated one of any, absent"]]
    payload = {} if info is MISSING else {"info": info}
    assert mismatches(payload, table, known) == []
    assert len(tolerated(payload, table, known)) == found


def test_what_is_free_may_be_asked_for_as_an_instant() -> None:
    cell = expectation("any, such as now + 1 hour", lambda _: "")
    sent = parse_timestamp(str(cell.example))
    assert timedelta(minutes=59) < sent - datetime.now(UTC) < timedelta(minutes=61)
    assert cell.fits("yesterday")


def test_a_number_is_the_same_with_and_without_a_point() -> None:
    assert expectation("6", lambda _: "").fits(6.0)
    assert expectation("6", lambda _: "").fits(6)
    assert not expectation("6", lambda _: "").fits(6.5)
    assert expectation("6.5", lambda _: "").fits(6.5)
