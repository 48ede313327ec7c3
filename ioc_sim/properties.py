"""How PVs are declared: caproto properties with an alarm of their own."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from caproto.server import PVGroup, pvproperty

MILLIMETRES = {"units": "mm", "precision": 3}
CELSIUS = {"units": "°C", "precision": 2}  # caproto sends units in latin-1
VOLTS = {"units": "V", "precision": 3}


def pv(name: str, value: Any, **options: Any) -> Any:
    """A PV that clients may write. caproto would share one alarm between all PVs of a group."""
    return pvproperty(name=name, value=value, alarm_group=name, **options)


def readback(name: str, value: Any, **options: Any) -> Any:
    """A PV that only the IOC writes."""
    return pv(name, value, read_only=True, **options)


def moving(name: str, value: Any, period: float, signal: Callable[[], Iterator[dict[str, Any]]], **options: Any) -> Any:
    """A PV that shows the next update of `signal`, arguments of write(), every `period` seconds."""

    async def startup(group: PVGroup, instance: Any, async_lib: Any) -> None:
        updates = signal()
        async for _ in ticks(period):
            await instance.write(**next(updates))

    return readback(name, value, startup=startup, **options)


async def ticks(period: float) -> AsyncIterator[float]:
    """The monotonic time, at once and then every `period` seconds; ticks that were missed are not made up for."""
    due = time.monotonic()
    while True:
        yield time.monotonic()
        due = max(due + period, time.monotonic())
        await asyncio.sleep(due - time.monotonic())


def display(low: float, high: float) -> dict[str, float]:
    """Display limits."""
    return {"lower_disp_limit": low, "upper_disp_limit": high}


def control(low: float, high: float) -> dict[str, float]:
    """Limits of what a client may write, shown as the display limits too."""
    return display(low, high) | {"lower_ctrl_limit": low, "upper_ctrl_limit": high}


def alarms(lolo: float, low: float, high: float, hihi: float) -> dict[str, float]:
    """Limits of the alarms LOLO and HIHI (MAJOR), LOW and HIGH (MINOR)."""
    return {
        "lower_alarm_limit": lolo,
        "lower_warning_limit": low,
        "upper_warning_limit": high,
        "upper_alarm_limit": hihi,
    }
