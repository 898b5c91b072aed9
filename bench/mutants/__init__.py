"""Small faults in our own two parties, each of which a test case must find: how the cases are seen to fail.

A mutant is a plausible bug of a product, and knows no test case: its fault would be the same if there were none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import pytest

from bench.cases import PROFILES
from ocppj.transcript import Party

# Puts a fault into our parties until the patch is undone.
Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault.

    ``name``: what the party does, in a few words. ``clause``: what it breaks, as in «OCPP 1.6 4.9»; several are
    separated by commas. ``kills``: the ids
    of the cases that must fail, separated by blanks. ``security_profile``: that of the connection, if the fault shows
    with another one than a self-rehearsal takes. ``is_remarked``: it breaks what a party SHOULD do, which is no
    failure: the cases must say so in a remark. ``accuses``: the ids of cases that blame the other party, as is allowed
    in one situation only: a connection is refused, and the wire does not tell who of the two is wrong.
    """

    name: str
    party: Party
    clause: str
    plant: Plant
    kills: str
    security_profile: int | None = None
    is_remarked: bool = False
    accuses: str = ""

    @property
    def cases(self) -> frozenset[str]:
        """The ids of the cases that must find it."""
        return frozenset(self.kills.split())

    @property
    def module(self) -> str:
        """The folder of the profile that it is a fault of, or obligations."""
        return _modules()[self.name]


@cache
def _modules() -> dict[str, str]:
    folders = (*PROFILES, "obligations")
    return {each.name: folder for folder in folders for each in import_module(f"bench.mutants.{folder}").MUTANTS}


@cache
def all_mutants() -> dict[str, Mutant]:
    """Every mutant by its name. Raises ``ValueError`` for two of one name."""
    found: dict[str, Mutant] = {}
    for folder in (*PROFILES, "obligations"):
        for mutant in import_module(f"bench.mutants.{folder}").MUTANTS:
            if mutant.name in found:
                raise ValueError(f"two mutants are called «{mutant.name}»")
            found[mutant.name] = mutant
    return found
