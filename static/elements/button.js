/** `<epics-button pv="..." value="1">Start</epics-button>`: writes its value when pressed. */

import { setText } from "./state.js";
import { sheet } from "./style.js";
import { WritableElement, writableRow } from "./write.js";

const looks = sheet(`
button { min-width: 4.5em; }
button:active:not([aria-disabled="true"]), :host([data-pressed]) button {
  background: var(--_accent);
  color: var(--_on-accent);
}
[part~="units"] { display: none; }
`);
const PRESS_KEYS = new Set([" ", "Enter"]);

/** With `release-value` it is a momentary one: that is written when it is let go, whatever happens meanwhile. */
export class EpicsButton extends WritableElement {
  static observedAttributes = [...WritableElement.observedAttributes, "value", "release-value"];
  static styles = [...WritableElement.styles, looks];
  static template = writableRow(`<button part="control" type="button"><slot></slot></button>`)
    .replace(`<span part="label"></span>`, "")
    .replace("<slot></slot>", `<slot><span class="text"></span></slot>`);

  constructor() {
    super();
    const button = this.find("control");
    button.addEventListener("click", () => this.#click());
    button.addEventListener("pointerdown", (event) => this.#onpointer(event));
    button.addEventListener("keydown", (event) => this.#onkey(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture", "keyup", "blur"]) {
      button.addEventListener(end, () => this.#release());
    }
  }

  /** What the page put inside, or `label`, or the value. */
  get displayName() {
    return this.textContent.trim() || this.getAttribute("label") || `${this.names[0] ?? this.pv} ${this.#value}`;
  }

  disconnectedCallback() {
    this.#release();
    super.disconnectedCallback();
  }

  /** It is let go at the PV at which it was pressed. */
  onLeave() {
    this.#release();
    super.onLeave();
  }

  render(update) {
    super.render(update);
    setText(this.shadowRoot.querySelector(".text"), this.getAttribute("label") ?? (this.#value || "Write"));
  }

  get reason() {
    if (this.#isMomentary && this.hasAttribute("confirm")) return "confirm and release-value exclude each other";
    return this.hasAttribute("value") ? super.reason : "The attribute value is missing";
  }

  get #value() {
    return this.getAttribute("value") ?? "";
  }

  get #isMomentary() {
    return this.hasAttribute("release-value");
  }

  #click() {
    if (this.mayWrite && !this.#isMomentary) this.writeText(this.#value);
  }

  #onpointer({ button, pointerId }) {
    if (button !== 0 || !this.#isMomentary) return;
    this.find("control").setPointerCapture(pointerId);
    this.#press();
  }

  #onkey(event) {
    if (!PRESS_KEYS.has(event.key) || !this.#isMomentary) return;
    event.preventDefault();
    if (!event.repeat) this.#press();
  }

  #press() {
    if (!this.mayWrite || this.hasAttribute("data-pressed")) return;
    this.toggleAttribute("data-pressed", true);
    this.writeText(this.#value);
  }

  /**
   * Even if it may no longer write: the server decides. What the press has begun may go on until this ends it, so this
   * must not wait for that.
   */
  #release() {
    if (!this.hasAttribute("data-pressed")) return;
    this.removeAttribute("data-pressed");
    this.putText(this.getAttribute("release-value"), { wait: false });
  }
}
