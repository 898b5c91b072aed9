"""The Central System over HTTP: what its operator may want of it, and what it knows."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from ocppj.clock import timestamp
from ocppj.errors import CallFailed, LocalMisuse
from ocppj.http_api import (
    ANSWERS,
    application,
    check_payload,
    outcome,
    payload_of,
    request_body,
    request_schema,
    words_of,
)
from ocppj.schemas import FROM_CENTRAL_SYSTEM
from ocppj.secrets import keep
from reference_csms import security
from reference_csms.central_system import CentralSystem
from reference_csms.store import CertificateFault, ChargePoint, IdTag, Store, Transaction

DESCRIPTION = """A Central System to rehearse with. Charge Points connect to it with OCPP 1.6J, and here its operator \
has it send them requests and tells it of idTags.

POST /charge-points/{identity}/{action} sends a request with the body as its payload, and answers with what the Charge \
Point has answered."""

AuthorizationStatus = Literal["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"]  # 7.2

NOT_KNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "Nobody knows it."}}


class _Told(BaseModel):
    """In the spelling of OCPP; what is not known is an error and not passed over."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class IdTagInfo(_Told):
    """What is said of an idTag (7.27)."""

    status: AuthorizationStatus = "Accepted"
    parent_id_tag: Annotated[str | None, Field(min_length=1, max_length=20)] = None
    expiry_date: datetime | None = None


class KnownChargePoint(_Told):
    """A Charge Point that may connect. What is left out stays; new credentials replace all former ones (A00.FR.803)."""

    registration_status: Literal["Accepted", "Pending", "Rejected"] | None = None
    security_profile: Annotated[int | None, Field(ge=0, le=security.HIGHEST_PROFILE)] = None
    authorization_key: Annotated[str | None, Field(pattern="^([0-9A-Fa-f]{2}){16,20}$")] = None
    serial_number: Annotated[str | None, Field(max_length=25)] = None


class Settings(_Told):
    """How the Central System behaves. Intervals in seconds; what is left out stays."""

    heartbeat_interval: Annotated[int | None, Field(ge=1)] = None
    boot_retry_interval: Annotated[int | None, Field(ge=1)] = None
    accept_unknown_charge_points: bool | None = None
    refuses_unknown_subprotocol: bool | None = None
    certificate_fault: CertificateFault | None = None


class Vendor(_Told):
    """A vendor in whose DataTransfer the Central System takes part (4.3)."""

    message_ids: list[str] = []


def http_api(system: CentralSystem, version: str, *, host: str = "127.0.0.1", token: str | None = None) -> FastAPI:
    """The application of a Central System. ``host``: where it listens. ``token``: what everybody has to show."""
    app = application("Central System", DESCRIPTION, version, host=host, token=token)
    store = system.store
    _add_charge_points(app, system)
    _add_id_tags(app, store)
    _add_the_rest(app, system)
    for action in sorted(FROM_CENTRAL_SYSTEM):
        _add_action(app, system, action)
    for action, (words, do) in OF_ITS_OWN.items():
        _add_own(app, system, action, words, do)

    @app.post("/charge-points/{identity}/{action}", include_in_schema=False)
    async def unknown(identity: str, action: str) -> None:
        known = ", ".join([*sorted(FROM_CENTRAL_SYSTEM), *OF_ITS_OWN])
        raise HTTPException(HTTPStatus.NOT_FOUND, f"a Central System does not send {action}; there are {known}")

    return app


# Charge Points


def _add_charge_points(app: FastAPI, system: CentralSystem) -> None:
    store = system.store

    @app.get("/charge-points", summary="Every Charge Point that is known, and whether it is connected")
    async def charge_points() -> list[dict[str, Any]]:
        return [_summary(system, each) for each in store.charge_points.values()]

    @app.get("/charge-points/{identity}", summary="What is known of a Charge Point", responses=NOT_KNOWN)
    async def charge_point(identity: str) -> dict[str, Any]:
        return _details(system, _known(store, identity))

    @app.put("/charge-points/{identity}", summary="Let a Charge Point connect, and say how it identifies itself")
    async def know(identity: str, told: KnownChargePoint) -> dict[str, Any]:
        it = store.charge_points.get(identity) or store.know_charge_point(identity)
        if told.registration_status is not None:
            it.registration_status = told.registration_status
        if {"security_profile", "authorization_key", "serial_number"} & told.model_fields_set:
            key = bytes.fromhex(told.authorization_key) if told.authorization_key is not None else None
            if key is not None:
                keep(key, identity)
            profile = it.security_profile if told.security_profile is None else told.security_profile
            security.know_credentials(
                store,
                identity,
                security_profile=profile,
                authorization_key=key,
                serial_number=told.serial_number,
            )
        return _details(system, it)


def _known(store: Store, identity: str) -> ChargePoint:
    if (it := store.charge_points.get(identity)) is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"nobody knows a Charge Point {identity}")
    return it


def _summary(system: CentralSystem, it: ChargePoint) -> dict[str, Any]:
    return {
        "identity": it.identity,
        "isConnected": system.is_connected(it.identity),
        "isAccepted": it.accepted,
        "registrationStatus": it.registration_status,
        "securityProfile": it.security_profile,
        "lastSeen": timestamp(it.last_seen) if it.last_seen else None,
        "connectors": [
            {"connectorId": number, "status": connector.status, "errorCode": connector.error_code}
            for number, connector in sorted(it.connectors.items())
        ],
    }


def _details(system: CentralSystem, it: ChargePoint) -> dict[str, Any]:
    held = it.local_auth_list
    return _summary(system, it) | {
        "bootNotification": it.boot,
        "reservations": [_camel(asdict(each)) for each in it.reservations.values()],
        "chargingProfiles": [_camel(asdict(each)) for each in it.charging_profiles],
        "localAuthList": {"listVersion": held.version, "entries": list((held.entries or {}).values())},
        "firmwareStatus": it.firmware_status,
        "diagnosticsStatus": it.diagnostics_status,
        "logStatus": it.log_status,
        "signedFirmwareStatus": it.signed_firmware_status,
        "securityEvents": it.security_events,
        "installedCertificates": [
            {"certificateType": each.certificate_type, "certificateHashData": each.hash_data}
            for each in it.installed_certificates
        ],
    }


# Requests


def _add_action(app: FastAPI, system: CentralSystem, action: str) -> None:
    async def sent(
        identity: str,
        request: Request,
        anyway: Annotated[bool, Query(description="Send it though it breaks OCPP.")] = False,
    ) -> Response:
        _check_connected(system, identity)
        payload = await payload_of(request)
        if not anyway:
            check_payload(action, {**CHOSEN.get(action, {}), **payload})
        return await outcome(system.request(identity, action, payload, wrong=anyway))

    app.add_api_route(
        f"/charge-points/{{identity}}/{action}",
        sent,
        methods=["POST"],
        summary=f"{words_of(action)}: send {action}.req",
        responses=ANSWERS,
        openapi_extra=request_body(request_schema(action), optional=CHOSEN.get(action, {})),
        operation_id=action,
    )


# What the Central System chooses by itself where its operator leaves it out (6.37, white paper 5.9 and 5.17): any
# value that is right stands for it while the payload is checked.
CHOSEN: dict[str, dict[str, Any]] = {
    "GetLog": {"requestId": 1},
    "ReserveNow": {"reservationId": 1, "expiryDate": "2030-01-01T00:00:00Z"},
    "SignedUpdateFirmware": {"requestId": 1},
}


def _check_connected(system: CentralSystem, identity: str) -> None:
    if not system.is_connected(identity):
        known = "" if system.store.knows_charge_point(identity) else ", and nobody knows it"
        raise HTTPException(HTTPStatus.NOT_FOUND, f"the Charge Point {identity} is not connected{known}")


async def _bring_list_up_to_date(system: CentralSystem, identity: str) -> Response:
    _check_connected(system, identity)
    try:
        is_so = await system.update_local_auth_list(identity)
    except CallFailed as failure:
        raise HTTPException(HTTPStatus.BAD_GATEWAY, str(failure)) from None
    if not is_so:
        raise HTTPException(HTTPStatus.CONFLICT, f"{identity} does not take the list, or has none")
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _lose_connection(system: CentralSystem, identity: str) -> Response:
    await system.lose_connection(identity)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _restore_connection(system: CentralSystem, identity: str) -> Response:
    await system.restore_connection(identity)
    return Response(status_code=HTTPStatus.NO_CONTENT)


# What is no request of OCPP.
OF_ITS_OWN: dict[str, tuple[str, Callable[[CentralSystem, str], Awaitable[Response]]]] = {
    "update_local_auth_list": (
        "Bring the Local Authorization List of a Charge Point in line with the idTags (3.5.2)",
        _bring_list_up_to_date,
    ),
    "lose_connection": ("Be the network that fails: drop the connection and admit no other", _lose_connection),
    "restore_connection": ("Be the network that works again", _restore_connection),
}


def _add_own(
    app: FastAPI,
    system: CentralSystem,
    action: str,
    words: str,
    do: Callable[[CentralSystem, str], Awaitable[Response]],
) -> None:
    async def done(identity: str) -> Response:
        return await do(system, identity)

    app.add_api_route(
        f"/charge-points/{{identity}}/{action}",
        done,
        methods=["POST"],
        status_code=HTTPStatus.NO_CONTENT,
        summary=words,
        operation_id=action,
    )


# idTags


def _add_id_tags(app: FastAPI, store: Store) -> None:
    @app.get("/id-tags", summary="Every idTag that is known")
    async def id_tags() -> list[dict[str, Any]]:
        return [_id_tag(each) for each in store.id_tags.values()]

    @app.get("/id-tags/{id_tag}", summary="What an idTag is told to be: its IdTagInfo")
    async def id_tag_info(id_tag: str) -> dict[str, Any]:
        return store.id_tag_info(id_tag)

    @app.put("/id-tags/{id_tag}", summary="Enter an idTag, or change it")
    async def know_id_tag(id_tag: str, told: IdTagInfo) -> dict[str, Any]:
        if told.expiry_date is not None and told.expiry_date.tzinfo is None:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "expiryDate has no time zone")
        try:
            store.know_id_tag(id_tag, told.status, told.parent_id_tag, told.expiry_date)
        except LocalMisuse as misuse:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, str(misuse)) from None
        return store.id_tag_info(id_tag)

    @app.delete("/id-tags/{id_tag}", status_code=HTTPStatus.NO_CONTENT, summary="Make an idTag unknown")
    async def forget_id_tag(id_tag: str) -> None:
        store.forget_id_tag(id_tag)


def _id_tag(it: IdTag) -> dict[str, Any]:
    return {
        "idTag": it.id_tag,
        "status": it.status,
        "parentIdTag": it.parent_id_tag,
        "expiryDate": timestamp(it.expiry_date) if it.expiry_date else None,
    }


# Transactions, settings, logs


def _add_the_rest(app: FastAPI, system: CentralSystem) -> None:
    store = system.store

    @app.get("/transactions", summary="Every transaction, without its meter values")
    async def transactions() -> list[dict[str, Any]]:
        return [_transaction(each) for each in store.transactions.values()]

    @app.get("/transactions/{transaction_id}", summary="A transaction with its meter values", responses=NOT_KNOWN)
    async def transaction(transaction_id: int) -> dict[str, Any]:
        if (it := store.transactions.get(transaction_id)) is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no transaction {transaction_id}")
        return _camel(asdict(it))

    @app.get("/settings", summary="How the Central System behaves")
    async def settings() -> Settings:
        return Settings.model_validate({name: getattr(store, name) for name in Settings.model_fields})

    @app.put("/settings", summary="Change how the Central System behaves")
    async def change_settings(told: Settings) -> Settings:
        for name in told.model_fields_set:
            value = getattr(told, name)
            if value is not None or name == "certificate_fault":  # null: nothing is wrong with certificates
                setattr(store, name, value)
        return await settings()

    @app.put("/vendors/{vendor_id}", status_code=HTTPStatus.NO_CONTENT, summary="Take part in a vendor's DataTransfer")
    async def know_vendor(vendor_id: str, told: Vendor) -> None:
        store.know_vendor(vendor_id, told.message_ids)

    @app.get("/messages", summary="Every DataTransfer.req that came")
    async def messages() -> list[dict[str, Any]]:
        return [_camel(asdict(each)) for each in store.messages]

    @app.get("/security-log", summary="What the Central System has noticed: who was refused, and why")
    async def security_log() -> list[dict[str, Any]]:
        return [_camel(asdict(each)) for each in store.security_log]

    @app.get("/faults", summary="Bugs of ours that nobody could be told of otherwise; there should be none")
    async def faults() -> list[str]:
        return [repr(fault) for fault in system.faults]


def _transaction(it: Transaction) -> dict[str, Any]:
    told = _camel(asdict(it))
    return {name: value for name, value in told.items() if name not in ("meterValues", "transactionData")}


def _camel(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts in the spelling of OCPP."""
    return {to_camel(name): value for name, value in facts.items()}
