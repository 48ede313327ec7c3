/** Requests on their way and their answers: told apart by ids, given up after a time, bounded in number. */

import { PVError } from "./errors.js";

const MOST = 10_000;
const MOST_BYTES = 2 ** 24;
const LONGEST_TIMEOUT = 2 ** 31 - 1;

export class Requests {
  #connection;
  #lastId = 0;
  /** @type {Map<number, Asked>} */
  #pending = new Map();
  /** @type {Set<Asked>} asked before the session was open */
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
  askEach(request, names, timeout, { isGreeting = false } = {}) {
    const { backlog } = this.#connection;
    if (this.#pending.size >= MOST || backlog > MOST_BYTES) return Promise.resolve(names.map(tooMany));
    return new Promise((resolve, reject) => {
      const asked = new Asked({ ...request, id: ++this.#lastId }, names, resolve);
      asked.timer = setTimeout(() => this.#fail(asked, "timeout", "No answer came in time"), milliseconds(timeout));
      this.#pending.set(asked.request.id, asked);
      try {
        this.#start(asked, isGreeting);
      } catch (error) {
        this.#end(asked);
        reject(error);
      }
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
    for (const asked of this.#waiting) this.#connection.send(asked.request);
    this.#waiting.clear();
  }

  /** The connection is lost, and with it all answers. */
  abandon(why) {
    for (const asked of [...this.#pending.values()]) {
      const sent = !this.#waiting.has(asked);
      this.#fail(asked, "disconnected", sent ? `${why} before the answer came` : `${why}; nothing was sent`);
    }
  }

  #start(asked, isGreeting) {
    const { state } = this.#connection;
    if (state.name === "connecting" && !isGreeting) return this.#waiting.add(asked);
    if (!this.#connection.send(asked.request)) {
      this.#fail(asked, "disconnected", `${state.why ?? "There is no connection"}; nothing was sent`);
    }
  }

  #fail(asked, code, message) {
    this.#end(asked);
    asked.fail(code, message);
  }

  #end(asked) {
    clearTimeout(asked.timer);
    this.#pending.delete(asked.request.id);
    this.#waiting.delete(asked);
  }
}

/** One request and the answers that have come. */
class Asked {
  #names;
  #resolve;
  #answers = new Map();
  /** Runs until it is given up. */
  timer;

  constructor(request, names, resolve) {
    this.request = request;
    this.#names = [...new Set(names)];
    this.#resolve = (answers) => resolve(names.map((name) => answers.get(name)));
  }

  /** @returns {boolean} whether all has been answered; what names no PV of ours is about all of them */
  take(answer, pvname) {
    const about = this.#names.includes(pvname) ? [pvname] : this.#names;
    for (const name of about) this.#answers.set(name, answer);
    if (this.#answers.size < this.#names.length) return false;
    this.#resolve(this.#answers);
    return true;
  }

  fail(code, message) {
    for (const name of this.#names.filter((name) => !this.#answers.has(name))) {
      this.#answers.set(name, new PVError(code, message, name ?? this.request.pv ?? null));
    }
    this.#resolve(this.#answers);
  }
}

const errorOf = ({ code, message, pvname }) => new PVError(code, message, pvname ?? null);

const tooMany = (name) => new PVError("rate_limited", "Too many requests are without an answer", name);

const milliseconds = (seconds) => Math.min(Math.max(seconds * 1000, 0), LONGEST_TIMEOUT);
