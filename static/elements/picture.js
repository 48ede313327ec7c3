/** What a plot shows at the moment: of its chart, and of its legend. */

import { numberOf } from "./numbers.js";

/** @typedef {import("./curve.js").Curve} Curve */
/** @typedef {import("./plot.js").EpicsPlot} EpicsPlot */

/**
 * @param {EpicsPlot} plot
 * @param {Curve[]} curves to be drawn
 * @param {import("./ranges.js").Ranges} ranges
 * @returns {import("./chart.js").Picture}
 */
export function pictureOf(plot, curves, ranges) {
  const { window } = plot;
  return {
    x: { range: window, isTime: plot.isTime, label: (x, step) => plot.xLabel(x, step) },
    scales: ranges.scales(curves, window, wishesOf(plot)),
    lines: curves.map((curve) => ({ scale: curve.scale, index: curve.index, path: (view) => curve.path(view) })),
    levels: curves.length === 1 ? curves[0].levels.map((level) => ({ ...level, scale: curves[0].scale })) : [],
  };
}

/**
 * @param {EpicsPlot} plot
 * @param {number|null} hover x under the pointer
 * @returns {import("./legend.js").Reading[]}
 */
export function readingsOf(plot, hover) {
  const { cursors } = plot;
  return plot.curves.map((curve) => ({
    curve,
    value: hover === null ? plot.latest(curve) : plot.reading(curve, hover),
    cursors: cursors && compare(plot, curve, cursors),
  }));
}

/** @param {EpicsPlot} plot @param {number|null} hover @returns {import("./legend.js").Head} */
export function headOf(plot, hover) {
  const { cursors } = plot;
  const difference = cursors && `Δ ${plot.xDifference(cursors[1] - cursors[0])}`;
  return {
    at: hover === null ? "now" : "at pointer",
    cursors: cursors && [...cursors.map((x) => plot.xLabel(x, 0)), difference],
    isEditable: plot.hasAttribute("editable"),
  };
}

function compare(plot, curve, cursors) {
  const [a, b] = cursors.map((x) => curve.read(x));
  return [...cursors.map((x) => plot.reading(curve, x)), curve.formatDifference(b - a)];
}

/** @returns {import("./ranges.js").Wishes} */
function wishesOf(plot) {
  const [min, max] = ["min", "max"].map((name) => numberOf(plot, name));
  return { min, max, isLog: plot.scale === "log", isTight: plot.zoom !== null };
}
