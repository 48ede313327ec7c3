"""dialects/xovac.py: transcripts of commands, messages and native requests, as Socket.IO events."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.access import AccessControl, Rule, Rules
from pycaserver.core.errors import TOO_MANY_ERRORS, PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.requests import MEBIBYTE
from pycaserver.demo import xovac_commands
from pycaserver.dialects.commands import Command, MessageRule, Require, Step
from pycaserver.dialects.xovac import Commands
from tests.dialects.xovac_row import open_session
from tests.fakes import FakeLimits, FakeTransport, World, value

RUNNING, ABORT = "RECIPE:RUNNING", "RECIPE:ABORT"
TEMPERATURES, DURATIONS = "RECIPE:TEMPERATURES", "RECIPE:DURATIONS"
PVS = (RUNNING, ABORT, TEMPERATURES, DURATIONS)
LOAD = json.dumps({"name": "bake", "recipe": [[30, 1, 0.5], [40, 2, 0.5]]})


class Client:
    """A Socket.IO client."""

    def __init__(self, world: World, commands: Commands, **limits: Any) -> None:
        self.transport = FakeTransport()
        self.session = open_session(world.services(FakeLimits(**limits)), self.transport, commands)
        self._world = world
        self._heard = 0

    def emits(self, event: str, *payload: Any) -> None:
        self.session.receive(json.dumps([event, *payload]).encode())
        self._world.clock.run()

    def hears(self) -> list[Any]:
        """Event and payload of what came; acks with their payload decoded."""
        self._world.clock.run()
        pieces, self._heard = self.transport.taken[self._heard :], len(self.transport.taken)
        said = [json.loads(piece[1:]) for piece in pieces]
        events = [each if isinstance(each, list) else [each.pop("msg_type"), each] for each in said]
        return [[name, json.loads(payload) if name.endswith("_ack") else payload] for name, payload in events]

    def ack(self) -> tuple[str, str, str]:
        """The one that came: event, result, message."""
        ((event, payload),) = self.hears()
        return event, payload["result"], payload["message"]


@pytest.fixture
def commands() -> Commands:
    return Commands(xovac_commands(""), [])


@pytest.fixture
def furnace(world: World) -> World:
    """The recipe's PVs are up; nothing runs."""
    for name in PVS:
        world.channel(name)
        world.source[name].bring_up(0.0, count=100 if name in (TEMPERATURES, DURATIONS) else 1)
    return world


@pytest.fixture
def client(furnace: World, commands: Commands) -> Client:
    return Client(furnace, commands)


def running(world: World, data: float) -> None:
    """Answer the read of the precondition."""
    world.source[RUNNING].answer(value(data))
    world.clock.run()


def complete(world: World, name: str) -> list[float]:
    """The put that has come to the IOC is completed; what it wrote."""
    elements: list[float] = world.source[name].complete().elements.tolist()
    world.clock.run()
    return elements


def test_json_that_would_take_long_is_refused(client: Client) -> None:
    client.emits("ping", {"id": 1, "padding": "," * MEBIBYTE})
    ((event, payload),) = client.hears()
    assert (event, payload["code"]) == ("error", "bad_request") and "base64" in payload["message"]


# -- the published commands


def test_cancel_when_nothing_runs_is_the_warning_of_the_original(furnace: World, client: Client) -> None:
    client.emits("cancel_recipe", "")
    running(furnace, 0.0)
    client_ack = [json.loads(piece[1:]) for piece in client.transport.taken]
    warning = '{"result": "warning", "message": "Could not cancel server running as server is not running."}'
    assert client_ack == [["cancel_recipe_ack", warning]]


def test_cancel_puts_and_waits_before_its_ack(furnace: World, client: Client) -> None:
    client.emits("cancel_recipe", "")
    running(furnace, 1.0)
    assert complete(furnace, ABORT) == [1.0]
    running(furnace, 1.0)
    assert client.hears() == []
    furnace.source[RUNNING].post(1.0, 0.0)
    assert client.ack() == ("cancel_recipe_ack", "success", "")


def test_wait_takes_what_it_reads_and_not_what_was_told_before(furnace: World, client: Client) -> None:
    """The monitor's 0 is older than the put."""
    client.emits("cancel_recipe", "")
    running(furnace, 1.0)
    complete(furnace, ABORT)
    assert client.hears() == []
    running(furnace, 0.0)
    assert client.ack() == ("cancel_recipe_ack", "success", "")


def test_wait_in_vain_is_an_error(furnace: World, client: Client) -> None:
    client.emits("cancel_recipe", "")
    running(furnace, 1.0)
    complete(furnace, ABORT)
    running(furnace, 1.0)
    furnace.clock.advance(10.0)
    assert client.ack() == ("cancel_recipe_ack", "error", f"{RUNNING} did not become 0 within 10 s.")
    client.emits("cancel_recipe", "")
    assert len(furnace.source[RUNNING].reads) == 1, "it can be asked for again"


def test_load_takes_columns_of_the_payload(furnace: World, client: Client) -> None:
    client.emits("load_recipe", LOAD)
    running(furnace, 0.0)
    assert complete(furnace, TEMPERATURES) == [30.0, 40.0]
    assert client.hears() == []
    assert complete(furnace, DURATIONS) == [1.0, 2.0]
    assert client.ack() == ("load_recipe_ack", "success", "")
    assert [entry.pv for entry in furnace.audit.entries] == [TEMPERATURES, DURATIONS]


def test_load_while_running_is_a_warning(furnace: World, client: Client) -> None:
    client.emits("load_recipe", LOAD)
    running(furnace, 1.0)
    assert client.ack()[1:] == ("warning", "Could not load recipe as the server is already running.")


@pytest.mark.parametrize(
    "payload", ["", "{", "{}", {"name": "x", "recipe": [[1]]}, {"name": "x", "recipe": [["a", []]]}]
)
def test_load_of_a_wrong_payload_does_nothing(furnace: World, client: Client, payload: Any) -> None:
    client.emits("load_recipe", payload)
    for source in furnace.source.channels.values():
        assert source.puts == [] and source.reads == []
    assert client.ack()[:2] == ("load_recipe_ack", "error")


def test_load_of_what_the_pv_cannot_take_is_an_error(furnace: World, client: Client) -> None:
    client.emits("load_recipe", {"name": "x", "recipe": [["hot", 1]]})
    running(furnace, 0.0)
    event, result, _ = client.ack()
    assert (event, result) == ("load_recipe_ack", "error")


def test_sync_without_a_clock_is_a_warning_that_says_so(client: Client) -> None:
    client.emits("sync_xovac_time", json.dumps({"utcOffset": 0, "epoch": 1_700_000_000}))
    assert client.ack()[1:] == ("warning", "Could not set the clock as no clock PV is configured.")


def test_unknown_command_is_answered_with_an_error(client: Client) -> None:
    client.emits("fly", "")
    assert client.ack() == ("fly_ack", "error", "There is no command 'fly'.")


# -- one at a time, to the end


def test_command_runs_once_at_a_time_whoever_asks(furnace: World, client: Client, commands: Commands) -> None:
    other = Client(furnace, commands)
    client.emits("load_recipe", LOAD)
    other.emits("load_recipe", LOAD)
    assert other.ack() == ("load_recipe_ack", "warning", "load_recipe is under way already.")
    running(furnace, 1.0)
    client.emits("load_recipe", LOAD)
    assert len(furnace.source[RUNNING].reads) == 1


def test_command_goes_on_when_its_client_has_gone(furnace: World, client: Client, commands: Commands) -> None:
    client.emits("load_recipe", LOAD)
    client.session.ended()
    running(furnace, 0.0)
    complete(furnace, TEMPERATURES)
    complete(furnace, DURATIONS)
    assert [entry.outcome for entry in furnace.audit.entries] == ["ok", "ok"]
    assert commands.running == set() and client.hears() == []


def test_precondition_that_cannot_be_read_is_an_error(world: World, commands: Commands) -> None:
    client = Client(world, commands)
    client.emits("cancel_recipe", "")
    world.clock.advance(3.0)
    event, result, message = client.ack()
    assert (event, result) == ("cancel_recipe_ack", "error") and message.startswith(f"{RUNNING}: ")
    assert commands.running == set()


def test_precondition_on_what_is_no_pv_keeps_nothing(world: World) -> None:
    commands = Commands([Command("go", require=Require(equals=0, pv="a\n"), steps=(Step(put=ABORT, value=1),))], [])
    client = Client(world, commands)
    for _ in range(2):
        client.emits("go", "")
        event, result, message = client.ack()
        assert (event, result) == ("go_ack", "error") and "under way" not in message
    assert commands.running == set()


def test_rules_hold_for_the_puts_of_commands(commands: Commands) -> None:
    world = World(access=AccessControl(Rules(writes=False)))
    client = Client(world, commands)
    client.emits("load_recipe", LOAD)
    world.source[RUNNING].bring_up(0.0)
    world.clock.run()
    running(world, 0.0)
    event, result, _ = client.ack()
    assert (event, result) == ("load_recipe_ack", "error")
    assert [entry.decision for entry in world.audit.entries] == ["refused"]


def test_rules_hold_for_the_preconditions_of_commands(commands: Commands) -> None:
    world = World(access=AccessControl(Rules(writes=True, rules=[Rule(pv="RECIPE:*", allow="none")])))
    client = Client(world, commands)
    client.emits("cancel_recipe", "")
    assert client.ack()[1] == "error"
    assert world.source.opened == []


def test_texts_of_a_command() -> None:
    world, put = World(), (Step(put="PV", value=True),)
    commands = [Command("c", steps=put, error="It does not work."), Command("d", warning="Careful.")]
    client = Client(world, Commands(commands, []))
    client.emits("c")
    client.emits("d")
    assert client.ack() == ("d_ack", "warning", "Careful.")
    world.source["PV"].bring_up(0.0)
    world.source["PV"].complete(PycaError("put_failed"))
    assert client.ack() == ("c_ack", "error", "It does not work.")


def test_commands_beyond_the_request_budget_are_refused(furnace: World, commands: Commands) -> None:
    client = Client(furnace, commands, requests_per_second=1)
    client.emits("ping")
    client.emits("sync_xovac_time")
    assert client.hears()[1][1]["result"] == "error"


# -- native requests


def test_native_requests_are_events(furnace: World, client: Client) -> None:
    client.emits("connect_pv", RUNNING)
    assert [event for event, _ in client.hears()] == ["connection", "monitor"]
    client.emits("put", {"pv": RUNNING, "value": 1, "id": 7})
    complete(furnace, RUNNING)
    ((event, payload),) = client.hears()
    assert (event, payload["id"]) == ("put", 7)
    client.emits("disconnect_pv", {"pv": RUNNING})
    client.emits("list")
    assert client.hears() == [["list", {"pvs": []}]]


def test_binary_frames_are_refused(client: Client) -> None:
    client.emits("connect_pv", {"pv": RUNNING, "encoding": "binary"})
    ((event, payload),) = client.hears()
    assert (event, payload["code"]) == ("error", "bad_request")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "bad_json"),
        (b"2[", "bad_request"),
        (b"{}", "bad_request"),
        (b"[]", "bad_request"),
        (b"[5]", "bad_request"),
        (b'[""]', "bad_request"),
        (json.dumps(["x" * 65]).encode(), "bad_request"),
        (b'["get"]', "bad_request"),
        (b'["get", {"pv": 5}]', "bad_request"),
        (b'["put", {"pv": "A"}]', "bad_request"),
    ],
)
def test_what_is_no_event_is_an_error(client: Client, data: bytes, code: str) -> None:
    client.session.receive(data)
    ((event, payload),) = client.hears()
    assert (event, payload["code"]) == ("error", code)


def test_unknown_commands_close_the_session_in_the_end(client: Client) -> None:
    for _ in range(200):
        client.emits("fly")
    assert client.transport.closed is TOO_MANY_ERRORS


EVENTS = st.lists(st.text() | st.integers() | st.dictionaries(st.text(), st.text()))


@given(st.binary() | EVENTS.map(json.dumps).map(str.encode))
def test_no_bytes_do_harm(data: bytes) -> None:
    world = World()
    client = Client(world, Commands(xovac_commands(""), []))
    client.session.receive(data)
    client.hears()
    assert world.figures.faults == 0


def test_action_of_a_payload_does_not_change_the_event(client: Client) -> None:
    client.emits("get", {"pv": RUNNING, "action": "put", "value": 1})
    ((event, payload),) = client.hears()
    assert (event, payload["action"]) == ("error", "get")


def test_locked_session_is_told_nothing_before_it_authenticates(world: World) -> None:
    class Gate:
        locked = True

        def authenticate(self, token: str) -> Identity:
            self.locked = False
            return Identity(user=token)

    commands = Commands(xovac_commands(""), [MessageRule("state", {"a": "A"})])
    client = Client(world, Commands([], []))
    client.session.gate, client.session._commands = Gate(), commands
    client.emits("cancel_recipe", "")
    assert [payload["code"] for _, payload in client.hears()] == ["unauthenticated"]
    client.emits("authenticate", {"token": "anna"})
    world.source["A"].bring_up(1.0)
    assert [event for event, _ in client.hears()] == ["authenticate", "state"]
