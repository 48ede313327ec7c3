/** `<epics-table pv="A B C">`: a live table of several PVs. */

import { EpicsElement } from "./element.js";
import { formatTime, formatValue } from "./format.js";
import { drawState, sentenceOf, setText, shapeOf, STATE, wordOf } from "./state.js";
import { sheet } from "./style.js";
import { formatOf } from "./value.js";

const COLUMNS = {
  name: { title: "Name", text: ({ pv }) => pv },
  value: { title: "Value", text: (update, format) => formatValue(update, format) || "–" },
  units: { title: "Units", text: ({ units }) => units },
  state: { title: "State" },
  time: { title: "Time", text: ({ timestamp }) => (timestamp === null ? "" : formatTime(timestamp)) },
};

const looks = sheet(`
:host { display: inline-block; overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
caption { padding: 0 0.75em 0.5em; color: var(--_quiet); text-align: start; }
caption:empty { display: none; }
th, td { padding: 0.4em 0.75em; border-bottom: 1px solid var(--_track); text-align: start; white-space: nowrap; }
thead th { padding-inline: 0.923em; color: var(--_quiet); font-size: 0.8125em; font-weight: 500; }
tbody th { font-weight: 500; }
tbody tr:last-child > * { border-bottom: 0; }
[part~="value"], th.value { text-align: end; }
td[part~="units"] { font-size: 1em; }
td[part~="value"] { max-width: 24em; overflow: hidden; text-overflow: ellipsis; }
td[part~="value"] { color: var(--_text); }
tr:not([data-condition="live"]) [part~="value"] { color: var(--_offline); }
[part~="time"] { color: var(--_quiet); }
tr[data-severity] th { box-shadow: inset 3px 0 transparent; }
tr:is([data-severity="MINOR"], [data-severity="MAJOR"], [data-severity="INVALID"]) > :first-child {
  box-shadow: inset 3px 0 var(--_tone);
}
td [part~="state"] { min-width: 7em; max-width: 20em; }
`);

export class EpicsTable extends EpicsElement {
  static observedAttributes = [...EpicsElement.observedAttributes, "columns", "format", "precision"];
  static styles = [looks];
  static template = `<table><caption part="label"></caption><thead><tr></tr></thead><tbody></tbody></table>` +
    `<span class="unseen" role="status"></span>`;
  static isMultiple = true;

  #drawn = "";

  /** Those of `columns` that there are; all without it. */
  get #columns() {
    const asked = (this.getAttribute("columns") ?? "").split(/\s+/).filter((name) => Object.hasOwn(COLUMNS, name));
    return asked.length ? asked : Object.keys(COLUMNS);
  }

  render(_update, updates) {
    const columns = this.#columns;
    const drawn = JSON.stringify([columns, this.names]);
    if (drawn !== this.#drawn) this.#build(columns);
    this.#drawn = drawn;
    const rows = this.shadowRoot.querySelector("tbody").rows;
    updates.forEach((update, index) => this.#drawRow(rows[index], update, columns));
  }

  #build(columns) {
    const [head, body] = ["thead tr", "tbody"].map((selector) => this.shadowRoot.querySelector(selector));
    head.replaceChildren(...columns.map(makeHeading));
    body.replaceChildren(...this.updates.map(() => makeRow(columns)));
  }

  #drawRow(row, update, columns) {
    const isLive = update.condition === "live";
    row.dataset.condition = update.condition;
    row.dataset.severity = isLive ? update.severity : "";
    row.title = sentenceOf(update);
    columns.forEach((column, index) => {
      const { text } = COLUMNS[column];
      if (text) setText(row.cells[index], text(update, formatOf(this)));
      else drawState(row.cells[index].firstChild, shapeOf(update), wordOf(update), isLive ? update.severity : "");
    });
  }
}

function makeHeading(column) {
  const heading = document.createElement("th");
  heading.scope = "col";
  heading.className = column;
  heading.textContent = COLUMNS[column].title;
  return heading;
}

function makeRow(columns) {
  const row = document.createElement("tr");
  row.append(...columns.map(makeCell));
  return row;
}

function makeCell(column) {
  const cell = document.createElement(column === "name" ? "th" : "td");
  if (column === "name") cell.scope = "row";
  if (column === "state") cell.innerHTML = STATE;
  else cell.setAttribute("part", column);
  return cell;
}
