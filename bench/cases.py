"""The test cases as the feature files have them: read without running anything."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gherkin.parser import Parser

from bench.device import CAPABILITIES, Device, Role
from reports.requirements import clause

# Folder of a feature profile -> its name in SupportedFeatureProfiles (OCPP 1.6, 9.1.29).
PROFILES = {
    "core": "Core",
    "local_auth_list": "LocalAuthListManagement",
    "firmware_management": "FirmwareManagement",
    "reservation": "Reservation",
    "remote_trigger": "RemoteTrigger",
    "smart_charging": "SmartCharging",
    "security": "Security",
}

FEATURES = Path(__file__).parent.parent / "features"

# Two scenarios of one file need two names, also where the test case document has but one.
_ROLE = re.compile(r" \(judging the (?:Charge Point|Central System)\)$")

_OF_PROFILE = re.compile(r"where profile (\w+) is supported")
_DATA = re.compile(r"\{([A-Z]\w*)\}")
_ID = re.compile(r"TC_\d{3}(?:_\d+)?_(CS|CSMS)")


@dataclass(frozen=True, slots=True)
class Key:
    """A configuration key that a case looks for or sets. ``access``: R, RW, or either, as the table has it.

    ``profile``: the key is looked for only where this feature profile is supported.
    """

    name: str
    access: str
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One test case: a scenario seen from one role. ``keys``: those that a Charge Point must have for it."""

    id: str
    title: str
    role: Role
    profile: str
    feature: str
    clauses: tuple[str, ...]
    needs: tuple[str, ...] = ()  # capabilities that the device has
    without: tuple[str, ...] = ()  # capabilities that the Charge Point has not
    data: tuple[str, ...] = ()
    security_profiles: tuple[int, ...] = ()  # those that it is for, the one of a self-rehearsal first; empty: any
    tags: frozenset[str] = frozenset()
    keys: tuple[Key, ...] = ()

    def excludes(self, other: "Case") -> bool:
        """Whether no device is one to which both apply."""
        return not ({*self.needs}.isdisjoint(other.without) and {*self.without}.isdisjoint(other.needs))

    @property
    def cannot_be_undone(self) -> bool:
        """Whether the device is not what it was before, whatever is done: such a case is played last."""
        return "security_profile_upgrade" in self.needs

    def fits(self, security_profile: int | None) -> bool:
        """Whether the case is about a security profile; None is any."""
        return not self.security_profiles or security_profile is None or security_profile in self.security_profiles

    def why_not(self, device: Device) -> str | None:
        """Why the case does not apply to a device; None if it does."""
        if self.role not in device.roles:
            return f"the device under test is no {'Charge Point' if self.role == 'CS' else 'Central System'}"
        if not self.fits(device.security.profile):
            wanted = " or ".join(map(str, sorted(self.security_profiles)))
            return f"it is for security profile {wanted}, rehearsed is {device.security.profile} (--security-profile)"
        if missing := [need for need in self.needs if need in device.lacks]:
            return f"the device lacks {', '.join(CAPABILITIES[need] for need in missing)}"
        # Our own Charge Point can be one that has it not, beside a Central System under test or in a self-rehearsal.
        if device.listen is not None and (there := [each for each in self.without if each not in device.lacks]):
            return f"the device has {', '.join(CAPABILITIES[each] for each in there)}"
        return None


def case_ids(tags: Iterable[str]) -> list[str]:
    """The ids among tags, Charge Point first."""
    return sorted(tag for tag in tags if _ID.fullmatch(tag))


@cache
def scenarios() -> dict[str, tuple[Case, ...]]:
    """The scenarios of every case, by id: several where one condition leads to another flow than its opposite does.

    Raises ``ValueError`` for two that both apply to some device.
    """
    found: dict[str, tuple[Case, ...]] = {}
    for folder in PROFILES:
        for path in sorted((FEATURES / folder).glob("*.feature")):
            for case in _cases(path, folder):
                others = found.get(case.id, ())
                for each in others:
                    if not case.excludes(each):
                        raise ValueError(f"{case.id} stands in {each.feature} and in {case.feature}")
                found[case.id] = (*others, case)
    return dict(sorted(found.items()))


@cache
def all_cases() -> dict[str, Case]:
    """Every case of every feature file, by id; of several scenarios the first."""
    return {case_id: each[0] for case_id, each in scenarios().items()}


def hint(case_id: str) -> str:
    """What to do about the id of a case that there is not."""
    alike = [each for each in all_cases() if each.startswith(case_id.upper())]
    return f"did you mean {', '.join(alike[:4])}?" if alike else "see 'rehearse cases'"


def cases_for(device: Device) -> dict[str, Case]:
    """Every case, by id; of several scenarios the one that is for the device."""

    def fitness(case: Case) -> tuple[bool, bool]:
        return case.why_not(device) is None, device.lacks.issuperset(case.without)

    return {case_id: max(each, key=fitness) for case_id, each in scenarios().items()}


def _cases(path: Path, folder: str) -> Iterable[Case]:
    feature: Any = Parser().parse(path.read_text(encoding="utf-8"))["feature"]
    background: list[Any] = []
    for child in feature["children"]:
        if "background" in child:
            background = child["background"]["steps"]
        if "scenario" not in child:
            continue
        scenario = child["scenario"]
        tags = [tag["name"].removeprefix("@") for tag in [*feature["tags"], *scenario["tags"]]]
        without = _facts(tags, "without_")
        needs = [] if folder in (*without, "core", "security") else [folder]
        for case_id in case_ids(tags):
            yield Case(
                id=case_id,
                title=_ROLE.sub("", scenario["name"]),
                role="CSMS" if case_id.endswith("CSMS") else "CS",
                profile=PROFILES[folder],
                feature=f"{path.parent.name}/{path.name}",
                clauses=tuple(clause(tag) for tag in tags if tag.startswith("OCPP")),
                needs=(*needs, *_facts(tags, "needs_")),
                without=without,
                data=_test_data([*background, *scenario["steps"]]),
                security_profiles=tuple(map(int, _facts(tags, "security_profile_"))),
                tags=frozenset(tags),
                keys=tuple(_keys([*background, *scenario["steps"]])),
            )


def _facts(tags: Iterable[str], prefix: str) -> tuple[str, ...]:
    """What the tags of a kind name: ``@needs_detachable_cable``, ``@without_reservation``."""
    return tuple(tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix))


def _keys(steps: list[Any]) -> Iterable[Key]:
    """The configuration keys that tables of sentences name; not those that a device need not have."""
    for step in steps:
        rows = [[cell["value"] for cell in row["cells"]] for row in step.get("dataTable", {}).get("rows", [])]
        if step["text"].endswith("these keys"):
            profile = _OF_PROFILE.search(step["text"])
            yield from (Key(name, access, profile[1] if profile else "") for name, access in rows)
        elif step["text"] == "the configuration":
            yield from (Key(name, "RW") for name, _ in rows)


def _test_data(steps: list[Any]) -> tuple[str, ...]:
    """The test data that sentences and tables name."""
    cells = [
        cell["value"] for step in steps for row in step.get("dataTable", {}).get("rows", []) for cell in row["cells"]
    ]
    found = [name for text in [*(step["text"] for step in steps), *cells] for name in _DATA.findall(text)]
    return tuple(dict.fromkeys(found))
