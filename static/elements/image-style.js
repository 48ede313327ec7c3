/** How images look. */

import { sheet } from "./style.js";

export const imageStyle = sheet(`
[part~="body"] { display: flex; flex: 1 1 var(--epics-plot-height, 17em); gap: 0.75em; min-height: 6em; }
[part~="plot"] { flex: 0 1 auto; min-width: min(8em, 100%); touch-action: auto; }
[part~="image"] {
  position: absolute;
  inset: 0;
  width: 100%;
  height: 100%;
  object-fit: contain;
  object-position: left top;
  image-rendering: pixelated;
  cursor: crosshair;
}
.cross {
  position: absolute;
  width: 11px;
  height: 11px;
  margin: -5.5px 0 0 -5.5px;
  border: 2px solid #fff;
  border-radius: 50%;
  outline: 1px solid #000;
  pointer-events: none;
}
[part~="bar"] {
  display: grid;
  grid-template: "bar high" auto "bar ." 1fr "bar low" auto / 0.9em auto;
  gap: 0 0.4em;
  color: var(--_quiet);
  font-size: 0.8125em;
  line-height: 1;
  min-width: 5em;
  align-self: stretch;
}
[part~="bar"] canvas { grid-area: bar; width: 100%; height: 100%; border-radius: 2px; }
[part~="high"] { grid-area: high; }
[part~="low"] { grid-area: low; }
select[part~="button"] { appearance: auto; padding: 0 0.2em; }
`);
