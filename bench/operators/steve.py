"""SteVe: its Web API, and the forms of its web pages for what that API lacks.

Written from ``/manager/swagger-ui`` of the product and proven against it: SteVe 3.15.0-SNAPSHOT (commit 38b299a1).
"""

import hashlib
import html
import os
import re
import secrets
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from bench.operators import Beginning, Outcome, Request
from ocppj.frames import Payload
from ocppj.secrets import hidden, keep

# Action -> field of OCPP -> field of the Web API. What is not named SteVe chooses itself, such as a reservationId.
FIELDS: dict[str, dict[str, str]] = {
    "CancelReservation": {"reservationId": "reservationId"},
    "ChangeAvailability": {"connectorId": "connectorId", "type": "availType"},
    "ClearCache": {},
    "DataTransfer": {"vendorId": "vendorId", "messageId": "messageId", "data": "data"},
    "ExtendedTriggerMessage": {"requestedMessage": "triggerMessage", "connectorId": "connectorId"},
    "GetCompositeSchedule": {
        "connectorId": "connectorId",
        "duration": "durationInSeconds",
        "chargingRateUnit": "chargingRateUnit",
    },
    "GetDiagnostics": {
        "location": "location",
        "retries": "retries",
        "retryInterval": "retryInterval",
        "startTime": "start",
        "stopTime": "stop",
    },
    "GetInstalledCertificateIds": {"certificateType": "certificateType"},
    "GetLocalListVersion": {},
    "InstallCertificate": {"certificateType": "certificateType", "certificate": "certificate"},
    "RemoteStartTransaction": {"connectorId": "connectorId", "idTag": "idTag"},
    "RemoteStopTransaction": {"transactionId": "transactionId"},
    "ReserveNow": {"connectorId": "connectorId", "idTag": "idTag", "expiryDate": "expiry"},
    "Reset": {"type": "resetType"},
    "SetChargingProfile": {"connectorId": "connectorId"},
    "TriggerMessage": {"requestedMessage": "triggerMessage", "connectorId": "connectorId"},
    "UnlockConnector": {"connectorId": "connectorId"},
    "UpdateFirmware": {
        "location": "location",
        "retries": "retries",
        "retryInterval": "retryInterval",
        "retrieveDate": "retrieveDateTime",
    },
}

# The keys that SteVe offers in a list; any other one is asked for as a custom key.
CUSTOM = "CUSTOM"

TAKEN_OVER = "This unknown idTag was used in a transaction"  # begins the note of an idTag that SteVe has made itself

LIMIT = 30.0  # seconds in which a page is there

PASSWORD_BYTES = 15  # as text 20 characters, the most that A00.FR.205 has

SOON = timedelta(seconds=3)  # SteVe takes no retrieveDate and no installDateTime that is over when it reads it


class Refused(Exception):
    """SteVe did not do as it was asked: its words."""


class SteVe:
    """The driver ``steve``.

    ``url``: of its web pages, as in ``http://127.0.0.1:8180/steve``. ``user``: of its web pages and its Web API.
    ``password_from``, ``api_password_from``: the environment variables that hold the two passwords of this user.
    ``charge_point_password_from``: the one with the AuthorizationKey, for a Charge Point that is added to SteVe.
    ``tls_ca``: a file with who has signed the certificate of its web pages, if these are reached by https.
    """

    def __init__(
        self,
        url: str,
        user: str = "admin",
        password_from: str = "STEVE_PASSWORD",  # noqa: S107  # the name of a variable
        api_password_from: str = "STEVE_API_PASSWORD",  # noqa: S107  # the name of a variable
        charge_point_password_from: str = "REHEARSE_PASSWORD",  # noqa: S107  # the name of a variable
        tls_ca: str | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._credentials = {"username": user, "password": _secret(password_from)}
        self._api_credentials = (user, _secret(api_password_from))
        self._charge_point_password_from = charge_point_password_from
        self._tls = ssl.create_default_context(cafile=tls_ca)
        self._api: httpx.AsyncClient | None = None
        self._web: httpx.AsyncClient | None = None
        self._special: dict[str, Callable[[Request], Any]] = {
            "ChangeConfiguration": self._change_configuration,
            "ClearChargingProfile": self._clear_charging_profile,
            "DeleteCertificate": self._delete_certificate,
            "GetConfiguration": self._get_configuration,
            "GetLog": self._get_log,
            "RemoteStartTransaction": self._remote_start,
            "SendLocalList": self._send_local_list,
            "SetChargingProfile": self._set_charging_profile,
            "SignedUpdateFirmware": self._signed_update_firmware,
            "UpdateFirmware": self._update_firmware,
        }

    async def ask(self, request: Request) -> Outcome:
        """Have SteVe send a request. It answers when the Charge Point has responded, or has not in its own time."""
        if request.party != "Central System":
            return Outcome("gave up", f"SteVe has no hands at a {request.party}")
        if request.action not in FIELDS.keys() | self._special.keys():
            return Outcome("gave up", f"neither the Web API nor a web page of SteVe has {request.action}")
        try:
            make = self._special.get(request.action)
            parameters = await make(request) if make is not None else _renamed(request)
            told = await self._operate(request, parameters)
        except Refused as refused:
            return Outcome("gave up", str(refused))
        failures = [each["exceptionMessage"] for each in told.get("exceptions", [])]
        return Outcome("gave up", f"SteVe: {failures[0]}") if failures else Outcome("done")

    async def before_run(self, beginning: Beginning) -> None:
        """Make the Charge Point and the idTags known to it. What it knows of them already is brought in line."""
        await self._add_charge_point(beginning.device["identity"], beginning.device["security"]["profile"] or 0)
        data = beginning.test_data
        parent = data.get("ParentIdTag")
        if parent is not None:
            await self._know(parent)
        for name in ("ValidIdTag", "ValidIdTag2"):
            if name in data:
                await self._know(data[name], parent)
        if "BlockedIdTag" in data:
            await self._know(data["BlockedIdTag"], limit=0)
        if "ExpiredIdTag" in data:
            await self._know(data["ExpiredIdTag"], expired=True)

    async def before_case(self, beginning: Beginning) -> None:
        """Make an idTag unknown again: one with which a transaction was started SteVe takes over, as Blocked."""
        found = await self._tag(beginning.test_data["InvalidIdTag"])
        if found is not None and str(found["note"]).startswith(TAKEN_OVER):
            await self._call("DELETE", f"/ocppTags/{found['ocppTagPk']}")

    async def close(self) -> None:
        for client in (self._api, self._web):
            if client is not None:
                await client.aclose()

    # What an action needs beyond other names for its fields

    async def _change_configuration(self, request: Request) -> Payload:
        key, value = request.payload["key"], request.payload.get("value", "")
        if key == "AuthorizationKey":  # SteVe takes a password and sends it in hexadecimal digits
            value = secrets.token_urlsafe(PASSWORD_BYTES)
            keep(value.encode(), request.charge_point)  # SteVe may repeat it where it refuses it
        return {"keyType": CUSTOM, "customConfKey": key, "value": value}

    async def _get_configuration(self, request: Request) -> Payload:
        return {"commaSeparatedCustomConfKeys": ",".join(request.payload.get("key", []))}

    async def _clear_charging_profile(self, request: Request) -> Payload:
        given = request.payload
        if "id" in given:
            return {"filterType": "ChargingProfileId", "chargingProfilePk": given["id"]}
        return {"filterType": "OtherParameters", **given}

    async def _set_charging_profile(self, request: Request) -> Payload:
        profile = request.payload["csChargingProfiles"]
        parameters = _renamed(request) | {"chargingProfilePk": await self._profile(profile)}
        if "transactionId" in profile:
            parameters["transactionId"] = profile["transactionId"]
        return parameters

    async def _remote_start(self, request: Request) -> Payload:
        parameters = _renamed(request)
        if "chargingProfile" in request.payload:
            parameters["chargingProfilePk"] = await self._profile(request.payload["chargingProfile"])
        return parameters

    async def _send_local_list(self, request: Request) -> Payload:
        given = request.payload
        entries = given.get("localAuthorizationList", [])
        # A full list is what SteVe knows, all of it: nobody can choose among its idTags.
        return {
            "listVersion": given["listVersion"],
            "updateType": given["updateType"],
            "sendEmptyListWhenFull": not entries,
            "addUpdateList": [entry["idTag"] for entry in entries if "idTagInfo" in entry],
            "deleteList": [entry["idTag"] for entry in entries if "idTagInfo" not in entry],
        }

    async def _update_firmware(self, request: Request) -> Payload:
        parameters = _renamed(request)
        parameters["retrieveDateTime"] = _not_over(parameters.get("retrieveDateTime"))
        return parameters

    async def _signed_update_firmware(self, request: Request) -> Payload:
        given, firmware = request.payload, request.payload["firmware"]
        parameters: Payload = {name: given[name] for name in ("retries", "retryInterval") if name in given}
        parameters |= {name: firmware[name] for name in ("location", "signature", "signingCertificate")}
        parameters["retrieveDateTime"] = _not_over(firmware.get("retrieveDateTime"))
        if "installDateTime" in firmware:
            parameters["installDateTime"] = _not_over(firmware["installDateTime"])
        return parameters

    async def _get_log(self, request: Request) -> Payload:
        given, log = request.payload, request.payload["log"]
        names = {"remoteLocation": "location", "oldestTimestamp": "start", "latestTimestamp": "stop"}
        parameters = {name: given[name] for name in ("logType", "retries", "retryInterval") if name in given}
        return parameters | {theirs: log[ours] for ours, theirs in names.items() if ours in log}

    async def _delete_certificate(self, request: Request) -> Payload:
        wanted = request.payload["certificateHashData"]
        page = await self._page("/manager/certificates/installed", {"chargeBoxId": request.charge_point})
        for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL):
            number = re.search(r"/delete/(\d+)", row)
            if number and all(f">{wanted[name]}<" in row for name in ("issuerNameHash", "issuerKeyHash")):
                if f">{wanted['serialNumber']}<" in row:
                    return {"installedCertificateId": int(number[1])}
        raise Refused(f"SteVe lists no installed certificate with serialNumber {wanted['serialNumber']}")

    async def _profile(self, profile: Payload) -> int:
        """The charging profile in SteVe's database, added if it is not there: its chargingProfileId is SteVe's."""
        form = _profile_form(profile)
        form["description"] = f"rehearsal {hashlib.sha256(repr(form).encode()).hexdigest()[:16]}"
        if (known := await self._profile_number(form["description"])) is None:
            await self._submit("/manager/chargingProfiles/add", {**form, "add": "Add"})
            known = await self._profile_number(form["description"])
        if known is None:
            raise Refused("SteVe did not take the charging profile")
        return known

    async def _profile_number(self, description: str) -> int | None:
        page = await self._page("/manager/chargingProfiles/query", {"description": description})
        numbers = [int(number) for number in re.findall(r"/chargingProfiles/details/(\d+)", page)]
        return max(numbers, default=None)

    # What must be known before a run

    async def _add_charge_point(self, identity: str, profile: int) -> None:
        """One that is there already stays as it is: its security profile may be what a case has made of it."""
        page = await self._page("/manager/chargepoints/query", {"chargeBoxId": identity})
        if f">{identity}</a>" in page:
            return
        form = {
            "chargeBoxId": identity,
            "registrationStatus": "ACCEPTED",
            "insertConnectorStatusAfterTransactionMsg": "true",
            "securityProfile": f"Profile_{profile}",
            "address.street": "",  # without a field of its address SteVe fails
            "add": "Add",
        }
        if profile in (1, 2):
            form["authPassword"] = _secret(self._charge_point_password_from)
        await self._submit("/manager/chargepoints/add/single", form, "/manager/chargepoints/add")

    async def _know(self, id_tag: str, parent: str | None = None, *, limit: int = -1, expired: bool = False) -> None:
        """``limit``: how many transactions at a time; 0 blocks it, -1 is no limit."""
        tag = {"idTag": id_tag, "maxActiveTransactionCount": limit, "parentIdTag": parent}
        if (found := await self._tag(id_tag)) is None:
            found = await self._call("POST", "/ocppTags", tag)
        else:
            await self._call("PUT", f"/ocppTags/{found['ocppTagPk']}", tag)
        if expired:
            await self._call("PATCH", f"/ocppTags/{found['ocppTagPk']}/expire")

    async def _tag(self, id_tag: str) -> dict[str, Any] | None:
        found = await self._call("GET", "/ocppTags", {"idTag": id_tag})
        return next((each for each in found if each["idTag"] == id_tag), None)

    # The Web API and the web pages

    async def _operate(self, request: Request, parameters: Payload) -> dict[str, Any]:
        body = {"chargeBoxIdList": [request.charge_point], **parameters}
        told: dict[str, Any] = await self._call("POST", f"/operations/{request.action}", body, request.time_limit)
        return told

    async def _call(self, method: str, path: str, content: Payload | None = None, limit: float = LIMIT) -> Any:
        """Raises ``Refused``."""
        if self._api is None:
            self._api = httpx.AsyncClient(auth=self._api_credentials, verify=self._tls, trust_env=False)
        kind = "params" if method == "GET" else "json"
        arguments: dict[str, Any] = {kind: content} if content is not None else {}
        try:
            answer = await self._api.request(method, f"{self._url}/api/v1{path}", timeout=limit, **arguments)
        except httpx.HTTPError as error:
            raise Refused(f"SteVe at {self._url} cannot be asked: {error!r}") from None
        if answer.is_error:
            raise Refused(f"SteVe answered {path} with {answer.status_code}: {_message(answer)}")
        return answer.json()

    async def _page(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """A web page, after signing in where that is due. Raises ``Refused``."""
        answer = await self._visit("GET", path, params=query)
        if answer.has_redirect_location and "signin" in answer.headers["location"]:
            await self._sign_in()
            answer = await self._visit("GET", path, params=query)
        if answer.status_code != httpx.codes.OK:
            raise Refused(f"SteVe answered {path} with {answer.status_code}")
        return answer.text

    async def _submit(self, path: str, form: Mapping[str, str], page: str | None = None) -> None:
        """Fill in the form of a page. One that is taken leads elsewhere. Raises ``Refused``."""
        token = _token(await self._page(page or path))
        answer = await self._visit("POST", path, data={**form, "_csrf": token})
        if not answer.has_redirect_location:
            told = answer.text.partition('class="error"')[2].partition("</div>")[0]
            faults = [html.unescape(fault) for fault in re.findall(r"<(?:li|p)>(.*?)</", told)]
            raise Refused(f"SteVe did not take the form {path}: {faults[0] if faults else answer.status_code}")

    async def _sign_in(self) -> None:
        page = await self._visit("GET", "/manager/signin")
        form = {**self._credentials, "_csrf": _token(page.text)}
        answer = await self._visit("POST", "/manager/signin", data=form)
        if "error" in answer.headers.get("location", "error"):
            raise Refused(f"SteVe did not let {self._credentials['username']} sign in")

    async def _visit(self, method: str, path: str, **content: Any) -> httpx.Response:
        if self._web is None:
            self._web = httpx.AsyncClient(timeout=LIMIT, verify=self._tls, trust_env=False)
        try:
            return await self._web.request(method, self._url + path, **content)
        except httpx.HTTPError as error:
            raise Refused(f"SteVe at {self._url} cannot be asked: {error!r}") from None


def _secret(name: str) -> str:
    if not (value := os.environ.get(name)):
        raise ValueError(f"the environment variable {name} holds no password of SteVe")
    return value


def _renamed(request: Request) -> Payload:
    names = FIELDS[request.action]
    return {names[name]: value for name, value in request.payload.items() if name in names}


def _not_over(instant: str | None) -> str:
    soon = datetime.now(UTC) + SOON
    given = datetime.fromisoformat(instant) if instant else soon
    return max(given, soon).isoformat()


def _profile_form(profile: Payload) -> dict[str, str]:
    """A charging profile in the fields of the form, which takes whole minutes, and a start after validFrom."""
    schedule = profile["chargingSchedule"]
    form = {"stackLevel": str(profile["stackLevel"])}
    kinds = ("chargingProfilePurpose", "chargingProfileKind", "recurrencyKind")
    form |= {name: _constant(profile[name]) for name in kinds if name in profile}
    rates = ("chargingRateUnit", "minChargingRate")
    form |= {name: str(schedule[name]) for name in rates if name in schedule}
    if "duration" in schedule:
        form["durationInSeconds"] = str(schedule["duration"])
    start = _minute(schedule["startSchedule"]) if "startSchedule" in schedule else None
    if start:
        form["startSchedule"] = f"{start:%Y-%m-%d %H:%M}"
    if profile["chargingProfilePurpose"] != "TxProfile":  # SteVe takes no validity for one
        if "validFrom" in profile:
            valid_from = _minute(profile["validFrom"])
            if start:
                valid_from = min(valid_from, start - timedelta(minutes=1))
            form["validFrom"] = f"{valid_from:%Y-%m-%d %H:%M}"
        if "validTo" in profile:
            form["validTo"] = f"{_minute(profile['validTo']):%Y-%m-%d %H:%M}"
    periods = {"startPeriod": "startPeriodInSeconds", "limit": "powerLimit", "numberPhases": "numberPhases"}
    for index, period in enumerate(schedule["chargingSchedulePeriod"]):
        form |= {f"schedulePeriods[{index}].{periods[name]}": str(value) for name, value in period.items()}
    return form


def _constant(word: str) -> str:
    """A word of OCPP as a form of SteVe has it: TX_PROFILE for TxProfile."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).upper()


def _minute(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(UTC).replace(second=0, microsecond=0)


def _token(page: str) -> str:
    """The token that a form of a page must be sent with."""
    found = re.search(r'name="_csrf" value="([^"]+)"', page)
    if found is None:
        raise Refused("a page of SteVe has no form")
    return found[1]


def _message(answer: httpx.Response) -> str:
    try:
        told = answer.json()
    except ValueError:
        return answer.reason_phrase
    return hidden(" ".join(str(told.get("message", answer.reason_phrase)).split()))[:300]
