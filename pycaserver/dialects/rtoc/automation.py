"""Automations: comparisons of a signal with a number that make events, and events that start configured actions.

The original runs scripts and any expression of Python here; both are refused.
"""

import operator
import re
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeAlias

from msgspec import Meta, Struct, field

from pycaserver.core.clock import Clock
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.dialects.rtoc.signals import Signal

TICK_SECONDS: Final = 0.1
"""How often comparisons are looked at."""
MOST: Final = 100
"""Events that comparisons make, and actions, each."""

_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_COMPARISON: Final = re.compile(r"\s*([^.<>=!]+\.[^.<>=!]+?)(?:\.latest)?\s*(>=|<=|==|!=|>|<)\s*(\S+)\s*")


Text: TypeAlias = Annotated[str, Meta(max_length=1000)]
Plain: TypeAlias = int | float | Text | None


class SetEvent(Struct, frozen=True):
    """An event that a comparison makes."""

    name: Text
    cond: Text
    text: Text = ""
    priority: Literal[0, 1, 2] = 0
    retur: Plain = ""
    id: Text = ""
    trigger: Literal["rising", "falling", "both", "true", "false"] = "rising"
    sname: Text = ""
    dname: Text = ""
    active: bool = True

    @property
    def shown(self) -> dict[str, Any]:
        """As it is listed."""
        keys = {key: getattr(self, key) for key in ("cond", "text", "priority", "id", "trigger", "sname", "dname")}
        return {**keys, "return": self.retur, "active": self.active}


class SetAction(Struct, frozen=True):
    """A configured action that starts when an event comes."""

    name: Text
    script: Text
    """The name of the action."""
    listenID: Text | Annotated[list[Text], Meta(max_length=100)] = field(
        default_factory=list
    )  # as the protocol spells it
    parameters: Plain = ""
    active: bool = True

    @property
    def ids(self) -> list[str]:
        """Those of the events that start it."""
        return [self.listenID] if isinstance(self.listenID, str) else self.listenID

    @property
    def shown(self) -> dict[str, Any]:
        """As it is listed."""
        return {"listenID": self.ids, "parameters": self.parameters, "script": self.script, "active": self.active}


class Comparison(NamedTuple):
    """One condition."""

    signal: Signal
    holds: Callable[[float, float], bool]
    number: float

    def now(self) -> bool | None:
        """Whether it holds; None while the signal has no number."""
        latest = self.signal.latest
        return self.holds(latest[1], self.number) if latest and isinstance(latest[1], int | float) else None


class Automation:
    """All of them, in memory only."""

    def __init__(
        self,
        clock: Clock,
        signal: Callable[[str], Signal],
        happened: Callable[..., object],
        start: Callable[[str, Identity], None],
    ) -> None:
        """signal: by name; happened: makes an event; start: an action, by name and with somebody's rights."""
        self.events: dict[str, tuple[SetEvent, Comparison]] = {}
        self.actions: dict[str, tuple[SetAction, Identity]] = {}
        self.active = {"events": True, "actions": True}
        self._clock = clock
        self._signal = signal
        self._happened = happened
        self._start = start
        self._states: dict[str, bool] = {}
        self._ticking = False
        self._starting = False

    @property
    def shown(self) -> dict[str, Any]:
        """The answer to every request about it."""
        return {
            "events": {name: event.shown for name, (event, _) in self.events.items()},
            "actions": {name: action.shown for name, (action, _) in self.actions.items()},
            "active": dict(self.active),
        }

    def set_event(self, event: SetEvent) -> None:
        """Put it in the place of one of that name; PycaError(bad_request) if its condition is no comparison."""
        comparison = self.comparison(event.cond)
        _check_room(self.events, event.name)
        self.events[event.name] = event, comparison
        self._states.pop(event.name, None)
        if not self._ticking:
            self._ticking = True
            self._tick()

    def set_action(self, action: SetAction, identity: Identity) -> None:
        """The same for an action, which is carried out with the rights of that identity."""
        _check_room(self.actions, action.name)
        self.actions[action.name] = action, identity

    def remove_event(self, name: str) -> bool:
        """Whether there was one."""
        self._states.pop(name, None)
        return self.events.pop(name, None) is not None

    def remove_action(self, name: str) -> bool:
        """Whether there was one."""
        return self.actions.pop(name, None) is not None

    def reset(self) -> None:
        """Forget which comparisons held: they may make their events anew."""
        self._states.clear()

    def trigger(self, name: str) -> None:
        """Make the event now, whether its comparison holds or not."""
        event, comparison = self.events[name]
        signal = comparison.signal
        names = (event.dname or signal.dname, event.sname or signal.sname)
        self._happened(event.text, *names, signal.pv, priority=event.priority, value=event.retur, id=event.id)

    def heard(self, id: str) -> None:
        """An event came: start the actions that listen for it, but none that an action's own event asks for."""
        if not self.active["actions"] or self._starting:
            return
        self._starting = True
        try:
            for action, identity in list(self.actions.values()):
                expired = identity.expires is not None and identity.expires <= self._clock.wall()
                if action.active and id in action.ids and not expired:
                    self._start(action.script, identity)
        finally:
            self._starting = False

    def comparison(self, text: str) -> Comparison:
        """ "DEVICE.SIGNAL >= 5", also with ".latest"; PycaError(bad_request) for all else."""
        match = _COMPARISON.fullmatch(text)
        try:
            number = float(match[3]) if match else None
        except ValueError:
            number = None
        if match is None or number is None:
            raise PycaError("bad_request", "A condition compares one signal with one number, and is no script.")
        return Comparison(self._signal(match[1].strip()), _OPERATORS[match[2]], number)

    def _tick(self) -> None:
        if not self.events:
            self._ticking = False
            return
        self._clock.call_later(TICK_SECONDS, self._tick)
        if self.active["events"]:
            for name, (event, comparison) in list(self.events.items()):
                if event.active:
                    self._look(name, event, comparison.now())

    def _look(self, name: str, event: SetEvent, holds: bool | None) -> None:
        if holds is None:
            return
        before, self._states[name] = self._states.get(name), holds
        rising, falling = holds and not before, before is True and not holds
        wanted = {"rising": rising, "falling": falling, "both": rising or falling,
                  "true": holds and before is not True, "false": not holds and before is not False}  # fmt: skip
        if wanted[event.trigger]:
            self.trigger(name)


def _check_room(kept: dict[str, Any], name: str) -> None:
    if name not in kept and len(kept) >= MOST:
        raise PycaError("bad_request", f"There are {MOST} already.")
