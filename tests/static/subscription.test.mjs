import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { connection, FakeSocket, openClient, setUp, settle, value } from "./fakes.mjs";

let ca, socket;

beforeEach(async () => {
  setUp();
  ({ ca, socket } = await openClient());
});

/** Subscribe, and note what is told: values of PVs, kinds of all else. */
async function watch(options) {
  const told = [];
  const tell = ({ kind, value: number }) => told.push(kind === "value" ? number : kind);
  const subscription = ca.monitor("A", options, tell);
  await settle();
  return { told, subscription };
}

/** Somebody who wants all, so that the server limits nothing. */
function watchAll() {
  return watch({});
}

test("each gets its own rate, the newest value, and the last", async () => {
  const { told: all } = await watchAll();
  const { told } = await watch({ maxRate: 0.5 });
  socket.say(connection("A"), ...[1, 2, 3].map((number) => value("A", number)));
  assert.deepEqual(told, ["connection", 1]);
  mock.timers.tick(999);
  assert.deepEqual(told, ["connection", 1]);
  mock.timers.tick(1);
  assert.deepEqual(told, ["connection", 1, 3]);
  mock.timers.tick(2000);
  socket.say(value("A", 4));
  assert.deepEqual(told, ["connection", 1, 3, 4]);
  assert.deepEqual(all, ["connection", 1, 2, 3, 4]);
});

test("what of the rate was not used may be made up for, one second's worth", async () => {
  await watchAll();
  const { told } = await watch({ maxRate: 4 });
  const say = (...numbers) => socket.say(...numbers.map((number) => value("A", number)));
  socket.say(connection("A"));
  say(0, 1, 2, 3, 4);
  assert.deepEqual(told.splice(0), ["connection", 0, 1, 2, 3, 4]);
  mock.timers.tick(600);
  say(5, 6, 7);
  assert.deepEqual(told, [5, 6]);
  mock.timers.tick(150);
  assert.deepEqual(told.splice(0), [5, 6, 7]);
  mock.timers.tick(60_000);
  say(1, 2, 3, 4, 5, 6, 7);
  assert.deepEqual(told, [1, 2, 3, 4, 5]);
  mock.timers.tick(250);
  assert.deepEqual(told, [1, 2, 3, 4, 5, 7]);
});

test("a clock that is set back makes nobody wait longer", async () => {
  await watchAll();
  const { told } = await watch({ maxRate: 4 });
  socket.say(connection("A"), ...[0, 1, 2, 3, 4].map((number) => value("A", number)));
  mock.timers.setTime(Date.now() - 3_600_000);
  socket.say(value("A", 5));
  assert.deepEqual(told, ["connection", 0, 1, 2, 3, 4]);
  mock.timers.tick(250);
  assert.deepEqual(told, ["connection", 0, 1, 2, 3, 4, 5]);
});

test("where the server keeps to the rate no value waits", async () => {
  const { told } = await watch({ maxRate: 10 });
  socket.say(connection("A"), value("A", 1), value("A", 2));
  assert.deepEqual(told, ["connection", 1, 2]);
});

test("a value that waits is told before what comes after it", async () => {
  await watchAll();
  const { told } = await watch({ maxRate: 0.5 });
  const access = { msg_type: "access", pvname: "A", read: true, write: true };
  socket.say(connection("A"), value("A", 1), value("A", 2), access);
  assert.deepEqual(told, ["connection", 1, 2, "access"]);
  mock.timers.tick(2000);
  assert.deepEqual(told, ["connection", 1, 2, "access"]);
});

test("each has its own deadband; a change of alarm passes, and the first value after a loss", async () => {
  await watchAll();
  const { told } = await watch({ deadband: 1 });
  socket.say(connection("A"), ...[1, 1.5, 2, 2.9].map((number) => value("A", number)));
  socket.say(value("A", 2.95, { severity: "MINOR", status: "HIGH" }));
  socket.say(connection("A", { conn: false, reason: "lost" }), connection("A"), value("A", 2.95));
  assert.deepEqual(told, ["connection", 1, 2, 2.95, "connection", "connection", 2.95]);
});

test("no more is told after close, not even what waits", async () => {
  await watchAll();
  const { told, subscription } = await watch({ maxRate: 0.5 });
  socket.say(connection("A"), value("A", 1), value("A", 2));
  subscription.close();
  subscription.close();
  mock.timers.tick(2000);
  socket.say(value("A", 3));
  assert.deepEqual(told, ["connection", 1]);
});

test("a subscription may close itself, and others, while it is told", async () => {
  const told = [];
  const first = ca.monitor("A", () => {
    first.close();
    second.close();
    told.push("first");
  });
  const second = ca.monitor("A", () => told.push("second"));
  await settle();
  socket.say(connection("A"), value("A", 1));
  assert.deepEqual(told, ["first"]);
});

test("one who comes late is told what is known, once", async () => {
  await watchAll();
  await settle();
  socket.say(connection("A"), value("A", 1), { msg_type: "access", pvname: "A", read: true, write: false });
  const told = [];
  const subscription = ca.monitor("A", ({ kind, value: number }) => told.push([kind, number]));
  assert.equal(subscription.update.value, 1);
  assert.deepEqual(told, []);
  await settle();
  assert.deepEqual(told, [["value", 1]]);
});

test("one who comes first is told nothing before the server has said something", async () => {
  const { told, subscription } = await watchAll();
  await settle();
  assert.deepEqual(told, []);
  assert.equal(subscription.update.condition, "searching");
});

test("a callback that throws harms nobody", async (context) => {
  const report = context.mock.method(console, "error", () => {});
  ca.monitor("A", () => {
    throw new Error("mine");
  });
  const { told } = await watchAll();
  socket.say(connection("A"), value("A", 1));
  assert.deepEqual(told, ["connection", 1]);
  assert.equal(report.mock.callCount(), 2);
  assert.equal(report.mock.calls[0].arguments[0].message, "mine");
});

test("history comes first, to those who asked for it, and anew in a new session", async () => {
  const asked = () => FakeSocket.last.requests("connect").map(({ history }) => history);
  const kept = { msg_type: "history", pvname: "A", time: [1], value: [5], severity: ["NO_ALARM"] };
  const { told: all } = await watchAll();
  const { told } = await watch({ history: 60 });
  assert.deepEqual(asked(), [undefined, 60]);
  socket.say(kept, connection("A"), value("A", 1));
  assert.deepEqual([told, all], [["history", "connection", 1], ["connection", 1]]);
  const { told: later } = await watch({ history: 90 });
  await watch({ maxRate: 0.5 });
  assert.deepEqual(asked(), [undefined, 60, 90]);
  socket.say(kept);
  assert.deepEqual([told.length, later], [3, ["history"]]);
  socket.end();
  mock.timers.tick(1000);
  await FakeSocket.last.open();
  assert.deepEqual(asked(), [90]);
});

const HISTORY = { msg_type: "history", pvname: "A", time: [1], severity: ["NO_ALARM"] };
const kept = (value, id) => ({ ...HISTORY, value: [value], id });
const requests = () => FakeSocket.last.requests("connect");

/** Subscribe, and note the first sample of each history and all values. */
async function watchPast(history) {
  const told = [];
  const tell = (update) => told.push(update.history?.value[0] ?? update.value);
  const options = { history, maxCount: 9 };
  const subscription = ca.monitor("A", options, (update) => update.kind !== "connection" && tell(update));
  await settle();
  return { told, subscription };
}

test("who wants more history while less is under way waits for its own", async () => {
  const { told: short } = await watchPast(300);
  const { told: long } = await watchPast(3600);
  const [first, second] = requests();
  assert.deepEqual([first.history, second.history], [300, 3600]);
  socket.say(kept(300, first.id), connection("A", { id: first.id }), value("A", 1));
  assert.deepEqual([short, long], [[300, 1], []]);
  socket.say(kept(3600, second.id), connection("A", { id: second.id }), value("A", 2));
  assert.deepEqual([short, long], [[300, 1, 2], [3600, 2]]);
});

test("a request that takes the place of another asks for the history of both", async () => {
  const { told: long } = await watchPast(3600);
  const { told: short } = await watchPast(300);
  const last = requests().at(-1);
  assert.deepEqual(requests().map(({ history }) => history), [3600, 3600]);
  socket.say(kept(3600, last.id), value("A", 1));
  assert.deepEqual([long, short], [[3600, 1], [3600, 1]]);
});

test("options that change while history is under way do not lose it, and each is told its own", async () => {
  const { told, subscription } = await watchPast(60);
  const { told: all } = await watchAll();
  ca.monitor("A", { maxCount: 5 });
  subscription.close();
  const { told: later } = await watchPast(90);
  const [first, second, third] = requests();
  assert.deepEqual(requests().map(({ history }) => history), [60, 60, 90]);
  socket.say(kept(60, first.id), kept(60, second.id), value("A", 1), kept(90, third.id), value("A", 2));
  assert.deepEqual([told, later, all], [[], [90, 2], [1, 2]]);
});
