"""core/subscription.py: what one session hears of one PV, and what it is owed."""

from typing import Any

import pytest

from pycaserver.core.values import Access, DbrType, Metadata
from tests.fakes import DENIED, FakeSourceChannel, Peer, World, value

UP, DOWN = ("connection", True), ("connection", False)


def subscribed(world: World, peer: Peer, data: Any = 0.0, **options: Any) -> FakeSourceChannel:
    """The IOC of a PV that the peer has subscribed to, and whose first messages are heard."""
    peer.connects("PV", **options)
    world.source["PV"].bring_up(data, units="mm")
    peer.hears()
    return world.source["PV"]


# -- the order of messages


def test_connection_metadata_access_value(world: World, peer: Peer) -> None:
    peer.connects("PV", metadata=True)
    world.source["PV"].bring_up(5.0)
    assert peer.gist() == [UP, "metadata", "access", 5.0]


def test_without_the_option_no_metadata_is_told(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer)
    ioc.channel.metadata_changed(Metadata(DbrType.DOUBLE, 1, units="m"))
    ioc.channel.access_changed(Access(read=True, write=False))
    assert peer.gist() == []


def test_metadata_and_access_are_told_again_when_they_change(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, metadata=True)
    ioc.channel.metadata_changed(Metadata(DbrType.DOUBLE, 1, units="m"))
    ioc.channel.access_changed(Access(read=True, write=False))
    metadata, access = peer.hears()
    assert metadata["units"] == "m"
    assert access == {"msg_type": "access", "pvname": "PV", "read": True, "write": False}


OVERTAKERS = {
    "disconnection": (lambda ioc: ioc.channel.disconnected(), DOWN),
    "denial": (lambda ioc: ioc.channel.access_changed(DENIED), DOWN),
    "metadata": (lambda ioc: ioc.channel.metadata_changed(Metadata(DbrType.DOUBLE, 1, units="m")), "metadata"),
    "access": (lambda ioc: ioc.channel.access_changed(Access(read=True, write=False)), "access"),
}


@pytest.mark.parametrize("overtaker", OVERTAKERS)
@pytest.mark.parametrize("reason", ["rate", "pause", "behind"])
def test_no_message_overtakes_the_owed_value(world: World, peer: Peer, reason: str, overtaker: str) -> None:
    ioc = subscribed(world, peer, metadata=True, max_rate=0.5 if reason == "rate" else None)
    if reason == "pause":
        peer.asks("pause")
    peer.transport.reading = reason != "behind"
    if reason == "behind":
        peer.session.outbox.tell(b"T" + b'{"msg_type": "padding", "x": "%s"}' % (b"x" * 70_000))
    ioc.post(1.0, 2.0, 3.0)
    assert [gist for gist in peer.gist() if gist != "padding"] == []
    happen, message = OVERTAKERS[overtaker]
    happen(ioc)
    peer.reads_all()
    assert [gist for gist in peer.gist() if gist != "padding"] == [3.0, message]


@pytest.mark.parametrize("metadata", [False, True], ids=["plain", "metadata"])
def test_an_owed_value_has_the_units_under_which_it_came(world: World, peer: Peer, metadata: bool) -> None:
    ioc = subscribed(world, peer, metadata=metadata)
    peer.asks("pause")
    ioc.post(1000.0)
    ioc.channel.metadata_changed(Metadata(DbrType.DOUBLE, 1, units="m"))
    peer.asks("resume")
    old = next(message for message in peer.hears() if message["msg_type"] == "monitor")
    assert (old["value"], old["units"]) == (1000.0, "mm")
    ioc.post(1.0)
    assert [(new["value"], new["units"]) for new in peer.hears()] == [(1.0, "m")]


def test_a_value_is_sent_once_after_it_was_sent_early(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer)
    peer.asks("pause")
    ioc.post(1.0)
    ioc.channel.disconnected()
    assert peer.gist() == [1.0, DOWN]
    peer.asks("resume")
    assert peer.gist() == []


# -- greeting


def test_nothing_is_said_of_a_pv_that_is_still_searched_for(peer: Peer) -> None:
    peer.connects("PV", metadata=True)
    assert peer.gist() == []


def test_a_latecomer_hears_the_state_and_the_latest_value(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, 1.0)
    ioc.post(2.0, 3.0)
    peer.hears()
    late = world.peer()
    late.connects("PV", metadata=True)
    assert late.gist() == [UP, "metadata", "access", 3.0]
    assert peer.gist() == []


def test_a_latecomer_to_a_pv_without_a_value_hears_the_state(world: World, peer: Peer) -> None:
    peer.connects("PV")
    world.source["PV"].bring_up()
    late = world.peer()
    late.connects("PV")
    assert late.gist() == [UP]


def test_a_latecomer_before_the_metadata_waits_for_it_too(world: World, peer: Peer) -> None:
    peer.connects("PV")
    world.source["PV"].connect()
    world.source["PV"].post(1.0, 2.0)
    late = world.peer()
    late.connects("PV", metadata=True)
    assert late.gist() == [UP]
    world.source["PV"].channel.metadata_changed(Metadata(DbrType.DOUBLE, 1))
    assert late.gist() == ["metadata", "access", 2.0]


def test_a_latecomer_to_a_lost_pv_hears_that_and_no_stale_value(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, 1.0)
    ioc.channel.disconnected()
    late = world.peer()
    late.connects("PV", metadata=True)
    assert late.gist() == [DOWN]


def test_the_greeting_value_counts_no_updates_that_were_before(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, max_rate=0.5)
    ioc.post(1.0, 2.0, 3.0)
    late = world.peer()
    late.connects("PV")
    assert "coalesced" not in late.hears()[-1]


# -- owing


def test_updates_that_are_not_sent_are_counted(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer)
    peer.asks("pause")
    ioc.post(1.0, 2.0)
    ioc.channel.publish(value(3.0), merged=4)
    peer.asks("resume")
    (message,) = peer.hears()
    assert (message["value"], message["coalesced"]) == (3.0, 6)
    assert world.figures.updates_merged == 2  # the source's own merging is counted elsewhere
    ioc.post(4.0)
    assert "coalesced" not in peer.hears()[0]


def test_what_the_source_merged_is_told_to_plain_subscriptions(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer)
    ioc.channel.publish(value(1.0), merged=2)
    assert peer.hears()[0]["coalesced"] == 2


def test_new_options_keep_what_is_owed(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, max_rate=0.5)
    ioc.post(1.0, 2.0)
    peer.connects("PV", nanos=True)
    owed, connection, again = peer.hears()
    assert (owed["value"], owed["coalesced"]) == (2.0, 1)
    assert connection["conn"]
    assert (again["value"], again["nanos"]) == (2.0, 0)
    world.clock.advance(10)
    assert peer.gist() == []


def test_who_has_left_is_owed_nothing(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, max_rate=0.5)
    ioc.post(1.0)
    peer.asks("disconnect", pv="PV")
    ioc.post(2.0)
    world.clock.advance(10)
    assert peer.gist() == []


def test_one_peers_options_are_not_anothers(world: World, peer: Peer) -> None:
    other = world.peer()
    ioc = subscribed(world, peer, max_rate=0.5)
    other.connects("PV")
    other.hears()
    ioc.post(1.0, 2.0)
    assert other.gist() == [1.0, 2.0]
    assert peer.gist() == []


# -- across connections


def test_the_first_value_of_a_connection_is_within_no_deadband(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, 5.0, deadband=1.0)
    ioc.channel.disconnected()
    ioc.bring_up(5.1)
    assert peer.gist() == [DOWN, UP, 5.1]


def test_the_first_value_of_a_connection_does_not_wait_for_the_rate(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, 5.0, max_rate=0.001)
    ioc.channel.disconnected()
    ioc.bring_up(6.0)
    assert peer.gist() == [DOWN, UP, 6.0]
