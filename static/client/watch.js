/** Alarm and connection transitions as they happen: one subscription at the server for all who watch. */

import { callSafely } from "./errors.js";

export class EventWatch {
  #ask;
  #stop;
  /** @type {Set<Watcher>} */
  #watchers = new Set();

  /**
   * @param {(request: object) => Promise<object>} ask the server
   * @param {() => void} stop told when nobody watches any more
   */
  constructor(ask, stop) {
    this.#ask = ask;
    this.#stop = stop;
  }

  /**
   * @param {(told: import("../pycaserver.js").Events) => void} callback
   * @param {{since?: number, limit?: number}} options what of the past is wanted first
   * @returns {{close(): void}}
   */
  add(callback, options) {
    const watcher = new Watcher(callback, options);
    this.#watchers.add(watcher);
    this.#begin([watcher]);
    return { close: () => this.#remove(watcher) };
  }

  /** The session is new: go on after the last event that each has seen. */
  resume() {
    for (const watcher of this.#watchers) watcher.isBehind = true;
    this.#begin([...this.#watchers]);
  }

  /** @param {object} message `events` that nobody asked for just now */
  receive(message) {
    for (const watcher of [...this.#watchers]) if (!watcher.isBehind) watcher.tell(message);
  }

  #remove(watcher) {
    if (this.#watchers.delete(watcher) && !this.#watchers.size) this.#stop();
  }

  /** Until its own answer is there a watcher is behind: what comes meanwhile is in the answer too. */
  #begin(watchers) {
    for (const watcher of watchers) {
      this.#ask({ action: "events", subscribe: true, ...watcher.wanted }).then(
        (message) => watcher.catchUp(message),
        () => {},
      );
    }
  }
}

class Watcher {
  #callback;
  #options;
  #last = null;

  isBehind = true;

  constructor(callback, options) {
    this.#callback = callback;
    this.#options = options;
  }

  /** What of the past the server is asked for. */
  get wanted() {
    return this.#last === null ? this.#options : { since: this.#last };
  }

  catchUp(message) {
    this.isBehind = false;
    this.tell(message, true);
  }

  /** @param {{events: object[], missed?: number}} message */
  tell({ events, missed = 0 }) {
    const fresh = events.filter(({ id }) => this.#last === null || id > this.#last);
    if (!fresh.length && !missed) return;
    this.#last = fresh.at(-1)?.id ?? this.#last;
    callSafely(this.#callback, toEvents({ events: fresh, missed }));
  }
}

/** @returns {import("../pycaserver.js").Events} */
export function toEvents({ events, missed = 0 }) {
  return Object.freeze({ events: events.map(({ pvname, ...event }) => Object.freeze({ pv: pvname, ...event })), missed });
}
