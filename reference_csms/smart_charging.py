"""Smart Charging: what the Central System knows of the charging profiles that it set (5.5, 5.11, 5.16).

One function per request of its own, called with the request and the .conf that answered it.
"""

from ocppj.frames import Payload
from reference_csms.store import ChargingProfile, Outcome, View


def set_charging_profile(store: View, request: Payload, conf: Payload) -> None:
    """5.16.3: it replaces the one with its id, or with its stackLevel and purpose at the same place."""
    if conf["status"] == "Accepted":
        _keep(store, ChargingProfile(request["connectorId"], request["csChargingProfiles"]))


def remote_start_transaction(store: View, request: Payload, conf: Payload) -> None:
    """5.16.2: a profile that came with it is that of the transaction that begins."""
    if conf["status"] == "Accepted" and "chargingProfile" in request and "connectorId" in request:
        _keep(store, ChargingProfile(request["connectorId"], request["chargingProfile"]))


def clear_charging_profile(store: View, request: Payload, conf: Payload) -> None:
    """5.5 with errata 3.25 and 3.26. One that is Unknown there is not to be kept here."""
    known = store.charge_point.charging_profiles
    known[:] = [each for each in known if not _matches(each, request)]


def _keep(store: View, new: ChargingProfile) -> None:
    known = store.charge_point.charging_profiles
    known[:] = [each for each in known if not _is_replaced(each, new)] + [new]


def _is_replaced(old: ChargingProfile, new: ChargingProfile) -> bool:
    if old.profile["chargingProfileId"] == new.profile["chargingProfileId"]:
        return True
    names = ("stackLevel", "chargingProfilePurpose")
    return old.connector_id == new.connector_id and all(old.profile[name] == new.profile[name] for name in names)


def _matches(known: ChargingProfile, request: Payload) -> bool:
    if "id" in request:
        return bool(known.profile["chargingProfileId"] == request["id"])
    facts = {"connectorId": known.connector_id, **known.profile}
    return all(facts[name] == wanted for name, wanted in request.items())


def transaction_stopped(store: View, connector_id: int) -> None:
    """3.13.1: a TxProfile ends with its transaction."""
    known = store.charge_point.charging_profiles
    known[:] = [each for each in known if not (each.connector_id == connector_id and _is_for_transaction(each))]


def _is_for_transaction(known: ChargingProfile) -> bool:
    return bool(known.profile["chargingProfilePurpose"] == "TxProfile")


OUTCOMES: dict[str, Outcome] = {
    "ClearChargingProfile": clear_charging_profile,
    "RemoteStartTransaction": remote_start_transaction,
    "SetChargingProfile": set_charging_profile,
}
