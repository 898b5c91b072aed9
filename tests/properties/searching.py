"""How long a property is searched for a counterexample: tests/conftest.py has the profiles."""

from hypothesis import HealthCheck, Phase, settings

SEARCHES_LONG = settings.get_current_profile_name() == "long"


def examples(number: int, steps: int = 50) -> settings:
    """So many examples, of so many steps at most where it is a machine; ``HYPOTHESIS_PROFILE=long``: 50 times as many.

    The machines play in virtual time, by whose clock nothing is slow.
    """
    return settings(
        max_examples=number * 50 if SEARCHES_LONG else number,
        stateful_step_count=steps,
        suppress_health_check=[HealthCheck.too_slow],
    )


def until_one_is_found(search: settings) -> settings:
    """The same search for a fault that was planted: it ends with the first counterexample, which nobody will read."""
    return settings(search, phases=[Phase.generate], report_multiple_bugs=False, print_blob=False)
