import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { PVClient } from "../../static/pycaserver.js";
import { connection, FakeSocket, openClient, setUp, settle, URL_OF_SERVER } from "./fakes.mjs";

beforeEach(setUp);

/** A client with a token whose socket is open, and that waits for the answer. */
async function greeting(token) {
  const ca = new PVClient(URL_OF_SERVER, { WebSocket: FakeSocket, token });
  ca.errors = [];
  ca.addEventListener("error", ({ detail }) => ca.errors.push(detail.code));
  await FakeSocket.last.open();
  return ca;
}

async function answer(message) {
  const { id } = FakeSocket.last.requests("authenticate").at(-1);
  FakeSocket.last.say({ msg_type: "authenticate", ok: true, user: "anna", id, ...message });
  await settle();
}

const actions = () => FakeSocket.last.sent.map(({ action }) => action);
const tokens = () => FakeSocket.last.requests("authenticate").map(({ token }) => token);

test("the token is shown before all else, at each connection", async () => {
  const ca = await greeting("secret");
  ca.monitor("A");
  await settle();
  assert.deepEqual([actions(), tokens(), ca.state.name], [["authenticate"], ["secret"], "connecting"]);
  await answer();
  assert.deepEqual([actions(), ca.state.name], [["authenticate", "options", "connect"], "open"]);
  FakeSocket.last.end();
  mock.timers.tick(1000);
  await FakeSocket.last.open();
  assert.deepEqual(actions(), ["authenticate"]);
});

test("a token that is refused is an error, and the session goes on without", async () => {
  const ca = await greeting("wrong");
  await answer({ msg_type: "error", code: "unauthenticated", message: "no" });
  assert.deepEqual([ca.errors, ca.state.name], [["unauthenticated"], "open"]);
});

test("a connection lost meanwhile is no error of its own", async () => {
  const ca = await greeting("secret");
  FakeSocket.last.end();
  await settle();
  assert.deepEqual([ca.errors, ca.state.name], [[], "waiting"]);
});

test("a source of tokens is asked each time, before they expire, and after the log-in has ended", async () => {
  let count = 0;
  const ca = await greeting(async () => `token ${++count}`);
  await answer({ expires: Date.now() / 1000 + 100 });
  mock.timers.tick(79_000);
  await settle();
  assert.deepEqual(tokens(), ["token 1"]);
  mock.timers.tick(1_000);
  await settle();
  assert.deepEqual(tokens(), ["token 1", "token 2"]);
  FakeSocket.last.end(4003);
  assert.equal(ca.state.name, "waiting");
  mock.timers.tick(1_000);
  await FakeSocket.last.open();
  assert.deepEqual(tokens(), ["token 3"]);
});

test("a source of tokens that fails is an error", async () => {
  const ca = await greeting(() => Promise.reject(new Error("no server of tokens")));
  assert.equal(ca.errors.length, 1);
  assert.equal(ca.state.name, "open");
});

/** A source of tokens that fails at first. */
function failing(times) {
  let left = times;
  const token = () => (left-- > 0 ? Promise.reject(new Error("no server of tokens")) : Promise.resolve("late"));
  return Object.assign(token, { calls: () => times - left });
}

/** Time goes by while the server gives signs of life. */
async function later(seconds) {
  for (let left = seconds; left > 0; left -= 1) {
    mock.timers.tick(1_000);
    FakeSocket.last.say({ msg_type: "pong" });
    await settle();
  }
}

test("a source of tokens that fails is tried again, and then what was refused is asked for again", async () => {
  const ca = await greeting(failing(2));
  ca.monitor("A");
  ca.watchEvents(() => {}, { limit: 1 });
  await settle();
  const refused = { msg_type: "error", code: "unauthenticated", message: "who?" };
  FakeSocket.last.say({ ...refused, action: "connect", id: FakeSocket.last.requests("connect")[0].id });
  FakeSocket.last.say({ ...refused, action: "events", id: FakeSocket.last.requests("events")[0].id });
  await later(59);
  assert.deepEqual([tokens(), ca.errors.length], [[], 3]);
  await later(1);
  assert.deepEqual(tokens(), ["late"]);
  await answer();
  assert.deepEqual(FakeSocket.last.requests("connect").map(({ pv }) => pv), [["A"], ["A"]]);
  assert.equal(FakeSocket.last.requests("events").length, 2);
  await later(120);
  assert.deepEqual(tokens(), ["late"]);
});

test("a source of tokens is not tried again for one that the server refuses, nor after the session", async () => {
  await greeting(() => "wrong");
  await answer({ msg_type: "error", code: "unauthenticated", message: "no" });
  await later(60);
  assert.deepEqual(tokens(), ["wrong"]);
  const token = failing(9);
  const ca = await greeting(token);
  ca.close();
  mock.timers.tick(60_000);
  assert.equal(token.calls(), 1);
});

test("a new identity is kept, and what was refused is asked for again", async () => {
  const { ca, socket } = await openClient();
  for (const pv of ["A", "B", "C"]) ca.monitor(pv);
  await settle();
  socket.say({ msg_type: "error", action: "connect", code: "read_denied", message: "no", pvname: "A" });
  socket.say(connection("B"), connection("C", { conn: false, reason: "read_denied" }));
  const login = ca.authenticate("secret");
  await settle();
  await answer({ expires: 5 });
  assert.deepEqual(await login, { user: "anna", expires: 5 });
  await settle();
  assert.deepEqual(socket.requests("connect").map(({ pv }) => pv), [["A", "B", "C"], ["A", "C"]]);
  socket.end();
  mock.timers.tick(1000);
  await FakeSocket.last.open();
  assert.deepEqual(tokens(), ["secret"]);
});

test("a token that is refused is not kept", async () => {
  const { ca, socket } = await openClient();
  const refused = assert.rejects(ca.authenticate("wrong"), { code: "unauthenticated" });
  await settle();
  await answer({ msg_type: "error", code: "unauthenticated", message: "no" });
  await refused;
  socket.end();
  mock.timers.tick(1000);
  await FakeSocket.last.open();
  assert.deepEqual(tokens(), []);
});

test("the token is shown over HTTP too", async (context) => {
  const fetched = context.mock.method(globalThis, "fetch", async () => Response.json({ names: [] }));
  const { ca } = await openClient({ token: "secret" });
  await ca.names();
  assert.deepEqual(fetched.mock.calls[0].arguments[1].headers, { Authorization: "Bearer secret" });
});
