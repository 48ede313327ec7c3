/** Colours of the stylesheet for what is drawn on a canvas, which knows no custom properties. */

import { sheet } from "./style.js";

/**
 * The colours of lines, apart for colour-blind eyes too; `--epics-trace-N` overrides; [in light, in dark].
 * The seventh and eighth line differ from the first ones by their dashes as well.
 */
const TRACES = [
  ["#0b6fb8", "#5cb8ff"],
  ["#c24a00", "#ff9a4d"],
  ["#00805c", "#3ed6a4"],
  ["#a83e86", "#f095cf"],
  ["#8a6500", "#f2cc4b"],
  ["#5a55c9", "#b0a8ff"],
  ["#3f4d57", "#d3dde3"],
  ["#b3261e", "#ff8a85"],
];

/** Lengths in CSS pixels of stroke and space. */
const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2], [14, 5], [2, 6], [8, 3, 2, 3, 2, 3]];

const properties = (color) =>
  TRACES.map((colors, index) => `--_trace-${index}: var(--epics-trace-${index + 1}, ${color(...colors)});`).join("\n");

/** Adopted by all plots. */
export const traceColors = sheet(`
:host { ${properties((light) => light)} }
@supports not (color: light-dark(red, red)) {
  @media (prefers-color-scheme: dark) { :host { ${properties((_, dark) => dark)} } }
}
@supports (color: light-dark(red, red)) {
  :host { ${properties((light, dark) => `light-dark(${light}, ${dark})`)} }
}
.probe { position: absolute; visibility: hidden; transition: color 1ms; color: var(--_text); }
`);

/** @param {number} index of a line @returns {string} the name of its colour */
export const traceColor = (index) => `trace-${index % TRACES.length}`;

/** @param {number} index of a line @returns {number[]} */
export const traceDash = (index) => DASHES[index % DASHES.length];

export class Theme {
  #host;
  #style;
  #colors = new Map();

  /**
   * @param {HTMLElement} host in whose shadow root `traceColors` is adopted
   * @param {() => void} onchange told when the colours are others: the page went dark
   */
  constructor(host, onchange) {
    this.#host = host;
    const probe = document.createElement("i");
    probe.className = "probe";
    probe.ariaHidden = "true";
    host.shadowRoot.append(probe);
    this.#style = getComputedStyle(probe);
    // a colour that changes, for whatever reason, makes a transition: nobody else tells
    probe.addEventListener("transitionend", () => {
      this.#colors.clear();
      onchange();
    });
  }

  /** @param {string} name of a property `--_NAME` @returns {string} as a canvas takes it */
  color(name) {
    if (!this.#colors.has(name)) this.#colors.set(name, this.#resolve(name));
    return this.#colors.get(name);
  }

  /** The font of a canvas. */
  get font() {
    return `12px ${getComputedStyle(this.#host).fontFamily}`;
  }

  #resolve(name) {
    const swatch = document.createElement("i");
    swatch.hidden = true;
    swatch.style.color = `var(--_${name})`;
    this.#host.shadowRoot.append(swatch);
    const { color } = getComputedStyle(swatch);
    swatch.remove();
    return color;
  }
}
