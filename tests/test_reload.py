"""reload.py: changed settings come into force, all or none, and no session is dropped."""

import json
import logging
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pycaserver.audit import AuditTrail
from pycaserver.core.access import AccessControl, Rules
from pycaserver.core.errors import PycaError
from pycaserver.core.figures import Figures
from pycaserver.core.identity import Identity
from pycaserver.reload import Reload, changes
from pycaserver.sections import Auth
from pycaserver.settings import Settings, load
from pycaserver.tokens import new_token, table_of
from tests.iocs import CIOC
from tests.servers import Client, Server
from tests.timing import wait_for


class Part:
    """A listener and identities that note what they are told, and may refuse."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.certificate_error: Exception | None = None
        self.identities_error: Exception | None = None

    def reload_certificate(self) -> None:
        if self.certificate_error:
            raise self.certificate_error
        self.told.append("certificate")

    def replace(self, settings: Auth) -> None:
        if self.identities_error:
            raise self.identities_error
        self.told.append(settings)


class Bench:
    """All that a reload reaches, and a settings file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.file.write_text("")
        self.part = Part()
        self.access = AccessControl(Rules())
        self.audit = AuditTrail("", Figures())
        self.rules = self.access.rules
        self._reload = Reload(Settings(), lambda: load(file, {}, {}), self.access, self.audit, self.part, self.part)

    def reload(self, text: str) -> None:
        self.file.write_text(text)
        self._reload()

    @property
    def is_unchanged(self) -> bool:
        return self.access.rules is self.rules and not any(isinstance(told, Auth) for told in self.part.told)


@pytest.fixture
def bench(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Bench:
    caplog.set_level(logging.INFO, "pycaserver.reload")
    return Bench(tmp_path / "pycaserver.toml")


RULE = '[[access.rule]]\npv = "A"\nallow = "write"\n'


def test_everything_that_can_change_does(bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    looked: list[Rules] = []
    bench.access.watchers[lambda: map(looked.append, [bench.access.rules])] = None
    file = tmp_path / "puts.jsonl"
    bench.reload(f'[access]\nwrites = true\n{RULE}[auth]\nrequired = true\n[audit]\nfile = "{file}"\n')
    assert bench.access.rules.decide("A", Identity()).write
    assert bench.part.told == ["certificate", Auth(required=True)]
    assert looked == [bench.access.rules]
    bench.audit.ready()
    assert file.exists()
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "settings reloaded" in caplog.text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[access", ["pycaserver.toml: "]),
        ('[access]\nwrite = true\ndefault = "rw"\n', ["access.write: ", "access.default: "]),
        (RULE + RULE.replace("A", "re:("), ["access.rule 2: "]),
        (RULE + '[audit]\nfile = "/nowhere/puts.jsonl"\n', ["audit.file /nowhere/puts.jsonl: "]),
        (RULE + "[server]\nport = true\n", ["server.port: "]),
    ],
    ids=ascii,
)
def test_a_bad_file_is_refused_whole(
    bench: Bench, text: str, named: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    bench.reload(text)
    assert bench.is_unchanged
    *reasons, end = [record.getMessage() for record in caplog.records]
    assert len(reasons) == len(named)
    for reason, name in zip(reasons, named, strict=True):
        assert reason.startswith("settings not reloaded: ")
        assert name in reason
    assert end == "the old settings stay in force"


def test_a_missing_file_is_refused(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.file.unlink()
    bench._reload()
    assert bench.is_unchanged
    assert "No such file" in caplog.text


@pytest.mark.parametrize("error", [OSError("the key is gone"), ValueError("no JWKS")], ids=str)
@pytest.mark.parametrize("whose", ["certificate_error", "identities_error"])
def test_a_part_that_refuses_keeps_all_from_changing(
    bench: Bench, whose: str, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    setattr(bench.part, whose, error)
    bench.reload(f"[access]\nwrites = true\n{RULE}")
    assert bench.is_unchanged
    assert f"settings not reloaded: {error}" in caplog.text


def test_an_audit_that_cannot_be_written_keeps_no_rule_from_changing(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    folder.mkdir()
    audit = f'[audit]\nfile = "{folder}/puts.jsonl"\n'
    bench.reload(audit + "[access]\nwrites = true\n")
    shutil.rmtree(folder)
    bench.reload(audit)
    assert not bench.access.rules.writes
    with pytest.raises(PycaError, match="write_disabled"):
        bench.audit.ready()


def test_after_a_bad_file_a_good_one_is_taken(bench: Bench) -> None:
    bench.reload("[access")
    bench.reload(f"[access]\nwrites = true\n{RULE}")
    assert bench.access.rules.decide("A", Identity()).write


def test_what_needs_a_restart_is_named(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.reload('[server]\nport = 1\n[limits]\nsessions = 1\n[access]\nwrites = true\n[epics]\nEPICS_X = "1"\n')
    assert caplog.records[-1].getMessage() == (
        "changed settings that need a restart: server.port, limits.sessions, epics.EPICS_X"
    )
    assert bench.access.rules.writes, "the rest is in force"


def test_what_needs_a_restart_is_compared_with_the_start() -> None:
    assert list(changes(Settings(), Settings())) == []
    assert list(changes(Settings(epics={"A": "1", "B": "1"}), Settings(epics={"B": "2", "C": "1"}))) == [
        "epics.A", "epics.B", "epics.C"
    ]  # fmt: skip


def test_rules_that_never_decide_are_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.reload(RULE + RULE)
    assert "access.rule 2" in caplog.text
    assert "never decides" in caplog.text


# -- a real server


class Reloadable:
    """A server that reads a file, and the file."""

    def __init__(self, ioc: CIOC, file: Path) -> None:
        self.file = file
        self.write("")
        self.server = Server(ioc.env(), {"config": file})

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def reload(self, text: str) -> None:
        """Write the file and wait until the server has taken or refused it."""
        self.write(text)
        ends = ("settings reloaded: ", "the old settings stay in force")
        before = sum(self.server.output.count(end) for end in ends)
        self.server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: sum(self.server.output.count(end) for end in ends) > before, what="the end of the reload")


@pytest.fixture
def reloadable(types: CIOC, tmp_path: Path) -> Iterator[Reloadable]:
    made = Reloadable(types, tmp_path / "pycaserver.toml")
    with made.server:
        yield made


def authenticate(client: Client, token: str) -> dict[str, Any]:
    """The answer."""
    client.send(action="authenticate", token=token, id=token[-6:])
    return client.wait(id=token[-6:])


def test_sessions_live_through_good_and_bad_reloads(reloadable: Reloadable, types: CIOC) -> None:
    anna, bert = new_token(), new_token()
    with reloadable.server.client() as watcher, reloadable.server.client() as client:
        watcher.send(action="connect", pv=f"{types.prefix}ai")
        watcher.wait(msg_type="monitor")
        assert authenticate(client, anna)["code"] == "unauthenticated"
        reloadable.reload(table_of("anna", anna))
        assert authenticate(client, anna)["user"] == "anna"
        reloadable.reload(f'{table_of("bert", bert)}\n[access]\nwrite = true\ndefault = "rw"\n')
        assert authenticate(client, bert)["code"] == "unauthenticated"
        assert authenticate(client, anna)["user"] == "anna"
        assert watcher.settle() == []
    output = reloadable.server.output
    assert "settings not reloaded: access.write: there is no such setting" in output
    assert "settings not reloaded: access.default: " in output
    assert "Traceback" not in output
    assert anna not in output and bert not in output


def test_settings_that_need_a_restart_are_named_by_the_server(reloadable: Reloadable) -> None:
    reloadable.reload("[limits]\nsessions = 1\n")
    wait_for(lambda: "need a restart: limits.sessions" in reloadable.server.output)
    with reloadable.server.client() as first, reloadable.server.client() as second:
        assert first.settle() == second.settle() == []


RULES = """
[access]
writes = true
[[access.rule]]
pv = "{0}ai"
allow = "none"
[[access.rule]]
pv = "{0}ao"
allow = "write"
[audit]
file = "{1}"
"""


def test_sessions_learn_at_once_what_they_may_do_now(tmp_path: Path) -> None:
    with CIOC('record(ai, "$(P)ai") {}\nrecord(ao, "$(P)ao") {}\n') as ioc:
        reloadable = Reloadable(ioc, tmp_path / "pycaserver.toml")
        with reloadable.server:
            learn(reloadable, ioc.prefix, tmp_path / "puts.jsonl")


def learn(reloadable: Reloadable, prefix: str, file: Path) -> None:
    """What one session hears of two PVs through three reloads."""
    ai, ao = f"{prefix}ai", f"{prefix}ao"
    with reloadable.server.client() as client:
        client.send(action="connect", pv=[ai, ao], metadata=True)
        assert client.wait(msg_type="access", pvname=ao)["write"] is False
        client.send(action="put", pv=ao, value=1, id="off")
        assert client.wait(id="off")["code"] == "write_disabled"

        reloadable.reload(RULES.format(prefix, file))
        assert client.wait(msg_type="connection", pvname=ai)["reason"] == "read_denied"
        assert client.wait(msg_type="access", pvname=ao)["write"] is True
        client.send(action="put", pv=ao, value=1, id="on")
        assert client.wait(id="on")["ok"] is True
        client.send(action="get", pv=ai, id="secret")
        assert f'access.rule 1 (pv = "{ai}")' in client.wait(id="secret")["message"]

        reloadable.reload("[access]\nwrites = maybe\n")
        client.send(action="put", pv=ao, value=2, id="still on")
        assert client.wait(id="still on")["ok"] is True

        reloadable.reload("")
        assert client.wait(msg_type="access", pvname=ao)["write"] is False
        client.send(action="get", pv=ai, id="open")
        assert client.wait(id="open")["msg_type"] == "get"
    lines = [json.loads(text) for text in file.read_text().splitlines()]
    assert [(line["new"], line["outcome"], line["decision"]) for line in lines] == [
        (1, "ok", "allowed"), (2, "ok", "allowed")
    ]  # fmt: skip
    assert '"outcome":"write_disabled"' in reloadable.server.output, "without a file the log has the refused put"
