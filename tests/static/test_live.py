"""The JavaScript client in Node against a real server with a real IOC behind it."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.iocs import CIOC, types_ioc
from tests.npm import node_modules
from tests.servers import WRITABLE, Server
from tests.static.node_client import NodeClient, Rejected
from tests.tokens import token_section


@pytest.fixture(scope="module")
def ioc() -> Iterator[CIOC]:
    with types_ioc() as ioc:
        yield ioc


@pytest.fixture(scope="module")
def server(ioc: CIOC) -> Iterator[Server]:
    settings = {**WRITABLE, "limits-search-seconds": 1, "pvs-names": f"{ioc.prefix}ai"}
    with Server(ioc.env(), settings) as server:
        yield server


@pytest.fixture
def node(server: Server, ioc: CIOC) -> Iterator[NodeClient]:
    with NodeClient(server.url, ioc.prefix) as node:
        yield node


def test_an_update_says_all_about_a_pv(node: NodeClient) -> None:
    program = """watch("mbbi"); watch("ai"); await until(() => last("mbbi")?.value === 2 && last("ai")?.value);
        const { value, text, severity, metadata, access, connected, condition } = last("mbbi");
        const { units, metadata: { precision, alarm } } = last("ai");
        return [value, text, severity, metadata.enumStrings, access, connected, condition, units, precision, alarm]"""
    assert node.run(program) == [
        2, "Fault", "MAJOR", ["Idle", "Busy", "Fault"], {"read": True, "write": True}, True, "live",
        "mm", 3, {"low": -90, "high": 90},
    ]  # fmt: skip


def test_special_values(node: NodeClient) -> None:
    names = ("nan", "inf", "minus_inf", "minus_zero", "wf_one_empty", "undefined", "utf8", "latin1_units")
    program = f"""const all = {list(names)}; all.forEach((name) => watch(name));
        await until(() => all.every((name) => last(name)?.condition === "live"));
        const got = await ca.get(all.map((name) => P + name));
        const text = (value) => Object.is(value, -0) ? "-0" : String(value);
        const shown = ({{ value, units }}) => [typeof value, text(value), units];
        return [all.map((name) => shown(last(name))), got.map(shown)]"""
    told, got = node.run(program)
    expected = [
        ["number", "NaN", ""], ["number", "Infinity", ""], ["number", "-Infinity", ""], ["number", "-0", ""],
        ["object", "null", ""], ["number", "0", ""], ["string", "Grüße", ""], ["number", "20", "°C"],
    ]  # fmt: skip
    assert told == expected
    assert got == expected


@pytest.mark.parametrize(
    ("name", "kind", "elements"),
    [
        ("wf_uchar", "Uint8Array", "0,1,128,255"),
        ("wf_short", "Int16Array", "-32768,-1,0,32767"),
        ("wf_enum", "Uint16Array", "0,1,65535"),
        ("wf_long", "Int32Array", "-2147483648,-1,0,2147483647"),
        ("wf_float", "Float32Array", "-1.5,0,0.10000000149011612,3.3999999521443642e+38"),
        ("wf_double", "Float64Array", "-1.5,0,0.1,1e+300"),
        ("wf_empty", "Float64Array", ""),
        ("wf_string", "Array", "one,,three"),
    ],
)
def test_arrays(node: NodeClient, name: str, kind: str, elements: str) -> None:
    program = f"""watch("{name}"); await until(() => last("{name}")?.condition === "live");
        const {{ value }} = last("{name}"); const {{ value: got }} = await ca.get(P + "{name}");
        return [value, got].map((array) => [array.constructor.name, String(array)])"""
    assert node.run(program) == [[kind, elements]] * 2


def test_a_typed_array_is_a_view_of_its_frame(node: NodeClient) -> None:
    program = """watch("large"); await until(() => last("large")?.condition === "live");
        const { value } = last("large"); return [value.length, value.buffer.byteLength, value.byteOffset]"""
    length, size, offset = node.run(program)
    assert length == 100_000
    assert offset > 0
    assert offset % 8 == 0
    assert size == offset + 8 * length


def test_windows_and_envelopes(node: NodeClient) -> None:
    program = """const shape = () => { const { value, count, first, reduced } = last("large");
            return [value.length, count, first, reduced]; };
        const settle = async (...shapes) => { await until(() => String(shape()) === String(shapes)); return shape(); };
        updates.large = [{ value: [], count: 0 }];
        const envelope = watch("large", { reduce: 50 });
        const told = [await settle(100, 100000, 0, 50)];
        const window = watch("large", { first: 500, maxCount: 10 });
        told.push(await settle(100000, 100000, 0, 0));
        envelope.close();
        told.push(await settle(10, 10, 500, 0));
        return told"""
    assert node.run(program) == [[100, 100_000, 0, 50], [100_000, 100_000, 0, 0], [10, 10, 500, 0]]


def test_a_put_is_done_when_it_is_answered(node: NodeClient) -> None:
    program = """const { ok, sent } = await ca.put(P + "ao", 2.5); const { value } = await ca.get(P + "ao");
        const quick = await ca.put(P + "ao", 1.25, { wait: false }); return [ok, sent, value, quick.sent]"""
    assert node.run(program) == [True, False, 2.5, True]


def test_arrays_are_written(node: NodeClient) -> None:
    program = """await ca.put(P + "wf_partial", Float32Array.of(0.5, Infinity));
        const typed = String((await ca.get(P + "wf_partial")).value);
        await ca.put(P + "wf_partial", [1, NaN, 3n]);
        const plain = String((await ca.get(P + "wf_partial")).value);
        await ca.put(P + "wf_text", "Grüße");
        return [typed, plain, (await ca.get(P + "wf_text")).text]"""
    assert node.run(program) == ["0.5,Infinity", "1,NaN,3", "Grüße"]


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("ca.put(P + 'ao', 'many')", "bad_value"),
        ("ca.put(P + 'readonly', 1)", "no_write_access"),
        ("ca.put('ü', 1)", "invalid_pv_name"),
        ("ca.put(P + 'nowhere', 1)", "not_found"),
        ("ca.get(P + 'nowhere', { timeout: 0.2 })", "not_found"),
        ("ca.get(P + 'ai', { timeout: -1 })", "bad_request"),
        ("ca.info(P + 'nowhere')", "not_found"),
        ("ca.history(P + 'ai', { seconds: 'many' })", "bad_request"),
        ("ca.authenticate('no token')", "unauthenticated"),
    ],
)
def test_refusals_have_the_servers_code(node: NodeClient, program: str, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        node.run(f"return {program}")
    assert refused.value.code == code


def test_one_name_that_is_refused_does_not_spoil_the_others(node: NodeClient) -> None:
    program = """watch("ü"); watch("nowhere"); watch("ai");
        await until(() => last("ai")?.condition === "live" && last("nowhere")?.reason && last("ü")?.error);
        const [bad, good] = await ca.get([P + "ü", P + "ai"]);
        const { condition, reason } = last("nowhere");
        return [last("ü").error.code, condition, reason, bad.error.code, good.value]"""
    assert node.run(program) == ["invalid_pv_name", "disconnected", "not_found", "invalid_pv_name", 21.5]


def test_subscribers_share_one_subscription(node: NodeClient) -> None:
    program = """const all = [watch("fast", { maxRate: 2 }), watch("fast"), watch("fast", { maxRate: 5 })];
        await until(() => updates.fast.length > 10);
        const { subscribers } = await ca.info(P + "fast"); const during = (await ca.list()).length;
        all.forEach((subscription) => subscription.close()); await ca.list();
        return [subscribers, during, (await ca.list()).length]"""
    assert node.run(program) == [1, 1, 0]


def test_history_and_names(node: NodeClient, ioc: CIOC) -> None:
    program = """watch("fast"); await until(() => updates.fast.length > 8);
        const { time, value, severity } = await ca.history(P + "fast", { seconds: 60 });
        const later = []; ca.monitor(P + "fast", { history: 60 }, (update) => later.push(update));
        await until(() => later.length > 1);
        const { kind, history } = later[0];
        return [time.length === value.length, time.length > 3, severity[0], kind, history.time.length >= time.length,
            await ca.names()]"""
    assert node.run(program) == [True, True, "NO_ALARM", "history", True, [f"{ioc.prefix}ai"]]


def test_a_pause_holds_values_back(node: NodeClient, ioc: CIOC) -> None:
    node.run("""watch("longout"); await until(() => last("longout")?.value === 42); ca.pause(); await ca.list()""")
    node.run("""await ca.put(P + "longout", 1); await ca.put(P + "longout", 2)""")
    assert node.run("return last('longout').value") == 42
    assert node.run("ca.resume(); await until(() => last('longout').value !== 42); return last('longout').value") == 2
    ioc.shell(f"dbpf {ioc.prefix}longout 42")


def test_a_server_that_restarts(server: Server, ioc: CIOC, node: NodeClient) -> None:
    node.run("""globalThis.events = []; ca.watchEvents((told) => events.push(...told.events), { limit: 0 });
        watch("fast"); watch("fast", { maxRate: 1 }); watch("slow"); watch("alarming");
        await until(() => last("fast")?.condition === "live" && last("slow")?.condition === "live" && events.length)""")
    server.stop()
    node.run("await until(() => last('fast').condition === 'stale' && last('slow').condition === 'stale')")
    with pytest.raises(Rejected) as refused:
        node.run("return ca.put(P + 'ao', 1)")
    assert refused.value.code == "disconnected"
    node.run("globalThis.known = events.length; updates.slow = []; updates.alarming = []")
    server.start()
    node.run("""await until(() => last("slow")?.condition === "live" && updates.alarming.length > 10)""")
    assert node.run("return (await ca.list()).length") == 3
    assert node.run("return ca.info(P + 'fast').then(({ subscribers }) => subscribers)") == 1
    program = """const values = updates.alarming.filter(({ kind }) => kind === "value");
        const stamps = values.map(({ timestamp }) => timestamp);
        await until(() => events.length > known + 3);
        const ids = events.map(({ id }) => id);
        return [new Set(stamps).size === stamps.length, ids.every((id, at) => at === 0 || id > ids[at - 1]), errors]"""
    assert node.run(program) == [True, True, []]
    assert node.run("return states.at(-1)") == "open"


def test_a_server_that_does_not_answer(ioc: CIOC) -> None:
    """Its clocks are moved by hand: half a minute of silence is a matter of milliseconds."""
    with Server(ioc.env()) as own, NodeClient(own.url, ioc.prefix) as node:
        node.run("""mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
            globalThis.elapse = async (seconds) => {
                for (let i = 0; i < seconds; i += 1) { mock.timers.tick(1000); await ca.list().catch(() => {}); }
            };
            globalThis.wait = (seconds) => { for (let i = 0; i < seconds; i += 1) mock.timers.tick(1000); };
            ca.close(); ca.open(); watch("ai"); await until(() => last("ai")?.condition === "live")""")
        assert node.run("await elapse(60); return ca.state.name") == "open"
        own.process.send_signal(signal.SIGSTOP)
        try:
            assert node.run("wait(14); return ca.state.name") == "open"
            assert node.run("wait(16); return ca.state.name !== 'open' && last('ai').condition") == "stale"
        finally:
            own.process.send_signal(signal.SIGCONT)
        node.run("ca.open(); await until(() => last('ai').condition === 'live')")


def test_a_server_that_wants_to_know_who_it_is(ioc: CIOC, tmp_path: Path) -> None:
    """It is told at each connection; who says nothing is sent away for good."""
    file = tmp_path / "settings.toml"
    file.write_text("[auth]\nrequired = true\nlogin_timeout = 1\n" + token_section("anna", "secret"))
    with Server(ioc.env(), {"config": file}) as own, NodeClient(own.url, ioc.prefix) as node:
        assert node.run("await until(() => ca.state.name === 'closed'); return ca.state.code") == 4003
        node.run("""globalThis.anna = new PVClient(ca.url, { token: () => "secret" });
            anna.monitor(P + "ai", (update) => (updates.ai ??= []).push(update));
            await until(() => last("ai")?.condition === "live")""")
        assert node.run("return (await anna.names()).length") == 0
        own.stop()
        own.start()
        node.run("""updates.ai = [{}]; await until(() => last("ai").condition === "live")""")
        assert node.run("return anna.put(P + 'ao', 1).catch(({ code }) => code)") == "write_disabled"


def test_the_class_of_the_package_ws_will_do(node: NodeClient) -> None:
    ws = node_modules("ws@8") / "ws" / "wrapper.mjs"
    program = f"""const {{ WebSocket }} = await import({str(ws)!r});
        const other = new PVClient(ca.url, {{ WebSocket }});
        const {{ value }} = await other.get(P + "wf_double"); other.close();
        return [value.constructor.name, value[2]]"""
    assert node.run(program) == ["Float64Array", 0.1]
