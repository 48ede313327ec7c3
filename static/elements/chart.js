/** One chart (uPlot): axes, grid, pointer. It draws a picture, and knows nothing of PVs. */

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { traceColor, traceDash } from "./theme.js";
import { logLabel, logTicks, tickLabel } from "./ticks.js";

const LEAST_DRAG = 4;
const AXES_WITH_GRID = 1;
const MOST_AXES = 4;
const TICK_SPACE = 32;
/** Pixels beside the plot: a label of time is centred under its tick, unless another axis leaves room for it. */
const SPARE = 14;
const HALF_A_LABEL = 30;

/**
 * @typedef {object} Scale one y axis
 * @property {string} key
 * @property {[number, number]} range
 * @property {boolean} isLog
 * @property {readonly string[]|null} states of an enum, in place of numbers
 * @property {string} label
 */
/**
 * @typedef {object} Line
 * @property {string} scale key
 * @property {number} index decides colour and dashes
 * @property {(view: import("./lines.js").View) => Path2D} path
 */
/**
 * @typedef {object} Picture
 * @property {{range: [number, number], isTime: boolean, label: (x: number, step: number) => string}} x
 * @property {Scale[]} scales
 * @property {Line[]} lines
 * @property {{scale: string, value: number, color: string}[]} levels dashed horizontal lines
 */

export class Chart {
  #host;
  #theme;
  #sync;
  /** @type {uPlot|null} */
  #uPlot = null;
  /** @type {Picture|null} */
  #picture = null;
  #structure = "";
  #resized;

  /** @type {(from: number, to: number) => void} told what a person has dragged over */
  onselect = () => {};
  /** @type {(x: number|null) => void} told what x is under the pointer */
  onhover = () => {};
  /** @type {(over: HTMLElement) => void} told that there is another element over the plot */
  onrebuild = () => {};
  /** @type {() => void} told of another size */
  onresize = () => {};

  /**
   * @param {HTMLElement} host
   * @param {import("./theme.js").Theme} theme
   */
  constructor(host, theme) {
    this.#host = host;
    this.#theme = theme;
    this.#resized = new ResizeObserver(() => this.#resize());
  }

  connect() {
    this.#resized.observe(this.#host);
  }

  disconnect() {
    this.#resized.disconnect();
    this.clear();
  }

  /** Charts of one key show the same x under the pointer. @param {string|null} key */
  set sync(key) {
    if (key === this.#sync) return;
    this.#sync = key;
    this.clear();
  }

  /** @param {Picture} picture */
  draw(picture) {
    if (!this.#host.clientWidth || !this.#host.clientHeight) return;
    const structure = structureOf(picture);
    if (structure !== this.#structure) this.clear();
    this.#picture = picture;
    this.#structure = structure;
    if (this.#uPlot) this.#uPlot.setData(this.#data);
    else this.#build();
  }

  clear() {
    this.#uPlot?.destroy();
    this.#uPlot = null;
    this.#structure = "";
  }

  /** CSS pixels of the plot's width; of the host's before the first drawing. */
  get width() {
    return this.#uPlot?.over.clientWidth || this.#host.clientWidth;
  }

  /** @param {number} x @returns {number} CSS pixels from the plot's left edge */
  toPixel(x) {
    return this.#uPlot.valToPos(x, "x");
  }

  /** @param {number} pixel from the plot's left edge */
  toX(pixel) {
    return this.#uPlot.posToVal(pixel, "x");
  }

  /** The lines are drawn from the picture; uPlot needs to know no more than how many there are. */
  get #data() {
    return [this.#picture.x.range, ...this.#picture.lines.map(() => [1, 1])];
  }

  get #size() {
    return { width: this.#host.clientWidth, height: this.#host.clientHeight };
  }

  #build() {
    this.#uPlot = new uPlot(this.#options(), this.#data, this.#host);
    this.#uPlot.root.querySelectorAll("canvas").forEach((canvas) => (canvas.ariaHidden = "true"));
    this.onrebuild(this.#uPlot.over);
  }

  #resize() {
    if (this.#uPlot && this.#host.clientWidth && this.#host.clientHeight) this.#uPlot.setSize(this.#size);
    this.onresize();
  }

  #options() {
    const { scales, lines, x } = this.#picture;
    return {
      ...this.#size,
      padding: [10, scales.length > 1 ? SPARE : HALF_A_LABEL, 0, 0],
      legend: { show: false },
      cursor: this.#cursor,
      scales: {
        x: { time: x.isTime, range: () => this.#picture.x.range },
        ...Object.fromEntries(scales.map((scale, at) => [scale.key, this.#scale(scale, at)])),
      },
      axes: [this.#xAxis(), ...scales.slice(0, MOST_AXES).map((scale, at) => this.#yAxis(scale, at))],
      series: [{}, ...lines.map((line, at) => this.#series(line, at))],
      hooks: {
        drawAxes: [() => this.#drawLevels()],
        setCursor: [(chart) => this.onhover(chart.cursor.left >= 0 ? chart.posToVal(chart.cursor.left, "x") : null)],
        setSelect: [(chart) => this.#select(chart)],
      },
    };
  }

  get #cursor() {
    return {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false },
      sync: this.#sync ? { key: this.#sync, scales: ["x", null] } : undefined,
    };
  }

  #scale({ isLog }, at) {
    return { distr: isLog ? 3 : 1, range: () => this.#picture.scales[at].range };
  }

  #series({ scale, index }, at) {
    return {
      scale,
      auto: false,
      stroke: () => this.#theme.color(traceColor(index)),
      fill: null,
      width: 1.75,
      dash: traceDash(index).map((length) => length * devicePixelRatio),
      cap: "butt",
      points: { show: false },
      paths: (chart) => this.#path(chart, this.#picture.lines[at]),
    };
  }

  #path(chart, line) {
    const [from, to] = this.#picture.x.range;
    const { scales, bbox } = chart;
    const view = { toX: toCanvasX(scales.x, bbox), toY: toCanvasY(scales[line.scale], bbox), from, to };
    return { stroke: line.path({ ...view, ratio: devicePixelRatio }), flags: 0 };
  }

  #axis() {
    const grid = { stroke: () => this.#theme.color("track"), width: 1 };
    return { stroke: () => this.#theme.color("quiet"), font: this.#theme.font, ticks: { show: false }, grid };
  }

  #xAxis() {
    const values = (_, ticks, __, ___, step) => ticks.map((tick) => this.#picture.x.label(tick, step));
    return { ...this.#axis(), size: 30, gap: 8, space: 90, values };
  }

  #yAxis({ key, states, isLog }, at) {
    const axis = this.#axis();
    const label = () => this.#picture.scales[at].label;
    return {
      ...axis,
      scale: key,
      side: at % 2 ? 1 : 3,
      size: axisWidth,
      gap: 8,
      space: TICK_SPACE,
      grid: { ...axis.grid, show: at < AXES_WITH_GRID },
      label: label() || undefined,
      labelSize: 18,
      labelFont: this.#theme.font,
      ...(states && { splits: () => states.map((_, index) => index) }),
      ...(isLog && { splits: (chart, _, low, high) => logTicks(low, high, chart.over.clientHeight / TICK_SPACE) }),
      filter: (_, ticks) => ticks,
      values: (_, ticks) => ticks.map((tick) => states?.[tick] ?? (isLog ? logLabel(tick) : tickLabel(tick, ticks))),
    };
  }

  #select(chart) {
    const { left, width } = chart.select;
    if (!width) return;
    chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    if (width >= LEAST_DRAG) this.onselect(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
  }

  /** Warning and alarm limits, where they lie in view. */
  #drawLevels() {
    const { ctx, bbox, scales } = this.#uPlot ?? {};
    if (!ctx) return;
    ctx.save();
    ctx.setLineDash([6 * devicePixelRatio, 6 * devicePixelRatio]);
    ctx.lineWidth = devicePixelRatio;
    for (const { scale, value, color } of this.#picture.levels) {
      const { min, max } = scales[scale];
      if (!(value > min && value < max)) continue;
      ctx.strokeStyle = this.#theme.color(color);
      const y = Math.round(toCanvasY(scales[scale], bbox)(value)) + 0.5;
      ctx.stroke(new Path2D(`M${bbox.left} ${y}h${bbox.width}`));
    }
    ctx.restore();
  }
}

/** What cannot be changed without making uPlot anew. */
function structureOf({ x, scales, lines }) {
  const forms = scales.map(({ key, isLog, states, label }) => [key, isLog, states, label]);
  return JSON.stringify([x.isTime, forms, lines.map(({ scale, index }) => [scale, index])]);
}

function toCanvasX({ min, max }, { left, width }) {
  const factor = width / (max - min);
  return (x) => left + (x - min) * factor;
}

function toCanvasY({ min, max, distr }, { top, height }) {
  const bend = distr === 3 ? (value) => (value > 0 ? Math.log10(value) : NaN) : Number;
  const base = bend(min);
  const factor = height / (bend(max) - base);
  const bottom = top + height;
  return (y) => bottom - (bend(y) - base) * factor;
}

function axisWidth(_, labels) {
  const longest = Math.max(3, ...(labels ?? []).map((label) => label.length));
  return 18 + 7 * longest;
}
