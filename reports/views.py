"""The views of a run: what each file beside ``results.json`` is made with.

A view is a pure function of what a run has left to text. ``rehearse run`` writes all of them at its end, ``rehearse
report`` writes them again.
"""

from collections.abc import Callable, Mapping, Sequence

from ocppj.transcript import Record
from reports.results import CaseResult, Results

# The records of a case by its id; a case without a transcript is none of the keys.
Transcripts = Mapping[str, Sequence[Record]]

# The file in the folder of the results, and what it holds.
VIEWS: tuple[tuple[str, Callable[[Results, Transcripts], str]], ...] = ()

# The file in ``cases/<id>/`` of every case that has a transcript, and what it holds.
CASE_VIEWS: tuple[tuple[str, Callable[[CaseResult, Sequence[Record]], str]], ...] = ()
