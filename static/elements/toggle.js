/** `<epics-toggle pv="...">`: a switch between two values, 0 and 1 unless the page says others. */

import { parseValue } from "./parse.js";
import { setText } from "./state.js";
import { sheet } from "./style.js";
import { WritableElement, writableRow } from "./write.js";

const looks = sheet(`
[part~="units"] { display: none; }
button[part~="control"] {
  display: inline-flex;
  align-items: center;
  gap: 0.5em;
  padding: 0;
  border: 0;
  background: none;
  cursor: pointer;
}
[part~="track"] {
  position: relative;
  flex: none;
  width: 2.5em;
  height: 1.375em;
  border: 1px solid var(--_border);
  border-radius: 1em;
  background: var(--_track);
  transition: background 0.12s;
}
[part~="thumb"] {
  position: absolute;
  top: 50%;
  left: 0.15em;
  width: 1em;
  height: 1em;
  border-radius: 50%;
  background: var(--_quiet);
  translate: 0 -50%;
  transition: left 0.12s;
}
[aria-checked="true"] [part~="track"] { border-color: var(--_accent); background: var(--_accent); }
[aria-checked="true"] [part~="thumb"] { left: calc(100% - 1.15em); background: var(--_on-accent); }
[aria-disabled="true"] [part~="track"] { opacity: 0.55; }
:host([data-pending]) [part~="track"] { border-style: dashed; border-color: var(--_text); }
:host(:not([data-condition="live"])) [part~="track"] { border-style: dashed; background: none; }
:host(:not([data-condition="live"])) [part~="thumb"] { left: 50%; background: var(--_border); translate: -50% -50%; }
@media (prefers-reduced-motion: reduce) { [part~="track"], [part~="thumb"] { transition: none; } }
`);

export class EpicsToggle extends WritableElement {
  static observedAttributes = [...WritableElement.observedAttributes, "on-value", "off-value"];
  static styles = [...WritableElement.styles, looks];
  static template = writableRow(
    `<button part="control" type="button" role="switch" aria-checked="false">` +
    `<span part="track"><span part="thumb"></span></span><span part="value"></span></button>`,
  );

  constructor() {
    super();
    this.find("control").addEventListener("click", () => this.#flip());
  }

  get isOn() {
    return this.#is(this.shown, this.#valueOf("on"));
  }

  render(update) {
    super.render(update);
    this.find("control").ariaChecked = String(this.isOn);
    setText(this.find("value"), update.value === undefined ? "–" : this.#text);
  }

  get #text() {
    const { enumStrings } = this.update.metadata ?? {};
    return enumStrings ? this.describeValue(this.shown) : this.isOn ? "On" : "Off";
  }

  /** Text that is no value of the PV's type is left to the server to refuse. @param {"on"|"off"} side */
  #valueOf(side) {
    const text = this.getAttribute(`${side}-value`) ?? (side === "on" ? "1" : "0");
    try {
      return parseValue(text, this.update.metadata);
    } catch {
      return text;
    }
  }

  /** An enum's state may be told by its name or its index; a 64-bit integer may be read as a number. */
  #is(value, wanted) {
    if (typeof wanted === "bigint" && value != null) return Number(value) === Number(wanted);
    return value === wanted || this.update.metadata?.enumStrings?.[value] === wanted;
  }

  #flip() {
    if (this.mayWrite && !this.isPending) this.write(this.#valueOf(this.isOn ? "off" : "on"));
  }
}
