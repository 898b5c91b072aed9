"""Hands at the SAP e-Mobility charging stations simulator, through its own UI server over HTTP on port 9122.

    python devices/emobility.py FOLDER [--node NODE] [--port 8102]

FOLDER is that of the built simulator: ``dist/start.js`` is run in it. Its ``config.json`` has one charging station,
says where that connects, and turns the UI server on: type http, host 127.0.0.1, port 9122, no authentication.

It has neither a cable nor a reader for cards: a person does at its web page what ``hands.Person`` says.
"""

import argparse
from pathlib import Path
from typing import Any

import httpx

from devices.hands import CannotNow, Connector, Mains, Person, serve

INTERFACE = "http://127.0.0.1:9122/ui/0.0.1"


class Page:
    """What its web page lets a person do."""

    async def look(self, connector: int) -> Connector:
        shown = await _connector(connector)
        return Connector(str(shown.get("status")), bool(shown.get("transactionStarted")), shown.get("transactionIdTag"))

    async def set_status(self, connector: int, status: str, error_code: str = "NoError") -> None:
        await _do("statusNotification", connectorId=connector, status=status, errorCode=error_code)

    async def authorize(self, id_tag: str) -> bool:
        return bool((await _tell("authorize", idTag=id_tag)).get("status") == "success")

    async def start(self, connector: int, id_tag: str) -> None:
        await _do("startTransaction", connectorId=connector, idTag=id_tag)

    async def stop(self, connector: int, reason: str, id_tag: str = "") -> None:
        number = (await _connector(connector))["transactionId"]
        await _do("stopTransaction", transactionId=number, reason=reason, **({"idTag": id_tag} if id_tag else {}))


async def _tell(procedure: str, **fields: Any) -> dict[str, Any]:
    """Have the simulator do something, and what it says then. Raises ``CannotNow``."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        try:
            response = await client.post(f"{INTERFACE}/{procedure}", json=fields)
            return dict(response.json())
        except (httpx.HTTPError, ValueError) as error:
            raise CannotNow(f"the simulator does not answer: {error or type(error).__name__}") from None


async def _do(procedure: str, **fields: Any) -> dict[str, Any]:
    said = await _tell(procedure, **fields)
    if said.get("status") != "success":
        raise CannotNow(f"the simulator says of {procedure}: {said}")
    return said


async def _connector(number: int) -> dict[str, Any]:
    """What the simulator says of a connector."""
    for station in (await _do("listChargingStations"))["chargingStations"]:
        for each in station["connectors"]:
            if each["connectorId"] == number:
                return dict(each["connectorStatus"])
    raise CannotNow(f"the simulator has no connector {number} yet")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--node", default="node", help="Node.js 22 or newer")
    options.add_argument("--port", type=int, default=0)
    given = options.parse_args()
    folder = given.folder.resolve()
    mains = Mains(given.node, "dist/start.js", folder=folder)
    serve(Person(Page(), mains).hands, mains, given.port)


if __name__ == "__main__":
    main()
