/** What is known of one PV, and who is told: all its subscribers share one subscription at the server. */

import { mergeOptions } from "./options.js";
import { makeUpdate, noFacts } from "./update.js";
import { NO_READING, toHistory, toMetadata, toReading } from "./values.js";

const CONNECTED = { connected: true, reason: null, since: null, error: null };
const NOT_CONNECTED = { ...CONNECTED, connected: false };
/** Why, and the code of the error. */
const DENIED = "read_denied";

export class Channel {
  #onchange;
  /** @type {Set<import("./subscription.js").Subscription>} */
  #subscriptions = new Set();
  #isAnswered = false;
  /** Whether a value has come since the PV was connected. */
  #isFresh = false;
  #isStale;
  #facts = noFacts();

  /** What all its subscribers together want. @type {import("./options.js").MonitorOptions} */
  options = {};
  /** The options that the server has been given in this session, as JSON; null: not subscribed. @type {string|null} */
  sent = null;
  /** Whether anything has been learnt yet. */
  isKnown = false;

  /**
   * @param {string} pv as asked for: the server echoes it in `pvname`
   * @param {boolean} isStale whether the server is out of reach
   * @param {(channel: Channel) => void} onchange told that there are other subscribers
   */
  constructor(pv, isStale, onchange) {
    this.pv = pv;
    this.#onchange = onchange;
    this.#isStale = isStale;
    this.isKnown = isStale;
    this.update = this.#snapshot(isStale ? "stale" : "connection");
  }

  get isUsed() {
    return this.#subscriptions.size > 0;
  }

  /** Whether somebody wants history that has not been asked for yet. */
  get wantsHistory() {
    return this.#waiting.some(({ historyIs }) => historyIs === "wanted");
  }

  /** Seconds of history for all who have none yet: a request takes the place of the one before. 0 for none. */
  get history() {
    return Math.max(0, ...this.#waiting.map(({ options }) => options.history));
  }

  /** What is wanted has been asked for. @param {number} ask greater than that of the request before */
  asked(ask) {
    for (const subscription of this.#waiting) subscription.historyAsked(ask);
  }

  /** @param {import("./subscription.js").Subscription} subscription */
  add(subscription) {
    this.#subscriptions.add(subscription);
    this.#merge();
    queueMicrotask(() => subscription.catchUp());
  }

  /** @param {import("./subscription.js").Subscription} subscription */
  remove(subscription) {
    this.#subscriptions.delete(subscription);
    this.#merge();
  }

  /**
   * @param {{msg_type: string, pvname: string}} message of the server
   * @param {number} ask the request that it answers, as told by `asked`; the last one if that is not known
   */
  receive(message, ask) {
    RECEIVERS[message.msg_type]?.call(this, message, ask);
  }

  /** The server is out of reach: the value is kept, but may no longer be true. */
  lose() {
    this.sent = null;
    if (this.#isStale) return;
    this.#isStale = true;
    this.#isFresh = false;
    this.#emit("stale", NOT_CONNECTED);
  }

  /** The server is back, and is asked again. */
  search() {
    for (const subscription of this.#subscriptions) subscription.wantHistory();
    if (!this.#isStale) return;
    this.#isStale = this.#isAnswered = false;
    this.#emit("connection", NOT_CONNECTED);
  }

  /** Whether a new identity may help: it was refused. */
  get isRefused() {
    return this.#facts.error !== null || this.#facts.reason === DENIED;
  }

  /** Whether the access rules, or the IOC's, forbid to read it: they may change at any time. */
  get isDenied() {
    return this.#facts.error?.code === DENIED || this.#facts.reason === DENIED;
  }

  onConnection({ conn, reason, since }) {
    const facts = conn ? CONNECTED : { ...NOT_CONNECTED, reason: reason ?? "lost", since: since ?? null };
    const isNew = !this.#isAnswered || Object.keys(facts).some((key) => facts[key] !== this.#facts[key]);
    this.#isAnswered = true;
    if (!conn) this.#isFresh = false;
    if (isNew) this.#emit("connection", facts);
  }

  onMetadata(message) {
    const { metadata: old } = this.#facts;
    const metadata = toMetadata(message);
    if (same(old, metadata)) return;
    const isOther = old && (old.type !== metadata.type || old.count > 1 !== metadata.count > 1);
    if (isOther) this.#isFresh = false;
    this.#emit("metadata", isOther ? NO_READING : {}, { metadata, units: metadata.units });
  }

  onAccess({ read, write }) {
    if (!same(this.#facts.access, { read, write })) this.#emit("access", { access: Object.freeze({ read, write }) });
  }

  onMonitor(message) {
    this.#isAnswered = this.#isFresh = true;
    this.#emit("value", CONNECTED, toReading(message, this.#facts.metadata));
  }

  onError({ code, message }) {
    if (same(this.#facts.error, { code, message }) && !this.#waiting.length) return;
    this.#isAnswered = true;
    this.#isFresh = false;
    this.#emit("error", NOT_CONNECTED, { error: Object.freeze({ code, message }) });
  }

  /** Not for those who have asked since: they want more. */
  onHistory(message, ask) {
    const update = this.#snapshot("history", toHistory(message));
    for (const subscription of this.#waiting.filter((waiting) => waiting.ask <= ask)) {
      subscription.historyIs = "told";
      subscription.deliver(update);
    }
  }

  /** Those that have no history yet, but want it. */
  get #waiting() {
    return [...this.#subscriptions].filter(({ historyIs }) => historyIs !== "told");
  }

  #merge() {
    if (this.isUsed) this.options = mergeOptions([...this.#subscriptions].map(({ options }) => options));
    this.#onchange(this);
  }

  /** @param {...object} facts that are new */
  #emit(kind, ...facts) {
    Object.assign(this.#facts, ...facts);
    this.isKnown = true;
    this.update = this.#snapshot(kind);
    for (const subscription of [...this.#subscriptions]) subscription.deliver(this.update);
  }

  #snapshot(kind, history) {
    return makeUpdate(this.pv, kind, this.#condition, this.#facts, history);
  }

  get #condition() {
    const { error, connected } = this.#facts;
    if (error) return "error";
    if (this.#isStale) return "stale";
    if (!this.#isAnswered) return "searching";
    if (!connected) return "disconnected";
    return this.#isFresh ? "live" : "connected";
  }
}

const RECEIVERS = {
  connection: Channel.prototype.onConnection,
  metadata: Channel.prototype.onMetadata,
  access: Channel.prototype.onAccess,
  monitor: Channel.prototype.onMonitor,
  error: Channel.prototype.onError,
  history: Channel.prototype.onHistory,
};

/** Limits may be numbers that JSON lacks. */
function same(a, b) {
  const text = (_, value) => (typeof value === "number" ? String(value) : value);
  return JSON.stringify(a, text) === JSON.stringify(b, text);
}
