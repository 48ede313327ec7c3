/** One PV of a plot: what there is to draw of it. */

import { formatNumber } from "./format.js";
import { arrayPath, envelopePath, extent, tracePath } from "./lines.js";
import { Trace } from "./trace.js";

const SKEW_THAT_MATTERS = 2;
const LEVELS = [["warning", "minor"], ["alarm", "major"]];

const seconds = () => Date.now() / 1000;

/** @typedef {import("../pycaserver.js").Update} Update */

export class Curve {
  /** @type {Update} */
  update;
  isShown = true;

  /**
   * @param {string} pv
   * @param {number} index decides colour and dashes
   */
  constructor(pv, index) {
    this.pv = pv;
    this.index = index;
  }

  /** @param {Update} update */
  receive(update) {
    this.update = update;
  }

  /** The names of an enum's states. @type {readonly string[]|null} */
  get states() {
    const { metadata } = this.update;
    return metadata?.type === "enum" && metadata.enumStrings?.length ? metadata.enumStrings : null;
  }

  /** Lines of one scale share a y axis: those of the same units, or of the same states. */
  get scale() {
    return this.states ? `states ${this.states.join()}` : `units ${this.update.units}`;
  }

  /** Warning and alarm limits. @returns {{value: number, color: string}[]} */
  get levels() {
    return LEVELS.flatMap(([kind, color]) => limitsOf(this.update, kind).map((value) => ({ value, color })));
  }

  /** @param {number} value @returns {string} */
  format(value) {
    if (Number.isNaN(value)) return "–";
    return this.states?.[value] ?? formatNumber(value, this.update.metadata);
  }

  /** A difference of two values, in the form of the values. @param {number} value @returns {string} */
  formatDifference(value) {
    return Number.isNaN(value) ? "–" : formatNumber(value, this.states ? undefined : this.update.metadata);
  }
}

/** The recent samples of a scalar, over time. */
export class TraceCurve extends Curve {
  trace = new Trace();
  /** IOC clock minus ours, in seconds; 0 unless the difference is plain. */
  skew = 0;
  /** The time of our last sample, where the server may have later ones. @type {number|null} */
  behindSince = null;
  #isCatchingUp = true;

  receive(update) {
    super.receive(update);
    RECEIVERS[update.kind]?.(this, update);
  }

  /** Our clock, as the IOC's clock would read. */
  get now() {
    return seconds() + this.skew;
  }

  /** Until when the last value holds: now while it is the PV's, else until it was lost. */
  get end() {
    return this.isLive ? Math.max(this.now, this.trace.lastTime) : this.trace.watchedUntil;
  }

  /** A PV that is connected again has not told its value yet. */
  get isLive() {
    return this.update.condition === "live";
  }

  get last() {
    const { value, condition } = this.update;
    return condition === "live" && isNumber(value) ? Number(value) : NaN;
  }

  path(view) {
    return tracePath(this.trace, this.end, view);
  }

  extent(from, to, isLog) {
    return extent(this.trace.values, this.trace.indexAt(from), this.trace.indexAt(to) + 1, isLog);
  }

  read(x) {
    return x > this.end ? NaN : this.trace.valueAt(x);
  }

  /** Nobody watches from now on. @param {boolean} isRefillable whether the server goes on */
  interrupt(isRefillable) {
    if (isRefillable && this.trace.length) this.behindSince ??= this.trace.lastTime;
    this.trace.interrupt(this.now, isRefillable);
    this.#isCatchingUp = true;
  }

  /** @param {import("../pycaserver.js").History} history */
  backfill({ time, value, reduced }) {
    this.trace.backfill(time, value, !reduced);
  }

  push({ timestamp, value }) {
    if (!isNumber(value)) return;
    if (timestamp !== this.trace.lastTime) this.#measureSkew(timestamp);
    this.trace.push(timestamp, Number(value));
  }

  /** The first value after a connection may be old, as one told again: only news tell about the IOC's clock. */
  #measureSkew(timestamp) {
    const difference = timestamp - seconds();
    if (!this.#isCatchingUp) this.skew = Math.abs(difference) > SKEW_THAT_MATTERS ? difference : 0;
    this.#isCatchingUp = false;
  }
}

const RECEIVERS = {
  history: (curve, { history }) => curve.backfill(history),
  value: (curve, update) => curve.push(update),
  error: (curve) => curve.interrupt(false),
  stale: (curve) => curve.interrupt(true),
  connection: (curve, { condition }) => {
    if (condition === "disconnected") curve.interrupt(false);
    else if (condition !== "searching") curve.trace.resume(curve.now);
  },
};

/** The latest value of an array, over its index. */
export class ArrayCurve extends Curve {
  /** Elements of the whole array, as far as is known. */
  total = 0;
  /** Whether less than the whole array is asked for. */
  isWindow = false;
  /** What is drawn: the latest update, or the one at which the plot was paused. @type {Update|null} */
  shown = null;

  receive(update) {
    super.receive(update);
    if (update.kind !== "value") return;
    if (isArray(update.value)) this.#show(update);
    else this.shown = null; // the IOC came back with another type
  }

  #show(update) {
    const isAgain = update.timestamp === this.shown?.timestamp;
    const isWindow = update.first > 0 || isAgain || this.isWindow;
    const end = update.count && update.first + update.count; // a window behind the end tells nothing
    this.total = isWindow ? Math.max(this.total, end) : update.count;
    this.shown = update;
  }

  get levels() {
    return [];
  }

  path(view) {
    if (!this.shown) return new Path2D();
    const { value, first, count, reduced } = this.shown;
    return reduced ? envelopePath(value, first, count, view) : arrayPath(value, first, view);
  }

  extent(from, to, isLog) {
    if (!this.shown) return [Infinity, -Infinity];
    const { value, first, count, reduced } = this.shown;
    const perIndex = reduced ? value.length / count : 1;
    const [start, end] = [(Math.floor(from) - first) * perIndex, (Math.ceil(to) - first + 1) * perIndex];
    return extent(value, Math.floor(start), Math.ceil(end), isLog);
  }

  /** The element at an index; NaN in an envelope, which does not know it. */
  read(x) {
    const { value, first, reduced } = this.shown ?? {};
    const at = Math.round(x) - first;
    return value && !reduced && at >= 0 && at < value.length ? Number(value[at]) : NaN;
  }

  /** Least and greatest of the stretch of an envelope. @returns {[number, number]|null} */
  readRange(x) {
    const { value, first, count, reduced } = this.shown ?? {};
    const at = reduced ? 2 * Math.floor(((x - first) * reduced) / count) : -1;
    return at >= 0 && at < value.length ? [Number(value[at]), Number(value[at + 1])] : null;
  }
}

const isArray = (value) => ArrayBuffer.isView(value) || Array.isArray(value);
const isNumber = (value) => typeof value === "number" || typeof value === "bigint";

/** @returns {number[]} none when the record sets none: NaN, or 0 for both */
function limitsOf({ metadata }, kind) {
  const { low, high } = metadata?.[kind] ?? {};
  return [low, high].some(Boolean) ? [low, high].filter(Number.isFinite) : [];
}
