"""The terms that requests and messages have in common."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

Id: TypeAlias = str | int
Names: TypeAlias = str | Annotated[list[str], Meta(max_length=10_000)]
Encoding: TypeAlias = Literal["json", "base64", "binary"]
NonFinite: TypeAlias = Literal["NaN", "Infinity", "-Infinity"]
Number: TypeAlias = float | NonFinite
Positive: TypeAlias = Annotated[float, Meta(gt=0, le=1e6)]
Count: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Index: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Dtype: TypeAlias = Literal["<f8", "<f4", "<i8", "<i4", "<i2", "|i1", "<u8", "<u4", "<u2", "|u1"]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=3600)]


class Reduce(Struct, forbid_unknown_fields=True, frozen=True):
    """Ask for an envelope of a long waveform: the least and the greatest value of each of `points` stretches."""

    points: Annotated[int, Meta(ge=1, le=10_000_000)]


def number_message(value: float) -> Number:
    """A float as JSON can say it: non-finite numbers as strings that JavaScript's Number() reads back."""
    if value - value == 0:  # false for NaN and both infinities
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
