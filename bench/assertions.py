"""How an assertion of a test case is taken out."""

import re
from collections.abc import Sequence

from bench.bench import Spared
from bench.surplus import SURPLUS
from reports.assertions import Validation, sentences
from reports.results import StepResult

_FORBIDS = re.compile(r"the (Charge Point|Central System) (?:sends|has sent) no (\w+)\.req .+")
_SILENCE = re.compile(r"(the (?:Charge Point|Central System) sends) nothing for (.+)")
_KEY = re.compile(r"\[key=(\w+)\]")


def ways_to_spare(validation: Validation, steps: Sequence[StepResult], step: int) -> list[Spared]:
    """How a validation at a step can be taken out, the least first: its rows; then the message itself.

    Who does not demand a message does not demand an answer to it either, nor what rests on a key that it tells, nor
    what it has the other party do. Who does not forbid a message in one sentence forbids it in no other, and not in the
    end. Who does not demand silence for a time lets nothing wait for so long.
    """
    if forbidden := _forbidden(steps[step - 1]):
        alike = {number for number, each in enumerate(steps, 1) if _forbidden(each) == forbidden}
        return [Spared(frozenset(those), obligation=SURPLUS) for those in ({step}, alike)]
    answer = {step + 1} if step < len(steps) and " responds with " in steps[step].sentence else set()
    rests_on = tuple(f"if {key} " for key in _KEY.findall(" ".join(validation.rows)))
    resting = {number for number, each in enumerate(steps, 1) if each.sentence.startswith(rests_on)}
    whole = Spared(frozenset({step, *answer, *resting, *_waiting(steps, step)}))
    with_consequences = Spared(whole.steps | _consequences(validation, steps, step))
    rows = [Spared(frozenset({step}), validation.rows)] if validation.rows else []
    return list(dict.fromkeys([*rows, whole, with_consequences]))


def _waiting(steps: Sequence[StepResult], step: int) -> set[int]:
    """The later sentences that have a message wait for as long as a step demands silence."""
    if (match := _SILENCE.fullmatch(steps[step - 1].sentence)) is None:
        return set()
    sender, duration = match.groups()
    return {
        number
        for number, each in enumerate(steps[step:], step + 1)
        if each.sentence.startswith(sender) and each.sentence.endswith(f" after at least {duration}")
    }


def _consequences(validation: Validation, steps: Sequence[StepResult], step: int) -> set[int]:
    """The later sentences about the party that is not judged, and the answers to what it sends in them."""
    told = sentences(steps)
    found: set[int] = set()
    for number in range(step + 1, len(steps) + 1):
        sentence = told[number - 1]
        # Connectors, keys and samples are the Charge Point's.
        is_of_central_system = " the Central System " in sentence.split(" with ")[0]
        is_of_other = is_of_central_system != validation.case.endswith("_CSMS")
        answers_other = " responds with " in sentence and number - 1 in found
        if sentence.startswith("Then ") and (is_of_other or answers_other):
            found.add(number)
    return found


def _forbidden(step: StepResult) -> tuple[str, ...] | None:
    """The party and the action of the message that must not come; None if a step forbids none."""
    match = _FORBIDS.fullmatch(step.sentence)
    return match.groups() if match else None
