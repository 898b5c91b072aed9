"""The electricity meters, what they tell, and when: 3.16, 4.7, 7.31 to 7.35 and 7.43.

The meter of a connector is a device of its own with a register that never runs back and outlives power cuts.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ocppj.clock import timestamp
from ocppj.frames import Payload
from simulator.charging_schedule import VOLTAGE
from simulator.memory import Memory, StoredTransaction

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint
    from simulator.connector import Connector

PHASES = ("L1", "L2", "L3")
CURRENT = 16.0  # A on each phase, offered and taken
FREQUENCY = 50.0
BATTERY = 60_000.0  # Wh; the EV that we simulate
STATE_OF_CHARGE_ON_ARRIVAL = 20.0  # percent
REGISTER = "Energy.Active.Import.Register"
POWER_FACTOR = 0.95
REACTIVE = (1 / POWER_FACTOR**2 - 1) ** 0.5  # var for each W: the EV draws lagging current
FAN_SPEED = 1200  # rounds per minute while it charges

# What was measured since the reading before: its share of the active energy (Wh) and its unit. Nothing is given back.
INTERVALS = {
    "Energy.Active.Import.Interval": (1.0, "Wh"),
    "Energy.Active.Export.Interval": (0.0, "Wh"),
    "Energy.Reactive.Import.Interval": (REACTIVE, "varh"),
    "Energy.Reactive.Export.Interval": (0.0, "varh"),
}

# One reading: value, phase, location and unit; what is None is left out.
Reading = tuple[str, str | None, str | None, str | None]


class Meter:
    """The meter of one connector: a register in Wh, and the power in W that flows through it."""

    def __init__(self, number: int, memory: Memory) -> None:
        self._key = str(number)
        self._registers = memory.registers
        self._power = 0.0
        self._since = 0.0

    @property
    def register(self) -> float:
        """Wh up to this instant: the integral of the power over time."""
        if self._power:
            now = asyncio.get_running_loop().time()
            self._registers[self._key] = self._stored + self._power * (now - self._since) / 3600
            self._since = now
        return self._stored

    @property
    def whole_register(self) -> int:
        """The register as it is reported: whole Wh, as meterStart and meterStop are (6.45, 6.49)."""
        return int(self.register + 1e-6)

    @property
    def power(self) -> float:
        """W that flow now."""
        return self._power

    def let_flow(self, power: float) -> None:
        """Let this power flow from now on."""
        if power == self._power:
            return
        _ = self.register
        self._power = power
        self._since = asyncio.get_running_loop().time()

    @property
    def _stored(self) -> float:
        return self._registers.get(self._key, 0.0)


def _per_phase(value: float, unit: str) -> list[Reading]:
    # 3.16.3: every phase that can be measured is reported.
    return [(f"{value:.1f}", phase, None, unit) for phase in PHASES]


def _reactive(connector: "Connector") -> str:
    return str(int(REACTIVE * connector.meter.register + 1e-6))


def _since_before(measurand: str, interval: int) -> list[Reading]:
    share, unit = INTERVALS[measurand]
    return [(str(int(share * interval)), None, None, unit)]


def _state_of_charge(connector: "Connector") -> list[Reading]:
    if not connector.ev_in:
        return []
    taken = 100 * (connector.meter.register - connector.register_on_arrival) / BATTERY
    return [(f"{min(100.0, STATE_OF_CHARGE_ON_ARRIVAL + taken):.1f}", None, "EV", "Percent")]


def _temperature(connector: "Connector") -> list[Reading]:
    # OCPP-J errata 2.1: a Charge Point is advised to keep the misspelt unit, which every Central System knows.
    return [("35.0" if connector.meter.power else "25.0", None, "Body", "Celcius")]


def _current(connector: "Connector", power: float) -> float:
    """A on each phase that is used, for W on all of them."""
    return power / (connector.limit.phases * VOLTAGE)


def _import_by_phase(connector: "Connector") -> list[Reading]:
    current = _current(connector, connector.meter.power)
    return [
        (f"{current if number < connector.limit.phases else 0.0:.1f}", phase, None, "A")
        for number, phase in enumerate(PHASES)
    ]


MEASURANDS: dict[str, Callable[["Connector"], list[Reading]]] = {
    REGISTER: lambda connector: [(str(connector.meter.whole_register), None, None, "Wh")],
    "Energy.Active.Export.Register": lambda _: [("0", None, None, "Wh")],
    "Energy.Reactive.Import.Register": lambda connector: [(_reactive(connector), None, None, "varh")],
    "Energy.Reactive.Export.Register": lambda _: [("0", None, None, "varh")],
    "Power.Active.Import": lambda connector: [(f"{connector.meter.power:.1f}", None, None, "W")],
    "Power.Active.Export": lambda _: [("0.0", None, None, "W")],
    "Power.Reactive.Import": lambda connector: [(f"{REACTIVE * connector.meter.power:.1f}", None, None, "var")],
    "Power.Reactive.Export": lambda _: [("0.0", None, None, "var")],
    "Power.Factor": lambda connector: [(f"{POWER_FACTOR if connector.meter.power else 1.0:.2f}", None, None, None)],
    "Power.Offered": lambda connector: [(f"{connector.offered_power:.1f}", None, None, "W")],
    "Current.Import": _import_by_phase,
    "Current.Offered": lambda connector: [(f"{_current(connector, connector.offered_power):.1f}", None, None, "A")],
    "Current.Export": lambda _: _per_phase(0.0, "A"),
    "Voltage": lambda _: _per_phase(VOLTAGE, "V"),
    # Errata 3.86: the unit is Hertz, though 7.45 does not list it.
    "Frequency": lambda _: [(f"{FREQUENCY:.1f}", None, None, "Hertz")],
    # 7.45 has no unit for it.
    "RPM": lambda connector: [(str(FAN_SPEED if connector.meter.power else 0), None, "Body", None)],
    "SoC": _state_of_charge,
    "Temperature": _temperature,
}

_BY_PHASE = ("Current.Export", "Current.Import", "Voltage")

# 9.1.17: where applicable the measurand is combined with a phase, as in Voltage.L1.
_CANONICAL = {
    name.lower(): name
    for name in (*MEASURANDS, *INTERVALS, *(f"{measurand}.{phase}" for measurand in _BY_PHASE for phase in PHASES))
}


def canonical_measurand(name: str) -> str | None:
    """The spelling of a measurand, or of a measurand with its phase; None if it is not supported (3.16.4)."""
    return _CANONICAL.get(name.lower())


def meter_value(
    connector: "Connector", measurands: list[str], context: str, moment: datetime, interval: int = 0
) -> Payload | None:
    """A MeterValue (7.33) with these measurands; None if none can be measured now.

    ``interval``: whole Wh since the reading before, for the measurand that tells it.
    """
    sampled = [value for name in measurands for value in _sampled_values(connector, name, context, interval)]
    return {"timestamp": timestamp(moment), "sampledValue": sampled} if sampled else None


def _sampled_values(connector: "Connector", name: str, context: str, interval: int) -> list[Payload]:
    measurand, wanted = name, None
    if name.rpartition(".")[0] in _BY_PHASE:
        measurand, _, wanted = name.rpartition(".")
    readings = _since_before(measurand, interval) if measurand in INTERVALS else MEASURANDS[measurand](connector)
    values = []
    for value, phase, location, unit in readings:
        if wanted is None or phase == wanted:
            fields = {"phase": phase, "location": location or "Outlet", "unit": unit}
            values.append(
                {"value": value, "context": context, "format": "Raw", "measurand": measurand}
                | {name: text for name, text in fields.items() if text is not None}
            )
    return values


def sampled_measurands(charge_point: "ChargePoint", key: str) -> list[str]:
    """The measurands of MeterValues.req; an empty list means the default measurand (7.31, 9.1.17)."""
    return charge_point.configuration.items(key) or [REGISTER]


def keep(charge_point: "ChargePoint", stored: StoredTransaction, value: Payload | None) -> None:
    """Keep a value for transactionData. When there are too many, intermediate ones go (errata 3.91)."""
    if value is None:
        return
    data = stored["data"]
    data.append(value)
    if len(data) > charge_point.configuration.number("StopTransactionMaxMeterValues") - 1:  # one is to come: the last
        del data[1:-1:2]  # every second one; what was read at the start of the transaction stays


def transaction_value(
    charge_point: "ChargePoint", connector: "Connector", context: str, moment: datetime
) -> Payload | None:
    """Every measurand configured for transactionData, at the start or end of a transaction (errata 3.14)."""
    configuration = charge_point.configuration
    measurands = [*configuration.items("StopTxnSampledData"), *configuration.items("StopTxnAlignedData")]
    interval = connector.interval("Sample.Periodic") if context == "Transaction.End" else 0
    return meter_value(connector, list(dict.fromkeys(measurands)), context, moment, interval)


async def sample_periodically(charge_point: "ChargePoint", connector: "Connector", stored: StoredTransaction) -> None:
    """Sample every MeterValueSampleInterval seconds, counted from the start of the transaction (3.16.1)."""
    interval = charge_point.configuration.number("MeterValueSampleInterval")
    if not interval:
        return
    loop = asyncio.get_running_loop()
    began = connector.transaction_began
    step = 0
    while True:
        # The next one, or, when the key was changed or the computer was slow, the next one that is still to come.
        step = max(step, int((loop.time() - began) / interval + 1e-6)) + 1
        await asyncio.sleep(began + step * interval - loop.time())
        _sample(charge_point, connector, stored, "Sample.Periodic", "Sampled", charge_point.now())


async def sample_by_the_clock(charge_point: "ChargePoint") -> None:
    """Sample every connector at the multiples of ClockAlignedDataInterval since midnight UTC (3.16.2)."""
    interval = charge_point.configuration.number("ClockAlignedDataInterval")
    if not interval:
        return
    moment = next_aligned(charge_point.now(), interval)
    while True:
        await _until(charge_point.now, moment)
        began = last_aligned(moment, interval)
        for connector in charge_point.connectors.values():
            _sample(charge_point, connector, connector.transaction, "Sample.Clock", "Aligned", moment, began)
        # The clock may have been set meanwhile.
        moment = next_aligned(max(moment, charge_point.now() - timedelta(seconds=interval)), interval)


async def _until(now: Callable[[], datetime], moment: datetime) -> None:
    # Once may be too little: the loop's time and the calendar need not agree to the microsecond.
    while now() < moment:  # noqa: ASYNC110
        await asyncio.sleep((moment - now()).total_seconds())


def next_aligned(moment: datetime, interval: int) -> datetime:
    """The first multiple of an interval (s) since midnight that lies after a moment; midnight begins anew."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    steps = (moment - midnight) // timedelta(seconds=interval) + 1
    return min(midnight + steps * timedelta(seconds=interval), midnight + timedelta(days=1))


def last_aligned(moment: datetime, interval: int) -> datetime:
    """The beginning of the interval (s) that ends at an aligned instant."""
    earlier = moment - timedelta(microseconds=1)
    midnight = earlier.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (earlier - midnight) // timedelta(seconds=interval) * timedelta(seconds=interval)


def _sample(
    charge_point: "ChargePoint",
    connector: "Connector",
    stored: StoredTransaction | None,
    context: str,
    kind: str,
    moment: datetime,
    began: datetime | None = None,
) -> None:
    measurands = sampled_measurands(charge_point, f"MeterValues{kind}Data")
    if values := _values(connector, measurands, context, moment, began):
        payload: Payload = {"connectorId": connector.number, "meterValue": values}
        charge_point.queue_meter_values(payload, stored)
    if stored:
        for_stop = charge_point.configuration.items(f"StopTxn{kind}Data")
        for value in _values(connector, for_stop, context, moment, began):
            keep(charge_point, stored, value)
    connector.begin_interval(context)


def _values(
    connector: "Connector", measurands: list[str], context: str, moment: datetime, began: datetime | None
) -> list[Payload]:
    """What is measured at an instant.

    9.1.5: clock-aligned data of an interval bear its beginning. Everything else bears the instant at which it was read
    (7.33).
    """
    at = {name: began if began is not None and name in INTERVALS else moment for name in measurands}
    interval = connector.interval(context)
    by_instant = [
        meter_value(connector, [name for name in measurands if at[name] == instant], context, instant, interval)
        for instant in sorted(set(at.values()))
    ]
    return [value for value in by_instant if value is not None]
