/** One caller's view of a PV: its own rate, its own callback. */

import { callSafely } from "./errors.js";

export class Subscription {
  #channel;
  #callback;
  #timer = null;
  #pending = null;
  #deliveredAt = -Infinity;
  #delivered = null;
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
    this.wantsHistory = options.history > 0;
    queueMicrotask(() => this.#catchUp());
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
    this.#forgetPending();
    this.#channel.remove(this);
  }

  /** @param {import("../pycaserver.js").Update} update from the channel */
  deliver(update) {
    if (this.#closed) return;
    if (update.kind !== "value") return this.#deliverAtOnce(update);
    if (this.#isWithinDeadband(update)) return;
    const wait = this.#deliveredAt + this.#interval - performance.now();
    if (wait > 0) this.#deliverLater(update, wait);
    else this.#call(update);
  }

  /** What had to wait comes first: nothing is told out of order. */
  #deliverAtOnce(update) {
    const pending = this.#pending;
    this.#forgetPending();
    if (pending) this.#call(pending);
    if (!this.#closed) callSafely(this.#callback, update);
    this.#delivered ??= update;
  }

  #deliverLater(update, wait) {
    this.#pending = update;
    this.#timer ??= setTimeout(() => {
      const pending = this.#pending;
      this.#forgetPending();
      this.#call(pending);
    }, wait);
  }

  #call(update) {
    this.#forgetPending();
    this.#deliveredAt = performance.now();
    this.#delivered = update;
    callSafely(this.#callback, update);
  }

  #forgetPending() {
    clearTimeout(this.#timer);
    this.#timer = this.#pending = null;
  }

  /** Milliseconds between values; none where the server already keeps to this rate. */
  get #interval() {
    const { maxRate } = this.options;
    return maxRate && maxRate !== this.#channel.options.maxRate ? 1000 / maxRate : 0;
  }

  #isWithinDeadband({ value, severity, status }) {
    const { deadband } = this.options;
    const last = this.#pending ?? this.#delivered;
    if (!deadband || deadband === this.#channel.options.deadband || typeof last?.value !== "number") return false;
    const sameAlarm = severity === last.severity && status === last.status;
    return sameAlarm && Math.abs(value - last.value) < deadband;
  }

  /** One who comes late is told what is known. */
  #catchUp() {
    const { update, isKnown } = this.#channel;
    if (this.#closed || this.#delivered || !isKnown) return;
    this.deliver(update.condition === "live" ? Object.freeze({ ...update, kind: "value" }) : update);
  }
}

if (Symbol.dispose) {
  Subscription.prototype[Symbol.dispose] = Subscription.prototype.close;
}
