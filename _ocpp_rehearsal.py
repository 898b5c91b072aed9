"""The way in. Our packages have plain names: a folder on PYTHONPATH with a bench/ or steps/ of its own must not win."""

import sys
from pathlib import Path


def main() -> None:
    """Run the command ``rehearse``."""
    sys.path.insert(0, str(Path(__file__).parent))
    from bench import check, init, judge_commands, measure, party_commands, proof_commands, report_commands  # noqa: F401  # they register commands
    from bench.command_line import app

    app()
