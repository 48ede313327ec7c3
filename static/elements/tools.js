/** The buttons that all plots have. */

/**
 * @param {import("./plot.js").EpicsPlot} plot
 * @returns {import("./toolbar.js").Button[][]}
 */
export const plotTools = (plot) => [
  [{ name: "Pause", icon: "pause", isPressed: () => plot.paused, run: () => plot.togglePause() }],
  [
    { name: "Zoom in", icon: "closer", run: () => plot.zoomBy(0.5) },
    { name: "Zoom out", icon: "wider", run: () => plot.zoomBy(2) },
    { name: "Show all", icon: "whole", hint: "Show all (double-click)", run: () => plot.showAll() },
  ],
  [
    { name: "Cursors", icon: "cursors", isPressed: () => plot.cursors !== null, run: () => plot.toggleCursors() },
    { name: "Logarithmic", icon: "log", isPressed: () => plot.scale === "log", run: () => plot.toggleScale() },
    { name: "Save as CSV", icon: "save", run: () => plot.save() },
  ],
];
