"""A furnace that follows a recipe: a list of temperatures, each held for its duration."""

import asyncio
import random
from typing import Any

from caproto.server import PVGroup, SubGroup

from ioc_sim.properties import CELSIUS, alarms, control, display, pv, readback, ticks
from ioc_sim.signals import relax

MAX_STEPS = 100
ROOM = 20.0
PERIOD = 0.2  # seconds between two readings of the temperature
TIME_CONSTANT = 1.0
NOISE = 0.02


class Recipe(PVGroup):  # type: ignore[misc]
    """Writing RUNNING=1 starts the recipe, ABORT=1 or RUNNING=0 stops it."""

    _task: asyncio.Task[None] | None = None

    async def _set_running(self, instance: Any, value: int) -> int:
        if value and self._task is None:
            self._task = asyncio.create_task(self._execute(self._steps()))
        elif not value:
            await self._stop()
        return value

    async def _set_abort(self, instance: Any, value: int) -> int:
        """The flag falls back to 0 by itself."""
        if value:
            await self.running.write(0)
        return 0

    running = pv("RUNNING", 0, put=_set_running, **control(0, 1))
    abort = pv("ABORT", 0, put=_set_abort, **control(0, 1))
    temperatures = pv("TEMPERATURES", [30.0, 50.0, 70.0, 25.0], dtype=float, max_length=MAX_STEPS, **CELSIUS)
    durations = pv("DURATIONS", [5.0, 5.0, 5.0, 5.0], dtype=float, max_length=MAX_STEPS, units="s", precision=1)
    step = readback("STEP", 0, **display(0, MAX_STEPS))

    def _steps(self) -> list[tuple[float, float]]:
        """Pairs of temperature and duration; raises ValueError, which refuses the start, if they make no recipe."""
        steps = list(zip(self.temperatures.value, self.durations.value, strict=True))
        low, high = self.parent.setpoint.lower_ctrl_limit, self.parent.setpoint.upper_ctrl_limit
        if not steps or not all(low <= temperature <= high and duration >= 0.0 for temperature, duration in steps):
            raise ValueError(f"a recipe needs temperatures from {low} to {high}, and durations")
        return steps

    async def _execute(self, steps: list[tuple[float, float]]) -> None:
        for number, (temperature, duration) in enumerate(steps, 1):
            await self.step.write(number)
            await self.parent.setpoint.write(temperature)
            await asyncio.sleep(duration)
        self._task = None
        await self.running.write(0)

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        await self.step.write(0)


class Furnace(PVGroup):  # type: ignore[misc]
    """A temperature that follows its set point slowly, and the recipe that drives the set point."""

    async def _follow(self, instance: Any, async_lib: Any) -> None:
        async for _ in ticks(PERIOD):
            value = relax(instance.value, self.setpoint.value, PERIOD, TIME_CONSTANT)
            await instance.write(value + random.gauss(0.0, NOISE))

    temperature = readback(
        "T1", ROOM, startup=_follow, **CELSIUS, **display(0.0, 100.0), **alarms(0.0, 10.0, 60.0, 80.0)
    )
    setpoint = pv("SETPOINT", ROOM, **CELSIUS, **control(0.0, 100.0))
    recipe = SubGroup(Recipe, prefix="RECIPE:")
