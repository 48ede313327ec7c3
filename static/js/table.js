/** The live table: one row per PV. Cells are written only when their text has changed. */

import { formatStatus, formatTime, formatValue } from "../elements/format.js";

const MOVES = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

export class Table {
  #body;
  #template;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #selected = null;

  /** @type {(name: string) => void} */
  onselect = () => {};
  /** @type {(name: string) => void} */
  onremove = () => {};

  /**
   * @param {HTMLTableSectionElement} body
   * @param {HTMLTemplateElement} template of one row
   */
  constructor(body, template) {
    this.#body = body;
    this.#template = template;
    body.addEventListener("click", (event) => this.#click(event));
    body.addEventListener("keydown", (event) => this.#press(event));
  }

  /** @param {import("./pv.js").PV} pv */
  add(pv) {
    const row = new Row(this.#template.content.firstElementChild.cloneNode(true), pv);
    this.#rows.set(pv.name, row);
    this.#body.append(row.element);
    this.#keepReachable();
    row.render();
  }

  /** @param {string} name */
  remove(name) {
    const { element } = this.#rows.get(name);
    const hadFocus = element.contains(document.activeElement);
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    element.remove();
    this.#rows.delete(name);
    if (this.#selected === name) this.#selected = null;
    this.#keepReachable();
    if (hadFocus) neighbour?.focus();
  }

  /** @param {string} name whose PV has changed */
  render(name) {
    this.#rows.get(name)?.render();
  }

  /** @param {string|null} name of the row to mark */
  select(name) {
    this.#rows.get(this.#selected)?.mark(false);
    this.#selected = name;
    this.#rows.get(name)?.mark(true);
    this.#keepReachable();
  }

  /** One row can be reached with Tab, the arrow keys do the rest: the selected one, else the first. */
  #keepReachable() {
    const current = this.#rows.get(this.#selected)?.element ?? this.#body.firstElementChild;
    for (const row of this.#body.querySelectorAll('[tabindex="0"]')) row.tabIndex = -1;
    if (current) current.tabIndex = 0;
  }

  #click(event) {
    const row = event.target.closest("tr");
    if (!row) return;
    if (event.target.closest("button")) this.onremove(row.dataset.pv);
    else this.onselect(row.dataset.pv);
  }

  #press(event) {
    const row = event.target.closest("tr");
    if (event.target !== row) return;
    if (event.key in MOVES) this.#move(row, MOVES[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.onselect(row.dataset.pv);
    else if (event.key === "Delete") this.onremove(row.dataset.pv);
    else return;
    event.preventDefault();
  }

  #move(row, by) {
    const rows = [...this.#body.children];
    const next = rows[Math.min(Math.max(rows.indexOf(row) + by, 0), rows.length - 1)];
    this.onselect(next.dataset.pv);
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }
}

class Row {
  #pv;
  #cells;

  /**
   * @param {HTMLTableRowElement} element
   * @param {import("./pv.js").PV} pv
   */
  constructor(element, pv) {
    this.element = element;
    this.#pv = pv;
    const cell = (name) => new Cell(element.querySelector(`.${name}`));
    this.#cells = { value: cell("value"), units: cell("units"), status: cell("status-text"), time: cell("time") };
    element.dataset.pv = pv.name;
    element.querySelector(".name").textContent = pv.name;
    element.querySelector(".name").title = pv.name;
    element.querySelector("button").setAttribute("aria-label", `Remove ${pv.name}`);
  }

  render() {
    const pv = this.#pv;
    this.#cells.value.write(formatValue(pv));
    this.#cells.units.write(pv.value === undefined ? "" : pv.units);
    this.#cells.status.write(formatStatus(pv));
    this.#cells.time.write(pv.timestamp === null ? "" : formatTime(pv.timestamp));
    setData(this.element, "condition", pv.condition);
    setData(this.element, "live", String(pv.isLive));
    setData(this.element, "severity", pv.isLive ? pv.severity : "");
    setData(this.element, "kind", pv.isArray ? "array" : pv.isNumeric ? "number" : "text");
  }

  mark(selected) {
    this.element.setAttribute("aria-selected", String(selected));
  }
}

class Cell {
  #node = document.createTextNode("");

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    element.append(this.#node);
  }

  write(text) {
    if (this.#node.data !== text) this.#node.data = text;
  }
}

function setData(element, key, value) {
  if (element.dataset[key] !== value) element.dataset[key] = value;
}
