"""A Charge Point of somebody else, through all cases of a run: what is known of it, and how it is brought to rest.

A case begins with the Charge Point connected, accepted and idle, as the one before found it. What cannot be brought
there is no judgement: the case is inconclusive and says why.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from math import inf, isfinite

from bench.bench import Bench
from bench.credentials import Credentials
from bench.device import Device
from bench.hands import seen
from bench.life import sign_of_life
from bench.messages import is_accepted, messages, registration_told
from bench.residue import Residue
from bench.trust import Trust
from bench.verdicts import Failed, Inconclusive
from ocppj.errors import CallFailed, Unanswered
from ocppj.frames import Payload
from ocppj.transcript import Record
from reference_csms import store
from reference_csms.central_system import CentralSystem

PRE_AUTHORIZE = "localpreauthorize"  # with it a cached idTag is not asked about, which cases count on
CHARGING = ("Charging", "SuspendedEV", "SuspendedEVSE")
NOTHING_TO_UNPLUG = ("Reserved", "Unavailable")
UPDATING = (
    *("Downloading", "Downloaded", "Installing"),
    *("DownloadPaused", "DownloadScheduled", "InstallRebooting", "InstallScheduled", "SignatureVerified"),
)
# What is not among the values to give back: one is not told (white paper 7.2), the other never lowered (A00.FR.005).
NOT_GIVEN_BACK = {"authorizationkey", "securityprofile"}
SLOW = ("CancelReservation", "ChangeAvailability", "RemoteStopTransaction")


class ChargePointUnderTest:
    """What one case must know of those before it."""

    def __init__(self, device: Device, central_system: CentralSystem, credentials: Credentials) -> None:
        self.central_system = central_system
        self.plugged: set[int] = set()  # where the operator was asked to put a cable in
        self.has_power = True  # as far as the operator was asked for
        self.hands_are_proven = False  # whether anything that its operator did has shown on the wire
        self._broken: set[int] = set()  # connectors that the operator was asked to break, 0 for all
        self._locked_for: dict[int, str] = {}  # connector -> the idTag that alone may release its cable
        self._was_cut = False  # whether a case has cut its connection
        self._is_heard = False  # whether its connectors were waited for since it booted first
        self._has_list = False  # whether it may hold a Local Authorization List that a case has sent
        self._stores_list = True  # as far as the operator was asked for
        self._is_left = False  # whether a session that was interrupted may have left it anyhow
        self._device = device
        self._configuration: dict[str, str] | None = None  # key in lower case -> value before the first case
        self._spelling: dict[str, str] = {}  # key in lower case -> as the Charge Point writes it
        self._changed: set[str] = set()  # keys in lower case
        self._inoperative: set[int] = set()
        self._reservations: set[int] = set()  # reservationIds that it has accepted since they were cancelled
        self._unstopped: set[int] = set()  # transactionIds that nothing has ended
        self._has_profiles = False  # whether a charging profile was sent since they were cleared
        self._has_cache = "authorization_cache" not in device.lacks
        self._latest = ""  # the id of the case before
        self._residue: list[Residue] = []  # what that one has left behind, and could not be undone
        self._trust = Trust(device.identity, central_system, credentials)

    def was_left(self, configuration: Mapping[str, str]) -> None:
        """An earlier session was interrupted and nobody knows what it was doing.

        ``configuration``: the values of the keys before the first case, as far as that session has told.
        """
        self._is_left = True
        if configuration:
            self._configuration = {key.casefold(): value for key, value in configuration.items()}
            self._spelling = {key.casefold(): key for key in configuration}

    @property
    def configuration(self) -> dict[str, str]:
        """The values of the keys before the first case, as the Charge Point spells them; empty until it was asked."""
        known = (self._configuration or {}).items()
        return {self._spelling.get(key, key): value for key, value in known if key not in NOT_GIVEN_BACK}

    @property
    def is_connected(self) -> bool:
        """Whether it is connected now."""
        return self.central_system.is_connected(self._device.identity)

    @property
    def _rest(self) -> float:
        """Seconds in which it reports what a request has changed: a second report may follow the first."""
        return 1.5 * self._device.limits.settle_time

    def configured(self, key: str) -> str | None:
        """The value that a configuration key had before the first case; None if it told of none."""
        return (self._configuration or {}).get(key.casefold())

    @property
    def connection_time_out(self) -> float:
        """Seconds that it waits for the EV driver (9.1.6), as far as it has told."""
        told = self.configured("ConnectionTimeOut") or ""
        return float(told) if told.isdigit() else inf

    def was_done(self, action: str, payload: Payload) -> None:
        """Note what its operator has done at it."""
        match action:
            case "plug_in":
                self.plugged.add(payload["connectorId"])
            case "unplug":
                self.plugged.discard(payload["connectorId"])
            case "lose_power" | "regain_power":
                self.has_power = action == "regain_power"
            case "fail" | "prevent_locking" | "prevent_unlocking":
                self._broken.add(payload["connectorId"])
            case "repair":
                self._broken.discard(payload["connectorId"])
            case "prevent_storing" | "allow_storing":
                self._stores_list = action == "allow_storing"

    async def come_back(self, bench: Bench) -> None:
        """Give it back the power and the network that a case has taken away. Raises ``Inconclusive``."""
        await self.central_system.restore_connection(self._device.identity)
        if not self.is_connected and self._trust.admit_former_password():
            self._was_cut = True
        if not self.has_power:
            self._known.accepted = False  # it will boot
            self._forget_reports()
            sentence = "the Charge Point has no power: give it its power back, so that the next case can begin"
            await self._ask(bench, "regain_power", {}, sentence)
        elif not self._was_cut:
            return
        self._was_cut = False
        await self.wait_connected()

    async def look_for_life(self, limit: float) -> str | None:
        """What there is instead of a sign of life; None if there is one. A case may have cut its connection."""
        identity, transcript = self._device.identity, self.central_system.transcript
        assert transcript is not None
        if not self.has_power:
            return None  # as was wanted
        await self.central_system.restore_connection(identity)
        start = len(transcript.records)
        with suppress(TimeoutError, CallFailed):
            async with asyncio.timeout(limit):
                if not self.is_connected:
                    await self.central_system.wait_connected(identity)
                    self._forget_reports()  # perhaps it has booted
                if not self._known.accepted:  # 4.2: nothing may be asked
                    return None
                await self.central_system.request(identity, "GetConfiguration", {"key": ["HeartbeatInterval"]})
        if sign_of_life(transcript.records[start:], "Charge Point", identity):
            return None
        return "it is connected and answers nothing" if self.is_connected else "it is not connected"

    def _forget_reports(self) -> None:
        """It tells anew of its connectors (errata 3.22, 4.9)."""
        self._known.connectors.clear()
        self._is_heard = False

    async def wait_connected(self) -> None:
        """Wait for its connection. Raises ``Inconclusive`` if it does not come."""
        limit = self._device.limits.long_operation_timeout
        try:
            async with asyncio.timeout(limit):
                await self.central_system.wait_connected(self._device.identity)
        except TimeoutError:
            is_secure = (self._device.security.profile or 0) > 1
            endpoint = self.central_system.secure_endpoint if is_secure else self.central_system.endpoint
            text = f"the Charge Point did not connect to {endpoint}/{self._device.identity} in {limit:g} s"
            raise Inconclusive(f"{text}{self._latest_refusal}") from None

    @property
    def _latest_refusal(self) -> str:
        """Why it was refused last, or somebody whom nobody knows; empty if nobody was."""
        of_it = [
            event for event in self.central_system.store.security_log if event.identity in ("", self._device.identity)
        ]
        return f"; refused was: {of_it[-1].tech_info}" if of_it else ""

    def remember(self, case_id: str, records: list[Record]) -> None:
        """Learn from a case that is over what the next one must set right."""
        self._latest = case_id
        self.central_system.store.certificate_fault = None
        self.hands_are_proven = self.hands_are_proven or seen(records)
        self._was_cut = any(record.get("action") == "lose_connection" for record in records)
        for message in messages(records):
            if message.type == "CALL" and message.sender == "Central System":
                self._remember_request(message.action, message.payload)
                if message.action == "InstallCertificate" and is_accepted(message, records):
                    self._trust.was_installed(message.payload)
                if message.action == "ReserveNow" and is_accepted(message, records):
                    self._reservations.add(message.payload["reservationId"])
            elif message.type == "CALL" and message.action == "StopTransaction":
                self._remember_lock(message.payload)
            if (status := registration_told(message, records)) is not None:
                self._known.accepted = status == "Accepted"

    def _remember_request(self, action: str, payload: Payload) -> None:
        if {"csChargingProfiles", "chargingProfile"} & payload.keys():
            self._has_profiles = True
        match action:
            case "ChangeConfiguration" if payload["key"].casefold() not in NOT_GIVEN_BACK:
                self._changed.add(payload["key"].casefold())
            case "ChangeAvailability" if payload["type"] == "Inoperative":
                self._inoperative.add(payload["connectorId"])
            case "ChangeAvailability":
                self._inoperative.discard(payload["connectorId"])
            case "SendLocalList":
                self._has_list = True

    def _remember_lock(self, stop: Payload) -> None:
        # 3.5.4, errata 3.5: the cable stays locked until the idTag is presented.
        number = stop.get("transactionId")
        transaction = self.central_system.store.transactions.get(number) if isinstance(number, int) else None
        if transaction and stop.get("reason") == "DeAuthorized":
            self._locked_for[transaction.connector_id] = transaction.id_tag

    async def come_to_rest(self, bench: Bench) -> None:
        """Bring it to where a case begins. Raises ``Inconclusive`` if it cannot be brought there."""
        self._residue = bench.residue
        try:
            await self._come_to_rest(bench)
        except Inconclusive as over:
            if not self._latest:
                raise
            text = str(Residue(self._latest, str(over)))
            raise Inconclusive(
                text, replace(over.evidence, text=text, cause=over.evidence.cause or str(over))
            ) from None

    def _stays(self, text: str) -> None:
        self._residue.append(Residue(self._latest or "whoever was here before", text))

    async def _come_to_rest(self, bench: Bench) -> None:
        """The list is emptied while it is enabled, and the cache is cleared when nobody presents an idTag any more."""
        await self._register(bench)
        if self._is_left:
            await self._start_over(bench)
        await self._hear_reports(bench)
        await self._repair(bench)
        await self._end_reservations()
        await self._end_transfers(bench)
        await self._empty_list()
        await self._restore_configuration()
        await self._stop_transactions(bench)
        await self._clear_charging_profiles(bench)
        await self._make_operative()
        for number in sorted(self.plugged - {bench.connector}):
            await self._free(bench, number)
        await self._free(bench, bench.connector)
        await self._clear_cache()
        await self._give_trust_back(bench.long_timeout)

    @property
    def _known(self) -> store.ChargePoint:
        return self.central_system.store.of(self._device.identity).charge_point

    async def _register(self, bench: Bench) -> None:
        known = self._known
        if known.accepted:
            return
        has_booted = bool(known.boot)
        limits = self._device.limits
        limit = limits.long_operation_timeout if has_booted else limits.message_timeout
        if not await bench.wire.until(lambda: known.accepted or None, bench.loop.time() + limit):
            if has_booted:
                raise Inconclusive("the Charge Point does not boot again since it was refused: restart it by hand")
            known.accepted = True  # OCPP-J 5.4: on a mere reconnection there should be no BootNotification
        await asyncio.sleep(self._rest)  # its StatusNotifications follow (errata 3.22)

    async def _start_over(self, bench: Bench) -> None:
        """Find out how it is, and let it stop the transactions of which nobody here knows: a Reset does both (5.14)."""
        transcript = self.central_system.transcript
        assert transcript is not None
        self._is_left, self._has_list, self._has_profiles = False, True, True
        if self._configuration is not None:
            now = await self._read_configuration()
            self._changed = {key for key, value in self._configuration.items() if now.get(key, value) != value}
        start = len(transcript.records)
        with suppress(CallFailed):  # a case will speak of it
            if (await self._call("Reset", {"type": "Soft"}))["status"] == "Accepted":
                self._forget_reports()
                deadline = bench.loop.time() + self._device.limits.long_operation_timeout
                await bench.wire.until(lambda: _has_booted(transcript.records[start:]) or None, deadline)
                await self.wait_connected()
                await asyncio.sleep(self._rest)
        await self._hear_reports(bench)
        self._broken.update(self._reported("Faulted"))

    async def _hear_reports(self, bench: Bench) -> None:
        """Wait, once, for the report of every connector that follows a boot (errata 3.22): none is to come later."""
        if not self._known.boot or self._is_heard:
            return
        connectors = range(int(self._device.data["NumberOfConnectors"]) + 1)

        def told() -> bool | None:
            return True if self._known.connectors.keys() >= set(connectors) else None

        await bench.wire.until(told, bench.loop.time() + self._device.limits.message_timeout)
        await asyncio.sleep(self._rest)  # it may have more connectors than we were told
        self._is_heard = True

    async def _end_reservations(self) -> None:
        """Cancel whatever it has accepted since: one that should be over (5.13) may still stand."""
        for number in sorted(self._reservations):
            with suppress(CallFailed):
                await self._call("CancelReservation", {"reservationId": number})
        self._reservations.clear()
        self._known.reservations.clear()
        for number in self._reported("Reserved"):  # 5.13: what becomes Unavailable is reserved no more
            with suppress(CallFailed):
                await self._call("ChangeAvailability", {"connectorId": number, "type": "Inoperative"})
            self._inoperative.add(number)

    async def _make_operative(self) -> None:
        reported = self._reported("Unavailable")
        for number in reported:
            await self._request("ChangeAvailability", {"connectorId": number, "type": "Operative"})
        for number in sorted(self._inoperative.difference(reported)):  # perhaps it only did not say so
            with suppress(CallFailed):
                await self._call("ChangeAvailability", {"connectorId": number, "type": "Operative"})
        self._inoperative.clear()

    async def _end_transfers(self, bench: Bench) -> None:
        known = self._known
        deadline = bench.loop.time() + self._device.limits.long_operation_timeout

        def is_over() -> bool | None:
            updates = {known.firmware_status, known.signed_firmware_status}
            uploads = {known.diagnostics_status, known.log_status}
            return None if updates.intersection(UPDATING) or "Uploading" in uploads else True

        if not await bench.wire.until(is_over, deadline):  # waited for once
            self._stays("a firmware update or an upload is not over")
            known.firmware_status = known.diagnostics_status = None
            known.signed_firmware_status = known.log_status = None

    async def _clear_cache(self) -> None:
        if not self._has_cache:
            return
        try:
            await self._call("ClearCache", {})
        except Unanswered:
            self._has_cache = False  # asked once, waited for once
        except CallFailed:
            pass  # errata 3.23: without a cache it refuses

    async def _clear_charging_profiles(self, bench: Bench) -> None:
        """What a case has set is cleared; what was there before too, if the case looks at limits."""
        if self._has_profiles or bench.case.profile == "SmartCharging":
            await self._clear_all_profiles()

    async def _clear_all_profiles(self) -> None:
        try:
            await self._call("ClearChargingProfile", {})
        except CallFailed as failure:  # errata 3.39: not without Smart Charging
            if self._has_profiles:
                self._stays(f"charging profiles are not cleared: {failure}")
        self._has_profiles = False

    async def _empty_list(self) -> None:
        """An update without entries (6.41). Who does not take it now is sent it again before the next case."""
        if not self._has_list:
            return
        try:
            conf = await self._call("SendLocalList", {"listVersion": 1, "updateType": "Full"})
            self._has_list = conf["status"] not in ("Accepted", "NotSupported")
            if self._has_list:
                self._stays(f"the Local Authorization List is not emptied: {conf['status']}")
        except CallFailed as failure:
            self._has_list = False  # asked once, waited for once
            self._stays(f"the Local Authorization List is not emptied: {failure}")

    async def _repair(self, bench: Bench) -> None:
        for number in sorted(self._broken):
            sentence = f"connector {number} is to work again, so that the next case finds it without a fault"
            await self._ask(bench, "repair", {"connectorId": number}, sentence)
            await asyncio.sleep(self._rest)
        if not self._stores_list:
            sentence = (
                "the Charge Point is to store a Local Authorization List again, so that the next case can send one"
            )
            await self._ask(bench, "allow_storing", {}, sentence)

    async def _restore_configuration(self) -> None:
        if self._configuration is None:
            self._configuration = await self._read_configuration()
        await self._give_back(self._configuration)
        self._changed.clear()
        if self._configuration.get(PRE_AUTHORIZE, "false").casefold() != "false":
            await self._set(PRE_AUTHORIZE, "false")
            self._changed.add(PRE_AUTHORIZE)

    async def leave(self) -> None:
        """The run is over: give it back as it was found, as far as that goes without hands."""
        if self._configuration is None or not self.is_connected:
            return
        await self._end_reservations()
        await self._empty_list()
        if self._has_profiles:
            await self._clear_all_profiles()
        await self._give_back(self._configuration)
        with suppress(Inconclusive):
            await self._make_operative()
        await self._give_trust_back(self._device.limits.message_timeout)

    async def _give_back(self, configuration: dict[str, str]) -> None:
        for key in sorted(self._changed & configuration.keys()):
            told = await self._set(key, configuration[key])
            if told and configuration[key] != (await self._read_configuration()).get(key):
                self._stays(f"{self._spelling.get(key, key)} is not set back to {configuration[key]}: {told}")

    async def _give_trust_back(self, patience: float) -> None:
        for text in await self._trust.delete_certificates():
            self._stays(text)
        if told := await self._trust.restore_password(patience, self._rest):
            self._stays(f"its AuthorizationKey is not set back: {told}")

    async def _read_configuration(self) -> dict[str, str]:
        try:
            conf = await self._call("GetConfiguration", {})
        except CallFailed:
            return {}  # a case will speak of it
        entries = [entry for entry in conf.get("configurationKey", []) if "value" in entry]
        self._spelling = {entry["key"].casefold(): entry["key"] for entry in entries}
        return {entry["key"].casefold(): entry["value"] for entry in entries}

    async def _set(self, key: str, value: str) -> str:
        """What was said to it, if not yes."""
        try:
            conf = await self._call("ChangeConfiguration", {"key": self._spelling.get(key, key), "value": value})
        except CallFailed as failure:
            return str(failure)
        return "" if conf["status"] in ("Accepted", "RebootRequired") else str(conf["status"])

    async def _stop_transactions(self, bench: Bench) -> None:
        for number, transaction in list(self.central_system.store.transactions.items()):
            is_open = transaction.identity == self._device.identity and transaction.stopped_at is None
            if is_open and number not in self._unstopped:
                await self._stop(bench, transaction)

    async def _stop(self, bench: Bench, transaction: store.Transaction) -> None:
        try:
            conf = await self._call("RemoteStopTransaction", {"transactionId": transaction.transaction_id})
            stops = conf["status"] == "Accepted"
        except CallFailed:  # a case will speak of it; the EV driver can stop it as well
            stops = False
        if not stops and self.status(transaction.connector_id) in CHARGING:
            sentence = f"a transaction is still running: present idTag {transaction.id_tag} to stop it"
            payload = {"connectorId": transaction.connector_id, "idTag": transaction.id_tag}
            await self._ask(bench, "present", payload, sentence)
            stops = True
        deadline = bench.loop.time() + (bench.timeout if stops else 0)
        if not await bench.wire.until(lambda: transaction.stopped_at, deadline):
            self._unstopped.add(transaction.transaction_id)  # waited for once
            self._stays(f"transaction {transaction.transaction_id} is not stopped")

    async def _free(self, bench: Bench, number: int) -> None:
        if id_tag := self._locked_for.pop(number, None):
            sentence = f"the cable may be locked: present idTag {id_tag} at connector {number}, which releases it"
            await self._ask(bench, "present", {"connectorId": number, "idTag": id_tag}, sentence)
        if number in self.plugged:
            await self._ask_to_unplug(bench, number)
        if self.status(number) == "Preparing":  # ends by itself (9.1.6)
            wait = self.connection_time_out
            await self._becomes_available(bench, number, wait if isfinite(wait) else 0)
        if self.status(number) in (None, "Available") or await self._becomes_available(bench, number, self._rest):
            return
        if self.status(number) == "Finishing" and "detachable_cable" not in self._device.lacks:
            with suppress(CallFailed):  # 4.10, errata 3.5: the cable may be kept until somebody presents his idTag
                await self._call("UnlockConnector", {"connectorId": number})
        if self.status(number) not in NOTHING_TO_UNPLUG:
            await self._ask_to_unplug(bench, number)
        if not await self._becomes_available(bench, number, bench.timeout):
            raise Inconclusive(f"connector {number} is {self.status(number)} and was not brought to Available")

    async def _ask_to_unplug(self, bench: Bench, number: int) -> None:
        status = self.status(number)
        sentence = f"connector {number} is {status}: unplug the cable, so that the next case finds it Available"
        await self._ask(bench, "unplug", {"connectorId": number}, sentence)

    async def _becomes_available(self, bench: Bench, number: int, wait: float) -> bool:
        deadline = bench.loop.time() + wait + self._rest
        return bool(await bench.wire.until(lambda: self.status(number) == "Available" or None, deadline))

    def status(self, number: int) -> str | None:
        """The status that it reported last of a connector."""
        connector = self._known.connectors.get(number)
        return connector.status if connector else None

    def _reported(self, status: str) -> list[int]:
        """The connectors of which it reported this status last."""
        return sorted(number for number, it in self._known.connectors.items() if it.status == status)

    async def _ask(self, bench: Bench, action: str, payload: Payload, sentence: str) -> None:
        """Ask its operator. What cannot be done now is no failure of the case that is about to begin."""
        try:
            await bench.seats["Charge Point"].do(action, payload, sentence)
        except Failed as failed:
            raise Inconclusive(f"the Charge Point cannot be brought to rest: {failed}") from None

    async def _request(self, action: str, payload: Payload) -> Payload:
        try:
            return await self._call(action, payload)
        except CallFailed as failure:
            raise Inconclusive(f"the Charge Point cannot be brought to rest: {action}: {failure}") from None

    async def _call(self, action: str, payload: Payload) -> Payload:
        conf = await self.central_system.request(self._device.identity, action, payload)
        await asyncio.sleep(self._rest if action in SLOW else 0)
        return conf


def _has_booted(records: list[Record]) -> bool:
    return any(message.type == "CALL" and message.action == "BootNotification" for message in messages(records))
