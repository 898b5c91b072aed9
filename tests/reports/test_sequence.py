"""The sequence diagram: what crossed the wire and nothing else, whoever sent it and whatever it holds."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocppj.transcript import Party, Record
from reports.sequence import LIFELINES, LONGEST_LABEL, Row, mermaid, mermaid_of, rows, svg, svg_of
from reports.texts import columns, shown
from tests.reports.few import LONG, NASTY
from tests.reports.prepared import GOLDEN, RECORDS, WRONG, at, frame, hostile_records, run_of, stimulus

SVG = "{http://www.w3.org/2000/svg}"


def drawn(records: list[Record], wrong: int | None = None) -> ElementTree.Element:
    return ElementTree.fromstring(svg(records, wrong=wrong))  # noqa: S314  # our own


def classes(root: ElementTree.Element) -> list[str]:
    return [each.get("class", "") for each in root.iter(f"{SVG}g")]


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]


def row(record: Record) -> Row:
    return next(each for each in rows([record]) if each.kind != "sentence")


def call(sender: Party, unique_id: str, action: str = "Heartbeat") -> Record:
    return frame(1, sender, f'[2,"{unique_id}","{action}",{{}}]')


def answer(sender: Party, unique_id: str) -> Record:
    return frame(1, sender, f'[3,"{unique_id}",{{}}]')


CP: Party = "Charge Point"
CSMS: Party = "Central System"


# What is told


@pytest.mark.parametrize(
    ("records", "partners"),
    [
        ([call(CP, "1"), answer(CSMS, "1")], {0: 1, 1: 0}),
        ([call(CP, "1"), call(CSMS, "1"), answer(CP, "1"), answer(CSMS, "1")], {0: 3, 1: 2, 2: 1, 3: 0}),
        ([call(CP, "1"), answer(CSMS, "1"), call(CP, "1"), answer(CSMS, "1")], {0: 1, 1: 0, 2: 3, 3: 2}),
        ([call(CP, "1"), answer(CP, "1")], {}),  # nobody answers himself
        ([answer(CSMS, "1"), call(CP, "1")], {}),
        ([call(CP, "1"), answer(CSMS, "2")], {}),
        ([call(CP, "1"), answer(CSMS, "1"), answer(CSMS, "1")], {0: 1, 1: 0}),
        ([call(CP, "1") | {"kind": "before"}, answer(CSMS, "1")], {0: 1, 1: 0}),
        ([call(CP, "1"), frame(1, CSMS, '[4,"1","GenericError","",{}]')], {0: 1, 1: 0}),
    ],
)
def test_an_answer_belongs_to_the_call_of_the_other_party_with_its_id(
    records: list[Record], partners: dict[int, int]
) -> None:
    assert {each.record: each.partner for each in rows(records) if each.partner is not None} == partners


@pytest.mark.parametrize(
    ("record", "words", "detail"),
    [
        (call(CP, "1"), "Heartbeat.req (no answer)", ""),
        (call(CP, "1") | {"kind": "before"}, "Heartbeat.req", ""),
        (answer(CP, "1"), "answer to nothing.conf", ""),
        (frame(1, CP, '[4,"1","NotSupported","no cache",{}]'), "CALLERROR NotSupported", "no cache"),
        (frame(1, CP, '[2,"1"]'), "unreadable frame", "a CALL has 4 elements, not 2"),
        (frame(1, CP, '[7,"1"]'), "unreadable frame", '[7,"1"]'),
        (
            frame(1, CSMS, '[2,"1","A",{"a":{"b":[1,{"c":true}],"d":"x"}}]'),
            "A.req (no answer)",
            "a.b[0] 1, a.b[1].c true, a.d x",
        ),
        (stimulus(1, CP, "plug_in", "When ...", connectorId=1), "plug in", "connectorId 1"),
        (at(1, kind="operator", party=CSMS, answer="done", words=""), "operator: done", ""),
        (at(1, kind="operator", party=CP, answer="done", words="", note="stiff"), "operator: done", "stiff"),
        (
            at(1, kind="operator", party=CP, payload={"statement": "it is so"}, answer="denied", words="", by="Jane"),
            "operator: denied",
            "statement it is so",
        ),
        (at(1, kind="connect", event="closed", code=1006), "connection closed", "code 1006"),
        (at(1, kind="connect", event="closed", code=1, by=CP), "connection closed", "code 1, by the Charge Point"),
        (
            at(1, kind="connect", event="opening", url="/CP1", offered=["ocpp1.6"], subprotocol="ocpp1.6", status=101),
            "connection opened",
            "/CP1, ocpp1.6",
        ),
        (
            at(1, kind="connect", event="opening", url="/CP1", offered=["x"], subprotocol=None, status=101),
            "connection opened",
            "/CP1, no common subprotocol (x)",
        ),
        (
            at(1, kind="connect", event="opening", url="/CP1", offered=[], status=None, failure="no answer in time"),
            "connection refused",
            "no answer; offered no subprotocol; no answer in time",
        ),
        (
            at(1, kind="connect", event="opening", url="/CP1", offered=["ocpp1.6"], subprotocol=None, status=404),
            "connection refused",
            "HTTP 404; offered ocpp1.6; /CP1",
        ),
        (
            at(1, kind="tls", version="TLSv1.2", suite="S", certificate={"subject": {"commonName": "csms.example"}}),
            "TLS",
            "TLSv1.2, S, certificate of csms.example",
        ),
        (at(1, kind="tls", failure="the certificate has expired"), "TLS", "the certificate has expired"),
        (
            at(1, kind="auth", securityProfile=1, scheme="Basic", keyBytes=20, key="other", failure="wrong key"),
            "authentication",
            "security profile 1, Basic, 20 bytes, other key, wrong key",
        ),
        (at(1, kind="file", operation="download", location="ftp://h/f", bytes=3), "download", "ftp://h/f, 3 bytes"),
        (at(1, kind="file", operation="upload", location="ftp://h/", failure="550"), "upload", "ftp://h/, failed: 550"),
        (at(1, kind="end"), "the wire was watched until here", ""),
    ],
)  # fmt: skip
def test_each_record_is_a_line(record: Record, words: str, detail: str) -> None:
    told = row(record)
    assert (told.words, told.detail) == (words, detail)
    is_bad = "failure" in record or told.kind in ("error", "invalid") or "refused" in words
    assert told.is_bad is is_bad


def test_a_sentence_heads_what_it_set_off() -> None:
    records = [
        stimulus(1, CP, "plug_in", "When A"),
        stimulus(1, CP, "present", "When A"),
        stimulus(2, CP, "x", "And B"),
    ]
    assert [(each.kind, each.words) for each in rows(records)] == [
        ("sentence", "When A"),
        ("note", "plug in"),
        ("note", "present"),
        ("sentence", "And B"),
        ("note", "x"),
    ]


def test_what_nobody_knows_is_left_out() -> None:
    assert rows([at(1, kind="of a later version")]) == []
    told = [call(CP, "1"), answer(CSMS, "1") | {"kind": "of a later version"}]
    assert [(each.record, each.partner) for each in rows(told)] == [(0, None)]
    ElementTree.fromstring(svg(told))  # noqa: S314  # our own


# SVG


@pytest.mark.parametrize("name", ["sequence.svg", "sequence.mmd"])
def test_golden(name: str) -> None:
    made = svg(RECORDS, wrong=WRONG) if name.endswith("svg") else mermaid(RECORDS, wrong=WRONG)
    assert made == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("verdict", "wrong"), [("pass", None), ("fail", WRONG), ("inconclusive", None)])
def test_the_diagram_of_a_case_marks_where_it_failed(verdict: str, wrong: int | None) -> None:
    judged = run_of(verdict)[0].cases[0]
    assert svg_of(judged, RECORDS) == svg(RECORDS, wrong=wrong)
    assert mermaid_of(judged, RECORDS) == mermaid(RECORDS, wrong=wrong)


def test_a_call_and_its_answer_are_one_exchange_with_a_bar() -> None:
    root = drawn(RECORDS)
    exchanges = [each for each in root.iter(f"{SVG}g") if each.get("class") == "exchange"]
    assert len(exchanges) == 4
    for each in exchanges:
        bar = each.find(f"{SVG}rect")
        first, second = (float(line.get("y1", "")) for line in each.iter(f"{SVG}line"))
        assert bar is not None
        assert float(bar.get("y", "")) <= first < second <= float(bar.get("y", "")) + float(bar.get("height", ""))
    assert "error bad" in classes(root)


def test_bars_at_one_lifeline_never_cover_each_other() -> None:
    records = [call(CP, "1"), call(CP, "2"), call(CP, "3"), answer(CSMS, "1"), call(CP, "4")]
    records += [answer(CSMS, each) for each in "234"]
    bars = [each for each in drawn(records).iter(f"{SVG}rect") if each.get("class") == "bar"]
    assert len(bars) == 4
    places = [float(bar.get("x", "")) for bar in bars]
    assert len(set(places[:3])) == 3
    assert places[3] == places[0]  # that lane is free again


@pytest.mark.parametrize("wrong", [None, *range(len(RECORDS))])
def test_the_wrong_one_alone_is_marked(wrong: int | None) -> None:
    root = drawn(RECORDS, wrong)
    marks = [each for each in root.iter(f"{SVG}rect") if each.get("class") == "mark"]
    assert len(marks) == texts(root).count("✗ wrong") == (0 if wrong is None else 1)
    if wrong == WRONG:
        (line,) = [each for each in root.iter(f"{SVG}g") if each.get("class") == "result bad"]
        y = float(next(line.iter(f"{SVG}line")).get("y1", ""))
        top, height = (float(marks[0].get(name, "")) for name in ("y", "height"))
        assert top < y < top + height


def test_an_arrow_points_to_who_receives() -> None:
    for sender in LIFELINES:
        root = drawn([call(sender, "1")])
        tip = next(root.iter(f"{SVG}polygon")).get("points", "").split(",")[0]
        receiver = CSMS if sender == CP else CP
        assert abs(float(tip) - LIFELINES[receiver]) <= 5


def test_the_time_is_told_where_it_changes() -> None:
    told = texts(drawn([call(CP, "1"), answer(CSMS, "1"), at(2, kind="end")]))
    assert told.count("04:05:01.000") == 1
    assert told.count("04:05:02.000") == 1
    assert told.count("2026-02-03") == 1


def test_a_hundred_frames_can_be_read() -> None:
    payload = f'{{"idTag":"{LONG}"}}'
    records = [
        frame(each, CP if each % 2 else CSMS, f'[2,"{each}","Authorize",{payload}]') for each in range(50) for _ in "ab"
    ]
    root = drawn(records)
    labels = [each for each in root.iter(f"{SVG}text") if each.get("class") is None]
    heights = [float(each.get("y", "")) for each in labels]
    assert len(labels) == 100
    assert all(below - above >= 20 for above, below in pairwise(heights))
    assert all(columns("".join(each.itertext())) <= LONGEST_LABEL for each in labels)
    assert float(root.get("height", "")) < 100 * 40
    assert len(svg(records)) < 100 * 4000  # a payload of 10,000 characters is not there a hundred times


def test_it_is_dark_for_whoever_likes_it_dark_but_not_on_paper() -> None:
    assert "@media screen and (prefers-color-scheme:dark)" in svg([])


# Whatever a device says


@pytest.mark.parametrize("text", [NASTY, LONG, "", "\u202eevil", "日本語" * 100, "]]>", "&amp;", "\r\n"])
def test_a_hostile_text_stays_a_text(text: str) -> None:
    made = svg(hostile_records(text), wrong=0)
    root = ElementTree.fromstring(made)  # noqa: S314  # our own
    ours = {"svg", "style", "g", "rect", "line", "polygon", "text", "tspan", "title"}
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= ours
    assert not [name for each in root.iter() for name in each.attrib if name.startswith("on") or "href" in name]
    assert "\u202e" not in made
    made.encode()
    inner = [each for each in root.iter(f"{SVG}text") if each.get("class") is None]
    assert all(columns("".join(each.itertext())) <= 128 for each in inner)


@pytest.mark.parametrize("text", [NASTY, LONG, "end", "a\nb", "%% x", "#lt;script#gt;", "activate CP"])
def test_mermaid_gets_nothing_but_our_own_lines(text: str) -> None:
    made = mermaid(hostile_records(text), wrong=0)
    assert made.count("\n") == mermaid(hostile_records("x"), wrong=0).count("\n")
    statement = re.compile(
        r"sequenceDiagram|  participant \w+ as [\w ]+|  rect rgba\(220, 60, 60, 0.25\)|  end"
        r"|  (?:  )?(?:CP|CSMS)(?:->>|-->>|--x)[+-]?(?:CP|CSMS): (?P<a>.*)"
        r"|  (?:  )?Note (?:over|left of|right of) [\w,]+: (?P<b>.*)"
    )
    for line in made.splitlines():
        match = statement.fullmatch(line)
        assert match, line
        told = match["a"] or match["b"] or ""
        assert not re.search(r"[<>%{}\"`|*]|\bend\b", told)
        assert not re.search(r"#(?!\d+;)|(?<!\d);", told)


def test_activations_are_balanced_in_mermaid() -> None:
    made = mermaid(RECORDS)
    for party in ("CP", "CSMS"):
        assert len(re.findall(rf">>\+{party}:", made)) == len(re.findall(rf"{party}(?:-->>|--x)-", made))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    *("messageId", "action", "payload", "error", "raw", "party", "words", "sentence", "chargePointId"),
    *("event", "status", "offered", "url", "certificate", "failure", "location", "scheme"),
)
CHOICES = {
    "direction": st.sampled_from(["cp-to-csms", "csms-to-cp"]),
    "messageType": st.sampled_from(["CALL", "CALLRESULT", "CALLERROR", "INVALID"]),
}
KINDS = ("frame", "before", "connect", "tls", "auth", "file", "stimulus", "operator", "end", "new")
RECORD = st.fixed_dictionaries(
    {"kind": st.sampled_from(KINDS), "timestamp": st.text()}, optional=dict.fromkeys(KEYS, JSON) | CHOICES
)


@given(st.lists(RECORD, max_size=4))
def test_any_record_can_be_drawn(records: list[Record]) -> None:
    ElementTree.fromstring(svg(records))  # noqa: S314  # our own
    assert mermaid(records).startswith("sequenceDiagram\n")


@pytest.mark.parametrize(
    ("text", "longest", "seen"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("a\x00b\n", 20, "a\\x00b\\n"),
        ("\ud800\u202e\u2028", 30, "\\ud800\\u202e\\u2028"),
        ("\x00\x00", 7, "\\x00…"),
    ],
)
def test_shown(text: str, longest: int, seen: str) -> None:
    assert shown(text, longest) == seen
    assert columns(seen) <= longest


def test_shown_keeps_lines_where_they_are_wanted() -> None:
    assert shown("a\n\tb\r", lines=True) == "a\n\tb\\r"
