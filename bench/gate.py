"""What a run comes to for whoever waits for it to pass: which verdicts count, and which failures are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from bench.cases import all_cases, hint
from bench.terminal import FAILED, INCONCLUSIVE, PASSED, unusable
from reports.results import Results

VERDICTS = ("fail", "inconclusive", "error")


@dataclass(frozen=True)
class Gate:
    """How the exit status of a run comes about."""

    fail_on: Annotated[
        str,
        typer.Option(
            metavar="VERDICTS",
            help="Which verdicts make the exit status another one than 0: fail, inconclusive, or both. An error always "
            "does, for then nobody knows.",
        ),
    ] = "fail,inconclusive"
    known_failure: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CASE=REASON",
            help="A case that fails, and why that is known: it is run and told apart, and fails the run only if it "
            "passes. Repeatable.",
        ),
    ] = None

    def verdicts(self) -> list[str]:
        """The verdicts that fail the run; ends the command if one is none."""
        told = [each.strip() for each in self.fail_on.split(",")]
        if strange := [each for each in told if each not in VERDICTS]:
            unusable(f"--fail-on {strange[0]}: that is none of {', '.join(VERDICTS)}")
        return [each for each in VERDICTS if each in told or each == "error"]

    def known_failures(self, of_device: Mapping[str, str]) -> dict[str, str]:
        """The reason of each known failure by its id, those of the device file and of the command line.

        Ends the command if there is no such case, or no reason.
        """
        known = dict(of_device)
        for told in self.known_failure or []:
            case_id, _, reason = told.partition("=")
            known[case_id.strip()] = reason.strip()
        for case_id, reason in known.items():
            if case_id not in all_cases():
                unusable(f"unknown test case {case_id} among the known failures: {hint(case_id)}")
            if not reason:
                unusable(f"--known-failure {case_id} has no reason: --known-failure '{case_id}=why it is known'")
        return dict(sorted(known.items()))


def exit_status(results: Results) -> int:
    """0 if nothing that counts has happened, 1 for a fail or a known failure that has passed, otherwise 3."""
    counts = results.run.get("fail_on", VERDICTS)
    assert isinstance(counts, (list, tuple))
    found = {results.counts_as(case) for case in results.cases} & {*counts}
    if "fail" in found or results.unexpected_passes:
        return FAILED
    return INCONCLUSIVE if found else PASSED
