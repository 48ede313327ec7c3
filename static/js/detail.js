/** The panel of the selected PV: its value in large, how to write it, its plot or whole text, and facts about it. */

import { facts } from "./facts.js";
import { formatStatus, formatTime, formatValue } from "../elements/format.js";
import { isLive } from "./readings.js";
import { Widgets } from "./widgets.js";

const RENDER_EVERY = 100;
const INFO_AFTER = 250;
const INFO_EVERY = 10_000;
const PARTS = ["detail-name", "detail-value", "detail-units", "detail-status", "detail-time", "whole-text", "facts"];

export class Detail {
  #element;
  #chosen;
  #parts;
  #ca;
  #widgets;
  #name = null;
  #subscription = null;
  #update = null;
  #info = null;
  #facts = "";
  #renderTimer = null;
  #infoTimer = null;

  /** @type {() => void} */
  onclose = () => {};
  /** @type {(name: string, button: HTMLElement) => void} */
  onchart = () => {};
  /** @type {(changes: {span: number}) => void} */
  onchange = () => {};

  /**
   * @param {HTMLElement} element
   * @param {import("../pycaserver.js").PVClient} ca
   */
  constructor(element, ca) {
    this.#element = element;
    this.#ca = ca;
    const part = (name) => element.querySelector(`.${name}`);
    this.#chosen = part("chosen");
    this.#parts = Object.fromEntries(PARTS.map((name) => [name, part(name)]));
    this.#widgets = new Widgets(part("write"), part("plot"));
    this.#widgets.onchange = (changes) => this.onchange(changes);
    part("close").addEventListener("click", () => this.onclose());
    element.querySelector("[data-action=chart]").addEventListener("click", (event) => {
      this.onchart(this.#name, event.currentTarget);
    });
  }

  /** @param {string|null} name of the PV @param {number} span seconds of its strip chart */
  show(name, span) {
    this.#widgets.span = span;
    if (name === this.#name) return;
    this.#forget();
    this.#name = name;
    this.#element.querySelector(".nothing").hidden = name !== null;
    this.#chosen.hidden = name === null;
    if (name === null) return;
    this.#write("detail-name", name);
    this.#subscription = this.#ca.monitor(name, { maxRate: 10, reduce: 2000 }, (update) => this.#take(update));
    this.#take(this.#subscription.update);
    this.#askSoon(INFO_AFTER);
  }

  #forget() {
    this.#subscription?.close();
    this.#subscription = this.#update = this.#info = null;
    clearTimeout(this.#renderTimer);
    clearTimeout(this.#infoTimer);
    this.#renderTimer = null;
    this.#facts = "";
    this.#parts.facts.replaceChildren();
    this.#widgets.clear();
  }

  #take(update) {
    if (this.#update?.connected !== update.connected || update.kind === "access") this.#askSoon(INFO_AFTER);
    this.#update = update;
    this.#renderTimer ??= setTimeout(() => this.#render(), this.#facts ? RENDER_EVERY : 0);
  }

  #render() {
    this.#renderTimer = null;
    const update = this.#update;
    const live = isLive(update);
    const picture = this.#widgets.show(this.#name, update, this.#info);
    const { condition } = update;
    Object.assign(this.#element.dataset, { condition, picture, live, severity: live ? update.severity : "" });
    this.#write("detail-value", picture === "text" ? "" : formatValue(update));
    this.#write("detail-units", update.value === undefined ? "" : update.units);
    this.#write("detail-status", formatStatus(update));
    this.#write("detail-time", update.timestamp ? formatTime(update.timestamp) : "");
    this.#write("whole-text", picture === "text" ? wholeText(update) : "");
    this.#renderFacts(update);
  }

  #renderFacts(update) {
    const told = facts(update, this.#info);
    if (JSON.stringify(told) === this.#facts) return;
    this.#facts = JSON.stringify(told);
    this.#parts.facts.replaceChildren(...told.map(([label, text]) => makeFact(label, text)));
  }

  #write(name, text) {
    if (this.#parts[name].textContent !== text) this.#parts[name].textContent = text;
  }

  #askSoon(wait) {
    clearTimeout(this.#infoTimer);
    this.#infoTimer = setTimeout(() => this.#ask(this.#name), wait);
  }

  /** Who serves the PV and who may do what changes seldom; how many watch it is worth a look now and then. */
  async #ask(name) {
    const info = this.#update?.connected ? await this.#ca.info(name).catch(() => null) : null;
    if (name !== this.#name) return;
    this.#info = info;
    this.#renderTimer ??= setTimeout(() => this.#render(), 0);
    this.#askSoon(INFO_EVERY);
  }
}

function wholeText(update) {
  return Array.isArray(update.value) ? update.value.join("\n") : formatValue(update);
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
