/** Alarm and connection transitions as they happen: one subscription at the server for all who watch. */

import { callSafely } from "./errors.js";
import { toEvents } from "./values.js";

/** Milliseconds after which a request is repeated that failed for a reason that passes. */
const ASK_AGAIN = 5_000;
const PASSING = new Set(["timeout", "rate_limited"]);

export class EventWatch {
  #ask;
  #isOpen;
  /** @type {Set<Watcher>} */
  #watchers = new Set();

  /** @type {(error: Error) => void} told when the server refuses */
  onerror = () => {};

  /**
   * @param {(request: object) => Promise<object>} ask the server
   * @param {() => boolean} isOpen whether there is a session; a new one is told by `begin`
   */
  constructor(ask, isOpen) {
    this.#ask = ask;
    this.#isOpen = isOpen;
  }

  /**
   * @param {(told: import("../pycaserver.js").Events) => void} callback
   * @param {{since?: number, limit?: number}} options what of the past is wanted first
   * @returns {{close(): void}}
   */
  add(callback, options) {
    const watcher = new Watcher(callback, options);
    this.#watchers.add(watcher);
    if (this.#isOpen()) this.#subscribe(watcher);
    return { close: () => this.#remove(watcher) };
  }

  /** The session is new: go on after the last event that each has seen. */
  begin() {
    for (const watcher of this.#watchers) {
      watcher.isBehind = true;
      this.#subscribe(watcher);
    }
  }

  /** There is a new identity: ask again for what was refused. */
  retry() {
    for (const watcher of this.#watchers) if (watcher.isBehind) this.#subscribe(watcher);
  }

  /** @param {import("../pycaserver.js").Events} told by the server on its own */
  receive(told) {
    for (const watcher of [...this.#watchers]) if (!watcher.isBehind) watcher.tell(told);
  }

  #remove(watcher) {
    watcher.close();
    const isLast = this.#watchers.delete(watcher) && !this.#watchers.size;
    if (!isLast || !this.#isOpen()) return;
    this.#ask({ action: "events", subscribe: false, limit: 0 }).catch((error) => this.#refused(error));
  }

  /** Until its own answer is there a watcher is behind: what comes meanwhile is in the answer too. */
  async #subscribe(watcher) {
    clearTimeout(watcher.timer);
    try {
      const message = await this.#ask({ action: "events", subscribe: true, ...watcher.wanted });
      watcher.isBehind = false;
      watcher.tell(toEvents(message));
    } catch (error) {
      if (PASSING.has(error.code)) this.#askSoon(watcher);
      else this.#refused(error);
    }
  }

  #askSoon(watcher) {
    clearTimeout(watcher.timer);
    if (this.#watchers.has(watcher)) watcher.timer = setTimeout(() => this.#askAgain(watcher), ASK_AGAIN);
  }

  #askAgain(watcher) {
    if (watcher.isBehind && this.#isOpen()) this.#subscribe(watcher);
  }

  /** After a lost connection all is asked for again anyway. */
  #refused(error) {
    if (error.code !== "disconnected") this.onerror(error);
  }
}

class Watcher {
  #callback;
  #options;
  /** @type {number|null} the id of the last event told */
  #last = null;

  isBehind = true;
  /** Runs until the server is asked again. */
  timer;

  constructor(callback, options) {
    this.#callback = callback;
    this.#options = options;
  }

  /** What of the past the server is asked for. */
  get wanted() {
    return this.#last === null ? this.#options : { since: this.#last };
  }

  close() {
    clearTimeout(this.timer);
    this.#callback = () => {};
  }

  /** @param {import("../pycaserver.js").Events} told what is not new is left out */
  tell({ events, missed }) {
    const fresh = events.filter(({ id }) => this.#last === null || id > this.#last);
    if (!fresh.length && !missed) return;
    this.#last = fresh.at(-1)?.id ?? this.#last;
    callSafely(this.#callback, Object.freeze({ events: Object.freeze(fresh), missed }));
  }
}
