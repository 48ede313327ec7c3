"""One simulated IOC for all tests of this folder, and a Channel Access client for it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from caproto import AlarmSeverity, AlarmStatus
from caproto.sync import client as channel_access

from tests.iocs import SimIOC
from tests.timing import scaled

TIMEOUT = scaled(5.0)


class Client:
    """Reads and writes the PVs of one IOC, each with a connection of its own."""

    def __init__(self, ioc: SimIOC, monkeypatch: pytest.MonkeyPatch) -> None:
        self._prefix = ioc.prefix
        for name, value in ioc.env().items():
            monkeypatch.setenv(name, value)

    def read(self, name: str, data_type: str | None = None) -> Any:
        """caproto's response: data (numpy array or list of bytes), data_type, metadata."""
        name = self._prefix + name
        return channel_access.read(name, data_type=data_type, timeout=TIMEOUT, repeater=False, force_int_enums=True)

    def value(self, name: str) -> Any:
        """The first element."""
        return self.read(name).data[0]

    def write(self, name: str, value: Any) -> Any:
        """Write and wait for completion; raises caproto's ErrorResponseReceived when the IOC refuses."""
        return channel_access.write(self._prefix + name, value, notify=True, timeout=TIMEOUT, repeater=False)

    def alarm(self, name: str) -> tuple[str, str]:
        """The names of alarm status and severity."""
        return alarm(self.read(name, "time"))

    def follow(
        self, name: str, enough: Callable[[list[Any]], object], first: Callable[[], object] | None = None
    ) -> list[Any]:
        """The events of a monitor until `enough(events)`; `first` is called once the first one has come."""
        events: list[Any] = []
        # A circuit of its own (each priority has one), for `first` reads and writes meanwhile.
        subscription = channel_access.subscribe(self._prefix + name, priority=1)

        def on_event(subscription: Any, event: Any) -> None:
            events.append(event)
            if len(events) == 1 and first is not None:
                first()
            if enough(events):
                channel_access.interrupt()

        subscription.add_callback(on_event)
        channel_access.block(subscription, duration=scaled(30.0), timeout=TIMEOUT, repeater=False)
        assert enough(events), f"{name}: {len(events)} events were not enough"
        return events


def alarm(event: Any) -> tuple[str, str]:
    """The names of alarm status and severity of an event or response."""
    return AlarmStatus(event.metadata.status).name, AlarmSeverity(event.metadata.severity).name


@pytest.fixture(scope="session")
def ioc() -> Iterator[SimIOC]:
    with SimIOC() as ioc:
        yield ioc


@pytest.fixture
def client(ioc: SimIOC, monkeypatch: pytest.MonkeyPatch) -> Client:
    return Client(ioc, monkeypatch)
