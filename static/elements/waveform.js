/** `<epics-waveform pv="...">`: arrays of up to millions of elements; the server sends what can be seen. */

import { ArrayCurve } from "./curve.js";
import { numberOf } from "./numbers.js";
import { EpicsPlot } from "./plot.js";

const SETTLE = 120;
/** Of the window's width, asked for on either side, so that a small move shows something at once. */
const MARGIN = 0.5;
/** Elements per pixel up to which a window is asked for as it is; beyond that an envelope of it. */
const EXACT_PER_PIXEL = 8;
const WIDTH_STEP = 64;
const FINEST = 4;

export class EpicsWaveform extends EpicsPlot {
  static observedAttributes = [...EpicsPlot.observedAttributes, "x-start", "x-step", "x-units"];

  isTime = false;
  /** What of the array the server is asked for. */
  #wish = {};
  #timer = 0;

  get options() {
    return { ...super.options, ...this.#wish };
  }

  connectedCallback() {
    this.#wish = this.#wanted();
    super.connectedCallback();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  makeCurve(name, index) {
    return new ArrayCurve(name, index);
  }

  get home() {
    return [0, Math.max(1, ...this.curves.map(({ total }) => total - 1))];
  }

  get bounds() {
    return this.home;
  }

  get finest() {
    return FINEST;
  }

  isDrawable({ shown }) {
    return shown !== null && shown.value.length > 0;
  }

  onUpdate(update, index) {
    this.curves[index].isWindow = this.zoom !== null;
    if (!this.paused || update.kind !== "value") super.onUpdate(update, index);
  }

  /** What came while it stood still was not shown. */
  onResume() {
    for (const [index, update] of this.updates.entries()) {
      if (update.value !== undefined) this.onUpdate({ ...update, kind: "value" }, index);
    }
  }

  onView() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), SETTLE);
  }

  note(curves) {
    const { condition, value } = curves[0]?.update ?? {};
    if (condition !== "live") return "No value yet";
    return value?.length === 0 ? "Empty" : "No array of numbers";
  }

  sentence(curves) {
    const [from, to] = this.window.map((x) => this.xLabel(x, 1));
    const values = curves.map((curve) => `${curve.pv} ${this.latest(curve)} ${curve.update.units}`.trim());
    return `Waveform from ${from} to ${to}: ${values.join(", ")}. Plus and minus zoom, arrows move.`;
  }

  /** The range of what is in view. */
  latest(curve) {
    const [low, high] = curve.extent(...this.window, false);
    return low > high ? "–" : `${curve.format(low)} … ${curve.format(high)}`;
  }

  reading(curve, x) {
    const range = curve.readRange(x);
    return range ? `${curve.format(range[0])} … ${curve.format(range[1])}` : super.reading(curve, x);
  }

  /** @param {number} index of an element, or between two @returns {string} in the units of the x axis */
  xLabel(index) {
    const step = numberOf(this, "x-step") ?? 1;
    const x = (numberOf(this, "x-start") ?? 0) + index * step;
    const units = this.getAttribute("x-units") ?? "";
    return `${grouped(Number(x.toPrecision(7)))} ${units}`.trim();
  }

  /** That of the element whose value is read. */
  hoverLabel(index) {
    return this.xLabel(Math.round(index));
  }

  xDifference(elements) {
    const units = this.getAttribute("x-units") ?? "";
    return `${Number((elements * (numberOf(this, "x-step") ?? 1)).toPrecision(4))} ${units}`.trim();
  }

  /** @returns {Promise<(string|number|bigint|null)[][]>} a row for each element in view, read anew if need be */
  async rows() {
    const [from, to] = this.window;
    const arrays = await Promise.all(this.curves.map((curve) => this.#exact(curve)));
    const indexes = Array.from({ length: Math.floor(to) - Math.ceil(from) + 1 }, (_, at) => Math.ceil(from) + at);
    const rows = indexes.map((index) => [index, ...arrays.map(({ value, first }) => value[index - first] ?? null)]);
    return [["index", ...this.names], ...rows.filter((row) => row.some((cell, at) => at && cell !== null))];
  }

  async #exact({ shown, pv }) {
    if (!shown) return { value: [], first: 0 };
    return shown.reduced ? this.client.get(pv) : shown;
  }

  #ask() {
    const wish = this.#wanted();
    if (!this.isConnected || JSON.stringify(wish) === JSON.stringify(this.#wish)) return;
    this.#wish = wish;
    this.resubscribe();
  }

  /** All: two values a pixel. A window: its elements, or an envelope while there are many. */
  #wanted() {
    const pixels = Math.max(1, Math.ceil(this.find("plot").clientWidth / WIDTH_STEP)) * WIDTH_STEP;
    if (!this.zoom) return { reduce: pixels };
    const [from, to] = this.zoom;
    const margin = (to - from) * MARGIN;
    const first = Math.max(0, Math.floor(from - margin));
    const maxCount = Math.ceil(to + margin) - first + 1;
    const isExact = to - from <= pixels * EXACT_PER_PIXEL;
    return { first, maxCount, ...(!isExact && { reduce: pixels * (1 + 2 * MARGIN) }) };
  }
}

/** With thin spaces between thousands: indexes are long. */
function grouped(number) {
  return Math.abs(number) >= 1e4 ? number.toLocaleString("en").replaceAll(",", "\u2009") : String(number);
}
