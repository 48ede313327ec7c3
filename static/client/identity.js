/** Who the session is: a token, shown at each connection and, where a fresh one can be had, before it expires. */

const RENEW_AFTER = 0.8;
const SOONEST = 5_000;
/** Milliseconds until a token is fetched again that could not be had or shown. */
const TRY_AGAIN = 30_000;
/** What a second attempt would not change; the server counts failed ones against all of this address. */
const FINAL = new Set(["disconnected", "unauthenticated"]);
const LATEST = 2 ** 31 - 1;

export class Identity {
  #token;
  #ask;
  #timer;
  #isInSession = false;

  /** @type {(error: Error) => void} told when a token was refused that nobody waits for */
  onerror = () => {};
  /** @type {() => void} told when a session that has begun gets an identity */
  onidentified = () => {};

  /**
   * @param {import("../pycaserver.js").Token|undefined} token
   * @param {(request: object, how?: object) => Promise<object>} ask the server
   */
  constructor(token, ask) {
    this.#token = token;
    this.#ask = ask;
  }

  /** Whether a fresh token can be had when the one shown has expired. */
  get isRenewable() {
    return typeof this.#token === "function";
  }

  /** What says the same in an HTTP request. @returns {Promise<Record<string, string>>} */
  async headers() {
    return this.#token ? { Authorization: `Bearer ${await current(this.#token)}` } : {};
  }

  /** The session is new, and the server has to know who we are before anything else. */
  async greet() {
    this.#isInSession = true;
    if (this.#token) await this.#showAgain({ isGreeting: true });
  }

  /** The session is over. */
  end() {
    this.#isInSession = false;
    clearTimeout(this.#timer);
  }

  /**
   * @param {import("../pycaserver.js").Token} token kept if the server takes it
   * @returns {Promise<{user: string, expires: number|null}>}
   */
  async replace(token) {
    const answer = await this.#show(token);
    this.#token = token;
    this.#renewBefore(answer.expires);
    this.onidentified();
    return answer;
  }

  async #showAgain(how) {
    try {
      const { expires } = await this.#show(this.#token, how);
      this.#renewBefore(expires);
      if (!how) this.onidentified();
    } catch (error) {
      if (error?.code !== "disconnected") this.onerror(error);
      if (this.isRenewable && this.#isInSession && !FINAL.has(error?.code)) this.#showIn(TRY_AGAIN);
    }
  }

  async #show(token, how) {
    const request = { action: "authenticate", token: await current(token) };
    const { user, expires = null } = await this.#ask(request, how);
    return { user, expires };
  }

  #renewBefore(expires) {
    clearTimeout(this.#timer);
    if (!this.isRenewable || expires === null) return;
    const left = expires * 1000 - Date.now();
    this.#showIn(Math.min(Math.max(left * RENEW_AFTER, SOONEST), LATEST));
  }

  #showIn(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#showAgain(), milliseconds);
  }
}

/** @param {import("../pycaserver.js").Token} token */
const current = (token) => (typeof token === "function" ? token() : token);
