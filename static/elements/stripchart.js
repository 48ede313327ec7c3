/** `<epics-stripchart pv="A B C" span="60">`: the last minutes of several PVs. */

import { TraceCurve } from "./curve.js";
import { isoTime } from "./csv.js";
import { formatClock } from "./format.js";
import { numberOf } from "./numbers.js";
import { EpicsPlot } from "./plot.js";

const SPANS = [["1 min", 60], ["5 min", 300], ["15 min", 900], ["1 h", 3600]];
const SPAN = 60;
const MOST_SECONDS = 1e6;
const MAX_RATE = 20;
const SLOWEST = 500;
const AHEAD = 2;
const FINEST = 1e-3;
const DAY = 86_400;

export class EpicsStripchart extends EpicsPlot {
  isTime = true;
  #pausedAt = 0;
  #reached = SPAN;

  /** Seconds in view. @type {number} */
  get span() {
    const span = numberOf(this, "span");
    return span > 0 ? Math.min(span, MOST_SECONDS) : SPAN;
  }

  set span(seconds) {
    this.setAttribute("span", String(seconds));
  }

  get view() {
    return { ...super.view, span: this.span };
  }

  set view(view) {
    super.view = view;
  }

  get options() {
    return { maxRate: numberOf(this, "max-rate") ?? MAX_RATE, history: this.#reach };
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#onvisibility);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#onvisibility);
  }

  makeCurve(name, index) {
    return new TraceCurve(name, index);
  }

  /** The last seconds, by the clock of the IOC whose clock is the nearest to ours. */
  get home() {
    const end = this.paused ? this.#pausedAt : this.#now;
    return [end - this.span, end];
  }

  /** As far back as there are samples. */
  get bounds() {
    const [from, to] = this.home;
    return [Math.min(from, ...this.curves.map(({ trace }) => trace.firstTime)), to];
  }

  /** Seconds that are wanted of the past: the span, doubled until the view is within. */
  get #reach() {
    const back = this.zoom ? Math.max(0, Date.now() / 1000 - this.zoom[0]) : 0; // the IOC's clock may be ahead
    return Math.min(MOST_SECONDS, this.span * 2 ** Math.max(0, Math.ceil(Math.log2(back / this.span))));
  }

  onView() {
    if (this.#reach > this.#reached) this.resubscribe();
    this.#reached = this.#reach;
  }

  get finest() {
    return FINEST;
  }

  /** A pixel's worth of time; a value that stands still in a long span need not be drawn often. */
  get interval() {
    const [from, to] = this.window;
    return Math.min(SLOWEST, (1000 * (to - from)) / Math.max(1, this.plotWidth));
  }

  get tools() {
    const spans = SPANS.map(([text, seconds]) => ({
      name: text, text, isPressed: () => this.span === seconds && !this.zoom, run: () => this.#setSpan(seconds),
    }));
    return [spans, ...super.tools];
  }

  /** Cursors need a picture that stands still. */
  toggleCursors() {
    if (!this.cursors && !this.zoom) this.paused = true;
    super.toggleCursors();
  }

  isDrawable({ trace }) {
    return trace.length > 0;
  }

  onUpdate(update, index) {
    super.onUpdate(update, index);
    const curve = this.curves[index];
    if (update.condition === "live" && curve.behindSince !== null) this.#refill(curve);
  }

  onLeave() {
    for (const curve of this.curves) curve.interrupt(true);
  }

  onPause() {
    this.#pausedAt = this.#now;
  }

  drawn() {
    if (!this.paused && !this.zoom) this.pace.request();
  }

  note(curves) {
    return curves.some(({ update }) => update.condition === "live") ? "No numbers to draw" : "No value yet";
  }

  sentence(curves) {
    const [from, to] = this.window;
    const values = curves.map((curve) => `${curve.pv} ${this.latest(curve)} ${curve.update.units}`.trim());
    return `Strip chart of ${spanText(to - from)}: ${values.join(", ")}. Plus and minus zoom, arrows move.`;
  }

  latest(curve) {
    return curve.format(curve.last);
  }

  xLabel(x, step) {
    const date = step >= DAY ? new Date(x * 1000).toLocaleDateString() : "";
    if (date) return date;
    return step >= 1 ? formatClock(x) : `${formatClock(x)}.${String(Math.floor((x % 1) * 1000)).padStart(3, "0")}`;
  }

  xDifference(seconds) {
    return `${seconds.toPrecision(4)} s`;
  }

  /** @returns {Iterable<(string|number|null)[]>} a row for each time at which one of the PVs has a sample */
  *rows() {
    const [from, to] = this.window;
    const traces = this.curves.map(({ trace }) => samples(trace, from, to));
    yield ["time", ...this.names];
    for (const [time, row] of joined(traces)) yield [isoTime(time), ...row];
  }

  get #now() {
    const ours = Date.now() / 1000;
    const lives = this.curves.filter(({ isLive, trace }) => isLive && trace.length);
    const now = lives.map((curve) => curve.now).sort((a, b) => Math.abs(a - ours) - Math.abs(b - ours))[0] ?? ours;
    const last = Math.max(...lives.map(({ trace }) => trace.lastTime).filter((time) => time < now + AHEAD));
    return Math.max(now, last);
  }

  #setSpan(seconds) {
    this.zoom = null;
    this.span = seconds;
    this.changed();
  }

  /** Hidden, the client asks for no values; the server keeps them. */
  #onvisibility = () => {
    for (const curve of this.curves) {
      if (document.hidden) curve.interrupt(true);
      else this.#refill(curve);
    }
  };

  /** Take what the server has kept since we last looked; if it is lost again, there is a next time. */
  async #refill(curve) {
    const since = curve.behindSince;
    curve.behindSince = null;
    if (since === null) return;
    const history = await this.client.history(curve.pv, { since }).catch(() => null);
    if (history) curve.backfill(history);
    this.drawNow();
  }
}

/** @returns {[number, number][]} what of a trace is in view */
function samples(trace, from, to) {
  const [start, end] = [Math.max(0, trace.indexAt(from)), trace.indexAt(to) + 1];
  const { times, values } = trace;
  return Array.from({ length: end - start }, (_, at) => [times[start + at], values[start + at]]);
}

/** Traces side by side, oldest first. @returns {[number, (number|null)[]][]} */
function joined(traces) {
  const rows = new Map();
  traces.forEach((trace, at) => {
    for (const [time, value] of trace) {
      if (!rows.has(time)) rows.set(time, Array(traces.length).fill(null));
      rows.get(time)[at] = Number.isNaN(value) ? null : value;
    }
  });
  return [...rows].sort(([a], [b]) => a - b);
}

function spanText(seconds) {
  return seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${Number(seconds.toPrecision(3))} seconds`;
}
