/** The banner: says, also to screen readers, that the server is out of reach and when it is tried again. */

import { formatClock } from "../elements/format.js";

const GRACE = 800;

export class Banner {
  #element;
  #text;
  #countdown;
  #lostAt = 0;
  #timer = 0;

  /** @type {() => void} */
  onretry = () => {};

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
    this.#text = element.querySelector(".banner-text");
    this.#countdown = element.querySelector(".countdown");
    element.querySelector("button").addEventListener("click", () => this.onretry());
  }

  /** @param {import("../pycaserver.js").ConnectionState} state */
  show(state) {
    clearInterval(this.#timer);
    if (state.name === "open") return this.#hide();
    if (state.name === "connecting" && !this.#lostAt) return this.#later(state);
    this.#lostAt ||= Date.now();
    this.#write(state);
  }

  #hide() {
    this.#lostAt = 0;
    this.#element.hidden = true;
    this.#text.textContent = "";
  }

  /** The very first connection is quick; a banner that only flashes would be noise. */
  #later(state) {
    this.#timer = setTimeout(() => {
      this.#lostAt = Date.now();
      this.#write({ ...state, why: "Connecting to the server" });
    }, GRACE);
  }

  #write(state) {
    const text = `${state.why}. Values are stale since ${formatClock(this.#lostAt / 1000)}.`;
    if (this.#text.textContent !== text) this.#text.textContent = text;
    this.#element.hidden = false;
    this.#count(state);
    if (state.name === "waiting") this.#timer = setInterval(() => this.#count(state), 1000);
  }

  #count({ name, retryAt }) {
    const seconds = Math.max(1, Math.round((retryAt - Date.now()) / 1000));
    this.#countdown.textContent = { waiting: `Next try in ${seconds} s`, connecting: "Trying now…" }[name] ?? "";
  }
}
