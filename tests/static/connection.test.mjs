import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { PVClient } from "../../static/pycaserver.js";
import { connection, elapse, FakeSocket, openClient, setUp, settle, URL_OF_SERVER, value } from "./fakes.mjs";

beforeEach(setUp);

/** What the client tells of its connection from now on. */
function statesOf(ca) {
  const states = [];
  ca.addEventListener("state", ({ detail }) => states.push(detail));
  return states;
}

function errorsOf(ca) {
  const errors = [];
  ca.addEventListener("error", ({ detail }) => errors.push(detail));
  return errors;
}

test("a session begins with how it wants its messages", async () => {
  const ca = new PVClient(URL_OF_SERVER, { WebSocket: FakeSocket });
  assert.deepEqual(ca.state, { name: "connecting" });
  const states = statesOf(ca);
  await FakeSocket.last.open();
  assert.deepEqual(states, [{ name: "open" }]);
  assert.equal(FakeSocket.last.binaryType, "arraybuffer");
  assert.deepEqual(FakeSocket.last.sent, [{ action: "options", batch: true, encoding: "binary", metadata: true }]);
});

test("it comes back, more slowly each time, and with some chance in it", async (context) => {
  context.mock.method(Math, "random", () => 0.5);
  const { ca, socket } = await openClient();
  const states = statesOf(ca);
  socket.end();
  const delays = [];
  for (let attempt = 0; attempt < 7; attempt += 1) {
    delays.push(ca.state.retryAt - Date.now());
    elapse(ca.state.retryAt - Date.now());
    assert.equal(ca.state.name, "connecting");
    FakeSocket.last.end();
  }
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 15000, 15000]);
  assert.deepEqual(states.slice(0, 2).map(({ name, why }) => [name, why]), [
    ["waiting", "The connection to the server is lost"],
    ["connecting", "The connection to the server is lost"],
  ]);
  elapse(20_000);
  await FakeSocket.last.open();
  FakeSocket.last.say({ msg_type: "options" });
  FakeSocket.last.end();
  assert.equal(ca.state.retryAt - Date.now(), 500);
});

for (const [code, name] of [[1001, "waiting"], [1002, "closed"], [1006, "waiting"], [1007, "closed"], [1009, "waiting"],
  [1013, "waiting"], [4001, "waiting"], [4002, "closed"], [4003, "closed"], [4004, "waiting"]]) {
  test(`after ${code} it is ${name}`, async () => {
    const { ca, socket } = await openClient();
    socket.end(code);
    assert.deepEqual([ca.state.name, ca.state.code], [name, code]);
    assert.ok(ca.state.why);
    elapse(1_000);
    assert.equal(FakeSocket.made.length, name === "closed" ? 1 : 2);
    ca.open();
    assert.equal(FakeSocket.made.length, 2);
  });
}

test("a quiet connection is asked for a sign of life, and given up without one", async () => {
  const { ca, socket } = await openClient();
  elapse(15_000);
  assert.equal(socket.requests("ping").length, 0);
  elapse(5_000);
  assert.equal(socket.requests("ping").length, 1);
  socket.say({ msg_type: "pong" });
  elapse(29_000);
  assert.deepEqual([socket.requests("ping").length, ca.state.name], [2, "open"]);
  elapse(1_000);
  assert.deepEqual([socket.requests("ping").length, ca.state.name], [2, "waiting"]);
  assert.equal(socket.readyState, 3);
});

test("a busy connection is not asked", async () => {
  const { ca, socket } = await openClient();
  for (let i = 0; i < 20; i += 1) {
    elapse(5_000);
    socket.say(value("A", i));
  }
  assert.deepEqual([socket.requests("ping").length, ca.state.name], [0, "open"]);
});

test("who has slept asks again before it gives up", async () => {
  const { ca, socket } = await openClient();
  elapse(20_000);
  mock.timers.tick(3_600_000);
  assert.equal(ca.state.name, "open");
  assert.equal(socket.requests("ping").length, 2);
  elapse(10_000);
  assert.equal(ca.state.name, "waiting");
});

test("a connection that is never made is tried anew", () => {
  const ca = new PVClient(URL_OF_SERVER, { WebSocket: FakeSocket });
  elapse(10_000);
  assert.equal(ca.state.name, "waiting");
  FakeSocket.made[0].open();
  assert.equal(ca.state.name, "waiting");
});

test("close stays closed, until open", async () => {
  const { ca, socket } = await openClient();
  const subscription = ca.monitor("A");
  ca.close();
  assert.deepEqual([ca.state.name, ca.state.code, socket.readyState], ["closed", undefined, 3]);
  assert.equal(subscription.update.condition, "stale");
  elapse(60_000);
  assert.equal(FakeSocket.made.length, 1);
  ca.open();
  await FakeSocket.last.open();
  assert.deepEqual(FakeSocket.last.requests("connect").map(({ pv }) => pv), [["A"]]);
});

test("close while it waits ends the waiting", async () => {
  const { ca, socket } = await openClient();
  socket.end();
  ca.close();
  elapse(60_000);
  assert.deepEqual([ca.state.name, FakeSocket.made.length], ["closed", 1]);
});

test("open connects now, whatever the back-off says", async () => {
  const { ca, socket } = await openClient();
  socket.end();
  ca.open();
  ca.open();
  elapse(20);
  assert.equal(FakeSocket.made.length, 2);
});

test("frames that make no sense are told, and harm nobody", async () => {
  const { ca, socket } = await openClient();
  const errors = errorsOf(ca);
  const subscription = ca.monitor("A");
  await settle();
  const frames = ["{", "[", new ArrayBuffer(3), new Uint8Array(64).fill(200).buffer, "null", "[7, null]"];
  for (const frame of frames) socket.frame(frame);
  socket.say(
    connection("A"),
    { msg_type: "history", pvname: "A" },
    { msg_type: "events" },
    { msg_type: "metadata", pvname: "A" },
    value("A", 5),
  );
  assert.equal(subscription.update.value, 5);
  assert.equal(ca.state.name, "open");
  assert.deepEqual([...new Set(errors.map(({ code }) => code))], ["bad_frame"]);
  assert.ok(errors.length >= 7);
});

test("an error about nothing of ours is an event", async () => {
  const { ca, socket } = await openClient();
  const errors = errorsOf(ca);
  socket.say({ msg_type: "error", code: "internal", message: "oh" });
  const [{ name, code, message, pv }] = errors;
  assert.deepEqual([name, code, message, pv], ["PVError", "internal", "oh", null]);
});

for (const [given, url] of [
  ["http://a.example:8888/", "ws://a.example:8888/monitor"],
  ["https://a.example/lab/?x#y", "wss://a.example/lab/monitor"],
  ["https://a.example/lab", "wss://a.example/lab/monitor"],
  [new URL("ws://a.example/lab/monitor"), "ws://a.example/lab/monitor"],
]) {
  test(`the server at ${given} is at ${url}`, () => {
    assert.equal(new PVClient(given, { WebSocket: FakeSocket }).url, url);
    assert.equal(FakeSocket.last.url, url);
  });
}

test("what cannot be a server is refused at once", () => {
  assert.throws(() => new PVClient("ftp://a.example/", { WebSocket: FakeSocket }), TypeError);
  assert.throws(() => new PVClient("", { WebSocket: FakeSocket }), TypeError);
});

test("a WebSocket that cannot be made is told", () => {
  class Refused {
    constructor() {
      throw new Error("mixed content");
    }
  }
  const ca = new PVClient(URL_OF_SERVER, { WebSocket: Refused });
  assert.equal(ca.state.name, "closed");
  assert.match(ca.state.why, /mixed content/);
});
