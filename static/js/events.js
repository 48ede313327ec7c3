/** The list of alarm and connection transitions, the newest first. It only tells: there is nothing to acknowledge. */

import { formatSince, formatValue } from "../elements/format.js";

const KEPT = 1000;
const SHOWN = 200;
const RENDER_EVERY = 250;
const REASONS = { lost: "Disconnected", read_denied: "Reading is denied" };

export class Events {
  #ca;
  #list;
  #nothing;
  #find;
  #mine;
  #kinds;
  /** The newest first. @type {object[]} */
  #events = [];
  #missed = 0;
  #watch = null;
  #layout = null;
  #pvs = new Set();
  #timer = null;
  /** The lines in the page, by what they say. @type {Map<string, HTMLElement>} */
  #lines = new Map();

  /** @type {(changes: Partial<import("./layout.js").Layout["events"]>) => void} */
  onchange = () => {};
  /** @type {() => void} */
  onclose = () => {};
  /** @type {(name: string) => void} */
  onselect = () => {};
  /** The metadata of a PV, where the page has it. @type {(name: string) => object|null} */
  metadataOf = () => null;

  /**
   * @param {HTMLElement} element
   * @param {import("../pycaserver.js").PVClient} ca
   */
  constructor(element, ca) {
    this.#ca = ca;
    this.#list = element.querySelector("ol");
    this.#nothing = element.querySelector(".nothing");
    this.#find = element.querySelector(".find");
    this.#mine = element.querySelector(".mine");
    this.#kinds = element.querySelectorAll("[data-kind]");
    this.#find.addEventListener("input", () => this.onchange({ find: this.#find.value }));
    this.#mine.addEventListener("change", () => this.onchange({ mine: this.#mine.checked }));
    element.querySelector(".close").addEventListener("click", () => this.onclose());
    this.#list.addEventListener("click", (event) => this.#click(event.target.closest("button")));
    for (const button of this.#kinds) {
      button.addEventListener("click", () => this.onchange({ kind: button.dataset.kind }));
    }
  }

  /**
   * @param {import("./layout.js").Layout["events"]} layout
   * @param {readonly string[]} pvs of the page
   */
  show(layout, pvs) {
    this.#layout = layout;
    this.#pvs = new Set(pvs);
    if (this.#find.value !== layout.find) this.#find.value = layout.find;
    this.#mine.checked = layout.mine;
    for (const button of this.#kinds) button.setAttribute("aria-pressed", String(button.dataset.kind === layout.kind));
    if (layout.open) this.#open();
    else this.#close();
  }

  #open() {
    this.#watch ??= this.#ca.watchEvents((told) => this.#take(told), { limit: KEPT });
    this.#render();
  }

  #close() {
    this.#watch?.close();
    this.#watch = null;
    this.#events = [];
    this.#missed = 0;
  }

  /** Values may read otherwise: metadata has come. */
  renderSoon() {
    this.#timer ??= setTimeout(() => this.#render(), RENDER_EVERY);
  }

  #take({ events, missed }) {
    this.#events = this.#bounded([...events.toReversed(), ...this.#events]);
    this.#missed += missed;
    this.renderSoon();
  }

  /** What happens elsewhere in the facility must not push out what happened to the PVs of the page. */
  #bounded(events) {
    const left = { mine: KEPT, other: KEPT };
    return events.filter(({ pv }) => left[this.#pvs.has(pv) ? "mine" : "other"]-- > 0);
  }

  #render() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#layout.open) return;
    const matching = this.#events.filter((event) => this.#matches(event));
    this.#place(matching.slice(0, SHOWN));
    this.#nothing.textContent = this.#remark(matching.length);
  }

  /** Lines that stay are left as they are: one may have the focus, or be pressed. */
  #place(events) {
    const old = this.#lines;
    this.#lines = new Map(events.map((event) => {
      const value = formatEventValue(event, this.metadataOf(event.pv));
      const key = `${event.id} ${timeOf(event)} ${value}`;
      return [key, old.get(key) ?? makeEvent(event, value)];
    }));
    for (const [key, line] of old) if (!this.#lines.has(key)) line.remove();
    let next = this.#list.firstElementChild;
    for (const line of this.#lines.values()) {
      if (line === next) next = line.nextElementSibling;
      else this.#list.insertBefore(line, next);
    }
  }

  #matches(event) {
    const { kind, find, mine } = this.#layout;
    if (kind !== "all" && kind !== event.kind) return false;
    if (mine && !this.#pvs.has(event.pv)) return false;
    const text = `${event.pv} ${describe(event)}`.toLowerCase();
    return find.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  #remark(matching) {
    const missed = this.#missed ? `${this.#missed} were missed. ` : "";
    if (matching > SHOWN) return `${missed}The newest ${SHOWN} of ${matching}.`;
    if (matching) return missed;
    if (this.#events.length) return `${missed}No event matches.`;
    return `${missed}No PV in use has changed its alarm or connection yet.`;
  }

  #click(button) {
    if (button) this.onselect(button.textContent);
  }
}

function describe(event) {
  if (event.kind === "connection") return event.conn ? "Connected" : REASONS[event.reason] ?? "Disconnected";
  return event.severity === "NO_ALARM" ? "OK" : `${event.severity} ${event.status}`;
}

/** With its date from the next day on. */
const timeOf = (event) => formatSince(event.time);

/** As the table shows it: an enum by its state, a number with the record's precision. */
function formatEventValue({ value }, metadata) {
  return formatValue({ value, text: metadata?.enumStrings?.[value] ?? null, metadata });
}

/** One line: when, how bad, which PV, what. */
function makeEvent(event, value) {
  const line = document.createElement("li");
  const name = document.createElement("button");
  name.type = "button";
  name.textContent = event.pv;
  line.dataset.severity = event.kind === "alarm" ? event.severity : "";
  line.dataset.live = String(event.kind === "alarm" || event.conn);
  line.append(part("time", timeOf(event)), part("shape"), name, part("what", describe(event)));
  line.append(part("value", value));
  return line;
}

function part(name, text = "") {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  return span;
}
