"""CitrineOS: the message API of its modules for OCPP 1.6.

Written from ``/docs`` of the product and proven against it: CitrineOS 1.8.3 (commit 6e2b16fe).
"""

import httpx

from bench.operators import Outcome, Request
from ocppj.secrets import hidden

# The actions that have an endpoint, by the module whose it is.
MODULES = {
    "ChangeAvailability": "configuration",
    "ChangeConfiguration": "configuration",
    "ClearCache": "evdriver",
    "ClearChargingProfile": "smartcharging",
    "DataTransfer": "configuration",
    "GetCompositeSchedule": "smartcharging",
    "GetConfiguration": "configuration",
    "GetDiagnostics": "reporting",
    "RemoteStartTransaction": "evdriver",
    "RemoteStopTransaction": "evdriver",
    "Reset": "configuration",
    "SetChargingProfile": "smartcharging",
    "TriggerMessage": "configuration",
    "UnlockConnector": "evdriver",
    "UpdateFirmware": "configuration",
}


class CitrineOS:
    """The driver ``citrineos``.

    ``url``: of its HTTP interface, as in ``http://127.0.0.1:8080``. ``tenant``: whose the Charge Point is. An action
    without an endpoint it cannot send at all: its web interface has no other way to its core than these endpoints.
    """

    def __init__(self, url: str, tenant: int | str = 1) -> None:
        self._url = url.rstrip("/")
        self._tenant = str(tenant)
        self._http: httpx.AsyncClient | None = None

    async def ask(self, request: Request) -> Outcome:
        """Have CitrineOS send a request. It answers when it has queued the request."""
        if request.party != "Central System":
            return Outcome("gave up", f"CitrineOS has no hands at a {request.party}")
        if (module := MODULES.get(request.action)) is None:
            return Outcome("device cannot", f"CitrineOS cannot send {request.action}: it has no endpoint for OCPP 1.6")
        if self._http is None:
            self._http = httpx.AsyncClient(trust_env=False)
        endpoint = request.action[0].lower() + request.action[1:]
        try:
            answer = await self._http.post(
                f"{self._url}/ocpp/1.6/{module}/{endpoint}",
                params={"identifier": request.charge_point, "tenantId": self._tenant},
                json=request.payload,
                timeout=request.time_limit,
            )
        except httpx.HTTPError as error:
            return Outcome("gave up", f"CitrineOS at {self._url} cannot be asked: {error!r}")
        if answer.is_error:
            said = hidden(answer.text)[:300]
            return Outcome("gave up", f"CitrineOS answered {endpoint} with {answer.status_code}: {said}")
        for confirmation in answer.json():
            if not confirmation["success"]:
                said = hidden(f"CitrineOS did not send {request.action}: {confirmation.get('payload')}")
                return Outcome("gave up", said[:300])
        return Outcome("done")

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
