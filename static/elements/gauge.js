/** `<epics-gauge pv="...">`: a value on a dial between the display limits, with its warning and alarm ranges. */

import { MeterElement } from "./meter.js";
import { STATE } from "./state.js";
import { sheet } from "./style.js";

/** Arcs of 240 degrees around (100, 100), from the lower left over the top to the lower right. */
const START = -120;
const SWEEP = 240;
const arc = (radius) => {
  const [x, y] = [radius * Math.sin((SWEEP / 360) * Math.PI), -radius * Math.cos((SWEEP / 360) * Math.PI)];
  return `M${100 - x} ${100 + y}A${radius} ${radius} 0 1 1 ${100 + x} ${100 + y}`;
};
const SVG = "http://www.w3.org/2000/svg";
/** Signs that fit into the dial at full size. */
const FULL_SIZE = 6;

const looks = sheet(`
:host {
  display: inline-flex;
  flex-direction: column;
  align-items: center;
  gap: 0;
  width: var(--epics-gauge-width, 11em);
}
.dial { position: relative; width: 100%; }
svg[part~="track"] { display: block; width: 100%; overflow: visible; fill: none; }
.ground, .fill { stroke-width: 14; stroke-linecap: butt; }
.ground { stroke: var(--_track); }
.fill { stroke: var(--_fill); }
[part~="bands"] path { stroke: var(--_fill); stroke-width: 4; }
[part~="needle"] { stroke: var(--_text); stroke-width: 3; }
:host([data-empty]) :is(.fill, [part~="needle"]) { display: none; }
.text {
  position: absolute;
  inset: 34% 0 auto;
  display: flex;
  flex-direction: column;
  align-items: center;
  line-height: 1.15;
}
[part~="value"] { font-size: calc(1.75em * ${FULL_SIZE} / var(--_signs, ${FULL_SIZE})); white-space: nowrap; }
[part~="scale"] {
  position: absolute;
  inset: auto 4% 0;
  display: flex;
  justify-content: space-between;
  color: var(--_quiet);
  font-size: 0.75em;
}
[part~="scale"] span { min-width: 3em; text-align: center; }
[part~="state"] { min-height: 1.4em; }
[part~="label"] { text-align: center; }
`);

export class EpicsGauge extends MeterElement {
  static styles = [looks];
  static template =
    `<span part="label"></span><span class="dial">` +
    `<svg part="track" role="meter" viewBox="0 0 200 164"><path class="ground" d="${arc(80)}"/>` +
    `<path part="fill" class="fill" pathLength="100" d="${arc(80)}"/><g part="bands"></g>` +
    `<path part="needle" d="M100 29V11"/></svg>` +
    `<span class="text"><span part="value"></span><span part="units"></span></span>` +
    `<span part="scale" aria-hidden="true"><span part="min"></span><span part="max"></span></span></span>${STATE}` +
    `<span class="unseen" role="status"></span>`;

  render(update) {
    super.render(update);
    const value = this.find("value");
    value.style.setProperty("--_signs", Math.max(value.textContent.length, FULL_SIZE));
  }

  drawMeter(fraction) {
    this.find("fill").setAttribute("stroke-dasharray", `${fraction * 100} 200`);
    this.find("needle").setAttribute("transform", `rotate(${START + SWEEP * fraction} 100 100)`);
  }

  makeBand({ severity, from, to }) {
    const band = document.createElementNS(SVG, "path");
    band.dataset.severity = severity;
    band.setAttribute("d", arc(92));
    band.setAttribute("pathLength", "100");
    band.setAttribute("stroke-dasharray", `0 ${from * 100} ${(to - from) * 100} 200`);
    return band;
  }
}
