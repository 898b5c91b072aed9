"""``rehearse check``: what a rehearsal of a device will be, before anything is run."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any

import typer

from bench.asked import asked, duration, left_behind
from bench.cases import PROFILES, Case, cases_for
from bench.command_line import app
from bench.device import CAPABILITIES, LOCATIONS, BadSetting, Device, setting_of
from bench.device_file import BadDeviceFile, DeviceFile, read, schema_of
from bench.material import OF_SIGNED_FIRMWARE, names
from bench.operators import Hook
from bench.operators.kinds import operator_of
from bench.settings import ANY_PASSWORD
from bench.terminal import UNUSABLE, console, refuse

# Seconds, as rehearsals of foreign devices have taken: from one case to the next, and for what is asked for.
BETWEEN_CASES = {"CSMS": 1.0, "CS": 5.0}
BY_A_PERSON, BY_A_PROGRAM = 25.0, 1.0

NAME_WIDTH = 30


@dataclass(frozen=True)
class Forecast:
    """What will be played, what it asks for, and what it lacks.

    ``not_applicable``: why -> ids. ``asked``: what is asked of the operator -> the ids of the cases that ask it, once
    for each time. ``missing``: what the device file does not tell -> the ids of the cases that are inconclusive
    without it. ``unset``: what the environment or this machine lacks, in sentences. ``keys``: access -> configuration
    keys that the Charge Point must have; ``set_keys``: those that cases set beyond these -> their ids.
    """

    applicable: tuple[str, ...]
    not_applicable: Mapping[str, tuple[str, ...]]
    asked: Mapping[str, tuple[str, ...]]
    missing: Mapping[str, tuple[str, ...]]
    unset: tuple[str, ...]
    keys: Mapping[str, tuple[str, ...]]
    set_keys: Mapping[str, tuple[str, ...]]
    untold: tuple[str, ...]  # capabilities that [has] does not name
    operator: str  # its kind
    waiting: float  # seconds
    between: float  # seconds
    operating: float  # seconds

    @property
    def inconclusive(self) -> tuple[str, ...]:
        """The cases that cannot come to a verdict as things stand."""
        return tuple(sorted({case_id for ids in self.missing.values() for case_id in ids}))

    @property
    def attended(self) -> tuple[str, ...]:
        """The cases for which the operator is needed."""
        return tuple(sorted({case_id for ids in self.asked.values() for case_id in ids}))

    @property
    def seconds(self) -> float:
        """How long it will take."""
        return self.waiting + self.between + self.operating


def forecast(file: DeviceFile, told: Iterable[str] = ()) -> Forecast:
    """What a rehearsal of a device will be. ``told``: the capabilities that its file names."""
    subject = file.device
    applicable: list[Case] = []
    not_applicable: dict[str, list[str]] = {}
    for case in cases_for(subject).values():
        if case.role not in subject.roles:
            continue
        if why_not := case.why_not(subject):
            not_applicable.setdefault(why_not, []).append(case.id)
        else:
            applicable.append(case)
    wanted = {case.id: [*_actions(case)] for case in applicable}
    operator = str(file.operator.get("kind", "person"))
    each = BY_A_PERSON if operator == "person" else BY_A_PROGRAM
    keys, set_keys = _keys(applicable, subject)
    return Forecast(
        applicable=tuple(case.id for case in applicable),
        not_applicable=_frozen(not_applicable),
        asked=_frozen(_turned(wanted)),
        missing=_frozen(_turned({case.id: [*dict.fromkeys(_missing(case, subject))] for case in applicable})),
        unset=tuple(_unset(file)),
        keys=keys,
        set_keys=set_keys,
        untold=tuple(name for name in needed_capabilities(subject) if name not in told),
        operator=operator,
        waiting=sum(duration(case.id) for case in applicable),
        between=sum(BETWEEN_CASES[case.role] for case in applicable),
        operating=sum(map(len, wanted.values())) * each,
    )


def _actions(case: Case) -> Iterator[str]:
    """What a case asks of the operator, and what it leaves to be done before the next."""
    actions = [each.action for each in asked(case.id)]
    yield from actions
    if case.role == "CS":
        yield from left_behind(actions)


def _turned(found: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """By what is found, where it is found; the most frequent first."""
    turned: dict[str, list[str]] = {}
    for place, things in found.items():
        for thing in things:
            turned.setdefault(thing, []).append(place)
    return dict(sorted(turned.items(), key=lambda item: (-len(item[1]), item[0])))


def _frozen(found: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(ids) for name, ids in found.items()}


def _missing(case: Case, subject: Device) -> Iterator[str]:
    """The settings without which a case is inconclusive: ``Run.begin`` looks for the same."""
    ours = {*LOCATIONS} - ({"FirmwareUrl"} if _has_no_image(subject) else set())
    known = subject.values.keys() | ours | names(subject)
    for name in case.data:
        if name in known:
            continue
        if name == "FirmwareUrl":
            yield "files.firmware_file"
        elif name in OF_SIGNED_FIRMWARE:
            yield "files.firmware_signature_file"
        else:
            yield setting_of(name)


def _has_no_image(subject: Device) -> bool:
    return subject.listen is not None and not subject.file_servers["FirmwareFile"]


def needed_capabilities(subject: Device) -> list[str]:
    """The capabilities that are asked for: those on which a case depends.

    Of a Central System only the profiles: what else a case needs beside it our own Charge Point has.
    """
    needed = {name for case in cases_for(subject).values() for name in (*case.needs, *case.without)}
    profiles = {*PROFILES, "security_profile_upgrade"}
    return [name for name in CAPABILITIES if name in needed and (subject.listen is not None or name in profiles)]


def _unset(file: DeviceFile) -> Iterator[str]:
    """What does not stand in the file and is not there."""
    security = file.device.security
    if security.profile in (1, 2) and security.password == ANY_PASSWORD:
        yield f"The environment variable {file.password_from} is not set: it is to hold the password."
    try:
        operator = operator_of(file.operator, console, lambda _: None, has_terminal=False)
    except BadSetting as error:
        words = str(error)
        yield f"{words[0].upper()}{words[1:]}."
    else:
        if isinstance(operator, Hook):
            asyncio.run(operator.close())


def _keys(cases: Iterable[Case], subject: Device) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """The keys that a case looks for by access, and beyond them those that cases set."""
    if subject.listen is None:
        return {}, {}
    lacking = {PROFILES[folder] for folder in subject.lacks if folder in PROFILES}
    looked_for: dict[str, str] = {}
    others: dict[str, list[str]] = {}
    for case in cases:
        for key in case.keys:
            if key.profile in lacking:
                continue
            if any(each.access != "RW" for each in case.keys):  # a case that looks at what there is
                looked_for[key.name] = key.access
            elif case.id not in others.setdefault(key.name, []):
                others[key.name].append(case.id)
    by_access = _turned({name: [access] for name, access in looked_for.items()})
    return _frozen(by_access), {name: tuple(ids) for name, ids in sorted(others.items()) if name not in looked_for}


# The command


@app.command()
def check(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A device file.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Validate a device file, and say what a rehearsal will be: nothing is connected to, nothing is run.

    Exit status 2: the file cannot be used.
    """
    try:
        file = _read(path)
    except BadDeviceFile as error:
        if as_json:
            print(json.dumps({"valid": False, "problems": str(error).splitlines()}, indent=2))
            raise typer.Exit(UNUSABLE) from None
        refuse(*str(error).splitlines())
    found = forecast(file, file.told_capabilities)
    if as_json:
        print(json.dumps(_as_json(file, found), indent=2))
        return
    _tell(f"{path} is valid: {_described(file)}.")
    for lines in (_of_cases(found), _of_operator(found), _of_time(found), _of_gaps(file, found), _of_keys(found)):
        if told := [*lines]:
            _tell("", *told)
    _tell("", f"Next: rehearse run --device {path}")


def _tell(*lines: str) -> None:
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _read(path: Path) -> DeviceFile:
    """A device file, on a machine that may lack its password. Raises ``BadDeviceFile``."""
    try:
        return read(path)
    except BadDeviceFile as error:
        file = read(path, password=ANY_PASSWORD)
        if file.password_from in os.environ:
            raise error from None
        return file


def _as_json(file: DeviceFile, found: Forecast) -> dict[str, Any]:
    return {
        "valid": True,
        "device": file.device.describe() | {"about": {**file.about}},
        "applicable": list(found.applicable),
        "not_applicable": found.not_applicable,
        "operator": found.operator,
        "asked": {action: dict(Counter(ids)) for action, ids in found.asked.items()},
        "seconds": {
            "waiting": found.waiting,
            "between_cases": found.between,
            "operating": found.operating,
            "all": found.seconds,
        },
        "missing": found.missing,
        "inconclusive": list(found.inconclusive),
        "unset": list(found.unset),
        "configuration_keys": found.keys,
        "configuration_keys_set_by": found.set_keys,
        "not_told_in_has": list(found.untold),
        "known_failures": {**file.known_failures},
    }


def _described(file: DeviceFile) -> str:
    subject, about = file.device, file.about
    name = " ".join(about[each] for each in ("vendor", "product", "software_version") if each in about)
    if subject.url is not None:
        role, place = "a Central System", f"at {subject.url}, our Charge Point is {subject.identity}"
    else:
        assert subject.listen is not None
        role, place = "a Charge Point", f"{subject.identity}, awaited at {subject.listen[0]}:{subject.listen[1]}"
    return f"{role}{f', {name},' if name else ''} {place}, security profile {subject.security.profile}"


def _of_cases(found: Forecast) -> Iterator[str]:
    count = len(found.applicable) + sum(map(len, found.not_applicable.values()))
    yield f"{len(found.applicable)} of {count} test cases apply{', the others not:' if found.not_applicable else '.'}"
    for why_not, ids in sorted(found.not_applicable.items(), key=lambda item: -len(item[1])):
        yield from _row(f"{len(ids):>4}  {why_not}", ids)


def _of_operator(found: Forecast) -> Iterator[str]:
    alone = len(found.applicable) - len(found.attended)
    if not found.asked:
        yield f"All {alone} run by themselves."
        return
    who = "need you at this terminal" if found.operator == "person" else f"need the operator ({found.operator})"
    yield f"{alone} run by themselves, {len(found.attended)} {who}:"
    for action, ids in found.asked.items():
        yield from _row(f"{len(ids):>4} x {action}", tuple(dict.fromkeys(ids)))


def _of_time(found: Forecast) -> Iterator[str]:
    each = BY_A_PERSON if found.operator == "person" else BY_A_PROGRAM
    count = sum(map(len, found.asked.values()))
    yield from _paragraph(
        f"About {_minutes(found.seconds)}: {_minutes(found.waiting)} of waiting, as long as with the reference pair "
        f"and its intervals; {_minutes(found.between)} from case to case; {_minutes(found.operating)} for {count} "
        f"things that are asked for, {each:g} s each. Shorter intervals in [test_data] shorten it, a slow device "
        "prolongs it."
    )


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}" if minutes else "less than a minute"


def _of_gaps(file: DeviceFile, found: Forecast) -> Iterator[str]:
    if found.missing:
        yield f"{len(found.inconclusive)} cases will be inconclusive, because the file does not tell:"
        for setting, ids in found.missing.items():
            yield from _row(f"{len(ids):>4}  {setting}", ids)
            yield f"{'':<8}{schema_of(setting).get('description', '')}"
    else:
        yield "All test data that the cases need are told, or have a default that will do."
    yield from found.unset
    if found.untold:
        yield from _paragraph(
            f"[has] does not say whether the device has these, which is taken for yes: {_list(found.untold)}."
        )
    if known := file.known_failures:
        outside = [case_id for case_id in known if case_id not in found.applicable]
        yield f"Known failures: {len(known)}{f', of which these do not apply: {_list(outside)}' if outside else ''}."


def _of_keys(found: Forecast) -> Iterator[str]:
    if not found.keys and not found.set_keys:
        return
    yield "Configuration keys that the Charge Point must have (OCPP 1.6 chapter 9; TC_019_CS looks for them):"
    for access, keys in found.keys.items():
        yield from _row(f"  {access}", keys)
    if found.set_keys:
        yield "and these, which are optional but which cases set:"
        for key, ids in found.set_keys.items():
            yield from _row(f"  {key}", ids)


def _row(head: str, items: Sequence[str]) -> Iterator[str]:
    """A name, and behind it a list that is broken where it has to be."""
    indent = " " * NAME_WIDTH
    if len(head) >= NAME_WIDTH:
        yield head
        head = ""
    yield from wrap(_list(items), _width(), initial_indent=head.ljust(NAME_WIDTH), subsequent_indent=indent)


def _paragraph(text: str) -> list[str]:
    return wrap(text, _width(), subsequent_indent="  ")


def _list(items: Iterable[str]) -> str:
    return ", ".join(items)


def _width() -> int:
    return min(console.width, 120)
