"""The axis: the readback follows the set point at a finite speed."""

from typing import Any

from tests.ioc_sim.conftest import Client
from tests.timing import wait_for

SPEED = 20.0


def test_readback_follows_step_by_step(client: Client) -> None:
    client.write("MOTOR:SPEED", SPEED)
    start = client.value("MOTOR:RBV")
    target = start + 6.0
    events = client.follow(
        "MOTOR:RBV", lambda events: events[-1].data[0] == target, first=lambda: client.write("MOTOR", target)
    )
    positions = [float(event.data[0]) for event in events]
    assert positions[0] == start
    assert positions == sorted(positions)
    assert any(start < position < target for position in positions)
    assert client.value("MOTOR") == target


def test_moving_flag_rises_and_falls(client: Client) -> None:
    client.write("MOTOR:SPEED", SPEED)

    def arrived(events: list[Any]) -> bool:
        return len(events) > 1 and events[-1].data[0] == b"Done"

    wait_for(lambda: client.value("MOTOR:MOVING") == 0, what="the axis at rest")
    target = client.value("MOTOR:RBV") - 4.0
    flags = [event.data[0] for event in client.follow("MOTOR:MOVING", arrived, lambda: client.write("MOTOR", target))]
    assert flags == [b"Done", b"Moving", b"Done"]
    assert client.value("MOTOR:RBV") == target
