/** The list of PVs: the live table, what it is filtered and sorted by, and the summary of it all. */

import { order } from "./order.js";
import { Table } from "./table.js";

const RENDER_EVERY = 50;
const ORDER_EVERY = 500;
const SORT_LABELS = {
  added: "Sort: as added",
  name: "Sort: name",
  value: "Sort: value",
  state: "Sort: worst alarm",
  time: "Sort: newest",
};
/** What begins with the greatest when it is first sorted by. */
const DESCENDING = new Set(["state", "time"]);

export class List {
  #readings;
  #table;
  #filter;
  #trouble;
  #sort;
  #headers;
  #nothing;
  #summary = document.getElementById("summary");
  #layout = null;
  #order = [];
  #renderedAt = 0;
  #orderedAt = 0;
  #outOfOrder = false;

  /** @type {(changes: Partial<import("./layout.js").Layout>) => void} */
  onchange = () => {};

  /**
   * @param {HTMLElement} element
   * @param {import("./readings.js").Readings} readings
   */
  constructor(element, readings) {
    const part = (selector) => element.querySelector(selector);
    this.#readings = readings;
    this.#table = new Table(part(".scroller"), part("template"), readings);
    [this.#filter, this.#trouble, this.#sort] = ["#filter", "#trouble", "#sort"].map(part);
    this.#headers = element.querySelectorAll("th[data-sort]");
    this.#nothing = part("#nothing");
    this.#listen();
    requestAnimationFrame((now) => this.#frame(now));
  }

  set onselect(callback) {
    this.#table.onselect = callback;
  }

  set onopen(callback) {
    this.#table.onopen = callback;
  }

  set onremove(callback) {
    this.#table.onremove = callback;
  }

  set onchart(callback) {
    this.#table.onchart = callback;
  }

  /** @param {import("./layout.js").Layout} layout */
  show(layout) {
    this.#layout = layout;
    const { filter, trouble, sort } = layout;
    if (this.#filter.value !== filter) this.#filter.value = filter;
    this.#trouble.setAttribute("aria-pressed", String(trouble));
    this.#sort.value = sort.by;
    for (const header of this.#headers) header.ariaSort = sortOf(header.dataset.sort, sort);
    this.#sortRows();
    this.#table.select(layout.selected);
  }

  /** Scroll to a row. @param {string} name */
  reveal(name) {
    this.#table.reveal(name);
  }

  focus() {
    this.#table.focus();
  }

  #listen() {
    this.#filter.addEventListener("input", () => this.onchange({ filter: this.#filter.value }));
    this.#trouble.addEventListener("click", () => this.onchange({ trouble: !this.#layout.trouble }));
    this.#sort.append(...Object.entries(SORT_LABELS).map(([by, label]) => new Option(label, by)));
    this.#sort.addEventListener("change", () => this.#sortBy(this.#sort.value));
    for (const header of this.#headers) {
      header.querySelector("button").addEventListener("click", () => this.#toggleSort(header.dataset.sort));
    }
  }

  #sortBy(by) {
    this.onchange({ sort: { by, down: DESCENDING.has(by) } });
  }

  /** One way, the other way, as added. */
  #toggleSort(by) {
    const { sort } = this.#layout;
    if (sort.by !== by) return this.#sortBy(by);
    if (sort.down === DESCENDING.has(by)) return this.onchange({ sort: { by, down: !sort.down } });
    this.onchange({ sort: { by: "added", down: false } });
  }

  /** One write to the page per frame, however many messages have come; rows change places more calmly. */
  #frame(now) {
    requestAnimationFrame((next) => this.#frame(next));
    if (now - this.#renderedAt < RENDER_EVERY || !this.#layout) return;
    this.#renderedAt = now;
    const changed = this.#readings.takeChanged();
    this.#outOfOrder ||= changed.size > 0;
    if (this.#outOfOrder && now - this.#orderedAt > ORDER_EVERY) this.#sortRows();
    if (!changed.size) return;
    this.#table.render(changed);
    this.#renderSummary();
  }

  #sortRows() {
    this.#orderedAt = performance.now();
    this.#outOfOrder = false;
    const names = order(this.#layout.pvs.map((name) => this.#readings.get(name)), this.#layout);
    if (names.length === this.#order.length && names.every((name, index) => name === this.#order[index])) return;
    this.#order = names;
    this.#table.show(names);
    this.#nothing.textContent = names.length || !this.#layout.pvs.length ? "" : remark(this.#layout);
  }

  #renderSummary() {
    const { all, alarm, offline } = this.#readings.counts;
    const parts = [`${all} PV${all === 1 ? "" : "s"}`];
    if (this.#order.length < all) parts.push(`${this.#order.length} shown`);
    if (alarm) parts.push(`${alarm} in alarm`);
    if (offline) parts.push(`${offline} not live`);
    const text = parts.join(" · ");
    if (this.#summary.textContent !== text) this.#summary.textContent = text;
  }
}

function remark({ filter }) {
  return filter ? "No PV matches." : "Nothing is in alarm, all is live.";
}

function sortOf(by, sort) {
  if (by !== sort.by) return "none";
  return sort.down ? "descending" : "ascending";
}
