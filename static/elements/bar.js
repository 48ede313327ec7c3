/** `<epics-bar pv="...">`: a value as a bar between the display limits, with its warning and alarm ranges. */

import { MeterElement } from "./meter.js";
import { STATE } from "./state.js";
import { sheet } from "./style.js";

const looks = sheet(`
:host {
  display: inline-grid;
  grid-template: "label text" auto "track track" auto "scale scale" auto / 1fr auto;
  gap: 0.25em 0.75em;
  width: var(--epics-bar-width, 15em);
}
[part~="label"] { grid-area: label; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.text { grid-area: text; display: flex; align-items: baseline; justify-content: end; gap: 0.4em; }
[part~="track"] {
  grid-area: track;
  position: relative;
  height: var(--epics-bar-height, 1em);
  border-radius: 0.25em;
  background: var(--_track);
}
[part~="fill"] {
  position: absolute;
  inset: 0 calc(100% - var(--_at) * 100%) 0 0;
  border-radius: inherit;
  background: var(--_fill);
}
[part~="bands"] > span {
  position: absolute;
  left: calc(var(--_from) * 100%);
  width: calc((var(--_to) - var(--_from)) * 100%);
  bottom: -0.3em;
  height: 0.2em;
  background: var(--_fill);
}
[part~="scale"] { grid-area: scale; display: flex; justify-content: space-between; }
[part~="scale"] { margin-top: 0.3em; color: var(--_quiet); font-size: 0.75em; }
:host([vertical]) {
  grid-template: "label" auto "text" auto "main" auto / auto;
  justify-items: center;
  width: auto;
  gap: 0.35em;
}
:host([vertical]) .main { display: flex; gap: 0.4em; height: var(--epics-bar-length, 10em); }
:host(:not([vertical])) .main { display: contents; }
:host([vertical]) [part~="track"] { width: var(--epics-bar-height, 1em); height: 100%; }
:host([vertical]) [part~="fill"] { inset: calc(100% - var(--_at) * 100%) 0 0; }
:host([vertical]) [part~="bands"] > span {
  left: auto;
  right: -0.3em;
  bottom: calc(var(--_from) * 100%);
  width: 0.2em;
  height: calc((var(--_to) - var(--_from)) * 100%);
}
:host([vertical]) [part~="scale"] { margin: 0 0 0 0.3em; flex-direction: column-reverse; }
`);

export class EpicsBar extends MeterElement {
  static styles = [looks];
  static template =
    `<span part="label"></span><span class="text"><span part="value"></span><span part="units"></span>${STATE}</span>` +
    `<span class="main"><span part="track" role="meter"><span part="fill"></span><span part="bands"></span></span>` +
    `<span part="scale" aria-hidden="true"><span part="min"></span><span part="max"></span></span></span>` +
    `<span class="unseen" role="status"></span>`;

  drawMeter(fraction) {
    this.find("fill").style.setProperty("--_at", fraction);
  }

  makeBand({ severity, from, to }) {
    const band = document.createElement("span");
    band.dataset.severity = severity;
    band.style.setProperty("--_from", from);
    band.style.setProperty("--_to", to);
    return band;
  }
}
