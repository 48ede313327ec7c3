"""What most tests of the core begin with."""

import pytest
from hypothesis import settings

from pycaserver.core.channel import Channel
from tests.core.recorder import Recorder
from tests.fakes import FakeSourceChannel, Peer, World

settings.load_profile("ci")  # hypothesis' own: the same examples every time, and no deadline


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def peer(world: World) -> Peer:
    return world.peer()


@pytest.fixture
def channel(world: World) -> Channel:
    return world.channel("PV")


@pytest.fixture
def ioc(world: World, channel: Channel) -> FakeSourceChannel:
    return world.source["PV"]


@pytest.fixture
def recorder(channel: Channel, ioc: FakeSourceChannel) -> Recorder:
    return Recorder(channel)
