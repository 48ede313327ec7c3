/** `<epics-led pv="...">`: a lamp, with a shape of its own for on, off and not known. */

import { EpicsElement, row } from "./element.js";
import { formatValue } from "./format.js";
import { setText } from "./state.js";
import { sheet } from "./style.js";

/** States of an enum that a page can colour, by `--epics-led-0` to `--epics-led-15`. */
const STATES = 16;
const stateColors = Array.from({ length: STATES }, (_, index) =>
  `:host([data-index="${index}"]) { --_lamp: var(--epics-led-${index}, var(--_default)); }`).join("\n");

const looks = sheet(`
:host { --_default: var(--epics-led-off, var(--_quiet)); --_lamp: var(--_default); }
:host([data-on]) { --_default: var(--epics-led-on, var(--_ok)); --_lamp: var(--_default); }
${stateColors}
:host(:is([data-severity="MINOR"], [data-severity="MAJOR"], [data-severity="INVALID"])) { --_lamp: var(--_fill); }
:host(:not([data-condition="live"])) { --_lamp: var(--_offline); }
[part~="units"] { display: none; }
svg[part~="lamp"] { flex: none; align-self: center; width: 1.125em; height: 1.125em; overflow: visible; }
.ring { fill: none; stroke: var(--_lamp); stroke-width: 1.5; }
.core { display: none; fill: var(--_lamp); }
.dash { fill: var(--_lamp); }
:host([data-on]) .core { display: inline; }
:host([data-on]) .dash { display: none; }
:host(:not([data-condition="live"])) .ring { stroke-dasharray: 2.2 2; }
:host(:not([data-condition="live"])) :is(.core, .dash) { display: none; }
:host([compact]) [part~="value"] {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
}
`);
const LAMP = `<svg part="lamp" viewBox="0 0 16 16" aria-hidden="true"><circle class="ring" cx="8" cy="8" r="7"/>` +
  `<circle class="core" cx="8" cy="8" r="4.75"/><path class="dash" d="M5 7.25H11V8.75H5Z"/></svg>`;

export class EpicsLed extends EpicsElement {
  static observedAttributes = [...EpicsElement.observedAttributes, "on-value"];
  static styles = [looks];
  static template = row(`${LAMP}<span part="value"></span>`);

  /** Whether the value is one of `on-value` (indices, numbers or states, with | between), or without it not 0. */
  get isOn() {
    const { value, text } = this.update;
    const wanted = this.getAttribute("on-value");
    if (wanted === null) return Boolean(Number(value ?? 0));
    return wanted.split("|").some((one) => one.trim() === text || (value != null && one.trim() === String(value)));
  }

  render(update) {
    const { text, value, metadata } = update;
    this.toggleAttribute("data-on", this.isOn);
    if (Number.isInteger(value)) this.setAttribute("data-index", value);
    const isState = metadata?.type === "enum" || text !== null;
    setText(this.find("value"), value === undefined ? "–" : isState ? formatValue(update) : this.isOn ? "On" : "Off");
  }
}
