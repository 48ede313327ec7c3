/** The charts that were put together here: a card for each, which takes what is dropped on it. */

import { acceptDrop } from "./drag.js";
import { MAX_CHARTS } from "./layout.js";

const ELEMENTS = { strip: "epics-stripchart", wave: "epics-waveform" };

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
    this.#offer(charts.length < MAX_CHARTS, selected);
  }

  #offer(hasRoom, selected) {
    const text = selected ? `New chart with ${selected}` : "Choose a PV in the list, or drop one here, for a new chart";
    this.#create.textContent = hasRoom ? text : `There is no room for more than ${MAX_CHARTS} charts`;
    this.#create.disabled = !hasRoom || selected === null;
    this.#create.onclick = () => this.onadd(this.#shown.length, [selected]);
  }

  /** A card keeps its chart, and with it the curves so far, while others come and go. */
  #match(charts) {
    const free = new Set(this.#shown);
    const kept = charts.map((chart) => this.#shown.find((card) => card.chart === chart));
    for (const card of kept) free.delete(card);
    return kept.map((card, index) => card ?? this.#reuse(index, free, charts[index]) ?? this.#make(charts[index]));
  }

  #reuse(index, free, { kind }) {
    const card = this.#shown[index];
    return card?.chart.kind === kind && free.delete(card) ? card : undefined;
  }

  #make({ kind }) {
    const element = this.#template.content.firstElementChild.cloneNode(true);
    element.prepend(document.createElement(ELEMENTS[kind]));
    return new Card(element, this);
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
    this.#plot = element.firstElementChild;
    this.#plot.toggleAttribute("editable", true);
    this.#remove = element.querySelector(".remove");
    this.#remove.addEventListener("click", () => panel.onremove(this.#index));
    this.#plot.addEventListener("epics-view", ({ detail }) => this.#changed(detail));
    acceptDrop(element, (names) => panel.onadd(this.#index, names));
  }

  /** @param {import("./layout.js").ChartLayout} chart @param {number} index */
  show(chart, index) {
    this.#index = index;
    this.#name(`Chart ${index + 1}`);
    if (chart === this.chart) return;
    this.chart = chart;
    if (!same(this.#plot.view, chart)) this.#plot.view = pick(chart);
  }

  /** A person may pause a chart too, but that is nothing to send to a colleague. */
  #changed(view) {
    if (!same(view, this.chart)) this.#panel.onchange(this.#index, { ...this.chart, ...pick(view) });
  }

  #name(label) {
    if (this.#plot.getAttribute("label") === label) return;
    this.#plot.setAttribute("label", label);
    this.#remove.ariaLabel = this.#remove.title = `Remove ${label.toLowerCase()}`;
  }
}

/** What of a chart's view the address keeps; a waveform has no span. */
function pick({ pvs, span, scale, zoom }) {
  return { pvs, scale, zoom, ...(span && { span }) };
}

function same(view, chart) {
  const [one, other] = [view, chart].map(({ pvs, scale, zoom }) => JSON.stringify([pvs, scale, zoom]));
  return one === other && (view.span ?? chart.span) === chart.span;
}
