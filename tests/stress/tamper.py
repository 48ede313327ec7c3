"""What spoils a session's messages on purpose, to see that each invariant can fail."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.stress.link import Tamper
from tests.stress.model import Message

AFTER: Final = 500
"""Messages that come as they are, first; unless it is the first that are spoilt."""


def _after(spoil: Callable[[int, list[Message]], list[Message]], first: int = AFTER) -> Callable[[], Tamper]:
    """A tamper that begins after so many messages; spoil gets the number of messages since, and those that came."""

    def make() -> Tamper:
        seen = 0

        def tamper(messages: list[Message]) -> list[Message]:
            nonlocal seen
            before, seen = seen, seen + len(messages)
            return messages if before < first else spoil(before - first, messages)

        return tamper

    return make


def _is_value(message: Message) -> bool:
    return bool(message["msg_type"] == "monitor")


TAMPERS: Final[Mapping[str, Callable[[], Tamper]]] = {
    "lost": _after(lambda count, messages: messages if count % 100 or not _is_value(messages[0]) else messages[1:]),
    "twice": _after(lambda count, messages: [*messages, *filter(_is_value, messages[:1])]),
    "order": _after(lambda count, messages: [{**m, "value": m["value"] - 2} if _is_value(m) else m for m in messages]),
    "merged": _after(lambda count, messages: [{**m, "coalesced": 1} if _is_value(m) else m for m in messages]),
    "last": _after(lambda count, messages: []),
    "state": _after(lambda count, messages: [{**m, "conn": False} if "conn" in m else m for m in messages], 0),
    "answer": _after(lambda count, messages: [m for m in messages if m["msg_type"] != "pong"]),
}
