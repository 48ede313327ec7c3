import assert from "node:assert/strict";
import { after, beforeEach, mock, test } from "node:test";

import { FakeSocket, openClient, setUp } from "./fakes.mjs";

/** A page: what of a document and a window the client listens to. */
let page;

beforeEach(() => {
  setUp();
  page = new EventTarget();
  globalThis.document = Object.assign(new EventTarget(), { hidden: false, baseURI: "http://server.example/" });
  globalThis.addEventListener = page.addEventListener.bind(page);
});

after(() => {
  delete globalThis.document;
  delete globalThis.addEventListener;
});

function hide(hidden) {
  document.hidden = hidden;
  document.dispatchEvent(new Event("visibilitychange"));
}

const actions = () => FakeSocket.last.sent.map(({ action }) => action).filter((action) => action !== "options");

test("a hidden page asks for nothing; a page that is seen again asks for all, and for a sign of life", async () => {
  const { ca } = await openClient();
  hide(true);
  hide(false);
  assert.deepEqual(actions(), ["pause", "resume", "ping"]);
  mock.timers.tick(10_000);
  assert.equal(ca.state.name, "waiting");
});

test("a page that is hidden from the beginning is paused before it subscribes", async () => {
  document.hidden = true;
  const { ca, socket } = await openClient();
  ca.monitor("A");
  socket.end();
  mock.timers.tick(1000);
  await FakeSocket.last.open();
  assert.deepEqual(actions(), ["pause", "connect"]);
});

test("a page that is seen again connects at once", async () => {
  const { socket } = await openClient();
  socket.end();
  hide(false);
  assert.equal(FakeSocket.made.length, 2);
});

test("so does a machine that is online again", async () => {
  const { socket } = await openClient();
  socket.end();
  page.dispatchEvent(new Event("online"));
  assert.equal(FakeSocket.made.length, 2);
});

test("who paused by hand stays paused, in a new session too, until resume", async () => {
  const { ca, socket } = await openClient();
  ca.pause();
  hide(true);
  hide(false);
  assert.deepEqual(actions(), ["pause", "pause", "pause", "ping"]);
  socket.end();
  mock.timers.tick(1000);
  await FakeSocket.last.open();
  assert.deepEqual(actions(), ["pause"]);
  ca.resume();
  assert.deepEqual(actions(), ["pause", "resume"]);
});

test("one that need not pause does not", async () => {
  await openClient({ pauseWhenHidden: false });
  hide(true);
  assert.deepEqual(actions(), []);
});

test("one that is closed listens to nothing", async () => {
  const { ca, socket } = await openClient();
  ca.close();
  hide(true);
  hide(false);
  page.dispatchEvent(new Event("online"));
  assert.deepEqual([ca.state.name, socket.sent.length, FakeSocket.made.length], ["closed", 1, 1]);
});
