"""Receiving: one message of a peer, and when the next may be read."""

import asyncio
from typing import Final

from pycaserver.core.session import Session

BUSY_SECONDS: Final = 0.002
"""Between two looks whether a long request is done."""


async def received(session: Session, data: bytes) -> None:
    """Have the session execute it; done when the peer may be read again."""
    wait = session.receive(data)
    await asyncio.sleep(wait)  # even for no time: others have their turn before the next of a burst
    while session.busy:
        await asyncio.sleep(BUSY_SECONDS)
