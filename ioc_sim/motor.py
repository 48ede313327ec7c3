"""An axis: the readback follows the set point at a finite speed."""

import asyncio
import time
from typing import Any

from caproto import ChannelType
from caproto.server import PVGroup

from ioc_sim.properties import MILLIMETRES, control, display, pv, readback, ticks
from ioc_sim.signals import approach

PERIOD = 0.1  # seconds between two positions
DONE, MOVING = "Done", "Moving"


class Motor(PVGroup):  # type: ignore[misc]
    """An axis of 200 mm."""

    _target = 0.0
    _task: asyncio.Task[None] | None = None

    async def _start(self, instance: Any, value: float) -> float:
        self._target = float(value)
        if self._task is None:
            self._task = asyncio.create_task(self._follow())
        return value

    setpoint = pv("", 0.0, put=_start, **MILLIMETRES, **control(-100.0, 100.0))
    position = readback(":RBV", 0.0, **MILLIMETRES, **display(-100.0, 100.0))
    moving = readback(":MOVING", DONE, dtype=ChannelType.ENUM, enum_strings=[DONE, MOVING])
    speed = pv(":SPEED", 10.0, units="mm/s", precision=1, **control(0.1, 1000.0))

    async def _follow(self) -> None:
        while self.position.value != self._target:
            await self.moving.write(MOVING)
            await self._move()
            await self.moving.write(DONE)
        self._task = None

    async def _move(self) -> None:
        before = time.monotonic()
        async for now in ticks(PERIOD):
            await self.position.write(approach(self.position.value, self._target, self.speed.value * (now - before)))
            before = now
            if self.position.value == self._target:
                return
