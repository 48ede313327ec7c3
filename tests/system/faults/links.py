"""The network between server and IOC, which tests cut: a relay of our own, or a network namespace of the kernel."""

import asyncio
import contextlib
import random
import secrets
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Protocol, Self

import pytest

from tests.ca_search import HEADER, LOOPBACK, SEARCH, free_port
from tests.iocs import CIOC
from tests.network import interfaces_change

CHUNK = 65536
ANY_ADDRESS = 0xFFFFFFFF
"""In the answer to a search: the address that the answer comes from."""


class Link(Protocol):
    """One IOC, and the way to it."""

    ioc: CIOC
    address: str
    """Where the server is to search for it."""

    def cut(self) -> None:
        """From now on nothing comes through, in silence."""

    def mend(self) -> None:
        """All comes through again."""

    def reset(self) -> None:
        """Reset every circuit."""

    def lose(self, share: float) -> None:
        """Lose that share of all datagrams, both ways."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: Any) -> None: ...


class Relay:
    """Forwards UDP and TCP to an IOC, on a thread of its own; the answers to searches name its own TCP port."""

    def __init__(self, ioc: CIOC, seed: int = 1) -> None:
        self.ioc = ioc
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        self.circuits = 0
        """How many were opened so far."""
        self.searches = 0
        """How many datagrams came from clients so far."""
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._share = 0.0
        self._bytes_per_second = 0.0
        self._ways: dict[Any, asyncio.Task[asyncio.DatagramTransport]] = {}
        """To the IOC, by client."""
        self._circuits: set[Circuit] = set()
        self._open: asyncio.Event

    def cut(self) -> None:
        self._call(self._open.clear)
        self.lose(1)

    def stall(self) -> None:
        """Nothing comes through circuits, but searches are answered."""
        self._call(self._open.clear)

    def mend(self) -> None:
        self.lose(0)
        self._call(self._open.set)

    def reset(self) -> None:
        self._call(lambda: [circuit.reset() for circuit in self._circuits])

    def close_circuits(self) -> None:
        """As an IOC does that ends a circuit in good order."""
        self._call(lambda: [circuit.close() for circuit in self._circuits])

    def lose(self, share: float) -> None:
        self._call(lambda: setattr(self, "_share", share))

    def slow(self, bytes_per_second: float) -> None:
        """Take no more than that from the server."""
        self._call(lambda: setattr(self, "_bytes_per_second", bytes_per_second))

    def __enter__(self) -> Self:
        self.ioc.__enter__()
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.ioc.stop()

    # -- on the loop

    async def _start(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._front, _ = await self._loop.create_datagram_endpoint(
            lambda: Datagrams(self._to_ioc), local_addr=(LOOPBACK, self.port)
        )
        self._server = await asyncio.start_server(self._forward, LOOPBACK, self.port)

    async def _stop(self) -> None:
        self._server.close()
        self._open.set()
        for circuit in self._circuits:
            circuit.close()
        self._front.close()  # nobody comes any more
        for way in self._ways.values():
            (await way).close()
        while self._circuits:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)  # the sockets are closed in the next turn of the loop

    def _to_ioc(self, data: bytes, client: Any) -> None:
        self.searches += 1
        if self._is_lost():
            return
        if client not in self._ways:
            self._ways[client] = self._loop.create_task(self._introduce(client))
        self._ways[client].add_done_callback(lambda way: way.result().sendto(data))

    async def _introduce(self, client: Any) -> asyncio.DatagramTransport:
        """Each client has a socket of its own towards the IOC."""

        def answer(data: bytes, _: Any) -> None:
            if not self._is_lost():
                self._front.sendto(self._with_own_port(data), client)

        transport, _ = await self._loop.create_datagram_endpoint(
            lambda: Datagrams(answer), remote_addr=(LOOPBACK, self.ioc.port)
        )
        return transport

    def _is_lost(self) -> bool:
        return self._random.random() < self._share

    def _with_own_port(self, data: bytes) -> bytes:
        """The messages of a datagram, those that say where a PV is served rewritten."""
        messages, start = b"", 0
        while start + HEADER.size <= len(data):
            command, size, kind, count, first, second = HEADER.unpack_from(data, start)
            if command == SEARCH:
                kind, first = self.port, ANY_ADDRESS
            end = start + HEADER.size + size
            messages += HEADER.pack(command, size, kind, count, first, second) + data[start + HEADER.size : end]
            start = end
        return messages

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.circuits += 1
        with contextlib.suppress(OSError):
            there = await asyncio.open_connection(LOOPBACK, self.ioc.port)
            circuit = Circuit(writer, there[1])
            self._circuits.add(circuit)
            ways = [self._pump(reader, there[1], slow=True), self._pump(there[0], writer, slow=False)]
            await asyncio.wait([asyncio.ensure_future(way) for way in ways], return_when=asyncio.FIRST_COMPLETED)
            circuit.close()
            self._circuits.discard(circuit)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
                if slow and self._bytes_per_second:
                    await asyncio.sleep(len(data) / self._bytes_per_second)

    # -- on the test's thread

    def _call(self, function: Callable[[], object]) -> None:
        async def call() -> None:
            function()

        self._run(call())

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        future: Future[None] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        future.result(10)


class Datagrams(asyncio.DatagramProtocol):
    """Hands each datagram on; one that nobody takes is none of our business."""

    def __init__(self, receive: Callable[[bytes, Any], None]) -> None:
        self.datagram_received = receive  # type: ignore[assignment]


class Circuit:
    """The two connections of a CA circuit that goes through the relay."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self._writers = writers

    def close(self) -> None:
        for writer in self._writers:
            writer.close()

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        for writer in self._writers:
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class NamespaceIOC(CIOC):
    """A C IOC in a network namespace."""

    namespace = ""

    def _arguments(self) -> list[str]:
        """The process becomes `ip netns exec`, which becomes the IOC."""
        enter = "import os, sys; os.execvp('ip', ['ip', 'netns', 'exec', *sys.argv[1:]])"
        return ["-c", enter, self.namespace, sys.executable, *super()._arguments()]


class Namespace:
    """An IOC behind a pair of virtual network cards; faults are rules of the kernel's own firewall on the far side."""

    def __init__(self, ioc: NamespaceIOC) -> None:
        self.ioc = ioc
        self._name = f"pyca{secrets.token_hex(3)}"
        network = f"169.254.{secrets.randbelow(200) + 20}"
        self._near, self._far = f"{network}.1", f"{network}.2"
        self.address = f"{self._far}:{ioc.port}"
        ioc.namespace, ioc.host = self._name, self._far

    def cut(self) -> None:
        for chain in ("INPUT", "OUTPUT"):
            self._inside("iptables", "-A", chain, "-j", "DROP")

    def mend(self) -> None:
        self._inside("iptables", "-F")

    def reset(self) -> None:
        """What the server sends next on a circuit is answered by a reset."""
        self._inside("iptables", "-A", "INPUT", "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset")
        self._inside("iptables", "-A", "OUTPUT", "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset")

    def lose(self, share: float) -> None:
        loss = ("-p", "udp", "-m", "statistic", "--mode", "random", "--probability", str(share), "-j", "DROP")
        for chain in ("INPUT", "OUTPUT"):
            self._inside("iptables", "-A", chain, *loss)

    def __enter__(self) -> Self:
        try:
            with interfaces_change():
                self._begin()
        except (OSError, subprocess.CalledProcessError) as error:
            self.__exit__()
            pytest.skip(f"no network namespaces and firewall rules here: {error}")
        self.ioc.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.ioc.running:
            self.ioc.stop()
        with contextlib.suppress(OSError, subprocess.CalledProcessError), interfaces_change():
            _run("ip", "netns", "delete", self._name)

    def _begin(self) -> None:
        card = self._name[:12]
        _run("ip", "netns", "add", self._name)
        _run("ip", "link", "add", card, "type", "veth", "peer", "name", "ca0", "netns", self._name)
        _run("ip", "address", "add", f"{self._near}/30", "dev", card)
        _run("ip", "link", "set", card, "up")
        self._inside("ip", "address", "add", f"{self._far}/30", "dev", "ca0")
        for inner in ("lo", "ca0"):
            self._inside("ip", "link", "set", inner, "up")
        self._inside("iptables", "-L")

    def _inside(self, *command: str) -> None:
        _run("ip", "netns", "exec", self._name, *command)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
