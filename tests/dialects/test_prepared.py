"""What is encoded in pieces is what is encoded at once."""

from typing import Any

import numpy as np
import pytest

from pycaserver.core.channel import Channel
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.terms import Reduce
from pycaserver.core.values import LARGE, DbrType, Elements, Metadata, Texts
from pycaserver.dialects.native import NativeDialect
from pycaserver.dialects.updates import UpdateEncoder
from pycaserver.web.framing import SINGLE
from pycaserver.web.pvws import GetEncoder
from tests.fakes import World, flat, value

COUNT = 2 * LARGE + 1
NOISE = np.random.default_rng(1).random(COUNT)
SOME_NANS = np.where(NOISE < 0.1, np.nan, np.where(NOISE > 0.9, np.inf, NOISE))
ARRAYS = {
    "doubles": NOISE,
    "not finite": SOME_NANS,
    "floats": NOISE.astype("f4"),
    "longs": (NOISE * 1e9).astype("i4"),
    "chars": (NOISE * 255).astype("u1"),
    "enums": (NOISE * 15).astype("u2"),
    "big-endian": NOISE.astype(">f8"),
}
NATIVE = NativeDialect()
OPTIONS = {
    "json": SubscriptionOptions(),
    "base64": SubscriptionOptions(encoding="base64"),
    "nanos": SubscriptionOptions(nanos=True),
    "window": SubscriptionOptions(first=1000, max_count=LARGE),
    "envelope": SubscriptionOptions(reduce=Reduce(points=LARGE // 2), encoding="base64"),
}


@pytest.fixture
def channel() -> Channel:
    """A PV whose name has all that could be mistaken for the place of the value."""
    world = World()
    channel = world.channel('PV{"value":["b64dbl":"')
    channel.connected(DbrType.DOUBLE, COUNT, "ioc:5064", channel.access)
    channel.metadata = Metadata(DbrType.DOUBLE, COUNT, units='"value":[')
    return channel


def compare(encode: ValueEncoder, channel: Channel, array: Elements) -> None:
    reading = value(array, severity=1, status=4)
    at_once = flat(encode(channel, reading, 3))
    pieces = encode.prepare(channel, reading)
    assert pieces is not None
    assert list(pieces)
    assert encode.prepare(channel, reading) is None, "it is prepared"
    assert flat(encode(channel, reading, 3)) == at_once
    encode.release()
    assert encode.prepare(channel, reading) is not None
    assert flat(encode(channel, reading, 3)) == at_once


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("array", ARRAYS)
def test_monitor_and_answer(channel: Channel, array: str, options: str) -> None:
    compare(NATIVE.value_encoder(OPTIONS[options], SINGLE), channel, ARRAYS[array])
    compare(NATIVE.answer_encoder(OPTIONS[options], 7, SINGLE), channel, ARRAYS[array])


@pytest.mark.parametrize("array", ARRAYS)
def test_pvws(channel: Channel, array: str) -> None:
    compare(UpdateEncoder(SINGLE, readonly=True, shared=True), channel, ARRAYS[array])
    rights: Any = type("Rights", (), {"on": lambda self, channel: channel.access})()
    compare(GetEncoder(rights), channel, ARRAYS[array])


STRINGS = [f'text "{number}"' for number in range(COUNT)]
TEXTS = Texts(np.array(STRINGS, "S40"))


@pytest.mark.parametrize("options", OPTIONS)
def test_texts_are_told_as_strings_are(channel: Channel, options: str) -> None:
    encode = NATIVE.value_encoder(OPTIONS[options], SINGLE)
    assert flat(encode(channel, value(TEXTS), 0)) == flat(encode(channel, value(STRINGS), 0))
    compare(encode, channel, TEXTS)
    compare(NATIVE.answer_encoder(OPTIONS[options], 7, SINGLE), channel, TEXTS)


def test_texts_are_told_by_pvws_as_strings_are(channel: Channel) -> None:
    channel.metadata = Metadata(DbrType.STRING, COUNT)
    rights: Any = type("Rights", (), {"on": lambda self, channel: channel.access})()
    for encode in (UpdateEncoder(SINGLE, readonly=True, shared=True), GetEncoder(rights)):
        assert flat(encode(channel, value(TEXTS), 0)) == flat(encode(channel, value(STRINGS), 0))
        compare(encode, channel, TEXTS)


NOT_PREPARED = {
    "few": (NOISE[: LARGE - 1], SubscriptionOptions()),
    "a window of few": (NOISE, SubscriptionOptions(max_count=100)),
    "an envelope of few": (NOISE, SubscriptionOptions(reduce=Reduce(points=100))),
    "binary": (NOISE, SubscriptionOptions(encoding="binary")),
    "text": (ARRAYS["chars"], SubscriptionOptions(as_="string")),
    "strings": (["text"] * COUNT, SubscriptionOptions()),
    "few texts": (Texts(np.zeros(10, "S40")), SubscriptionOptions()),
    "a window of few texts": (Texts(np.zeros(COUNT, "S40")), SubscriptionOptions(max_count=100)),
    "a scalar": (1.0, SubscriptionOptions()),
}


@pytest.mark.parametrize("case", NOT_PREPARED)
def test_what_is_quick_needs_no_preparation(channel: Channel, case: str) -> None:
    data, options = NOT_PREPARED[case]
    assert NATIVE.value_encoder(options, SINGLE).prepare(channel, value(data)) is None  # type: ignore[arg-type]
