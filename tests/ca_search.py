"""The smallest Channel Access client: does an IOC answer a search for a PV (CA specification, CA_PROTO_SEARCH)?"""

import contextlib
import random
import socket
import struct

HEADER = struct.Struct(">HHHHII")  # command, payload size, data type, count, parameters 1 and 2
VERSION, SEARCH = 0, 6
MINOR_VERSION = 13
LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port number below the ephemeral ones that is free on the loopback for UDP and for TCP."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket() as tcp, contextlib.suppress(OSError):
            udp.bind((LOOPBACK, port))
            tcp.bind((LOOPBACK, port))
            return port


def is_taken(port: int) -> bool:
    """Whether something holds the UDP port, such as a CA repeater."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return True
    return False


def search(name: str, port: int, seconds: float = 0.1, host: str = LOOPBACK) -> int | None:
    """The TCP port at which the IOC on UDP `port` of `host` serves the PV `name`; None without an answer."""
    payload = name.encode() + b"\0"
    payload += b"\0" * (-len(payload) % 8)
    version = HEADER.pack(VERSION, 0, 0, MINOR_VERSION, 0, 0)
    request = HEADER.pack(SEARCH, len(payload), 5, MINOR_VERSION, 1, 1) + payload
    with socket.socket(type=socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
        udp.settimeout(seconds)
        udp.sendto(version + request, (host, port))
        return _served_port(udp.recv(1024))
    return None


def _served_port(reply: bytes) -> int | None:
    while len(reply) >= HEADER.size:
        command, size, tcp_port, *_ = HEADER.unpack_from(reply)
        if command == SEARCH:
            return int(tcp_port)
        reply = reply[HEADER.size + size :]
    return None
