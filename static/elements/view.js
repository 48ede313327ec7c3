/** What of its PVs an element shows: which of them, what stretch, how; and how a person changes that. */

import { FigureElement } from "./figure.js";
import { splitNames } from "./names.js";

/**
 * Base of plots. A subclass has `home`, what is in view where nothing is zoomed, and `bounds`, the most that can be.
 * While it is paused, values are taken in all the same.
 * @typedef {{pvs: string[], span: number, zoom: [number, number]|null, paused: boolean, scale: string}} View
 */
export class ViewElement extends FigureElement {
  static isMultiple = true;

  #zoom = null;

  /** The PVs, macros not replaced. @type {string[]} */
  get pvs() {
    return splitNames(this.pv);
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

  /** What of x is in view, where that is not all. @type {[number, number]|null} */
  get zoom() {
    return this.#zoom;
  }

  set zoom(range) {
    this.#zoom = range && range[1] > range[0] ? [Number(range[0]), Number(range[1])] : null;
    this.onZoom();
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
    this.show([centre - (centre - from) * factor, centre + (to - centre) * factor]);
  }

  /** @param {number} fraction of the window's width, to the right if above 0 */
  panBy(fraction) {
    const [from, to] = this.window;
    const [least, most] = this.bounds;
    const shift = Math.min(Math.max((to - from) * fraction, least - from), most - to);
    if (shift) this.show([from + shift, to + shift]);
  }

  /** Show all, by a person's wish. */
  showAll() {
    this.change({ zoom: null });
  }

  togglePause() {
    this.change({ paused: !this.paused });
  }

  toggleScale() {
    this.change({ scale: this.scale === "log" ? "linear" : "log" });
  }

  /** The least stretch of x that can be zoomed to. */
  get finest() {
    return 0;
  }

  /** Another stretch is in view. */
  onZoom() {}

  /** Tell the page that a person has changed the view. */
  changed() {
    this.dispatchEvent(new CustomEvent("epics-view", { bubbles: true, composed: true, detail: this.view }));
  }

  /** Change the view by a person's wish. @param {Partial<View>} view */
  change(view) {
    Object.assign(this, view);
    this.changed();
  }

  /** Zoom to a window, kept within bounds; all there is is no zoom. @param {[number, number]} window */
  show([from, to]) {
    const [least, most] = this.bounds;
    const isAll = from <= least && to >= most;
    this.change({ zoom: isAll ? null : [Math.max(from, least), Math.min(to, most)] });
  }
}
