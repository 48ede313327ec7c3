/** The looks that all elements share: one palette for dark and light, one way to show a state. */

/** `--epics-NAME` of a page overrides; [in light, in dark]. */
const PALETTE = {
  ok: ["#2b7a4b", "#5fbf8a"],
  minor: ["#8a5a00", "#f5c542"],
  major: ["#c01c28", "#ff7b76"],
  invalid: ["#8229c4", "#d09bff"],
  offline: ["#5d6a74", "#8c9ba6"],
  accent: ["#0b7285", "#4fd1c5"],
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
  Object.entries(PALETTE).map(([name, colors]) => `--_${name}: var(--epics-${name}, ${color(...colors)});`).join("\n");

/**
 * @param {string} css
 * @returns {CSSStyleSheet} for the `styles` of an element: all elements of a class share it
 */
export function sheet(css) {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

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
  display: inline-flex;
  align-items: center;
  gap: 0.4em;
  max-width: 100%;
  min-height: var(--_size);
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

:host([data-severity="MINOR"]) { --_tone: var(--_minor); }
:host([data-severity="MAJOR"]) { --_tone: var(--_major); }
:host([data-severity="INVALID"]) { --_tone: var(--_invalid); }
:host(:not([data-condition="live"])) { --_tone: var(--_offline); }
:host([data-condition="error"]) { --_tone: var(--_major); }

[part~="label"] { color: var(--_quiet); }
[part~="label"]:empty, [part~="units"]:empty { display: none; }
[part~="units"] { color: var(--_quiet); font-size: 0.875em; white-space: nowrap; }
[part~="value"] { min-width: var(--epics-value-width, 0); overflow-wrap: anywhere; }
:host(:not([data-condition="live"])) [part~="value"] { color: var(--_offline); }

[part~="state"] {
  display: inline-flex;
  align-items: center;
  gap: 0.3em;
  min-width: 0.85em;
  color: var(--_tone);
  font-size: 0.8125em;
  font-weight: 600;
  white-space: nowrap;
}
[part~="state"] svg { flex: none; width: 0.95em; height: 0.95em; fill: none; stroke: currentcolor; stroke-width: 1.75; }
[part~="state"] svg.solid { fill: currentcolor; }
[part~="state"] .word { display: var(--epics-state-text, inline); overflow: hidden; text-overflow: ellipsis; }
.unseen {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
`);
