import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { PVClient, PVError } from "../../static/pycaserver.js";
import { FakeSocket, openClient, setUp, settle, URL_OF_SERVER, value } from "./fakes.mjs";

let ca, socket;

beforeEach(async () => {
  setUp();
  ({ ca, socket } = await openClient());
});

/** The newest request of that action, without its id, and a way to answer it. */
function asked(action) {
  const { id, ...request } = FakeSocket.last.requests(action).at(-1);
  const answer = (...messages) => FakeSocket.last.say(...messages.map((message) => ({ ...message, id })));
  return { request, answer, id };
}

const error = (code, pvname, message = "no") => ({ msg_type: "error", code, message, pvname });

test("a put is answered", async () => {
  const put = ca.put("A", 5);
  const { request, answer } = asked("put");
  assert.deepEqual(request, { action: "put", pv: "A", value: 5, wait: true, timeout: 5 });
  answer({ msg_type: "put", pvname: "A", ok: true, elapsed: 1.5 });
  assert.deepEqual(await put, { ok: true, sent: false, elapsed: 1.5 });
});

test("a put that is refused has the server's words", async () => {
  const put = ca.put("A", 5, { wait: false, timeout: 60 });
  const { request, answer } = asked("put");
  assert.deepEqual([request.wait, request.timeout], [false, 60]);
  answer(error("write_denied", "A", "rule 2 forbids it"));
  await assert.rejects(put, { name: "PVError", code: "write_denied", message: "rule 2 forbids it", pv: "A" });
});

test("a put of what cannot be sent is refused here", async () => {
  await assert.rejects(ca.put("A", 2n ** 60n), RangeError);
  await assert.rejects(ca.put("A", new DataView(new ArrayBuffer(1))), TypeError);
  assert.equal(socket.requests("put").length, 0);
});

test("nor does it stand in the way of what waits for a connection", async () => {
  const early = new PVClient(URL_OF_SERVER, { WebSocket: FakeSocket });
  await assert.rejects(early.put("A", 2n ** 60n), RangeError);
  early.get("A").catch(() => {});
  await FakeSocket.last.open();
  assert.deepEqual(FakeSocket.last.sent.map(({ action }) => action), ["options", "get"]);
});

test("a typed array goes as a binary frame", () => {
  ca.put("A", Int16Array.of(1, 2)).catch(() => {});
  assert.ok(socket.sent.at(-1) instanceof Uint8Array);
});

test("answers find their requests, in whatever order they come", async () => {
  const first = ca.get("A");
  const a = asked("get");
  const second = ca.get("A");
  const b = asked("get");
  b.answer({ ...value("A", 2), msg_type: "get" });
  a.answer({ ...value("A", 1), msg_type: "get" });
  assert.deepEqual([(await first).value, (await second).value], [1, 2]);
});

test("a read of several is one request, and each succeeds or fails by itself", async () => {
  const get = ca.get(["A", "B", "A"], { timeout: 2 });
  const { request, answer } = asked("get");
  assert.deepEqual(request, { action: "get", pv: ["A", "B", "A"], timeout: 2 });
  answer(error("not_found", "B"), { ...value("A", 1), msg_type: "get" });
  const told = (await get).map((update) => [update.pv, update.condition, update.value, update.error?.code]);
  const a = ["A", "live", 1, undefined];
  assert.deepEqual(told, [a, ["B", "error", undefined, "not_found"], a]);
  assert.deepEqual(await ca.get([]), []);
});

test("an error about the whole read is one of each that has no answer", async () => {
  const get = ca.get(["A", "B", "C"]);
  asked("get").answer({ ...value("A", 1), msg_type: "get" }, error("rate_limited"));
  assert.deepEqual((await get).map(({ error: refusal }) => refusal?.code), [undefined, "rate_limited", "rate_limited"]);
});

test("only of a PV whose type is unknown is it asked what NaN means", async () => {
  const get = ca.get("A");
  asked("get").answer({ ...value("A", "NaN"), msg_type: "get" });
  await settle();
  asked("info").answer({ msg_type: "info", pvname: "A", type: "string", count: 1 });
  assert.equal((await get).value, "NaN");
  ca.monitor("B");
  await settle();
  socket.say({ msg_type: "metadata", pvname: "B", type: "double", count: 1 });
  const known = ca.get("B");
  asked("get").answer({ ...value("B", "NaN"), msg_type: "get" });
  assert.ok(Number.isNaN((await known).value));
  assert.equal(socket.requests("info").length, 1);
});

test("an answer that does not come is given up, and ignored when it comes at last", async () => {
  const subscription = ca.monitor("A");
  await settle();
  const put = ca.put("A", 5, { timeout: 3 });
  mock.timers.tick(12_999);
  const { answer } = asked("put");
  mock.timers.tick(1);
  await assert.rejects(put, { code: "timeout", pv: "A", message: /late; whether the value was written is not known/ });
  answer(error("put_timeout", "A"));
  assert.equal(subscription.update.error, null);
});

test("the time to wait beyond the server's is an option", async () => {
  const { ca: impatient } = await openClient({ requestTimeout: 1 });
  const list = impatient.list();
  mock.timers.tick(1000);
  await assert.rejects(list, { code: "timeout" });
});

test("a lost connection ends what is under way", async () => {
  const both = [ca.put("A", 1), ca.get(["B"])];
  socket.end(1001);
  await assert.rejects(both[0], { code: "disconnected", pv: "A", message: /shutting down; whether .* not known$/ });
  const [{ error: { code, message } }] = await both[1];
  assert.deepEqual([code, message], ["disconnected", "The server is shutting down; no answer has come"]);
});

test("without a connection nothing is sent, then or later", async () => {
  socket.end();
  await assert.rejects(ca.put("A", 1), { code: "disconnected", message: /nothing was sent/ });
  mock.timers.tick(1000);
  await FakeSocket.last.open();
  assert.equal(FakeSocket.last.requests("put").length, 0);
});

test("what is asked while the connection is made waits for it", async () => {
  const early = new PVClient(URL_OF_SERVER, { WebSocket: FakeSocket });
  const get = early.get("A");
  const put = early.put("A", 1);
  assert.equal(FakeSocket.last.sent.length, 0);
  await FakeSocket.last.open();
  assert.deepEqual(FakeSocket.last.sent.map(({ action }) => action), ["options", "get", "put"]);
  asked("get").answer({ ...value("A", 3), msg_type: "get" });
  asked("put").answer({ msg_type: "put", ok: true, elapsed: 0 });
  assert.equal((await get).value, 3);
  await put;
});

test("what waits for a connection that fails is refused as not sent", async () => {
  const early = new PVClient(URL_OF_SERVER, { WebSocket: FakeSocket });
  const put = early.put("A", 1);
  FakeSocket.last.end();
  await assert.rejects(put, { code: "disconnected", message: /nothing was sent/ });
});

test("requests without an answer are bounded, by number and by bytes", async () => {
  const refused = { code: "rate_limited" };
  const all = Array.from({ length: 10_000 }, () => ca.list());
  await assert.rejects(ca.list(), refused);
  socket.end();
  const settled = await Promise.allSettled(all);
  assert.ok(settled.every(({ reason }) => reason instanceof PVError));
  const { ca: other, socket: clogged } = await openClient();
  clogged.bufferedAmount = 2 ** 25;
  await assert.rejects(other.put("A", 1), refused);
});

test("each other request has its answer in the words of the client", async () => {
  const info = ca.info("A");
  const facts = { type: "enum", count: 1, enum_strs: ["a"], host: "h:1", rule: "r", subscribers: 2 };
  asked("info").answer({ msg_type: "info", pvname: "A", ...facts, access: { read: true, write: false } });
  const { pv, enumStrings, host, allowed, rule, subscribers } = await info;
  assert.deepEqual([pv, enumStrings, host, allowed, rule, subscribers], ["A", ["a"], "h:1", null, "r", 2]);
  const list = ca.list();
  asked("list").answer({ msg_type: "list", pvs: [{ pvname: "A", conn: false, reason: "lost", since: 5 }] });
  assert.deepEqual(await list, [{ pv: "A", connected: false, reason: "lost", since: 5 }]);
  const history = ca.history("A", { seconds: 60, points: 10 });
  assert.deepEqual(asked("history").request, { action: "history", pv: "A", seconds: 60, points: 10 });
  const samples = { time: [1], value: ["NaN"], severity: ["INVALID"], reduced: 10 };
  asked("history").answer({ msg_type: "history", pvname: "A", ...samples });
  assert.deepEqual([(await history).value, (await history).reduced], [Float64Array.of(NaN), 10]);
});

test("names come over HTTP", async (context) => {
  const fetched = context.mock.method(globalThis, "fetch", async () => Response.json({ names: ["A"] }));
  assert.deepEqual(await ca.names(), ["A"]);
  assert.equal(String(fetched.mock.calls[0].arguments[0]), "http://server.example/api/pv");
  const refusal = { msg_type: "error", code: "unauthenticated", message: "who?" };
  for (const [answer, code] of [
    [async () => Response.json(refusal, { status: 401 }), "unauthenticated"],
    [async () => new Response("a proxy's page", { status: 502 }), "disconnected"],
    [() => Promise.reject(new TypeError("no network")), "disconnected"],
  ]) {
    fetched.mock.mockImplementation(answer);
    await assert.rejects(ca.names(), { name: "PVError", code });
  }
});
