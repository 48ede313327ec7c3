/** `<epics-slider pv="...">`: sets a value between the control limits, while it is dragged and by keys. */

import { formatNumber } from "./format.js";
import { fractionOf, rangeOf } from "./range.js";
import { setText } from "./state.js";
import { sheet } from "./style.js";
import { formatOf } from "./value.js";
import { WritableElement, writableRow } from "./write.js";

/** Writes per second while it moves, unless `rate` says another number. */
const RATE = 5;
/** Steps from end to end, unless `step` says how long one is. */
const STEPS = 1000;
const INTEGERS = new Set(["short", "long", "char", "enum", "int64"]);

const track = `height: 0.4em; border-radius: 0.2em;
  background: linear-gradient(to right, var(--_fill) calc(var(--_at) * 100%), var(--_track) calc(var(--_at) * 100%));`;
const thumb = `box-sizing: border-box; width: 1.125em; height: 1.125em; border: 2px solid var(--_background);
  border-radius: 50%; background: var(--_fill); box-shadow: 0 0 0 1px var(--_fill);`;
const looks = sheet(`
[part~="control"] {
  appearance: none;
  flex: 0 20 var(--epics-slider-width, 11em);
  width: var(--epics-slider-width, 11em);
  min-width: 4em;
  padding: 0;
  border: 0;
  background: none;
  cursor: pointer;
}
[part~="control"]::-webkit-slider-runnable-track { ${track} }
[part~="control"]::-moz-range-track { ${track} }
[part~="control"]::-webkit-slider-thumb { appearance: none; margin-top: -0.3625em; ${thumb} }
[part~="control"]::-moz-range-thumb { ${thumb} }
[part~="control"][aria-disabled="true"] { --_fill: var(--_offline); }
.empty::-webkit-slider-thumb { opacity: 0; }
.empty::-moz-range-thumb { opacity: 0; }
:host([data-pending]) [part~="control"]::-webkit-slider-thumb { background: var(--_background); }
:host([data-pending]) [part~="control"]::-moz-range-thumb { background: var(--_background); }
[part~="value"] { min-width: var(--epics-value-width, 3.5em); flex: none; text-align: end; white-space: nowrap; }
`);

export class EpicsSlider extends WritableElement {
  static observedAttributes = [...WritableElement.observedAttributes, "min", "max", "step", "format", "precision"];
  static styles = [...WritableElement.styles, looks];
  static template = writableRow(`<input part="control" type="range"><span part="value"></span>`);

  #isDragging = false;
  #next;
  /** Of the PV of now, while it writes. @type {object|null} */
  #sending = null;

  constructor() {
    super();
    const control = this.find("control");
    control.addEventListener("input", () => this.#oninput());
    control.addEventListener("change", () => this.#onchange());
    for (const end of ["pointerup", "pointercancel", "keyup", "blur"]) {
      control.addEventListener(end, ({ type }) => this.#onend(type));
    }
    for (const kind of ["pointerdown", "keydown"]) control.addEventListener(kind, (event) => this.#block(event));
  }

  get reason() {
    return super.reason || (this.#range ? "" : "No limits: the attributes min and max are missing");
  }

  /** Where it was dragged to was meant for the PV of then. */
  onLeave() {
    super.onLeave();
    this.#isDragging = false;
    this.#next = undefined;
    this.#sending = null;
  }

  render(update) {
    super.render(update);
    const control = this.find("control");
    const { low, high } = this.#range ?? { low: 0, high: 1 };
    Object.assign(control, { min: low, max: high, step: this.#step(low, high) });
    control.classList.toggle("empty", !Number.isFinite(Number(this.shown ?? NaN)));
    if (!this.#isUsers) control.value = Number(this.shown ?? low);
    this.#showValue();
  }

  /** Whether the place is the user's: it is dragged, asked about, or still to be written. */
  get #isUsers() {
    return this.#isDragging || this.isAsking || this.#next !== undefined;
  }

  get #range() {
    return rangeOf(this, this.update, ["control", "display"]);
  }

  #step(low, high) {
    const { type, precision } = this.update.metadata ?? {};
    if (this.hasAttribute("step")) return Number(this.getAttribute("step"));
    if (INTEGERS.has(type)) return 1;
    return Math.max(10 ** -(precision ?? 17), 10 ** Math.floor(Math.log10((high - low) / STEPS)));
  }

  #showValue() {
    const { update } = this;
    const control = this.find("control");
    const shown = this.#isUsers ? control.valueAsNumber : this.shown;
    const text = shown === undefined ? "–" : formatNumber(shown, update.metadata, formatOf(this));
    setText(this.find("value"), text);
    control.ariaValueText = `${text} ${update.units}`.trim();
    control.style.setProperty("--_at", fractionOf(control.valueAsNumber, { low: control.min, high: control.max }));
  }

  #block(event) {
    if (!this.mayWrite && event.key !== "Tab") event.preventDefault();
  }

  #oninput() {
    this.#isDragging = true;
    this.#showValue();
    if (this.#rate > 0) this.#send(this.find("control").valueAsNumber);
  }

  /** There is no `change` where it is dragged back to where it was; where there is one it comes before this is over. */
  #onend(type) {
    if (type === "keyup" && this.find("control").matches(":active")) return; // the pointer still drags
    setTimeout(() => this.#settle());
  }

  /** Show the PV's value again. */
  #settle() {
    this.#isDragging = false;
    this.renderSoon();
  }

  #onchange() {
    this.#settle();
    if (this.#rate === 0) this.write(this.find("control").valueAsNumber).then(() => this.renderSoon());
  }

  /** Writes per second while it moves; 0: only when it is let go, as a confirmation demands. */
  get #rate() {
    return this.hasAttribute("confirm") ? 0 : Number(this.getAttribute("rate") ?? RATE);
  }

  /** One write at a time, and no more than the rate; of several that wait the newest goes. */
  async #send(value) {
    this.#next = value;
    if (this.#sending) return;
    const sending = (this.#sending = {});
    while (this.#sending === sending && this.#next !== undefined) {
      const next = this.#next;
      this.#next = undefined;
      await Promise.all([this.write(next), pause(1000 / this.#rate)]);
    }
    if (this.#sending === sending) this.#sending = null;
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
