"""The Charge Point over HTTP: hands at it, requests of its own, and how it is."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Path, Request, Response

from ocppj.frames import Payload
from ocppj.http_api import (
    ANSWERS,
    application,
    check_object,
    check_payload,
    outcome,
    payload_of,
    request_body,
    request_schema,
    words_of,
)
from ocppj.schemas import FROM_CHARGE_POINT
from ocppj.secrets import masked
from simulator.charge_point import ChargePoint
from simulator.connector import Connector, Locked
from simulator.firmware_management import firmware_image
from simulator.hands import HANDS, Hand

DESCRIPTION = """A Charge Point that charges nobody: hands are lent to it, and what it then tells its Central System \
is OCPP 1.6J.

POST /charge-points/{identity}/{action} does both. Actions in lower case are what people, cables and power do at it; \
those that OCPP knows have it send a request of its own, with the body as the payload."""

# What a Charge Point that lacks something cannot be made to do.
NEEDS: dict[str, Callable[[ChargePoint], bool]] = {
    "present": lambda it: it.has_reader,
    "prevent_storing": lambda it: "LocalAuthListManagement" in it.profiles,
    "allow_storing": lambda it: "LocalAuthListManagement" in it.profiles,
    "spoil": lambda it: "FirmwareManagement" in it.profiles,
    "mend": lambda it: "FirmwareManagement" in it.profiles,
}
WHY_NOT = "this Charge Point does not have what {action} is about"

DONE: dict[int | str, dict[str, Any]] = {
    204: {"description": "It is done."},
    404: {"description": "There is no such Charge Point."},
    409: {"description": "It cannot be done now: the cable is locked."},
    422: {"description": "The body is not what is needed, or there is no such connector."},
    501: {"description": "This Charge Point does not have what the action is about."},
}


def http_api(charge_point: ChargePoint, version: str, *, host: str = "127.0.0.1", token: str | None = None) -> FastAPI:
    """The application of one Charge Point. ``host``: where it listens. ``token``: what everybody has to show."""
    app = application(f"Charge Point {charge_point.identity}", DESCRIPTION, version, host=host, token=token)

    def check_identity(identity: str) -> None:
        if identity != charge_point.identity:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"the Charge Point here is {charge_point.identity}")

    @app.get("/charge-points", summary="The Charge Point here")
    async def charge_points() -> list[dict[str, Any]]:
        return [state(charge_point)]

    @app.get("/charge-points/{identity}", summary="How it is: power, connection, connectors")
    async def charge_point_state(identity: str) -> dict[str, Any]:
        check_identity(identity)
        return state(charge_point)

    @app.get("/charge-points/{identity}/configuration", summary="Its configuration keys, as in GetConfiguration.conf")
    async def configuration(identity: str) -> list[Payload]:
        check_identity(identity)
        return [charge_point.configuration.describe(key) for key in charge_point.configuration.keys]

    @app.get("/charge-points/{identity}/transactions", summary="Transactions whose end is not confirmed yet")
    async def transactions(identity: str) -> list[dict[str, Any]]:
        check_identity(identity)
        kept = charge_point.memory.transactions
        return [{name: value for name, value in each.items() if name != "data"} for each in kept]

    @app.get(
        "/firmware/{version}",
        summary="An image of a version that this Charge Point can install, for UpdateFirmware",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": {}}, "description": "The image."}},
    )
    async def firmware(version: Annotated[str, Path(pattern=r"^[\w.-]{1,50}$")]) -> Response:  # 6.1: CiString50
        return Response(firmware_image(version), media_type="application/octet-stream")

    @app.get("/faults", summary="Bugs of ours that nobody could be told of otherwise; there should be none")
    async def faults() -> list[str]:
        return [repr(fault) for fault in charge_point.faults]

    def lend(action: str, hand: Hand) -> None:
        async def done(identity: str, request: Request) -> Response:
            check_identity(identity)
            payload = await payload_of(request)
            check_object(hand.schema, payload)
            if payload.get("connectorId", 0) > len(charge_point.connectors):
                problem = f"connectorId {payload['connectorId']}: there are {len(charge_point.connectors)}"
                raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, problem)
            if action in NEEDS and not NEEDS[action](charge_point):
                raise HTTPException(HTTPStatus.NOT_IMPLEMENTED, WHY_NOT.format(action=action))
            try:
                await hand.do(charge_point, payload)
            except Locked as locked:
                raise HTTPException(HTTPStatus.CONFLICT, str(locked)) from None
            return Response(status_code=HTTPStatus.NO_CONTENT)

        app.add_api_route(
            f"/charge-points/{{identity}}/{action}",
            done,
            methods=["POST"],
            status_code=HTTPStatus.NO_CONTENT,
            summary=hand.words,
            responses=DONE,
            openapi_extra=request_body(hand.schema),
            operation_id=action,
        )

    def send(action: str) -> None:
        async def sent(identity: str, request: Request, anyway: bool = False) -> Response:
            check_identity(identity)
            payload = await payload_of(request)
            if not anyway:
                check_payload(action, payload)
            if not charge_point.is_connected:
                raise HTTPException(HTTPStatus.NOT_FOUND, f"{identity} is not connected to its Central System")
            return await outcome(charge_point.request(action, payload, wrong=anyway))

        app.add_api_route(
            f"/charge-points/{{identity}}/{action}",
            sent,
            methods=["POST"],
            summary=f"{words_of(action)}: send {action}.req",
            responses=ANSWERS,
            openapi_extra=request_body(request_schema(action)),
            operation_id=action,
        )

    for action, hand in HANDS.items():
        lend(action, hand)
    for action in sorted(FROM_CHARGE_POINT):
        send(action)

    @app.post("/charge-points/{identity}/{action}", include_in_schema=False)
    async def unknown(identity: str, action: str) -> None:
        check_identity(identity)
        known = ", ".join([*HANDS, *sorted(FROM_CHARGE_POINT)])
        raise HTTPException(HTTPStatus.NOT_FOUND, f"nobody does {action} here; there are {known}")

    return app


def state(charge_point: ChargePoint) -> dict[str, Any]:
    """How it is."""
    everyone = (charge_point.whole, *charge_point.connectors.values())
    return {
        "identity": charge_point.identity,
        "centralSystem": masked(charge_point.network.endpoint),
        "hasPower": charge_point.has_power,
        "hasNetwork": charge_point.network.is_there,
        "isConnected": charge_point.is_connected,
        "registrationStatus": charge_point.registration,
        "securityProfile": charge_point.security.profile,
        "firmwareVersion": charge_point.boot_information["firmwareVersion"],
        "queuedMessages": len(charge_point.memory.queue),
        "reservations": charge_point.memory.reservations,
        "localAuthListVersion": charge_point.memory.local_auth_list_version,
        "connectors": [_connector(charge_point, each) for each in everyone],
    }


def _connector(charge_point: ChargePoint, connector: Connector) -> dict[str, Any]:
    told: dict[str, Any] = {
        "connectorId": connector.number,
        "status": connector.status,
        "errorCode": connector.error_code,
        "availability": charge_point.memory.availability.get(str(connector.number), "Operative"),
    }
    if connector.number:
        told |= {
            "isCableIn": connector.cable_in,
            "isEvConnected": connector.ev_in,
            "isLocked": connector.locked,
            "meter": round(connector.meter.register),  # Wh
            "transactionId": connector.transaction["transactionId"] if connector.transaction else None,
        }
    return told
