// Compiled, never run: what a strict program may do with the elements.

import { EpicsElement, EpicsValue, WritableElement } from "pycaserver/elements";
import type { RefusedWrite, Written } from "pycaserver/elements";
import type { Update } from "pycaserver";

class Doubled extends EpicsElement {
  static override template = `<span part="value"></span>`;

  override render({ value }: Update): void {
    const part = this.find("value");
    if (part && typeof value === "number") part.textContent = String(2 * value);
  }
}
customElements.define("my-doubled", Doubled);

const value: EpicsValue = document.createElement("epics-value");
value.pv = "$(P)T1";
const names: readonly string[] = value.names;

const input: WritableElement = document.createElement("epics-input");
input.addEventListener("epics-written", ({ detail }) => keep(detail));
input.addEventListener("epics-refused", ({ detail }: CustomEvent<RefusedWrite>) => console.log(detail.code, names));
const isWritten: Promise<boolean> = input.mayWrite ? input.write(12.5) : input.writeText("12.5");

const chart = document.querySelector("epics-stripchart");
if (chart) {
  chart.span = 3600;
  chart.addPV("$(P)T2");
  chart.view = { ...chart.view, paused: true };
}

// @ts-expect-error: what is known cannot be written to
value.update = null;

function keep({ pv, elapsed }: Written): void {
  console.log(pv, elapsed.toFixed(3), isWritten);
}
