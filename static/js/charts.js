/** The strip charts that were put together here: a card for each, with its PVs and what can be done to them. */

import { acceptDrop } from "./drag.js";

export class Charts {
  #cards;
  #template;
  #create;
  /** @type {Card[]} in the order of the layout */
  #shown = [];

  /** @type {(index: number, names: string[]) => void} */
  onadd = () => {};
  /** @type {(index: number) => void} */
  onremove = () => {};
  /** A person has changed the chart. @type {(index: number, chart: import("./layout.js").ChartLayout) => void} */
  onchange = () => {};
  /** @param {HTMLElement} element */
  constructor(element) {
    this.#cards = element.querySelector(".cards");
    this.#template = element.querySelector("template");
    this.#create = element.querySelector("#new-chart");
    acceptDrop(this.#create, (names) => this.onadd(this.#shown.length, names));
  }

  /**
   * @param {readonly import("./layout.js").ChartLayout[]} charts
   * @param {string|null} selected what the button for a new chart would put into it
   */
  show(charts, selected) {
    const cards = this.#match(charts);
    for (const card of this.#shown) if (!cards.includes(card)) card.element.remove();
    this.#shown = cards;
    cards.forEach((card, index) => {
      const there = this.#cards.children[index] ?? null;
      if (there !== card.element) this.#cards.insertBefore(card.element, there);
      card.show(charts[index], index);
    });
    this.#create.textContent = selected ? `New chart with ${selected}` : "Drop a PV here for a new chart";
    this.#create.disabled = selected === null;
    this.#create.onclick = () => this.onadd(this.#shown.length, [selected]);
  }

  /** A card keeps its chart, and with it the curves so far, while others come and go. */
  #match(charts) {
    const free = new Set(this.#shown);
    const kept = charts.map((chart) => this.#shown.find((card) => card.chart === chart));
    for (const card of kept) free.delete(card);
    return kept.map((card, index) => card ?? this.#reuse(this.#shown[index], free) ?? this.#makeCard());
  }

  #reuse(card, free) {
    return free.delete(card) ? card : undefined;
  }

  #makeCard() {
    return new Card(this.#template.content.firstElementChild.cloneNode(true), this);
  }
}

class Card {
  #index = 0;
  #plot;
  #remove;
  #panel;
  /** @type {import("./layout.js").ChartLayout|null} that it shows */
  chart = null;

  /**
   * @param {HTMLElement} element
   * @param {Charts} panel
   */
  constructor(element, panel) {
    this.element = element;
    this.#panel = panel;
    this.#plot = element.querySelector("epics-stripchart");
    this.#remove = element.querySelector(".remove");
    this.#remove.addEventListener("click", () => panel.onremove(this.#index));
    this.#plot.addEventListener("epics-view", ({ detail }) => panel.onchange(this.#index, pick(detail)));
    acceptDrop(element, (names) => panel.onadd(this.#index, names));
  }

  /** @param {import("./layout.js").ChartLayout} chart @param {number} index */
  show(chart, index) {
    this.#index = index;
    this.#name(`Chart ${index + 1}`);
    if (chart === this.chart) return;
    this.chart = chart;
    if (!same(pick(this.#plot.view), chart)) this.#plot.view = chart;
  }

  #name(label) {
    if (this.#plot.getAttribute("label") === label) return;
    this.#plot.setAttribute("label", label);
    this.#remove.ariaLabel = this.#remove.title = `Remove ${label.toLowerCase()}`;
  }
}

/** What of a chart's view the address keeps. */
function pick({ pvs, span, scale, zoom }) {
  return { pvs, span, scale, zoom };
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(pick(b));
}
