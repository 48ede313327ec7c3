"""Answer: the one answer to a request, ready once all is done that the request has started."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from pycaserver.core.errors import PycaError

T = TypeVar("T")


class Answer:
    """Collects what the keys of a request are answered."""

    def __init__(self, finish: Callable[["Answer"], None]) -> None:
        """finish: called once, when all is done."""
        self.body: dict[str, Any] = {"error": False}
        self.error: PycaError | None = None
        """The first of what went wrong: then it is the whole answer."""
        self._finish = finish
        self._open = 1

    def wait(self) -> None:
        """One more thing has to be done before."""
        self._open += 1

    def done(self, error: PycaError | None = None) -> None:
        """One thing is done."""
        if error is not None:
            self.fail(error)
        self._open -= 1
        if self._open == 0:
            self._finish(self)

    def fail(self, error: PycaError) -> None:
        """Something went wrong."""
        self.error = self.error or error


def taken(value: Any, type: type[T] | Any, key: str) -> Any:
    """The value of a key, which must be of that type; PycaError(bad_request)."""
    try:
        return msgspec.convert(value, type)
    except (msgspec.ValidationError, OverflowError) as error:
        raise PycaError("bad_request", f"{key}: {error}.") from None
