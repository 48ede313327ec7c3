/** What a bar and a gauge have in common: a range, bands of alarm, and a meter for screen readers. */

import { EpicsElement } from "./element.js";
import { formatNumber, formatValue, isNumber } from "./format.js";
import { bandsOf, fractionOf, rangeOf } from "./range.js";
import { setText } from "./state.js";
import { formatOf } from "./value.js";

const UNIT_RANGE = { low: 0, high: 1 };

/** A subclass draws by `drawMeter(fraction, bands)`. */
export class MeterElement extends EpicsElement {
  static observedAttributes = [...EpicsElement.observedAttributes, "min", "max", "format", "precision"];
  static role = null;

  #drawnBands = "";

  get named() {
    return this.find("track");
  }

  render(update) {
    const range = rangeOf(this, update, ["display", "control"]);
    const value = isNumber(update) ? Number(update.value) : NaN;
    const text = formatValue(update, formatOf(this)) || "–";
    setText(this.find("value"), text);
    this.#drawScale(range);
    this.#describe(value, range ?? UNIT_RANGE, `${text} ${update.units}`.trim());
    this.toggleAttribute("data-empty", range === null || Number.isNaN(value));
    this.drawMeter(range ? fractionOf(value, range) : 0);
    this.#drawBands(range ? bandsOf(update.metadata, range) : []);
  }

  /** @param {number} _fraction 0 to 1 */
  drawMeter(_fraction) {}

  /** @param {{severity: string, from: number, to: number}} _band @returns {Element} */
  makeBand(_band) {
    return document.createElement("span");
  }

  #drawScale(range) {
    setText(this.find("min"), range ? formatNumber(range.low) : "");
    setText(this.find("max"), range ? formatNumber(range.high) : "");
  }

  #describe(value, { low, high }, text) {
    const now = Number.isNaN(value) ? low : Math.min(Math.max(value, low), high);
    const told = { ariaValueMin: low, ariaValueMax: high, ariaValueNow: now, ariaValueText: text };
    Object.assign(this.find("track"), told);
  }

  #drawBands(bands) {
    const drawn = JSON.stringify(bands);
    if (drawn === this.#drawnBands) return;
    this.#drawnBands = drawn;
    this.find("bands").replaceChildren(...bands.map((band) => this.makeBand(band)));
  }
}
