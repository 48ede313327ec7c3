"""Reads over HTTP."""

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import urlencode

import numpy as np
import pytest

from pycaserver.app import LoopClock, static_folder
from pycaserver.audit import AuditTrail
from pycaserver.core.access import AccessControl, Rules
from pycaserver.core.figures import Figures
from pycaserver.core.pool import ChannelPool
from pycaserver.core.services import Services
from pycaserver.core.source import Source
from pycaserver.core.values import LARGE
from pycaserver.dialects.native import NativeDialect
from pycaserver.settings import Settings
from pycaserver.web import rest
from pycaserver.web.hub import Hub
from pycaserver.web.identities import Identities
from pycaserver.web.security import Policy
from pycaserver.web.server import Listener
from pycaserver.web.site import Site
from tests.conftest import OFFERED, OFFERED_ONLY
from tests.fakes import FakeSource, value
from tests.iocs import CIOC, client_env
from tests.servers import Server
from tests.timing import async_wait_for
from tests.web.http import fetch, segment, wait_for_totals
from tests.web.raw import RawClient


def path_of(name: str) -> str:
    return f"/api/pv/{segment(name)}"


# -- answers


def test_value_is_that_of_a_get_message(server: Server, types: CIOC) -> None:
    answer = fetch(server, path_of(f"{types.prefix}ai"))
    assert answer.status == 200
    expected = {"msg_type": "get", "pvname": f"{types.prefix}ai", "value": 21.5, "count": 1, "units": "mm",
                "severity": "NO_ALARM", "status": "NO_ALARM"}  # fmt: skip
    assert {key: value for key, value in answer.json.items() if key != "timestamp"} == expected


@pytest.mark.parametrize(
    ("record", "query", "expected"),
    [
        ("mbbi", "", {"value": 2, "text": "Fault", "severity": "MAJOR", "status": "STATE"}),
        ("mbbi", "?as=string", {"value": "Fault"}),
        ("nan", "", {"value": "NaN"}),
        ("stringin", "", {"value": "Hello, world"}),
        ("wf_text", "?as=string", {"value": "Text in an array of characters"}),
        ("wf_empty", "", {"value": [], "count": 0}),
        ("wf_double", "?max_count=1&encoding=base64", {"value_b64": "AAAAAAAA+L8=", "dtype": "<f8", "count": 1}),
        ("wf_double", "?first=1&max_count=2", {"value": [0.0, 0.1], "count": 2, "first": 1}),
        ("wf_double", "?reduce=1", {"value": [-1.5, 1e300], "reduced": 1}),
        ("ai.EGU", "", {"value": "mm"}),
        ('ao.VAL{"dbnd":{"abs":1}}', "", {"value": 1.25}),
    ],
)
def test_form_is_as_asked_for(
    server: Server, types: CIOC, record: str, query: str, expected: dict[str, object]
) -> None:
    answer = fetch(server, path_of(types.prefix + record) + query)
    assert answer.status == 200
    assert {"pvname": types.prefix + record, **expected}.items() <= answer.json.items()


def test_several_names_are_a_list_of_answers_and_errors_in_order(server: Server, types: CIOC) -> None:
    names = [types.prefix + name for name in ("ao", "nowhere", "ai", 'ai.VAL{"dbnd":{"abs":1}}')]
    names.insert(2, " spaces ")
    answer = fetch(server, "/api/pv?" + urlencode({"name": names}, doseq=True))
    assert answer.status == 200
    assert [item["pvname"] for item in answer.json] == names
    assert [item.get("value", item.get("code")) for item in answer.json] == [
        1.25, "not_found", "invalid_pv_name", 21.5, 21.5,
    ]  # fmt: skip


def test_same_name_twice_is_answered_twice(server: Server, types: CIOC) -> None:
    answer = fetch(server, "/api/pv?" + urlencode({"name": [f"{types.prefix}ai"] * 2}, doseq=True))
    assert [item["value"] for item in answer.json] == [21.5, 21.5]


def test_without_a_name_those_of_the_settings_are_offered(server: Server, types: CIOC) -> None:
    assert fetch(server, "/api/pv").json == {"names": [types.prefix + name for name in OFFERED]}


# -- errors


def test_missing_pv_is_404(server: Server, types: CIOC) -> None:
    answer = fetch(server, path_of(f"{types.prefix}nowhere"))
    assert answer.status == 404
    assert {"msg_type": "error", "code": "not_found", "pvname": f"{types.prefix}nowhere"}.items() <= answer.json.items()


BAD_NAMES = [" ai", "ai ", "a\tb", "a\nb", "Grüße", ".VAL", "x" * 256, "x." + "y" * 1000]


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: ascii(name)[:20])
def test_invalid_name_is_400(server: Server, name: str) -> None:
    answer = fetch(server, path_of(name))
    assert (answer.status, answer.json["code"]) == (400, "invalid_pv_name")


@pytest.mark.parametrize("name", [*BAD_NAMES, "", "a\0b", "a\x01b"], ids=lambda name: ascii(name)[:20])
def test_invalid_name_in_a_query_is_an_error_of_its_own(server: Server, name: str) -> None:
    answer = fetch(server, "/api/pv?" + urlencode({"name": name}))
    assert [(item["code"], item["pvname"]) for item in answer.json] == [("invalid_pv_name", name[:1000])]


def test_unreadable_pv_is_403(server: Server, types: CIOC) -> None:
    try:
        types.shell(f"dbpf {types.prefix}may_read 0")
        answer = fetch(server, path_of(f"{types.prefix}guarded"))
    finally:
        types.shell(f"dbpf {types.prefix}may_read 1")
    assert (answer.status, answer.json["code"]) == (403, "read_denied")


ODD_NAMES = ["a/b", "a%b", "a%2Fb", "a+b", "a?b", "a#b", "a;b", "a&b", "a<b>"]


@pytest.fixture(scope="module")
def odd() -> Iterator[CIOC]:
    """An IOC with odd names, which may be stopped."""
    records = "".join(
        f'record(longin, "$(P){name}") {{ field(INP, "{index}") field(PINI, "YES") }}\n'
        for index, name in enumerate(ODD_NAMES)
    )
    with CIOC(records) as ioc:
        yield ioc


@pytest.fixture(scope="module")
def odd_server(odd: CIOC, types: CIOC) -> Iterator[Server]:
    with Server(client_env(odd, types), {"limits-linger-seconds": 0.1}) as server:
        yield server


def test_odd_names_are_percent_encoded(odd_server: Server, odd: CIOC) -> None:
    names = [odd.prefix + name for name in ODD_NAMES]
    assert [fetch(odd_server, path_of(name)).json["value"] for name in names] == list(range(len(names)))
    answer = fetch(odd_server, "/api/pv?" + urlencode({"name": names}, doseq=True))
    assert [(item["pvname"], item["value"]) for item in answer.json] == list(zip(names, range(len(names)), strict=True))


def test_ioc_that_does_not_answer_is_504_and_one_that_is_gone_502(odd_server: Server, odd: CIOC, types: CIOC) -> None:
    name = odd.prefix + ODD_NAMES[0]
    with odd_server.client() as client:
        client.send(action="connect", pv=name)
        client.wait(msg_type="monitor")
        odd.pause()
        answer = fetch(odd_server, f"{path_of(name)}?timeout=0.1")
        assert (answer.status, answer.json["code"]) == (504, "get_timeout")
        assert fetch(odd_server, path_of(f"{types.prefix}ai")).status == 200
        odd.kill()
        client.wait(msg_type="connection", conn=False)
        answer = fetch(odd_server, path_of(name))
        assert (answer.status, answer.json["code"]) == (502, "not_connected")


def test_peer_that_does_not_wait_leaves_nothing_behind(server: Server, types: CIOC) -> None:
    logged = server.output
    with RawClient(server.url) as raw:
        name = segment(f"{types.prefix}nowhere:at_all")
        raw.socket.sendall(f"GET /api/pv/{name} HTTP/1.1\r\nHost: {raw.host}\r\n\r\n".encode())
        wait_for_totals(server, channels={**OFFERED_ONLY, "searching": 1})
    wait_for_totals(server, channels=OFFERED_ONLY)
    assert server.output == logged


def test_read_that_nobody_waits_for_ends() -> None:
    async def abandon() -> None:
        site = site_of(FakeSource())
        listener = Listener(site, static_folder())
        listener.listen("127.0.0.1", 0)
        before = asyncio.all_tasks()
        _, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"GET /api/pv?name=A&name=B HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await async_wait_for(lambda: site.pool.get("B"))
        assert asyncio.all_tasks() > before
        writer.close()
        await writer.wait_closed()
        await async_wait_for(lambda: asyncio.all_tasks() <= before, what="the request's tasks to end")
        listener.stop()

    asyncio.run(abandon())


@pytest.mark.parametrize("elements", [1000, LARGE])
def test_arrays_of_one_answer_are_bounded(elements: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request must not fill the memory, neither with many arrays nor with the same one again and again."""
    array = np.zeros(elements)
    monkeypatch.setattr(rest, "MOST_BYTES", 2 * array.nbytes)

    async def ask() -> list[str]:
        source = FakeSource()
        site = site_of(source)
        listener = Listener(site, static_folder())
        listener.listen("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"GET /api/pv?name=A&name=A&name=B&name=C HTTP/1.0\r\nHost: localhost\r\n\r\n")
        await async_wait_for(lambda: site.pool.get("C"))
        for name in ("A", "B", "C"):
            source[name].bring_up(count=elements)
            assert len(source[name].reads) == 1
            source[name].answer(value(array))
        body = (await reader.read()).partition(b"\r\n\r\n")[2]
        writer.close()
        listener.stop()
        return [answer.get("code", answer["pvname"]) for answer in json.loads(body)]

    assert asyncio.run(ask()) == ["A", "A", "B", "rate_limited"]


def site_of(source: Source) -> Site:
    """All that handlers need, on the running loop."""
    settings, clock, figures = Settings(), LoopClock(), Figures()
    limits = settings.limits
    pool = ChannelPool(source, clock, figures, limits.search_seconds, limits.linger_seconds)
    hub, policy = Hub(limits, clock, figures), Policy([], [])
    services = Services(pool, clock, figures, limits, AccessControl(Rules()), AuditTrail("", figures))
    identities = Identities(settings.auth, [], clock)
    return Site(services, limits, policy, identities, hub, NativeDialect(), [], version="", started=0.0)


def test_answers_are_json(server: Server, types: CIOC) -> None:
    body = fetch(server, path_of(f"{types.prefix}latin1_units")).body
    assert json.loads(body.decode())["units"] == "°C"
