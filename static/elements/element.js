/** What all elements of a PV have in common: the subscription, the state, the name, one drawing per frame. */

import { sharedClient } from "../pycaserver.js";
import { splitNames } from "./names.js";
import { describe, failure, NOTHING, worstOf } from "./report.js";
import { expandMacros, scopes } from "./scope.js";
import { drawState, sentenceOf, setText, shapeOf, STATE, wordOf } from "./state.js";
import { base } from "./style.js";

/** @typedef {import("../pycaserver.js").Update} Update */

/** Values per second: more than an eye can read. */
const MAX_RATE = 10;

/**
 * The usual content of a shadow root: label, body, units and state in a row.
 * @param {string} body
 */
export const row = (body) =>
  `<span part="label"></span>${body}<span part="units"></span>${STATE}<span class="unseen" role="status"></span>`;

/**
 * Base of all elements. A subclass has a `template`, perhaps `styles`, and `render(update, updates)`; it may override
 * `options`, `onUpdate`, `onLeave` and `named`.
 */
export class EpicsElement extends HTMLElement {
  static observedAttributes = ["pv", "server", "max-rate", "label"];
  /** Markup of the shadow root. Parts that are there are kept: label, units, state. */
  static template = row("");
  /** @type {CSSStyleSheet[]} after the base's */
  static styles = [];
  /** The host's role, unless the page gives it another. @type {string|null} */
  static role = "group";
  /** Whether `pv` is a list of names with spaces between. */
  static isMultiple = false;
  /** Whether a click anywhere goes to the control inside. */
  static isControl = false;

  #subscriptions = [];
  /** @type {Update[]} */
  #updates = [];
  #wanted = "";
  #isCheckedSoon = false;
  #frame = 0;
  #announced = "NO_ALARM";
  /** What the element itself has written; what the page wrote stays. */
  #tooltip = "";
  #name = "";
  #parts = new Map();

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: this.constructor.isControl });
    root.adoptedStyleSheets = [base, ...this.constructor.styles];
    root.innerHTML = this.constructor.template;
    this.addEventListener("pointerenter", () => this.#showTooltip());
    this.addEventListener("focusin", () => this.#showTooltip());
  }

  /** The names with macros, as in the attribute. */
  get pv() {
    return this.getAttribute("pv") ?? "";
  }

  set pv(names) {
    this.setAttribute("pv", names);
  }

  /** The client of the server that the element asks. */
  get client() {
    return this.hasAttribute("server") ? sharedClient(this.getAttribute("server")) : sharedClient();
  }

  /** The latest that is known of the (first) PV. @type {Update} */
  get update() {
    return this.#updates[0] ?? NOTHING;
  }

  /** The latest of each PV, in the order of `pv`. @type {readonly Update[]} */
  get updates() {
    return this.#updates;
  }

  /** The PVs that are watched, macros replaced. @type {string[]} */
  get names() {
    return this.#updates.map(({ pv }) => pv);
  }

  /** What people call it: the attribute `label`, or the names. @type {string} */
  get displayName() {
    return this.getAttribute("label") || this.names.join(", ") || this.pv;
  }

  /** Monitor options of this element. @returns {import("../pycaserver.js").MonitorOptions} */
  get options() {
    return { maxRate: Number(this.getAttribute("max-rate") ?? MAX_RATE) };
  }

  /** What carries the accessible name: the host, or a control inside. @type {Element} */
  get named() {
    return this;
  }

  connectedCallback() {
    const { role } = this.constructor;
    if (role && !this.hasAttribute("role")) this.setAttribute("role", role);
    scopes.addEventListener("change", this.#onscopes);
    this.#checkSoon();
  }

  disconnectedCallback() {
    scopes.removeEventListener("change", this.#onscopes);
    this.#checkSoon();
  }

  attributeChangedCallback(name, old, now) {
    if (old !== now) this.#checkSoon();
    if (old !== now) this.renderSoon();
  }

  /** Draw at the next frame. */
  renderSoon() {
    this.#frame ||= requestAnimationFrame(() => this.#render());
  }

  /** Ask anew for what is wanted now, such as after a change of `options`. */
  resubscribe() {
    this.#wanted = "";
    this.#checkSoon();
  }

  /**
   * Watch these PVs, and no others; those of `pv` by default.
   * @param {string[]} names without macros
   */
  watch(names) {
    this.#leave();
    this.#updates = names.map((pv) => ({ ...NOTHING, pv }));
    const { client, options } = this;
    for (const [index, pv] of names.entries()) {
      this.#subscriptions.push(client.monitor(pv, options, (update) => this.#take(update, index)));
    }
  }

  /** Every update of every PV, as it comes. @param {Update} _update @param {number} _index in `names` */
  onUpdate(_update, _index) {}

  /** No PV is watched any longer. */
  onLeave() {}

  /**
   * Draw; at most once per frame, and only after a change.
   * @param {Update} _update of the first PV
   * @param {readonly Update[]} _updates of all
   */
  render(_update, _updates) {}

  /** @param {string} name @returns {HTMLElement|null} a part of the shadow root */
  find(name) {
    if (!this.#parts.has(name)) this.#parts.set(name, this.shadowRoot.querySelector(`[part~="${name}"]`));
    return this.#parts.get(name);
  }

  /** The state part, unless a subclass has more to tell. @returns {[shape: string, word: string, unseen: string]} */
  get state() {
    const worst = this.#worst;
    const isAlarm = worst.condition === "live" && worst.severity !== "NO_ALARM";
    return [shapeOf(worst), wordOf(worst), isAlarm ? worst.severity : ""];
  }

  #onscopes = () => this.#checkSoon();

  /** In a microtask: an element that is moved, or given several attributes, does not subscribe anew each time. */
  #checkSoon() {
    if (this.#isCheckedSoon) return;
    this.#isCheckedSoon = true;
    queueMicrotask(() => {
      this.#isCheckedSoon = false;
      this.#check();
    });
  }

  #check() {
    if (!this.isConnected) return this.#leave();
    try {
      this.#follow(this.#expandedNames());
    } catch (error) {
      this.#leave();
      this.#updates = [failure(this.pv, error)];
    }
    this.renderSoon();
  }

  /** @param {string[]} names */
  #follow(names) {
    const wanted = JSON.stringify([names, this.getAttribute("server"), this.options]);
    if (wanted === this.#wanted) return;
    this.watch(names);
    this.#wanted = wanted;
  }

  #expandedNames() {
    const text = expandMacros(this.pv, this).trim();
    if (text === "") throw new SyntaxError("The attribute pv is missing");
    return this.constructor.isMultiple ? splitNames(text) : [text];
  }

  #leave() {
    if (this.#subscriptions.length > 0) this.onLeave();
    for (const subscription of this.#subscriptions) subscription.close();
    this.#subscriptions = [];
    this.#wanted = "";
  }

  #take(update, index) {
    this.#updates = Object.assign([...this.#updates], { [index]: update });
    this.onUpdate(update, index);
    this.renderSoon();
  }

  #render() {
    this.#frame = 0;
    const { update } = this;
    this.#reflect();
    this.#drawFrame(update);
    this.render(update, this.#updates);
    if (this.hasAttribute("announce")) this.#announce(this.#worst);
  }

  #reflect() {
    const { condition, severity, access } = this.#worst;
    setAttribute(this, "data-condition", condition);
    setAttribute(this, "data-severity", condition === "live" ? severity : null);
    setAttribute(this, "data-access", access && (access.write ? "write" : access.read ? "read" : "none"));
    this.#nameIt();
  }

  /** What the page itself calls the host goes before. */
  #nameIt() {
    const { named } = this;
    const given = this.getAttribute("aria-label") ?? "";
    const isOurs = given === this.#name;
    if (named !== this) return setAttribute(named, "aria-label", isOurs ? this.displayName : given);
    if (isOurs) setAttribute(this, "aria-label", (this.#name = this.displayName));
  }

  #drawFrame({ units }) {
    const [label, unit, state] = ["label", "units", "state"].map((name) => this.find(name));
    if (label) setText(label, this.getAttribute("label") ?? "");
    if (unit) setText(unit, units);
    if (state) drawState(state, ...this.state);
  }

  /** The update that needs most attention. @type {Update} */
  get #worst() {
    return worstOf(this.#updates) ?? NOTHING;
  }

  /** Once for each change of severity, or loss: never for values, nor while all begins. */
  #announce(update) {
    const now = update.condition === "live" ? update.severity : update.condition;
    if (now === this.#announced || now === "searching" || now === "connected") return;
    this.#announced = now;
    const status = this.shadowRoot.querySelector("[role=status]");
    if (status) setText(status, `${this.displayName}: ${sentenceOf(update) || "OK"}`);
  }

  /** Made when somebody points at it, not with every value. */
  #showTooltip() {
    if (this.title !== this.#tooltip) return;
    this.title = this.#tooltip = this.#updates.map(describe).join("\n");
  }
}

function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
