"""The Central System of the ``ocpp-csms`` package, as somebody embeds it in a program of his own.

    python embedded_central_system.py [--valid IDTAG]... [--blocked IDTAG]... [--expired IDTAG]... [--password PASSWORD]

The first line it prints names two ports on 127.0.0.1, as that of ``central_system.py`` does: that of the Charge Points,
and that of its control connection, at which ``hands.py`` speaks. With ``--password`` a Charge Point must show it as its
AuthorizationKey (security profile 1).

What the package answers is its own: it knows a Charge Point over its reconnections, has handlers for all that a Charge
Point of OCPP 1.6 sends, and closes the former connection when there is a new one.
"""

import argparse
import asyncio
import itertools
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "python_modules"))

from ocpp.charge_point import camel_to_snake_case
from ocpp.v16 import call
from ocpp_csms import AuthorizationStatus, CentralSystem, ChargePoint, CsmsError

reservation_ids = itertools.count(1)


class Embedding:
    """The program in which the Central System is embedded: it knows the idTags, and sends what it is told to."""

    def __init__(self, id_tags: dict[str, AuthorizationStatus], password: str | None) -> None:
        self.id_tags = id_tags
        self.password = password
        self.system = CentralSystem(
            host="127.0.0.1",
            port=0,
            authenticate=self.authenticate if password is not None else None,
            authorize=self.authorize,
        )

    async def authenticate(self, _: str, password: str | None) -> bool:
        return password == self.password

    async def authorize(self, _: ChargePoint, id_tag: str) -> AuthorizationStatus:
        return self.id_tags.get(id_tag, AuthorizationStatus.INVALID)

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            answer, words = await self.send(json.loads(line))
            writer.write(json.dumps({"answer": answer, "words": words}).encode() + b"\n")
        writer.close()

    async def send(self, request: dict[str, Any]) -> tuple[str, str]:
        identity, action = request["charge_point"], request["action"]
        charge_point = self.system.charge_points.get(identity)
        if charge_point is None or not charge_point.connected:
            return "failed", f"{identity} is not connected"
        if not hasattr(call, action):
            return "cannot", f"this Central System has no {action}"
        fields = camel_to_snake_case(request["payload"])
        if action == "ReserveNow":
            fields.setdefault("reservation_id", next(reservation_ids))  # 6.39: it is the Central System that chooses
        with suppress(CsmsError):  # it was sent; how it was answered, or that it was not, the wire tells
            await charge_point.async_call(getattr(call, action)(**fields))
        return "done", ""


async def main() -> None:
    options = argparse.ArgumentParser()
    for status in ("valid", "blocked", "expired"):
        options.add_argument(f"--{status}", action="append", default=[], metavar="IDTAG")
    options.add_argument("--password")
    given = options.parse_args()
    known = {
        AuthorizationStatus.ACCEPTED: given.valid,
        AuthorizationStatus.BLOCKED: given.blocked,
        AuthorizationStatus.EXPIRED: given.expired,
    }
    id_tags = {id_tag: status for status, of_status in known.items() for id_tag in of_status}
    embedding = Embedding(id_tags, given.password)
    async with embedding.system:
        control = await asyncio.start_server(embedding.control, "127.0.0.1", 0)
        print(embedding.system.port, control.sockets[0].getsockname()[1], flush=True)
        await control.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
