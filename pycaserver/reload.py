"""Reload: the settings, read again while the server runs. A bad file is refused whole, and the old settings stay."""

import logging
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Final, Protocol

from pycaserver.audit import AuditTrail, check_file
from pycaserver.core.access import AccessControl, Rules
from pycaserver.sections import Auth
from pycaserver.settings import Settings, SettingsError, table

log = logging.getLogger(__name__)

RELOADED: Final = ("access", "auth", "auth.jwt", "audit")
"""Sections that are in force at once; a change anywhere else needs a restart."""


class Renewable(Protocol):
    """What has a TLS certificate."""

    def reload_certificate(self) -> None:
        """Read its files again; OSError, then nothing changes."""


class Replaceable(Protocol):
    """What knows the identities."""

    def replace(self, settings: Auth) -> None:
        """Know those of these settings from now on; OSError or ValueError, then nothing changes."""


class Reload:
    """Brings changed settings into force, all or none."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[], Settings],
        access: AccessControl,
        audit: AuditTrail,
        identities: Replaceable,
        listener: Renewable,
    ) -> None:
        """settings: those of the start; load: reads them again, SettingsError."""
        self._started_with = settings
        self._load = load
        self._access = access
        self._audit = audit
        self._identities = identities
        self._listener = listener

    def __call__(self) -> None:
        """Never raises: everything is in the log."""
        try:
            self._reload()
        except SettingsError as error:
            _refuse(error.problems)
        except (OSError, ValueError) as error:
            _refuse([str(error)])

    def _reload(self) -> None:
        settings = self._load()
        rules = settings.access.compiled()
        if settings.audit.file != self._audit.path:  # a full disk must not keep rules from being tightened
            check_file(settings.audit.file)
        self._listener.reload_certificate()
        self._identities.replace(settings.auth)  # the last that may fail; an unchanged certificate, renewed, is no harm
        self._audit.replace(settings.audit.file)
        self._access.replace(rules)  # at the end: sessions look again now
        warn(rules)
        log.info("settings reloaded: rules, tokens, keys, certificate and audit file are renewed")
        if changed := list(changes(self._started_with, settings)):
            log.warning("changed settings that need a restart: %s", ", ".join(changed))


def warn(rules: Rules) -> None:
    """Log the rules that never decide."""
    for sentence in rules.unreachable():
        log.warning("%s", sentence)


def changes(old: Settings, new: Settings) -> Iterator[str]:
    """The settings that differ and need a restart."""
    for setting in table():
        value = attrgetter(setting.name)
        if setting.section not in RELOADED and value(old) != value(new):
            yield setting.name
    yield from (f"epics.{name}" for name in sorted(dict(old.epics.items() ^ new.epics.items())))


def _refuse(problems: list[str]) -> None:
    for problem in problems:
        log.error("settings not reloaded: %s", problem)
    log.error("the old settings stay in force")
