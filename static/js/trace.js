/** The recent samples of one scalar PV: bounded, in the order of time, with gaps where nobody was watching. */

const FIRST_CAPACITY = 64;
const CAPACITY = 4096;

export class Trace {
  #times = new Float64Array(FIRST_CAPACITY);
  #values = new Float64Array(FIRST_CAPACITY);
  #length = 0;
  /** @type {number|null} when watching stopped; becomes a gap once a later value shows that something was missed */
  #gap = null;
  #resumed = -Infinity;

  /** UNIX seconds, ascending. */
  get times() {
    return this.#times.subarray(0, this.#length);
  }

  /** Values, NaN at a gap. */
  get values() {
    return this.#values.subarray(0, this.#length);
  }

  /** @returns {number} the time of the latest sample, -Infinity without one */
  get lastTime() {
    return this.#length ? this.#times[this.#length - 1] : -Infinity;
  }

  clear() {
    this.#length = 0;
    this.#gap = null;
  }

  /**
   * A clock that steps back starts the trace anew; a repeated stamp replaces its sample.
   * @param {number} time UNIX seconds of the IOC's stamp
   * @param {number} value
   */
  push(time, value) {
    if (time < this.lastTime) this.clear();
    if (time === this.lastTime) this.#length -= 1;
    else if (this.#missed(time)) this.#append(Math.max(this.#gap, this.lastTime), NaN);
    this.#gap = null;
    this.#append(time, value);
  }

  /** Nobody watches from `time` on. */
  interrupt(time) {
    this.#gap ??= time;
    this.#resumed = Infinity;
  }

  /** Watching again since `time`: a value stamped later proves that nothing changed in between. */
  resume(time) {
    this.#resumed = time;
  }

  #missed(time) {
    return this.#gap !== null && this.#length > 0 && time <= this.#resumed;
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
    const half = CAPACITY / 2;
    this.#times.copyWithin(0, half);
    this.#values.copyWithin(0, half);
    this.#length = half;
  }
}

/** @param {Float64Array} samples */
function grown(samples) {
  const larger = new Float64Array(samples.length * 2);
  larger.set(samples);
  return larger;
}
