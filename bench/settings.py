"""What the commands have in common: the options that tell of a device, and those that choose cases."""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.cases import PROFILES, Case, all_cases, hint
from bench.device import NEXT_URL, BadSetting, Device, authorization_key, setting_of
from bench.device_file import ABOUT, PASSWORD, BadDeviceFile, DeviceFile, device_of, read
from bench.operators.kinds import operator_table
from bench.terminal import refuse, unusable

ANY_PASSWORD = bytes(16)  # where nothing is connected to


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command have the options of its parameters that are dataclasses, a field an option."""
    parameters = inspect.signature(command).parameters
    groups = {name: each.annotation for name, each in parameters.items() if isinstance(each.annotation, type)}
    groups = {name: kind for name, kind in groups.items() if is_dataclass(kind)}

    @wraps(command)
    def called(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{each.name: given.pop(each.name) for each in fields(group)})
        command(**given)

    options = [
        option
        for name, each in parameters.items()
        for option in (inspect.signature(groups[name]).parameters.values() if name in groups else [each])
    ]
    called.__dict__["__signature__"] = inspect.Signature(
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in options]
    )
    called.__annotations__ = {each.name: each.annotation for each in options}
    return called


@dataclass(frozen=True)
class Told:
    """What the command line tells of a device."""

    device: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A device file, which 'rehearse init' makes; what is given beside it comes first."
        ),
    ] = None
    csms: Annotated[str | None, typer.Option(help="A Central System under test: ws://host/path")] = None
    listen: Annotated[str | None, typer.Option(help="Await a Charge Point under test at HOST:PORT")] = None
    identity: Annotated[str | None, typer.Option(help="The identity of the Charge Point; CP1 if nobody says so.")] = (
        None
    )
    second_identity: Annotated[
        str | None,
        typer.Option(help="Of another Charge Point, with which the Central System is asked whether it still lives."),
    ] = None
    lacks: Annotated[
        list[str] | None,
        typer.Option(help="What the Charge Point does not have, e.g. detachable_cable. Repeatable."),
    ] = None
    data: Annotated[
        list[str] | None, typer.Option(help="Test data, e.g. ValidIdTag=04A1B2C3 or MessageTimeout=10. Repeatable.")
    ] = None
    security_profile: Annotated[
        int | None, typer.Option(help="The security profile of the connection: 0, 1, 2 or 3; 0 if nobody says so.")
    ] = None
    password: Annotated[
        str | None,
        typer.Option(
            help="The AuthorizationKey of the Charge Point: 16 to 20 characters, or 32 to 40 hexadecimal digits; "
            f"better in the environment, as {PASSWORD}.",
        ),
    ] = None
    tls_ca: Annotated[
        Path | None, typer.Option(help="Who has signed the certificates of the device under test, in PEM.")
    ] = None
    client_cert: Annotated[
        Path | None, typer.Option(help="The certificate that our Charge Point shows, with its chain, in PEM.")
    ] = None
    client_key: Annotated[Path | None, typer.Option(help="The private key of --client-cert, in PEM.")] = None
    pki: Annotated[
        Path | None, typer.Option(help="A folder for keys and certificates of ours, which are made where missing.")
    ] = None
    next_csms: Annotated[
        str | None, typer.Option(help="Where the Central System is reached with the next higher security profile.")
    ] = None

    def read(self, password: bytes | None = None) -> DeviceFile:
        """The device that is meant; ends the command if it cannot be used. ``password``: if it need not be told."""
        try:
            return self._file(password)
        except BadDeviceFile as error:
            refuse(*str(error).splitlines())
        except BadSetting as error:
            unusable(*str(error).splitlines())

    def _file(self, password: bytes | None) -> DeviceFile:
        if self.csms and self.listen:
            raise BadSetting("--csms and --listen exclude each other: there is one device at a time")
        password = password or password_of(self.password)
        if self.device is not None:
            return read(self.device, self.settings(), password)
        return DeviceFile(device_of(self.settings(), password or password_of(os.environ.get(PASSWORD))))

    def settings(self) -> dict[str, Any]:
        """What is told, by the names that a device file has for it. Raises ``BadSetting``."""
        told: dict[str, Any] = {
            "connection.url": self.csms,
            "connection.listen": self.listen,
            "connection.second_identity": self.second_identity,
            "identity": self.identity,
            "security.profile": self.security_profile,
            **{f"security.{name}": getattr(self, name) for name in ("tls_ca", "client_cert", "client_key", "pki")},
            NEXT_URL: self.next_csms,
            **{setting_of(name): value for name, value in named_values("--data", self.data or []).items()},
            **{f"has.{name}": False for name in self.lacks or []},
        }
        return {setting: value for setting, value in told.items() if value is not None}


@dataclass(frozen=True)
class ToldForRun(Told):
    """What the command line tells of a device, and of those who make it act."""

    about: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help=f"What the report says of the device: {', '.join(ABOUT)}. Repeatable."),
    ] = None
    operator: Annotated[
        str | None,
        typer.Option(help="Who makes the device act: command:PROGRAM, http:URL or driver:NAME. Otherwise you, here."),
    ] = None

    operator_name: Annotated[
        str | None, typer.Option(help="Your name, for what only a person can see; asked for otherwise.")
    ] = None
    before_run: Annotated[
        str | None, typer.Option(metavar="PROGRAM", help="A program that makes things ready before the first case.")
    ] = None
    before_case: Annotated[
        str | None, typer.Option(metavar="PROGRAM", help="A program that makes things ready before each case.")
    ] = None

    def _file(self, password: bytes | None) -> DeviceFile:
        file = super()._file(password)
        hooks = {"before_run": self.before_run, "before_case": self.before_case}
        given = {name: program for name, program in hooks.items() if program is not None}
        if given and not file.device.is_external:
            raise BadSetting("--before-run and --before-case are for a device: our own two parties need nothing")
        return replace(
            file,
            about={**file.about, **self._about()},
            operator=self._operator(file.operator),
            hooks={**file.hooks, **given},
        )

    def _operator(self, of_file: Mapping[str, Any]) -> Mapping[str, Any]:
        table = operator_table(self.operator) if self.operator is not None else of_file
        if self.operator_name is None:
            return table
        if table.get("kind", "person") != "person":
            raise BadSetting(f"--operator-name is a person's, and the operator is a {table['kind']}")
        return {"kind": "person", **table, "name": self.operator_name}

    def _about(self) -> dict[str, str]:
        told = named_values("--about", self.about or [])
        if unknown := [name for name in told if name not in ABOUT]:
            raise BadSetting(f"unknown --about {unknown[0]}: one of {', '.join(ABOUT)}")
        return told


def password_of(text: str | None) -> bytes | None:
    """The AuthorizationKey that an option tells. Raises ``BadSetting``."""
    try:
        return authorization_key(text) if text is not None else None
    except BadSetting as error:
        raise BadSetting(f"--password: {error}") from None


def named_values(option: str, settings: Sequence[str]) -> dict[str, str]:
    """The values of an option that is given as NAME=VALUE, by name. Raises ``BadSetting``."""
    values: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise BadSetting(f"{option} {setting} is not of the form NAME=VALUE")
        values[name] = value
    return values


@dataclass(frozen=True)
class Choice:
    """Which cases the command line asks for."""

    case: Annotated[list[str] | None, typer.Option(help="Only this test case, e.g. TC_003_CSMS. Repeatable.")] = None
    profile: Annotated[list[str] | None, typer.Option(help="Only this profile, e.g. core. Repeatable.")] = None
    role: Annotated[list[str] | None, typer.Option(help="Only this role, CS or CSMS. Repeatable.")] = None

    def of(self, subject: Device) -> frozenset[str]:
        """The ids of the cases to be run; ends the command if there is none."""
        ids, profiles, roles = self.case or [], self.profile or [], self.role or []
        known = all_cases()
        if unknown := [each for each in ids if each not in known]:
            unusable(f"unknown test case {', '.join(unknown)}: {hint(unknown[0])}")
        folders = {name.casefold(): profile for folder, profile in PROFILES.items() for name in (folder, profile)}
        if strange := [each for each in profiles if each.casefold() not in folders]:
            unusable(f"unknown profile {', '.join(strange)}: one of {', '.join(PROFILES)}")
        if wrong := [each for each in roles if each.upper() not in ("CS", "CSMS")]:
            unusable(f"unknown role {', '.join(wrong)}: CS or CSMS")
        wanted_profiles = {folders[each.casefold()] for each in profiles}
        wanted_roles = {each.upper() for each in roles}

        def is_wanted(each: Case) -> bool:
            return (
                (not ids or each.id in ids)
                and (not wanted_profiles or each.profile in wanted_profiles)
                and (not wanted_roles or each.role in wanted_roles)
                and each.role in subject.roles
            )

        wanted = frozenset(each.id for each in known.values() if is_wanted(each))
        if not wanted:
            unusable("no test case is left to run: see 'rehearse cases'")
        return wanted
