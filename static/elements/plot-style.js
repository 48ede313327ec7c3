/** How plots look; with what of uPlot's elements has to be placed. */

import { sheet } from "./style.js";

export const plotStyle = sheet(`
:host {
  display: flex;
  flex-direction: column;
  align-items: stretch;
  gap: 0.35em;
  width: 100%;
  min-width: 0;
  position: relative;
}
[part~="header"] { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25em 0.6em; min-height: 1.9em; }
[part~="header"] [part~="label"] { color: var(--_text); font-weight: 600; }
[part~="readout"] {
  color: var(--_quiet);
  font-size: 0.875em;
  flex: 1;
  min-width: 0;
  white-space: nowrap;
  overflow: hidden;
  text-overflow: ellipsis;
}
[part~="toolbar"] { display: flex; flex-wrap: wrap; gap: 0.25em 0.5em; margin-inline-start: auto; }
:host([toolbar="none"]) [part~="toolbar"], :host([legend="none"]) [part~="legend"] { display: none; }
.group { display: inline-flex; gap: 1px; }
[part~="button"] {
  display: inline-grid;
  place-items: center;
  min-width: 2.1em;
  height: 1.9em;
  padding: 0 0.5em;
  border: 0;
  border-radius: var(--_radius);
  background: none;
  color: var(--_quiet);
  font: inherit;
  font-size: 0.8125em;
  cursor: pointer;
}
[part~="button"]:hover { background: var(--_raised); color: var(--_text); }
[part~="button"][aria-pressed="true"] { background: var(--_track); color: var(--_text); }
[part~="button"] svg {
  width: 1.25em;
  height: 1.25em;
  fill: none;
  stroke: currentcolor;
  stroke-width: 1.5;
  stroke-linecap: round;
  stroke-linejoin: round;
}

[part~="plot"] {
  position: relative;
  flex: 1 1 var(--epics-plot-height, 17em);
  min-height: 6em;
  border-radius: var(--_radius);
  touch-action: pan-y;
}
[part~="header"] [part~="state"] { min-width: 0; }
[part~="plot"] > .uplot { position: absolute; inset: 0; }
[part~="note"] {
  position: absolute;
  inset: 0;
  display: grid;
  place-items: center;
  margin: 0;
  color: var(--_quiet);
  pointer-events: none;
  text-align: center;
}
.u-wrap { position: relative; user-select: none; }
.u-over, .u-under { position: absolute; }
.u-over { cursor: crosshair; overflow: hidden; }
.u-axis { position: absolute; }
.uplot canvas { display: block; position: relative; width: 100%; height: 100%; }
.u-select { position: absolute; pointer-events: none; background: color-mix(in srgb, var(--_accent) 18%, transparent); }
.u-cursor-x, .u-cursor-y { position: absolute; left: 0; top: 0; pointer-events: none; }
.u-hz .u-cursor-x { height: 100%; border-right: 1px solid var(--_quiet); opacity: 0.6; }
.u-off { display: none; }

.cursor {
  position: absolute;
  top: 0;
  bottom: 0;
  width: 17px;
  margin-left: -8px;
  cursor: ew-resize;
  touch-action: none;
}
.cursor::before {
  content: "";
  position: absolute;
  left: 8px;
  top: 0;
  bottom: 0;
  border-left: 1px solid var(--_accent);
}
.cursor::after {
  content: attr(data-name);
  position: absolute;
  top: 0;
  left: 0;
  width: 17px;
  border-radius: 0 0 4px 4px;
  background: var(--_accent);
  color: var(--_on-accent);
  font-size: 0.6875em;
  font-weight: 700;
  line-height: 1.45;
  text-align: center;
}
.cursor:focus-visible { outline-offset: -1px; }

[part~="legend"] { display: block; overflow: auto; max-height: 14em; font-size: 0.875em; }
[part~="legend"] table { border-collapse: collapse; }
[part~="legend"] th, [part~="legend"] td {
  padding: 0 0.9em 0 0;
  font-weight: 400;
  text-align: start;
  white-space: nowrap;
}
[part~="legend"] td.number, [part~="legend"] thead th.number { text-align: end; min-width: 5.5em; }
[part~="legend"] thead th { color: var(--_quiet); font-size: 0.875em; }
[part~="legend"] .units { color: var(--_quiet); }
[part~="legend"] .of-state { color: var(--_quiet); font-size: 0.9em; }
[part~="legend"] tr[data-severity="MINOR"] .of-state { color: var(--_minor); }
[part~="legend"] tr[data-severity="MAJOR"] .of-state { color: var(--_major); }
[part~="legend"] tr[data-severity="INVALID"] .of-state { color: var(--_invalid); }
.name-button {
  display: inline-flex;
  align-items: center;
  gap: 0.5em;
  padding: 0.1em 0.3em 0.1em 0;
  border: 0;
  background: none;
  color: var(--_text);
  font: inherit;
  cursor: pointer;
  border-radius: var(--_radius);
}
.name-button svg { width: 26px; height: 10px; flex: none; }
.name-button[aria-pressed="false"] { color: var(--_quiet); text-decoration: line-through; }
.name-button[aria-pressed="false"] svg { opacity: 0.25; }
.remove {
  border: 0;
  background: none;
  color: var(--_quiet);
  font: inherit;
  cursor: pointer;
  border-radius: var(--_radius);
  padding: 0 0.35em;
}
.remove:hover { color: var(--_text); background: var(--_raised); }
`);
