"""The terminal as every command uses it: what is printed where, and how a command ends."""

import sys
from typing import NoReturn

import typer
from rich.console import Console

PASSED, FAILED, UNUSABLE, INCONCLUSIVE = 0, 1, 2, 3
ABORTED = 130  # as a shell has it after Ctrl-C

console = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 200)


def unusable(*lines: str) -> NoReturn:
    """End the command, nothing was run: each line says what cannot be used and what would be right."""
    refuse(*(f"rehearse: {line}" for line in lines))


def refuse(*lines: str) -> NoReturn:
    """The same for lines that name a file, as editors and compilers do: ``acme.toml:17: ...``."""
    for line in lines:
        print(line, file=sys.stderr)
    raise typer.Exit(UNUSABLE)
