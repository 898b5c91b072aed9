"""Core profile: the answers of chapter 4 of OCPP 1.6."""

from collections.abc import Callable
from datetime import UTC, datetime

from ocppj.clock import timestamp
from ocppj.frames import Payload
from reference_csms import remote_trigger, reservation, smart_charging
from reference_csms.store import Connector, Message, View

Handler = Callable[[View, Payload], Payload]


def authorize(store: View, request: Payload) -> Payload:
    """4.1. An idTag that runs a transaction is not ConcurrentTx here: 7.2 calls that relevant to StartTransaction only.

    Its own transaction is one that the EV driver may be about to stop.
    """
    return {"idTagInfo": store.shared.id_tag_info(request["idTag"])}


def boot_notification(store: View, request: Payload) -> Payload:
    """4.2. Whatever the status, the Charge Point learns the time."""
    status = store.charge_point.registration_status
    accepted = status == "Accepted"
    store.charge_point.boot = request
    store.charge_point.accepted = accepted
    store.charge_point.triggered.clear()
    interval = store.shared.heartbeat_interval if accepted else store.shared.boot_retry_interval
    return {"status": status, "currentTime": timestamp(), "interval": interval}


def data_transfer(store: View, request: Payload) -> Payload:
    """4.3."""
    vendor_id, message_id = request["vendorId"], request.get("messageId")
    message = Message(store.charge_point.identity, vendor_id, message_id, request.get("data"))
    store.shared.messages.append(message)
    return {"status": store.shared.data_transfer_status(vendor_id, message_id)}


def heartbeat(store: View, request: Payload) -> Payload:
    """4.6."""
    return {"currentTime": timestamp()}


def meter_values(store: View, request: Payload) -> Payload:
    """4.7: whatever the values are, they are answered. A transactionId that nobody knows is no fault (errata 3.18)."""
    store.charge_point.meter_values.append(request)
    if transaction := store.transaction(request.get("transactionId")):
        transaction.meter_values += request["meterValue"]
    return {}


def start_transaction(store: View, request: Payload) -> Payload:
    """4.8: the transaction has begun whatever the idTag is, so there is always a transactionId."""
    transaction = store.start(request)
    reservation.used(store, transaction.reservation_id)
    info = store.shared.id_tag_info(request["idTag"])
    others = [each for each in store.shared.running(request["idTag"]) if each is not transaction]
    if others and info["status"] == "Accepted":
        info["status"] = "ConcurrentTx"  # 7.2
    return {"transactionId": transaction.transaction_id, "idTagInfo": info}


def status_notification(store: View, request: Payload) -> Payload:
    """4.9."""
    store.charge_point.connectors[request["connectorId"]] = Connector(
        request["status"],
        request["errorCode"],
        request.get("info"),
        # 6.47: if absent, the time of receipt
        request.get("timestamp", timestamp()),
        request.get("vendorId"),
        request.get("vendorErrorCode"),
    )
    reservation.reported(store, request["connectorId"], request["status"])
    return {}


def stop_transaction(store: View, request: Payload) -> Payload:
    """4.10: no transaction can be prevented from stopping, one that nobody knows included (errata 3.18).

    A repeated request (3.7.1) changes nothing. 6.50: idTagInfo belongs to an idTag.
    """
    transaction = store.transaction(request["transactionId"])
    if transaction is None:
        if request not in store.charge_point.unmatched_stops:
            store.charge_point.unmatched_stops.append(request)
    elif transaction.stopped_at is None:
        transaction.stopped_at = request["timestamp"]
        smart_charging.transaction_stopped(store, transaction.connector_id)
        transaction.meter_stop = request["meterStop"]
        transaction.stop_id_tag = request.get("idTag")
        transaction.reason = request.get("reason", "Local")  # 4.10
        transaction.transaction_data = request.get("transactionData", [])
    return {"idTagInfo": store.shared.id_tag_info(request["idTag"])} if "idTag" in request else {}


def may_send(store: View, action: str) -> bool:
    """Whether a Charge Point may send a request: 4.2, OCPP-J errata 3.10."""
    if store.charge_point.accepted or action == "BootNotification":
        return True
    return store.charge_point.registration_status == "Pending" and remote_trigger.was_triggered(store, action)


def seen(store: View, action: str) -> None:
    """Note that a Charge Point sent a request: any shows that it is there (4.6)."""
    store.charge_point.last_seen = datetime.now(UTC)
    remote_trigger.came(store, action)


HANDLERS: dict[str, Handler] = {
    "Authorize": authorize,
    "BootNotification": boot_notification,
    "DataTransfer": data_transfer,
    "Heartbeat": heartbeat,
    "MeterValues": meter_values,
    "StartTransaction": start_transaction,
    "StatusNotification": status_notification,
    "StopTransaction": stop_transaction,
}
