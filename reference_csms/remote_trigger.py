"""What a Charge Point may send while it is Pending, because it was asked to (4.2).

TriggerMessage (5.17) and ExtendedTriggerMessage of the security white paper (5.5).
"""

from math import inf

from ocppj.errors import LocalMisuse
from ocppj.frames import Payload
from reference_csms.store import View

_OF_ALL_CONNECTORS = ("MeterValues", "StatusNotification")

# Action -> requestedMessage -> the action that it asks for, where that has another name (white paper 6.16).
TRIGGERS: dict[str, dict[str, str]] = {
    "TriggerMessage": {},
    "ExtendedTriggerMessage": {
        "FirmwareStatusNotification": "SignedFirmwareStatusNotification",
        "SignChargePointCertificate": "SignCertificate",
    },
}


def about_to_trigger(store: View, request: Payload, action: str = "TriggerMessage") -> None:
    """Await the message that a request of this action, one of ``TRIGGERS``, asks for.

    Raises ``LocalMisuse`` for a boot of who is accepted (errata 3.40).
    """
    message = str(request.get("requestedMessage"))
    message = TRIGGERS[action].get(message, message)
    if message == "BootNotification" and store.charge_point.accepted:
        raise LocalMisuse("errata 3.40: an accepted Charge Point shall not be asked for BootNotification.req")
    triggered = store.charge_point.triggered
    # 5.17: without a connectorId, one for each connector that there is.
    of_all = message in _OF_ALL_CONNECTORS and "connectorId" not in request
    triggered[message] = triggered.get(message, 0) + (inf if of_all else 1)


def was_triggered(store: View, action: str) -> bool:
    """Whether a request of this action is awaited."""
    return store.charge_point.triggered.get(action, 0) > 0


def came(store: View, action: str) -> None:
    """A request of this action came."""
    if was_triggered(store, action):
        store.charge_point.triggered[action] -= 1
