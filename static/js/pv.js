/** What the page knows about one PV: its connection, its latest value, its metadata, its recent samples. */

import { Trace } from "./trace.js";

const MAX_RATE = 10;
const LONG_WAVEFORM = 4000;
const REDUCED_POINTS = 1000;
const SKEW_THAT_MATTERS = 2;
const CODES = new Set(["NaN", "Infinity", "-Infinity"]);
const utf8 = new TextDecoder("utf-8", { fatal: true });
const latin1 = new TextDecoder("latin1");

const seconds = () => Date.now() / 1000;

/** @typedef {"error"|"stale"|"searching"|"disconnected"|"connected"|"live"} Condition */

export class PV {
  /** @param {string} name as typed: the server echoes it in `pvname` */
  constructor(name) {
    this.name = name;
    this.trace = new Trace();
    this.metadata = null;
    this.access = null;
    /** IOC clock minus ours, in seconds; 0 unless the difference is plain. */
    this.skew = 0;
    this.#forgetConnection();
    this.#forgetValue();
  }

  /** @returns {Condition} */
  get condition() {
    if (this.error) return "error";
    if (this.stale) return "stale";
    if (this.connected === null) return "searching";
    if (!this.connected) return "disconnected";
    return this.value === undefined ? "connected" : "live";
  }

  /** Whether what is shown is what the IOC has. */
  get isLive() {
    return this.condition === "live" || this.condition === "connected";
  }

  /** Options of this PV's `connect`: long waveforms come as an envelope, `.NAME$` as text. */
  get options() {
    const options = { metadata: true, encoding: "binary", max_rate: MAX_RATE };
    if (this.metadata?.count > LONG_WAVEFORM) options.reduce = { points: REDUCED_POINTS };
    if (/\$(\{|$)/.test(this.name)) options.as = "string";
    return options;
  }

  /** A JSON array or the typed array of a binary frame. */
  get isArray() {
    return Array.isArray(this.value) || ArrayBuffer.isView(this.value);
  }

  /** A number, or one of the strings that stand for those JSON lacks. */
  get isNumeric() {
    return typeof this.value === "number" || (this.metadata?.type !== "string" && CODES.has(this.value));
  }

  /** @returns {"strip"|"wave"|"envelope"|"text"|"none"} how the value is best drawn */
  get picture() {
    if (this.value === undefined) return "none";
    if (this.reduced) return "envelope";
    if (this.isArray) return this.text !== null || this.metadata?.type === "string" ? "text" : "wave";
    return this.isNumeric && (this.text === null || this.metadata?.type === "enum") ? "strip" : "text";
  }

  /**
   * @param {"display"|"control"|"warning"|"alarm"} kind
   * @returns {[number, number]|null} null when the record sets none: NaN, or 0 for both
   */
  limits(kind) {
    const { low, high } = this.metadata?.[kind] ?? {};
    const limits = [Number(low), Number(high)];
    return limits.some(Boolean) ? limits : null;
  }

  /** Our clock, as the IOC's clock would read. */
  get now() {
    return seconds() + this.skew;
  }

  /**
   * Take in one message of the server.
   * @param {{msg_type: string, pvname: string}} message
   */
  receive(message) {
    RECEIVERS[message.msg_type]?.call(this, message);
  }

  /** The server is out of reach: what is shown may no longer be true. */
  lose() {
    this.stale = true;
    this.interrupt();
  }

  /** The server is back and has been asked for this PV again. */
  search() {
    this.#forgetConnection();
  }

  /** Nobody is watching from now on, for a while. */
  interrupt() {
    this.trace.interrupt(this.now);
    this.catchingUp = true;
  }

  /** Watching again. */
  resume() {
    this.trace.resume(this.now);
  }

  onConnection({ conn, reason, since }) {
    this.#forgetConnection();
    this.connected = conn;
    if (conn) return this.resume();
    this.reason = reason ?? "lost";
    this.since = since ?? null;
    this.interrupt();
  }

  onMetadata({ msg_type, pvname, ...metadata }) {
    const { type, count } = this.metadata ?? metadata;
    if (type !== metadata.type || count > 1 !== metadata.count > 1) this.#forgetValue();
    this.metadata = metadata;
    this.units = metadata.units ?? "";
  }

  onMonitor(message) {
    this.connected = true;
    this.error = null;
    this.value = message.value;
    this.count = message.count;
    this.reduced = message.reduced ?? 0;
    this.severity = message.severity ?? "NO_ALARM";
    this.status = message.status ?? "";
    this.units = message.units ?? this.metadata?.units ?? "";
    this.timestamp = message.timestamp;
    this.text = message.text ?? this.#decodeText();
    this.#measureSkew();
    if (this.picture === "strip") this.trace.push(message.timestamp, Number(message.value));
  }

  onAccess({ read, write }) {
    this.access = { read, write };
  }

  onError({ code, message }) {
    this.error = { code, message };
    this.interrupt();
  }

  /** A char waveform that reads as text up to its first NUL, and has nothing but NULs after it, is shown as text. */
  #decodeText() {
    if (this.metadata?.type !== "char" || !this.isArray || this.reduced || !this.count) return null;
    const bytes = Uint8Array.from(this.value);
    const end = bytes.indexOf(0) < 0 ? bytes.length : bytes.indexOf(0);
    const text = decode(bytes.subarray(0, end));
    const isText = end > 0 && bytes.subarray(end).every((byte) => byte === 0) && !/[\x00-\x08\x0e-\x1f]/.test(text);
    return isText ? text : null;
  }

  /** The first value after a connection may be old; only those that follow tell about the IOC's clock. */
  #measureSkew() {
    const difference = this.timestamp - seconds();
    if (!this.catchingUp) this.skew = Math.abs(difference) > SKEW_THAT_MATTERS ? difference : 0;
    this.catchingUp = false;
  }

  #forgetConnection() {
    /** @type {boolean|null} null: not told yet */
    this.connected = null;
    this.stale = false;
    this.error = null;
    this.reason = "";
    this.since = null;
  }

  #forgetValue() {
    this.value = undefined;
    this.count = 0;
    this.reduced = 0;
    this.text = null;
    this.severity = "NO_ALARM";
    this.status = "";
    this.units = "";
    this.timestamp = null;
    this.catchingUp = true;
    this.trace.clear();
  }
}

const RECEIVERS = {
  connection: PV.prototype.onConnection,
  metadata: PV.prototype.onMetadata,
  monitor: PV.prototype.onMonitor,
  access: PV.prototype.onAccess,
  error: PV.prototype.onError,
};

/** @param {Uint8Array} bytes UTF-8, else latin-1, as the server decodes strings */
function decode(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    return latin1.decode(bytes);
  }
}
