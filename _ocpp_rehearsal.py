"""The way in. Our packages have plain names: a folder on PYTHONPATH with a bench/ or steps/ of its own must not win."""

import gc
import sys
from pathlib import Path


def main() -> None:
    """Run the command ``rehearse``."""
    sys.path.insert(0, str(Path(__file__).parent))
    gc.disable()  # what is loaded stays to the end: looking for garbage in it, then and later, is in vain
    from bench import check, init, judge_commands, measure, party_commands, proof_commands, report_commands  # noqa: F401  # they register commands
    from bench.command_line import app

    gc.freeze()
    gc.enable()
    app()
