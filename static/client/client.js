/** The client: PVs to watch, to read and to write, over one connection to the server. */

import { monitorUrl } from "./address.js";
import { Channels } from "./channels.js";
import { Connection } from "./connection.js";
import { PVError } from "./errors.js";
import { Identity } from "./identity.js";
import { checkOptions } from "./options.js";
import { fetchNames } from "./names.js";
import { Requests } from "./requests.js";
import { Subscription } from "./subscription.js";
import { makeReading, makeRefusal } from "./update.js";
import { isNumberCode, toEvents, toHistory, toMetadata, toReading } from "./values.js";
import { EventWatch } from "./watch.js";

/** @typedef {import("../pycaserver.js").Update} Update */

const REQUEST_TIMEOUT = 10;
const SERVER_TIMEOUT = 5;
const SESSION = { action: "options", batch: true, encoding: "binary", metadata: true };

export class PVClient extends EventTarget {
  #url;
  #requestTimeout;
  #pauseWhenHidden;
  #connection;
  #requests;
  #identity;
  #channels;
  #watch;
  /** @type {AbortController|null} of what the page is listened to for */
  #listening = null;
  #isPaused = false;

  /**
   * @param {string|URL} [url]
   * @param {import("../pycaserver.js").ClientOptions} [options]
   */
  constructor(url, { token, pauseWhenHidden = true, WebSocket, requestTimeout = REQUEST_TIMEOUT } = {}) {
    super();
    this.#url = monitorUrl(url);
    this.#requestTimeout = requestTimeout;
    this.#pauseWhenHidden = pauseWhenHidden;
    this.#connection = new Connection(this.#url, WebSocket ?? globalThis.WebSocket);
    this.#requests = new Requests(this.#connection);
    this.#channels = new Channels(this.#connection);
    this.#identity = new Identity(token, (request, how) => this.#requests.ask(request, requestTimeout, how));
    this.#watch = new EventWatch((request) => this.#ask(request), () => this.state.name === "open");
    this.#connect();
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
    this.#listen();
    this.#connection.open();
  }

  /** Close the connection, and stay closed until `open`; subscriptions stay, as stale. */
  close() {
    this.#listening?.abort();
    this.#listening = null;
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
   * @param {import("../pycaserver.js").MonitorOptions|((update: Update) => void)} [options] may be left out
   * @param {(update: Update) => void} [callback]
   * @returns {Subscription}
   */
  monitor(pv, options, callback) {
    if (typeof options === "function") return this.monitor(pv, {}, options);
    if (typeof pv !== "string") throw new TypeError("the name of a PV is a string");
    const checked = checkOptions(options ?? {});
    const channel = this.#channels.open(pv);
    const subscription = new Subscription(channel, checked, callback ?? (() => {}));
    channel.add(subscription);
    return subscription;
  }

  /**
   * Read from the IOC.
   * @param {string|readonly string[]} pv
   * @param {{timeout?: number}} [options] seconds
   * @returns {Promise<any>} an update, or as many as names; one that could not be read is then of kind "error"
   */
  async get(pv, { timeout = SERVER_TIMEOUT } = {}) {
    const names = [pv].flat();
    const request = { action: "get", pv, timeout };
    const answers = names.length ? await this.#requests.askEach(request, names, timeout + this.#requestTimeout) : [];
    if (Array.isArray(pv)) return Promise.all(answers.map((answer, index) => this.#toUpdate(names[index], answer)));
    if (answers[0] instanceof PVError) throw answers[0];
    return this.#toUpdate(pv, answers[0]);
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
    const { host, access, allowed = null, rule, subscribers } = message;
    return { pv, ...toMetadata(message), host, access, allowed, rule, subscribers };
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
   * @param {(told: import("../pycaserver.js").Events) => void} [callback]
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
    return fetchNames(this.#url, await this.#identity.headers());
  }

  /**
   * Show who this is, now and after each reconnection.
   * @param {string|(() => string|Promise<string>)} token
   */
  authenticate(token) {
    return this.#identity.replace(token);
  }

  #ask(request, extra = 0) {
    return this.#requests.ask(request, this.#requestTimeout + extra);
  }

  /** Who we are has changed: ask again for what was refused. */
  #retry() {
    this.#channels.retry();
    this.#watch.retry();
  }

  #connect() {
    const tellError = (error) => this.#tell("error", error);
    this.#connection.renews = () => this.#identity.isRenewable;
    this.#connection.greet = () => this.#identity.greet();
    this.#identity.onidentified = () => this.#retry();
    this.#connection.onmessage = (message) => this.#receive(message);
    this.#connection.onstate = (state) => this.#stateChanged(state);
    this.#connection.onerror = this.#identity.onerror = this.#watch.onerror = tellError;
    this.open();
  }

  #listen() {
    if (this.#listening) return;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const { document } = globalThis;
    globalThis.addEventListener?.("online", () => this.#openIfWaiting(), { signal });
    if (this.#pauseWhenHidden) document?.addEventListener("visibilitychange", () => this.#seen(), { signal });
  }

  #openIfWaiting() {
    if (this.state.name === "waiting") this.open();
  }

  /** A tab that nobody sees costs the server nothing; one that is seen again is brought up to date at once. */
  #seen() {
    this.#tellPause();
    if (document.hidden) return;
    this.#openIfWaiting();
    this.#connection.probe();
  }

  get #wantsNothing() {
    return this.#isPaused || Boolean(this.#pauseWhenHidden && globalThis.document?.hidden);
  }

  #tellPause() {
    this.#connection.send({ action: this.#wantsNothing ? "pause" : "resume" });
  }

  #stateChanged(state) {
    if (state.name === "open") this.#begin();
    else if (state.name !== "connecting") this.#end(state);
    this.#tell("state", state);
  }

  #begin() {
    this.#connection.send(SESSION);
    if (this.#wantsNothing) this.#tellPause();
    this.#requests.flush();
    this.#channels.begin();
    this.#watch.begin();
  }

  #end({ why }) {
    this.#identity.end();
    this.#requests.abandon(why);
    this.#channels.end();
  }

  #receive(message) {
    if (this.#requests.answer(message)) return;
    if (message.msg_type === "events") this.#receiveEvents(message);
    else if (!this.#channels.receive(message) && message.msg_type === "error") this.#tell("error", toError(message));
  }

  #receiveEvents(message) {
    const told = toEvents(message);
    this.#watch.receive(told);
    this.#tell("events", told);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** Only a PV that is a string may have the value "NaN", and a `get` does not tell types. */
  async #toUpdate(pv, answer) {
    if (answer instanceof PVError) return makeRefusal(pv, answer);
    const known = this.#channels.get(pv)?.update;
    const isDoubtful = isNumberCode(answer.value) && !known?.metadata;
    const type = isDoubtful ? (await this.info(pv)).type : known?.metadata?.type;
    return makeReading(pv, toReading(answer, { type }), known);
  }
}

const toError = ({ code, message }) => new PVError(code, message);

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
