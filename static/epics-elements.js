/** EPICS process variables as HTML elements: `<epics-value pv="SIM:T1"></epics-value>`; no script needed. */

import { EpicsBar } from "./elements/bar.js";
import { EpicsButton } from "./elements/button.js";
import { EpicsEnum } from "./elements/enum.js";
import { EpicsGauge } from "./elements/gauge.js";
import { EpicsImage } from "./elements/image.js";
import { EpicsInput } from "./elements/input.js";
import { EpicsLed } from "./elements/led.js";
import { EpicsScope } from "./elements/scope.js";
import { EpicsSlider } from "./elements/slider.js";
import { EpicsStripchart } from "./elements/stripchart.js";
import { EpicsTable } from "./elements/table.js";
import { EpicsToggle } from "./elements/toggle.js";
import { EpicsValue } from "./elements/value.js";
import { EpicsWaveform } from "./elements/waveform.js";

const ELEMENTS = {
  "epics-bar": EpicsBar,
  "epics-button": EpicsButton,
  "epics-enum": EpicsEnum,
  "epics-gauge": EpicsGauge,
  "epics-image": EpicsImage,
  "epics-input": EpicsInput,
  "epics-led": EpicsLed,
  "epics-scope": EpicsScope,
  "epics-slider": EpicsSlider,
  "epics-stripchart": EpicsStripchart,
  "epics-table": EpicsTable,
  "epics-toggle": EpicsToggle,
  "epics-value": EpicsValue,
  "epics-waveform": EpicsWaveform,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (!customElements.get(name)) customElements.define(name, element);
}

export { EpicsElement } from "./elements/element.js";
export { WritableElement } from "./elements/write.js";
export {
  EpicsBar,
  EpicsButton,
  EpicsEnum,
  EpicsGauge,
  EpicsImage,
  EpicsInput,
  EpicsLed,
  EpicsScope,
  EpicsSlider,
  EpicsStripchart,
  EpicsTable,
  EpicsToggle,
  EpicsValue,
  EpicsWaveform,
};
