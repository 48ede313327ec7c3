/** The y axes of a plot: one for each unit, calm. */

const MARGIN = 0.08;
const SPARE = 0.5;
/** Beyond it an axis has no length that is a number. */
const LARGEST = 1e300;

/** @typedef {{isLog: boolean, min: number|null, max: number|null, isTight: boolean}} Wishes */

export class Ranges {
  /** @type {Map<string, [number, number]>} by scale */
  #kept = new Map();

  /** Begin anew: what is in view is another thing. */
  clear() {
    this.#kept.clear();
  }

  /**
   * @param {import("./curve.js").Curve[]} curves
   * @param {[number, number]} window of x
   * @param {Wishes} wishes
   * @returns {import("./chart.js").Scale[]}
   */
  scales(curves, window, wishes) {
    const keys = new Set(curves.map(({ scale }) => scale));
    return [...keys].map((key) => this.#scale(key, curves.filter(({ scale }) => scale === key), window, wishes));
  }

  #scale(key, curves, window, wishes) {
    const [{ states, update }] = curves;
    const isLog = wishes.isLog && !states;
    const form = { key, isLog, states, label: states ? "" : update.units };
    if (states) return { ...form, range: [-0.5, states.length - 0.5] };
    const [low, high] = this.#calm(`${isLog} ${key}`, span(curves, window, isLog), isLog, wishes.isTight);
    return { ...form, range: ordered(allowed(wishes.min, isLog) ?? low, allowed(wishes.max, isLog) ?? high, isLog) };
  }

  /** It grows at once, and shrinks only when half of it is spare. */
  #calm(key, [low, high], isLog, isTight) {
    const [from, to] = this.#kept.get(key) ?? [Infinity, -Infinity];
    if (low > high) return from < to ? [from, to] : [isLog ? 1 : 0, isLog ? 10 : 1];
    const size = (a, b) => (isLog ? Math.log10(b / a) : b - a);
    const fits = low >= from && high <= to && size(low, high) > SPARE * size(from, to);
    if (!fits || isTight) this.#kept.set(key, padded(low, high, isLog));
    return this.#kept.get(key);
  }
}

/** Least and greatest of all curves in view. */
function span(curves, [from, to], isLog) {
  const extents = curves.map((curve) => curve.extent(from, to, isLog));
  return [Math.min(...extents.map(([low]) => low)), Math.max(...extents.map(([, high]) => high))];
}

const allowed = (limit, isLog) => (limit === null || (isLog && limit <= 0) ? null : limit);

function ordered(first, last, isLog) {
  const [low, high] = [first, last].map((limit) => Math.min(Math.max(limit, isLog ? 1 / LARGEST : -LARGEST), LARGEST));
  if (low < high) return [low, high];
  const margin = Math.max(1, 1e-6 * Math.abs(low));
  return isLog ? [low / 10, low * 10] : [low - margin, low + margin];
}

/**
 * @param {number} low
 * @param {number} high
 * @param {boolean} isLog
 * @returns {[number, number]} a little more than that
 */
function padded(low, high, isLog) {
  if (isLog) {
    const factor = Math.max((high / low) ** MARGIN, 1.2);
    return [low / factor, high * factor];
  }
  const margin = MARGIN * (high - low) || Math.abs(high) * MARGIN || 1;
  return [low - margin, high + margin];
}
