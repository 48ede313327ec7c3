/** The table below a plot: the lines' names, their values now or under the pointer, and at the cursors. */

import { setText, shapeOf, wordOf } from "./state.js";
import { traceColor, traceDash } from "./theme.js";

const HEAD = `<thead hidden><tr><td></td><th scope="col" class="number at">now</th><td></td><td></td>
<th scope="col" class="number a"></th><th scope="col" class="number b"></th>
<th scope="col" class="number difference"></th></tr></thead>`;
const ROW = `<th scope="row">
<button type="button" class="name-button" aria-pressed="true">
<svg viewBox="0 0 26 10" aria-hidden="true"><path d="M0 5H26" fill="none" stroke-width="2"/></svg>
<span></span></button></th>
<td class="number at" part="value"></td><td class="units"></td><td class="of-state"></td>
<td class="number a"></td><td class="number b"></td><td class="number difference"></td>
<td><button type="button" class="remove">×</button></td>`;

/**
 * @typedef {object} Reading
 * @property {import("./curve.js").Curve} curve
 * @property {string} value
 * @property {[string, string, string]|null} cursors at A, at B, B - A
 * @typedef {{at: string, cursors: [string, string, string]|null, isEditable: boolean}} Head what the columns are
 */

export class Legend {
  #table = document.createElement("table");
  /** @type {Map<import("./curve.js").Curve, HTMLTableRowElement>} */
  #rows = new Map();

  /** @type {(curve: import("./curve.js").Curve) => void} told that a line is to be hidden or shown */
  ontoggle = () => {};
  /** @type {(curve: import("./curve.js").Curve) => void} */
  onremove = () => {};

  /** @param {HTMLElement} host */
  constructor(host) {
    this.#table.innerHTML = `<caption class="unseen">Lines</caption>${HEAD}<tbody></tbody>`;
    host.append(this.#table);
  }

  /**
   * @param {Reading[]} readings
   * @param {Head} head
   */
  update(readings, { at, cursors, isEditable }) {
    this.#keep(readings.map(({ curve }) => curve));
    const head = this.#table.tHead;
    head.hidden = !cursors;
    fill(head, { ".at": at, ...cursorCells(cursors) });
    for (const { curve, value, cursors: values } of readings) this.#fill(curve, value, values, isEditable);
  }

  #keep(curves) {
    for (const [curve, row] of this.#rows) {
      if (curves.includes(curve)) continue;
      row.remove();
      this.#rows.delete(curve);
    }
    for (const curve of curves.filter((curve) => !this.#rows.has(curve))) this.#add(curve);
  }

  #add(curve) {
    const row = this.#table.tBodies[0].insertRow();
    row.innerHTML = ROW;
    row.querySelector(".name-button span").textContent = curve.pv;
    row.querySelector(".name-button").addEventListener("click", () => this.ontoggle(curve));
    const remove = row.querySelector(".remove");
    remove.ariaLabel = `Remove ${curve.pv}`;
    remove.addEventListener("click", () => this.onremove(curve));
    const path = row.querySelector("path");
    path.style.stroke = `var(--_${traceColor(curve.index)})`;
    path.style.strokeDasharray = traceDash(curve.index).join(" ");
    this.#rows.set(curve, row);
  }

  #fill(curve, value, cursors, isEditable) {
    const row = this.#rows.get(curve);
    const { update } = curve;
    row.dataset.severity = shapeOf(update);
    row.querySelector(".name-button").ariaPressed = String(curve.isShown);
    row.querySelector(".remove").hidden = !isEditable;
    fill(row, { ".at": value, ".units": update.units, ".of-state": wordOf(update), ...cursorCells(cursors) });
  }
}

const cursorCells = (texts) => ({ ".a": texts?.[0], ".b": texts?.[1], ".difference": texts?.[2] });

/** Text of cells by selector; a cell without text is hidden. */
function fill(row, texts) {
  for (const [selector, text] of Object.entries(texts)) {
    const cell = row.querySelector(selector);
    cell.hidden = text === undefined;
    setText(cell, text ?? "");
  }
}
