"""Access rules: which identity may read or write which PV, and which rule says so. Off and no is what is unclear.

Rule           one [[access.rule]] of the settings
Rules          all of them, compiled and immutable: decide
AccessControl  those in force now, and who must look again when they are replaced
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from pycaserver.core.identity import ANYONE, Identity, Who
from pycaserver.core.names import DEFAULT_FIELD, check_pv_name, split_pv_name
from pycaserver.core.patterns import Pattern
from pycaserver.core.piecework import Pieces

log = logging.getLogger(__name__)

CACHE: Final = 10000
"""Decisions kept, and identities."""

Right = Literal["none", "read", "write"]


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever `who` describes may do what `allow` says with the PVs that match `pv`; the first such rule counts."""

    pv: Annotated[
        str,
        Meta(description='glob, case-sensitive; "re:..." for a regular expression on record, or on record and field'),
    ]
    allow: Annotated[Right, Meta(description="what they may do")]
    who: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description='any of "anyone", "user:NAME", "group:NAME", "address:ADDRESS or NETWORK"'),
    ] = (ANYONE,)


class Decision(Struct, frozen=True):
    """What an identity may do with a PV, as far as the rules go, and why."""

    read: bool
    write: bool
    rule: str
    """A sentence: what decided."""
    code: str = ""
    """The error code for a refused put: write_disabled or write_denied; "" if it is not refused."""


class _Compiled:
    """A rule, ready to be used."""

    def __init__(self, name: str, rule: Rule) -> None:
        self.name = name
        self.allow = rule.allow
        self.pattern = Pattern(rule.pv)
        self.who = Who(rule.who)

    def shadows(self, later: "_Compiled") -> bool:
        return self.pattern.covers(later.pattern) and self.who.covers(later.who)


class Rules:
    """All rules; immutable, so that a decision stays what it was."""

    def __init__(
        self,
        writes: bool = False,
        default: Right = "read",
        administrators: Iterable[str] = (),
        rules: Sequence[Rule] = (),
    ) -> None:
        """ValueError for a pattern or a `who` that means nothing; problems_of() names them all."""
        self.writes = writes
        self._default = default
        self._administrators = Who(administrators)
        self._rules = [_Compiled(f'access.rule {n} (pv = "{rule.pv}")', rule) for n, rule in enumerate(rules, 1)]
        self._about = lru_cache(CACHE)(self._rules_about)
        self._cached = lru_cache(CACHE)(self._decide)
        self._granted = lru_cache(CACHE)(self._grant)  # most decisions are alike

    def decide(self, pvname: str, identity: Identity) -> Decision:
        """What that identity may do with that PV. PycaError(invalid_pv_name)."""
        record, field = split_pv_name(check_pv_name(pvname))
        return self._cached(record, field, self._about(identity.user, identity.groups, identity.address))

    def is_administrator(self, identity: Identity) -> bool:
        """Whether names, addresses and PV lists may be shown."""
        return self._administrators.includes(identity)

    def unreachable(self) -> list[str]:
        """A sentence for each rule that an earlier one fully shadows, as far as can be told."""
        return [
            f"{rule.name} never decides: {earlier.name} comes first"
            for index, rule in enumerate(self._rules)
            if (earlier := next((it for it in self._rules[:index] if it.shadows(rule)), None))
        ]

    def notes(self) -> list[str]:
        """A sentence for each rule that has no effect while access.writes is false."""
        useless = [] if self.writes else [rule.name for rule in self._rules if rule.allow == "write"]
        return [f"{name} allows write, but access.writes is false: it gives read only" for name in useless]

    def _rules_about(self, user: str, groups: tuple[str, ...], address: str) -> tuple[_Compiled, ...]:
        """Those whose `who` is about the identity; the same for most, who then share their decisions."""
        identity = Identity(user, groups, address)
        return tuple(rule for rule in self._rules if rule.who.includes(identity))

    def _decide(self, record: str, field: str, rules: tuple[_Compiled, ...]) -> Decision:
        for rule in rules:
            if rule.pattern.matches(record, field):
                named = field == DEFAULT_FIELD or rule.pattern.names(record, field)
                return self._granted(rule.allow, f"{rule.name} allows {rule.allow}", "" if named else field)
        named = field == DEFAULT_FIELD
        return self._granted(self._default, f'access.default is "{self._default}"', "" if named else field)

    def _grant(self, allow: Right, why: str, unnamed: str) -> Decision:
        read, write = allow != "none", allow == "write"
        if write and self.writes and not unnamed:
            return Decision(True, True, why)
        if write and unnamed:
            why += f", but does not name the field {unnamed}"
        if write and not self.writes:
            why += ", but access.writes is false"
        return Decision(read, False, why, "write_denied" if self.writes else "write_disabled")


class AccessControl:
    """The rules in force, and those who must look again when they change."""

    def __init__(self, rules: Rules, begin: Callable[[Pieces], object] = list) -> None:
        """begin: works off what there is to do when the rules are replaced; at once unless it does it in pieces."""
        self.rules = rules
        self.watchers: dict[Callable[[], Pieces], None] = {}
        """What each has to do, in order, after the rules have been replaced."""
        self._begin = begin

    def replace(self, rules: Rules) -> None:
        """Put new rules into force."""
        self.rules = rules
        self._begin(self._look_again())

    def _look_again(self) -> Pieces:
        for watcher in list(self.watchers):
            try:
                if watcher in self.watchers:  # it may have gone in the meantime
                    yield from watcher()
            except Exception:
                log.exception("a session did not take the new access rules")
            yield None


def problems_of(rule: Rule) -> list[str]:
    """What is wrong with a rule, a sentence each."""
    return [*_problems(partial(Pattern, rule.pv)), *problems_of_who(rule.who)]


def problems_of_who(words: Iterable[str]) -> list[str]:
    """What is wrong with the words that describe identities, a sentence each."""
    return [problem for word in words for problem in _problems(partial(Who, [word]))]


def _problems(make: Callable[[], object]) -> list[str]:
    try:
        make()
    except ValueError as error:
        return [str(error)]
    return []
