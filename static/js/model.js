/** The page's one layout: kept in the address, changed by edits, "change" told to those who draw it. */

import { readFragment, writeFragment } from "./fragment.js";

/** Milliseconds; Safari refuses an address that changes a hundred times in half a minute. */
const WRITE_EVERY = 350;

export class Model extends EventTarget {
  #layout = readFragment(location.hash);
  #timer = null;
  #writtenAt = -Infinity;

  constructor() {
    super();
    addEventListener("hashchange", () => this.#replace(readFragment(location.hash)));
  }

  /** @returns {import("./layout.js").Layout} */
  get layout() {
    return this.#layout;
  }

  /**
   * Apply one of the edits of layout.js.
   * @param {(layout: import("./layout.js").Layout, ...rest: any[]) => import("./layout.js").Layout} edit
   * @param {...any} rest the edit's further arguments
   */
  apply(edit, ...rest) {
    this.#replace(edit(this.#layout, ...rest));
    this.#writeSoon();
  }

  #replace(layout) {
    const before = this.#layout;
    this.#layout = layout;
    this.dispatchEvent(new CustomEvent("change", { detail: { before } }));
  }

  #writeSoon() {
    this.#timer ??= setTimeout(() => this.#write(), this.#writtenAt + WRITE_EVERY - performance.now());
  }

  #write() {
    this.#timer = null;
    this.#writtenAt = performance.now();
    const fragment = writeFragment(this.#layout);
    if (fragment !== location.hash) history.replaceState(null, "", fragment || location.pathname + location.search);
  }
}
