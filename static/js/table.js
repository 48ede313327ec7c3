/** The live table: one row per PV, of which only those in sight are in the page. The arrow keys move in the grid. */

import { Row } from "./row.js";

const SPARE_ROWS = 4;
const MOVES = {
  ArrowDown: () => 1,
  ArrowUp: () => -1,
  PageDown: (page) => page,
  PageUp: (page) => -page,
  Home: () => -Infinity,
  End: () => Infinity,
};
const FIRST = { ArrowDown: 0, PageDown: 0, Home: 0, ArrowUp: -1, PageUp: -1, End: -1 };

export class Table {
  #scroller;
  #grid;
  #body;
  #template;
  #readings;
  /** @type {readonly string[]} names, from top to bottom */
  #names = [];
  /** @type {Row[]} from top to bottom */
  #rows = [];
  #first = 0;
  #rowHeight = 36;
  #selected = null;
  /** The row that was pressed last, and the PV that it showed then. */
  #pressed = { row: null, name: "" };

  /** @type {(name: string) => void} */
  onselect = () => {};
  /** @type {(name: string) => void} the details are wanted, not only marked */
  onopen = () => {};
  /** @type {(name: string) => void} */
  onremove = () => {};
  /** @type {(name: string, row: HTMLElement) => void} */
  onchart = () => {};

  /**
   * @param {HTMLElement} scroller around the table
   * @param {HTMLTemplateElement} template of one row
   * @param {import("./readings.js").Readings} readings
   */
  constructor(scroller, template, readings) {
    this.#scroller = scroller;
    this.#grid = scroller.querySelector("[role=grid]");
    this.#body = scroller.querySelector("tbody");
    this.#template = template;
    this.#readings = readings;
    this.#body.addEventListener("pointerdown", (event) => this.#hold(event.target.closest("tr")));
    this.#body.addEventListener("click", (event) => this.#click(event));
    this.#grid.addEventListener("keydown", (event) => this.#press(event));
    scroller.addEventListener("scroll", () => this.#place(), { passive: true });
    new ResizeObserver(() => this.#resize()).observe(scroller);
  }

  /** @param {readonly string[]} names that the rows have, from top to bottom */
  show(names) {
    this.#names = names;
    this.#grid.setAttribute("aria-rowcount", String(names.length + 1));
    this.#place();
  }

  /** @param {Set<string>} names whose PVs have changed */
  render(names) {
    for (const row of this.#rows) if (names.has(row.name)) row.render(this.#readings.get(row.name));
  }

  /** @param {string|null} name of the row to mark */
  select(name) {
    this.#selected = name;
    for (const row of this.#rows) row.mark(row.name === name);
    this.#tellActive();
  }

  /** Scroll no further than needed. @param {string} name */
  reveal(name) {
    const index = this.#names.indexOf(name);
    if (index < 0) return;
    const [top, height] = [index * this.#rowHeight, this.#pageHeight];
    const { scrollTop } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (top + this.#rowHeight > scrollTop + height) this.#scroller.scrollTop = top + this.#rowHeight - height;
    this.#place();
  }

  focus() {
    this.#grid.focus();
  }

  get #pageHeight() {
    return Math.max(this.#rowHeight, this.#scroller.clientHeight - this.#body.offsetTop);
  }

  /** The height of a row is the style sheet's business: a phone has cards. */
  #resize() {
    this.#rowHeight = parseFloat(getComputedStyle(this.#grid).getPropertyValue("--row-height")) || 36;
    this.#place();
  }

  /** Put rows where the window looks; what is above and below is only space. */
  #place() {
    const inSight = Math.ceil(this.#pageHeight / this.#rowHeight) + 1 + 2 * SPARE_ROWS;
    const count = Math.min(this.#names.length, inSight);
    const top = Math.floor(this.#scroller.scrollTop / this.#rowHeight) - SPARE_ROWS;
    this.#first = Math.max(0, Math.min(top, this.#names.length - count));
    this.#resizePool(count);
    this.#reserve(this.#names.length * this.#rowHeight, this.#first * this.#rowHeight);
    this.#rows.forEach((row, index) => this.#fill(row, this.#first + index));
    this.#tellActive();
  }

  #reserve(height, above) {
    if (!height) return this.#body.removeAttribute("style");
    this.#body.style.height = `${height}px`;
    this.#body.style.paddingTop = `${above}px`;
  }

  #resizePool(count) {
    while (this.#rows.length > count) this.#rows.pop().element.remove();
    while (this.#rows.length < count) {
      const row = new Row(this.#template.content.firstElementChild.cloneNode(true));
      this.#rows.push(row);
      this.#body.append(row.element);
    }
  }

  #fill(row, index) {
    const name = this.#names[index];
    row.place(name, index);
    row.render(this.#readings.get(name));
    row.mark(name === this.#selected);
  }

  /** The grid has the focus; the selected row is the active one, as long as it is in the page. */
  #tellActive() {
    const row = this.#rows.find(({ name }) => name === this.#selected);
    if (row) this.#grid.setAttribute("aria-activedescendant", row.element.id);
    else this.#grid.removeAttribute("aria-activedescendant");
  }

  #hold(row) {
    this.#pressed = { row, name: row?.dataset.pv };
  }

  /** The row may show another PV by now: what a pointer means is the one on which it was pressed. */
  #click(event) {
    const row = event.target.closest("tr");
    const action = event.target.closest("button")?.dataset.action;
    const isPressed = event.detail > 0 && row === this.#pressed.row;
    if (row) this.#act(action ?? "open", isPressed ? this.#pressed.name : row.dataset.pv, row);
  }

  #press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("thead")) return;
    const action = KEYS[event.key];
    if (event.key in MOVES) this.#move(event.key);
    else if (action && this.#selected !== null) this.#act(action, this.#selected);
    else return;
    event.preventDefault();
  }

  #act(action, name, row = this.#rows.find((row) => row.name === name)?.element ?? this.#grid) {
    if (action === "remove") this.#remove(name);
    else if (action === "chart") this.onchart(name, row);
    else this.onopen(name);
  }

  /** The neighbour is selected next, so that the keyboard stays where it was. */
  #remove(name) {
    const index = this.#names.indexOf(name);
    const neighbour = this.#names[index + 1] ?? this.#names[index - 1];
    if (name === this.#selected && neighbour) this.onselect(neighbour);
    this.onremove(name);
  }

  #move(key) {
    const current = this.#names.indexOf(this.#selected);
    const page = Math.max(1, Math.floor(this.#pageHeight / this.#rowHeight) - 1);
    const wanted = current < 0 ? FIRST[key] : current + MOVES[key](page);
    const last = this.#names.length - 1;
    const index = current < 0 && wanted < 0 ? last : Math.min(Math.max(wanted, 0), last);
    if (index < 0) return;
    this.onselect(this.#names[index]);
    this.reveal(this.#names[index]);
  }
}

/** What a key does to the selected row. */
const KEYS = { Enter: "open", " ": "open", Delete: "remove", c: "chart", C: "chart" };
