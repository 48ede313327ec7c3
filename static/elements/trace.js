/** The recent samples of one scalar PV: bounded, in the order of time, with gaps where nobody was watching. */

const FIRST_CAPACITY = 64;
const CAPACITY = 16_384;
const MOST_SOFT_GAPS = 256;

export class Trace {
  #times = new Float64Array(FIRST_CAPACITY);
  #values = new Float64Array(FIRST_CAPACITY);
  #length = 0;
  /** @type {number|null} when watching stopped; becomes a gap once a later value shows that something was missed */
  #gap = null;
  #isRefillable = true;
  /** Times of the gaps that the server can fill. @type {Set<number>} */
  #soft = new Set();
  #resumed = -Infinity;

  /** UNIX seconds, ascending. */
  get times() {
    return this.#times.subarray(0, this.#length);
  }

  /** Values, NaN at a gap. */
  get values() {
    return this.#values.subarray(0, this.#length);
  }

  get length() {
    return this.#length;
  }

  /** @returns {number} the time of the earliest sample, Infinity without one */
  get firstTime() {
    return this.#length ? this.#times[0] : Infinity;
  }

  /** @returns {number} until when the last value was seen to hold, once nobody watches; else the time of the latest */
  get watchedUntil() {
    return Math.max(this.#gap ?? -Infinity, this.lastTime);
  }

  /** @returns {number} the time of the latest sample, -Infinity without one */
  get lastTime() {
    return this.#length ? this.#times[this.#length - 1] : -Infinity;
  }

  clear() {
    this.#length = 0;
    this.#gap = null;
    this.#soft.clear();
  }

  /**
   * A clock that steps back starts the trace anew; a repeated stamp replaces its sample.
   * @param {number} time UNIX seconds of the IOC's stamp
   * @param {number} value
   */
  push(time, value) {
    if (time < this.lastTime) this.clear();
    if (time === this.lastTime) this.#length -= 1;
    else if (this.#missed(time)) this.#appendGap(Math.max(this.#gap, this.lastTime));
    this.#gap = null;
    this.#append(time, value);
  }

  /**
   * Nobody watches from `time` on.
   * @param {number} time
   * @param {boolean} [isRefillable] whether the server went on watching
   */
  interrupt(time, isRefillable = false) {
    this.#isRefillable = isRefillable && (this.#gap === null || this.#isRefillable);
    this.#gap ??= time;
    this.#resumed = Infinity;
  }

  /** Watching again since `time`: a value stamped later proves that nothing changed in between. */
  resume(time) {
    this.#resumed = time;
  }

  /**
   * Take in what the server has kept. It fills a gap if it goes back to a sample from before.
   * @param {Float64Array} times
   * @param {Float64Array} values
   * @param {boolean} isWhole whether it has every sample, and not only extremes
   */
  backfill(times, values, isWhole) {
    const count = isWhole ? times.length : times.filter((time) => time < this.firstTime).length;
    if (!count) return;
    if (isWhole && this.#gap !== null) this.#closeGap(times[0]);
    const own = { times: this.times.slice(), values: this.values.slice(), soft: isWhole ? this.#soft : new Set() };
    this.#length = 0;
    merge(own, { times: times.subarray(0, count), values }, this.#append.bind(this));
  }

  /** The index of the last sample at `time` or before, -1 for none. */
  indexAt(time) {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The value that held at `time`, NaN where none is known. */
  valueAt(time) {
    const index = this.indexAt(time);
    return index < 0 ? NaN : this.#values[index];
  }

  /** What the server has from `first` on either goes back to before the gap, or leaves it between them. */
  #closeGap(first) {
    if (first > this.lastTime && this.#missed(first)) this.#appendGap(Math.max(this.#gap, this.lastTime));
    else if (first > this.lastTime || !this.#isRefillable) return;
    this.#gap = null;
  }

  #missed(time) {
    return this.#gap !== null && this.#length > 0 && time <= this.#resumed;
  }

  #appendGap(time) {
    if (this.#soft.size >= MOST_SOFT_GAPS) this.#soft.clear();
    if (this.#isRefillable) this.#soft.add(time);
    this.#append(time, NaN);
  }

  #append(time, value) {
    if (this.#length === this.#times.length) this.#makeRoom();
    this.#times[this.#length] = time;
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  #makeRoom() {
    if (this.#length < CAPACITY) {
      this.#times = grown(this.#times);
      this.#values = grown(this.#values);
      return;
    }
    this.#length = thin(this.#times, this.#values, CAPACITY / 2);
  }
}

/** @param {Float64Array} samples */
function grown(samples) {
  const larger = new Float64Array(samples.length * 2);
  larger.set(samples);
  return larger;
}

/** Of two traces one: as far as the second goes its samples and the gaps of the first, else the first. */
function merge(own, other, append) {
  const end = other.times.at(-1);
  let next = 0;
  let before = -Infinity;
  const takeUntil = (time) => {
    for (; other.times[next] <= time; next += 1) append(other.times[next], other.values[next]);
  };
  own.times.forEach((time, index) => {
    const isGap = Number.isNaN(own.values[index]);
    const isFilled = isGap && own.soft.has(time) && other.times[0] <= before;
    const isReplaced = !isGap && time >= other.times[0] && time <= end;
    takeUntil(time);
    if (!isFilled && !isReplaced) append(time, own.values[index]);
    if (!isGap) before = time;
  });
  takeUntil(Infinity);
}

/**
 * Keep of each four of the first `count` samples the least and the greatest, and gaps: the older, the coarser.
 * @returns {number} how many samples are left
 */
function thin(times, values, count) {
  let length = 0;
  for (let start = 0; start < count; start += 4) {
    for (const index of extremes(values, start)) {
      times[length] = times[index];
      values[length] = values[index];
      length += 1;
    }
  }
  times.copyWithin(length, count);
  values.copyWithin(length, count);
  return length + times.length - count;
}

/** @returns {[number, number]} two indexes of the four from `start`, in order; one of them that of a gap */
function extremes(values, start) {
  let low = start;
  let high = start;
  for (let index = start; index < start + 4; index += 1) {
    if (Number.isNaN(values[index])) return index === start + 3 ? [start, index] : [index, start + 3];
    if (values[index] < values[low]) low = index;
    if (values[index] > values[high]) high = index;
  }
  return low === high ? [start, start + 3] : [Math.min(low, high), Math.max(low, high)];
}
