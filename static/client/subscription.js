/** One caller's view of a PV: its own rate, its own callback. */

import { callSafely } from "./errors.js";

/** Milliseconds: so much of a rate that was not used may be made up for, as at the server. */
const CATCH_UP = 1000;

export class Subscription {
  #channel;
  #callback;
  /** Runs while a value has to wait. */
  #timer = null;
  /** The time before which no value may be delivered; -Infinity until the first. */
  #notBefore = -Infinity;
  /** The newest value that has to wait. */
  #pending = null;
  /** The last value delivered, of this connection. */
  #delivered = null;
  #isTold = false;
  #closed = false;

  /**
   * @param {import("./channel.js").Channel} channel
   * @param {import("./options.js").MonitorOptions} options checked ones
   * @param {(update: import("../pycaserver.js").Update) => void} callback
   */
  constructor(channel, options, callback) {
    this.#channel = channel;
    this.#callback = callback;
    this.options = Object.freeze(options);
    this.wantHistory();
  }

  /** The name of the PV. */
  get pv() {
    return this.#channel.pv;
  }

  /** The latest that is known of the PV, delivered or not. */
  get update() {
    return this.#channel.update;
  }

  /** No more updates; the last one to close ends the subscription at the server. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWaiting();
    this.#channel.remove(this);
  }

  /** For `using`; where the language has no such symbol yet nobody calls this. */
  [Symbol.dispose]() {
    this.close();
  }

  /** In a new session the kept samples are wanted again. */
  wantHistory() {
    /** @type {"wanted"|"asked"|"told"} */
    this.historyIs = this.options.history ? "wanted" : "told";
    /** The first request that asked for it. */
    this.ask = Infinity;
  }

  /** @param {number} ask the number of the request */
  historyAsked(ask) {
    this.historyIs = "asked";
    this.ask = Math.min(this.ask, ask);
  }

  /** Values wait for the kept samples. @param {import("../pycaserver.js").Update} update from the channel */
  deliver(update) {
    if (update.kind === "error") this.historyIs = "told"; // it will not come
    if (this.#closed || (update.kind === "value" && this.historyIs !== "told")) return;
    this.#isTold = true;
    if (update.kind !== "value") this.#deliverAtOnce(update);
    else if (!this.#isWithinDeadband(update)) this.#deliverValue(update);
  }

  /** What had to wait comes first: nothing is told out of order. */
  #deliverAtOnce(update) {
    const pending = this.#pending;
    this.#stopWaiting();
    if (pending) this.#call(pending);
    if (update.condition !== "live") this.#delivered = null;
    if (!this.#closed) this.#call(update);
  }

  #deliverValue(update) {
    this.#delivered = update;
    const wait = Math.min(this.#notBefore - Date.now(), this.#interval); // our clock may have been set back
    if (this.#timer || wait > 0) {
      this.#pending = update;
      this.#timer ??= setTimeout(() => this.#waited(), wait);
    } else {
      this.#deliverInTime(update);
    }
  }

  #deliverInTime(update) {
    const now = Date.now();
    this.#notBefore = Math.max(this.#notBefore, now - CATCH_UP) + this.#interval;
    this.#call(update);
  }

  #waited() {
    const pending = this.#pending;
    this.#timer = this.#pending = null;
    this.#deliverInTime(pending);
  }

  #stopWaiting() {
    clearTimeout(this.#timer);
    this.#timer = this.#pending = null;
    this.#notBefore = -Infinity;
  }

  #call(update) {
    callSafely(this.#callback, update);
  }

  /** Milliseconds between values; none where the server already keeps to this rate. */
  get #interval() {
    const { maxRate } = this.options;
    return maxRate && maxRate !== this.#channel.options.maxRate ? 1000 / maxRate : 0;
  }

  #isWithinDeadband({ value, severity, status }) {
    const { deadband } = this.options;
    const last = this.#delivered;
    if (!deadband || deadband === this.#channel.options.deadband || typeof last?.value !== "number") return false;
    const sameAlarm = severity === last.severity && status === last.status;
    return sameAlarm && Math.abs(value - last.value) < deadband;
  }

  /** One who comes late is told what is known; whose history comes is told all anew by the server. */
  catchUp() {
    const { update, isKnown } = this.#channel;
    if (this.#closed || this.#isTold || !isKnown || this.historyIs !== "told") return;
    this.deliver(update.condition === "live" ? Object.freeze({ ...update, kind: "value" }) : update);
  }
}
