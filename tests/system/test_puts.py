"""Puts through a server to a C IOC with access rules: what the IOC gets, what it refuses, what never reaches it."""

import json
import signal
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.databases import DIRECTORY, counters
from tests.iocs import CIOC, client_env
from tests.servers import WRITABLE, Client, Server
from tests.timing import wait_for


def writes_ioc() -> CIOC:
    return CIOC(DIRECTORY / "writes.db", access=DIRECTORY / "writes.acf")


class Writable:
    """A server with an audit file in front of an IOC for puts, and a session."""

    def __init__(self, ioc: CIOC, server: Server, audit: Path, client: Client) -> None:
        self.ioc, self.server, self.audit, self.client = ioc, server, audit, client

    def put(self, pv: str, value: Any, **keys: Any) -> dict[str, Any]:
        """The answer: a put message or an error."""
        name = self.ioc.prefix + pv
        self.client.send(action="put", pv=name, value=value, **keys)
        return self.client.wait(lambda m: m["msg_type"] in ("put", "error"), pvname=name)

    def get(self, pv: str, **options: Any) -> Any:
        name = self.ioc.prefix + pv
        self.client.send(action="options", **{"as": None, **options})
        self.client.send(action="get", pv=name)
        return self.client.wait(msg_type="get", pvname=name)["value"]

    def entries(self, pv: str) -> list[dict[str, Any]]:
        """The audit's lines about that PV."""
        lines = [json.loads(line) for line in self.audit.read_text().splitlines()]
        return [line for line in lines if line["pv"] == self.ioc.prefix + pv]


@pytest.fixture(scope="module")
def ioc() -> Iterator[CIOC]:
    with writes_ioc() as ioc:
        yield ioc


@pytest.fixture(scope="module")
def served(ioc: CIOC, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """Everybody may write all VAL fields, and one CALC, by name."""
    folder = tmp_path_factory.mktemp("writes")
    rules = folder / "pycaserver.toml"
    rules.write_text(
        "[access]\nwrites = true\ndefault = 'write'\n"
        f"[[access.rule]]\npv = '{ioc.prefix}calc.CALC'\nallow = 'write'\n"
        f"[[access.rule]]\npv = '{ioc.prefix}done'\nallow = 'read'\n"
    )
    settings = {"config": rules, "audit-file": folder / "audit.jsonl", "limits-search-seconds": 0.5}
    with Server(ioc.env(), settings) as server:
        yield server, folder / "audit.jsonl"


@pytest.fixture
def writable(ioc: CIOC, served: tuple[Server, Path]) -> Iterator[Writable]:
    server, audit = served
    with server.client() as client:
        yield Writable(ioc, server, audit, client)


@pytest.mark.parametrize(
    ("pv", "value", "read"),
    [
        ("ao", 2.5, 2.5),
        ("ao", "-Infinity", "-Infinity"),
        ("ao", "NaN", "NaN"),
        ("ao.VAL", 3, 3.0),
        ("longout", -(2**31), -(2**31)),
        ("mbbo", 2, 2),
        ("mbbo", "Medium", 1),
        ("stringout", "Größe", "Größe"),
        ("stringout", "x" * 39, "x" * 39),
        ("short", [-32768, 0, 32767], [-32768, 0, 32767]),
        ("string", ["a", "", "c"], ["a", "", "c"]),
        ("double", [0.5, "NaN", "Infinity", -0.0, 5e-324], [0.5, "NaN", "Infinity", -0.0, 5e-324]),
        ("double", 7, [7.0]),
        ("calc.CALC", "A+B", "A+B"),
    ],
)
def test_what_is_written_is_what_is_read(writable: Writable, pv: str, value: Any, read: Any) -> None:
    before = len(writable.entries(pv))
    assert writable.put(pv, value)["msg_type"] == "put"
    assert writable.get(pv) == read
    (entry,) = writable.entries(pv)[before:]
    assert (entry["outcome"], entry["decision"], entry["new"]) == ("ok", "allowed", value)


@pytest.mark.parametrize("pv", ["char", "lso.VAL$"])
def test_long_strings_go_into_char_arrays(writable: Writable, pv: str) -> None:
    text = "Eine Zeichenkette, die länger ist als die neununddreißig Bytes von DBR_STRING"
    assert writable.put(pv, text)["msg_type"] == "put"
    assert writable.get(pv, **{"as": "string"}) == text


def test_large_arrays_in_base64_and_in_binary_frames(writable: Writable) -> None:
    name, array = f"{writable.ioc.prefix}double", np.linspace(-1, 1, 20000)
    writable.client.send(action="put", pv=name, value_b64=b64encode(array.tobytes()).decode(), dtype="<f8", id=1)
    assert writable.client.wait(id=1)["msg_type"] == "put"
    assert writable.get("double") == array.tolist()
    header = json.dumps({"action": "put", "pv": name, "dtype": "<f4", "id": 2}).encode()
    header += b" " * (-(4 + len(header)) % 8)
    elements = array[:100].astype("<f4")
    writable.client.socket.send(len(header).to_bytes(4, "little") + header + elements.tobytes())
    assert writable.client.wait(id=2)["msg_type"] == "put"
    assert writable.get("double") == elements.astype("f8").tolist()


@pytest.mark.parametrize(
    ("pv", "value", "code"),
    [
        ("readonly", 1, "no_write_access"),
        ("longout", 2**31, "bad_value"),
        ("longout", 1.5, "bad_value"),
        ("longout", "NaN", "bad_value"),
        ("ao", "5", "bad_value"),
        ("mbbo", 3, "bad_value"),
        ("mbbo", -1, "bad_value"),
        ("mbbo", "Huge", "bad_value"),
        ("stringout", "x" * 40, "bad_value"),
        ("stringout", 5, "bad_value"),
        ("short", [0] * 5, "bad_value"),
        ("short", [40000], "bad_value"),
        ("double", [], "bad_value"),
        ("done", 1, "write_denied"),
        ("trigger.PROC", 1, "write_denied"),
        ("ao.DISP", 1, "write_denied"),
        ("ao.OUT", "x", "write_denied"),
        ("ao.ASG", "x", "write_denied"),
        ("ao\0.done", 1, "invalid_pv_name"),
        ("ao ", 1, "invalid_pv_name"),
        ("nowhere", 1, "not_found"),
    ],
)
def test_refused_before_channel_access_and_recorded(writable: Writable, pv: str, value: Any, code: str) -> None:
    record = pv.split(".")[0].strip("\0 ")
    exists = pv != "nowhere"
    before, processed = len(writable.entries(pv)), writable.ioc.shell(f"dbpr {writable.ioc.prefix}{record} 2")
    error = writable.put(pv, value)
    assert (error["msg_type"], error["code"], error["action"]) == ("error", code, "put")
    if exists:
        assert writable.ioc.shell(f"dbpr {writable.ioc.prefix}{record} 2") == processed
    (entry,) = writable.entries(pv)[before:]
    assert (entry["outcome"], entry["message"]) == (code, error["message"])
    assert entry["decision"] == ("refused" if code in ("write_denied", "invalid_pv_name") else "allowed")


@pytest.mark.parametrize(("pv", "value"), [("disabled", 1), ("calc.CALC", "A+")])
def test_refusal_by_the_ioc_is_passed_on(writable: Writable, pv: str, value: Any) -> None:
    before = len(writable.entries(pv))
    error = writable.put(pv, value)
    assert (error["code"], error["message"]) == ("put_failed", "Channel Access says: Channel write request failed.")
    (entry,) = writable.entries(pv)[before:]
    assert (entry["outcome"], entry["message"]) == ("put_failed", error["message"])


def test_right_to_write_that_changes_by_a_pv(writable: Writable) -> None:
    assert writable.put("guarded", 1)["msg_type"] == "put"
    with writable.server.client() as watcher:
        watcher.send(action="connect", pv=f"{writable.ioc.prefix}guarded", metadata=True)
        assert watcher.wait(msg_type="access")["write"] is True
        assert writable.put("may_write", 0)["msg_type"] == "put"
        assert watcher.wait(msg_type="access")["write"] is False
        assert writable.put("guarded", 2)["code"] == "no_write_access"
        assert writable.put("may_write", 1)["msg_type"] == "put"
        assert watcher.wait(msg_type="access")["write"] is True


def test_completion_is_that_of_all_processing(writable: Writable) -> None:
    answer = writable.put("slow", 11)
    assert answer["ok"] and answer["elapsed"] >= 0.5
    assert writable.get("done") == 11.0


def test_puts_to_one_pv_stay_in_order_and_others_are_not_kept_waiting(writable: Writable) -> None:
    counted = writable.get("counted")
    for number in range(3):
        writable.client.send(action="put", pv=f"{writable.ioc.prefix}slow", value=number, id=number)
    assert writable.put("ao", 1)["elapsed"] < 0.5
    assert [writable.client.wait(msg_type="put")["id"] for _ in range(3)] == [0, 1, 2]
    assert (writable.get("done"), writable.get("counted")) == (2.0, counted + 3)


def test_time_out_says_that_the_outcome_is_unknown_and_it_is_recorded_when_it_comes(writable: Writable) -> None:
    before = len(writable.entries("slow"))
    error = writable.put("slow", 12, timeout=0.1)
    assert error["code"] == "put_timeout" and "not known" in error["message"]
    wait_for(lambda: len(writable.entries("slow")) == before + 2, what="the late outcome")
    first, late = writable.entries("slow")[before:]
    assert (first["outcome"], late["outcome"], late["late"], late["put"]) == ("put_timeout", "ok", True, first["put"])
    assert writable.get("done") == 12.0


def test_put_without_wait_says_only_that_it_was_sent(writable: Writable) -> None:
    before = len(writable.entries("slow"))
    answer = writable.put("slow", 13, wait=False)
    assert answer["sent"] is True
    wait_for(lambda: writable.get("done") == 13.0, what="the put to be carried out")
    (entry,) = writable.entries("slow")[before:]
    assert entry["outcome"] == "sent"


@pytest.mark.parametrize(
    ("pv", "values"), [("ao", [1.0, 2.0, 3.0]), ("short", [[1], [2, 2], [3]]), ("string", [["a"], ["b"], ["c"]])]
)
def test_record_has_the_value_right_before_each_put(writable: Writable, pv: str, values: list[Any]) -> None:
    """Of a subscribed PV too, whose newest value may be on its way to the server."""
    writable.client.send(action="connect", pv=f"{writable.ioc.prefix}{pv}")
    writable.client.wait(msg_type="monitor")
    before = len(writable.entries(pv))
    for number, each in enumerate(values):
        writable.client.send(action="put", pv=f"{writable.ioc.prefix}{pv}", value=each, id=number)
    for number in range(len(values)):
        assert writable.client.wait(id=number)["msg_type"] == "put"
    assert [entry["old"] for entry in writable.entries(pv)[before + 1 :]] == values[:-1]


def test_put_that_waits_obeys_the_rules_of_the_moment_when_it_is_sent(ioc: CIOC, tmp_path: Path) -> None:
    rules, pv = tmp_path / "rules.toml", f"{ioc.prefix}slow"
    rules.write_text("[access]\nwrites = true\ndefault = 'write'\n")
    with Server(ioc.env(), {"config": rules}) as server, server.client() as client:
        for number in range(20):  # ten seconds' worth
            client.send(action="put", pv=pv, value=number, id=number, timeout=60)
        assert client.wait(id=0)["msg_type"] == "put"
        rules.write_text("[access]\nwrites = false\n")
        server.process.send_signal(signal.SIGHUP)
        assert client.wait(id=19)["code"] == "write_disabled"


def test_puts_in_flight_at_the_end_of_the_server_are_recorded(ioc: CIOC, tmp_path: Path) -> None:
    audit, pv = tmp_path / "audit.jsonl", f"{ioc.prefix}slow"
    with Server(ioc.env(), {**WRITABLE, "audit-file": audit}) as server, server.client() as client:
        for number in range(10):
            client.send(action="put", pv=pv, value=number, id=number, timeout=60)
        assert client.wait(id=0)["msg_type"] == "put"
        assert server.stop() == 0
    entries = [json.loads(line) for line in audit.read_text().splitlines()]
    assert sorted(entry["new"] for entry in entries) == list(range(10))
    messages = {entry["new"]: entry["message"] for entry in entries}
    assert "not sent" in messages[9]
    assert [message for message in messages.values() if "outcome is unknown" in message]


def test_writes_are_off_by_default_and_nothing_goes_to_channel_access(ioc: CIOC) -> None:
    pv = f"{ioc.prefix}trigger"
    with Server(ioc.env()) as server, server.client() as client:
        client.send(action="put", pv=pv, value=99)
        assert client.wait(msg_type="error")["code"] == "write_disabled"
        assert f"Channel: '{pv}" not in ioc.shell("casr 2")
    assert "write_disabled" in server.output  # without a file the audit is in the log


def hung_database() -> str:
    """A hundred scalars $(P)x0, ... and a hundred arrays $(P)w0, ... of 40 kB: 4 MB in all."""
    fields = 'field(FTVL, "DOUBLE") field(NELM, "5000")'
    return "".join(f'record(ao, "$(P)x{n}") {{}}\nrecord(waveform, "$(P)w{n}") {{ {fields} }}\n' for n in range(100))


def test_two_hundred_puts_to_a_hung_ioc_leave_readers_of_another_alone() -> None:
    """Nothing of theirs is lost or merged; and reads and puts of the other IOC are answered."""
    with (
        CIOC(hung_database()) as hung,
        CIOC(counters(1)) as other,
        Server({**client_env(hung, other), "EPICS_CA_CONN_TMO": "60"}, WRITABLE) as server,
        server.client() as writer,
        server.client() as reader,
    ):
        names, count = [f"{hung.prefix}{kind}{n}" for kind in "xw" for n in range(100)], f"{other.prefix}count0"
        writer.send(action="connect", pv=names)
        for _ in names:
            writer.wait(msg_type="monitor")
        reader.send(action="connect", pv=count)
        reader.wait(msg_type="monitor")
        hung.pause()
        for name in names:
            value: Any = 1.5 if ":x" in name else [0.5] * 5000
            writer.send(action="put", pv=name, value=value, timeout=2)
        messages = [reader.wait(msg_type="monitor") for _ in range(15)]
        reader.send(action="put", pv=count, value=1000, id="put")
        assert reader.wait(id="put")["msg_type"] == "put"
        reader.send(action="get", pv=count, id="get")
        assert reader.wait(id="get")["msg_type"] == "get"
        values = [message["value"] for message in messages]
        assert values == [values[0] + n for n in range(15)]
        assert not any("coalesced" in message for message in messages)
        assert {writer.wait(msg_type="error")["code"] for _ in names} == {"put_timeout"}
        hung.resume()
        writer.send(action="put", pv=names[0], value=2.5, timeout=60, id="after")
        assert writer.wait(id="after", timeout=60)["msg_type"] == "put"
