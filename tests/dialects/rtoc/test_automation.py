"""Comparisons that make events, and events that start actions."""

from typing import Any

import pytest

from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.dialects.rtoc.automation import MOST, Automation, SetAction, SetEvent
from pycaserver.dialects.rtoc.station import Station
from tests.dialects.rtoc.peers import station
from tests.fakes import WALL_START, World

TICK = 0.2


class Automated:
    """An automation that looks at T1, with what it made and started."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.station: Station = station(world)
        self.made: list[str] = []
        self.started: list[tuple[str, str]] = []
        self.automation = Automation(world.clock, self.station.signals.named, self._made, self._start)
        world.source["T1"].bring_up(0.0)

    def _made(self, text: str, *names: str, **keys: Any) -> None:
        self.made.append(text)

    def _start(self, name: str, identity: Identity) -> None:
        self.started.append((name, identity.user))
        self.automation.heard("again")

    def sees(self, *values: float) -> None:
        for value in values:
            self.world.source["T1"].post(value)
            self.world.clock.advance(TICK)


@pytest.fixture
def automated(world: World) -> Automated:
    return Automated(world)


@pytest.mark.parametrize(("trigger", "made"), [("rising", 2), ("falling", 1), ("both", 3), ("true", 2), ("false", 2)])
def test_an_event_is_made_when_its_trigger_says(automated: Automated, trigger: str, made: int) -> None:
    automated.automation.set_event(SetEvent("e", "Cryostat.T1 > 1", "e", trigger=trigger))  # type: ignore[arg-type]
    automated.sees(0.5, 2.0, 3.0, 0.0, 4.0)
    assert len(automated.made) == made


@pytest.mark.parametrize("operator", ["<", "<=", "==", ">=", ">", "!="])
def test_comparisons(automated: Automated, operator: str) -> None:
    comparison = automated.automation.comparison(f" Cryostat.T1.latest {operator} -2.5e0 ")
    automated.sees(-2.5)
    assert comparison.now() is eval(f"-2.5 {operator} -2.5")


@pytest.mark.parametrize("text", ["", "1 > 1", "Cryostat.T1", "Cryostat.T1 > x", "No.Such > 1", "a.b > 1; c", "a.b>>1"])
def test_what_is_no_comparison_is_refused(automated: Automated, text: str) -> None:
    with pytest.raises(PycaError, match="bad_request"):
        automated.automation.comparison(text)


def test_an_inactive_one_does_nothing_and_a_reset_makes_it_anew(automated: Automated) -> None:
    automated.automation.set_event(SetEvent("e", "Cryostat.T1 > 1", "e"))
    automated.sees(2.0)
    automated.automation.active["events"] = False
    automated.automation.reset()
    automated.sees(2.0)
    automated.automation.active["events"] = True
    automated.sees(2.0)
    assert automated.made == ["e", "e"]


def test_nothing_ticks_without_events(automated: Automated) -> None:
    before = automated.world.clock.pending
    automated.automation.set_event(SetEvent("e", "Cryostat.T1 > 1"))
    assert automated.automation.remove_event("e") and not automated.automation.remove_event("e")
    automated.world.clock.advance(TICK)
    assert automated.world.clock.pending == before


def test_actions_start_with_the_rights_of_who_set_them(automated: Automated) -> None:
    set_action = automated.automation.set_action
    set_action(SetAction("a", "vent", "hot"), Identity("anna"))
    set_action(SetAction("b", "vent", ["hot"], active=False), Identity("bert"))
    set_action(SetAction("c", "vent", ["again"]), Identity("carl"))
    set_action(SetAction("d", "vent", ["hot"]), Identity("dora", expires=WALL_START))
    automated.automation.heard("hot")
    assert automated.started == [("vent", "anna")]


def test_there_is_a_bound(automated: Automated) -> None:
    for number in range(MOST):
        automated.automation.set_event(SetEvent(str(number), "Cryostat.T1 > 1"))
    automated.automation.set_event(SetEvent("0", "Cryostat.T1 > 2"))
    with pytest.raises(PycaError, match="bad_request"):
        automated.automation.set_event(SetEvent("new", "Cryostat.T1 > 1"))
