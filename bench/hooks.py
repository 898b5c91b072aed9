"""Programs that make things ready: ``before_run`` once, ``before_case`` before each case."""

from bench.device import BadSetting
from bench.operators import Beginning, HookFailed
from bench.programs import Program, ProgramFailed, ending


class Hooks:
    """The programs of a device file's [hooks], each told as JSON on its standard input what is about to begin."""

    def __init__(self, before_run: str | None = None, before_case: str | None = None) -> None:
        """Raises ``BadSetting`` for a program that cannot be found."""
        self._before_run = _program("before_run", before_run)
        self._before_case = _program("before_case", before_case)

    async def before_run(self, beginning: Beginning) -> None:
        """Raises ``HookFailed``."""
        await _run("before_run", self._before_run, beginning)

    async def before_case(self, beginning: Beginning) -> None:
        """Raises ``HookFailed``."""
        await _run("before_case", self._before_case, beginning)

    async def close(self) -> None:
        """Nothing is left to be closed."""


def _program(hook: str, command: str | None) -> Program | None:
    try:
        return Program(command) if command is not None else None
    except ValueError as error:
        raise BadSetting(f"the hook {hook}: {error}") from None


async def _run(name: str, program: Program | None, beginning: Beginning) -> None:
    if program is None:
        return
    try:
        ended = await program.run(beginning.as_json(), beginning.time_limit)
    except ProgramFailed as failed:
        raise HookFailed(f"{name}: {failed}") from None
    if ended.status != 0:
        said = f": {ended.said}" if ended.said else ""
        raise HookFailed(f"{name}: {ending(program.name, ended.status)}{said}")
