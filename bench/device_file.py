"""The device file: a device, who it is, who operates it, and what is known to fail, in TOML.

``device_file.schema.json`` says what keys there are. What the command line tells is put over what the file tells, as
settings by the same names: ``security.profile``, ``test_data.ValidIdTag``.
"""

import json
import os
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any

import jsonschema_rs

from bench.cases import all_cases, hint
from bench.device import NAMES, NEXT_URL, BadSetting, Device, Problem, Security, authorization_key, device
from bench.pki import read_credential, read_roots
from bench.toml_lines import lines
from ocppj.secrets import masked

SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_suffix(".schema.json").read_text(encoding="utf-8"))

# What the report says of the device beside what the run knows of it.
ABOUT = (*SCHEMA["properties"]["about"]["properties"],)

PASSWORD = "REHEARSE_PASSWORD"  # noqa: S105  # the name of the environment variable, where nobody says another

PASSWORD_FROM = "security.password_from"  # noqa: S105  # a setting

URL = re.compile(SCHEMA["$defs"]["websocket_url"]["pattern"])

_SECRET = re.compile(
    "pass(word|wd|phrase)|authorization(_?key)?|secret|token|cookie|api.?key|credential", re.IGNORECASE
)
_NAMES_A_VARIABLE = re.compile(r"_(from|env|variable)$", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"://[^/\s@]*:[^/\s@]*@")

# What a value of TOML is called.
_TYPES = {
    "string": "a text in quotes",
    "integer": "a whole number without quotes",
    "number": "a number without quotes",
    "boolean": "true or false without quotes",
    "object": "a table",
}

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class DeviceFile:
    """What a user tells of a device, in a file or on the command line.

    ``about``: names of ``ABOUT``. ``operator``: its kind and what that kind needs; empty if nobody was named.
    ``hooks``: programs by when they are run. ``known_failures``: case id -> why the case is known to fail.
    ``told_capabilities``: those of which it is told whether the device has them. ``password_from``: the environment
    variable with the password of the Charge Point.
    """

    device: Device
    about: Mapping[str, str] = field(default_factory=dict)
    operator: Mapping[str, Any] = field(default_factory=dict)
    hooks: Mapping[str, str] = field(default_factory=dict)
    known_failures: Mapping[str, str] = field(default_factory=dict)
    told_capabilities: frozenset[str] = frozenset()
    password_from: str = PASSWORD


class BadDeviceFile(BadSetting):
    """A device file that cannot be used: a line for each problem, with the name of the file and the line in it."""


def read(path: Path, over: Settings | None = None, password: bytes | None = None) -> DeviceFile:
    """The device of a file, with settings put over those of the file. ``password``: if it is not to be looked for.

    Raises ``BadDeviceFile``, and ``BadSetting`` where it is only what was put over that cannot be used.
    """
    over = over or {}
    document = _Document.read(path)
    settings, subject, problems = _judged(document, over, password)
    if problems or subject is None:
        # What was put over is told by the name of its option.
        in_order = sorted(dict.fromkeys(problems), key=lambda problem: document.line(problem.setting) or 0)
        located = [f"rehearse: {each}" if each.setting in over else document.located(each) for each in in_order]
        raise BadDeviceFile("\n".join(located))
    told = document.told
    return DeviceFile(
        device=subject,
        about=told.get("about", {}),
        operator=document.with_paths("operator"),
        hooks=document.with_paths("hooks"),
        known_failures=told.get("known_failures", {}),
        told_capabilities=frozenset(told.get("has", {})),
        password_from=settings.get(PASSWORD_FROM, PASSWORD),
    )


def problems_of(told: Mapping[str, Any], path: Path, password: bytes) -> list[Problem]:
    """What is wrong with a device file that is not written yet: its tables, and where it is to stand."""
    return _judged(_Document(path, told, {}), {}, password)[2]


def _judged(
    document: "_Document", over: Settings, password: bytes | None
) -> tuple[Settings, Device | None, list[Problem]]:
    problems = [*document.problems()]
    wrong = {problem.setting for problem in problems}
    settings = _over(document.settings(wrong), over)
    subject = None
    try:
        subject = device_of(settings, password, document.path.with_suffix(".credentials.json"))
    except BadSetting as error:
        if not error.problems:
            raise
        problems += [each for each in error.problems if not _is_known(each.setting, wrong)]
    return settings, subject, problems


def _is_known(setting: str, wrong: set[str]) -> bool:
    """Whether a setting, or the table that it is in, is known to be wrong already."""
    return any(setting == each or setting.startswith(f"{each}.") for each in wrong)


def _over(settings: dict[str, Any], over: Settings) -> dict[str, Any]:
    if "connection.url" in over:  # one place: whatever profile is rehearsed is spoken there
        profile = over.get("security.profile", settings.get("security.profile", 0))
        settings.pop(f"connection.urls.{profile}", None)
    return {**settings, **over}


def device_of(settings: Settings, password: bytes | None = None, store: Path | None = None) -> Device:
    """The device that settings describe. Raises ``BadSetting``.

    ``password``: the AuthorizationKey, if it is not to be read from the environment. ``store``: of ``Security``.
    """
    profile = settings.get("security.profile")
    if settings.keys() & {"role", "connection.url", "connection.listen"}:
        profile = profile or 0
    urls = {number: settings[name] for number in range(4) if (name := f"connection.urls.{number}") in settings}
    if NEXT_URL in settings:
        urls[(profile or 0) + 1] = settings[NEXT_URL]
    url = urls.pop(profile or 0, settings.get("connection.url"))
    address = _address(settings.get("connection.listen"))
    security, problems = _security(settings, profile, password, urls, store)
    problems = [*_of_connection(settings, url, address), *problems, *_of_files(security)]
    role = settings.get("role")
    try:
        subject = device(
            url=url if role != "Charge Point" else None,
            listen=address if role != "Central System" else None,
            identity=settings.get("identity", Device.identity),
            second_identity=settings.get("connection.second_identity"),
            data={NAMES.get(name, _key(name)): str(value) for name, value in settings.items() if _is_data(name)},
            lacks=frozenset(_key(name) for name, value in settings.items() if name.startswith("has.") and not value),
            security=security,
        )
    except BadSetting as error:
        if not error.problems:
            raise
        told = {problem.setting for problem in problems}
        others = (each for each in error.problems if each.setting != PASSWORD_FROM or PASSWORD_FROM not in told)
        problems += [_named(each, settings) if each.setting == PASSWORD_FROM else each for each in others]
    if problems:
        raise BadSetting(problems=problems)
    return subject


def _security(
    settings: Settings, profile: int | None, password: bytes | None, urls: Mapping[int, str], store: Path | None
) -> tuple[Security, list[Problem]]:
    """How the two parties know each other; a password that is of no use is a problem."""
    problems: list[Problem] = []
    if password is None and "role" in settings:
        try:
            password = _password(str(settings.get(PASSWORD_FROM, PASSWORD)))
        except BadSetting as error:
            problems += error.problems
    paths = ("tls_ca", "client_cert", "client_key", "server_cert", "server_key", "pki")
    given = {name: Path(settings[key]) for name in paths if (key := f"security.{name}") in settings}
    return Security(profile, password, urls=urls, store=store or Security.store, **given), problems


def _named(problem: Problem, settings: Settings) -> Problem:
    """That there is no password, with the variable in which it was looked for."""
    if "role" not in settings:
        return problem
    is_told = PASSWORD_FROM in settings
    words = "names an environment variable that is not set" if is_told else f"is missing, and so is ${PASSWORD}"
    return replace(problem, words=f"{words}{problem.words.removeprefix('is missing')}")


def _of_connection(settings: Settings, url: str | None, address: tuple[str, int] | None) -> Iterator[Problem]:
    """What is wrong with the places where the device is reached."""
    role, listen = settings.get("role"), settings.get("connection.listen")
    if role == "Central System" and url is None:
        profile = settings.get("security.profile", 0)
        has_others = any(name.startswith("connection.urls.") for name in settings)
        none = f"connection.urls has none for security profile {profile}"
        yield Problem("connection.url", f"is missing: {none if has_others else 'where is it? ws://host:port/path'}")
    if role == "Charge Point" and listen is None:
        yield Problem("connection.listen", "is missing: where is it awaited? 127.0.0.1:9000, for instance")
    if role == "Central System" and listen is not None:
        yield Problem("connection.listen", "is for a Charge Point, and a Central System is under test", listen)
    if role == "Charge Point" and url is not None:
        yield Problem("connection.url", "is for a Central System, and a Charge Point is under test", masked(url))
    for name in ("connection.url", NEXT_URL, *(f"connection.urls.{number}" for number in range(4))):
        if name in settings and not URL.fullmatch(settings[name]):
            yield Problem(name, "is no URL such as ws://host:port/path", masked(settings[name]))
    if listen is not None and address is None:
        yield Problem("connection.listen", "is not of the form HOST:PORT", listen)


def _is_data(setting: str) -> bool:
    return setting.startswith(("test_data.", "limits.", "files."))


def _key(setting: str) -> str:
    """The name of a setting in its table."""
    return setting.partition(".")[2]


def _address(listen: str | None) -> tuple[str, int] | None:
    """Host and port; None if there are none to be read."""
    host, _, port = (listen or "").replace("[", "").replace("]", "").rpartition(":")
    return (host, int(port)) if host and port.isdigit() and 0 <= int(port) <= 65535 else None


def _password(variable: str) -> bytes | None:
    """The AuthorizationKey that an environment variable holds; None if there is no such variable."""
    text = os.environ.get(variable)
    try:
        return authorization_key(text) if text is not None else None
    except BadSetting as error:
        raise BadSetting(problems=[Problem(PASSWORD_FROM, f"names a variable that is of no use: {error}")]) from None


def _of_files(security: Security) -> Iterator[Problem]:
    """The certificates and keys that cannot be read."""
    missing = False
    for name in ("tls_ca", "client_cert", "client_key", "server_cert", "server_key"):
        path = getattr(security, name)
        if path is not None and not path.is_file():
            missing = True
            yield Problem(f"security.{name}", "is no file", str(path))
    if missing:
        return
    if security.tls_ca is not None:
        try:
            read_roots(security.tls_ca)
        except BadSetting as error:
            yield Problem("security.tls_ca", f"cannot be used: {error}")
    pairs = (
        ("client", security.client_cert, security.client_key),
        ("server", security.server_cert, security.server_key),
    )
    for name, certificate, key in pairs:
        if certificate is not None and key is not None:
            try:
                shown = read_credential(certificate, key).certificate
            except BadSetting as error:
                yield Problem(f"security.{name}_cert", f"cannot be used: {error}")
                continue
            # Our Charge Point shows none that is not valid (A02.FR.09), and would be refused for having none.
            since, until = shown.not_valid_before_utc, shown.not_valid_after_utc
            if name == "client" and not since <= datetime.now(UTC) <= until:
                words = f"cannot be used: {certificate} is valid from {since:%Y-%m-%d} to {until:%Y-%m-%d}"
                yield Problem("security.client_cert", words)


# The file


class _Document:
    """A device file. ``told``: as TOML has it. ``places``: on which line what stands."""

    def __init__(self, path: Path, told: Mapping[str, Any], places: Mapping[tuple[str, ...], int]) -> None:
        self.path = path
        self.told = told
        self._lines = places

    @classmethod
    def read(cls, path: Path) -> "_Document":
        """Raises ``BadDeviceFile`` for one that is no TOML."""
        try:
            text = path.read_bytes().decode("utf-8-sig")
            return cls(path, tomllib.loads(text), lines(text))
        except OSError as error:
            advice = f": 'rehearse init {path}' makes one" if isinstance(error, FileNotFoundError) else ""
            raise BadDeviceFile(f"{path}: {error.strerror}{advice}") from None
        except UnicodeDecodeError:
            raise BadDeviceFile(f"{path}: this is no text in UTF-8") from None
        except tomllib.TOMLDecodeError as error:
            words, _, place = str(error).partition(" (at ")
            found = re.match(r"line (\d+)", place)
            line = int(found[1]) if found else text.count("\n") + 1
            raise BadDeviceFile(f"{path}:{line}: this is no TOML: {words}") from None

    def line(self, setting: str) -> int | None:
        """The line on which a setting stands, or the table that it is missing in; None if neither is there."""
        key = (*setting.split("."),)
        while key:
            if key in self._lines:
                return self._lines[key]
            key = key[:-1]
        return None

    def located(self, problem: Problem) -> str:
        """A problem in one line."""
        line = self.line(problem.setting)
        value = f" = {problem.value}" if problem.value is not None else ""
        return f"{self.path}{f':{line}' if line else ''}: {problem.setting}{value} {problem.words}"

    def problems(self) -> Iterator[Problem]:
        """What the schema does not allow, what is secret, what does not exist."""
        yield from _of_schema(self.told)
        yield from _secrets(self.told.get("operator", {}), "operator")
        yield from _secrets(self.told.get("connection", {}), "connection")
        for setting, value in _leaves(self.told):
            if _ref(setting) == "#/$defs/program" and isinstance(value, str) and not _is_program(self._program(value)):
                yield Problem(setting, "is no program that can be run", value)
        known = self.told.get("known_failures", {})
        for case_id in known if isinstance(known, dict) else ():
            if case_id not in all_cases():
                yield Problem(f"known_failures.{case_id}", f"is no test case: {hint(case_id)}")

    def settings(self, wrong: set[str]) -> dict[str, Any]:
        """What the device is made of, but for what is wrong."""
        tables = ("role", "identity", "connection", "security", "has", "limits", "test_data", "files")
        return {
            setting: self._resolved(setting, value)
            for setting, value in _leaves({name: self.told[name] for name in tables if name in self.told})
            if not _is_known(setting, wrong)
        }

    def with_paths(self, table: str) -> dict[str, Any]:
        """A table whose paths are those that they are from here."""
        return {name: self._resolved(f"{table}.{name}", value) for name, value in self.told.get(table, {}).items()}

    def _resolved(self, setting: str, value: Any) -> Any:
        match _ref(setting):
            case "#/$defs/path":
                return str(self.path.parent / Path(value).expanduser())
            case "#/$defs/program":
                return self._program(value)
        return value

    def _program(self, command: str) -> str:
        """A program with a slash in its name is one beside the file."""
        try:
            program, *arguments = shlex.split(command)
        except ValueError:
            return command
        if "/" in program:
            program = str((self.path.parent / Path(program).expanduser()).absolute())
        return shlex.join([program, *arguments])


def _is_program(command: str) -> bool:
    try:
        return shutil.which(shlex.split(command)[0]) is not None
    except (ValueError, IndexError):
        return False


def _leaves(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key that is no table, by its dotted path."""
    for name, value in table.items():
        key = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            yield from _leaves(value, key)
        else:
            yield key, value


def schema_of(setting: str) -> dict[str, Any]:
    """What the schema says of a setting; empty if it knows none of the name."""
    table, _, key = setting.partition(".")
    of_table = SCHEMA["properties"].get(table, {})
    if not key:
        return dict(of_table)
    kinds = of_table["properties"]["kind"]["enum"] if table == "operator" else []
    for properties in (of_table.get("properties", {}), *(SCHEMA["$defs"][kind]["properties"] for kind in kinds)):
        if key in properties:
            return dict(properties[key])
    return {}


def _ref(setting: str) -> str | None:
    """The kind of value that a setting has, if that is one with a name."""
    reference: str | None = schema_of(setting).get("$ref")
    return reference


# What the schema does not allow, in words


def _of_schema(told: Mapping[str, Any]) -> Iterator[Problem]:
    for error in jsonschema_rs.validator_for(SCHEMA).iter_errors(_as_json(told)):
        yield from _problems(error)


def _as_json(value: Any) -> Any:
    """A value of TOML; what JSON does not have, a date or infinity, is null, which nothing is allowed to be."""
    if isinstance(value, dict):
        return {name: _as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    is_json = isinstance(value, (str, int)) or (isinstance(value, float) and isfinite(value))
    return value if is_json else None


def _problems(error: jsonschema_rs.ValidationError) -> Iterator[Problem]:
    setting = ".".join(map(str, error.instance_path))
    value, schema = error.instance, _node([*error.schema_path][:-1])
    told: Any = error.kind.value  # what the keyword of the schema wants, or has not expected
    shown = _shown(setting, value)

    def below(name: str) -> str:
        return f"{setting}.{name}" if setting else name

    match error.kind.name:
        case "additionalProperties":
            for name in told:
                yield Problem(below(name), _unknown(name, schema, below(name)))
        case "propertyNames":
            yield from ()  # told where the test cases are looked up
        case "required":
            yield Problem(below(told), f"is missing: {_described(schema.get('properties', {}).get(told, {}))}")
        case "type":
            yield Problem(setting, f"is not {' or '.join(_TYPES[each] for each in told)}", shown)
        case "enum":
            yield Problem(setting, f"is none of {', '.join(map(str, told))}", shown)
        case "minLength":
            yield Problem(setting, "is empty")
        case "maxLength":
            yield Problem(setting, f"has {len(str(value))} characters, {told} are allowed")
        case "minimum" | "exclusiveMinimum" | "maximum":
            yield Problem(setting, f"is not {_bounds(schema)}", shown)
        case _:
            yield Problem(setting, schema.get("errorMessage", "cannot be used"), shown)


def _unknown(name: str, schema: Mapping[str, Any], setting: str) -> str:
    if _SECRET.search(name) and not _NAMES_A_VARIABLE.search(name):
        return (
            f"is a secret, which has no place in the file: put it into an environment variable, and the name of that "
            f'into it: password_from = "{PASSWORD}" in [security]'
        )
    known = [*schema.get("properties", {})]
    alike = get_close_matches(name, known, 1) or [each for each in known if each.casefold() == name.casefold()]
    elsewhere = [path for path in _all_settings() if path.rpartition(".")[2].casefold() == name.casefold()]
    if alike:
        return f"is unknown: did you mean {alike[0]}?"
    if elsewhere:
        table, _, key = elsewhere[0].rpartition(".")
        return (
            f"is unknown here: did you mean {key} in [{table}]?" if table else f"is unknown here: {key} stands on top"
        )
    return f"is unknown; there are {', '.join(known)}" if known else "is unknown"


def _all_settings() -> list[str]:
    tables = SCHEMA["properties"]
    return [*tables, *(f"{name}.{key}" for name, table in tables.items() for key in table.get("properties", {}))]


def _shown(setting: str, value: Any) -> str | None:
    """A value as it may be told: none that may be a secret, and no more of it than a line holds."""
    if setting.startswith("security.password") or _SECRET.search(setting.rpartition(".")[2]) or isinstance(value, dict):
        return None
    text = masked(json.dumps(value, ensure_ascii=False))
    return None if value is None else text if len(text) <= 60 else f"{text[:60]} ..."


def _bounds(schema: Mapping[str, Any]) -> str:
    if "maximum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    return f"above {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else f"{schema['minimum']} or more"


def _node(path: list[str | int]) -> dict[str, Any]:
    """The part of the schema to which a path leads."""
    node: Any = SCHEMA
    for step in path:
        node = _referred(node["$ref"]) if step == "$ref" else node[step]
    found: dict[str, Any] = node
    return found


def _referred(reference: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["$defs"][reference.rpartition("/")[2]]
    return found


def _described(node: Mapping[str, Any]) -> str:
    """What a setting is for, and which values there are if they are few."""
    words = str(node.get("description", "it is needed")).rstrip(".")
    return f"{words}: one of {', '.join(node['enum'])}" if "enum" in node else words


def _secrets(told: Any, path: str) -> Iterator[Problem]:
    """What is secret and stands in the file in plain text."""
    if not isinstance(told, dict):
        return
    for name, value in told.items():
        setting = f"{path}.{name}"
        if isinstance(value, dict):
            yield from _secrets(value, setting)
        elif isinstance(value, str) and _PASSWORD_IN_URL.search(value):
            yield Problem(setting, "holds a password, which has no place in the file: leave it out of the URL")
        elif isinstance(value, str) and _is_plain_secret(name, value) and path != "connection":
            words = "is a secret, which has no place in the file: put it into an environment variable, and name that"
            form = f'{name} = "${{VARIABLE}}"' if path.endswith("headers") else f'{name}_from = "VARIABLE"'
            yield Problem(setting, f"{words}: {form}")


def _is_plain_secret(name: str, value: str) -> bool:
    return bool(_SECRET.search(name)) and not _NAMES_A_VARIABLE.search(name) and "${" not in value
