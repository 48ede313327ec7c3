"""core/session.py: who a session is, when it says so later than at the start."""

from dataclasses import dataclass

import pytest

from pycaserver.core.access import Rule, Rules
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.requests import REQUESTS
from pycaserver.core.session import AT_ONCE
from tests.fakes import Peer, World

ANNA = Identity("anna", expires=1_700_000_600.0, means="token")


@dataclass
class FakeGate:
    """Opens to one token."""

    locked: bool = False

    def authenticate(self, token: str) -> Identity:
        if token != "right":
            raise PycaError("unauthenticated", "The token is not known.")
        self.locked = False
        return ANNA


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate()


@pytest.fixture
def peer(world: World, gate: FakeGate) -> Peer:
    return world.peer(gate)


def test_the_right_token_makes_the_session_its_users(peer: Peer) -> None:
    peer.asks("authenticate", token="right", id=5)
    assert peer.hears() == [
        {"msg_type": "authenticate", "ok": True, "user": "anna", "expires": 1_700_000_600.0, "id": 5}
    ]
    assert peer.session.identity == ANNA


def test_subscriptions_go_on_under_the_new_identity(world: World, peer: Peer) -> None:
    peer.connects("PV")
    peer.asks("authenticate", token="right")
    world.source["PV"].bring_up(1.0)
    assert peer.gist() == ["authenticate", ("connection", True), 1.0]


def test_many_subscriptions_are_looked_at_in_pieces(world: World, gate: FakeGate) -> None:
    peer = world.peer(gate, subscriptions_per_session=1000)
    peer.connects(names := [f"PV{number}" for number in range(2 * AT_ONCE + 1)])
    world.access.rules = Rules(rules=[Rule("PV7", "none", ("user:anna",))])
    peer.session.receive(b'{"action":"authenticate","token":"right"}')
    assert peer.session.busy
    answer, denied = peer.hears()
    assert (answer["msg_type"], denied["pvname"], denied["reason"]) == ("authenticate", "PV7", "read_denied")
    assert (peer.session.busy, peer.session.subscriptions) == (False, len(names) - 1)


def test_a_wrong_token_changes_nothing(peer: Peer) -> None:
    peer.asks("authenticate", token="right")
    peer.hears()
    peer.asks("authenticate", token="wrong", id="w")
    assert peer.hears() == [
        {"msg_type": "error", "code": "unauthenticated", "message": "The token is not known.",
         "action": "authenticate", "id": "w"}
    ]  # fmt: skip
    assert peer.session.identity == ANNA


def test_a_locked_session_may_only_authenticate(peer: Peer, gate: FakeGate, world: World) -> None:
    gate.locked = True
    peer.connects("PV", id=1)
    peer.says("PV")
    peer.asks("get", pv="PV", id=2)
    assert [(m["code"], m["action"], m.get("id")) for m in peer.hears()] == [
        ("unauthenticated", "connect", 1), ("unauthenticated", "connect", None), ("unauthenticated", "get", 2),
    ]  # fmt: skip
    assert world.source.opened == []
    peer.asks("authenticate", token="right")
    peer.connects("PV")
    assert world.source.opened == ["PV"]


def test_no_request_but_one_passes_a_locked_gate(peer: Peer, gate: FakeGate) -> None:
    gate.locked = True
    for action in {str(request.__struct_config__.tag) for request in REQUESTS} - {"authenticate"}:
        peer.asks(action, **_KEYS.get(action, {}))
        assert peer.gist() == [("error", "unauthenticated")], action


_KEYS = {action: {"pv": "PV"} for action in ("connect", "disconnect", "get", "info", "history")} | {
    "put": {"pv": "PV", "value": 1}
}


def test_failures_count_as_errors(peer: Peer) -> None:
    for _ in range(200):
        peer.asks("authenticate", token="wrong")
    assert peer.transport.closed is not None and peer.transport.closed.code == 4002


def test_without_a_gate_there_is_no_identity_to_be_had(world: World) -> None:
    peer = world.peer()
    peer.asks("authenticate", token="right")
    assert peer.gist() == [("error", "unauthenticated")]
