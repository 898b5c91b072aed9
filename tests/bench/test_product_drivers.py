"""The drivers for SteVe and CitrineOS, held against answers that these products have given."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bench.operators import Beginning, Outcome, Request
from bench.operators.citrineos import CitrineOS
from bench.operators.driver import Driver
from bench.operators.steve import SteVe
from ocppj.secrets import masked

ANSWERS = {"taskId": 7, "taskFinished": True, "successResponses": [], "errorResponses": [], "exceptions": []}
ACCEPTED = ANSWERS | {"successResponses": [{"chargeBoxId": "CP1", "response": "Accepted"}]}
NOT_THERE = {
    "error": "Bad Request",
    "message": "No stations are eligible for communication. Ensure that the chargeBox IDs are correct and the stations "
    "are online.",
    "path": "/api/v1/operations/Reset",
    "status": 400,
    "timestamp": "2026-11-26T04:53:59.084Z",
}
FORM = '<form action="#" method="post"><input type="hidden" name="_csrf" value="a-token"/></form>'
PROFILES = '<tr><td><a href="/steve/manager/chargingProfiles/details/{0}">{0}</a></td></tr>'
CERTIFICATES = """<tr>
    <td>SHA256</td>
    <td>aa11</td>
    <td>bb22</td>
    <td>{serial}</td>
    <td><form action="/steve/manager/certificates/installed/CP1/delete/{number}" method="post"></form></td>
</tr>"""
WRONG_FORM = """<div class="error">
    Error while trying to add a charging profile:
    <ul><li>Stack Level has to be set</li><li>Another &amp; more</li></ul>
</div>"""

SCHEDULE = {
    "duration": 300,
    "startSchedule": "2026-11-26T04:12:34Z",
    "chargingRateUnit": "A",
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0, "numberPhases": 3}],
}
PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "validFrom": "2026-11-26T04:12:34Z",
    "validTo": "2026-11-27T04:12:34Z",
    "chargingSchedule": SCHEDULE,
}


@dataclass
class Product:
    """An HTTP server that answers as a product has answered, and knows what it was asked."""

    answers: dict[str, Any] = field(
        default_factory=dict
    )  # "POST /path" -> JSON, text, (status, JSON), or a redirection
    asked: list[tuple[str, Any]] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Whatever was recorded for a path, and what was sent to it."""
        name = f"{request.method} {request.path}"
        sent = await request.json() if request.content_type == "application/json" else dict(await request.post())
        self.asked.append((name, sent or dict(request.query)))
        self.queries.append(dict(request.query))
        recorded = self.answers.get(name, (404, {"message": "Not Found"}))
        if callable(recorded):
            recorded = recorded(self)
        match recorded:
            case web.StreamResponse():
                return recorded
            case str():
                return web.Response(text=recorded, content_type="text/html")
            case (int() as status, told):
                return web.json_response(told, status=status)
        return web.json_response(recorded)

    def sent(self, name: str) -> list[Any]:
        """What came to a path."""
        return [sent for each, sent in self.asked if each == name]

    @asynccontextmanager
    async def served(self) -> Any:
        """On a free port of this machine."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()


def led_to(place: str) -> Callable[[Product], web.Response]:
    return lambda _: web.Response(status=302, headers={"Location": place})


def told_once_known(known: str, after: str) -> Callable[[Product], str]:
    """A page that lists something once another form was sent."""
    return lambda product: known if product.sent(after) else ""


def with_driver(product: Product, make: Callable[[str], Driver], use: Callable[[Any], Awaitable[Any]]) -> Any:
    async def work() -> Any:
        async with product.served() as url:
            driver = make(url)
            try:
                return await use(driver)
            finally:
                await driver.close()  # type: ignore[attr-defined]  # both have one

    return asyncio.run(work())


def asked_for(action: str, payload: dict[str, Any], party: Any = "Central System") -> Request:
    return Request(party, action, payload, f"When the Central System sends {action}.req", "TC", "CP1", 20.0)


# SteVe


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEVE_PASSWORD", "web-secret")
    monkeypatch.setenv("STEVE_API_PASSWORD", "api-secret")
    monkeypatch.setenv("REHEARSE_PASSWORD", "an-authorization-key")


def steve(product: Product, action: str, payload: dict[str, Any]) -> Outcome:
    outcome = with_driver(product, SteVe, lambda driver: driver.ask(asked_for(action, payload)))
    assert isinstance(outcome, Outcome)
    return outcome


# Action -> what is asked for -> what SteVe is sent beside the identity.
OPERATIONS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("Reset", {"type": "Hard"}, {"resetType": "Hard"}),
    ("ClearCache", {}, {}),
    ("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}, {"connectorId": 1, "availType": "Inoperative"}),
    ("RemoteStopTransaction", {"transactionId": 4}, {"transactionId": 4}),
    ("RemoteStartTransaction", {"idTag": "A", "connectorId": 1}, {"idTag": "A", "connectorId": 1}),
    (
        "ReserveNow",
        {"reservationId": 9, "connectorId": 1, "idTag": "A", "expiryDate": "2026-11-26T05:38:30Z"},
        {"connectorId": 1, "idTag": "A", "expiry": "2026-11-26T05:38:30Z"},
    ),
    ("GetConfiguration", {}, {"commaSeparatedCustomConfKeys": ""}),
    ("GetConfiguration", {"key": ["A", "B"]}, {"commaSeparatedCustomConfKeys": "A,B"}),
    (
        "ChangeConfiguration",
        {"key": "HeartbeatInterval", "value": "60"},
        {"keyType": "CUSTOM", "customConfKey": "HeartbeatInterval", "value": "60"},
    ),
    ("ClearChargingProfile", {"id": 3}, {"filterType": "ChargingProfileId", "chargingProfilePk": 3}),
    ("ClearChargingProfile", {"stackLevel": 1}, {"filterType": "OtherParameters", "stackLevel": 1}),
    (
        "SendLocalList",
        {"listVersion": 1, "updateType": "Full"},
        {
            "listVersion": 1,
            "updateType": "Full",
            "sendEmptyListWhenFull": True,
            "addUpdateList": [],
            "deleteList": [],
        },
    ),
    (
        "SendLocalList",
        {
            "listVersion": 2,
            "updateType": "Differential",
            "localAuthorizationList": [{"idTag": "A", "idTagInfo": {"status": "Accepted"}}, {"idTag": "B"}],
        },
        {
            "listVersion": 2,
            "updateType": "Differential",
            "sendEmptyListWhenFull": False,
            "addUpdateList": ["A"],
            "deleteList": ["B"],
        },
    ),
    (
        "GetLog",
        {"logType": "SecurityLog", "requestId": 1, "log": {"remoteLocation": "ftp://127.0.0.1/log"}},
        {"logType": "SecurityLog", "location": "ftp://127.0.0.1/log"},
    ),
]


@pytest.mark.parametrize(("action", "payload", "sent"), OPERATIONS)
def test_steve_is_asked_in_its_own_words(action: str, payload: dict[str, Any], sent: dict[str, Any]) -> None:
    product = Product({f"POST /api/v1/operations/{action}": ACCEPTED})
    assert steve(product, action, payload) == Outcome("done")
    assert product.sent(f"POST /api/v1/operations/{action}") == [{"chargeBoxIdList": ["CP1"], **sent}]


def test_steve_is_given_no_instant_that_is_over() -> None:
    product = Product({"POST /api/v1/operations/UpdateFirmware": ACCEPTED})
    past = {"location": "ftp://127.0.0.1/image", "retrieveDate": "2026-11-26T04:00:00Z"}
    assert steve(product, "UpdateFirmware", past).answer == "done"
    future = past | {"retrieveDate": "2099-11-26T04:00:00+00:00"}
    assert steve(product, "UpdateFirmware", future).answer == "done"
    first, second = (sent["retrieveDateTime"] for sent in product.sent("POST /api/v1/operations/UpdateFirmware"))
    assert past["retrieveDate"] < first < second == future["retrieveDate"]


def test_steve_chooses_a_password_as_text() -> None:
    product = Product({"POST /api/v1/operations/ChangeConfiguration": ACCEPTED})
    steve(product, "ChangeConfiguration", {"key": "AuthorizationKey", "value": "00" * 20})
    (sent,) = product.sent("POST /api/v1/operations/ChangeConfiguration")
    assert (sent["value"].isascii(), len(sent["value"])) == (True, 20)
    assert masked(f"it does not take {sent['value']}") == "it does not take ***"


def signed_in(**pages: Any) -> dict[str, Any]:
    return {
        "GET /manager/signin": FORM,
        "POST /manager/signin": led_to("/manager/home"),
        **{f"{name.replace('_', ' ', 1)}": page for name, page in pages.items()},
    }


def adding_profiles(listed: Any, added: Any) -> Product:
    add = "/manager/chargingProfiles/add"
    product = Product(signed_in())
    product.answers |= {
        "GET /manager/chargingProfiles/query": listed,
        f"GET {add}": FORM,
        f"POST {add}": added,
        "POST /api/v1/operations/SetChargingProfile": ACCEPTED,
        "POST /api/v1/operations/RemoteStartTransaction": ACCEPTED,
    }
    return product


def test_steve_gets_a_charging_profile_through_its_form() -> None:
    add = "POST /manager/chargingProfiles/add"
    product = adding_profiles(told_once_known(PROFILES.format(12), add), led_to("/manager/chargingProfiles"))
    asked = {"connectorId": 1, "csChargingProfiles": PROFILE}
    assert steve(product, "SetChargingProfile", asked) == Outcome("done")
    (form,) = product.sent(add)
    description = form.pop("description")
    # Whole minutes, and a start after validFrom: it takes nothing else.
    assert form == {
        "stackLevel": "0",
        "chargingProfilePurpose": "TX_DEFAULT_PROFILE",
        "chargingProfileKind": "ABSOLUTE",
        "chargingRateUnit": "A",
        "durationInSeconds": "300",
        "startSchedule": "2026-11-26 04:12",
        "validFrom": "2026-11-26 04:11",
        "validTo": "2026-11-27 04:12",
        "schedulePeriods[0].startPeriodInSeconds": "0",
        "schedulePeriods[0].powerLimit": "6.0",
        "schedulePeriods[0].numberPhases": "3",
        "add": "Add",
        "_csrf": "a-token",
    }
    assert product.sent("GET /manager/chargingProfiles/query") == [{"description": description}] * 2
    (sent,) = product.sent("POST /api/v1/operations/SetChargingProfile")
    assert sent == {"chargeBoxIdList": ["CP1"], "connectorId": 1, "chargingProfilePk": 12}


def test_steve_has_a_charging_profile_once() -> None:
    product = adding_profiles(PROFILES.format(12), "")
    profile = PROFILE | {"chargingProfilePurpose": "TxProfile"}
    started = {"idTag": "A", "connectorId": 1, "chargingProfile": profile}
    assert steve(product, "RemoteStartTransaction", started) == Outcome("done")
    assert product.sent("POST /manager/chargingProfiles/add") == []
    (sent,) = product.sent("POST /api/v1/operations/RemoteStartTransaction")
    assert sent["chargingProfilePk"] == 12


def test_steve_takes_no_validity_for_a_tx_profile() -> None:
    add = "POST /manager/chargingProfiles/add"
    product = adding_profiles(told_once_known(PROFILES.format(12), add), led_to("/manager/chargingProfiles"))
    profile = PROFILE | {"chargingProfilePurpose": "TxProfile", "transactionId": 4}
    assert steve(product, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile}) == Outcome("done")
    (form,) = product.sent(add)
    assert form["chargingProfilePurpose"] == "TX_PROFILE"
    assert not form.keys() & {"validFrom", "validTo"}
    (sent,) = product.sent("POST /api/v1/operations/SetChargingProfile")
    assert sent["transactionId"] == 4


def test_steve_says_why_it_does_not_take_a_form() -> None:
    product = adding_profiles("", WRONG_FORM)
    outcome = steve(product, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": PROFILE})
    assert outcome == Outcome(
        "gave up", "SteVe did not take the form /manager/chargingProfiles/add: Stack Level has to be set"
    )


@pytest.mark.parametrize(("serial", "answer"), [("2a", "done"), ("2b", "gave up")])
def test_steve_deletes_the_certificate_that_is_meant(serial: str, answer: str) -> None:
    listed = CERTIFICATES.format(serial="29", number=1) + CERTIFICATES.format(serial="2a", number=2)
    product = Product(signed_in())
    product.answers |= {
        "GET /manager/certificates/installed": listed,
        "POST /api/v1/operations/DeleteCertificate": ACCEPTED,
    }
    wanted = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa11", "issuerKeyHash": "bb22", "serialNumber": serial}
    assert steve(product, "DeleteCertificate", {"certificateHashData": wanted}).answer == answer
    deleted = product.sent("POST /api/v1/operations/DeleteCertificate")
    assert [sent["installedCertificateId"] for sent in deleted] == ([2] if answer == "done" else [])


FAILED = ANSWERS | {"exceptions": [{"chargeBoxId": "CP1", "exceptionMessage": "the station did not respond"}]}


@pytest.mark.parametrize(
    ("recorded", "words"),
    [
        ((400, NOT_THERE), "SteVe answered /operations/Reset with 400: No stations are eligible for communication."),
        ((401, {"message": "Invalid password"}), "SteVe answered /operations/Reset with 401: Invalid password"),
        (web.Response(status=502), "SteVe answered /operations/Reset with 502: Bad Gateway"),
        (FAILED, "SteVe: the station did not respond"),
    ],
)
def test_steve_that_did_not_send_it(recorded: Any, words: str) -> None:
    outcome = steve(Product({"POST /api/v1/operations/Reset": recorded}), "Reset", {"type": "Hard"})
    assert outcome.answer == "gave up"
    assert outcome.words.startswith(words)
    assert "secret" not in outcome.words


def test_steve_that_is_not_there() -> None:
    outcome = asyncio.run(SteVe("http://127.0.0.1:1").ask(asked_for("Reset", {"type": "Hard"})))
    assert outcome.answer == "gave up"
    assert outcome.words.startswith("SteVe at http://127.0.0.1:1 cannot be asked: ConnectError")


def test_steve_that_lets_nobody_sign_in() -> None:
    product = Product(
        {
            "GET /manager/signin": FORM,
            "POST /manager/signin": led_to("/manager/signin?error"),
            "GET /manager/chargingProfiles/query": led_to("/manager/signin"),
        }
    )
    outcome = steve(product, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": PROFILE})
    assert outcome == Outcome("gave up", "SteVe did not let admin sign in")


def test_steve_signs_in_where_it_is_asked_to() -> None:
    sign_in = "POST /manager/signin"
    page = lambda product: PROFILES.format(5) if product.sent(sign_in) else led_to("/manager/signin")(product)  # noqa: E731
    product = adding_profiles(page, "")
    assert steve(product, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": PROFILE}).answer == "done"
    assert product.sent(sign_in) == [{"username": "admin", "password": "web-secret", "_csrf": "a-token"}]


@pytest.mark.parametrize("name", ["STEVE_PASSWORD", "STEVE_API_PASSWORD"])
def test_steve_needs_its_passwords(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ValueError, match=f"the environment variable {name} holds no password of SteVe"):
        SteVe("http://127.0.0.1:8180/steve")


@pytest.mark.parametrize(("action", "party"), [("CertificateSigned", "Central System"), ("plug_in", "Charge Point")])
def test_steve_cannot_be_asked_for_everything(action: str, party: str) -> None:
    product = Product()
    outcome = with_driver(product, SteVe, lambda driver: driver.ask(asked_for(action, {}, party)))
    assert (outcome.answer, product.asked) == ("gave up", [])


TEST_DATA = {
    "ValidIdTag": "VALID",
    "ValidIdTag2": "VALID2",
    "ParentIdTag": "GROUP",
    "ExpiredIdTag": "OLD",
    "BlockedIdTag": "LOST",
    "InvalidIdTag": "NOBODY",
}


def beginning(case: str = "", profile: int = 0) -> Beginning:
    return Beginning(case, {"identity": "CP1", "security": {"profile": profile}}, TEST_DATA)


def listing(tags: dict[str, int], note: str = "") -> list[dict[str, Any]]:
    return [{"idTag": tag, "ocppTagPk": number, "note": note or None} for tag, number in tags.items()]


def test_steve_is_told_of_the_charge_point_and_the_id_tags() -> None:
    add = "/manager/chargepoints/add/single"
    product = Product(signed_in())
    product.answers |= {
        "GET /manager/chargepoints/query": "<a>CP10</a>",
        "GET /manager/chargepoints/add": FORM,
        f"POST {add}": led_to("/manager/chargepoints"),
        "GET /api/v1/ocppTags": listing({"VALID": 3}),  # of those alone it knows one
        "POST /api/v1/ocppTags": {"ocppTagPk": 8, "idTag": "any"},
        "PUT /api/v1/ocppTags/3": {},
        "PATCH /api/v1/ocppTags/8/expire": {},
    }
    with_driver(product, SteVe, lambda driver: driver.before_run(beginning(profile=2)))
    (form,) = product.sent(f"POST {add}")
    assert (form["chargeBoxId"], form["securityProfile"]) == ("CP1", "Profile_2")
    assert form["authPassword"] == "an-authorization-key"
    told = {sent["idTag"]: (sent["maxActiveTransactionCount"], sent["parentIdTag"]) for sent in _tags(product)}
    assert told == {
        "GROUP": (-1, None),
        "VALID": (-1, "GROUP"),
        "VALID2": (-1, "GROUP"),
        "LOST": (0, None),
        "OLD": (-1, None),
    }
    assert len(product.sent("PATCH /api/v1/ocppTags/8/expire")) == 1


def _tags(product: Product) -> Iterator[dict[str, Any]]:
    yield from product.sent("POST /api/v1/ocppTags")
    yield from product.sent("PUT /api/v1/ocppTags/3")


def test_steve_keeps_a_charge_point_that_it_knows() -> None:
    product = Product(signed_in())
    product.answers |= {
        "GET /manager/chargepoints/query": '<td><a href="/steve/manager/chargepoints/details/1">CP1</a></td>',
        "GET /api/v1/ocppTags": [],
        "POST /api/v1/ocppTags": {"ocppTagPk": 8, "idTag": "any"},
        "PATCH /api/v1/ocppTags/8/expire": {},
    }
    with_driver(product, SteVe, lambda driver: driver.before_run(beginning()))
    assert not any("chargepoints/add" in name for name, _ in product.asked)


@pytest.mark.parametrize(
    ("known", "deleted"),
    [
        (listing({"NOBODY": 22}, "This unknown idTag was used in a transaction that started @ 2026-11-26."), 1),
        (listing({"NOBODY": 22}, "a card of ours"), 0),
        (listing({"NOBODY": 22}), 0),
        ([], 0),
    ],
)
def test_steve_forgets_what_it_has_learnt_from_a_case(known: Any, deleted: int) -> None:
    product = Product({"GET /api/v1/ocppTags": known, "DELETE /api/v1/ocppTags/22": {}})
    with_driver(product, SteVe, lambda driver: driver.before_case(beginning("TC_023_1_CSMS")))
    assert len(product.sent("DELETE /api/v1/ocppTags/22")) == deleted


# CitrineOS


def citrineos(product: Product, action: str, payload: dict[str, Any]) -> Outcome:
    def make(url: str) -> CitrineOS:
        return CitrineOS(url, tenant=2)

    outcome = with_driver(product, make, lambda driver: driver.ask(asked_for(action, payload)))
    assert isinstance(outcome, Outcome)
    return outcome


def test_citrineos_is_sent_the_payload() -> None:
    path = "/ocpp/1.6/evdriver/remoteStartTransaction"
    product = Product({f"POST {path}": [{"success": True}]})
    assert citrineos(product, "RemoteStartTransaction", {"idTag": "A", "connectorId": 1}) == Outcome("done")
    assert product.sent(f"POST {path}") == [{"idTag": "A", "connectorId": 1}]
    assert product.queries == [{"identifier": "CP1", "tenantId": "2"}]


@pytest.mark.parametrize(
    ("recorded", "words"),
    [
        (
            [{"success": False, "payload": "No connection found for identifier: 1:CP1"}],
            "CitrineOS did not send Reset: No connection found for identifier: 1:CP1",
        ),
        (
            (400, {"statusCode": 400, "message": "body/type must be equal to one of the allowed values"}),
            "CitrineOS answered reset with 400: ",
        ),
    ],
)
def test_citrineos_that_did_not_send_it(recorded: Any, words: str) -> None:
    outcome = citrineos(Product({"POST /ocpp/1.6/configuration/reset": recorded}), "Reset", {"type": "Hard"})
    assert outcome.answer == "gave up"
    assert outcome.words.startswith(words)


def test_citrineos_that_is_not_there() -> None:
    outcome = asyncio.run(CitrineOS("http://127.0.0.1:1").ask(asked_for("Reset", {"type": "Hard"})))
    assert outcome.answer == "gave up"
    assert outcome.words.startswith("CitrineOS at http://127.0.0.1:1 cannot be asked: ConnectError")


def test_citrineos_cannot_do_what_has_no_endpoint() -> None:
    product = Product()
    assert citrineos(product, "SendLocalList", {}).answer == "device cannot"
    assert product.asked == []
