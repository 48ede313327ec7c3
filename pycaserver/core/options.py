"""The options in effect for a subscription: a session's defaults, and what a request gives in their place."""

from typing import Any, Literal

from msgspec import UNSET, Struct

from pycaserver.core.requests import OptionKeys
from pycaserver.core.terms import Encoding, Reduce


class SubscriptionOptions(Struct, frozen=True):
    """The options in effect for one subscription; the field names are those of OptionKeys."""

    metadata: bool = False
    encoding: Encoding = "json"
    max_rate: float | None = None
    """Hz."""
    deadband: float | None = None
    """In the PV's units."""
    first: int | None = None
    max_count: int | None = None
    reduce: Reduce | None = None
    as_: Literal["string"] | None = None
    nanos: bool = False
    history: float | None = None
    """Seconds."""

    def replaced_by(self, keys: OptionKeys) -> "SubscriptionOptions":
        """These options with those that the request gives in their place."""
        given = {name: getattr(keys, name) for name in self.__struct_fields__}
        return SubscriptionOptions(**{k: getattr(self, k) if v is UNSET else v for k, v in given.items()})

    def as_dict(self) -> dict[str, Any]:
        """Field name to value."""
        return {name: getattr(self, name) for name in self.__struct_fields__}

    @property
    def wire_form(self) -> tuple[Any, ...]:
        """What decides how a value looks: subscriptions alike in this share the encoded bytes."""
        return (self.encoding, self.first, self.max_count, self.reduce, self.as_, self.nanos)
