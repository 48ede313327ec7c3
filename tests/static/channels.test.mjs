import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { connection, elapse, FakeSocket, openClient, setUp, settle, value } from "./fakes.mjs";

let ca, socket;

beforeEach(async () => {
  setUp();
  ({ ca, socket } = await openClient());
});

/** Requests about subscriptions, without ids. */
function asked(of = socket) {
  const requests = of.sent.filter(({ action }) => action === "connect" || action === "disconnect");
  return requests.map(({ id, ...request }) => request);
}

test("what is watched in one turn is asked for together", async () => {
  for (const pv of ["A", "B", "C"]) ca.monitor(pv, { maxRate: 10 });
  ca.monitor("D");
  await settle();
  assert.deepEqual(asked(), [
    { action: "connect", pv: ["A", "B", "C"], max_rate: 10 },
    { action: "connect", pv: ["D"] },
  ]);
});

test("long lists go in pieces", async () => {
  for (let i = 0; i < 1500; i += 1) ca.monitor(`PV${i}`);
  for (let i = 0; i < 100; i += 1) ca.monitor(`${i}`.padEnd(1000, "x"), { maxRate: 1 });
  await settle();
  const sizes = asked().map(({ pv }) => pv.length);
  assert.deepEqual(sizes.slice(0, 2), [1000, 500]);
  assert.equal(sizes.slice(2).reduce((a, b) => a + b), 100);
  assert.ok(sizes.length > 3);
});

test("several share one subscription, which becomes wider and narrower with them", async () => {
  const slow = ca.monitor("A", { maxRate: 1 });
  await settle();
  const fast = ca.monitor("A", { maxRate: 10 });
  ca.monitor("A", { maxRate: 5 });
  await settle();
  fast.close();
  await settle();
  slow.close();
  await settle();
  const connect = (max_rate) => ({ action: "connect", pv: ["A"], max_rate });
  assert.deepEqual(asked(), [connect(1), connect(10), connect(5)]);
});

test("the last to close ends it", async () => {
  const both = [ca.monitor("A"), ca.monitor("A")];
  await settle();
  both[0].close();
  await settle();
  assert.equal(asked().length, 1);
  both[1].close();
  await settle();
  assert.deepEqual(asked().at(-1), { action: "disconnect", pv: ["A"] });
});

test("changes that cancel each other are not sent", async () => {
  ca.monitor("A").close();
  const old = ca.monitor("B");
  await settle();
  old.close();
  ca.monitor("B");
  await settle();
  assert.deepEqual(asked(), [{ action: "connect", pv: ["B"] }]);
});

test("all share each snapshot, and none can change it", async () => {
  const told = [];
  ca.monitor("A", (update) => told.push(update));
  ca.monitor("A", (update) => told.push(update));
  await settle();
  socket.say(connection("A"), value("A", 1.5, { units: "mm", coalesced: 3 }));
  assert.equal(told[2], told[3]);
  assert.ok(Object.isFrozen(told[2]));
  const { kind, condition, connected, value: number, units, coalesced } = told[2];
  assert.deepEqual([kind, condition, connected, number, units, coalesced], ["value", "live", true, 1.5, "mm", 3]);
});

/** The conditions that a PV goes through. */
async function conditions(...messages) {
  const told = [];
  ca.monitor("A", ({ kind, condition }) => told.push(`${kind} ${condition}`));
  await settle();
  socket.say(...messages);
  return told;
}

const metadata = (type, count = 1) => ({ msg_type: "metadata", pvname: "A", type, count });
const access = (write) => ({ msg_type: "access", pvname: "A", read: true, write });

test("a PV that is found, lost and found", async () => {
  const lost = connection("A", { conn: false, reason: "lost", since: 5 });
  assert.deepEqual(await conditions(connection("A"), value("A", 1), lost, connection("A"), value("A", 1)), [
    "connection connected",
    "value live",
    "connection disconnected",
    "connection connected",
    "value live",
  ]);
});

test("what is said again is not told again", async () => {
  const again = [connection("A"), metadata("double"), access(true)];
  assert.deepEqual(await conditions(...again, value("A", 1), ...again, access(false)), [
    "connection connected",
    "metadata connected",
    "access connected",
    "value live",
    "access live",
  ]);
});

test("limits that become other numbers that JSON lacks are told", async () => {
  const limited = (high) => ({ ...metadata("double"), alarm: { low: "NaN", high } });
  const told = await conditions(connection("A"), limited("NaN"), limited("NaN"), limited("Infinity"));
  assert.deepEqual(told.slice(1), ["metadata connected", "metadata connected"]);
});

test("a PV that comes back as something else has no value", async () => {
  const subscription = ca.monitor("A");
  const told = await conditions(connection("A"), metadata("double"), value("A", 1), metadata("double", 5));
  assert.equal(told.at(-1), "metadata connected");
  assert.equal(subscription.update.value, undefined);
});

test("a name that is refused has the server's words", async () => {
  const subscription = ca.monitor("A");
  const error = { msg_type: "error", action: "connect", code: "invalid_pv_name", message: "no", id: "connect-2" };
  assert.deepEqual(await conditions({ ...error, pvname: "A" }), ["error error"]);
  assert.deepEqual(subscription.update.error, { code: "invalid_pv_name", message: "no" });
});

test("an error about a whole request is told to all in it", async () => {
  const subscriptions = ["A", "B"].map((pv) => ca.monitor(pv));
  await settle();
  const [{ id }] = socket.requests("connect");
  socket.say({ msg_type: "error", action: "connect", code: "bad_request", message: "no", id });
  assert.deepEqual(subscriptions.map(({ update }) => update.error?.code), ["bad_request", "bad_request"]);
});

test("who had no room gets it when others leave", async () => {
  const first = ca.monitor("A");
  for (const pv of ["B", "C"]) ca.monitor(pv);
  await settle();
  const error = { msg_type: "error", action: "connect", code: "too_many_subscriptions", message: "no" };
  socket.say(connection("A"), { ...error, pvname: "B" }, { ...error, pvname: "C" });
  first.close();
  await settle();
  assert.deepEqual(asked().slice(1), [{ action: "disconnect", pv: ["A"] }, { action: "connect", pv: ["B"] }]);
});

test("while the server is out of reach values are kept as stale", async () => {
  const subscription = ca.monitor("A");
  await settle();
  socket.say(connection("A"), value("A", 7));
  socket.end();
  const { kind, condition, connected, value: number } = subscription.update;
  assert.deepEqual([kind, condition, connected, number], ["stale", "stale", false, 7]);
  assert.equal(ca.monitor("B").update.condition, "stale");
});

test("a new session is asked for all that is watched, once, whatever happened meanwhile", async () => {
  const gone = ca.monitor("GONE");
  const subscription = ca.monitor("A", { maxRate: 1 });
  await settle();
  socket.end();
  gone.close();
  ca.monitor("NEW").close();
  ca.monitor("A", { maxRate: 2 });
  mock.timers.tick(1000);
  await FakeSocket.last.open();
  assert.notEqual(FakeSocket.last, socket);
  assert.deepEqual(asked(FakeSocket.last), [{ action: "connect", pv: ["A"], max_rate: 2 }]);
  assert.equal(subscription.update.condition, "searching");
});

const denied = { msg_type: "error", action: "connect", code: "read_denied", message: "a rule" };

test("what is denied is asked for again, all together, until the right is there", async () => {
  const told = [];
  const [a] = ["A", "B"].map((pv) => ca.monitor(pv, ({ pv, condition }) => told.push(`${pv} ${condition}`)));
  ca.monitor("C");
  await settle();
  socket.say(...["A", "B", "C"].map((pv) => connection(pv)), value("A", 1));
  socket.say(connection("A", { conn: false, reason: "read_denied", since: 5 }), { ...denied, pvname: "B" });
  await later(30_000);
  assert.deepEqual(asked().slice(1), [{ action: "connect", pv: ["A", "B"] }]);
  socket.say({ ...denied, pvname: "A" }, { ...denied, pvname: "B" });
  await later(29_000);
  assert.equal(asked().length, 2);
  await later(1_000);
  assert.deepEqual(asked().slice(2), [{ action: "connect", pv: ["A", "B"] }]);
  socket.say(connection("A"), value("A", 2), connection("B"));
  await later(60_000);
  assert.equal(asked().length, 3);
  assert.deepEqual([a.update.value, a.update.condition], [2, "live"]);
  assert.deepEqual(told.filter((what) => what.startsWith("B")), ["B connected", "B error", "B connected"]);
});

test("what is denied is not asked for while the server is out of reach, nor when nobody wants it", async () => {
  const all = ["A", "B"].map((pv) => ca.monitor(pv));
  await settle();
  socket.say({ ...denied, pvname: "A" }, { ...denied, pvname: "B" });
  all[0].close();
  await later(30_000);
  assert.deepEqual(asked().at(-1), { action: "connect", pv: ["B"] });
  socket.say({ ...denied, pvname: "B" });
  ca.close();
  await later(60_000);
  assert.equal(asked().length, 3);
});

/** Time goes by, and what is then asked is sent; the server gives signs of life. */
async function later(milliseconds) {
  for (let left = milliseconds; left > 0; left -= 1_000) {
    elapse(1_000);
    socket.say({ msg_type: "pong" });
  }
  await settle();
}

test("messages about what is no longer watched are nobody's", async () => {
  const errors = [];
  ca.addEventListener("error", ({ detail }) => errors.push(detail));
  const subscription = ca.monitor("A");
  await settle();
  subscription.close();
  await settle();
  socket.say(value("A", 1), value("NEVER", 1), { msg_type: "unheard_of", pvname: "A" }, { msg_type: "unheard_of" });
  assert.deepEqual(errors, []);
});

test("what cannot be watched is refused at once", () => {
  assert.throws(() => ca.monitor(undefined), TypeError);
  assert.throws(() => ca.monitor("A", { maxRate: 0 }), TypeError);
});
