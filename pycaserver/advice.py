"""What check-config says of a settings file that is right: what has no effect, and what decides about one PV."""

import os
import stat
from collections.abc import Iterator
from typing import Final

from pycaserver.core.access import Decision
from pycaserver.core.identity import ANYONE, Identity
from pycaserver.settings import Settings

YES_NO: Final = {True: "yes", False: "no"}


def notes(settings: Settings) -> Iterator[str]:
    """What is allowed but may not be meant. OSError if the folder of pages is not there."""
    auth, server = settings.auth, settings.server
    yield from settings.access.compiled().notes()
    if settings.access.writes and settings.access.default == "write":
        yield 'access.default is "write": everybody may write whatever no rule is about'
    if server.pages and os.stat(server.pages).st_mode & stat.S_IWOTH:
        yield "server.pages: every user of this machine may write there, and so act as whoever opens a page"
    if ANYONE in settings.access.administrators:
        yield "access.administrators: anyone sees names, addresses and PV lists"
    if auth.required and not (auth.token or auth.jwt.jwks_file or auth.user_header):
        yield "auth.required: nobody can get in, for there are no tokens, no auth.jwt and no auth.user_header"


def explain(settings: Settings, user: str, pvname: str, address: str = "") -> Iterator[str]:
    """What that user may do with that PV, and why; a line for each set of groups. PycaError(invalid_pv_name)."""
    rules = settings.access.compiled()
    tokens = [token for token in settings.auth.token if token.user == user]
    for groups in dict.fromkeys(token.groups for token in tokens) or [()]:
        decision = rules.decide(pvname, Identity(user, groups, address))
        yield f"{user or 'anonymous'}{_membership(groups)}, {pvname}: {_sentence(decision)}"


def _membership(groups: tuple[str, ...]) -> str:
    return f" in {', '.join(groups)}" if groups else ""


def _sentence(decision: Decision) -> str:
    return f"read {YES_NO[decision.read]}, write {YES_NO[decision.write]}: {decision.rule}"
