/** What strip chart and waveform have in common: curves, a view that can be zoomed, cursors, legend, tools. */

import { Chart } from "./chart.js";
import { download, toCSV } from "./csv.js";
import { Cursors } from "./cursors.js";
import { Curves } from "./curves.js";
import { attachGestures, attachKeys } from "./gestures.js";
import { Legend } from "./legend.js";
import { Pace } from "./pace.js";
import { headOf, pictureOf, readingsOf } from "./picture.js";
import { plotStyle } from "./plot-style.js";
import { Ranges } from "./ranges.js";
import { STATE, setText } from "./state.js";
import { Theme, traceColors } from "./theme.js";
import { plotTools } from "./tools.js";
import { Toolbar } from "./toolbar.js";
import { ViewElement } from "./view.js";

const TEMPLATE = `<div part="header"><span part="label"></span>${STATE}<span part="readout"></span>
<div part="toolbar" role="group" aria-label="Plot tools"></div></div>
<div part="plot" role="group" tabindex="0"><p part="note"></p></div>
<div part="legend"></div><span class="unseen" role="status"></span>`;

/**
 * Base of plots. A subclass has `isTime`, `makeCurve`, `isDrawable`, `home`, `bounds`, `xLabel`, `xDifference`,
 * `latest`, `note`, `sentence` and `rows`.
 */
export class EpicsPlot extends ViewElement {
  static observedAttributes = [...ViewElement.observedAttributes, "span", "min", "max", "sync", "editable"];
  static template = TEMPLATE;
  static styles = [traceColors, plotStyle];
  static role = "figure";

  #curves = new Curves((pv, index) => this.makeCurve(pv, index));
  #hover = null;
  #ranges = new Ranges();
  #chart;
  #cursors;
  #legend;
  #toolbar = null;

  constructor() {
    super();
    const plot = this.find("plot");
    this.theme = new Theme(this, () => this.drawNow());
    this.#chart = new Chart(plot, this.theme);
    this.#cursors = new Cursors(this.#chart, (x) => this.xLabel(x, 0));
    this.#legend = new Legend(this.find("legend"));
    this.pace = new Pace(this, () => this.#draw(), () => this.interval);
    this.#listen(plot);
  }

  connectedCallback() {
    super.connectedCallback();
    if (!this.#toolbar) this.#begin();
    this.#chart.sync = this.getAttribute("sync");
    this.#chart.connect();
    this.pace.start();
    this.pace.request();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.pace.stop();
    this.#chart.disconnect();
  }

  attributeChangedCallback(name, old, now) {
    super.attributeChangedCallback(name, old, now);
    if (old === now || !this.#toolbar) return;
    if (name === "paused" && old === null) this.onPause();
    if (name === "paused" && now === null) this.onResume();
    if (name === "sync") this.#chart.sync = now;
    if (name === "scale") this.#ranges.clear();
    this.#toolbar.update();
    this.drawNow();
  }

  // -- what a page can ask and set

  /** The two cursors, as x. @type {[number, number]|null} */
  get cursors() {
    return this.#cursors.places;
  }

  set cursors(places) {
    this.#cursors.places = places && [Number(places[0]), Number(places[1])];
    this.#toolbar?.update();
    this.drawNow();
  }

  /** Give the person a file of what is in view. */
  async save() {
    download(`${this.displayName}.csv`, await this.toCSV());
  }

  /** @returns {Promise<string>} what is in view */
  async toCSV() {
    return toCSV(await this.rows());
  }

  /** Draw soon, before it is time. */
  drawNow() {
    this.pace.hurry();
  }

  // -- for subclasses

  /** The curves, in the order of `pv`. */
  get curves() {
    return this.#curves.follow(this.names, this.updates);
  }

  /** CSS pixels. */
  get plotWidth() {
    return this.#chart.width;
  }

  /** Milliseconds between two drawings. */
  get interval() {
    return 0;
  }

  onUpdate(update, index) {
    this.curves[index].receive(update);
  }

  /** It stands still from now on. */
  onPause() {}

  /** It goes on. */
  onResume() {}

  onZoom() {
    this.#ranges.clear();
    this.onView();
    this.#toolbar?.update();
    this.drawNow();
  }

  /** Another stretch is in view, or more pixels show it. */
  onView() {}

  /** A drawing is done. */
  drawn() {}

  render() {
    this.pace.request();
  }

  /** @returns {import("./toolbar.js").Button[][]} */
  get tools() {
    return plotTools(this);
  }

  toggleCursors() {
    const [from, to] = this.window;
    this.cursors = this.cursors ? null : [from + (to - from) / 3, to - (to - from) / 3];
  }

  // -- inside

  #begin() {
    this.#toolbar = new Toolbar(this.find("toolbar"), this.tools);
    if (this.paused) this.onPause();
  }

  #listen(plot) {
    const chart = this.#chart;
    chart.onselect = (from, to) => this.show([from, to]);
    chart.onresize = () => (this.onView(), this.drawNow());
    chart.onhover = (x) => {
      this.#hover = x;
      this.pace.request();
    };
    chart.onrebuild = (over) => {
      this.#cursors.attach(over);
      attachGestures(over, this);
    };
    attachKeys(plot, this);
    this.#cursors.onmove = () => this.drawNow();
    this.#legend.ontoggle = (curve) => {
      curve.isShown = !curve.isShown;
      this.drawNow();
    };
    this.#legend.onremove = ({ pv }) => this.change({ pvs: this.pvs.filter((_, at) => this.names[at] !== pv) });
  }

  #draw() {
    const { curves } = this;
    curves.forEach((curve, at) => (curve.update = this.updates[at]));
    const shown = curves.filter((curve) => curve.isShown && this.isDrawable(curve));
    this.#drawText(curves, shown.length === 0);
    if (!shown.length) return this.#chart.clear();
    this.#chart.draw(pictureOf(this, shown, this.#ranges));
    this.#cursors.place(this.window);
    this.drawn();
  }

  /** What is under the pointer. @param {number} x */
  hoverLabel(x) {
    return this.xLabel(x, 0);
  }

  #drawText(curves, isEmpty) {
    const hover = isEmpty ? null : this.#hover;
    this.#legend.update(readingsOf(this, hover), headOf(this, hover));
    setText(this.find("readout"), hover === null ? "" : this.hoverLabel(hover));
    setText(this.find("note"), isEmpty ? this.note(curves) : "");
    this.find("plot").ariaLabel = this.sentence(curves);
  }

  /** The value at x, as text. */
  reading(curve, x) {
    return curve.format(curve.read(x));
  }
}
