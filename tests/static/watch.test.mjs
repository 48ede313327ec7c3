import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { elapse, FakeSocket, openClient, setUp, settle } from "./fakes.mjs";

let ca, socket;

beforeEach(async () => {
  setUp();
  ({ ca, socket } = await openClient());
});

const event = (id) => ({ id, time: id, pvname: "A", kind: "alarm", severity: "MINOR", status: "HIGH", value: 5 });
const events = (ids, more) => ({ msg_type: "events", events: ids.map(event), ...more });
const asked = () => FakeSocket.last.requests("events").map(({ id, ...request }) => request);

/** Answer the newest request. */
async function answer(ids, more) {
  FakeSocket.last.say({ ...events(ids, more), id: FakeSocket.last.requests("events").at(-1).id });
  await settle();
}

function watch(options) {
  const told = [];
  const watcher = ca.watchEvents((news) => told.push(...news.events.map(({ id }) => id)), options);
  return { told, watcher };
}

test("what was asked for comes first, then what happens", async () => {
  const { told } = watch({ limit: 2 });
  assert.deepEqual(asked(), [{ action: "events", subscribe: true, limit: 2 }]);
  await answer([1, 2]);
  socket.say(events([3]));
  assert.deepEqual(told, [1, 2, 3]);
});

test("it goes on after a new connection where it was", async () => {
  const { told } = watch({ limit: 2 });
  await answer([1, 2]);
  socket.end();
  mock.timers.tick(1000);
  await FakeSocket.last.open();
  assert.deepEqual(asked(), [{ action: "events", subscribe: true, since: 2 }]);
  await answer([3], { missed: 4 });
  FakeSocket.last.say(events([4]));
  assert.deepEqual(told, [1, 2, 3, 4]);
});

test("nothing is told twice, whatever comes before the answer", async () => {
  const first = watch({ limit: 1 });
  await answer([1]);
  const second = watch({ since: 0 });
  socket.say(events([2]));
  await answer([1, 2]);
  socket.say(events([3]));
  assert.deepEqual([first.told, second.told], [[1, 2, 3], [1, 2, 3]]);
});

test("who watches before there is a session asks once", async () => {
  socket.end();
  const { told, watcher } = watch({ limit: 1 });
  watch().watcher.close();
  ca.open();
  watch({ limit: 0 });
  await FakeSocket.last.open();
  assert.deepEqual(asked().map(({ limit }) => limit), [1, 0]);
  FakeSocket.last.say({ ...events([1]), id: FakeSocket.last.requests("events")[0].id });
  await settle();
  assert.deepEqual(told, [1]);
  watcher.close();
});

test("what was missed is told even where nothing is left", async () => {
  const told = [];
  ca.watchEvents((news) => told.push(news));
  await answer([], { missed: 7 });
  assert.deepEqual(told, [{ events: [], missed: 7 }]);
});

test("the last to close ends it, and is told nothing more", async () => {
  const all = [watch({ limit: 0 }), watch({ limit: 0 })];
  await answer([]);
  all[0].watcher.close();
  all[0].watcher.close();
  assert.equal(asked().length, 2);
  all[1].watcher.close();
  assert.deepEqual(asked().at(-1), { action: "events", subscribe: false, limit: 0 });
  await answer([]);
  socket.say(events([3]));
  assert.deepEqual([all[0].told, all[1].told], [[], []]);
});

test("they are events of the client too", async () => {
  const seen = [];
  ca.addEventListener("events", ({ detail }) => seen.push(detail));
  ca.watchEvents();
  await answer([1]);
  socket.say(events([2]));
  const { pvname, ...said } = event(2);
  assert.deepEqual(seen, [{ events: [{ pv: pvname, ...said }], missed: 0 }]);
});

test("a refusal is an error, and a new identity another attempt", async () => {
  const errors = [];
  ca.addEventListener("error", ({ detail }) => errors.push(detail.code));
  const { told } = watch();
  const [{ id }] = socket.requests("events");
  socket.say({ msg_type: "error", code: "unauthenticated", message: "who?", action: "events", id });
  await settle();
  assert.deepEqual(errors, ["unauthenticated"]);
  const login = ca.authenticate("secret");
  await settle();
  socket.say({ msg_type: "authenticate", ok: true, user: "anna", id: socket.requests("authenticate")[0].id });
  await login;
  await answer([1]);
  assert.deepEqual(told, [1]);
});

/** Time goes by while the server gives signs of life. */
async function later(seconds) {
  for (let left = seconds; left > 0; left -= 1) {
    elapse(1_000);
    FakeSocket.last.say({ msg_type: "pong" });
    await settle();
  }
}

test("an answer that comes too late is asked for again, until it is there", async () => {
  const { told } = watch({ limit: 2 });
  await later(10);
  await answer([1, 2]);
  socket.say(events([3]));
  assert.deepEqual(told, []);
  await later(4);
  assert.equal(asked().length, 1);
  await later(1);
  assert.deepEqual(asked(), [1, 2].map(() => ({ action: "events", subscribe: true, limit: 2 })));
  await later(15);
  await answer([2, 3]);
  socket.say(events([4]));
  await later(30);
  assert.deepEqual([told, asked().length], [[2, 3, 4], 3]);
});

test("who has no room for a request asks later, and who is gone does not", async () => {
  const errors = [];
  ca.addEventListener("error", ({ detail }) => errors.push(detail.code));
  socket.bufferedAmount = 2 ** 25;
  const { told } = watch({ limit: 1 });
  const gone = watch({ limit: 7 });
  await settle();
  socket.bufferedAmount = 0;
  gone.watcher.close();
  await later(5);
  assert.deepEqual(asked(), [{ action: "events", subscribe: true, limit: 1 }]);
  await answer([1]);
  assert.deepEqual([told, errors], [[1], []]);
});

test("a new session does not ask twice for what the old one was late with", async () => {
  watch({ limit: 1 });
  await later(10);
  socket.end();
  mock.timers.tick(1000);
  await FakeSocket.last.open();
  await later(6);
  assert.equal(asked().length, 1);
});

test("past events are asked for once", async () => {
  const past = ca.events({ limit: 5 });
  assert.deepEqual(asked(), [{ action: "events", limit: 5 }]);
  await answer([1], { missed: 2 });
  const { events: [first], missed } = await past;
  assert.deepEqual([first.pv, missed], ["A", 2]);
});
