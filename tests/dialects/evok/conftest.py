"""What most tests of Evok begin with."""

import pytest

from tests.dialects.evok.house import EvokPeer, House


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def peer(house: House) -> EvokPeer:
    return house.peer()
