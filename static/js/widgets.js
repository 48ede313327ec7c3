/** Which of the elements draws a PV, and which writes it. */

import { isArray } from "../elements/format.js";

const STRIP = "epics-stripchart";
const WAVEFORM = "epics-waveform";

/** What a writable PV is written with. */
const WRITERS = [
  { tag: "epics-toggle", fits: ({ metadata }) => metadata.enumStrings?.length === 2 },
  { tag: "epics-enum", fits: ({ metadata }) => metadata.type === "enum" },
  { tag: "epics-input", fits: ({ metadata, text }) => metadata.count === 1 || text !== null },
];
/** What they are given besides the PV. A click alone must not move a valve. */
const ATTRIBUTES = {
  [STRIP]: (name, span) => ({ span, label: "History" }),
  [WAVEFORM]: () => ({ label: "Waveform" }),
  "epics-toggle": (name) => ({ label: "Write", confirm: `Switch ${name}?` }),
  "epics-enum": () => ({ label: "Write" }),
  "epics-input": () => ({ label: "Write" }),
};
/** How a value is shown in full. */
const PICTURES = { strip: STRIP, wave: WAVEFORM };

/**
 * @param {object} update of the client
 * @returns {"strip"|"wave"|"text"|"none"}
 */
export function pictureOf({ value, text, metadata }) {
  if (value === undefined || value === null || !metadata) return "none";
  if (metadata.type === "string" || (text !== null && metadata.type !== "enum")) return "text";
  return isArray(value) ? "wave" : "strip";
}

export class Widgets {
  #write;
  #plot;
  #span = 60;

  /** @type {(changes: {span: number}) => void} */
  onchange = () => {};

  /** @param {HTMLElement} write @param {HTMLElement} plot where the elements go */
  constructor(write, plot) {
    this.#write = write;
    this.#plot = plot;
    plot.addEventListener("epics-view", ({ target }) => {
      if (target.localName === STRIP && target.span !== this.#span) this.onchange({ span: target.span });
    });
  }

  /** @param {number} span seconds of a strip chart */
  set span(span) {
    this.#span = span;
    const chart = this.#plot.querySelector(STRIP);
    if (chart && chart.span !== span) chart.span = span;
  }

  clear() {
    this.#write.replaceChildren();
    this.#plot.replaceChildren();
  }

  /**
   * @param {string} name
   * @param {object} update of the client
   * @returns {"strip"|"wave"|"text"|"none"} what is drawn
   */
  show(name, update) {
    const picture = pictureOf(update);
    if (picture !== "none") this.#fill(this.#plot, PICTURES[picture], name);
    const mayWrite = update.access?.write && update.metadata && update.connected;
    if (update.connected) this.#fill(this.#write, mayWrite && WRITERS.find(({ fits }) => fits(update))?.tag, name);
    return picture;
  }

  /** One element, made anew only when another is needed. */
  #fill(place, tag, name) {
    const present = place.firstElementChild;
    if ((present?.localName ?? "") === (tag || "")) return;
    place.replaceChildren();
    if (!tag) return;
    const element = document.createElement(tag);
    const attributes = { pv: name, ...ATTRIBUTES[tag]?.(name, this.#span) };
    for (const [key, text] of Object.entries(attributes)) element.setAttribute(key, text);
    place.append(element);
  }
}
