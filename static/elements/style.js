/** The looks that all elements share: one palette for dark and light, one way to show a state. */

/** [in light, in dark]; `--epics-NAME` of a page overrides. Surfaces may be lighter than text of the same meaning. */
const PALETTE = {
  ok: ["#2b7a4b", "#5fbf8a"],
  minor: ["#8a5a00", "#f5c542"],
  major: ["#c01c28", "#ff7b76"],
  invalid: ["#8229c4", "#d09bff"],
  "minor-fill": ["#d09a1c", "#d9b03f"],
  "major-fill": ["#d2404a", "#ee6a66"],
  "invalid-fill": ["#9a55d0", "#b98be0"],
  offline: ["#5d6a74", "#8c9ba6"],
  accent: ["#0b7285", "#4fd1c5"],
  fill: ["#2a8797", "#3da79f"],
  "on-accent": ["#ffffff", "#06231f"],
  background: ["#ffffff", "#12191f"],
  raised: ["#f3f5f6", "#1c262e"],
  text: ["#17212a", "#dbe4ea"],
  quiet: ["#55646f", "#8fa0ac"],
  border: ["#c3cdd4", "#33424d"],
  track: ["#dfe5e9", "#26323b"],
};
const SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

const palette = (color) =>
  Object.entries(PALETTE).map(([name, colors]) => `--_${name}: ${overridable(name, color(...colors))};`).join("\n");

/** A page that gives a severity a colour gives it to its surfaces too. */
function overridable(name, color) {
  const base = name.replace(/^(minor|major|invalid)-fill$/, "$1");
  return base === name ? `var(--epics-${name}, ${color})` : `var(--epics-${name}, var(--epics-${base}, ${color}))`;
}

/**
 * @param {string} css
 * @returns {CSSStyleSheet} for the `styles` of an element: all elements of a class share it
 */
export function sheet(css) {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

/** Of the element, or of something inside, such as a row. */
const severity = (name) => `:host([data-severity="${name}"]), [data-severity="${name}"] {
  --_tone: var(--_${name.toLowerCase()});
  --_fill: var(--_${name.toLowerCase()}-fill);
}`;

/** Adopted by every element. Elements colour by `--_tone`: that of the state, or none. */
export const base = sheet(`
:host { ${palette((light) => light)} }
@supports not (color: light-dark(red, red)) {
  @media (prefers-color-scheme: dark) { :host { ${palette((_, dark) => dark)} } }
}
@supports (color: light-dark(red, red)) {
  :host { ${palette((light, dark) => `light-dark(${light}, ${dark})`)} }
}
:host {
  --_tone: var(--_quiet);
  --_size: var(--epics-size, 2.125em);
  --_radius: var(--epics-radius, 0.375em);
  position: relative;
  display: inline-flex;
  align-items: baseline;
  gap: 0.4em;
  max-width: 100%;
  box-sizing: border-box;
  vertical-align: middle;
  font-family: var(--epics-font, ${SANS});
  font-variant-numeric: tabular-nums;
  line-height: 1.3;
  color: var(--_text);
}
:host([hidden]) { display: none; }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }

${severity("MINOR")}
${severity("MAJOR")}
${severity("INVALID")}
:host(:not([data-condition="live"])), tr:not([data-condition="live"]) { --_tone: var(--_offline); }
:host([data-condition="error"]), [data-condition="error"] { --_tone: var(--_major); }
:host(:not([data-condition="live"])) { --_fill: var(--_offline); }

[part~="label"] { flex-shrink: 0.1; color: var(--_quiet); }
span:is([part~="label"], [part~="units"]):empty { display: none; }
[part~="units"] { color: var(--_quiet); font-size: 0.875em; white-space: nowrap; }
[part~="value"] { min-width: var(--epics-value-width, auto); overflow-wrap: break-word; }
:host(:not([data-condition="live"])) span[part~="value"] { color: var(--_offline); }

[part~="state"] {
  position: relative;
  display: inline-flex;
  align-items: baseline;
  gap: 0.3em;
  min-width: 0.85em;
  color: var(--_tone);
  font-size: 0.8125em;
  font-weight: 600;
  white-space: nowrap;
}
[part~="state"]::before { content: "\\200b"; width: 0; margin-inline-end: -0.3em; }
[part~="state"] svg { flex: none; align-self: center; width: 0.95em; height: 0.95em; fill: none; stroke: currentcolor; }
[part~="state"] path { stroke-width: 1.75; }
[part~="state"] svg.solid { fill: currentcolor; }
[part~="state"] .word { display: var(--epics-state-text, inline); overflow: hidden; text-overflow: ellipsis; }
@media (forced-colors: active) {
  :is([part~="track"], [part~="fill"], [part~="bands"], [part~="lamp"], svg) { forced-color-adjust: none; }
}
.unseen {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
`);

/** Of elements that write. */
export const controls = sheet(`
:host { align-items: center; min-height: var(--_size); }
[part~="control"], dialog button {
  min-height: var(--_size);
  margin: 0;
  padding: 0 0.7em;
  border: 1px solid var(--_border);
  border-radius: var(--_radius);
  background: var(--_background);
  color: inherit;
  font: inherit;
  font-variant-numeric: tabular-nums;
}
button[part~="control"], dialog button { background: var(--_raised); cursor: pointer; }
button[part~="control"]:hover, dialog button:hover { border-color: var(--_accent); }
:host(:is([data-severity="MINOR"], [data-severity="MAJOR"], [data-severity="INVALID"])) [part~="control"] {
  border-color: var(--_tone);
}
:host([data-pending]) [part~="control"] { border-color: var(--_accent); border-style: dashed; }
[part~="control"][aria-disabled="true"] { color: var(--_quiet); cursor: not-allowed; }
[part~="control"][aria-disabled="true"]:hover { border-color: var(--_border); }
:host(:not([data-condition="live"], [data-condition="connected"])) [part~="control"] {
  border-style: dashed;
  color: var(--_offline);
}
[part~="readback"] { color: var(--_quiet); font-size: 0.875em; }
[part~="readback"]:empty { display: none; }
[part~="lock"] { display: none; flex: none; width: 0.8em; height: 0.8em; fill: none; stroke: var(--_quiet); }
:host(:is([data-access="read"], [data-access="none"])) [part~="lock"] { display: inline; stroke-width: 1.5; }

.alert:not(:empty) {
  position: absolute;
  z-index: 10;
  top: calc(100% + 0.3em);
  left: 0;
  display: flex;
  align-items: start;
  gap: 0.5em;
  width: max-content;
  max-width: min(24em, 90vw);
  padding: 0.4em 0.3em 0.4em 0.7em;
  border: 1px solid var(--_major);
  border-left-width: 4px;
  border-radius: var(--_radius);
  background: var(--_background);
  box-shadow: 0 4px 16px #0004;
  color: var(--_text);
  font-size: 0.875em;
}
.alert button { padding: 0 0.4em; border: 0; background: none; color: var(--_quiet); font: inherit; cursor: pointer; }

dialog {
  max-width: min(26em, 90vw);
  padding: 1.25em;
  border: 1px solid var(--_border);
  border-radius: calc(2 * var(--_radius));
  background: var(--_background);
  color: var(--_text);
  font: inherit;
}
dialog::backdrop { background: #0008; }
dialog p { margin: 0 0 1.25em; }
dialog div { display: flex; justify-content: end; gap: 0.6em; }
dialog button[value="write"] { border-color: transparent; background: var(--_accent); color: var(--_on-accent); }
`);
