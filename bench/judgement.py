"""The transcripts of a run, judged again with the cases of today: nothing is played, nobody is asked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from bench.bench import Bench
from bench.cases import Case
from bench.device import (
    DEFAULT_DATA,
    FILE_SERVERS,
    HIGHEST_SECURITY_PROFILE,
    LOCATIONS,
    BadSetting,
    Device,
    Security,
    device,
)
from bench.material import Material
from bench.obligations import Limits
from bench.play import play
from bench.plugin import Rehearsal
from bench.recording import (
    DeviceThen,
    RecordedCentralSystem,
    RecordedChargePoint,
    RecordedLoop,
    RecordedOperator,
    Recording,
    as_far_as_told,
)
from bench.run import BEGINNING, KNOWN_BEFORE, Run
from bench.seats import ExternalCentralSystem, ExternalChargePoint, parts
from bench.verdicts import CaseOver, Failed, Inconclusive
from ocppj.clock import parse_timestamp
from ocppj.transcript import BENCH, Record, is_fact
from reference_csms.central_system import CentralSystem
from reports.reading import LONGEST, BadResults
from reports.results import CaseResult, Results
from reports.texts import shown
from simulator.charge_point import ChargePoint


class Judgement(Run):
    """A run whose parties are recordings, each case with its own."""

    def __init__(self, device: Device, transcripts: Mapping[str, list[Record]], started: Mapping[str, str]) -> None:
        """``transcripts`` and ``started``: by the id of the case, the records and the instant at which it began."""
        super().__init__(replace(device, url=None, listen=None, security=Security(device.security.profile)))
        self.device = device
        self._transcripts = transcripts
        self._started = started
        self.lacking: tuple[str, ...] = ()  # what records must have to be judged
        self._recordings: dict[str, Recording] = {}
        self._weighed: dict[str, CaseOver | None] = {}
        self._steps_ended: dict[str, float] = {}  # loop time at which the steps of a case were over

    def leave(self) -> None:
        """There is nobody to be left."""

    def begin(self, case: Case) -> Bench:
        """A bench at whose both ends the recording sits. Raises ``Inconclusive`` if there is none."""
        records = self._transcripts.get(case.id, [])
        if not records:
            raise Inconclusive("there is no transcript of the case: nothing can be judged")
        assert self._frozen is not None
        self._calendar = self._calendar or self._frozen.start()
        started = self._started.get(case.id)
        recording = Recording(records, parse_timestamp(started) if started else None)
        loop = RecordedLoop(self._calendar, recording)
        asyncio.set_event_loop(loop)
        bench = Bench(case, self.device, loop, loop.transcript, RecordedOperator(recording))
        self._recordings[case.id] = recording
        self._seat_recording(bench, recording)
        bench.begin()
        return bench

    def end(self, bench: Bench) -> list[Record]:
        """Clear the bench and hand over the recording, as far as it has come."""
        if not bench.is_clear:
            bench.is_clear = True
            bench.freeze()
            bench.loop.run_until_complete(bench.clear())
            bench.loop.close()
        return bench.records

    def weigh(self, bench: Bench, over: CaseOver | None) -> CaseOver | None:
        """What the recording tells nothing of is not judged."""
        self._steps_ended.setdefault(bench.case.id, bench.loop.time())
        if self.lacking:
            return Inconclusive(f"the recording is not whole: {'; '.join(self.lacking)}")
        earlier = self._weighed.get(bench.case.id)
        if isinstance(earlier, Inconclusive) and not isinstance(over, Failed):
            return earlier
        weighed = as_far_as_told(self._recordings[bench.case.id], over, self._steps_ended[bench.case.id])
        self._weighed[bench.case.id] = weighed
        return weighed

    def _seat_recording(self, bench: Bench, recording: Recording) -> None:
        facts = [record for record in recording.records if record["kind"] == BENCH and record["event"] == "fact"]
        bench.locations = dict.fromkeys(set(LOCATIONS).difference(self.device.data), "")
        bench.locations |= {each["name"]: each["value"] for each in facts if each["name"] in LOCATIONS}
        bench.material = Material(bench, self.pki)
        bench.security_profile = self._security_profile(bench.case)
        bench.gives_time = any(record["kind"] in ("stimulus", BENCH) for record in recording.records)
        beginning: dict[str, Any] = next((each["value"] for each in facts if is_fact(each, BEGINNING)), {})
        for name in KNOWN_BEFORE:
            if name in beginning:
                setattr(bench, name, beginning[name])
        if beginning:
            bench.transcript.fact(BEGINNING, dict)
        if self.device.url is not None:
            bench.seats["Central System"] = ExternalCentralSystem(bench)
        else:
            central_system = CentralSystem(self._store(bench.security_profile))
            bench.seats["Central System"] = RecordedCentralSystem(bench, recording, central_system)
        if self.device.listen is not None:
            bench.seats["Charge Point"] = ExternalChargePoint(bench, cast(Any, DeviceThen(bench, beginning)))
        else:
            bench.seats["Charge Point"] = RecordedChargePoint(bench, recording, self._charge_point_then(bench))

    def _charge_point_then(self, bench: Bench) -> ChargePoint:
        lacks = frozenset(bench.case.without) | (self.device.lacks if bench.judged == "Charge Point" else frozenset())
        secured = bench.case.profile == "Security" or bench.security_profile > 0
        return ChargePoint(
            identity=self.device.identity,
            connectors=int(self.device.data["NumberOfConnectors"]),
            **parts(lacks, secured=secured),
        )


def device_then(told: Mapping[str, Any]) -> Device:
    """The device that ``results.json`` describes, as far as cases must know it.

    What it does not tell is as it is today. Raises ``BadResults`` if no device can be like that.
    """
    kind, address, data = (told.get(name) for name in ("kind", "address", "test_data"))
    try:
        place: dict[str, Any] = {}
        if kind == "Central System":
            place = {"url": str(address)}
        elif kind == "Charge Point":
            host, _, port = str(address).removeprefix("ws://").rpartition(":")
            place = {"listen": (host, int(port))}
        elif not str(kind).startswith("self-rehearsal"):
            raise BadSetting(f"kind {kind}")
        known = {name: value for name, value in dict(data or {}).items() if name in (*DEFAULT_DATA, *LOCATIONS)}
        profile = told.get("security", {}).get("profile")
        if profile not in (None, *range(HIGHEST_SECURITY_PROFILE + 1)):
            raise BadSetting(f"security profile {profile}")
        return replace(
            device(identity=str(told["identity"]), data=known, lacks=frozenset(told["lacks"]), **place),
            file_servers=FILE_SERVERS | told.get("file_servers", {}),
            limits=Limits(**told["limits_s"]),
            security=Security(profile),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        words = shown(str(error) if isinstance(error, BadSetting) else repr(error), LONGEST)
        raise BadResults(f"the results do not describe the device as cases must know it: {words}") from None


@dataclass(frozen=True)
class Difference:
    """A case that is judged otherwise than then. Each verdict in the default and in the strict reading."""

    case: str
    then: tuple[str, str]
    now: tuple[str, str]
    reason: str


def judge_again(
    stored: Results, transcripts: Mapping[str, list[Record]], results: Results, out: Path | None = None
) -> None:
    """Judge the cases of a run anew, from its transcripts alone, into other results.

    What was not played keeps its verdict: nobody has seen anything. ``out``: where the transcripts go.
    """
    known = {case.id: case for case in stored.cases}
    seen = frozenset(each.id for each in stored.cases if each.verdict != "not_applicable" and each.id in transcripts)
    judgement = Judgement(device_then(stored.device), transcripts, {case: known[case].started for case in seen})
    try:
        if seen:
            play(Rehearsal(judgement, results, seen, out))
    finally:
        judgement.close()
    for case in stored.cases:
        if case.id not in {each.id for each in results.cases}:
            results.add(replace(case) if case.verdict not in ("pass", "fail") else _not_judged(case))
    results.cases.sort(key=lambda case: case.id)


def judge_one(
    device: Device, case: str, records: list[Record], lacking: Sequence[str], run: dict[str, object]
) -> Results:
    """The result of a single transcript. ``lacking``: what is missing in it, which lets nobody judge it."""
    results = Results(run, device.describe())
    judgement = Judgement(device, {case: records}, {})
    judgement.lacking = tuple(lacking)
    try:
        play(Rehearsal(judgement, results, frozenset({case})))
    finally:
        judgement.close()
    return results


def _not_judged(case: CaseResult) -> CaseResult:
    reason = "there is no transcript of the case: nothing can be judged"
    verdict = Inconclusive.verdict
    return replace(case, verdict=verdict, strict_verdict=verdict, reason=reason, steps=[], remarks=[], failure=None)


def differences(stored: Results, now: Results) -> list[Difference]:
    """The cases that are judged otherwise than then."""
    then = {case.id: case for case in stored.cases}
    found = []
    for case in now.cases:
        before = then[case.id]
        if (before.verdict, before.strict_verdict) != (case.verdict, case.strict_verdict):
            verdicts = (before.verdict, before.strict_verdict), (str(case.verdict), str(case.strict_verdict))
            found.append(Difference(case.id, *verdicts, case.reason or "; ".join(case.remarks)))
    return found
