"""The report that a manager is shown: ``report.html``, in the sections of an OCPP certificate and its abstract.

A pure function of what a run has left. Whatever a device says goes through ``reports.texts.shown`` and is escaped by
Jinja; the page holds no script, asks nothing of the network, and forbids both.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports import history, sequence, timing
from reports.coverage import Tried, coverage
from reports.explanation import NOT_PASSED, groups
from reports.requirements import clause
from reports.results import KNOWN_FAILURE, VERDICTS, CaseResult, Results, Transcripts
from reports.tables import rows
from reports.texts import LONGEST, shown

Outcome = Literal["Pass", "Fail", "Incomplete", "Not tested"]

ROLES = {"CSMS": "Central System", "CS": "Charge Point"}

# The rows of the Test Result Summary: profile, its name on a certificate, what it is about.
FUNCTIONALITIES = (
    ("Core", "Core", "Booting, authorisation, charging sessions, status, meter values, configuration and resets"),
    ("FirmwareManagement", "Firmware Management", "Firmware updates and diagnostics, with the files they move"),
    ("SmartCharging", "Smart Charging", "Charging profiles that limit current or power, and their composite schedule"),
    ("Reservation", "Reservation", "Reserving a connector or a whole Charge Point for an idTag, and giving it back"),
    ("LocalAuthListManagement", "Local Authorization List Management", "A list of idTags kept in the Charge Point"),
    ("RemoteTrigger", "Remote Trigger", "Asking a Charge Point for a message that it would send later, or not at all"),
    ("Security", "Security", "Security profiles, certificates, signed firmware, security events and logs"),
)

# What a Charge Point may lack (--lacks), in the words of bench.device.CAPABILITIES.
PICS = {
    "local_auth_list": "the profile LocalAuthListManagement",
    "firmware_management": "the profile FirmwareManagement",
    "reservation": "the profile Reservation",
    "remote_trigger": "the profile RemoteTrigger",
    "smart_charging": "the profile SmartCharging",
    "authorization_cache": "an Authorization Cache",
    "backup_power": "a back-up power supply",
    "detachable_cable": "a cable that is not fixed",
    "ev_side_disconnect_choice": "StopTransactionOnEVSideDisconnect that can be set",
    "list_failure": "a Local Authorization List that it can be made to fail to store",
    "local_authorization": "a way for the EV driver to present an idTag",
    "lock_failure": "a connector lock that can be made to fail",
    "offline_transactions": "transactions that begin while it is offline",
    "remote_authorization": "AuthorizeRemoteTxRequests that is true or can be set",
    "reserve_connector_zero": "reservations of connector 0 (ReserveConnectorZeroSupported)",
    "security_profile_upgrade": "a SecurityProfile that may be raised: over OCPP nobody can lower it again",
    "stop_on_ev_side_disconnect": "StopTransactionOnEVSideDisconnect that is true or can be set",
}

LIMITS = {
    "message_timeout": ("MessageTimeout", "for the device to answer"),
    "long_operation_timeout": ("LongOperationTimeout", "for a reboot or another long operation"),
    "tolerance": ("Tolerance", "by which a time may deviate"),
    "settle_time": ("SettleTime", "until what comes by itself has come"),
    "silence_time": ("SilenceTime", "in which shows that nothing comes"),
}


def report(results: Results, transcripts: Transcripts, session: timing.Session | None = None) -> str:
    """The report as one HTML page that needs nothing else. ``session``: what ``rehearse measure`` has left beside."""
    cases = sorted(results.cases, key=lambda case: case.id)
    measured = timing.times(results, transcripts, session)
    page: str = _template().render(
        run=results.run,
        device=results.device,
        identification=identification(results, transcripts),
        roles={role: name for role, name in ROLES.items() if any(case.role == role for case in cases)},
        summary=summary(results),
        totals=totals(results),
        history=history.sessions(results),
        performance=timing.performance(results, measured),
        basis=timing.basis(results, session),
        times=measured,
        short=timing.short,
        chart=Markup(timing.chart(measured)),  # noqa: S704  # it escapes itself
        configuration=configuration(results),
        pics=pics(results),
        profiles=by_profile(results),
        groups=groups(results),
        known_groups=groups(results, known=True),
        known=history.known(results),
        run_again=[case for case in cases if case.attempts],
        attempts={case.id: history.attempts(case, results) for case in cases if case.attempts},
        diagrams={case.id: _diagram(case, transcripts) for case in cases if _is_explained(results, case)},
        frames={case.id: _frames(case, transcripts) for case in cases if case.failure},
        recorded={*transcripts},
        remarks=[(case, case.remarks) for case in cases if case.remarks],
        testimonies=[(case, case.testimony) for case in cases if case.testimony],
        traced=traced(results),
        demands=lambda clauses: [each for _, those in clauses for each in those],
        status={case_id: row["status"] for case_id, row in _catalogue().items()},
        verdict=results.verdict,
        counts_as=results.counts_as,
    )
    return page


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["words"] = lambda text: str(text).replace("_", " ")
    return environment.get_template("report.html.j2")


def _finalize(value: object) -> object:
    """Whatever the template prints, so that no text of a device is forgotten."""
    return shown(value, LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _catalogue() -> Mapping[str, Mapping[str, str]]:
    return {row["id"]: row for row in rows("test_cases.csv")}


# Identification


def identification(results: Results, transcripts: Transcripts) -> list[tuple[str, str]]:
    """Who was rehearsed with what, when and where: names and texts, empty where nobody has said it."""
    device, run = results.device, results.run
    said = _mapping(device.get("about"))
    boot = _boot(transcripts) if device.get("kind") != ROLES["CSMS"] else {}  # it is ours if a Central System is judged
    model = str(boot.get("chargePointModel", ""))
    return [
        ("Vendor", str(said.get("vendor") or boot.get("chargePointVendor", ""))),
        ("Product", str(said.get("product") or model)),
        ("Software version", str(said.get("software_version") or boot.get("firmwareVersion", ""))),
        ("Device under test", f"{device.get('kind', '')}, identity {device.get('identity', '')}"),
        ("Communication", _communication(device)),
        ("Tool", f"{run.get('tool', '')} {run.get('version', '')}"),
        ("Date", " to ".join(history.instant(run[name]) for name in ("started", "ended") if run.get(name))),
        ("Place", str(said.get("place") or "")),
        ("Carried out by", str(said.get("laboratory") or "")),
        ("Report reference", str(said.get("reference") or "")),
    ]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _boot(transcripts: Transcripts) -> Mapping[str, Any]:
    """What the Charge Point says of itself in the first BootNotification.req."""
    for case in transcripts:
        for record in transcripts[case]:
            if record.get("action") == "BootNotification" and record.get("messageType") == "CALL":
                return _mapping(record.get("payload"))
    return {}


def _communication(device: Mapping[str, object]) -> str:
    profile = _mapping(device.get("security")).get("profile")
    address = str(device.get("address") or "")
    secured = f"security profile {profile}" if profile is not None else "the security profile that each case is for"
    return ", ".join(["OCPP 1.6, JSON over WebSocket", secured, *([address] if address else [])])


# The Test Result Summary


def totals(results: Results) -> dict[str, int]:
    """How many cases count as what: known failures are counted apart, if any was named."""
    counted = Counter(results.counts_as(case) for case in results.cases)
    return {each: counted[each] for each in (*VERDICTS, *([KNOWN_FAILURE] if results.known_failures else []))}


def summary(results: Results) -> list[dict[str, Any]]:
    """A row per role and functionality: ``outcome``, in the ``strict`` reading too, and how many cases of which."""
    found = []
    for role in ROLES:
        if not any(case.role == role for case in results.cases):
            continue
        for profile, name, description in FUNCTIONALITIES:
            cases = [case for case in results.cases if (case.role, case.profile) == (role, profile)]
            listed = {each for each, row in _catalogue().items() if (row["role"], row["profile"]) == (role, profile)}
            missing = len(listed - {case.id for case in cases})
            counts = Counter(results.verdict(case) for case in cases)
            found.append(
                {
                    "role": role,
                    "name": name,
                    "description": description,
                    "outcome": outcome([results.verdict(case) for case in cases], missing),
                    "strict": outcome([case.strict_verdict for case in cases], missing),
                    "passed": counts["pass"],
                    "applicable": len(cases) + missing - counts["not_applicable"],
                    "not_applicable": counts["not_applicable"],
                    "missing": missing,
                    "known": counts["fail"] - sum(results.counts_as(case) == "fail" for case in cases),
                    "again": sum(bool(case.attempts) for case in cases),
                }
            )
    return found


def outcome(verdicts: Sequence[str], missing: int) -> Outcome:
    """What a functionality has come to. ``missing``: how many of its cases are not among the results."""
    ran = [verdict for verdict in verdicts if verdict != "not_applicable"]
    if not ran:
        return "Not tested"
    if "fail" in ran:
        return "Fail"
    return "Pass" if not missing and set(ran) == {"pass"} else "Incomplete"


# Configuration and PICS


def configuration(results: Results) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """What was set: groups of name, value and meaning."""
    run, device = results.run, results.device
    security = _mapping(device.get("security"))
    limits = _mapping(device.get("limits_s"))
    has_password = "given, and kept out of this report" if security.get("has_password") else "none"
    is_virtual = run.get("time") == "virtual"
    order = f"shuffled, with the number {run['shuffle']}" if run.get("shuffle") is not None else "by their ids"
    return [
        (
            "How it was run",
            [
                ("Command", str(run.get("command") or ""), ""),
                ("Reading", "strict" if run.get("strict") else "default", ""),
                ("Time", str(run.get("time", "")), "the calendar is part of the play" if is_virtual else ""),
                ("Order of the cases", order, ""),
            ],
        ),
        (
            "Limits",
            [(LIMITS[name][0], f"{limits[name]:g} s", LIMITS[name][1]) for name in LIMITS if name in limits],
        ),
        (
            "Security",
            [
                ("Security profile", str(security.get("profile", "")).replace("None", "as each case needs it"), ""),
                ("AuthorizationKey", has_password, ""),
                *((name, str(security[name]), "") for name in ("tls_ca", "client_cert", "pki") if security.get(name)),
            ],
        ),
        ("Test data", [(name, str(value), "") for name, value in _mapping(device.get("test_data")).items()]),
        (
            "File servers",
            [
                (name, str(value), "")
                for name, value in _mapping(device.get("file_servers")).items()
                if value not in ("", "0")
            ],
        ),
    ]


def pics(results: Results) -> list[tuple[str, str, bool]]:
    """What was declared of the device: name, meaning, whether it has it."""
    lacks = results.device.get("lacks")
    lacking = lacks if isinstance(lacks, list) else []
    return [(name, meaning, name not in lacking) for name, meaning in PICS.items()]


# The cases, and what did not pass


def by_profile(results: Results) -> list[tuple[str, list[CaseResult]]]:
    """Every case, in the order of the functionalities; what belongs to none of them comes last."""
    names = {profile: name for profile, name, _ in FUNCTIONALITIES}
    found: dict[str, list[CaseResult]] = {name: [] for name in names.values()}
    for case in sorted(results.cases, key=lambda case: case.id):
        found.setdefault(names.get(case.profile, case.profile), []).append(case)
    return list(found.items())


def _is_explained(results: Results, case: CaseResult) -> bool:
    return results.verdict(case) in NOT_PASSED


def _diagram(case: CaseResult, transcripts: Transcripts) -> Markup:
    records = transcripts.get(case.id)
    return Markup(sequence.svg_of(case, records)) if records else Markup("")  # noqa: S704  # it escapes itself


def _frames(case: CaseResult, transcripts: Transcripts) -> list[sequence.Row]:
    """The last frames before the wrong one, and that one."""
    failure = case.failure or {}
    wanted = {*failure.get("frames", ()), failure.get("frame")} - {None}
    return [row for row in sequence.rows(transcripts.get(case.id, ())) if row.record in wanted]


# From clauses to cases


def traced(results: Results) -> dict[str, list[tuple[str, list[Tried]]]]:
    """What was demanded, by what came of it and by clause: exercised in this run, not in this one, by no test case."""
    found: dict[str, dict[str, list[Tried]]] = {"exercised": {}, "not here": {}, "by none": {}}
    for each in coverage(results):
        kind = "exercised" if each.ran else "by none" if each.requirement.untried else "not here"
        found[kind].setdefault(clause(each.requirement.clause), []).append(each)
    return {kind: list(by_clause.items()) for kind, by_clause in found.items()}
