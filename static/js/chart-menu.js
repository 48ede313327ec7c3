/** The menu "Add to chart": the keyboard's and the finger's way to do what dragging does. */

import { MAX_CHARTS, MAX_CURVES } from "./layout.js";

export class ChartMenu {
  #menu;
  #name = "";

  /** @type {(index: number, name: string) => void} */
  onadd = () => {};

  /** @param {HTMLElement} menu a popover */
  constructor(menu) {
    this.#menu = menu;
    menu.addEventListener("click", (event) => this.#choose(event.target.closest("button")));
    menu.addEventListener("keydown", (event) => this.#press(event));
  }

  /**
   * Ask where to; without any chart there is nothing to ask.
   * @param {string} name of the PV
   * @param {readonly import("./layout.js").ChartLayout[]} charts
   * @param {"strip"|"wave"} kind of chart that fits
   * @param {HTMLElement} near beside which the menu opens
   */
  open(name, charts, kind, near) {
    this.#name = name;
    const places = [...charts.keys()].filter((index) => fits(charts[index], name, kind));
    const items = places.map((index) => makeItem(labelOf(charts[index], index), index));
    if (charts.length < MAX_CHARTS) items.push(makeItem("New chart", charts.length));
    if (!charts.length) return this.onadd(0, name);
    this.#menu.replaceChildren(...items);
    this.#menu.showPopover();
    this.#placeBeside(near.getBoundingClientRect());
    this.#menu.firstElementChild?.focus();
  }

  #placeBeside({ right, bottom }) {
    const { offsetWidth, offsetHeight, style } = this.#menu;
    style.left = `${Math.max(8, Math.min(right, innerWidth) - offsetWidth - 8)}px`;
    style.top = `${Math.max(8, Math.min(bottom, innerHeight - offsetHeight - 8))}px`;
  }

  #choose(item) {
    if (!item) return;
    this.#menu.hidePopover();
    this.onadd(Number(item.dataset.index), this.#name);
  }

  #press(event) {
    const items = [...this.#menu.children];
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Tab") this.#menu.hidePopover();
    if (next === undefined) return;
    event.preventDefault();
    items.at(next % items.length).focus();
  }
}

function fits(chart, name, kind) {
  return chart.kind === kind && chart.pvs.length < MAX_CURVES && !chart.pvs.includes(name);
}

const labelOf = ({ pvs }, index) => `Chart ${index + 1}: ${pvs.join(", ")}`;

function makeItem(label, index) {
  const item = document.createElement("button");
  item.type = "button";
  item.tabIndex = -1;
  item.setAttribute("role", "menuitem");
  item.dataset.index = String(index);
  item.textContent = label;
  return item;
}
