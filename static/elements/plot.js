/** What strip chart and waveform have in common: curves, a view that can be zoomed, cursors, legend, tools. */

import { Chart } from "./chart.js";
import { download, toCSV } from "./csv.js";
import { Cursors } from "./cursors.js";
import { Curves } from "./curves.js";
import { EpicsElement } from "./element.js";
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

const TEMPLATE = `<div part="header"><span part="label"></span>${STATE}<span part="readout"></span>
<div part="toolbar" role="group" aria-label="Plot tools"></div></div>
<div part="plot" role="group" tabindex="0"><p part="note"></p></div>
<div part="legend"></div><span class="unseen" role="status"></span>`;

/**
 * Base of plots. A subclass has `isTime`, `makeCurve`, `isDrawable`, `home`, `bounds`, `xLabel`, `xDifference`,
 * `latest`, `note`, `sentence` and `rows`.
 * @typedef {{pvs: string[], span: number, zoom: [number, number]|null, paused: boolean, scale: string}} View
 */
export class EpicsPlot extends EpicsElement {
  static observedAttributes = [
    ...EpicsElement.observedAttributes, "span", "min", "max", "scale", "paused", "sync", "editable",
  ];
  static template = TEMPLATE;
  static styles = [traceColors, plotStyle];
  static role = "figure";
  static isMultiple = true;

  #curves = new Curves((pv, index) => this.makeCurve(pv, index));
  #zoom = null;
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
    this.#toolbar ??= new Toolbar(this.find("toolbar"), this.tools);
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
    if (name === "paused" && now !== null !== (old !== null)) this.onPause(now !== null);
    if (name === "sync") this.#chart.sync = now;
    if (name === "scale") this.#ranges.clear();
    this.#toolbar.update();
    this.drawNow();
  }

  // -- what a page can ask and set

  /** The PVs, macros not replaced. @type {string[]} */
  get pvs() {
    return this.pv.split(/\s+/).filter(Boolean);
  }

  set pvs(names) {
    this.pv = names.join(" ");
  }

  /** @param {string} pv */
  addPV(pv) {
    if (!this.pvs.includes(pv)) this.pvs = [...this.pvs, pv];
  }

  /** @param {string} pv */
  removePV(pv) {
    this.pvs = this.pvs.filter((name) => name !== pv);
  }

  /** Whether the plot stands still. Values are taken in all the same. @type {boolean} */
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

  /** What of x is in view, where that is not all. @type {[number, number]|null} */
  get zoom() {
    return this.#zoom;
  }

  set zoom(range) {
    this.#zoom = range && range[1] > range[0] ? [Number(range[0]), Number(range[1])] : null;
    this.#ranges.clear();
    this.onView();
    this.#toolbar?.update();
    this.drawNow();
  }

  /** The two cursors, as x. @type {[number, number]|null} */
  get cursors() {
    return this.#cursors.places;
  }

  set cursors(places) {
    this.#cursors.places = places && [Number(places[0]), Number(places[1])];
    this.#toolbar?.update();
    this.drawNow();
  }

  /** All that a person can change, such as for an address. @type {View} */
  get view() {
    const { pvs, zoom, paused, scale } = this;
    return { pvs, zoom, paused, scale };
  }

  set view(view) {
    Object.assign(this, Object.fromEntries(Object.entries(view).filter(([, wish]) => wish !== undefined)));
  }

  /** What of x is in view. @returns {[number, number]} */
  get window() {
    return this.#zoom ?? this.home;
  }

  /**
   * Show less of x around a place, or more; all of it in the end.
   * @param {number} factor of the window's width
   * @param {number} [at] x that stays where it is
   */
  zoomBy(factor, at) {
    const [from, to] = this.window;
    if (factor < 1 && to - from <= this.finest) return;
    const centre = at ?? (from + to) / 2;
    this.#show([centre - (centre - from) * factor, centre + (to - centre) * factor]);
  }

  /** @param {number} fraction of the window's width, to the right if above 0 */
  panBy(fraction) {
    const [from, to] = this.window;
    const [least, most] = this.bounds;
    const shift = Math.min(Math.max((to - from) * fraction, least - from), most - to);
    if (shift) this.#show([from + shift, to + shift]);
  }

  /** Show all, by a person's wish. */
  showAll() {
    this.#change({ zoom: null });
  }

  togglePause() {
    this.#change({ paused: !this.paused });
  }

  toggleScale() {
    this.#change({ scale: this.scale === "log" ? "linear" : "log" });
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

  /** The least stretch of x that can be zoomed to. */
  get finest() {
    return 0;
  }

  /** Milliseconds between two drawings. */
  get interval() {
    return 0;
  }

  onUpdate(update, index) {
    this.curves[index].receive(update);
  }

  /** @param {boolean} _isPaused */
  onPause(_isPaused) {}

  /** Another stretch is in view, or more pixels show it. */
  onView() {}

  /** A drawing is done. */
  drawn() {}

  render() {
    this.pace.request();
  }

  /** Tell the page that a person has changed the view. */
  changed() {
    this.dispatchEvent(new CustomEvent("epics-view", { bubbles: true, composed: true, detail: this.view }));
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

  #listen(plot) {
    const chart = this.#chart;
    chart.onselect = (from, to) => this.#show([from, to]);
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
    this.#legend.onremove = ({ pv }) => this.#change({ pvs: this.pvs.filter((_, at) => this.names[at] !== pv) });
  }

  #change(view) {
    Object.assign(this, view);
    this.changed();
  }

  /** A window, kept within bounds; all there is shows as no zoom. */
  #show([from, to]) {
    const [least, most] = this.bounds;
    const isAll = from <= least && to >= most;
    this.#change({ zoom: isAll ? null : [Math.max(from, least), Math.min(to, most)] });
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

  #drawText(curves, isEmpty) {
    const hover = isEmpty ? null : this.#hover;
    this.#legend.update(readingsOf(this, hover), headOf(this, hover));
    setText(this.find("readout"), hover === null ? "" : this.xLabel(hover, 0));
    setText(this.find("note"), isEmpty ? this.note(curves) : "");
    this.find("plot").ariaLabel = this.sentence(curves);
  }

  /** The value at x, as text. */
  reading(curve, x) {
    return curve.format(curve.read(x));
  }
}
