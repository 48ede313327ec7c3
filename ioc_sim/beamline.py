"""A beamline: the ring's current, a shutter, the photon energy, and what gauges, camera and detector see."""

import math
from typing import Any

import numpy as np
from caproto import ChannelType
from caproto.server import PVGroup

from ioc_sim import views
from ioc_sim.properties import alarms, control, display, pv, readback, ticks
from ioc_sim.signals import approach, relax

PERIOD = 0.2  # seconds between two steps of the beamline
FULL, LEAST = 300.0, 297.0  # mA; the ring is filled up when it has less
LOSS, FILLING = 0.12, 1.5  # mA/s
FLUX = 2.0e12  # photons per second at full current and 8 keV
KEV_PER_SECOND = 0.5
BASE, VENTED = 2e-9, 4e-6  # mbar
PUMPING = 4.0  # seconds in which the pressure comes nearer by a factor of e
KEV = {"units": "keV", "precision": 3}
MBAR = {"units": "mbar", "precision": 1}


class Beamline(PVGroup):  # type: ignore[misc]
    """The gauges see VALVE of the group around."""

    _filling = False

    async def _run(self, instance: Any, async_lib: Any) -> None:
        """All that has to do with each other, in steps of PERIOD."""
        noise = np.random.default_rng()
        async for _ in ticks(PERIOD):
            await instance.write(self._next_current(instance.value))
            await self._move_energy()
            flux = self._expected_flux() * noise.normal(1.0, 0.002)
            await self.flux.write(flux)
            await self._pump(noise)
            await self.camera.write(views.beam(noise, flux / FLUX))

    current = readback(
        "CURRENT",
        FULL,
        startup=_run,
        units="mA",
        precision=2,
        **display(290.0, 302.0),
        **alarms(250.0, 295.0, 305.0, 310.0),
    )
    shutter = pv("SHUTTER", "Open", dtype=ChannelType.ENUM, enum_strings=["Closed", "Open"])
    energy = pv("ENERGY", 8.0, **KEV, **control(5.0, 20.0))
    energy_readback = readback("ENERGY:RBV", 8.0, **KEV, **display(5.0, 20.0))
    flux = readback("FLUX", 0.0, units="ph/s", precision=2, **display(0.0, 2.5e12))
    gauge_1 = readback("GAUGE1", BASE, **MBAR, **display(1e-10, 1e-4), **alarms(0.0, 0.0, 1e-7, 1e-6))
    gauge_2 = readback("GAUGE2", BASE, **MBAR, **display(1e-10, 1e-4), **alarms(0.0, 0.0, 1e-7, 1e-6))
    camera = readback("CAMERA", views.dark(), dtype=ChannelType.INT, max_subscription_backlog=10)
    camera_width = readback("CAMERA:WIDTH", views.WIDTH, units="px")
    camera_height = readback("CAMERA:HEIGHT", views.HEIGHT, units="px")

    async def _count(self, instance: Any, async_lib: Any) -> None:
        """The detector counts for a while, then it begins anew."""
        noise = np.random.default_rng()
        async for _ in ticks(views.COUNTING_PERIOD):
            await instance.write(views.counted(noise, instance.value, self.flux.value / FLUX))

    spectrum = readback(
        "SPECTRUM", np.zeros(views.CHANNELS, np.int32), startup=_count, dtype=ChannelType.LONG, units="counts"
    )

    async def _digitize(self, instance: Any, async_lib: Any) -> None:
        noise = np.random.default_rng()
        async for _ in ticks(views.SCOPE_PERIOD):
            await instance.write(views.transient(noise))

    scope = readback(
        "SCOPE", np.zeros(views.SCOPE_POINTS, np.float32), startup=_digitize, dtype=ChannelType.FLOAT,
        units="V", precision=3, max_subscription_backlog=2, **display(-2.0, 2.0),
    )  # fmt: skip

    def _next_current(self, current: float) -> float:
        """It decays; at LEAST the ring is filled up."""
        self._filling = current < (FULL if self._filling else LEAST)
        return current + PERIOD * (FILLING if self._filling else -LOSS)

    def _expected_flux(self) -> float:
        """None with a closed shutter; best at 8 keV."""
        detuned = (self.energy_readback.value - 8.0) / 6.0
        flux: float = FLUX * self.current.value / FULL * math.exp(-detuned * detuned)
        return flux if self.shutter.value == "Open" else 0.0

    async def _move_energy(self) -> None:
        value = approach(self.energy_readback.value, self.energy.value, KEV_PER_SECOND * PERIOD)
        if value != self.energy_readback.value:
            await self.energy_readback.write(value)

    async def _pump(self, noise: np.random.Generator) -> None:
        """The second gauge is behind VALVE, and sees the vessel when that is open."""
        behind = VENTED if self.parent.valve.value == "Open" else BASE
        for gauge, pressure in ((self.gauge_1, BASE), (self.gauge_2, behind)):
            exponent = relax(math.log(gauge.value), math.log(pressure), PERIOD, PUMPING)
            await gauge.write(math.exp(exponent + noise.normal(0.0, 0.01)))
