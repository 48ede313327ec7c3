"""What most tests of what is said begin with."""

import pytest
from hypothesis import settings

from tests.fakes import Peer, World

settings.load_profile("ci")  # hypothesis' own: the same examples every time, and no deadline


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def peer(world: World) -> Peer:
    return world.peer()
