/** The PVs that are watched, and their subscriptions at the server: what there is, brought to what is wanted. */

import { Channel } from "./channel.js";
import { toRequest } from "./options.js";

const NAMES_PER_MESSAGE = 1000;
const CHARACTERS_PER_MESSAGE = 64 * 1024;
const REMEMBERED = 1000;
/** Milliseconds until what was denied is asked for again: the server tells nobody that a right is there again. */
const ASK_AGAIN = 30_000;
const TOO_MANY = "too_many_subscriptions";
/** In the place of the options that the server has been given: they are to be given again. */
const AGAIN = "again";
const UNREACHABLE = new Set(["waiting", "closed"]);

export class Channels {
  #connection;
  /** @type {Map<string, Channel>} */
  #channels = new Map();
  /** @type {Set<Channel>} those whose subscription at the server has to be looked at */
  #changed = new Set();
  #lastId = 0;
  /** @type {Map<string, string[]>} id of a `connect` -> its names, for errors about all of them */
  #asked = new Map();
  /** Runs while a PV is denied. */
  #timer = null;

  /** @param {import("./connection.js").Connection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /**
   * @param {string} pv
   * @returns {Channel} the one of this PV, made if need be
   */
  open(pv) {
    if (!this.#channels.has(pv)) {
      const isStale = UNREACHABLE.has(this.#connection.state.name);
      this.#channels.set(pv, new Channel(pv, isStale, (channel) => this.#lookAt(channel)));
    }
    return this.#channels.get(pv);
  }

  /** @returns {Channel|undefined} */
  get(pv) {
    return this.#channels.get(pv);
  }

  /** The session is new: it knows nothing. */
  begin() {
    this.#asked.clear();
    for (const channel of this.#channels.values()) {
      channel.search();
      this.#changed.add(channel);
    }
    this.#flush();
  }

  /** The server is out of reach. */
  end() {
    this.#stopWaiting();
    for (const channel of this.#channels.values()) channel.lose();
  }

  /** There is a new identity: ask again for what was refused. */
  retry() {
    this.#retry(({ isRefused }) => isRefused);
  }

  /**
   * @param {object} message
   * @returns {boolean} whether it was about PVs that are watched, or were just now
   */
  receive(message) {
    const names = message.pvname === undefined ? this.#asked.get(message.id) : [message.pvname];
    for (const name of names ?? []) {
      const channel = this.#channels.get(name);
      if (!channel?.sent) continue;
      channel.receive(message, this.#askOf(message));
      if (channel.isDenied) this.#timer ??= setTimeout(() => this.#askAgain(), ASK_AGAIN);
    }
    return names !== undefined;
  }

  /** Which `connect` the message answers; most do not tell. */
  #askOf({ id }) {
    return id === undefined ? this.#lastId : Number(id.split("-")[1]);
  }

  /** Those that are denied still are answered so, and the timer runs anew. */
  #askAgain() {
    this.#stopWaiting();
    this.#retry(({ isDenied }) => isDenied);
  }

  #stopWaiting() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** @param {(channel: Channel) => boolean} isMeant */
  #retry(isMeant) {
    for (const channel of [...this.#channels.values()].filter(isMeant)) {
      channel.sent &&= AGAIN;
      this.#lookAt(channel);
    }
  }

  /** Changes of one turn of the event loop go out together; those that cancel each other do not go out. */
  #lookAt(channel) {
    if (!this.#changed.size) queueMicrotask(() => this.#flush());
    this.#changed.add(channel);
  }

  #flush() {
    const changed = [...this.#changed];
    this.#changed.clear();
    const unused = changed.filter((channel) => !channel.isUsed);
    for (const channel of unused) this.#channels.delete(channel.pv);
    if (this.#connection.state.name !== "open") return;
    const left = unused.filter((channel) => channel.sent).map(({ pv }) => pv);
    this.#disconnect(left);
    const wanting = [...changed, ...this.#inPlaceOf(left.length)];
    for (const [options, names] of groupByOptions(wanting)) this.#connect(names, JSON.parse(options));
  }

  /** As many as have left make room for those that the server had too many subscriptions for. */
  #inPlaceOf(count) {
    if (!count) return [];
    const turnedAway = [...this.#channels.values()].filter(({ update }) => update.error?.code === TOO_MANY);
    const next = turnedAway.slice(0, count);
    for (const channel of next) channel.sent = null;
    return next;
  }

  #disconnect(names) {
    for (const pv of pieces(names)) this.#connection.send({ action: "disconnect", pv });
  }

  #connect(names, options) {
    for (const pv of pieces(names)) {
      const id = `connect-${++this.#lastId}`;
      this.#asked.set(id, pv);
      this.#asked.delete(`connect-${this.#lastId - REMEMBERED}`);
      for (const name of pv) this.#channels.get(name).asked(this.#lastId);
      this.#connection.send({ action: "connect", id, pv, ...options });
    }
  }
}

/** @returns {Map<string, string[]>} options as JSON -> names of the PVs that are yet to be subscribed with those */
function groupByOptions(channels) {
  const groups = new Map();
  for (const channel of channels.filter(({ isUsed }) => isUsed)) {
    const request = requestFor(channel);
    if (request && !groups.has(request)) groups.set(request, []);
    if (request) groups.get(request).push(channel.pv);
  }
  return groups;
}

/** @returns {string|null} options as JSON, null where the server has been given the same */
function requestFor(channel) {
  const options = toRequest(channel.options);
  const json = JSON.stringify(options);
  if (json === channel.sent && !channel.wantsHistory) return null;
  channel.sent = json;
  const { history } = channel;
  return history ? JSON.stringify({ ...options, history }) : json;
}

/** Lists that are short enough for one message. */
function* pieces(names) {
  let piece = [];
  let characters = 0;
  for (const name of names) {
    if (piece.length === NAMES_PER_MESSAGE || characters > CHARACTERS_PER_MESSAGE) {
      yield piece;
      piece = [];
      characters = 0;
    }
    piece.push(name);
    characters += name.length;
  }
  if (piece.length) yield piece;
}
