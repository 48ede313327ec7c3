/** EPICS process variables as HTML elements: `<epics-value pv="SIM:T1"></epics-value>`; no script needed. */

import { EpicsScope } from "./elements/scope.js";
import { EpicsValue } from "./elements/value.js";

const ELEMENTS = {
  "epics-scope": EpicsScope,
  "epics-value": EpicsValue,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (!customElements.get(name)) customElements.define(name, element);
}

export { EpicsElement } from "./elements/element.js";
export { EpicsScope, EpicsValue };
