"""``rehearse mutants``: whether the test cases find small faults, and which of their assertions are proven to."""

import csv
import io
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from bench.cases import PROFILES, all_cases, hint
from bench.command_line import app
from bench.mutants import Mutant, all_mutants
from bench.proof import Proof, Trial, prove
from bench.terminal import FAILED, PASSED, console, unusable
from reports.assertions import validations
from reports.coverage import proofs

FILE = "mutants.json"
PROOFS = "proofs.csv"
WRITTEN = {FILE: "Who was killed by whom", PROOFS: "What proves which assertion"}


@app.command()
def mutants(
    mutant: Annotated[
        list[str] | None, typer.Option(metavar="WORDS", help="Only mutants whose name holds these words. Repeatable.")
    ] = None,
    case: Annotated[list[str] | None, typer.Option(help="Only mutants that this test case must find.")] = None,
    against_all: Annotated[
        bool, typer.Option("--all", help="Against every case, and not only those that must find them.")
    ] = False,
    processes: Annotated[int, typer.Option("-n", "--processes", help="In so many processes at once.", min=1)] = (
        os.cpu_count() or 1
    ),
    out: Annotated[Path | None, typer.Option(help="A folder for mutants.json, with all mutants proofs.csv.")] = None,
) -> None:
    """Let small faults loose in our own two parties: every case must be able to fail.

    Exit status 1 if one survives; with all mutants also if an assertion is not proven, or not by what
    features/proofs.csv says.
    """
    chosen = _chosen(mutant or [], case or [])
    is_whole = len(chosen) == len(all_mutants())
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    ) as progress:
        task = progress.add_task("", total=len(chosen))

        def told(trial: Trial) -> None:
            progress.update(task, advance=1, description=trial.mutant[:60])
            if not trial.is_killed:
                _tell(trial)
            if not is_whole:
                _tell_kills(trial)

        proof = prove(chosen, processes=processes, against_all=against_all, told=told)
    _print_scoreboard(chosen, proof)
    wrong = _print_unproven(proof) + (0 if against_all else _print_outdated(proof)) if is_whole else 0
    if out is not None:
        _write(out, FILE, json.dumps(_document(chosen, proof), indent=1) + "\n")
        if is_whole and not against_all:
            _write(out, PROOFS, _table(proof))
    raise typer.Exit(FAILED if wrong or not all(trial.is_killed for trial in proof.trials) else PASSED)


def _chosen(words: list[str], cases: list[str]) -> list[Mutant]:
    if unknown := [each for each in cases if each not in all_cases()]:
        unusable(f"unknown test case {unknown[0]}: {hint(unknown[0])}")
    chosen = [
        each
        for each in all_mutants().values()
        if (not words or any(word.casefold() in each.name.casefold() for word in words))
        and (not cases or not each.cases.isdisjoint(cases))
    ]
    if not chosen:
        unusable("no mutant is left: docs/proof.md tells how to add one")
    return chosen


def _tell(trial: Trial) -> None:
    """What is wrong with a mutant that is not killed as it should be."""
    console.print(f"survived       {trial.mutant}", style="bold red", markup=False, soft_wrap=True)
    for case, words in trial.survived.items():
        killed_elsewhere = " (others have found it)" if trial.others or trial.kills else ""
        console.print(f"{'':<15}{case} {words}{killed_elsewhere}", style="red", markup=False, soft_wrap=True)
    for case, words in trial.accused.items():
        text = f"{case} blames the other party: {words}"
        console.print(f"{'':<15}{text}", style="red", markup=False, soft_wrap=True)


def _tell_kills(trial: Trial) -> None:
    """What has found a mutant in each case, and whether it alone would have."""
    console.print(trial.mutant, style="bold", markup=False, soft_wrap=True)
    for kill in trial.kills:
        by = f"validation {', '.join(map(str, kill.validations))}" if kill.validations else kill.obligation
        words = f"proves {by}" if by else f"proves nothing: {kill.left}"
        console.print(f"  {kill.case:<13} {kill.by or kill.reason}", markup=False, soft_wrap=True)
        console.print(f"  {'':<13} {words}", style="green" if by else "yellow", markup=False, soft_wrap=True)
    if trial.others:
        console.print(f"  found as well by {', '.join(trial.others)}", style="dim", markup=False, soft_wrap=True)


def _print_scoreboard(chosen: list[Mutant], proof: Proof) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("profile", "mutants", "killed", "survived", "validations", "proven"):
        table.add_column(name, justify="left" if name == "profile" else "right")
    is_killed = {trial.mutant: trial.is_killed for trial in proof.trials}
    proven = proof.of_validations()
    total = [0] * 5
    for folder, profile in [*PROFILES.items(), ("obligations", "what holds in every case")]:
        ours = [each.name for each in chosen if each.module == folder]
        of_profile = [case for case in validations() if all_cases()[case].profile == profile]
        numbers = [by for case in of_profile for by in proven[case].values()]
        row = [
            len(ours),
            sum(is_killed[name] for name in ours),
            sum(not is_killed[name] for name in ours),
            len(numbers),
            sum(bool(by) for by in numbers),
        ]
        total = [had + more for had, more in zip(total, row, strict=True)]
        table.add_row(profile, *map(str, row))
    table.add_row("all", *map(str, total))
    console.print(table)
    obligations = proof.of_obligations()
    console.print(f"{sum(map(bool, obligations.values()))} of {len(obligations)} obligations are proven.")
    cases = proof.of_cases()
    console.print(f"{sum(map(bool, cases.values()))} of {len(cases)} cases have found a mutant.")


def _print_unproven(proof: Proof) -> int:
    """Name every assertion of which no mutant shows that it alone finds something; how many there are."""
    by_number = {
        (case, number) for case, each in proof.of_validations().items() for number, by in each.items() if not by
    }
    lines = [
        str(each) for of_case in validations().values() for each in of_case if (each.case, each.number) in by_number
    ]
    lines += [f"obligation {name}" for name, by in proof.of_obligations().items() if not by]
    lines += [f"{case} finds nothing" for case, by in proof.of_cases().items() if not by]
    for line in lines:
        console.print(f"unproven       {line}", style="yellow", markup=False, soft_wrap=True)
    return len(lines)


def _print_outdated(proof: Proof) -> int:
    """Name every assertion of which the list that reports quote says something else; how many there are."""
    now, listed = proof.of_assertions(), proofs()
    differing = [name for name in {**now, **listed} if now.get(name) != listed.get(name)]
    for name in differing:
        text = f"{name}: proven by «{now.get(name, 'nobody')}», listed is «{listed.get(name, 'nobody')}»"
        console.print(f"outdated       {text}", style="yellow", markup=False, soft_wrap=True)
    if differing:
        console.print("With --out DIR the list is written anew: look at it, and copy it to features/proofs.csv.")
    return len(differing)


def _table(proof: Proof) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["assertion", "mutant"])
    writer.writerows(proof.of_assertions().items())
    return text.getvalue()


def _document(chosen: list[Mutant], proof: Proof) -> dict[str, Any]:
    facts = {each.name: {"party": each.party, "clause": each.clause, "profile": each.module} for each in chosen}
    return {
        "mutants": [{**facts[trial.mutant], "killed": trial.is_killed, **asdict(trial)} for trial in proof.trials],
        "validations": [
            {"case": each.case, "number": each.number, "validation": each.text, "mutants": proven[each.number]}
            for case, proven in proof.of_validations().items()
            for each in validations()[case]
        ],
        "obligations": proof.of_obligations(),
        "cases": proof.of_cases(),
    }


def _write(out: Path, name: str, text: str) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text, encoding="utf-8")
    except OSError as error:
        unusable(f"{out / name} cannot be written: {error.strerror}")
    console.print(f"{WRITTEN[name]}: {out / name}", soft_wrap=True)
