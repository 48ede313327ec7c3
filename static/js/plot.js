/** The plot of one PV (uPlot): a strip chart of a scalar's last minutes, a waveform, or a long waveform's envelope. */

import { formatClock, formatNumber } from "../elements/format.js";

const MARGIN = 0.08;
const SPARE = 0.5;

/** What is drawn for each picture of a PV; `data` gives uPlot's columns. */
const PICTURES = {
  strip: { data: stripData, series: 1, stepped: true, label: formatClock },
  wave: { data: waveData, series: 1, stepped: false, label: String },
  envelope: { data: envelopeData, series: 2, stepped: false, label: (index) => String(Math.round(index)) },
};

export class Plot {
  #uPlot;
  #host;
  #chart = null;
  #pv = null;
  #drawn = "";
  #range = null;
  #zoom = null;
  /** Seconds that a strip chart shows. */
  span = 60;

  /** @type {(text: string) => void} told what lies under the cursor, "" for nothing */
  onread = () => {};

  /**
   * @param {HTMLElement} host
   * @param {Function} uPlot the library's constructor
   */
  constructor(host, uPlot) {
    this.#host = host;
    this.#uPlot = uPlot;
    new ResizeObserver(() => this.#resize()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.clear());
    host.addEventListener("dblclick", () => this.#zoomTo(null));
  }

  /** Draw the PV as it is now; one that cannot be drawn clears the plot. */
  draw(pv) {
    const drawn = `${pv.picture} ${pv.metadata?.type} ${pv.name}`;
    if (drawn !== this.#drawn) this.clear();
    const picture = PICTURES[pv.picture];
    if (!picture) return;
    this.#pv = pv;
    this.#drawn = drawn;
    const data = picture.data(pv);
    this.#chart ??= new this.#uPlot(this.#options(picture), data, this.#host);
    this.#chart.setData(data);
  }

  clear() {
    this.#chart?.destroy();
    this.#chart = this.#range = this.#zoom = null;
    this.#drawn = "";
    this.onread("");
  }

  #resize() {
    if (this.#host.clientWidth) this.#chart?.setSize(this.#size);
  }

  get #size() {
    return { width: Math.max(this.#host.clientWidth, 160), height: Math.max(this.#host.clientHeight, 100) };
  }

  #options(picture) {
    const colour = (name) => getComputedStyle(this.#host).getPropertyValue(name).trim();
    const line = { stroke: colour("--line"), width: picture.stepped ? 2 : 1.5, points: { show: false } };
    if (picture.stepped) line.paths = this.#uPlot.paths.stepped({ align: 1 });
    return {
      ...this.#size,
      padding: [10, 26, 0, 0],
      legend: { show: false },
      cursor: { points: { size: 7, fill: colour("--line") }, drag: { x: !picture.stepped, y: false, setScale: false } },
      scales: {
        x: { time: false, range: (_, low, high) => this.#xRange(low, high) },
        y: { range: (_, low, high) => this.#yRange(low, high) },
      },
      axes: this.#axes(picture, colour),
      series: [{}, ...Array(picture.series).fill(line)],
      bands: picture.series === 2 ? [{ series: [2, 1], fill: colour("--fill") }] : [],
      hooks: {
        drawAxes: [(chart) => this.#drawLimits(chart, colour)],
        setCursor: [(chart) => this.onread(this.#read(chart, picture))],
        setSelect: [(chart) => this.#zoomTo(chart.select)],
      },
    };
  }

  #axes(picture, colour) {
    const states = this.#pv.metadata?.enumStrings ?? [];
    const grid = { stroke: colour("--grid"), width: 1 };
    const axis = { stroke: colour("--quiet"), font: "12px system-ui, sans-serif", grid, ticks: { show: false } };
    const label = (tick, ticks) => states[tick] ?? shortNumber(tick, ticks);
    return [
      { ...axis, size: 28, space: 80, values: (_, ticks) => ticks.map(picture.label) },
      {
        ...axis,
        size: axisWidth,
        splits: states.length ? () => states.map((_, index) => index) : undefined,
        values: (_, ticks) => ticks.map((tick) => label(tick, ticks)),
      },
    ];
  }

  #xRange(low, high) {
    if (this.#pv.picture === "strip") return [stripEnd(this.#pv) - this.span, stripEnd(this.#pv)];
    return this.#zoom ?? [low ?? 0, Math.max(high ?? 1, (low ?? 0) + 1)];
  }

  /** A calm axis: it grows at once, and shrinks only when half of it is spare. */
  #yRange(low, high) {
    const states = this.#pv.metadata?.enumStrings?.length;
    if (states) return [-0.5, states - 0.5];
    if (low === null || low === undefined) return this.#range ?? [0, 1];
    const [from, to] = this.#range ?? [Infinity, -Infinity];
    const fits = low >= from && high <= to && high - low > SPARE * (to - from);
    if (!fits) this.#range = padded(low, high);
    return this.#range;
  }

  #zoomTo(select) {
    if (select?.width > 4) this.#zoom = [0, select.width].map((x) => this.#chart.posToVal(select.left + x, "x"));
    else if (!select) this.#zoom = null;
    if (select?.width) this.#chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  }

  #read(chart, picture) {
    const index = chart.cursor.idx;
    if (index == null || chart.cursor.left < 0) return "";
    const values = chart.data.slice(1).map((column) => column[index]);
    if (values.some((value) => value == null)) return "";
    const states = this.#pv.metadata?.enumStrings;
    const shown = values.map((value) => states?.[value] ?? formatNumber(value, this.#pv.metadata));
    return `${picture.label(chart.data[0][index])}  ${shown.join(" … ")} ${this.#pv.units}`;
  }

  /** Warning and alarm limits as dashed lines, where they lie in view. */
  #drawLimits(chart, colour) {
    const context = chart.ctx;
    context.save();
    context.setLineDash([6, 6]);
    for (const [kind, name] of [["warning", "--minor"], ["alarm", "--major"]]) {
      context.strokeStyle = colour(name);
      for (const limit of this.#pv.limits(kind) ?? []) drawLevel(chart, limit);
    }
    context.restore();
  }
}

function drawLevel(chart, level) {
  const { min, max } = chart.scales.y;
  if (!(level > min && level < max)) return;
  const y = Math.round(chart.valToPos(level, "y", true)) + 0.5;
  chart.ctx.beginPath();
  chart.ctx.moveTo(chart.bbox.left, y);
  chart.ctx.lineTo(chart.bbox.left + chart.bbox.width, y);
  chart.ctx.stroke();
}

/** The right edge: now, as the IOC's clock reads; a stamp a little ahead of it is still shown. */
function stripEnd(pv) {
  return Math.max(pv.now, Math.min(pv.trace.lastTime, pv.now + 2));
}

/** Samples, and the latest value held until now while the PV is connected. */
function stripData(pv) {
  const times = Array.from(pv.trace.times);
  const values = Array.from(pv.trace.values, finite);
  if (times.length && pv.isLive) {
    times.push(stripEnd(pv));
    values.push(values.at(-1));
  }
  return [times, values];
}

function waveData(pv) {
  const values = Array.from(pv.value, finite);
  return [values.map((_, index) => index), values];
}

function envelopeData(pv) {
  const pairs = pv.value.length / 2;
  const columns = [[], [], []];
  for (let i = 0; i < pairs; i += 1) {
    columns[0].push((i * pv.count) / pairs);
    columns[1].push(finite(pv.value[2 * i]));
    columns[2].push(finite(pv.value[2 * i + 1]));
  }
  return columns;
}

/** @returns {number|null} null where uPlot is to leave a gap */
function finite(value) {
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

function padded(low, high) {
  const margin = MARGIN * (high - low) || Math.abs(high) * MARGIN || 1;
  return [low - margin, high + margin];
}

function axisWidth(_, labels) {
  const longest = Math.max(3, ...(labels ?? []).map((label) => label.length));
  return 16 + 7 * longest;
}

/** Only the digits that tell two ticks apart. */
function shortNumber(tick, ticks) {
  const step = Math.abs(ticks[1] - ticks[0]) || 1;
  if (Math.abs(tick) >= 1e6 || step < 1e-5) return tick.toExponential(2);
  return tick.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
}
