/** What hands do to a plot: wheel, double-click, keys, and fingers. */

const WHEEL_STEP = 0.0016;

/** Keys while the plot has the focus. @type {Record<string, (plot: import("./plot.js").EpicsPlot) => void>} */
const KEYS = {
  "+": (plot) => plot.zoomBy(0.5),
  "=": (plot) => plot.zoomBy(0.5),
  "-": (plot) => plot.zoomBy(2),
  ArrowLeft: (plot) => plot.panBy(-0.1),
  ArrowRight: (plot) => plot.panBy(0.1),
  PageUp: (plot) => plot.panBy(-0.9),
  PageDown: (plot) => plot.panBy(0.9),
  Home: (plot) => plot.showAll(),
  Escape: (plot) => plot.showAll(),
  " ": (plot) => plot.togglePause(),
};

/**
 * @param {HTMLElement} over what lies over the lines
 * @param {import("./plot.js").EpicsPlot} plot
 */
export function attachGestures(over, plot) {
  over.addEventListener("wheel", (event) => turn(event, over, plot), { passive: false });
  over.addEventListener("dblclick", () => plot.showAll());
  new Fingers(over, plot);
}

/**
 * @param {HTMLElement} element that has the focus
 * @param {import("./plot.js").EpicsPlot} plot
 */
export function attachKeys(element, plot) {
  element.addEventListener("keydown", (event) => {
    const run = KEYS[event.key];
    if (!run || event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    run(plot);
  });
}

/** Zoom at the pointer, or move sideways. With all in view, to turn outwards scrolls the page. */
function turn(event, over, plot) {
  const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
  if (!plot.zoom && (isSideways || event.deltaY > 0)) return;
  event.preventDefault();
  if (isSideways) return plot.panBy(event.deltaX / over.clientWidth);
  const [from, to] = plot.window;
  const { left, width } = over.getBoundingClientRect();
  plot.zoomBy(2 ** (event.deltaY * WHEEL_STEP * 2), from + ((to - from) * (event.clientX - left)) / width);
}

/** One finger moves what is in view, two zoom. */
class Fingers {
  /** @type {Map<number, number>} pointer -> CSS pixels from the left */
  #at = new Map();
  #over;
  #plot;

  constructor(over, plot) {
    this.#over = over;
    this.#plot = plot;
    over.addEventListener("pointerdown", ({ pointerType, pointerId, clientX }) => {
      if (pointerType === "touch") this.#at.set(pointerId, clientX);
    });
    over.addEventListener("pointermove", (event) => this.#at.has(event.pointerId) && this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      over.addEventListener(end, ({ pointerId }) => this.#at.delete(pointerId));
    }
  }

  #move({ pointerId, clientX }) {
    const before = [...this.#at.values()];
    this.#at.set(pointerId, clientX);
    const now = [...this.#at.values()];
    if (now.length === 1) return this.#plot.panBy((before[0] - now[0]) / this.#over.clientWidth);
    const [wide, wider] = [before, now].map(([a, b]) => Math.max(1, Math.abs(a - b)));
    this.#plot.zoomBy(wide / wider);
  }
}
