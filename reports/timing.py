"""How long everything took in a run: the table of the certificate, the figures of engineers, a chart.

Only real time counts: of a virtual run there is nothing to tell but what ``rehearse measure`` has measured.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

import jsonschema_rs

from ocppj.secrets import masked
from ocppj.transcript import Party
from reports.reading import LONGEST, BadResults, first_fault
from reports.results import Results, Transcripts
from reports.texts import shown
from reports.times import NAMES, of_transcript, seconds_told, together
from reports.times import Times as Times  # who reads figures need not know where they are made

FILE = "measurements.json"
FORMAT = 1
ROLES: dict[Party, str] = {"Charge Point": "CS", "Central System": "CSMS"}
VIRTUAL = "not measured (virtual time)"
NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the certificate's table of performance measurements, each column as the text that it shows."""

    party: Party
    name: str
    pics_value: str
    measured: str
    description: str


@dataclass(frozen=True, slots=True)
class Session:
    """What ``rehearse measure`` has measured, and how; ``device`` is described as in ``results.json``.

    ``started``, ``ended``: ISO 8601. ``not_measured``: what was asked for in vain, and why, a line each.
    """

    tool: str
    version: str
    started: str
    ended: str
    how: str
    device: dict[str, Any]
    measurements: tuple[Times, ...]
    not_measured: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Write ``measurements.json``. Raises ``OSError``."""
        folder.mkdir(parents=True, exist_ok=True)
        text = masked(json.dumps({"format": FORMAT, **asdict(self)}, indent=2))
        (folder / FILE).write_text(f"{text}\n", encoding="utf-8")

    def is_of(self, results: Results) -> bool:
        """Whether it has measured the device that a run has rehearsed."""
        return all(self.device.get(key) == results.device.get(key) for key in ("kind", "address", "identity"))


# What measurements.json must hold to be read.
_TEXT = {"type": "string"}
_SCHEMA = {
    "type": "object",
    "required": ["tool", "version", "started", "ended", "how", "device", "measurements", "not_measured"],
    "properties": {
        **dict.fromkeys(("tool", "version", "started", "ended", "how"), _TEXT),
        "device": {"type": "object"},
        "not_measured": {"type": "array", "items": _TEXT},
        "measurements": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["kind", "action", "party", "times_s"],
                "properties": {
                    "kind": {"enum": [*NAMES]},
                    "action": _TEXT,
                    "party": {"enum": [*ROLES]},
                    "times_s": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "number", "minimum": -1e9, "maximum": 1e9},
                    },
                },
            },
        },
    },
}


def read(folder: Path) -> Session | None:
    """Read ``measurements.json``; None if nothing was measured. Raises ``BadResults``."""
    path = folder / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadResults(shown(f"{path} cannot be read: {error.strerror}")) from None
    except (ValueError, RecursionError) as error:
        raise BadResults(shown(f"{path} is cut off or no JSON: {error}")) from None
    written = document.get("format") if isinstance(document, dict) else None
    if isinstance(written, int) and written > FORMAT:
        raise BadResults(shown(f"{path} is from a newer version: format {written}, known here is {FORMAT}"))
    if written != FORMAT:
        raise BadResults(shown(f"{path} is not what a measurement writes: it has no format number"))
    if fault := first_fault(jsonschema_rs.Draft7Validator(_SCHEMA), document):
        raise BadResults(shown(f"{path} is not what a measurement writes: {fault}", LONGEST))
    told = [
        Times(each["kind"], each["action"], each["party"], (*each["times_s"],)) for each in document["measurements"]
    ]
    words = {name: document[name] for name in ("tool", "version", "started", "ended", "how", "device")}
    return Session(**words, measurements=(*told,), not_measured=(*document["not_measured"],))


# What a run and a session come to


def times(results: Results, transcripts: Transcripts, session: Session | None = None) -> list[Times]:
    """What the run has measured of whom it has judged, and what the session has, if it is of the same device."""
    found: list[Times] = []
    if results.run.get("time") == "real":
        interval = _heartbeat_interval(results)
        for case in results.cases:
            party = next(party for party, role in ROLES.items() if role == case.role)
            found += of_transcript(transcripts.get(case.id, ()), party, interval)
    if session is not None and session.is_of(results):
        found += session.measurements
    return together(found)


def performance(results: Results, measured: Sequence[Times]) -> list[Row]:
    """The table of the certificate for whoever was judged: ``measured`` is what ``times`` has found."""
    parties = [party for party in ROLES if results.device.get("kind") == party] or [*ROLES]
    return [_row(party, words, results, measured) for party in parties for words in _PERFORMANCE if words.of(party)]


def basis(results: Results, session: Session | None) -> str:
    """Where the figures come from, in a sentence or two for whoever reads them."""
    is_real = results.run.get("time") == "real"
    told = ["Measured in the test cases, in real time."] if is_real else []
    if session is None:
        return " ".join(told) or f"{VIRTUAL[0].upper()}{VIRTUAL[1:]}: rehearse measure does it in real time."
    if not session.is_of(results):
        return " ".join([*told, f"What {FILE} holds was measured at another device and is left out."])
    words = f"Measured by rehearse measure in real time, from {session.started} to {session.ended}: {session.how}"
    return " ".join([*told, words, *(f"Not measured: {each}." for each in session.not_measured)])


def in_seconds(seconds: float) -> str:
    """A time as the tables show it: in milliseconds, as fine as a transcript tells it."""
    return f"{seconds:.3f} s" if abs(seconds) >= 0.0005 else "below 0.001 s"


def short(seconds: float) -> str:
    """A time as engineers read it: three digits, in milliseconds below a second."""
    return f"{1000 * seconds:.3g} ms" if abs(seconds) < 1 else f"{seconds:.3g} s"


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A row of appendix A.2 of the certification procedure: for whom, the limit that stands for it, its times."""

    name: str
    role: str
    limit: str
    kind: str
    actions: tuple[str, ...]
    value: str
    description: str

    def of(self, party: Party) -> bool:
        return self.role in ("both", ROLES[party])

    def holds(self, each: Times, party: Party) -> bool:
        if each.party != party or each.kind != self.kind:
            return False
        remote = ("RemoteStartTransaction", "RemoteStopTransaction")
        return each.action in self.actions if self.actions else self.kind == "response" or each.action not in remote


_PERFORMANCE = (
    _Parameter(
        *("OCPP response timeout", "both", "message_timeout", "response", (), "longest"),
        "The response time when waiting for an OCPP response message",
    ),
    _Parameter(
        *("Response time Authorize", "CSMS", "message_timeout", "response", ("Authorize",), "median"),
        "From Authorize.req to Authorize.conf, measured at the Charge Point: what the network takes is part of it",
    ),
    _Parameter(
        *("OCPP triggered function timeout", "CS", "long_operation_timeout", "effect", (), "longest"),
        "From a request to the message that shows its effect: a trigger, a reset, an upload, a reservation",
    ),
    _Parameter(
        "Transaction authorization time by RemoteStartTransaction",
        *("CS", "message_timeout", "effect", ("RemoteStartTransaction",), "longest"),
        "From RemoteStartTransaction.req to StartTransaction.req, with the cable plugged in before",
    ),
    _Parameter(
        "Transaction authorization end time by RemoteStopTransaction",
        *("CS", "message_timeout", "effect", ("RemoteStopTransaction",), "longest"),
        "From RemoteStopTransaction.req to StopTransaction.req",
    ),
)


def _row(party: Party, parameter: _Parameter, results: Results, measured: Sequence[Times]) -> Row:
    seen = [seconds for each in measured if parameter.holds(each, party) for seconds in each.times_s]
    limits = results.device.get("limits_s")
    limit = limits.get(parameter.limit) if isinstance(limits, dict) else None
    declared = f"{limit:g} s" if isinstance(limit, (int, float)) else ""
    if seen:
        told = _told(Times(parameter.kind, "", party, (*seen,)), parameter.value)
    else:
        told = NOT_MEASURED if results.run.get("time") == "real" else VIRTUAL
    return Row(party, parameter.name, declared, told, parameter.description)


def _told(measured: Times, value: str) -> str:
    if value == "median":
        return f"{in_seconds(measured.median)} (median of {measured.count}; longest {in_seconds(measured.longest)})"
    return f"{in_seconds(measured.longest)} (longest of {measured.count}; median {in_seconds(measured.median)})"


def _heartbeat_interval(results: Results) -> float | None:
    """What our Central System has told the Charge Point when it booted, perhaps in an earlier case."""
    data = results.device.get("test_data")
    return seconds_told(data.get("HeartbeatInterval")) if isinstance(data, dict) else None


# The chart

WIDTH, LEFT, RIGHT, ROW, TOP, BOTTOM = 760, 270, 90, 34, 8, 30
BINS = 60
LONGEST_NAME = 38
FINEST = 1e-4  # seconds: whatever is shorter stands at the left end


def chart(measurements: Sequence[Times]) -> str:
    """The distributions as SVG to be put into a page: a row for each, over one logarithmic axis of seconds.

    It is drawn in ``currentColor``; a page may give ``.distribution`` and ``.median`` colours of their own. What drifts
    may be below zero and is left out. Empty if nothing is left.
    """
    drawn = [each for each in measurements if each.kind != "drift"]
    if not drawn:
        return ""
    first = math.floor(math.log10(max(min(each.shortest for each in drawn), FINEST)))
    last = max(math.ceil(math.log10(max(max(each.longest for each in drawn), FINEST))), first + 1)
    height = TOP + ROW * len(drawn) + BOTTOM
    parts = [
        f'<svg class="timing" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="currentColor">',
        "<title>Distribution of the times measured</title>",
        *_axis(first, last, height - BOTTOM),
    ]
    for number, each in enumerate(drawn):
        parts += _distribution(each, TOP + ROW * number, first, last)
    return "\n".join([*parts, "</svg>"])


def _axis(first: int, last: int, bottom: int) -> Iterator[str]:
    for decade in range(first, last + 1):
        x = _x(10.0**decade, first, last)
        yield f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{bottom}" stroke="currentColor" stroke-opacity="0.2"/>'
        yield f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{_tick(decade)}</text>'
    yield f'<text x="0" y="{bottom + 18}" font-size="10" fill-opacity="0.7">line: median, dotted: 95 of 100</text>'


def _tick(decade: int) -> str:
    return f"{10.0 ** (decade + 3):g} ms" if decade < 0 else f"{10**decade} s"


def _distribution(each: Times, top: int, first: int, last: int) -> Iterator[str]:
    base = top + ROW - 6
    name, party = escape(shown(each.name, LONGEST_NAME)), escape(each.party)
    counted = "once" if each.count == 1 else f"{each.count} times"
    yield f"<g><title>{name}: {each.count}, median {in_seconds(each.median)}, p95 {in_seconds(each.p95)}</title>"
    yield f'<text x="0" y="{base - 12}">{name}</text>'
    yield f'<text x="0" y="{base + 1}" font-size="10" fill-opacity="0.7">{party}, {counted}</text>'
    yield f'<path class="distribution" d="{_bars(each, base, first, last)}" fill-opacity="0.45"/>'
    median, p95 = _x(each.median, first, last), _x(each.p95, first, last)
    yield f'<path class="median" d="M{median} {base + 3}V{top}" stroke="currentColor" stroke-width="2"/>'
    yield f'<path class="p95" d="M{p95} {base + 3}V{top + 6}" stroke="currentColor" stroke-dasharray="2 2"/>'
    yield f'<text x="{WIDTH}" y="{base - 6}" text-anchor="end">{short(each.median)}</text></g>'


def _bars(each: Times, base: int, first: int, last: int) -> str:
    width = (WIDTH - LEFT - RIGHT) / BINS
    counted: dict[int, int] = defaultdict(int)
    for seconds in each.times_s:
        counted[min(int((_x(seconds, first, last) - LEFT) / width), BINS - 1)] += 1
    most = max(counted.values())
    bars = []
    for place, count in sorted(counted.items()):
        high = max((ROW - 12) * count / most, 1.5)  # a single one among thousands is seen too
        bars.append(f"M{LEFT + place * width:.1f} {base}v{-high:.1f}h{width:.1f}v{high:.1f}z")
    return "".join(bars)


def _x(seconds: float, first: int, last: int) -> float:
    part = (math.log10(max(seconds, 10.0**first)) - first) / (last - first)
    return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)
