"""Our own two parties as devices of somebody else: processes that are reached over the wire and by a control port.

    python parties.py central-system PKI PROFILE PASSWORD
    python parties.py charge-point PKI PROFILE PASSWORD ENDPOINT

The first line names the ports: that of the Central System, and the control port, at which ``hands.py`` speaks. PASSWORD
is hexadecimal, - for none.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from bench.pki import Pki
from ocppj.certificates import pem
from ocppj.errors import CallFailed
from reference_csms.central_system import CentralSystem
from reference_csms.security import know_credentials
from reference_csms.store import Store
from simulator.charge_point import PROFILES, ChargePoint
from simulator.memory import Memory

IDENTITY, SERIAL_NUMBER, CPO = "CP1", "SN-0001", "Rehearsal CPO"


async def central_system(pki: Pki, profile: int, password: bytes | None) -> None:
    """A Central System that does what it is told at its control port."""
    store = Store(cpo_name=CPO, authority=pki.central_system_root)
    know_credentials(store, IDENTITY, security_profile=profile, authorization_key=password, serial_number=SERIAL_NUMBER)
    store.know_id_tag("VALID")
    roots = [pki.central_system_root.certificate]
    system = CentralSystem(store, credentials=pki.server, client_roots=roots, host="localhost")
    await system.start()
    tasks = set[asyncio.Task[None]]()

    async def send(action: str, payload: dict[str, Any]) -> None:
        try:
            await system.request(IDENTITY, action, payload)
        except CallFailed as failure:
            print(failure, file=sys.stderr)

    async def do(asked: dict[str, Any]) -> str:
        task = asyncio.create_task(send(asked["action"], asked["payload"]))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return "sent"

    await serve_control(do, system.port)


async def charge_point(pki: Pki, profile: int, password: bytes | None, endpoint: str) -> None:
    """A Charge Point at whose control port hands are lent."""
    own = pki.charge_point
    memory = Memory(
        authorization_key=password.hex() if password else "",
        central_system_roots=[pem(pki.central_system_root.certificate)],
        manufacturer_roots=[pem(pki.manufacturer_root.certificate)],
        certificates=[{"key": own.key_pem, "chain": own.chain_pem}],
        configuration={"SecurityProfile": str(profile), "CpoName": CPO},
    )
    point = ChargePoint(identity=IDENTITY, memory=memory, profiles=(*PROFILES, "Security"), serial_number=SERIAL_NUMBER)

    async def do(asked: dict[str, Any]) -> str:
        match asked["action"]:
            case "restart":
                await point.restart()
            case other:
                return f"nobody does {other} here"
        return "done"

    await point.power_on(endpoint)
    await serve_control(do)


async def serve_control(do: Any, *ports: int) -> None:
    """Name the ports and do what is asked for, until the process is ended."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words = await do(json.loads(await reader.readline()))
        writer.write(json.dumps({"answer": "done", "words": words}).encode() + b"\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(*ports, server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    party, directory, profile, digits, *more = sys.argv[1:]
    pki = Pki(Path(directory), host="localhost", serial_number=SERIAL_NUMBER, organization=CPO)
    key = None if digits == "-" else bytes.fromhex(digits)
    if party == "central-system":
        asyncio.run(central_system(pki, int(profile), key))
    else:
        asyncio.run(charge_point(pki, int(profile), key, *more))


if __name__ == "__main__":
    main()
