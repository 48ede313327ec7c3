"""Version 1 of /monitor as its clients of 2015 use it: nothing but connect, disconnect and the names of PVs."""

from tests.iocs import CIOC
from tests.servers import Server

VERSION_1_KEYS = {
    "connection": {"msg_type", "pvname", "conn"},
    "monitor": {"msg_type", "pvname", "value", "count", "timestamp", "units"},
}


def test_the_form_in_which_a_frame_is_a_name(server: Server, types: CIOC) -> None:
    pv = types.prefix + "ai"
    with server.client() as client:
        client.socket.send(pv)
        assert client.wait() == {"msg_type": "connection", "pvname": pv, "conn": True}
        assert client.wait(msg_type="monitor")["value"] == 21.5


def test_the_messages_of_the_document(server: Server, types: CIOC) -> None:
    pv = types.prefix + "ai"
    with server.client() as client:
        client.send(action="connect", pv=pv)
        messages = [client.wait(), client.wait()]
        assert [message["msg_type"] for message in messages] == ["connection", "monitor"]
        for message in messages:
            assert VERSION_1_KEYS[message["msg_type"]] <= message.keys()
        assert (messages[1]["value"], messages[1]["count"], messages[1]["units"]) == (21.5, 1, "mm")


def test_a_late_joiner_gets_the_state_and_the_value_alone(server: Server, types: CIOC) -> None:
    pv = types.prefix + "ao"
    with server.client() as early, server.client() as late:
        early.send(action="connect", pv=pv)
        early.wait(msg_type="monitor")
        late.send(action="connect", pv=pv)
        assert [late.wait()["msg_type"], late.wait()["msg_type"]] == ["connection", "monitor"]
        assert early.settle() == []


def test_connecting_twice_is_one_stream_and_disconnecting_is_silent(server: Server, types: CIOC) -> None:
    pv = types.prefix + "fast"
    with server.client() as client:
        for _ in range(2):
            client.send(action="connect", pv=pv)
            client.wait(msg_type="connection", conn=True)
        values = [client.wait(msg_type="monitor")["value"] for _ in range(5)]
        assert values[-1] - values[-3] == 2, "each value comes once"
        for _ in range(2):
            client.send(action="disconnect", pv=pv)
        client.settle()
        assert client.settle() == []
