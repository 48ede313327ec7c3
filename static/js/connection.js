/** One WebSocket to the server. It comes back by itself, and subscribes anew to all that it was asked for. */

import { decodeFrame } from "./frame.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
const HEARTBEAT = 5_000;
const QUIET = 15_000;
const PATIENCE = 10_000;
const NAMES_PER_MESSAGE = 1000;

/** Why the server closed, by close code; after those that do not return only a person's retry connects again. */
const CLOSURES = {
  1001: { why: "The server is shutting down", returns: true },
  1002: { why: "The server refused a frame that was not masked", returns: false },
  1007: { why: "The server refused a message that was not UTF-8", returns: false },
  1009: { why: "The server refused a message that was too big", returns: false },
  1011: { why: "The server had an internal error", returns: true },
  1013: { why: "The server is full", returns: true },
  4001: { why: "This page was too slow for its updates", returns: true },
  4002: { why: "The server refused too many messages", returns: false },
  4003: { why: "The log-in has ended; log in again", returns: false },
  4004: { why: "This page did not answer the server", returns: true },
};
const LOST = { why: "The connection to the server is lost", returns: true };

/**
 * @typedef {object} ConnectionState
 * @property {"connecting"|"open"|"waiting"|"closed"} name
 * @property {string} [why] a sentence, unless open
 * @property {number} [retryAt] milliseconds of Date.now(), when waiting
 */

export class Connection {
  #url;
  #socket = null;
  /** @type {Map<string, object>} name -> options of its connect */
  #subscriptions = new Map();
  /** @type {Set<string>} names to be asked for in the next flush */
  #unsent = new Set();
  #flushing = false;
  #paused = false;
  #attempts = 0;
  #retryTimer = 0;
  #heardAt = 0;
  #pingedAt = 0;
  #last = LOST;

  /** @type {(message: object) => void} */
  onmessage = () => {};
  /** @type {(state: ConnectionState) => void} */
  onstate = () => {};

  /** @param {URL} url of the page; the WebSocket beside it is used */
  constructor(url) {
    this.#url = new URL("monitor", url);
    this.#url.protocol = this.#url.protocol === "https:" ? "wss:" : "ws:";
    this.#url.search = this.#url.hash = "";
    setInterval(() => this.#beat(), HEARTBEAT);
  }

  /** Connect now, whatever the back-off says. */
  open() {
    if (this.#socket) return;
    clearTimeout(this.#retryTimer);
    this.#connect();
  }

  /**
   * Watch a PV; again with other options replaces them.
   * @param {string} name
   * @param {object} options of the protocol's `connect`
   */
  subscribe(name, options) {
    this.#subscriptions.set(name, options);
    this.#unsent.add(name);
    this.#flushSoon();
  }

  /** @param {string} name */
  unsubscribe(name) {
    this.#subscriptions.delete(name);
    if (!this.#unsent.delete(name)) this.#send({ action: "disconnect", pv: name });
  }

  /** Ask for no updates until `resume`. */
  pause() {
    this.#paused = true;
    this.#send({ action: "pause" });
  }

  resume() {
    this.#paused = false;
    this.#send({ action: "resume" });
  }

  #connect() {
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#heard(event.data);
    socket.onclose = (event) => this.#lost(CLOSURES[event.code] ?? LOST);
    this.#socket = socket;
    this.onstate({ name: "connecting", why: this.#last.why });
  }

  #opened() {
    this.#heardAt = Date.now();
    this.#pingedAt = 0;
    this.onstate({ name: "open" });
    this.#send({ action: "options", batch: true });
    for (const name of this.#subscriptions.keys()) this.#unsent.add(name);
    this.#flush();
    if (this.#paused) this.#send({ action: "pause" });
  }

  #heard(data) {
    this.#heardAt = Date.now();
    this.#attempts = 0;
    for (const message of decodeFrame(data)) this.onmessage(message);
  }

  #lost(closure) {
    this.#drop();
    this.#last = closure;
    if (!closure.returns) return this.onstate({ name: "closed", why: closure.why });
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempts) * (0.5 + Math.random());
    this.#attempts += 1;
    this.#retryTimer = setTimeout(() => this.open(), delay);
    this.onstate({ name: "waiting", why: closure.why, retryAt: Date.now() + delay });
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** A laptop that slept, a cable that was pulled: the socket looks open, but a ping gets no answer. */
  #beat() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const now = Date.now();
    const unanswered = this.#pingedAt > this.#heardAt;
    if (unanswered && now - this.#pingedAt > PATIENCE) this.#lost(LOST);
    else if (!unanswered && now - this.#heardAt > QUIET) {
      this.#pingedAt = now;
      this.#send({ action: "ping" });
    }
  }

  /** Names subscribed in one turn of the event loop go out together. */
  #flushSoon() {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush() {
    this.#flushing = false;
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    for (const [options, names] of this.#unsentByOptions()) {
      for (let start = 0; start < names.length; start += NAMES_PER_MESSAGE) {
        this.#send({ action: "connect", pv: names.slice(start, start + NAMES_PER_MESSAGE), ...JSON.parse(options) });
      }
    }
    this.#unsent.clear();
  }

  #unsentByOptions() {
    const groups = new Map();
    for (const name of this.#unsent) {
      const options = JSON.stringify(this.#subscriptions.get(name));
      if (!groups.has(options)) groups.set(options, []);
      groups.get(options).push(name);
    }
    return groups;
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}
