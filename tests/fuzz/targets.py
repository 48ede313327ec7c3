"""What is fuzzed: decoders by name. Each takes any bytes, and may refuse them, but not fail."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from pycaserver.core.elements import elements_of
from pycaserver.core.errors import PycaError
from pycaserver.core.names import check_pv_name
from pycaserver.core.requests import Put
from pycaserver.core.values import DbrType, Metadata
from pycaserver.dialects.native import NativeDialect
from pycaserver.sources.dbr import CTRL, SIZES, TIME, TIME_LAYOUTS, decode_control, decode_time
from pycaserver.sources.notation import spelling_of
from tests.dialects.contract import Row, Speaker
from tests.dialects.test_contract import ROWS
from tests.dialects.test_fuzz import WORDS
from tests.fakes import World

DICTIONARY: Final = [word.encode("utf-8", "surrogatepass") for word in WORDS]
"""What a mutation may put in."""
SEPARATOR: Final = b"\n"
"""Between the messages that one input is for a dialect."""
MESSAGES: Final = 16
STATES: Final = ("Off", "On", "Stand-by")


def converse(row: Row, data: bytes) -> None:
    """A peer that says these messages, while the PV comes up, changes and goes: no fault, and nothing left behind."""
    world = World()
    speaker = Speaker(row, world, errors_per_second=1000.0)
    for number, message in enumerate(data.split(SEPARATOR)[:MESSAGES]):
        speaker.says(message)
        world.clock.advance(0.01)
        if number % 3 == 0 and "PV" in world.source.channels and not world.source["PV"].closed:
            world.source["PV"].channel.disconnected()  # as sources do before each further connection
            world.source["PV"].bring_up(1.5)
    assert world.figures.faults == 0, "a fault of the server"
    assert all(piece[:1] in (b"T", b"B") for piece in speaker.transport.taken), "an unfinished message"
    speaker.session.ended()
    world.clock.advance(60)
    assert world.figures.sessions == 0, "a session is left"


def name(data: bytes) -> None:
    """Text to a PV name, and the notation of simulated PVs."""
    text = data.decode("utf-8", "surrogateescape")
    for read in (check_pv_name, spelling_of):
        with suppress(PycaError):
            read(text)


def put(data: bytes) -> None:
    """A put, as JSON or as a binary frame, to what a PV of each type would be written."""
    try:
        asked = NativeDialect().decode(data)
    except PycaError:
        return
    if not isinstance(asked, Put):
        return
    for kind in DbrType:
        for count in (1, 5):
            with suppress(PycaError):
                elements_of(asked.value, Metadata(kind, count, enum_strs=STATES))


def event(data: bytes) -> None:
    """Bytes that libca could hand over, of the size that their type and count have: first byte type, second count."""
    if len(data) < 2:
        return
    kind, count, raw = tuple(TIME_LAYOUTS)[data[0] % len(TIME_LAYOUTS)], data[1], data[2:]
    head, size = SIZES[TIME + kind]
    decode_time(TIME + kind, count, raw.ljust(head + size * max(count, 1), b"\0"), is_array=count > 1)
    if kind is not DbrType.STRING:
        decode_control(CTRL + kind, raw.ljust(SIZES[CTRL + kind][0], b"\0")[: SIZES[CTRL + kind][0]], count)


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    **{dialect: partial(converse, row) for dialect, row in ROWS.items()},
    "name": name,
    "put": put,
    "event": event,
}


def seeds(target: str) -> list[bytes]:
    """Where fuzzing begins without a corpus."""
    if row := ROWS.get(target):
        return [row.subscribe, row.write, SEPARATOR.join([row.subscribe, row.write, row.subscribe]), row.bad]
    return {
        "name": [b"SR:CURRENT.VAL", b'PV.VAL{"arr":{"s":0}}', b"sim://ramp(0, 1, 0.1)", b'loc://x<VEnum>(1, "a")'],
        "put": [
            json.dumps({"action": "put", "pv": "PV", **keys}).encode()
            for keys in ({"value": 1.5}, {"value": [1, "NaN"]}, {"value": "On"},
                         {"value_b64": "AAAAAAAA4D8=", "dtype": "<f8"})
        ],
        "event": [bytes([kind, count, *range(40)]) for kind in range(7) for count in (0, 1, 3)],
    }[target]  # fmt: skip
