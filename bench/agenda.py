"""In which order the cases are played when a person is the operator: first what needs nobody, then by what hands do."""

from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from bench.asked import asked, is_listed, left_behind
from bench.cases import Case
from bench.operators import CONFIRM

# What hands are asked for, in words. An action of OCPP has its own name.
IN_WORDS = {
    "restart": "restart the Charge Point",
    "plug_in": "plug in a cable",
    "present": "present an idTag",
    "unplug_ev_side": "unplug at the EV side",
    "unplug": "unplug a cable",
    "lose_power": "cut the power",
    "regain_power": "give the power back",
    "fail": "provoke a fault",
    "prevent_locking": "keep a lock from closing",
    "prevent_unlocking": "keep a lock from opening",
    "repair": "undo a fault",
    "prevent_storing": "keep a list from being stored",
    "allow_storing": "let a list be stored again",
    CONFIRM: "say what you see",
}


class Batch(NamedTuple):
    """Cases for which hands do the same things."""

    is_last: bool  # what cannot be undone
    is_unknown: bool  # cases of somebody's own, of which the list knows nothing
    actions: tuple[str, ...]


class Agenda:
    """The order of the cases of a run, and what a person is told of it."""

    def __init__(self, cases: Iterable[Case]) -> None:
        """``cases``: those that will be played."""
        self._cases = {case.id: case for case in cases}
        self._batches = {case.id: _batch(case) for case in self._cases.values()}
        self._sizes = Counter(self._batches.values())

    def place(self, case: Case) -> tuple[object, ...]:
        """What cases are sorted by: first the batches with fewer kinds of handling, of these the larger ones.

        A case that will not be played is among the first.
        """
        batch = self._batches.get(case.id, Batch(False, False, ()))
        return batch.is_last, batch.is_unknown, len(batch.actions), -self._sizes[batch], batch.actions, case.id

    @property
    def introduction(self) -> str:
        """What is ahead, in a line."""
        alone = sum(map(self._needs_nobody, self._cases))
        helped = len(self._cases) - alone
        runs = "1 case runs by itself" if alone == 1 else f"{alone} cases run by themselves"
        if not helped:
            return f"{runs}: none needs you."
        needs = "1 needs you" if helped == 1 else f"{helped} need you"
        times = Counter(action for case in self._cases.values() for action in _actions(case))
        what = ", ".join(f"{_often(count)} {_words(action)}" for action, count in times.most_common())
        return f"{f'{runs}, then ' if alone else 'Of the cases '}{needs}{f': {what}' if what else ''}."

    def heading(self, case_id: str) -> str:
        """What a batch is about, if the case is its first; else empty."""
        if case_id not in self._firsts or self._needs_nobody(case_id):
            return ""
        batch = self._batches[case_id]
        count = self._sizes[batch]
        cases = f"{count} case{'' if count == 1 else 's'}"
        if batch.is_unknown:
            return f"What nobody knows beforehand: {cases}"
        what = ", ".join(map(_words, batch.actions))
        return f"{'What cannot be undone comes last: ' if batch.is_last else ''}{what}: {cases}"

    @cached_property
    def _firsts(self) -> frozenset[str]:
        firsts: dict[Batch, str] = {}
        for case in sorted(self._cases.values(), key=self.place):
            firsts.setdefault(self._batches[case.id], case.id)
        return frozenset(firsts.values())

    def _needs_nobody(self, case_id: str) -> bool:
        batch = self._batches[case_id]
        return not (batch.is_unknown or batch.actions)


def _batch(case: Case) -> Batch:
    actions = tuple(sorted({*_actions(case)}, key=_order))
    return Batch(case.cannot_be_undone, not is_listed(case.id), actions)


def _actions(case: Case) -> list[str]:
    """What hands do in a case and, at a Charge Point, after it."""
    actions = [each.action for each in asked(case.id)]
    return [*actions, *left_behind(actions)]


def _order(action: str) -> tuple[int, str]:
    """As it is done: what comes first in the words comes first."""
    known = [*IN_WORDS]
    return (known.index(action) if action in known else len(known)), action


def _words(action: str) -> str:
    return IN_WORDS.get(action, f"send {action}.req")


def _often(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"
