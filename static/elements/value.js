/** `<epics-value pv="..." format="..." precision="...">`: a value as text, with its units and its state. */

import { EpicsElement, row } from "./element.js";
import { formatValue } from "./format.js";
import { setText } from "./state.js";

export class EpicsValue extends EpicsElement {
  static observedAttributes = [...EpicsElement.observedAttributes, "format", "precision"];
  static template = row(`<span part="value"></span>`);

  render(update) {
    setText(this.find("value"), formatValue(update, formatOf(this)) || "–");
  }
}

/** @param {Element} element with the attributes @returns {import("./format.js").Format} */
export function formatOf(element) {
  const [format, precision] = ["format", "precision"].map((name) => element.getAttribute(name));
  return { format: format ?? "default", precision: precision === null ? null : Number(precision) };
}
