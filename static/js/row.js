/** One row of the live table. Cells are written only when their text has changed. */

import { formatStatus, formatTime, formatValue, isArray } from "../elements/format.js";
import { isLive } from "./readings.js";

const COLUMNS = ["value", "units", "status-text", "time"];

export class Row {
  #name;
  #cells;
  #buttons;
  /** The PV that the row shows. */
  name = "";

  /** @param {HTMLTableRowElement} element a copy of the page's template */
  constructor(element) {
    this.element = element;
    this.#name = element.querySelector(".name");
    this.#cells = COLUMNS.map((column) => new Cell(element.querySelector(`.${column}`)));
    this.#buttons = [...element.querySelectorAll("button")];
  }

  /** @param {string} name of the PV that it shows from now on @param {number} index among all rows */
  place(name, index) {
    this.element.id = `row-${index}`;
    this.element.setAttribute("aria-rowindex", String(index + 2));
    if (name === this.name) return;
    this.name = name;
    this.element.dataset.pv = name;
    this.#name.textContent = name;
    this.#name.title = name;
    for (const button of this.#buttons) button.setAttribute("aria-label", `${button.title} ${name}`);
  }

  /** @param {import("./readings.js").Reading} reading */
  render({ update }) {
    const texts = update ? textsOf(update) : ["", "", "Searching…", ""];
    this.#cells.forEach((cell, index) => cell.write(texts[index]));
    const live = isLive(update);
    this.#setData("condition", update?.condition ?? "searching");
    this.#setData("live", String(live));
    this.#setData("severity", live ? update.severity ?? "" : "");
    this.#setData("kind", kindOf(update));
  }

  /** @param {boolean} selected */
  mark(selected) {
    const text = String(selected);
    if (this.element.getAttribute("aria-selected") !== text) this.element.setAttribute("aria-selected", text);
  }

  #setData(key, value) {
    if (this.element.dataset[key] !== value) this.element.dataset[key] = value;
  }
}

class Cell {
  #node = document.createTextNode("");

  /** @param {HTMLElement} element */
  constructor(element) {
    element.append(this.#node);
  }

  write(text) {
    if (this.#node.data !== text) this.#node.data = text;
  }
}

function textsOf(update) {
  const hasValue = update.value !== undefined;
  return [
    formatValue(update),
    hasValue ? update.units : "",
    formatStatus(update),
    update.timestamp ? formatTime(update.timestamp) : "",
  ];
}

function kindOf(update) {
  if (update?.value === undefined) return "none";
  if (isArray(update.value)) return "array";
  return typeof update.value === "number" && !update.text ? "number" : "text";
}
