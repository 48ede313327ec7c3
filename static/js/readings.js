/** The newest update of each PV of the table, and which of them are in alarm or not live. */

const MAX_RATE = 10;
/** Arrays of more than twice as many elements come as an envelope: the table has no room for more. */
const PREVIEW_POINTS = 2000;

/** How bad a state is: for sorting, and to tell trouble. */
export const RANKS = { NO_ALARM: 0, MINOR: 1, MAJOR: 2, INVALID: 3 };
const NOT_LIVE = 4;

/** @typedef {{name: string, index: number, update: object|null, rank: number}} Reading */

/** @param {object|null} update of the client @returns {boolean} whether what is shown is what the IOC has */
export function isLive(update) {
  return update?.condition === "live";
}

export class Readings {
  #ca;
  /** @type {Map<string, Reading & {subscription: object}>} */
  #readings = new Map();
  #changed = new Set();
  #counts = { alarm: 0, offline: 0 };

  /** @type {() => void} told when metadata has come */
  onmetadata = () => {};

  /** @param {import("../pycaserver.js").PVClient} ca */
  constructor(ca) {
    this.#ca = ca;
  }

  /** How many PVs there are, in alarm, and not live. */
  get counts() {
    return { all: this.#readings.size, ...this.#counts };
  }

  /** @param {string} name @returns {Reading|undefined} */
  get(name) {
    return this.#readings.get(name);
  }

  /** @returns {IterableIterator<Reading>} */
  values() {
    return this.#readings.values();
  }

  /** Watch these and no others. @param {readonly string[]} names */
  watch(names) {
    const wanted = new Set(names);
    for (const name of [...this.#readings.keys()]) if (!wanted.has(name)) this.#forget(name);
    let index = 0;
    for (const name of wanted) {
      if (!this.#readings.has(name)) this.#add(name);
      this.#readings.get(name).index = index;
      index += 1;
    }
  }

  /** @returns {Set<string>} the names that have changed since the last call */
  takeChanged() {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  #add(name) {
    const reading = { name, index: 0, update: null, rank: NOT_LIVE, subscription: null };
    this.#readings.set(name, reading);
    this.#count(NOT_LIVE, 1);
    const options = { maxRate: MAX_RATE, reduce: PREVIEW_POINTS };
    reading.subscription = this.#ca.monitor(name, options, (update) => this.#take(reading, update));
    this.#changed.add(name);
  }

  #forget(name) {
    const { subscription, rank } = this.#readings.get(name);
    subscription.close();
    this.#readings.delete(name);
    this.#changed.delete(name);
    this.#count(rank, -1);
  }

  #take(reading, update) {
    const rank = isLive(update) ? RANKS[update.severity] ?? 0 : NOT_LIVE;
    if (rank !== reading.rank) {
      this.#count(reading.rank, -1);
      this.#count(rank, 1);
    }
    reading.update = update;
    reading.rank = rank;
    if (update.kind === "metadata") this.onmetadata();
    this.#changed.add(reading.name);
  }

  #count(rank, by) {
    if (rank === NOT_LIVE) this.#counts.offline += by;
    else if (rank) this.#counts.alarm += by;
  }
}
