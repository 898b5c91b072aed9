"""The requests of the Central System in the Core profile: chapter 5.

One function per action, named after it: it decides, notes what has changed and returns the .conf. Whatever reaches
the wire because of a request is left to ``ChargePoint.afterwards``, so that the .conf goes first.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ocppj.errors import ErrorCode, Refused
from ocppj.frames import Payload
from simulator import charging_session, smart_charging, transaction
from simulator.connector import Connector

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

Handler = Callable[["ChargePoint", Payload], Payload]


def change_availability(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.2. Connector 0 stands for the Charge Point and all its connectors."""
    number, availability = request["connectorId"], request["type"]
    if number and number not in charge_point.connectors:
        return {"status": "Rejected"}
    concerned = [number] if number else [0, *charge_point.connectors]
    for connector in concerned:
        charge_point.memory.availability[str(connector)] = availability
    charge_point.afterwards(charge_point.settle_availability)
    # 5.2 speaks of a transaction in progress; the table of 4.9 (no B8, but F8) makes Preparing and Finishing wait too.
    waits = availability == "Inoperative" and any(
        not charge_point.connectors[connector].is_idle for connector in concerned if connector
    )
    return {"status": "Scheduled" if waits else "Accepted"}


def change_configuration(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.3."""
    return {"status": charge_point.configuration.change(request["key"], request["value"])}


def clear_cache(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.4; errata 3.23: Rejected where there is no Authorization Cache, so also where it is switched off."""
    if not charge_point.configuration.flag("AuthorizationCacheEnabled"):
        return {"status": "Rejected"}
    charge_point.authorization.cache.clear()
    return {"status": "Accepted"}


def data_transfer(charge_point: "ChargePoint", request: Payload) -> Payload:
    """4.3: this Charge Point has no agreement with any vendor."""
    return {"status": "UnknownVendorId"}


def get_configuration(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.8. Raises ``Refused`` for more keys than GetConfigurationMaxKeys."""
    configuration = charge_point.configuration
    names: list[str] = request.get("key", [])
    if not names:
        # White paper 7.2: who reads out all keys is not meant to come across a write-only one. Asked for by name it is
        # told without a value, for unknownKey would be untrue.
        readable = [key for key in configuration.keys if not key.write_only]
        return {"configurationKey": [configuration.describe(key) for key in readable]}
    most = configuration.number("GetConfigurationMaxKeys")
    if len(names) > most:
        # 5.8 allows the limit and no status of GetConfiguration.conf can tell of it. A shorter answer would hide
        # keys, so the number of occurrences is refused (OCPP-J, table 7).
        raise Refused(ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, f"no more than {most} keys can be requested")
    found = {name: configuration.find(name) for name in names}
    known = dict.fromkeys(key for key in found.values() if key is not None)
    conf: Payload = {"configurationKey": [configuration.describe(key) for key in known]}
    if unknown := [name for name, key in found.items() if key is None]:
        conf["unknownKey"] = unknown
    return conf


def remote_start_transaction(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.11. A ChargingProfile is ignored where there is no Smart Charging.

    Raises ``Refused`` for one out of shape.
    """
    profile = request.get("chargingProfile") if "SmartCharging" in charge_point.profiles else None
    if profile is not None and not smart_charging.takes_with_remote_start(charge_point, profile):
        return {"status": "Rejected"}
    connector = charging_session.choose_for_remote_start(charge_point, request.get("connectorId"), request["idTag"])
    if connector is None or not charge_point.is_accepted:  # 4.2: not allowed while Pending
        return {"status": "Rejected"}

    def start() -> None:
        charge_point.spawn(charging_session.start_remotely(charge_point, connector, request["idTag"], profile))

    charge_point.afterwards(start)
    return {"status": "Accepted"}


def remote_stop_transaction(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.12 with errata 3.33."""
    connector = _connector_of_transaction(charge_point, request["transactionId"])
    if connector is None or not charge_point.is_accepted:  # 4.2: not allowed while Pending
        return {"status": "Rejected"}
    charge_point.afterwards(partial(transaction.stop, charge_point, connector, "Remote"))
    return {"status": "Accepted"}


def _connector_of_transaction(charge_point: "ChargePoint", transaction_id: int) -> Connector | None:
    for connector in charge_point.connectors.values():
        if connector.transaction and connector.transaction["transactionId"] == transaction_id:
            return connector
    return None


def reset(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.14 with errata 3.36."""
    charge_point.afterwards(partial(charge_point.reset, request["type"]))
    return {"status": "Accepted"}


def unlock_connector(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.18; errata 3.87: an unknown connector is NotSupported."""
    connector = charge_point.connectors.get(request["connectorId"])
    if connector is None or not connector.has_lock:
        return {"status": "NotSupported"}

    def stop_and_unlock() -> None:
        transaction.stop(charge_point, connector, "UnlockCommand")
        connector.unlock()

    charge_point.afterwards(stop_and_unlock)
    return {"status": "UnlockFailed" if connector.lock_fails else "Unlocked"}


HANDLERS: dict[str, Handler] = {
    "ChangeAvailability": change_availability,
    "ChangeConfiguration": change_configuration,
    "ClearCache": clear_cache,
    "DataTransfer": data_transfer,
    "GetConfiguration": get_configuration,
    "RemoteStartTransaction": remote_start_transaction,
    "RemoteStopTransaction": remote_stop_transaction,
    "Reset": reset,
    "UnlockConnector": unlock_connector,
}
