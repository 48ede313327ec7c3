/** One WebSocket to the server that comes back by itself. It knows frames and states, and nothing of PVs. */

import { PVError } from "./errors.js";
import { decodeFrame, encodeRequest } from "./frame.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
const HEARTBEAT = 5_000;
const QUIET = 15_000;
const PATIENCE = 10_000;
const OPEN = 1;
const LOGIN_ENDED = 4003;

/**
 * Why the server closed, by close code; after those that do not return only `open` connects again. A message that was
 * too big was a put, and that is not sent again.
 */
const CLOSURES = {
  1001: { why: "The server is shutting down", returns: true },
  1002: { why: "The server refused a frame that breaks the rules", returns: false },
  1007: { why: "The server refused a message that was not UTF-8", returns: false },
  1009: { why: "The server refused a message that was too big", returns: true },
  1011: { why: "The server had an internal error", returns: true },
  1013: { why: "The server is full", returns: true },
  4001: { why: "This page was too slow for its updates", returns: true },
  4002: { why: "The server refused too many messages", returns: false },
  4003: { why: "The log-in has ended; log in again", returns: false },
  4004: { why: "This page did not answer the server", returns: true },
};
const LOST = { why: "The connection to the server is lost", returns: true };
const CLOSED_BY_US = { why: "The connection was closed by this page", returns: false };

/**
 * @typedef {object} ConnectionState
 * @property {"connecting"|"open"|"waiting"|"closed"} name
 * @property {string} [why] a sentence, unless open or connecting for the first time
 * @property {number} [code] the WebSocket's close code, when waiting or closed by the server
 * @property {number} [retryAt] milliseconds of Date.now(), when waiting
 */

export class Connection {
  #url;
  #WebSocket;
  #socket = null;
  #attempts = 0;
  #retryTimer;
  #heartbeat;
  /** Runs while an answer is awaited without which the connection is given up. */
  #verdict = null;
  #heardAt = 0;

  /** @type {ConnectionState} */
  state = { name: "closed" };
  /** Whether a log-in that has ended can be renewed. @type {() => boolean} */
  renews = () => false;
  /** What has to be done in a new session before it counts as open. @type {() => Promise<void>|void} */
  greet = () => {};
  /** @type {(message: object) => void} */
  onmessage = () => {};
  /** @type {(state: ConnectionState) => void} */
  onstate = () => {};
  /** @type {(error: PVError) => void} told of frames that could not be read */
  onerror = () => {};

  /**
   * @param {URL} url of the WebSocket
   * @param {import("../pycaserver.js").ClientOptions["WebSocket"]} WebSocket the class to use
   */
  constructor(url, WebSocket) {
    if (!WebSocket) throw new TypeError("There is no WebSocket here: give a class as the option WebSocket");
    this.#url = url;
    this.#WebSocket = WebSocket;
  }

  /** Connect now, whatever the back-off says. */
  open() {
    if (this.#socket) return;
    clearTimeout(this.#retryTimer);
    this.#connect();
  }

  /** Close, and stay closed until `open`. */
  close() {
    clearTimeout(this.#retryTimer);
    if (this.state.name !== "closed") this.#lost(CLOSED_BY_US);
  }

  /**
   * @param {object} request without a value
   * @returns {boolean} whether it was given to the socket
   */
  send(request) {
    return this.transmit(encodeRequest(request));
  }

  /**
   * @param {string|Uint8Array} frame of a request
   * @returns {boolean} whether it was given to the socket
   */
  transmit(frame) {
    if (this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(frame);
    return true;
  }

  /** Ask for a sign of life: without one the connection is given up. */
  probe() {
    if (!this.#verdict && this.send({ action: "ping" })) this.#await(() => this.probe());
  }

  /** How much the socket has yet to send, in bytes. */
  get backlog() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  #connect() {
    this.#enter({ name: "connecting", ...(this.state.why && { why: this.state.why }) });
    try {
      this.#socket = new this.#WebSocket(String(this.#url));
    } catch (error) {
      return this.#lost({ why: `${this.#url} cannot be opened: ${error.message}`, returns: false });
    }
    this.#listen(this.#socket);
    this.#await(() => this.#lost(LOST));
  }

  #listen(socket) {
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = (event) => this.#heard(event.data);
    socket.onclose = (event) => this.#closed(event.code);
    socket.onerror = () => {};
  }

  async #opened(socket) {
    this.#alive();
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT);
    await this.greet();
    if (socket === this.#socket) this.#enter({ name: "open" });
  }

  #heard(data) {
    this.#alive();
    this.#attempts = 0;
    for (const message of this.#decode(data)) this.#hand(message);
  }

  #decode(data) {
    try {
      return decodeFrame(data);
    } catch (error) {
      this.onerror(new PVError("bad_frame", `The server sent what cannot be read: ${error.message}`));
      return [];
    }
  }

  /** One message that makes no sense must not cost those behind it. */
  #hand(message) {
    try {
      this.onmessage(message);
    } catch (error) {
      this.onerror(new PVError("bad_frame", `The server sent what makes no sense: ${error.message}`));
    }
  }

  #closed(code) {
    const { why, returns } = CLOSURES[code] ?? LOST;
    this.#lost({ why, returns: returns || (code === LOGIN_ENDED && this.renews()) }, code);
  }

  #lost({ why, returns }, code) {
    this.#drop();
    const state = { why, ...(code && { code }) };
    if (!returns) return this.#enter({ name: "closed", ...state });
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempts) * (0.5 + Math.random());
    this.#attempts += 1;
    this.#retryTimer = setTimeout(() => this.open(), delay);
    this.#enter({ name: "waiting", ...state, retryAt: Date.now() + delay });
  }

  #drop() {
    clearInterval(this.#heartbeat);
    this.#alive();
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #enter(state) {
    this.state = Object.freeze(state);
    this.onstate(this.state);
  }

  /** A laptop that slept, a cable that was pulled: the socket looks open, but a ping gets no answer. */
  #beat() {
    if (Date.now() - this.#heardAt > QUIET) this.probe();
  }

  #alive() {
    this.#heardAt = Date.now();
    clearTimeout(this.#verdict);
    this.#verdict = null;
  }

  /** Give up unless something is heard soon. Who was asleep meanwhile has not listened, and tries `again`. */
  #await(again) {
    const since = Date.now();
    this.#verdict = setTimeout(() => {
      this.#verdict = null;
      if (Date.now() - since > 2 * PATIENCE) again();
      else this.#lost(LOST);
    }, PATIENCE);
  }
}
