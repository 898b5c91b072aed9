"""ChangeConfiguration and GetConfiguration (5.3, 5.8), every key of the Core profile (9.1)."""

import pytest

from ocppj.errors import Refused
from ocppj.frames import Payload
from simulator.configuration import Configuration, Key, core_keys
from simulator.memory import Memory
from tests.simulator.scene import scene

BOOLEANS = [
    "AllowOfflineTxForUnknownId",
    "AuthorizationCacheEnabled",
    "AuthorizeRemoteTxRequests",
    "LocalAuthorizeOffline",
    "LocalPreAuthorize",
    "StopTransactionOnEVSideDisconnect",
    "StopTransactionOnInvalidId",
    "UnlockConnectorOnEVSideDisconnect",
]
INTEGERS = {  # the least and the greatest value
    "BlinkRepeat": (0, 100),
    "ClockAlignedDataInterval": (0, 86_400),
    "ConnectionTimeOut": (1, 2**31 - 1),
    "HeartbeatInterval": (0, 2**31 - 1),
    "LightIntensity": (0, 100),
    "MaxEnergyOnInvalidId": (0, 2**31 - 1),
    "MessageTimeout": (1, 2**31 - 1),
    "MeterValueSampleInterval": (0, 2**31 - 1),
    "MinimumStatusDuration": (0, 2**31 - 1),
    "ResetRetries": (0, 100),
    "TransactionMessageAttempts": (1, 2**31 - 1),
    "TransactionMessageRetryInterval": (0, 2**31 - 1),
    "WebSocketPingInterval": (0, 2**31 - 1),
}
MEASURANDS = ["MeterValuesAlignedData", "MeterValuesSampledData", "StopTxnAlignedData", "StopTxnSampledData"]
READ_ONLY = {
    "ConnectorPhaseRotationMaxLength": "3",
    "GetConfigurationMaxKeys": "50",
    "MeterValuesAlignedDataMaxLength": "10",
    "MeterValuesSampledDataMaxLength": "10",
    "NumberOfConnectors": "2",
    "StopTransactionMaxMeterValues": "100",
    "StopTxnAlignedDataMaxLength": "10",
    "StopTxnSampledDataMaxLength": "10",
    "SupportedFeatureProfiles": "Core",
    "SupportedFeatureProfilesMaxLength": "1",
}
EVERY_KEY = sorted([*BOOLEANS, *INTEGERS, *MEASURANDS, *READ_ONLY, "ConnectorPhaseRotation"])


def keys(fixed_cable: bool = False) -> list[Key]:
    return core_keys(connectors=2, fixed_cable=fixed_cable, message_timeout=30, profiles=["Core"])


def configuration() -> Configuration:
    return Configuration(keys(), Memory())


def test_there_is_every_key_of_the_core_profile() -> None:
    assert [key.name for key in keys()] == EVERY_KEY
    assert {key.name: key.default for key in keys() if key.read_only} == READ_ONLY


@pytest.mark.parametrize("key", keys(), ids=lambda key: key.name)
def test_a_default_is_a_value_that_could_be_set(key: Key) -> None:
    assert key.read_only or key.understood(key.default) == key.default


CHANGES = [
    *((name, text, "Accepted", text) for name in BOOLEANS for text in ("true", "false")),
    *((name, "FALSE", "Accepted", "false") for name in BOOLEANS),
    *((name, text, "Rejected", None) for name in BOOLEANS for text in ("1", "yes", "", "true ")),
    *((name, str(value), "Accepted", str(value)) for name, limits in INTEGERS.items() for value in limits),
    *((name, str(limits[0] - 1), "Rejected", None) for name, limits in INTEGERS.items()),
    *((name, str(limits[1] + 1), "Rejected", None) for name, limits in INTEGERS.items()),
    *((name, text, "Rejected", None) for name in INTEGERS for text in ("", "ten", "1.5", "+1", "1 ", "٣", "1e3")),
    *((name, "", "Accepted", "") for name in MEASURANDS),
    *(
        (
            name,
            "voltage.l2, SoC,Energy.Active.Import.Interval",
            "Accepted",
            "Voltage.L2,SoC,Energy.Active.Import.Interval",
        )
        for name in MEASURANDS
    ),
    *((name, "SoC,Power.Lost", "Rejected", None) for name in MEASURANDS),
    *((name, "SoC,,Voltage", "Rejected", None) for name in MEASURANDS),
    *((name, "Frequency.L1", "Rejected", None) for name in MEASURANDS),
    *(
        (
            name,
            "SoC,Temperature,Frequency,Voltage,Current.Import,Current.Offered,Power.Offered,Power.Active.Import,"
            "Voltage.L1,Voltage.L2,Voltage.L3",
            "Rejected",
            None,
        )
        for name in MEASURANDS
    ),
    *((name, value, "Rejected", value) for name, value in READ_ONLY.items()),
    ("ConnectorPhaseRotation", "0.Unknown,1.TSR,2.NotApplicable", "Accepted", "0.Unknown,1.TSR,2.NotApplicable"),
    ("ConnectorPhaseRotation", "3.RST", "Rejected", None),
    ("ConnectorPhaseRotation", "1.RSR", "Rejected", None),
    ("ConnectorPhaseRotation", "RST", "Rejected", None),
    ("Testing", "true", "NotSupported", None),
    ("AuthorizationKey", "aa", "NotSupported", None),
]


@pytest.mark.parametrize(("name", "text", "status", "value"), CHANGES)
def test_change(name: str, text: str, status: str, value: str | None) -> None:
    settings = configuration()
    before = settings.value(name) if settings.find(name) else None
    assert settings.change(name.upper(), text) == status
    if status != "NotSupported":
        assert settings.value(name) == (before if value is None else value)


@pytest.mark.parametrize("name", EVERY_KEY)
async def test_every_key_can_be_read_and_what_can_be_written_is_kept(name: str) -> None:
    async with scene(connectors=2) as stage:
        (told,) = (await stage.ask("GetConfiguration", key=[name.lower()]))["configurationKey"]
        assert told["key"] == name
        conf = await stage.ask("ChangeConfiguration", key=name, value=told["value"])
        assert conf == {"status": "Rejected" if told["readonly"] else "Accepted"}
        assert told["readonly"] == (name in READ_ONLY)


async def test_a_changed_value_outlives_power() -> None:
    async with scene() as stage:
        await stage.change(ConnectionTimeOut=33)
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        await stage.pass_time(3)
        conf = await stage.ask("GetConfiguration", key=["ConnectionTimeOut"])
        assert conf == {"configurationKey": [{"key": "ConnectionTimeOut", "readonly": False, "value": "33"}]}


async def test_all_keys_are_told_without_a_list_or_with_an_empty_one() -> None:
    async with scene(profiles=["Core"]) as stage:
        requests: list[Payload] = [{}, {"key": []}]
        for request in requests:
            conf = await stage.ask("GetConfiguration", **request)
            assert [told["key"] for told in conf["configurationKey"]] == EVERY_KEY
            assert "unknownKey" not in conf


async def test_unknown_keys_are_told_apart() -> None:
    async with scene() as stage:
        conf = await stage.ask("GetConfiguration", key=["Nonsense", "heartbeatinterval", "HeartbeatInterval", "Other"])
        assert [told["key"] for told in conf["configurationKey"]] == ["HeartbeatInterval"]
        assert conf["unknownKey"] == ["Nonsense", "Other"]


async def test_too_many_keys_are_refused() -> None:
    async with scene() as stage:
        assert len((await stage.ask("GetConfiguration", key=[f"k{n}" for n in range(50)]))["unknownKey"]) == 50
        with pytest.raises(Refused, match="OccurenceConstraintViolation"):
            await stage.ask("GetConfiguration", key=[f"k{n}" for n in range(51)])


async def test_with_a_fixed_cable_there_is_nothing_to_unlock() -> None:
    async with scene(fixed_cable=True) as stage:
        name = "UnlockConnectorOnEVSideDisconnect"
        conf = await stage.ask("GetConfiguration", key=[name])
        assert conf["configurationKey"] == [{"key": name, "readonly": True, "value": "false"}]
        assert await stage.ask("ChangeConfiguration", key=name, value="true") == {"status": "Rejected"}


async def test_message_timeout_can_be_set() -> None:
    async with scene() as stage:
        await stage.change(MessageTimeout=3)
        assert stage.charge_point.message_timeout == 3
