/** What draws values, as a plot or a picture: it can stand still, and shows them on a linear or logarithmic scale. */

import { EpicsElement } from "./element.js";

/** Base of plots and images. */
export class FigureElement extends EpicsElement {
  static observedAttributes = [...EpicsElement.observedAttributes, "scale", "paused"];

  /** Whether it stands still. @type {boolean} */
  get paused() {
    return this.hasAttribute("paused");
  }

  set paused(isPaused) {
    this.toggleAttribute("paused", Boolean(isPaused));
  }

  /** @type {"linear"|"log"} */
  get scale() {
    return this.getAttribute("scale") === "log" ? "log" : "linear";
  }

  set scale(scale) {
    this.setAttribute("scale", scale);
  }
}
