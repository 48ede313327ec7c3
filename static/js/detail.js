/** The panel of the selected PV: its value in large, its plot or its whole text, its metadata. */

import { formatNumber, formatStatus, formatTime, formatValue } from "../elements/format.js";
import { Plot } from "./plot.js";

const DRAW_EVERY = 100;

const PARTS = [
  ...["detail-name", "detail-value", "detail-units", "detail-status", "detail-time"],
  ...["readout", "plot", "plot-note", "whole-text", "facts"],
];
const ACCESS = ["none", "read", "write", "read, write"];

/** Facts below the plot: label -> text, or nothing when the PV has none. */
const FACTS = {
  Type: ({ metadata }) => metadata && (metadata.count > 1 ? `${metadata.type}[${metadata.count}]` : metadata.type),
  Access: ({ access }) => access && ACCESS[Number(access.read) + 2 * Number(access.write)],
  Display: (pv) => formatLimits(pv, "display"),
  Control: (pv) => formatLimits(pv, "control"),
  Warning: (pv) => formatLimits(pv, "warning"),
  Alarm: (pv) => formatLimits(pv, "alarm"),
  States: ({ metadata }) => metadata?.enumStrings?.join(", "),
};

export class Detail {
  #element;
  #parts;
  #plot = null;
  #pv = null;
  #drawnAt = 0;
  #facts = "";

  /** @type {() => void} */
  onclose = () => {};

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
    const part = (name) => element.querySelector(`.${name}`);
    this.#parts = Object.fromEntries(PARTS.map((name) => [name, part(name)]));
    part("close").addEventListener("click", () => this.onclose());
    part("spans").addEventListener("click", (event) => this.#setSpan(event.target.closest("button")));
    this.#loadPlot();
  }

  /** @param {import("./pv.js").PV|null} pv to show, or null for none */
  show(pv) {
    this.#pv = pv;
    this.#element.hidden = !pv;
    this.#drawnAt = 0;
    if (!pv) this.#plot?.clear();
  }

  /** Bring the panel up to date; called once per animation frame. */
  render() {
    if (!this.#pv) return;
    this.#renderText(this.#pv);
    const now = performance.now();
    if (now - this.#drawnAt < DRAW_EVERY) return;
    this.#drawnAt = now;
    this.#renderFacts(this.#pv);
    this.#plot?.draw(this.#pv);
  }

  #renderText(pv) {
    const { condition, picture } = pv;
    const severity = pv.isLive ? pv.severity : "";
    Object.assign(this.#element.dataset, { condition, severity, picture, live: pv.isLive });
    this.#write("detail-name", pv.name);
    this.#write("detail-value", picture === "text" ? "" : formatValue(pv));
    this.#write("detail-units", pv.value === undefined ? "" : pv.units);
    this.#write("detail-status", formatStatus(pv));
    this.#write("detail-time", pv.timestamp === null ? "" : formatTime(pv.timestamp));
    this.#write("whole-text", picture === "text" ? wholeText(pv) : "");
    this.#write("plot-note", picture === "none" ? "No value yet" : "");
  }

  #renderFacts(pv) {
    const told = Object.entries(FACTS).map(([label, text]) => [label, text(pv)]);
    const facts = told.filter(([, text]) => text);
    if (JSON.stringify(facts) === this.#facts) return;
    this.#facts = JSON.stringify(facts);
    this.#parts.facts.replaceChildren(...facts.map(([label, text]) => makeFact(label, text)));
  }

  #write(name, text) {
    if (this.#parts[name].textContent !== text) this.#parts[name].textContent = text;
  }

  #setSpan(chosen) {
    if (!chosen) return;
    for (const button of chosen.parentElement.children) button.setAttribute("aria-pressed", String(button === chosen));
    if (this.#plot) this.#plot.span = Number(chosen.dataset.span);
    this.#drawnAt = 0;
  }

  /** The table must not depend on the plot: without the library the page says so, and goes on. */
  async #loadPlot() {
    try {
      const { default: uPlot } = await import("../vendor/uplot/uPlot.esm.js");
      this.#plot = new Plot(this.#parts.plot, uPlot);
      this.#plot.onread = (text) => this.#write("readout", text);
    } catch (error) {
      this.#parts.plot.textContent = "The plot library could not be loaded.";
      console.error(error);
    }
  }
}

/** @param {import("./pv.js").PV} pv */
function wholeText(pv) {
  return pv.isArray && pv.text === null ? pv.value.join("\n") : formatValue(pv);
}

function formatLimits(pv, kind) {
  const limits = pv.limits(kind);
  return limits?.map((limit) => (Number.isNaN(limit) ? "none" : formatNumber(limit, pv.metadata))).join(" … ");
}

function makeFact(label, text) {
  const fact = document.createElement("div");
  const term = document.createElement("dt");
  const value = document.createElement("dd");
  term.textContent = label;
  value.textContent = text;
  fact.append(term, value);
  return fact;
}
