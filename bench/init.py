"""``rehearse init``: a device file, from what its user answers; and ``rehearse schema``, for editors."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any

import typer

from bench.check import needed_capabilities
from bench.command_line import app
from bench.device import CAPABILITIES, Device
from bench.device_file import PASSWORD, SCHEMA, problems_of, schema_of
from bench.settings import ANY_PASSWORD
from bench.terminal import ABORTED, console, unusable
from reports.texts import shown

ROLES = {"central system": "Central System", "csms": "Central System", "charge point": "Charge Point"}
ROLES |= {"cs": "Charge Point"}
ADDRESSES = {"Central System": "connection.url", "Charge Point": "connection.listen"}
TABLES = [name for name, table in SCHEMA["properties"].items() if table.get("type") == "object"]
KINDS = SCHEMA["properties"]["operator"]["properties"]["kind"]["enum"]
KEY_OF = {"http": "url", "command": "program", "driver": "name"}  # what each kind of operator cannot do without

Answers = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """Something that is asked for. ``default``: None where the answer may be left out."""

    setting: str
    default: Any = None


@app.command()
def schema() -> None:
    """Print the JSON Schema of device files, with which editors complete and check them."""
    print(json.dumps(SCHEMA, indent=2, ensure_ascii=False))


@app.command()
def init(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where the device file goes.")] = Path("device.toml"),
    role: Annotated[str | None, typer.Option(help="What is under test: Central System or Charge Point.")] = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Ask nothing: write every setting with its default or an example.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write a device file: ask for what a rehearsal must know of the device, and explain it."""
    if path.exists() and not force:
        unusable(f"{path} is there already: name another one, or write over it with --force")
    if role is not None and role.casefold() not in ROLES:
        unusable(f"--role {role} is neither Central System nor Charge Point")
    if role is None and defaults:
        unusable("--defaults needs --role 'Central System' or --role 'Charge Point'")
    if not defaults and not sys.stdin.isatty():
        unusable("there is no terminal to ask at: --role 'Central System' --defaults writes a file to be filled in")
    named = ROLES[role.casefold()] if role is not None else None
    try:
        answers = _defaults(str(named)) if defaults else _asked(path, named)
    except (typer.Abort, EOFError):
        console.print("\nNothing was written.", style="yellow")
        raise typer.Exit(ABORTED) from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written(answers), encoding="utf-8")
    except OSError as error:
        unusable(f"{path} cannot be written: {error.strerror}")
    _say_what_is_next(path, answers)


def _say_what_is_next(path: Path, answers: Answers) -> None:
    steps = [f"rehearse check {path}", f"rehearse run --device {path}"]
    words = ["says what a rehearsal will be and what is missing; nothing is run", "rehearses"]
    if (variable := answers.get("security.password_from")) is not None:
        steps.insert(0, f"export {variable}=...")
        words.insert(0, "the password of the Charge Point, which has no place in the file")
    width = max(map(len, steps))
    console.print(f"\n{path} is written. Next:", markup=False, soft_wrap=True)
    for step, meaning in zip(steps, words, strict=True):
        console.print(f"  {step.ljust(width)}  {meaning}", markup=False, soft_wrap=True)


def _defaults(role: str) -> Answers:
    """What stands in a file that nobody was asked for."""
    address = ADDRESSES[role]
    answers = {"role": role, "identity": Device.identity, address: schema_of(address)["examples"][0]}
    return {**answers, "security.profile": 0, "operator.kind": "person", **_capabilities(role)}


def _capabilities(role: str) -> Answers:
    subject = Device(url="ws://") if role == "Central System" else Device(listen=("", 0))
    return {f"has.{name}": True for name in needed_capabilities(subject)}


# Asking


def _asked(path: Path, role: str | None) -> Answers:
    console.print(
        f"A device file, {path}. Enter takes what stands in brackets; Ctrl-C ends without a file.", style="dim"
    )
    answers: Answers = {"role": role} if role is not None else {}
    if role is None:
        _ask(Question("role", "Central System"), answers, path)
    for question in _questions_of_connection(answers):
        _ask(question, answers, path)
    _ask_security(answers, path)
    role = str(answers["role"])
    example = str(schema_of(ADDRESSES[role])["examples"][0])
    is_secure = answers["security.profile"] > 1
    _ask(Question(ADDRESSES[role], example.replace("ws:", "wss:") if is_secure else example), answers, path)
    for question in _questions_of_test_data(role):
        _ask(question, answers, path)
    _ask_capabilities(role, answers)
    _ask(Question("operator.kind", "person"), answers, path)
    if (key := KEY_OF.get(answers["operator.kind"])) is not None:
        schema_of_kind = SCHEMA["$defs"][answers["operator.kind"]]["properties"][key]
        default = schema_of_kind["examples"][0] if key == "url" else None
        _ask(Question(f"operator.{key}", default), answers, path, schema_of_kind)
        if f"operator.{key}" not in answers:
            _say("Without it nobody can be asked: the operator is a person for now.")
            answers["operator.kind"] = "person"
    return _capabilities(role) | answers


def _questions_of_connection(answers: Answers) -> Iterator[Question]:
    yield from (Question(f"about.{name}") for name in ("vendor", "product", "software_version"))
    yield Question("identity", Device.identity)


def _questions_of_test_data(role: str) -> Iterator[Question]:
    if role == "Central System":
        names = ("ValidIdTag", "ValidIdTag2", "ParentIdTag", "ExpiredIdTag", "BlockedIdTag")
        yield from (Question(f"test_data.{name}") for name in names)
        return
    yield Question("test_data.NumberOfConnectors", 1)
    yield from (Question(f"test_data.{name}") for name in ("ValidIdTag", "ValidIdTag2", "LocalLimit"))
    yield Question("files.firmware_file")


def _ask_capabilities(role: str, answers: Answers) -> None:
    _say("\nWhat does the device have? Without it the cases that are about it do not apply.")
    for setting in _capabilities(role):
        name = setting.partition(".")[2]
        is_upgrade = name == "security_profile_upgrade"
        if not is_upgrade or answers["security.profile"]:
            # Nobody is to lose a security profile by pressing Enter.
            answers[setting] = typer.confirm(f"> {CAPABILITIES[name]}", default=not is_upgrade)


def _ask_security(answers: Answers, path: Path) -> None:
    """The security profile, and what it cannot do without; open where that is not there."""
    _ask(Question("security.profile", 0), answers, path)
    profile, role = answers["security.profile"], answers["role"]
    needed = ["tls_ca"] if role == "Central System" and profile > 1 else []
    if profile in (1, 2):
        _ask(Question("security.password_from", PASSWORD), answers, path)
    for name in needed:
        _ask(Question(f"security.{name}"), answers, path)
        if f"security.{name}" not in answers:
            _say("Without it nothing can be rehearsed over TLS: the file has security profile 0 until you have it.")
            answers["security.profile"] = 0
            return
    if profile == 3 and role == "Central System":
        _ask(Question("security.client_cert"), answers, path)
        if "security.client_cert" in answers:
            _ask(Question("security.client_key"), answers, path)
            if "security.client_key" not in answers:
                del answers["security.client_cert"]
    if profile > 1 and "security.client_cert" not in answers:
        _ask(Question("security.pki", "pki"), answers, path)


def _ask(question: Question, answers: Answers, path: Path, known: Mapping[str, Any] | None = None) -> None:
    """Ask until the answer can be used; what is left out is not among the answers."""
    node = known or schema_of(question.setting)
    _say(f"\n{question.setting}: {_explained(question.setting, node)}")
    while True:
        told = _prompted(question, node)
        if told is None:
            return
        value = _read(told, node)
        faults = problems_of(_tables({**answers, question.setting: value}), path, ANY_PASSWORD)
        fault = next((each for each in faults if each.setting == question.setting), None)
        if fault is None:
            answers[question.setting] = value
            return
        words = fault.words.removesuffix(" without quotes").removesuffix(" in quotes")
        console.print(f"{shown(told)} {words}", style="yellow", markup=False, soft_wrap=True)


def _explained(setting: str, node: Mapping[str, Any]) -> str:
    words = str(node["description"])
    if "enum" in node and setting != "security.profile":
        words += f" One of: {', '.join(map(str, node['enum']))}."
    return words


def _prompted(question: Question, node: Mapping[str, Any]) -> str | None:
    if question.default is not None:
        return str(typer.prompt(">", default=str(question.default))).strip()
    hint = f" (such as {node['examples'][0]}; Enter leaves it out)"
    return str(typer.prompt(f">{hint}", default="", show_default=False)).strip() or None


def _read(told: str, node: Mapping[str, Any]) -> Any:
    """An answer as TOML has it: a number where one is wanted and given."""
    values = node.get("enum", [])
    if alike := [each for each in values if str(each).casefold() == told.casefold()]:
        return alike[0]
    if node.get("type") in ("integer", "number"):
        try:
            return int(told) if node["type"] == "integer" or told.isdigit() else float(told)
        except ValueError:
            return told
    return told


def _tables(answers: Answers) -> dict[str, Any]:
    """The answers as a file has them."""
    tables: dict[str, Any] = {}
    for setting, value in answers.items():
        table, _, key = setting.partition(".")
        if key:
            tables.setdefault(table, {})[key] = value
        else:
            tables[table] = value
    return tables


def _say(text: str) -> None:
    console.print(text, markup=False, style="dim")


# Writing


def written(answers: Answers) -> str:
    """A device file with every setting there is: those that were answered, and the others as comments."""
    lines = [
        "# A device file of ocpp-rehearsal. 'rehearse check FILE' says what a rehearsal will be.",
        "# What begins with a hash is not told, with its default or an example. Editors complete the rest with the",
        "# schema that 'rehearse schema' prints. No password and no key belongs in here.",
        "",
    ]
    for name in ("role", "identity"):
        lines += _entry(name, SCHEMA["properties"][name], answers.get(name))
    for table in TABLES:
        node = SCHEMA["properties"][table]
        lines += ["", *_comment(str(node["description"])), f"[{table}]"]
        if table == "operator":
            lines += _operator(answers)
            continue
        for key, each in node.get("properties", {}).items():
            lines += _entry(key, each, answers.get(f"{table}.{key}"))
        for example in node.get("examples", []):
            lines += [f"# {key} = {_toml(value)}" for key, value in example.items()]
    return "\n".join([*lines, ""])


def _operator(answers: Answers) -> Iterator[str]:
    chosen = answers.get("operator.kind", "person")
    for kind in (chosen, *(each for each in KINDS if each != chosen)):
        node = SCHEMA["$defs"][kind]
        is_chosen = kind == chosen
        yield from ([] if is_chosen else ["#", *_comment(f"Or {_lower(str(node['description']))}")])
        yield f"{'' if is_chosen else '# '}kind = {_toml(kind)}"
        for key, each in node["properties"].items():
            if key != "kind":
                yield from _entry(key, each, answers.get(f"operator.{key}") if is_chosen else None)


def _entry(key: str, node: Mapping[str, Any], value: Any) -> Iterator[str]:
    yield from _comment(str(node["description"]))
    if value is not None:
        yield f"{key} = {_toml(value)}"
    else:
        example = node["default"] if "default" in node else node.get("examples", [None])[0]
        yield f"# {key} = {_toml(example)}"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _comment(text: str) -> list[str]:
    return wrap(text, 116, initial_indent="# ", subsequent_indent="# ")


def _toml(value: Any) -> str:
    """A value as TOML writes it, in one line."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {_toml(each)}' for key, each in value.items())} }}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)
