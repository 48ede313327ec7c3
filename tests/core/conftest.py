"""What most tests of the core begin with."""

import pytest

from pycaserver.core.channel import Channel
from tests.core.recorder import Recorder
from tests.fakes import FakeSourceChannel, World


@pytest.fixture
def channel(world: World) -> Channel:
    return world.channel("PV")


@pytest.fixture
def ioc(world: World, channel: Channel) -> FakeSourceChannel:
    return world.source["PV"]


@pytest.fixture
def recorder(channel: Channel, ioc: FakeSourceChannel) -> Recorder:
    return Recorder(channel)
