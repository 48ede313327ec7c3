/** The client: PVs to watch, to read and to write, over one connection to the server. */

import { monitorUrl, namesUrl } from "./address.js";
import { Channel } from "./channel.js";
import { Connection } from "./connection.js";
import { PVError } from "./errors.js";
import { checkOptions, toRequest } from "./options.js";
import { Requests } from "./requests.js";
import { Subscription } from "./subscription.js";
import { isNumberCode, NO_READING, toHistory, toMetadata, toReading } from "./values.js";
import { EventWatch, toEvents } from "./watch.js";

const NAMES_PER_MESSAGE = 1000;
const REQUEST_TIMEOUT = 10;
const SERVER_TIMEOUT = 5;
const SESSION = { action: "options", batch: true, encoding: "binary", metadata: true };

export class PVClient extends EventTarget {
  #url;
  #token;
  #requestTimeout;
  #connection;
  #requests;
  #watch;
  /** @type {Map<string, Channel>} */
  #channels = new Map();
  /** @type {Set<Channel>} those whose subscription at the server has to be looked at */
  #changed = new Set();
  #isPaused = false;
  #isHidden = false;

  /**
   * @param {string|URL} [url]
   * @param {import("../pycaserver.js").ClientOptions} [options]
   */
  constructor(url, { token, pauseWhenHidden = true, WebSocket, requestTimeout = REQUEST_TIMEOUT } = {}) {
    super();
    this.#url = monitorUrl(url);
    this.#token = token;
    this.#requestTimeout = requestTimeout;
    this.#connection = new Connection(this.#url, WebSocket ?? globalThis.WebSocket);
    this.#requests = new Requests(this.#connection);
    this.#watch = new EventWatch(
      (request) => this.#ask(request),
      () => this.#connection.send({ action: "events", subscribe: false, limit: 1 }),
    );
    this.#listen(pauseWhenHidden);
    this.open();
  }

  /** @returns {import("./connection.js").ConnectionState} */
  get state() {
    return this.#connection.state;
  }

  /** The address of the server's WebSocket. */
  get url() {
    return this.#url.href;
  }

  /** Connect now, whatever the back-off says. */
  open() {
    this.#connection.open();
  }

  /** Close the connection, and stay closed until `open`; subscriptions stay, as stale. */
  close() {
    this.#connection.close();
  }

  /** Ask for no values until `resume`; which then gives the newest of each PV at once. */
  pause() {
    this.#isPaused = true;
    this.#tellPause();
  }

  resume() {
    this.#isPaused = false;
    this.#tellPause();
  }

  /**
   * Watch a PV.
   * @param {string} pv
   * @param {import("./options.js").MonitorOptions|Function} options may be left out
   * @param {(update: import("../pycaserver.js").Update) => void} [callback]
   * @returns {Subscription}
   */
  monitor(pv, options, callback) {
    if (typeof options === "function") return this.monitor(pv, {}, options);
    const channel = this.#channel(String(pv));
    const subscription = new Subscription(channel, checkOptions(options ?? {}), callback ?? (() => {}));
    channel.add(subscription);
    return subscription;
  }

  /**
   * Read from the IOC.
   * @param {string|string[]} pv
   * @param {{timeout?: number}} [options] seconds
   * @returns {Promise} an update, or as many as names; one that could not be read is then of kind "error"
   */
  async get(pv, { timeout = SERVER_TIMEOUT } = {}) {
    const names = [pv].flat();
    const request = { action: "get", pv, timeout };
    const answers = names.length ? await this.#requests.askEach(request, names, timeout + this.#requestTimeout) : [];
    const readings = await Promise.all(answers.map((answer, index) => this.#toUpdate(answer, names[index])));
    if (Array.isArray(pv)) return readings.map((reading, index) => reading ?? refused(names[index], answers[index]));
    if (answers[0] instanceof PVError) throw answers[0];
    return readings[0];
  }

  /**
   * Write. With `wait` the promise is kept when the IOC has completed all that the put causes.
   * @param {string} pv
   * @param {*} value
   * @param {{wait?: boolean, timeout?: number}} [options] seconds
   * @returns {Promise<{ok: true, sent: boolean, elapsed: number}>} rejected with the server's PVError
   */
  async put(pv, value, { wait = true, timeout = SERVER_TIMEOUT } = {}) {
    const answer = await this.#ask({ action: "put", pv, value, wait, timeout }, timeout);
    return { ok: true, sent: answer.sent ?? false, elapsed: answer.elapsed };
  }

  /** @param {string} pv */
  async info(pv) {
    const message = await this.#ask({ action: "info", pv }, SERVER_TIMEOUT);
    const { host, access, rule, subscribers } = message;
    return { pv, ...toMetadata(message), host, access, rule, subscribers };
  }

  /**
   * The samples that the server has kept.
   * @param {string} pv
   * @param {{since?: number, seconds?: number, points?: number}} [options]
   */
  async history(pv, { since, seconds, points } = {}) {
    return toHistory(await this.#ask({ action: "history", pv, since, seconds, points }));
  }

  /** @param {{since?: number, limit?: number}} [options] the events after this one; the newest so many */
  async events({ since, limit } = {}) {
    return toEvents(await this.#ask({ action: "events", since, limit }));
  }

  /**
   * Alarm and connection transitions, as they happen; also as "events" of this client.
   * @param {Function} [callback]
   * @param {{since?: number, limit?: number}} [options] what of the past is wanted first
   * @returns {{close(): void}}
   */
  watchEvents(callback = () => {}, { since, limit } = {}) {
    return this.#watch.add(callback, { since, limit });
  }

  /** What this session is subscribed to. */
  async list() {
    const { pvs } = await this.#ask({ action: "list" });
    return pvs.map(({ pvname, conn, reason = null, since = null }) => ({ pv: pvname, connected: conn, reason, since }));
  }

  /** The names of the PVs that the server offers. @returns {Promise<string[]>} */
  async names() {
    const response = await fetch(namesUrl(this.#url));
    if (!response.ok) throw new PVError("disconnected", `The server answered ${response.status}`);
    return (await response.json()).names ?? [];
  }

  /**
   * Show who this is, now and after each reconnection.
   * @param {string|(() => string|Promise<string>)} token
   */
  async authenticate(token) {
    const answer = await this.#authenticate(token);
    this.#token = token;
    for (const channel of this.#channels.values()) if (channel.isRefused) this.#subscribeAnew(channel);
    return answer;
  }

  async #authenticate(token, how) {
    const request = { action: "authenticate", token: typeof token === "function" ? await token() : token };
    const { user, expires = null } = await this.#requests.ask(request, this.#requestTimeout, how);
    return { user, expires };
  }

  #ask(request, extra = 0) {
    return this.#requests.ask(request, this.#requestTimeout + extra);
  }

  #channel(pv) {
    const { name } = this.state;
    const isStale = name === "waiting" || name === "closed";
    if (!this.#channels.has(pv)) this.#channels.set(pv, new Channel(pv, isStale, (channel) => this.#lookAt(channel)));
    return this.#channels.get(pv);
  }

  #listen(pauseWhenHidden) {
    this.#connection.greet = () => this.#greet();
    this.#connection.onmessage = (message) => this.#receive(message);
    this.#connection.onstate = (state) => this.#stateChanged(state);
    this.#connection.onerror = (error) => this.#tell("error", error);
    globalThis.addEventListener?.("online", () => this.state.name === "waiting" && this.open());
    const { document } = globalThis;
    if (!pauseWhenHidden || !document) return;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged(document.hidden));
    this.#isHidden = document.hidden;
  }

  /** A tab that nobody sees costs the server nothing; one that is seen again is made sure of. */
  #visibilityChanged(isHidden) {
    this.#isHidden = isHidden;
    this.#tellPause();
    if (isHidden) return;
    if (this.state.name === "waiting") this.open();
    this.#connection.probe();
  }

  #tellPause() {
    this.#connection.send({ action: this.#isPaused || this.#isHidden ? "pause" : "resume" });
  }

  /** Before anything else the server has to know who we are. */
  async #greet() {
    if (!this.#token) return;
    await this.#authenticate(this.#token, { isGreeting: true }).catch((error) => this.#tell("error", error));
  }

  #stateChanged(state) {
    const isOpen = state.name === "open";
    if (isOpen) this.#begin();
    else if (state.name !== "connecting") this.#end(state);
    this.#tell("state", state);
  }

  #begin() {
    this.#connection.send(SESSION);
    if (this.#isPaused || this.#isHidden) this.#tellPause();
    this.#requests.flush();
    for (const channel of this.#channels.values()) {
      channel.search();
      this.#changed.add(channel);
    }
    this.#flush();
    this.#watch.resume();
  }

  #end({ why }) {
    this.#requests.abandon(why);
    for (const channel of this.#channels.values()) channel.lose();
  }

  #receive(message) {
    if (message.id !== undefined && this.#requests.answer(message)) return;
    if (message.msg_type === "events") return this.#receiveEvents(message);
    const channel = this.#channels.get(message.pvname);
    if (channel?.sent) channel.receive(message);
    else if (message.msg_type === "error" && !channel) this.#tell("error", toError(message));
  }

  #receiveEvents(message) {
    this.#watch.receive(message);
    this.#tell("events", toEvents(message));
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** Changes of one turn of the event loop go out together, and those that cancel each other do not. */
  #lookAt(channel) {
    if (!this.#changed.size) queueMicrotask(() => this.#flush());
    this.#changed.add(channel);
  }

  #subscribeAnew(channel) {
    channel.sent = null;
    this.#lookAt(channel);
  }

  #flush() {
    const changed = [...this.#changed];
    this.#changed.clear();
    const unused = changed.filter((channel) => !channel.isUsed);
    for (const channel of unused) this.#channels.delete(channel.pv);
    if (this.state.name !== "open") return;
    this.#send("disconnect", unused.filter((channel) => channel.sent).map(({ pv }) => pv), {});
    for (const [options, names] of this.#toConnect(changed)) this.#send("connect", names, JSON.parse(options));
  }

  /** @returns {Map<string, string[]>} options as JSON -> names of the PVs that are not subscribed with those */
  #toConnect(channels) {
    const groups = new Map();
    for (const channel of channels.filter(({ isUsed }) => isUsed)) {
      const options = JSON.stringify(toRequest(channel.options));
      const { history } = channel;
      if (options === channel.sent && !history) continue;
      channel.sent = options;
      const request = history ? JSON.stringify({ ...JSON.parse(options), history }) : options;
      groups.set(request, [...(groups.get(request) ?? []), channel.pv]);
    }
    return groups;
  }

  #send(action, names, options) {
    for (let start = 0; start < names.length; start += NAMES_PER_MESSAGE) {
      this.#connection.send({ action, pv: names.slice(start, start + NAMES_PER_MESSAGE), ...options });
    }
  }

  /** @returns {Promise<object|null>} null for an answer that is an error */
  async #toUpdate(answer, pv) {
    if (answer instanceof PVError) return null;
    const type = isNumberCode(answer.value) ? (await this.info(pv)).type : "";
    const { metadata = null, access = null } = this.#channels.get(pv)?.update ?? {};
    const reading = toReading(answer, { type });
    return Object.freeze({ ...snapshot(pv), kind: "value", condition: "live", connected: true, ...reading, metadata, access });
  }
}

function snapshot(pv) {
  return { pv, reason: null, since: null, error: null, ...NO_READING, metadata: null, access: null, history: null };
}

function refused(pv, { code, message }) {
  const error = Object.freeze({ code, message });
  return Object.freeze({ ...snapshot(pv), kind: "error", condition: "error", connected: false, error });
}

function toError({ code, message, pvname }) {
  return new PVError(code, message, pvname ?? null);
}

const shared = new Map();

/**
 * The one client per server that all parts of a page use.
 * @param {string|URL} [url]
 * @returns {PVClient}
 */
export function sharedClient(url) {
  const { href } = monitorUrl(url);
  if (!shared.has(href)) shared.set(href, new PVClient(href));
  return shared.get(href);
}
