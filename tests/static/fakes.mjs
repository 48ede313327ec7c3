/** A server that is none: the WebSocket class that a client under test is given, and clocks that stand still. */

import { mock } from "node:test";

import { PVClient } from "../../static/pycaserver.js";

export const URL_OF_SERVER = "ws://server.example/monitor";

const STEP = 250;

export class FakeSocket {
  /** @type {FakeSocket[]} all that were made in this test */
  static made = [];

  readyState = 0;
  bufferedAmount = 0;
  /** Requests as objects; binary frames as they are. */
  sent = [];

  constructor(url) {
    this.url = url;
    FakeSocket.made.push(this);
  }

  /** The newest one. */
  static get last() {
    return FakeSocket.made.at(-1);
  }

  send(data) {
    this.sent.push(typeof data === "string" ? JSON.parse(data) : data);
  }

  close() {
    this.readyState = 3;
  }

  /** The server lets us in. */
  async open() {
    this.readyState = 1;
    this.onopen?.();
    await settle();
  }

  /** The server says this, in one batch. */
  say(...messages) {
    this.onmessage?.({ data: JSON.stringify(messages) });
  }

  /** The server sends this frame. */
  frame(data) {
    this.onmessage?.({ data });
  }

  /** The connection ends. */
  end(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  /** What was sent with this action. */
  requests(action) {
    return this.sent.filter((request) => request.action === action);
  }
}

/** All that was queued has run. */
export function settle() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Clocks that only `mock.timers.tick` moves, and no sockets left of the test before. */
export function setUp() {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_700_000_000_000 });
  FakeSocket.made = [];
}

/** Time goes by, and timers that are set meanwhile run too. */
export function elapse(milliseconds) {
  for (let left = milliseconds; left > 0; left -= STEP) mock.timers.tick(Math.min(left, STEP));
}

/** @returns {Promise<{ca: PVClient, socket: FakeSocket}>} a client whose session is open */
export async function openClient(options = {}) {
  const ca = new PVClient(URL_OF_SERVER, { WebSocket: FakeSocket, ...options });
  const socket = FakeSocket.last;
  await socket.open();
  return { ca, socket };
}

export const connection = (pvname, more = {}) => ({ msg_type: "connection", pvname, conn: true, ...more });

export const value = (pvname, number, more = {}) => ({
  msg_type: "monitor",
  pvname,
  value: number,
  count: 1,
  timestamp: 1_700_000_000.25,
  severity: "NO_ALARM",
  status: "NO_ALARM",
  ...more,
});

/** A binary frame as the server makes it. */
export function binary(header, array) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = Math.ceil((4 + text.length) / 8) * 8;
  const frame = new Uint8Array(start + array.byteLength).fill(0x20, 0, start);
  new DataView(frame.buffer).setUint32(0, start - 4, true);
  frame.set(text, 4);
  frame.set(new Uint8Array(array.buffer), start);
  return frame.buffer;
}
