/** What the page shows of one PV: the latest that the client has told, and its recent samples. */

import { Trace } from "./trace.js";

const MAX_RATE = 10;
const LONG_WAVEFORM = 4000;
const REDUCED_POINTS = 1000;
const SKEW_THAT_MATTERS = 2;

const seconds = () => Date.now() / 1000;

export class PV {
  /** @param {string} name as typed */
  constructor(name) {
    this.name = name;
    this.trace = new Trace();
    /** IOC clock minus ours, in seconds; 0 unless the difference is plain. */
    this.skew = 0;
    this.catchingUp = true;
  }

  /** Whether what is shown is what the IOC has. */
  get isLive() {
    return this.condition === "live" || this.condition === "connected";
  }

  /** Options of this PV's monitor: long waveforms come as an envelope. */
  get options() {
    return { maxRate: MAX_RATE, ...(this.metadata?.count > LONG_WAVEFORM && { reduce: REDUCED_POINTS }) };
  }

  /** A JSON array or the typed array of a binary frame. */
  get isArray() {
    return Array.isArray(this.value) || ArrayBuffer.isView(this.value);
  }

  get isNumeric() {
    return typeof this.value === "number";
  }

  /** @returns {"strip"|"wave"|"envelope"|"text"|"none"} how the value is best drawn */
  get picture() {
    if (this.value === undefined) return "none";
    if (this.reduced) return "envelope";
    if (this.isArray) return this.text !== null || this.metadata?.type === "string" ? "text" : "wave";
    return this.isNumeric && (this.text === null || this.metadata?.type === "enum") ? "strip" : "text";
  }

  /**
   * @param {"display"|"control"|"warning"|"alarm"} kind
   * @returns {[number, number]|null} null when the record sets none: NaN, or 0 for both
   */
  limits(kind) {
    const { low, high } = this.metadata?.[kind] ?? {};
    const limits = [Number(low), Number(high)];
    return limits.some(Boolean) ? limits : null;
  }

  /** Our clock, as the IOC's clock would read. */
  get now() {
    return seconds() + this.skew;
  }

  /**
   * Take in what the client tells.
   * @param {import("../pycaserver.js").Update} update
   */
  receive(update) {
    if (update.value === undefined) this.trace.clear();
    Object.assign(this, update);
    RECEIVERS[update.kind]?.call(this);
  }

  /** Nobody is watching from now on, for a while. */
  interrupt() {
    this.trace.interrupt(this.now);
    this.catchingUp = true;
  }

  /** Watching again. */
  resume() {
    this.trace.resume(this.now);
  }

  onConnection() {
    if (this.connected) this.resume();
    else this.interrupt();
  }

  onValue() {
    this.#measureSkew();
    if (this.picture === "strip") this.trace.push(this.timestamp, this.value);
  }

  /** The first value after a connection may be old; only those that follow tell about the IOC's clock. */
  #measureSkew() {
    const difference = this.timestamp - seconds();
    if (!this.catchingUp) this.skew = Math.abs(difference) > SKEW_THAT_MATTERS ? difference : 0;
    this.catchingUp = false;
  }
}

const RECEIVERS = {
  connection: PV.prototype.onConnection,
  value: PV.prototype.onValue,
  error: PV.prototype.interrupt,
  stale: PV.prototype.interrupt,
};
