"""Meters and meter values: 3.16, 4.7, 7.31 to 7.35, errata 3.9, 3.14, 3.15, 3.16 and 3.91."""

import asyncio
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from ocpp.v16.enums import Measurand

from ocppj.clock import VIRTUAL_START, parse_timestamp
from ocppj.frames import Payload
from simulator.memory import Memory
from simulator.metering import INTERVALS, MEASURANDS, Meter, last_aligned, next_aligned
from tests.simulator.scene import Scene, Seen, scene

POWER = 3 * 230 * 16  # W


async def test_the_register_is_the_integral_of_the_power() -> None:
    memory = Memory()
    meter = Meter(1, memory)
    expected, readings = 0.0, [meter.register]
    for power, seconds in ((0, 50), (11_040, 10), (3_680, 20), (3_680, 5), (0, 1000), (11_040, 0.5)):
        meter.let_flow(power)
        await asyncio.sleep(seconds / 2)
        readings.append(meter.register)
        await asyncio.sleep(seconds / 2)
        expected += power * seconds / 3600
    readings.append(meter.register)
    assert readings[-1] == pytest.approx(expected)
    assert all(earlier <= later for earlier, later in pairwise(readings))
    meter.let_flow(0)
    assert Meter(1, memory).whole_register == int(expected)


async def test_the_register_goes_on_from_one_transaction_to_the_next() -> None:
    async with scene() as stage:
        for _ in range(3):
            await stage.charge_point.plug_in()
            await stage.charge_point.present("CAFE")
            await stage.pass_time(1000)
            await stage.charge_point.present("CAFE")
            await stage.pass_time(500)
            await stage.charge_point.unplug()
        starts = [seen.payload["meterStart"] for seen in stage.calls("StartTransaction")]
        stops = [seen.payload["meterStop"] for seen in stage.calls("StopTransaction")]
        assert starts == [0, *stops[:-1]]
        assert stops == [POWER * 1000 * n // 3600 for n in (1, 2, 3)]


@pytest.mark.parametrize("hindrance", ["the EV", "a fault"])
async def test_energy_flows_only_while_charging(hindrance: str) -> None:
    async with scene() as stage:
        it = stage.charge_point
        meter = it.connectors[1].meter
        await stage.charge()
        await stage.pass_time(99.999)
        before = meter.register
        await (it.fail(1) if hindrance == "a fault" else it.ev_stops_taking_energy())
        await stage.pass_time(1000)
        assert meter.register == before
        await (it.repair(1) if hindrance == "a fault" else it.ev_takes_energy())
        await stage.pass_time(100)
        assert meter.register == pytest.approx(before + POWER * 100 / 3600)


def values(seen: Seen) -> list[Payload]:
    (value,) = seen.payload["meterValue"]
    sampled: list[Payload] = value["sampledValue"]
    return sampled


def stamps(calls: list[Seen]) -> list[datetime]:
    return [parse_timestamp(seen.payload["meterValue"][0]["timestamp"]) for seen in calls]


async def test_samples_come_at_the_interval_from_the_start_of_the_transaction() -> None:
    async with scene() as stage:
        await stage.change(MeterValueSampleInterval=7)
        await stage.charge()
        began = parse_timestamp(stage.charge_point.timestamp())
        await stage.pass_time(71)
        calls = stage.calls("MeterValues")
        assert [round((stamp - began).total_seconds(), 2) for stamp in stamps(calls)] == [7 * n for n in range(1, 11)]
        assert all((seen.payload["connectorId"], seen.payload["transactionId"]) == (1, 1) for seen in calls)
        assert values(calls[0]) == [
            {
                "value": str(POWER * 7 // 3600),
                "context": "Sample.Periodic",
                "format": "Raw",
                "measurand": "Energy.Active.Import.Register",
                "location": "Outlet",
                "unit": "Wh",
            }
        ]


async def test_a_new_sample_interval_holds_at_once() -> None:
    async with scene() as stage:
        await stage.change(MeterValueSampleInterval=100)
        await stage.charge()
        began = asyncio.get_running_loop().time()
        await stage.pass_time(15)
        await stage.change(MeterValueSampleInterval=10)
        await stage.pass_time(20)
        assert [seen.at - began for seen in stage.calls("MeterValues")] == pytest.approx([20, 30], abs=0.01)
        await stage.change(MeterValueSampleInterval=0)
        stage.seen.clear()
        await stage.pass_time(100)
        assert stage.story() == []


EXPECTED: dict[str, list[tuple[str, str | None, str, str | None]]] = {  # after 100 s: value, phase, location, unit
    "Energy.Active.Import.Register": [("306", None, "Outlet", "Wh")],
    "Energy.Active.Import.Interval": [("153", None, "Outlet", "Wh")],
    "Energy.Active.Export.Interval": [("0", None, "Outlet", "Wh")],
    "Energy.Active.Export.Register": [("0", None, "Outlet", "Wh")],
    "Energy.Reactive.Import.Interval": [("50", None, "Outlet", "varh")],
    "Energy.Reactive.Import.Register": [("100", None, "Outlet", "varh")],
    "Energy.Reactive.Export.Interval": [("0", None, "Outlet", "varh")],
    "Energy.Reactive.Export.Register": [("0", None, "Outlet", "varh")],
    "Power.Active.Import": [("11040.0", None, "Outlet", "W")],
    "Power.Active.Export": [("0.0", None, "Outlet", "W")],
    "Power.Reactive.Import": [("3628.7", None, "Outlet", "var")],
    "Power.Reactive.Export": [("0.0", None, "Outlet", "var")],
    "Power.Factor": [("0.95", None, "Outlet", None)],
    "Current.Export": [("0.0", phase, "Outlet", "A") for phase in ("L1", "L2", "L3")],
    "RPM": [("1200", None, "Body", None)],
    "Power.Offered": [("11040.0", None, "Outlet", "W")],
    "Current.Import": [("16.0", phase, "Outlet", "A") for phase in ("L1", "L2", "L3")],
    "Current.Import.L3": [("16.0", "L3", "Outlet", "A")],
    "Current.Offered": [("16.0", None, "Outlet", "A")],
    "Voltage": [("230.0", phase, "Outlet", "V") for phase in ("L1", "L2", "L3")],
    "Voltage.L1": [("230.0", "L1", "Outlet", "V")],
    "Frequency": [("50.0", None, "Outlet", "Hertz")],
    "SoC": [("20.5", None, "EV", "Percent")],
    "Temperature": [("35.0", None, "Body", "Celcius")],
}


def test_every_measurand_is_expected() -> None:
    assert {*MEASURANDS, *INTERVALS} <= set(EXPECTED)


def test_every_measurand_of_the_specification_is_supported() -> None:
    assert {*MEASURANDS, *INTERVALS} == {measurand.value for measurand in Measurand}


@pytest.mark.parametrize("name", EXPECTED)
async def test_what_each_measurand_tells(name: str) -> None:
    async with scene() as stage:
        await stage.change(MeterValueSampleInterval=50, MeterValuesSampledData=name)
        await stage.charge()
        await stage.pass_time(100.1)
        sampled = values(stage.calls("MeterValues")[1])
        told = [(value["value"], value.get("phase"), value["location"], value.get("unit")) for value in sampled]
        assert told == EXPECTED[name]
        assert all(name.startswith(value["measurand"]) for value in sampled)


async def test_an_empty_list_means_the_default_measurand() -> None:
    async with scene() as stage:
        await stage.change(MeterValueSampleInterval=50, MeterValuesSampledData="")
        await stage.charge()
        await stage.pass_time(60)
        assert [value["measurand"] for value in values(stage.calls("MeterValues")[0])] == [
            "Energy.Active.Import.Register"
        ]


@pytest.mark.parametrize(
    ("moment", "interval", "expected"),
    [
        ((8, 41, 17, 389_000), 20, (13, 8, 41, 20)),
        ((8, 41, 20, 0), 20, (13, 8, 41, 40)),
        ((8, 41, 17, 0), 900, (13, 8, 45, 0)),
        ((23, 59, 59, 999_999), 900, (14, 0, 0, 0)),
        ((23, 59, 50, 0), 7, (13, 23, 59, 54)),
        ((23, 59, 54, 0), 7, (14, 0, 0, 0)),
        ((0, 0, 0, 0), 86_400, (14, 0, 0, 0)),
    ],
)
def test_the_next_aligned_instant(
    moment: tuple[int, int, int, int], interval: int, expected: tuple[int, int, int, int]
) -> None:
    instant = datetime(2031, 5, 13, *moment, tzinfo=UTC)
    assert next_aligned(instant, interval) == datetime(2031, 5, *expected, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "interval", "expected"),
    [
        ("13T08:41:20", 20, "13T08:41:00"),
        ("13T09:00:00", 900, "13T08:45:00"),
        ("14T00:00:00", 900, "13T23:45:00"),
        ("14T00:00:00", 7, "13T23:59:54"),
        ("14T00:00:00", 86_400, "13T00:00:00"),
    ],
)
def test_the_beginning_of_an_aligned_interval(moment: str, interval: int, expected: str) -> None:
    assert last_aligned(parse_timestamp(f"2031-05-{moment}Z"), interval) == parse_timestamp(f"2031-05-{expected}Z")


async def test_clock_aligned_data_of_an_interval_bear_its_beginning() -> None:
    async with scene() as stage:
        both = "Energy.Active.Import.Register,Energy.Active.Import.Interval"
        await stage.change(ClockAlignedDataInterval=20, MeterValuesAlignedData=both, StopTxnAlignedData=both)
        await stage.charge()
        await stage.pass_time(44)
        second, third = stage.calls("MeterValues")[1:3]
        told = [
            (parse_timestamp(value["timestamp"]).second, value["sampledValue"][0]["measurand"].rpartition(".")[2])
            for seen in (second, third)
            for value in seen.payload["meterValue"]
        ]
        assert told == [(20, "Interval"), (40, "Register"), (40, "Interval"), (0, "Register")]
        registers = [int(seen.payload["meterValue"][1]["sampledValue"][0]["value"]) for seen in (second, third)]
        assert third.payload["meterValue"][0]["sampledValue"][0]["value"] == str(registers[1] - registers[0])
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        data = stage.calls("StopTransaction")[0].payload["transactionData"]
        assert [value["timestamp"] for value in data[3:5]] == [
            value["timestamp"] for value in second.payload["meterValue"]
        ]


async def test_clock_aligned_values_of_every_connector() -> None:
    async with scene(connectors=2) as stage:
        await stage.charge(1)
        await stage.change(ClockAlignedDataInterval=20)
        await stage.pass_time(44)
        calls = stage.calls("MeterValues")
        assert [(seen.payload["connectorId"], seen.payload.get("transactionId")) for seen in calls] == [
            (1, 1),
            (2, None),
        ] * 3
        base = VIRTUAL_START.replace(microsecond=0)
        assert stamps(calls)[::2] == [
            base.replace(second=20),
            base.replace(second=40),
            base.replace(minute=42, second=0),
        ]
        assert all(value["context"] == "Sample.Clock" for seen in calls for value in values(seen))


async def test_offline_only_the_values_of_transactions_are_kept() -> None:
    async with scene(connectors=2) as stage:
        await stage.charge(1)
        await stage.change(ClockAlignedDataInterval=20)
        await stage.charge_point.lose_connection()
        await stage.pass_time(44)
        await stage.charge_point.restore_connection()
        await stage.pass_time(1)
        assert [seen.payload["connectorId"] for seen in stage.calls("MeterValues")] == [1, 1, 1]


async def stopped(stage: Scene, seconds: float) -> Payload:
    await stage.charge()
    await stage.pass_time(seconds)
    await stage.charge_point.present("CAFE")
    await stage.pass_time()
    return stage.calls("StopTransaction")[0].payload


def contexts(payload: Payload) -> list[str]:
    return [value["sampledValue"][0]["context"] for value in payload["transactionData"]]


async def test_transaction_data_begins_and_ends_with_the_transaction() -> None:
    async with scene() as stage:
        await stage.change(MeterValueSampleInterval=30, StopTxnSampledData="Energy.Active.Import.Register,SoC")
        payload = await stopped(stage, 100)
        assert contexts(payload) == ["Transaction.Begin", *["Sample.Periodic"] * 3, "Transaction.End"]
        registers = [int(value["sampledValue"][0]["value"]) for value in payload["transactionData"]]
        assert registers == [0, 92, 184, 276, 306]
        assert payload["meterStop"] == registers[-1]
        assert all(len(value["sampledValue"]) == 2 for value in payload["transactionData"])


async def test_clock_aligned_transaction_data() -> None:
    async with scene() as stage:
        await stage.change(ClockAlignedDataInterval=20, StopTxnAlignedData="Voltage.L1")
        payload = await stopped(stage, 44)
        assert contexts(payload) == ["Transaction.Begin", *["Sample.Clock"] * 3, "Transaction.End"]


async def test_both_kinds_of_transaction_data() -> None:
    async with scene() as stage:
        await stage.change(MeterValueSampleInterval=30, StopTxnSampledData="SoC")
        await stage.change(ClockAlignedDataInterval=20, StopTxnAlignedData="Voltage.L1")
        payload = await stopped(stage, 44)
        told = [
            (value["sampledValue"][0]["context"], len(value["sampledValue"])) for value in payload["transactionData"]
        ]
        assert told == [
            ("Transaction.Begin", 2),
            ("Sample.Clock", 1),
            ("Sample.Clock", 1),
            ("Sample.Periodic", 1),
            ("Sample.Clock", 1),
            ("Transaction.End", 2),
        ]


async def test_without_an_interval_transaction_data_are_the_first_and_the_last_value() -> None:
    async with scene() as stage:
        await stage.change(MeterValueSampleInterval=0, StopTxnSampledData="Energy.Active.Import.Register")
        payload = await stopped(stage, 100)
        assert contexts(payload) == ["Transaction.Begin", "Transaction.End"]


async def test_an_interval_of_zero_ends_what_recurs() -> None:
    async with scene() as stage:
        await stage.change(ClockAlignedDataInterval=20, MeterValueSampleInterval=10)
        await stage.charge()
        await stage.change(ClockAlignedDataInterval=0)
        await stage.pass_time(45)
        assert {value["context"] for seen in stage.calls("MeterValues") for value in values(seen)} == {
            "Sample.Periodic"
        }
        await stage.change(ClockAlignedDataInterval=20, MeterValueSampleInterval=0)
        stage.seen.clear()
        await stage.pass_time(45)
        assert {value["context"] for seen in stage.calls("MeterValues") for value in values(seen)} == {"Sample.Clock"}


async def test_values_without_a_transaction_have_no_transaction_id() -> None:
    async with scene() as stage:
        await stage.change(ClockAlignedDataInterval=20)
        await stage.pass_time(44)
        assert ["transactionId" in seen.payload for seen in stage.calls("MeterValues")] == [False] * 3


async def test_empty_lists_give_no_transaction_data() -> None:
    async with scene() as stage:
        await stage.change(MeterValueSampleInterval=30, ClockAlignedDataInterval=20)
        assert "transactionData" not in await stopped(stage, 100)


async def test_there_is_a_limit_to_transaction_data() -> None:
    async with scene() as stage:
        await stage.change(MeterValueSampleInterval=1, StopTxnSampledData="Energy.Active.Import.Register")
        payload = await stopped(stage, 1000.5)
        told = contexts(payload)
        assert 50 <= len(told) <= 100
        assert (told[0], told[-1]) == ("Transaction.Begin", "Transaction.End")
        times = [parse_timestamp(value["timestamp"]) for value in payload["transactionData"]]
        assert times == sorted(times)
        assert payload["transactionData"][-2]["sampledValue"][0]["value"] == str(POWER * 1000 // 3600)


async def test_values_queued_offline_go_before_new_ones() -> None:
    async with scene() as stage:
        await stage.change(MeterValueSampleInterval=10)
        await stage.charge()
        await stage.charge_point.lose_connection()
        await stage.pass_time(45)
        await stage.charge_point.restore_connection()
        await stage.pass_time(30)
        told = stamps(stage.calls("MeterValues"))
        assert [round((later - earlier).total_seconds(), 3) for earlier, later in pairwise(told)] == [10] * 6
