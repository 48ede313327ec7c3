/** Samples to paths on a canvas: however many there are, no column of pixels is drawn more than once. */

const POINTS_APART = 7;
/** Elements per column of pixels from which on only their envelope is drawn. */
const CROWDED = 4;
const POINT_RADIUS = 1.2;

/**
 * @typedef {object} View where on the canvas values lie
 * @property {(x: number) => number} toX pixels of the canvas
 * @property {(y: number) => number} toY pixels of the canvas; NaN for what cannot be drawn
 * @property {number} from least x in view
 * @property {number} to greatest x in view
 * @property {number} ratio pixels of the canvas per CSS pixel
 */

/** Draws one column of pixels after the other: where the line enters, how far it goes, where it leaves. */
class Pen {
  path = new Path2D();
  #x = NaN;
  #low = 0;
  #high = 0;
  #last = NaN;
  #isDown = false;

  /** @param {boolean} isStepped whether a value holds until the next one */
  constructor(isStepped) {
    this.isStepped = isStepped;
  }

  to(x, y) {
    if (Number.isNaN(y)) return this.lift(x);
    if (this.#isDown && Math.round(x) === Math.round(this.#x)) return this.#widen(y);
    this.#finish();
    this.#enter(x, y);
  }

  /** A gap begins at `x`: until there the last value holds. */
  lift(x) {
    this.#finish();
    if (this.#isDown && this.isStepped) this.path.lineTo(x, this.#last);
    this.#isDown = false;
    this.#x = NaN;
  }

  #enter(x, y) {
    if (!this.#isDown) this.path.moveTo(x, y);
    else {
      if (this.isStepped) this.path.lineTo(x, this.#last);
      this.path.lineTo(x, y);
    }
    this.#isDown = true;
    this.#x = x;
    this.#low = this.#high = this.#last = y;
  }

  #widen(y) {
    if (y < this.#low) this.#low = y;
    if (y > this.#high) this.#high = y;
    this.#last = y;
  }

  #finish() {
    if (this.#low === this.#high || Number.isNaN(this.#x)) return;
    this.path.lineTo(this.#x, this.#low);
    this.path.lineTo(this.#x, this.#high);
    this.path.lineTo(this.#x, this.#last);
    this.#low = this.#high = this.#last;
  }
}

/**
 * A trace: each value holds until the next one, the last one until `end`.
 * @param {import("./trace.js").Trace} trace
 * @param {number} end
 * @param {View} view
 * @returns {Path2D}
 */
export function tracePath(trace, end, { toX, toY, from, to }) {
  const { times, values } = trace;
  const pen = new Pen(true);
  const start = Math.max(0, trace.indexAt(from));
  for (let index = start; index < times.length && times[index] <= to; index += 1) {
    pen.to(toX(times[index]), toY(values[index]));
  }
  pen.lift(toX(Math.min(Math.max(end, trace.lastTime), to)));
  return pen.path;
}

/**
 * An array from index `first` on, a line from each element to the next.
 * @param {ArrayLike<number|bigint>} values
 * @param {number} first
 * @param {View} view
 * @returns {Path2D}
 */
export function arrayPath(values, first, view) {
  const start = Math.max(0, Math.floor(view.from) - first);
  const end = Math.min(values.length, Math.ceil(view.to) - first + 1);
  const columns = Math.ceil(view.toX(view.to) - view.toX(view.from));
  if (end - start > CROWDED * columns) {
    return envelopePath(reduced(values, start, end, columns), first + start, end - start, view);
  }
  return linePath(values, first, start, end, view);
}

function linePath(values, first, start, end, { toX, toY, ratio }) {
  const pen = new Pen(false);
  for (let index = start; index < end; index += 1) pen.to(toX(first + index), toY(Number(values[index])));
  pen.lift(0);
  const isSparse = toX(1) - toX(0) >= POINTS_APART * ratio;
  if (isSparse) pen.path.addPath(points(values, first, start, end, toX, toY, POINT_RADIUS * ratio));
  return pen.path;
}

/** An envelope made here, by a loop that does nothing else: there may be millions. */
function reduced(values, start, end, columns) {
  const pairs = new Float64Array(2 * columns);
  for (let column = 0; column < columns; column += 1) {
    const from = start + Math.floor((column * (end - start)) / columns);
    const to = start + Math.floor(((column + 1) * (end - start)) / columns);
    let low = Infinity;
    let high = -Infinity;
    for (let index = from; index < to; index += 1) {
      const value = values[index];
      if (value < low) low = value;
      if (value > high) high = value;
    }
    pairs[2 * column] = low > high ? NaN : Number(low);
    pairs[2 * column + 1] = low > high ? NaN : Number(high);
  }
  return pairs;
}

/** A dot for each element, where there is room for it. */
function points(values, first, start, end, toX, toY, radius) {
  const path = new Path2D();
  for (let index = start; index < end; index += 1) {
    const [x, y] = [toX(first + index), toY(Number(values[index]))];
    if (Number.isNaN(y)) continue;
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
  }
  return path;
}

/**
 * An envelope: least and greatest value of each of its stretches.
 * @param {ArrayLike<number>} pairs least, greatest, least, ...
 * @param {number} first index of the element where it begins
 * @param {number} count elements that it stands for
 * @param {View} view
 * @returns {Path2D}
 */
export function envelopePath(pairs, first, count, { toX, toY }) {
  const pen = new Pen(false);
  const stretch = (2 * count) / pairs.length;
  for (let index = 0; index < pairs.length; index += 2) {
    const x = toX(first + (index / 2 + 0.5) * stretch);
    pen.to(x, toY(Number(pairs[index])));
    pen.to(x, toY(Number(pairs[index + 1])));
  }
  pen.lift(0);
  return pen.path;
}

/**
 * @param {ArrayLike<number>} values
 * @param {number} start index
 * @param {number} end index behind the last one
 * @param {boolean} isLog whether only what is above 0 counts
 * @returns {[number, number]} least and greatest; [Infinity, -Infinity] where there is none
 */
export function extent(values, start, end, isLog) {
  let low = Infinity;
  let high = -Infinity;
  const [least, last] = [isLog ? Number.MIN_VALUE : -Number.MAX_VALUE, Math.min(end, values.length)];
  for (let index = Math.max(0, start); index < last; index += 1) {
    const value = values[index];
    if (value < low && value >= least) low = value;
    if (value > high && value <= Number.MAX_VALUE) high = value;
  }
  return low > high ? [Infinity, -Infinity] : [Number(low), Number(high)];
}
