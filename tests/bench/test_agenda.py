"""The order of the cases for a person, and what is told of it."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import pytest

from bench.agenda import Agenda
from bench.asked import asked, left_behind
from bench.cases import Case, all_cases

OWN = replace(all_cases()["TC_003_CS"], id="TC_901_CS")


def cases(*ids: str) -> list[Case]:
    return [all_cases()[case_id] for case_id in ids]


def order(agenda: Agenda, of: Iterable[Case]) -> list[str]:
    return [case.id for case in sorted(of, key=agenda.place)]


def hands(case_id: str) -> frozenset[str]:
    actions = [each.action for each in asked(case_id)]
    return frozenset([*actions, *left_behind(actions)])


@pytest.mark.parametrize("role", ["CS", "CSMS"])
def test_what_needs_nobody_comes_first_and_each_batch_is_in_one_piece(role: str) -> None:
    played = [case for case in all_cases().values() if case.role == role]
    agenda = Agenda(played)
    places = order(agenda, played)
    last = [case.id for case in played if case.cannot_be_undone]
    assert places[-len(last) :] == last
    alone = [case_id for case_id in places if not asked(case_id) and case_id not in last]
    assert places[: len(alone)] == alone == sorted(alone)
    headings = [heading for case_id in places if (heading := agenda.heading(case_id))]
    assert len(headings) == len(set(headings)) > 10
    kinds = [hands(case_id) for case_id in places[len(alone) :]]
    changes = sum(before != after for before, after in pairwise(kinds))
    assert changes <= len(headings)  # within a batch the hands always do the same


def test_the_headings() -> None:
    played = cases("TC_003_CS", "TC_001_CS", "TC_010_CS", "TC_012_CS", "TC_014_CS", "TC_083_CSMS")
    agenda = Agenda([*played, OWN])
    headings = {case_id: agenda.heading(case_id) for case_id in order(agenda, [*played, OWN])}
    assert headings == {
        "TC_014_CS": "",
        "TC_001_CS": "restart the Charge Point: 1 case",
        "TC_010_CS": "plug in a cable, unplug a cable: 2 cases",
        "TC_012_CS": "",
        "TC_003_CS": "plug in a cable, present an idTag, unplug a cable: 1 case",
        "TC_901_CS": "What nobody knows beforehand: 1 case",
        "TC_083_CSMS": "What cannot be undone comes last: send ChangeConfiguration.req, send "
        "GetInstalledCertificateIds.req, send InstallCertificate.req, send Reset.req: 1 case",
    }


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (["TC_014_CS"], "1 case runs by itself: none needs you."),
        (["TC_014_CS", "TC_013_CS"], "2 cases run by themselves: none needs you."),
        (
            ["TC_014_CS", "TC_010_CS"],
            "1 case runs by itself, then 1 needs you: once plug in a cable, once unplug a cable.",
        ),
        (
            ["TC_003_CS", "TC_010_CS", "TC_039_CS"],
            "Of the cases 3 need you: 4 times plug in a cable, 4 times present an idTag, 4 times unplug a cable.",
        ),
        (["TC_013_CSMS", "TC_014_CSMS"], "Of the cases 2 need you: twice send Reset.req."),
    ],
)
def test_what_is_ahead(ids: list[str], words: str) -> None:
    assert Agenda(cases(*ids)).introduction == words


def test_a_case_that_nobody_knows_may_need_somebody() -> None:
    assert Agenda([OWN]).introduction == "Of the cases 1 needs you."


def test_what_is_not_played_is_out_of_the_way() -> None:
    agenda = Agenda(cases("TC_003_CS"))
    assert order(agenda, cases("TC_003_CS", "TC_010_CS")) == ["TC_010_CS", "TC_003_CS"]
    assert agenda.heading("TC_010_CS") == ""
