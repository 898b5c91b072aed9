"""A program that is run for each request."""

from bench.operators import CONFIRM, BadOperator, Outcome, Request
from bench.programs import Program, ProgramFailed, ending


class Command:
    """A program, run once per request with the request as JSON on its standard input.

    Exit status 0: done. 3: the device cannot do this. 4, where it is asked to confirm a statement: it is not so. Any
    other: could not; its last line of output says why.
    """

    CANNOT = 3
    DENIED = 4

    def __init__(self, program: str) -> None:
        """``program`` with its arguments. Raises ``BadOperator`` for one that cannot be found."""
        try:
            self._program = Program(program)
        except ValueError as error:
            raise BadOperator(str(error)) from None

    async def ask(self, request: Request) -> Outcome:
        try:
            ended = await self._program.run(request.as_json(), request.time_limit)
        except ProgramFailed as failed:
            return Outcome("gave up", str(failed))
        if ended.status == 0:
            return Outcome("done", ended.said)
        if ended.status == self.CANNOT:
            return Outcome("device cannot", ended.said or "the operator says that the device cannot do this")
        if ended.status == self.DENIED and request.action == CONFIRM:
            return Outcome("denied", ended.said)
        return Outcome("gave up", ended.said or ending(self._program.name, ended.status))
