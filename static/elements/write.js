/** What all elements that write have in common: access, confirmation, pending, refusal. */

import { confirmed } from "./confirm.js";
import { EpicsElement } from "./element.js";
import { parseValue } from "./parse.js";
import { sentenceOf, STATE, setText } from "./state.js";
import { controls } from "./style.js";

const TIMEOUT = 60;
/** Milliseconds after which a write is told to be under way; most are faster, and would only flicker. */
const SLOW = 250;
/** Milliseconds for which what was written is shown, unless a value comes before. */
const HOLD = 1000;
/** Pixels between what is told of a refusal and the edge of the window. */
const EDGE = 8;
const LOCK = `<svg part="lock" viewBox="0 0 12 12" aria-hidden="true"><path d="M2 5.5H10V11H2Z"/>` +
  `<path d="M3.75 5.5V3.75A2.25 2.25 0 0 1 8.25 3.75V5.5"/></svg>`;

/** @typedef {{wait?: boolean, timeout?: number}} PutOptions `timeout` in seconds */
/** @typedef {{pv: string, value: import("../pycaserver.js").PutValue, isSlow: boolean}} Write one that is under way */

/** @param {string} body with a part "control" */
export const writableRow = (body) =>
  `<span part="label"></span>${body}<span part="units"></span>${LOCK}${STATE}<span class="unseen" id="reason"></span>` +
  `<span class="unseen" role="status"></span><span class="alert" part="box" role="alert"></span>`;

/** Base of the elements that write. A subclass calls `write(value)`, and shows `shown`. */
export class WritableElement extends EpicsElement {
  static observedAttributes = [...EpicsElement.observedAttributes, "confirm", "disabled"];
  static styles = [controls];
  static role = null;
  static isControl = true;

  /** Writes that have not been answered yet, of PVs that were shown before too. @type {Set<Write>} */
  #writes = new Set();
  #isHeld = false;
  #held;
  #holdTimer = 0;
  #hasChanged = false;

  constructor() {
    super();
    this.find("state").id = "state";
    this.addEventListener("keydown", (event) => this.#dismissByEscape(event));
  }

  get named() {
    return this.find("control");
  }

  /** Why nothing can be written now; empty if it can. @returns {string} */
  get reason() {
    const { update } = this;
    if (this.hasAttribute("disabled")) return "Disabled on this page";
    if (update.condition !== "live" && update.condition !== "connected") return sentenceOf(update);
    return update.access?.write ? "" : "Read-only: you may not write this PV";
  }

  get mayWrite() {
    return this.reason === "";
  }

  /** Whether a write to this PV has not been answered yet. */
  get isPending() {
    return this.#pending.length > 0;
  }

  /** Whether the question is open that the attribute `confirm` asks for. */
  get isAsking() {
    return this.shadowRoot.querySelector("dialog") !== null;
  }

  /** Whether something was written, and what the IOC made of it is not known yet. */
  get isHeld() {
    return this.#isHeld;
  }

  /** The value to show: the one just written, until the IOC tells another. */
  get shown() {
    return this.#isHeld ? this.#held : this.update.value;
  }

  get state() {
    return this.#pending.some(({ isSlow }) => isSlow) ? ["pending", "writing", ""] : super.state;
  }

  onUpdate({ kind }) {
    if (kind !== "value") return;
    this.#hasChanged = true;
    if (!this.isPending) this.#release();
  }

  onLeave() {
    this.shadowRoot.querySelector("dialog")?.close();
    this.#release();
  }

  /**
   * Write, after a confirmation if the attribute `confirm` asks for one. The outcome is shown, and told by an event
   * "epics-written" or "epics-refused".
   * @param {import("../pycaserver.js").PutValue} value
   * @returns {Promise<boolean>} whether it was written
   */
  async write(value) {
    if (!this.mayWrite) return this.#refuse(value, { code: "read_only", message: this.reason });
    if (!(await this.#isConfirmed(value))) return false;
    this.#dismiss();
    return this.put(value);
  }

  /** Write text as a value of the PV's type. @param {string} text @returns {Promise<boolean>} */
  async writeText(text) {
    return this.#parsed(text, (value) => this.write(value));
  }

  /** The same as `put` does. @param {string} text @param {PutOptions} [options] @returns {Promise<boolean>} */
  async putText(text, options) {
    return this.#parsed(text, (value) => this.put(value, options));
  }

  /**
   * Write without a question; what was refused before stays told.
   * @param {import("../pycaserver.js").PutValue} value
   * @param {PutOptions} [options] in place of the attributes `no-wait` and `timeout`
   * @returns {Promise<boolean>}
   */
  async put(value, options) {
    const write = { pv: this.names[0], value, isSlow: false };
    this.#begin(write);
    try {
      const { elapsed } = await this.client.put(write.pv, value, { ...this.#putOptions, ...options });
      this.#end(write);
      return this.#tell("epics-written", { pv: write.pv, value, elapsed });
    } catch (error) {
      this.#end(write);
      return this.#fail(write, error);
    }
  }

  /** The PV may be another one by now: then the failure is told with its name. */
  #fail({ pv, value }, { code, message }) {
    if (pv !== this.names[0]) return this.#refuse(value, { pv, code, message: `${pv}: ${message}` });
    this.#release();
    return this.#refuse(value, { code, message: `${message}${this.#beyond(value, code)}` });
  }

  /** Channel Access says only that a write failed: where the value is beyond the control limits, tell them. */
  #beyond(value, code) {
    const { low, high } = this.update.metadata?.control ?? {};
    if (code !== "put_failed" || !(low < high) || (value >= low && value <= high)) return "";
    return ` The limits are ${this.describeValue(low)} to ${this.describeValue(high)}.`;
  }

  async #parsed(text, use) {
    try {
      return await use(parseValue(text, this.update.metadata));
    } catch (error) {
      return this.#refuse(text, { code: "bad_value", message: error.message });
    }
  }

  /** Tell what was refused, until the next write, or until it is dismissed. @returns {false} */
  #refuse(value, { pv = this.names[0], code = "error", message }) {
    this.setAttribute("data-refused", code);
    this.#alert.replaceChildren(...refusal(message, () => this.#dismiss()));
    keepInView(this.#alert);
    this.renderSoon();
    this.#tell("epics-refused", { pv, value, code, message });
    return false;
  }

  get #alert() {
    return this.shadowRoot.querySelector("[role=alert]");
  }

  get #putOptions() {
    const timeout = Number(this.getAttribute("timeout") ?? TIMEOUT);
    return { timeout, wait: !this.hasAttribute("no-wait") };
  }

  /** `{value}` in the question stands for what would be written. */
  async #isConfirmed(value) {
    if (!this.hasAttribute("confirm")) return true;
    const question = this.getAttribute("confirm") || `Write {value} to ${this.displayName}?`;
    return confirmed(this.shadowRoot, question.replaceAll("{value}", () => this.describeValue(value)));
  }

  /** @param {import("../pycaserver.js").PutValue} value @returns {string} for people */
  describeValue(value) {
    const { metadata, units } = this.update;
    return `${metadata?.enumStrings?.[value] ?? value} ${units}`.trim();
  }

  /** Writes to the PV of now that have not been answered yet. */
  get #pending() {
    return [...this.#writes].filter(({ pv }) => pv === this.names[0]);
  }

  #begin(write) {
    this.#writes.add(write);
    this.#hasChanged = false;
    this.#hold(write.value);
    this.#showPending();
    setTimeout(() => this.#setSlow(write), SLOW);
  }

  #end(write) {
    this.#writes.delete(write);
    this.#showPending();
    this.renderSoon();
    if (this.isPending || write.pv !== this.names[0]) return;
    if (this.#hasChanged) this.#release();
    else this.#holdTimer = setTimeout(() => this.#release(), HOLD);
  }

  #showPending() {
    this.toggleAttribute("data-pending", this.isPending);
  }

  #setSlow(write) {
    write.isSlow = true;
    this.renderSoon();
  }

  #hold(value) {
    clearTimeout(this.#holdTimer);
    this.#isHeld = true;
    this.#held = value;
    this.renderSoon();
  }

  #release() {
    clearTimeout(this.#holdTimer);
    this.#isHeld = false;
    this.renderSoon();
  }

  #dismiss() {
    this.removeAttribute("data-refused");
    this.#alert.replaceChildren();
  }

  #dismissByEscape({ key }) {
    if (key === "Escape") this.#dismiss();
  }

  #tell(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  /** Subclasses call this first: it shows to everybody whether the control can be used, and why not. */
  render(_update, _updates) {
    this.#showPending();
    const { reason } = this;
    const control = this.find("control");
    control.setAttribute("aria-disabled", String(reason !== ""));
    control.setAttribute("aria-describedby", "state reason");
    setText(this.shadowRoot.getElementById("reason"), reason);
  }
}

/** What goes beyond the right edge of the window is moved to the left. @param {HTMLElement} box */
function keepInView(box) {
  box.style.translate = "";
  const beyond = box.getBoundingClientRect().right - document.documentElement.clientWidth + EDGE;
  if (beyond > 0) box.style.translate = `${-beyond}px`;
}

/** @returns {Element[]} the server's words, and a button that takes them away */
function refusal(message, dismiss) {
  const [text, button] = ["span", "button"].map((name) => document.createElement(name));
  text.setAttribute("part", "refusal");
  text.textContent = message;
  button.type = "button";
  button.ariaLabel = "Dismiss";
  button.textContent = "×";
  button.addEventListener("click", dismiss);
  return [text, button];
}
