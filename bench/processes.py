"""A self-rehearsal in several processes: each plays a share of the cases and tells this one what came of them.

Every case of a self-rehearsal has a loop, a calendar and two parties of its own, so that it is all the same which
process plays it.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from bench.cases import Case, all_cases
from bench.device import Device
from bench.play import play
from bench.plugin import Rehearsal
from bench.run import Run
from bench.verdicts import OurError
from reports.results import CaseResult, Results

# A forked process need not import everything once more.
_CONTEXT: ForkContext | SpawnContext = (
    multiprocessing.get_context("fork")
    if "fork" in multiprocessing.get_all_start_methods()
    else multiprocessing.get_context("spawn")
)

PATIENCE = 5.0  # seconds that a process has to end once it was told to

# What a process tells: the id of a case that begins, the result of one that is over, how pytest ended.
News = str | CaseResult | pytest.ExitCode


@dataclass(frozen=True)
class _Share:
    """What one process plays."""

    device: Device
    before: Results  # of the run, with what came of the same cases earlier
    cases: frozenset[str]
    shuffle: int | None
    out: Path | None


def play_in_processes(rehearsal: Rehearsal, processes: int) -> pytest.ExitCode:
    """Play the cases of a self-rehearsal in so many processes; each case ends among its results."""
    order = sorted({*(rehearsal.wanted if rehearsal.wanted is not None else all_cases())} - rehearsal.finished)
    device, results = rehearsal.run.device, rehearsal.results
    before = Results(results.run, {}, [case for case in results.cases if case.id in order])
    shares = [
        _Share(device, before, frozenset(order[first::processes]), rehearsal.shuffle, rehearsal.out)
        for first in range(min(processes, len(order)))
    ]
    codes: list[pytest.ExitCode] = []
    try:
        with _started(shares) as workers:
            while workers:
                for connection in wait(workers.keys()):
                    assert isinstance(connection, Connection)
                    worker = workers[connection]
                    if worker.hear(rehearsal):
                        continue
                    del workers[connection]
                    codes.append(worker.end(rehearsal))
    except KeyboardInterrupt:
        return pytest.ExitCode.INTERRUPTED
    return max(codes, default=pytest.ExitCode.NO_TESTS_COLLECTED)


class _Worker:
    """A process, and what it has told so far."""

    def __init__(self, process: BaseProcess, connection: Connection, cases: frozenset[str]) -> None:
        self.process = process
        self._connection = connection
        self._left = set(cases)
        self._code: pytest.ExitCode | None = None

    def hear(self, rehearsal: Rehearsal) -> bool:
        """Take what the process tells; whether it may tell more."""
        try:
            news: News = self._connection.recv()
        except (EOFError, OSError):
            return False
        match news:
            case str():
                rehearsal.started(all_cases()[news])
            case CaseResult():
                self._left.discard(news.id)
                rehearsal.add(news)
            case _:
                self._code = news
        return True

    def end(self, rehearsal: Rehearsal) -> pytest.ExitCode:
        """How pytest ended. What a process that has died leaves undone is an error of each of its cases."""
        self._connection.close()
        self.process.join()
        if self._code is not None:
            return self._code
        for case_id in sorted(self._left):
            reason = f"the process that was to play the case has died ({_death(self.process.exitcode)})"
            rehearsal.file(all_cases()[case_id], OurError(reason))
        return pytest.ExitCode.TESTS_FAILED


def _death(status: int | None) -> str:
    if status is not None and status < 0:
        return signal.Signals(-status).name
    return f"exit status {status}"


@contextmanager
def _started(shares: Sequence[_Share]) -> Iterator[dict[Connection, _Worker]]:
    """A process for each share; none of them is left, whatever happens."""
    workers: dict[Connection, _Worker] = {}
    processes: list[BaseProcess] = []
    try:
        for share in shares:
            ours, theirs = _CONTEXT.Pipe(duplex=False)
            process = _CONTEXT.Process(target=_play_share, args=(share, ours, theirs), daemon=True)
            process.start()
            processes.append(process)
            theirs.close()  # else nobody would notice that the process is gone
            workers[ours] = _Worker(process, ours, share.cases)
        yield workers
    finally:
        for each in processes:
            each.terminate()
        for each in processes:
            each.join(PATIENCE)
            if each.is_alive():
                each.kill()
                each.join()


def _play_share(share: _Share, theirs: Connection, connection: Connection) -> None:
    """What a process does."""
    theirs.close()  # who holds both ends of a full pipe waits for himself
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of them: the first ends the others
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def tell(news: News) -> None:
        parent = multiprocessing.parent_process()
        with suppress(BrokenPipeError):
            if parent is not None and parent.is_alive():
                connection.send(news)
                return
        os._exit(1)  # whoever asked was killed, and could not end us

    def started(case: Case) -> None:
        tell(case.id)

    run = Run(share.device)
    rehearsal = Rehearsal(run, share.before, share.cases, share.out, started, tell, share.shuffle)
    try:
        code = play(rehearsal)
    finally:
        run.close()
    tell(code)
