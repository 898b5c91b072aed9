"""What hands are said to have done at a Charge Point under test, and whether the wire has shown anything of it.

An operator who says done may have done nothing. As long as nothing that he did has shown, he is no witness: what a case
then lacks is no fault of the Charge Point. Once something has shown, he is believed.
"""

from collections.abc import Sequence

from bench.asked import NOT_ASKED
from ocppj.schemas import ACTIONS
from ocppj.transcript import Record

BY_ITSELF = ("Heartbeat", "MeterValues")  # comes whenever an interval is over, whatever hands do


def unseen(records: Sequence[Record]) -> list[str]:
    """What was asked of hands, if the Charge Point has sent nothing since the first of it; empty if it has."""
    first = next((index for index, record in enumerate(records) if _is_by_hand(record)), None)
    if first is None or _shows(records[first:]):
        return []
    return [str(record["action"]).replace("_", " ") for record in records if _is_by_hand(record)]


def seen(records: Sequence[Record]) -> bool:
    """Whether the Charge Point has sent something since hands did the first thing."""
    return any(map(_is_by_hand, records)) and not unseen(records)


def _is_by_hand(record: Record) -> bool:
    if record["kind"] != "stimulus" or record["party"] != "Charge Point":
        return False
    return record["action"] not in ACTIONS and record["action"] not in NOT_ASKED


def _shows(records: Sequence[Record]) -> bool:
    return any(
        record["kind"] == "connect"
        or (
            record["kind"] == "frame"
            and record.get("messageType") == "CALL"
            and record["direction"] == "cp-to-csms"
            and record.get("action") not in BY_ITSELF
        )
        for record in records
    )
