"""The CA repeater: started when the host has none, left alone when it has one, ended with us."""

import socket
from typing import Any

import pytest

from pycaserver.sources.repeater import Repeater
from tests.ca_search import free_port, is_taken


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    number = free_port()
    monkeypatch.setenv("EPICS_CA_REPEATER_PORT", str(number))
    return number


def test_one_is_started_and_ended(port: int) -> None:
    repeater = Repeater()
    repeater.start()
    try:
        assert is_taken(port)
    finally:
        repeater.stop()
    assert not is_taken(port)


def test_one_that_runs_is_left_alone(port: int) -> None:
    first, second = Repeater(), Repeater()
    first.start()
    try:
        second.start()
        second.stop()
        assert is_taken(port)
    finally:
        first.stop()


def test_looking_whether_it_is_there_does_not_keep_it_from_its_port(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    class Watched(socket.socket):
        def bind(self, address: Any) -> None:
            looks.append(repeater._process)
            super().bind(address)

    monkeypatch.setattr("socket.socket", Watched)
    repeater = Repeater()
    repeater.start()
    repeater.stop()
    assert looks == [None], "nobody takes the port once one is to listen there"


def test_a_failure_is_a_warning(port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("sys.executable", "false")
    repeater = Repeater()
    repeater.start()
    repeater.stop()
    assert "no CA repeater" in caplog.text
