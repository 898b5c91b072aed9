"""The sequence diagram of a test case: what crossed the wire, as SVG for people and as Mermaid for Markdown.

Both are pure functions of the records of a transcript (``ocppj.transcript``). The diagram has two lifelines, an arrow
for each frame, a bar from each CALL to its answer, and a line for whatever else the transcript tells.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Literal

from ocppj.transcript import BEFORE, SENDERS, Party, Record, other
from reports.results import CaseResult
from reports.texts import columns, shown

Kind = Literal["sentence", "note", "link", "call", "result", "error", "invalid", "end"]

FRAMES: dict[str, Kind] = {"CALL": "call", "CALLRESULT": "result", "CALLERROR": "error"}
SWITCHING_PROTOCOLS = 101
LONGEST_TITLE = 2000  # characters of a payload that is shown when a pointer rests on its arrow


@dataclass(frozen=True)
class Row:
    """One line of the diagram.

    ``record``: its index in the transcript, None for a sentence. ``party``: who sent it or where it happened, None for
    the wire itself. ``words`` say what it is, ``detail`` the rest, ``title`` all of it. ``partner``: the record of the
    answer to a CALL or of the CALL of an answer. ``is_bad``: an error, a refusal, a failure.
    """

    kind: Kind
    record: int | None
    timestamp: str
    party: Party | None
    words: str
    detail: str = ""
    title: str = ""
    partner: int | None = None
    is_bad: bool = False
    is_before: bool = False


# What is told


def rows(records: Sequence[Record]) -> list[Row]:
    """The lines of the diagram, in the order of the transcript."""
    partners, sentence, found = _partners(records), "", []
    for number, record in enumerate(records):
        if record.get("sentence", sentence) != sentence:
            sentence = str(record["sentence"])
            found.append(Row("sentence", None, _timestamp(record), None, sentence))
        if record.get("kind") in ("frame", BEFORE):
            found.append(_frame(records, number, partners.get(number)))
        elif (row := _fact(record)) is not None:
            found.append(replace(row, record=number, timestamp=_timestamp(record)))
    return found


def _timestamp(record: Record) -> str:
    return str(record.get("timestamp", ""))


def _partners(records: Sequence[Record]) -> dict[int, int]:
    """Which frames belong together: an answer to the latest CALL of the other party that has its id and no answer."""
    waiting: dict[tuple[Party | None, str], list[int]] = {}
    partners: dict[int, int] = {}
    for number, record in enumerate(records):
        if record.get("kind") not in ("frame", BEFORE):
            continue
        sender, unique_id = _sender(record), str(record.get("messageId"))
        match record.get("messageType"):
            case "CALL":
                waiting.setdefault((sender, unique_id), []).append(number)
            case "CALLRESULT" | "CALLERROR" if sender and (calls := waiting.get((other(sender), unique_id))):
                call = calls.pop()
                partners |= {call: number, number: call}
    return partners


def _sender(record: Record) -> Party | None:
    return SENDERS.get(str(record.get("direction")))


def _frame(records: Sequence[Record], number: int, partner: int | None) -> Row:
    record = records[number]
    kind, party = FRAMES.get(str(record.get("messageType")), "invalid"), _sender(record)
    is_before = record.get("kind") == BEFORE
    match kind:
        case "call":
            words, detail = f"{record.get('action')}.req", _summary(record.get("payload"))
            if partner is None and not is_before:
                words += " (no answer)"
        case "result":
            words, detail = f"{_asked(records, partner)}.conf", _summary(record.get("payload"))
        case "error":
            error = record.get("error")
            told = error if isinstance(error, dict) else {}
            words, detail = f"CALLERROR {told.get('code')}", str(told.get("description") or "")
        case _:
            words, detail = "unreadable frame", str(record.get("fault") or record.get("raw", ""))
    return Row(
        kind, number, _timestamp(record), party, words, detail, _told(record), partner, kind in ("error", "invalid"),
        is_before,
    )  # fmt: skip


def _asked(records: Sequence[Record], call: int | None) -> str:
    return "answer to nothing" if call is None else str(records[call].get("action"))


def _told(record: Record) -> str:
    if "payload" in record or "error" in record:
        return json.dumps(record.get("payload", record.get("error")), indent=1, ensure_ascii=False)
    return str(record.get("raw", ""))


def _summary(payload: object) -> str:
    return ", ".join(f"{path} {value}" for path, value in _leaves(payload))


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a payload as dotted paths and values."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from _leaves(inner, f"{path}.{name}" if path else str(name))
        case list():
            for number, inner in enumerate(value):
                yield from _leaves(inner, f"{path}[{number}]")
        case _:
            yield path, value if isinstance(value, str) else json.dumps(value)


def _fact(record: Record) -> Row | None:
    """What a record that is no frame tells; None for one that nobody knows."""
    told = _told_by(record)
    if told is None:
        return None
    kind, party, words, detail = told
    facts = {name: value for name, value in record.items() if name not in ("kind", "timestamp", "sentence")}
    title = json.dumps(facts, indent=1, ensure_ascii=False) if facts else ""
    is_refused = record.get("event") == "opening" and record.get("status") != SWITCHING_PROTOCOLS
    return Row(kind, None, "", party, words, detail, title, is_bad="failure" in record or is_refused)


def _told_by(record: Record) -> tuple[Kind, Party | None, str, str] | None:
    match record.get("kind"):
        case "stimulus":
            return "note", _party(record), str(record.get("action")).replace("_", " "), _summary(record.get("payload"))
        case "operator":
            payload = record.get("payload")  # of what is only asked: the statement that is to be confirmed
            told = [_summary(payload) if payload else "", record.get("words"), record.get("note")]
            return "note", _party(record), f"operator: {record.get('answer')}", "; ".join(str(it) for it in told if it)
        case "connect" if record.get("event") == "closed":
            by = f", by the {record['by']}" if record.get("by") else ""
            return "link", None, "connection closed", f"code {record.get('code')}{by}"
        case "connect":
            return "link", None, *_opening(record)
        case "tls":
            return "link", None, "TLS", _tls(record)
        case "auth":
            return "link", None, "authentication", _authentication(record)
        case "file":
            return "note", "Charge Point", str(record.get("operation")), _file(record)
        case "end":
            return "end", None, "the wire was watched until here", ""
        case _:
            return None


def _party(record: Record) -> Party:
    return "Central System" if record.get("party") == "Central System" else "Charge Point"


def _opening(record: Record) -> tuple[str, str]:
    status, chosen = record.get("status"), record.get("subprotocol")
    names = record.get("offered")
    offered = ", ".join(map(str, names)) if isinstance(names, list) and names else "no subprotocol"
    if record.get("failure") or status != SWITCHING_PROTOCOLS:
        answer = f"HTTP {status}" if status else "no answer"
        return "connection refused", f"{answer}; offered {offered}; {record.get('failure') or record.get('url')}"
    return "connection opened", f"{record.get('url')}, {chosen or f'no common subprotocol ({offered})'}"


def _tls(record: Record) -> str:
    if record.get("failure"):
        return str(record["failure"])
    parts = [str(record[name]) for name in ("version", "suite") if record.get(name)]
    return ", ".join([*parts, *_of_certificate(record)])


def _authentication(record: Record) -> str:
    parts = [f"security profile {record.get('securityProfile')}"]
    if record.get("scheme"):
        key = f", {record['key']} key" if record.get("key") else ""
        parts.append(f"{record['scheme']}, {record.get('keyBytes')} bytes{key}")
    return ", ".join([*parts, *_of_certificate(record), *([str(record["failure"])] if record.get("failure") else [])])


def _of_certificate(record: Record) -> list[str]:
    certificate = record.get("certificate")
    subject = certificate.get("subject") if isinstance(certificate, dict) else None
    return [f"certificate of {subject.get('commonName')}"] if isinstance(subject, dict) else []


def _file(record: Record) -> str:
    came = f"failed: {record['failure']}" if record.get("failure") else f"{record.get('bytes', 0)} bytes"
    return f"{record.get('location')}, {came}"


# SVG

WIDTH, TOP, BOTTOM = 1000, 62, 34
LIFELINES: dict[Party, int] = {"Charge Point": 170, "Central System": 900}
HEIGHTS: dict[Kind, int] = {"sentence": 34, "note": 28, "link": 28, "end": 28}  # pixels; a frame has FRAME_HEIGHT
FRAME_HEIGHT = 31
CHARACTER = 6.95  # pixels, of a fixed width, whatever the font
LONGEST_LABEL = 98  # characters between the lifelines
BAR, LANE = 7, 5  # how wide the bar between a CALL and its answer is, and how far a second one stands beside it

# Plain colours, since not every reader of SVG knows variables; the dark ones are for screens alone.
STYLE = """
.sequence{font:11.5px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace}
.sequence .paper{fill:#fff}.sequence text{fill:#1c2733}.sequence .name{font-weight:700;font-size:13px}
.sequence .dim,.sequence .time{fill:#66727f}.sequence .words{font-weight:700}
.sequence .life{stroke:#b4bec9;stroke-width:1.5}.sequence .head{fill:#eef2f6;stroke:#b4bec9}
.sequence .line{stroke:#1f5fa8;stroke-width:2;fill:none}.sequence .tip{fill:#1f5fa8}
.sequence .result .line{stroke:#5f7f9f;stroke-width:1}.sequence .result .tip{fill:#5f7f9f}
.sequence .bad .line{stroke:#c0262d}.sequence .bad .tip{fill:#c0262d}.sequence .bad .words{fill:#b01c24}
.sequence .bar{fill:#d5e4f4;stroke:#7ea2c8}.sequence .before{opacity:.55}.sequence .before .line{stroke-dasharray:5 4}
.sequence .box{fill:#fff6dc;stroke:#e2c878}.sequence .link .rail{stroke:#3b8f6b;stroke-width:1;stroke-dasharray:2 4}
.sequence .link.bad .rail{stroke:#c0262d}.sequence .link .words{fill:#2a7554}.sequence .link.bad .words{fill:#b01c24}
.sequence .rule{stroke:#dfe5eb}.sequence .sentence text{fill:#44515e;font-style:italic}
.sequence .sentence text{stroke:#fff;stroke-width:5px;paint-order:stroke}
.sequence .end .words{font-weight:400;fill:#66727f}
.sequence .mark{fill:#fde3e3;stroke:#e08a8e}.sequence .cross{fill:#b01c24;font-weight:700}
.sequence .exchange:hover .line{stroke-width:3.5}.sequence .exchange:hover .bar{fill:#f4c95d}
@media screen and (prefers-color-scheme:dark){
.sequence .paper{fill:#12181f}.sequence text{fill:#e3e9ef}.sequence .dim,.sequence .time{fill:#93a1af}
.sequence .life{stroke:#4a5663}.sequence .head{fill:#1d2630;stroke:#4a5663}
.sequence .line{stroke:#6fb1f5}.sequence .tip{fill:#6fb1f5}
.sequence .result .line{stroke:#7f9bb8}.sequence .result .tip{fill:#7f9bb8}
.sequence .bad .line{stroke:#ff7b80}.sequence .bad .tip{fill:#ff7b80}.sequence .bad .words{fill:#ff9a9e}
.sequence .bar{fill:#22405f;stroke:#4f7aa8}.sequence .box{fill:#3a3320;stroke:#7a6830}
.sequence .link .rail{stroke:#58b98f}.sequence .link.bad .rail{stroke:#ff7b80}
.sequence .link .words{fill:#7fd1ad}.sequence .link.bad .words{fill:#ff9a9e}
.sequence .rule{stroke:#2a3440}.sequence .sentence text{fill:#b5c0cb;stroke:#12181f}.sequence .end .words{fill:#93a1af}
.sequence .mark{fill:#4a1f22;stroke:#a34a4f}.sequence .cross{fill:#ff9a9e}}
"""


def svg(records: Sequence[Record], *, wrong: int | None = None) -> str:
    """The diagram as SVG, in light and dark. ``wrong``: the index of the record that is marked as the wrong one."""
    lines = [replace(row, is_bad=row.is_bad or _is(row, wrong)) for row in rows(records)]
    heights = _heights(lines)
    end = sum(HEIGHTS.get(row.kind, FRAME_HEIGHT) for row in lines) + TOP
    lanes = _lanes(lines)
    drawn = [_mark(row, heights[number]) for number, row in enumerate(lines) if _is(row, wrong)]
    drawn += [_lifeline(party, records, end) for party in LIFELINES]
    drawn += _times(lines, heights)
    by_record = {row.record: number for number, row in enumerate(lines) if row.record is not None}
    for number, row in enumerate(lines):
        y = heights[number]
        if row.kind == "call" and row.partner is not None:
            answer = by_record[row.partner]
            bar = _bar(row, y, heights[answer], lanes[number])
            drawn.append(f'<g class="exchange">{bar}{_arrow(row, y)}{_arrow(lines[answer], heights[answer])}</g>')
        elif row.kind in ("call", "invalid") or (row.kind in ("result", "error") and row.partner is None):
            drawn.append(_arrow(row, y))
        elif row.kind not in ("result", "error"):
            drawn.append(_line(row, y))
    count = sum(row.kind in ("call", "result", "error", "invalid") for row in lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sequence" viewBox="0 0 {WIDTH} {end + BOTTOM}" '
        f'width="{WIDTH}" height="{end + BOTTOM}" role="img" aria-label="Sequence diagram, {count} frames">'
        f'<style>{STYLE}</style><rect class="paper" width="{WIDTH}" height="{end + BOTTOM}"/>{"".join(drawn)}</svg>\n'
    )


def _is(row: Row, record: int | None) -> bool:
    return record is not None and row.record == record


def _heights(lines: Sequence[Row]) -> list[int]:
    """Where the base line of each row is."""
    found, y = [], TOP
    for row in lines:
        y += HEIGHTS.get(row.kind, FRAME_HEIGHT)
        found.append(y)
    return found


def _lanes(lines: Sequence[Row]) -> dict[int, int]:
    """How far to the side the bar of each CALL stands, so that none covers another at the same lifeline."""
    lanes: dict[int, int] = {}
    taken: dict[Party | None, dict[int, int | None]] = {}
    for number, row in enumerate(lines):
        at = taken.setdefault(row.party, {})
        if row.kind == "call" and row.partner is not None:
            lanes[number] = next(lane for lane in range(len(lines)) if lane not in at)
            at[lanes[number]] = row.partner
        if row.kind in ("result", "error") and row.party is not None:
            waiting = taken.get(other(row.party), {})
            for lane in [lane for lane, answer in waiting.items() if answer == row.record]:
                del waiting[lane]
    return lanes


def _lifeline(party: Party, records: Sequence[Record], end: int) -> str:
    x = LIFELINES[party]
    identity = next((str(record["chargePointId"]) for record in records if record.get("chargePointId")), "")
    name = shown(f"{party} {identity}".strip() if party == "Charge Point" else party, 24)
    boxes = "".join(
        f'<rect class="head" x="{x - 95}" y="{y}" width="190" height="24" rx="4"/>'
        f'<text class="name" x="{x}" y="{y + 17}" text-anchor="middle">{escape(name)}</text>'
        for y in (10, end + 4)
    )
    return f'<line class="life" x1="{x}" y1="34" x2="{x}" y2="{end + 4}"/>{boxes}'


def _times(lines: Sequence[Row], heights: Sequence[int]) -> list[str]:
    """The time at the left, where it differs from that of the line above; the day once."""
    drawn, before = [], ""
    for row, y in zip(lines, heights, strict=True):
        day, _, time = shown(row.timestamp, 30).removesuffix("Z").partition("T")
        if not before:
            drawn.append(f'<text class="time" x="8" y="{TOP - 8}">{escape(day)}</text>')
        if time != before and row.kind != "sentence":
            drawn.append(f'<text class="time" x="8" y="{y - 2}">{escape(time)}</text>')
            before = time
    return drawn


def _mark(row: Row, y: int) -> str:
    height = HEIGHTS.get(row.kind, FRAME_HEIGHT)
    return (
        f'<rect class="mark" x="4" y="{y - height + 7}" width="{WIDTH - 8}" height="{height}" rx="5"/>'
        f'<text class="cross" x="{LIFELINES["Central System"] + 16}" y="{y - 2}">✗ wrong</text>'
    )


def _bar(row: Row, top: int, bottom: int, lane: int) -> str:
    receiver = other(row.party) if row.party else "Central System"
    outwards = 1 if receiver == "Central System" else -1
    x = LIFELINES[receiver] + outwards * lane * LANE - BAR / 2
    return f'<rect class="bar" x="{x:g}" y="{top - 2}" width="{BAR}" height="{bottom - top + 4}" rx="2"/>'


def _arrow(row: Row, y: int) -> str:
    """A frame: its words stand where it begins."""
    right = row.party == "Charge Point"
    left_end, right_end = LIFELINES["Charge Point"] + 5, LIFELINES["Central System"] - 5
    tip = right_end if right else left_end
    back = tip - 9 if right else tip + 9
    label = _label(row, LONGEST_LABEL)
    x, anchor = (left_end + 9, "start") if right else (right_end - 9, "end")
    classes = f"{row.kind}{' bad' if row.is_bad else ''}{' before' if row.is_before else ''}"
    return (
        f'<g class="{classes}">{_title(row)}<line class="line" x1="{left_end}" y1="{y}" x2="{right_end}" y2="{y}"/>'
        f'<polygon class="tip" points="{tip},{y} {back},{y - 4.5} {back},{y + 4.5}"/>'
        f'<text x="{x}" y="{y - 6}" text-anchor="{anchor}">{label}</text></g>'
    )


def _line(row: Row, y: int) -> str:
    """Whatever is no frame."""
    left, right = LIFELINES["Charge Point"], LIFELINES["Central System"]
    bad = " bad" if row.is_bad else ""
    match row.kind:
        case "note":
            return _note(row, y, bad)
        case "sentence":
            text = escape(shown(row.words, 128))
            rule = f'<line class="rule" x1="8" y1="{y - 18}" x2="{WIDTH - 8}" y2="{y - 18}"/>'
            return f'<g class="sentence">{rule}<text x="8" y="{y - 3}">{text}</text></g>'
        case _:
            label = _label(row, LONGEST_LABEL)
            rail = f'<line class="rail" x1="{left + 6}" y1="{y + 1}" x2="{right - 6}" y2="{y + 1}"/>'
            text = f'<text x="{(left + right) // 2}" y="{y - 5}" text-anchor="middle">{label}</text>'
            return f'<g class="{row.kind}{bad}">{_title(row)}{rail if row.kind == "link" else ""}{text}</g>'


def _note(row: Row, y: int, bad: str) -> str:
    """What hands did at a party, in a box at its lifeline."""
    width = columns(_plain(row, LONGEST_LABEL)) * CHARACTER + 16
    x = LIFELINES["Charge Point"] - 8 if row.party == "Charge Point" else LIFELINES["Central System"] + 8 - width
    return (
        f'<g class="note{bad}">{_title(row)}'
        f'<rect class="box" x="{x:g}" y="{y - 17}" width="{width:g}" height="20" rx="3"/>'
        f'<text x="{x + 8:g}" y="{y - 3}">{_label(row, LONGEST_LABEL)}</text></g>'
    )


def _plain(row: Row, longest: int) -> str:
    return " ".join(_pieces(row, longest)).strip()


def _pieces(row: Row, longest: int) -> tuple[str, str]:
    words = shown(row.words, longest)
    left = longest - columns(words) - 1
    return words, shown(row.detail, left) if left > 1 else ""


def _label(row: Row, longest: int) -> str:
    words, detail = (escape(piece) for piece in _pieces(row, longest))
    return f'<tspan class="words">{words}</tspan>' + (f' <tspan class="dim">{detail}</tspan>' if detail else "")


def _title(row: Row) -> str:
    return f"<title>{escape(shown(row.title, LONGEST_TITLE, lines=True))}</title>" if row.title else ""


# Mermaid

_ALIASES: dict[Party, str] = {"Charge Point": "CP", "Central System": "CSMS"}
_UNSAFE = re.compile(
    r"[^\w .,:/()\[\]=+-]|\b(?:end|END)\b"
)  # Mermaid reads # ; % < > " itself, and ends a block at «end»


def mermaid(records: Sequence[Record], *, wrong: int | None = None) -> str:
    """The diagram as the text of a Mermaid ``sequenceDiagram``."""
    lines = ["sequenceDiagram", "  participant CP as Charge Point", "  participant CSMS as Central System"]
    for row in rows(records):
        line = _mermaid_line(row)
        is_wrong = _is(row, wrong)
        lines += ["  rect rgba(220, 60, 60, 0.25)", f"    {line}", "  end"] if is_wrong else [f"  {line}"]
    return "\n".join(lines) + "\n"


def _mermaid_line(row: Row) -> str:
    text = _harmless(_plain(row, LONGEST_LABEL))
    match row.kind:
        case "call" | "result" | "error" | "invalid":
            sender = row.party or "Charge Point"
            arrow = {"call": "->>", "result": "-->>"}.get(row.kind, "--x")
            joined = "" if row.partner is None else "+" if row.kind == "call" else "-"
            return f"{_ALIASES[sender]}{arrow}{joined}{_ALIASES[other(sender)]}: {text}"
        case "note":
            side = "left of CP" if row.party == "Charge Point" else "right of CSMS"
            return f"Note {side}: {text}"
        case _:
            return f"Note over CP,CSMS: {text}"


def _harmless(text: str) -> str:
    """The text with whatever Mermaid could take for its own as numbered characters."""
    return _UNSAFE.sub(lambda found: "".join(f"#{ord(character)};" for character in found[0]), text)


# As views of a case


def svg_of(case: CaseResult, records: Sequence[Record]) -> str:
    """``cases/<id>/sequence.svg``: with the frame marked that the case failed at."""
    return svg(records, wrong=_wrong(case))


def mermaid_of(case: CaseResult, records: Sequence[Record]) -> str:
    """``cases/<id>/sequence.mmd``."""
    return mermaid(records, wrong=_wrong(case))


def _wrong(case: CaseResult) -> int | None:
    frame = (case.failure or {}).get("frame")
    return frame if isinstance(frame, int) else None
