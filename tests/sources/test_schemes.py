"""sources/schemes.py: which source a name goes to, and under which name; and what the access rules make of it."""

import pytest

from pycaserver.core.access import Rule, Rules
from pycaserver.core.errors import PycaError
from tests.fakes import Peer
from tests.sources.conftest import OwnWorld


@pytest.mark.parametrize(("name", "there"), [("X", "X"), ("ca://X.DESC", "X.DESC"), ("x://y", "x://y")])
def test_names_of_channel_access(world: OwnWorld, name: str, there: str) -> None:
    assert world.pool.acquire(name).name == name
    assert world.ioc.opened == [there]


@pytest.mark.parametrize("name", ["sim://sine", "loc://x", "stat://sessions"])
def test_the_servers_own_names_are_not_searched_for(world: OwnWorld, name: str) -> None:
    world.pool.acquire(name)
    assert world.ioc.opened == []


def test_messages_carry_the_name_that_was_asked_for(world: OwnWorld, peer: Peer) -> None:
    peer.connects("ca://X")
    world.ioc["X"].bring_up(1.5)
    assert [message["pvname"] for message in peer.hears()] == ["ca://X", "ca://X"]


def test_pva_is_refused_until_there_is_a_source(world: OwnWorld, peer: Peer) -> None:
    peer.connects("pva://X")
    (error,) = peer.hears()
    assert error["code"] == "invalid_pv_name"
    assert "no source for pva://" in error["message"]
    with pytest.raises(PycaError):
        world.source.open("pva://X", world.pool.acquire("X"))


def test_the_rules_know_both_names_of_a_pv(world: OwnWorld, peer: Peer) -> None:
    world.access.replace(Rules(rules=[Rule(pv="X", allow="none")]))
    peer.connects(["X", "ca://X", "ca://X.VAL"])
    assert peer.gist() == [("error", "read_denied")] * 3
    assert world.ioc.opened == []


def test_the_rules_know_a_local_pv_however_it_is_spelled(world: OwnWorld, peer: Peer) -> None:
    world.access.replace(Rules(writes=True, default="write", rules=[Rule(pv="loc://x", allow="read")]))
    for name in ("loc://x", "loc://x(5)", "loc://x<VDouble>"):
        peer.asks("put", pv=name, value=1)
    peer.asks("put", pv="loc://y", value=1)
    world.clock.advance(0)
    assert peer.gist() == [("error", "write_denied")] * 3 + ["put"]


def test_rules_may_keep_a_scheme_from_everybody(world: OwnWorld, peer: Peer) -> None:
    world.access.replace(Rules(rules=[Rule(pv="stat://*", allow="none")]))
    peer.connects("stat://sessions")
    assert peer.gist() == [("error", "read_denied")]


@pytest.mark.parametrize("pattern", ["ca://X", "ca://*", "loc://x(5)"])
def test_patterns_that_match_no_name_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="matches nothing"):
        Rules(rules=[Rule(pv=pattern, allow="read")])
