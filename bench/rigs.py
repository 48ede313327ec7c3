"""What is measured, set up on an IOC: a server with its sessions, or a receiver alone. Each can be set up anew."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final, Self

from bench.processes import IOC, Load, Receiver, Server
from bench.runs import Run, measure

BATCHES: Final = {"action": "options", "batch": True}
"""The request by which sessions allow frames of many messages."""


class Rig(ABC):
    """Something that receives what the IOC posts."""

    @abstractmethod
    def start(self) -> None:
        """Set up."""

    @abstractmethod
    def stop(self) -> None:
        """Take down."""

    @abstractmethod
    def run(self, rate: float, seconds: float, burst: int = 1) -> Run:
        """Measure at so many posts a second in all, in bursts every `burst` ms (0: each by itself)."""

    def restart(self) -> None:
        """From the beginning: nothing of an overload remains."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Sessions(Rig):
    """A server, and sessions that subscribe to records of one of the IOC's sets."""

    def __init__(
        self,
        ioc: IOC,
        make: Callable[[IOC], Server],
        number: int = 0,
        *,
        posted: int | None = None,
        options: dict[str, Any] | None = BATCHES,
        **load: int,
    ) -> None:
        """posted: records that are posted to, if not as many as a session has; load: options of the load program."""
        self._ioc = ioc
        self._make = make
        self._number = number
        self._posted = posted or load["pvs"]
        self._options = options
        self._load = load

    def start(self) -> None:
        self.server = self._make(self._ioc)
        options = json.dumps(self._options) if self._options and self.server.extended else ""
        try:
            self.load = Load(self.server, self._ioc, self._number, options=options, **self._load)
        except BaseException:
            self.server.stop()
            raise

    def stop(self) -> None:
        self.load.stop()
        self.server.stop()

    def run(self, rate: float, seconds: float, burst: int = 1) -> Run:
        return measure(self._ioc, self.load, self.server, self._number, self._posted, rate, seconds, burst)


class Receiving(Rig):
    """A program that receives by Channel Access and does nothing else."""

    def __init__(self, ioc: IOC, kind: str, number: int = 0, *, pvs: int) -> None:
        """kind: "C", "epics" or "pycaserver"."""
        self._ioc = ioc
        self._kind = kind
        self._number = number
        self._pvs = pvs

    def start(self) -> None:
        self.receiver = Receiver(self._kind, self._ioc, self._number, self._pvs)

    def stop(self) -> None:
        self.receiver.stop()

    def run(self, rate: float, seconds: float, burst: int = 1) -> Run:
        return measure(self._ioc, self.receiver, self.receiver, self._number, self._pvs, rate, seconds, burst)
