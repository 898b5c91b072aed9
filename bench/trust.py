"""What a Charge Point under test and our Central System know each other by, and how it is given back after a case."""

import asyncio
from contextlib import suppress

from bench.connections import openings
from bench.credentials import Credentials
from ocppj.certificates import load
from ocppj.errors import CallFailed
from ocppj.frames import Payload
from reference_csms import security
from reference_csms.central_system import CentralSystem


class Trust:
    """The password and the root certificates that cases change."""

    def __init__(self, identity: str, central_system: CentralSystem, credentials: Credentials) -> None:
        self._identity = identity
        self._central_system = central_system
        self._credentials = credentials
        self._installed: dict[str, str] = {}  # certificate in PEM -> its type, of those that cases have installed

    def was_installed(self, request: Payload) -> None:
        """Note a root that a case has put in."""
        authority = self._central_system.store.authority
        # The root behind our own certificate stays: who has taken it over knows us by no other.
        if authority is None or load(request["certificate"]) != authority.certificate:
            self._installed[request["certificate"]] = request["certificateType"]

    def admit_former_password(self) -> bool:
        """Let it in with the password that it came with: a case may have failed for that (A01). Whether it has one."""
        given = self._credentials.given
        if given is not None:
            security.propose_key(self._central_system.store, self._identity, given)
        return given is not None

    async def delete_certificates(self) -> list[str]:
        """Take out the roots that cases have put in; what is in use stays (white paper M04.FR.06). What stays there.

        They are named as they are reported (M04.FR.07); the serial numbers of ours are like no others.
        """
        found = []
        for text, use in self._installed.items():
            try:
                told = await self._delete(load(text).serial_number, use)
            except CallFailed as failure:
                told = str(failure)
            if told:
                found.append(f"a {use} of ours is still installed: {told}")
        self._installed.clear()
        return found

    async def _delete(self, number: int, use: str) -> str:
        told = ""
        conf = await self._request("GetInstalledCertificateIds", {"certificateType": use})
        for entry in conf.get("certificateHashData", []):
            if _is_number(entry["serialNumber"], number):
                status = (await self._request("DeleteCertificate", {"certificateHashData": entry}))["status"]
                told = status if status == "Failed" else told
        return told

    async def restore_password(self, patience: float, rest: float) -> str:
        """Have it use the password again that it had before the run (A01); why it does not, empty if it does.

        Where that fails, the new one is kept. It has ``patience`` seconds to connect anew, ``rest`` for what follows.
        """
        credentials, transcript = self._credentials, self._central_system.transcript
        if credentials.given is None or credentials.authorization_key == credentials.given:
            return ""
        former, key = credentials.authorization_key, credentials.given
        credentials.propose(key)
        start = len(transcript.records) if transcript else 0
        try:
            conf = await self._request("ChangeConfiguration", {"key": "AuthorizationKey", "value": key.hex().upper()})
        except CallFailed as failure:
            return str(failure)  # nobody knows which of the two it is
        if conf["status"] != "Accepted":
            credentials.settle(former or key)
            return str(conf["status"])
        credentials.settle(key)
        with suppress(TimeoutError):  # the next case will say so
            async with asyncio.timeout(patience):
                await self._wait_reconnected(start)
            await asyncio.sleep(rest)  # its StatusNotifications follow (4.9)
        return ""

    async def _wait_reconnected(self, start: int) -> None:
        """Wait for a connection that was made since a place of the transcript: it may keep the former for a while."""
        transcript = self._central_system.transcript
        while transcript is not None and not any(  # noqa: ASYNC110  # nobody is told of a connection that replaces one
            each.is_granted for each in openings(transcript.records, start)
        ):
            await asyncio.sleep(0.1)

    async def _request(self, action: str, payload: Payload) -> Payload:
        return await self._central_system.request(self._identity, action, payload)


def _is_number(told: object, number: int) -> bool:
    """Whether hexadecimal digits tell a number (white paper 6.1)."""
    try:
        return int(str(told), 16) == number
    except ValueError:
        return False
