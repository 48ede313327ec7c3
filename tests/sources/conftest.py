"""A world whose PVs are the server's own: sim://, loc://, stat://; all else goes to a fake source."""

import pytest

from pycaserver.core.figures import Figures
from pycaserver.sources.local import LocalSource
from pycaserver.sources.schemes import SchemeSource
from pycaserver.sources.sim import SimSource
from pycaserver.sources.stat import StatSource
from tests.fakes import FakeClock, FakeSource, Peer, World


class OwnWorld(World):
    """`ioc` is where the names of Channel Access go."""

    def __init__(self) -> None:
        clock, figures, self.ioc = FakeClock(), Figures(), FakeSource()
        sources = {
            "ca": self.ioc,
            "sim": SimSource(clock),
            "loc": LocalSource(clock),
            "stat": StatSource(clock, figures, lambda: self.pool.states()),
        }
        super().__init__(clock=clock, figures=figures, source=SchemeSource(sources))


@pytest.fixture
def world() -> OwnWorld:
    return OwnWorld()


@pytest.fixture
def peer(world: OwnWorld) -> Peer:
    return world.peer()
