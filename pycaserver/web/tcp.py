"""What is asked of the kernel for connections, and for one that streams values."""

import resource
import socket
from struct import Struct
from typing import Final

from tornado.iostream import IOStream

NOT_SENT_LOW_WATER: Final = 128 * 1024
"""Bytes that the kernel may hold unsent for a peer: beyond, it would only keep stale values."""
_NOT_SENT_LOWAT: Final = getattr(socket, "TCP_NOTSENT_LOWAT", 25 if hasattr(socket, "AF_PACKET") else None)
_AT_ONCE: Final = Struct("ii").pack(1, 0)


def allow_descriptors(wanted: int) -> int:
    """Let this process have so many open files and sockets, if the system does; how many it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted and soft != resource.RLIM_INFINITY:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft


def tune(stream: IOStream) -> None:
    """Send small messages at once, and hold little back for a peer that is behind."""
    stream.set_nodelay(True)
    if _NOT_SENT_LOWAT is not None:
        stream.socket.setsockopt(socket.IPPROTO_TCP, _NOT_SENT_LOWAT, NOT_SENT_LOW_WATER)


def taken_from(stream: IOStream) -> int:
    """Bytes that the system has ever taken of what was written; Tornado itself tells only of whole writes."""
    return stream._total_write_done_index


def forget_error(stream: IOStream) -> None:
    """Free a closed stream of the frames that saw it fail: they have the stream."""
    if stream.error is not None:
        stream.error.__traceback__ = None


def reset(stream: IOStream) -> None:
    """End the connection whatever the peer has not read; harmless if it is closed."""
    if not stream.closed():
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        stream.close()
