/** Requests on their way and their answers: told apart by ids, given up after a time, bounded in number. */

import { PVError } from "./errors.js";
import { encodeRequest } from "./frame.js";

const MOST = 10_000;
const MOST_BYTES = 2 ** 24;
const UNANSWERED = { put: "whether the value was written is not known" };
const LONGEST_TIMEOUT = 2 ** 31 - 1;

export class Requests {
  #connection;
  #lastId = 0;
  /** @type {Map<number, Asked>} */
  #pending = new Map();
  /** @type {Set<Asked>} not sent yet: asked before the session was open */
  #waiting = new Set();

  /** @param {import("./connection.js").Connection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /**
   * Ask now, or as soon as a connection that is being made is open.
   * @param {object} request without an id
   * @param {number} timeout seconds
   * @param {{isGreeting?: boolean}} [how] isGreeting: to be sent before the session counts as open
   * @returns {Promise<object>} the answer; rejected with a PVError
   */
  ask(request, timeout, how) {
    return this.askEach(request, [null], timeout, how).then(([answer]) => {
      if (answer instanceof PVError) throw answer;
      return answer;
    });
  }

  /**
   * One request with an answer for each of these PVs.
   * @returns {Promise<(object|PVError)[]>} answers in the order of the names
   */
  async askEach(request, names, timeout, { isGreeting = false } = {}) {
    const { backlog } = this.#connection;
    if (this.#pending.size >= MOST || backlog > MOST_BYTES) return names.map(tooMany);
    const id = ++this.#lastId;
    const frame = encodeRequest({ ...request, id });
    return new Promise((resolve) => {
      const asked = new Asked(id, request, frame, names, resolve);
      asked.timer = setTimeout(() => this.#fail(asked, "timeout", "The server is late"), milliseconds(timeout));
      this.#pending.set(id, asked);
      this.#waiting.add(asked);
      if (isGreeting || this.#connection.state.name !== "connecting") this.#send(asked);
    });
  }

  /** @returns {boolean} whether the message was an answer to a request, be it one that was given up */
  answer(message) {
    if (typeof message.id !== "number") return false;
    const asked = this.#pending.get(message.id);
    const answer = message.msg_type === "error" ? errorOf(message) : message;
    if (asked?.take(answer, message.pvname)) this.#end(asked);
    return true;
  }

  /** The session is open: what had to wait goes out. */
  flush() {
    for (const asked of [...this.#waiting]) this.#send(asked);
  }

  /** The connection is lost, and with it all answers. */
  abandon(why) {
    for (const asked of [...this.#pending.values()]) this.#fail(asked, "disconnected", why);
  }

  #send(asked) {
    if (this.#connection.transmit(asked.frame)) this.#waiting.delete(asked);
    else this.#fail(asked, "disconnected", this.#connection.state.why ?? "There is no connection");
  }

  #fail(asked, code, why) {
    const unknown = UNANSWERED[asked.action] ?? "no answer has come";
    const outcome = this.#waiting.has(asked) ? "nothing was sent" : unknown;
    this.#end(asked);
    asked.fail(code, `${why}; ${outcome}`);
  }

  #end(asked) {
    clearTimeout(asked.timer);
    this.#pending.delete(asked.id);
    this.#waiting.delete(asked);
  }
}

/** One request and the answers that have come. */
class Asked {
  /** @type {number} */
  id;
  /** @type {string} */
  action;
  /** What it is about, where that is one PV. @type {string|undefined} */
  pv;
  /** @type {string|Uint8Array} */
  frame;
  #names;
  #resolve;
  #answers = new Map();
  /** Runs until it is given up. */
  timer;

  constructor(id, { action, pv }, frame, names, resolve) {
    Object.assign(this, { id, action, pv, frame });
    this.#names = [...new Set(names)];
    this.#resolve = (answers) => resolve(names.map((name) => answers.get(name)));
  }

  /** @returns {boolean} whether all has been answered; what names no PV of ours is about all of them */
  take(answer, pvname) {
    for (const name of this.#names.includes(pvname) ? [pvname] : this.#unanswered) this.#answers.set(name, answer);
    if (this.#unanswered.length) return false;
    this.#resolve(this.#answers);
    return true;
  }

  fail(code, message) {
    for (const name of this.#unanswered) {
      this.#answers.set(name, new PVError(code, message, name ?? this.pv ?? null));
    }
    this.#resolve(this.#answers);
  }

  get #unanswered() {
    return this.#names.filter((name) => !this.#answers.has(name));
  }
}

const errorOf = ({ code, message, pvname }) => new PVError(code, message, pvname ?? null);

const tooMany = (name) => new PVError("rate_limited", "Too many requests are without an answer", name);

const milliseconds = (seconds) => Math.min(Math.max(seconds * 1000, 0), LONGEST_TIMEOUT);
