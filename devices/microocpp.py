"""Hands at the simulator of MicroOcpp, through its own HTTP interface on port 8000.

    python devices/microocpp.py FOLDER [--port 8092]

FOLDER is that of the simulator: ``build/mo_simulator`` is run in it. Its settings, made once in its dashboard or with
``POST /api/websocket``, say where it connects.
"""

import argparse
from pathlib import Path

import httpx

from devices.hands import CannotNow, Mains, Payload, serve

INTERFACE = "http://127.0.0.1:8000/api/connector"


async def tell(path: str, **settings: object) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            response = await client.post(f"{INTERFACE}/{path}", json=settings)
        except httpx.HTTPError as error:
            raise CannotNow(f"the simulator does not answer: {error or type(error).__name__}") from None
    if response.is_error:
        raise CannotNow(f"the simulator answered {response.status_code}")


async def plug_in(at: Payload) -> None:
    ready = {"evPlugged": True, "evsePlugged": True, "evReady": True, "evseReady": True}
    await tell(f"{at['connectorId']}/evse", **ready)


async def unplug(at: Payload) -> None:
    await tell(f"{at['connectorId']}/evse", evPlugged=False, evsePlugged=False, evReady=False)


async def present(at: Payload) -> None:
    await tell(f"{at.get('connectorId', 1)}/transaction", idTag=at["idTag"])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--port", type=int, default=0)
    given = options.parse_args()
    folder = given.folder.resolve()
    mains = Mains(folder / "build" / "mo_simulator", folder=folder)
    hands = {
        "plug_in": plug_in,
        "unplug": unplug,
        "unplug_ev_side": unplug,
        "present": present,
        "restart": lambda _: mains.restart(),
        "lose_power": lambda _: mains.cut(),
        "regain_power": lambda _: mains.restore(),
    }
    serve(hands, mains, given.port)


if __name__ == "__main__":
    main()
