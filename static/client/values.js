/** What the server's messages say -> what a page works with: numbers, names in camelCase, text. */

const NUMBERS = { NaN, Infinity, "-Infinity": -Infinity };
const LIMITS = ["display", "control", "warning", "alarm"];
const utf8 = new TextDecoder("utf-8", { fatal: true });
const latin1 = new TextDecoder("latin1");

/** Whether a value may stand for a number that JSON lacks: it does, unless the PV is a string. */
export const isNumberCode = (value) => typeof value === "string" && Object.hasOwn(NUMBERS, value);

/**
 * @param {*} value of a message
 * @param {string} [type] of the PV
 * @returns {*} "NaN" and the like as numbers, unless the PV is a string
 */
export function toValue(value, type) {
  return type !== "string" && isNumberCode(value) ? NUMBERS[value] : value;
}

/**
 * @param {object} message `metadata` or `info`
 * @returns {import("../pycaserver.js").Metadata}
 */
export function toMetadata(message) {
  const { type, count, units = "", precision = null, enum_strs: enumStrings = null } = message;
  const limits = Object.fromEntries(LIMITS.map((kind) => [kind, toLimits(message[kind])]));
  return freezeDeep({ type, count, units, precision, enumStrings, ...limits });
}

function toLimits(limits) {
  return limits ? { low: Number(limits.low), high: Number(limits.high) } : null;
}

function freezeDeep(object) {
  for (const value of Object.values(object)) if (typeof value === "object" && value) Object.freeze(value);
  return Object.freeze(object);
}

/**
 * What a `monitor` or `get` message says of the value.
 * @param {object} message
 * @param {{type?: string, units?: string}|null} metadata
 */
export function toReading(message, metadata) {
  const value = toValue(message.value, metadata?.type);
  return {
    value,
    count: message.count,
    timestamp: message.timestamp,
    severity: message.severity ?? "NO_ALARM",
    status: message.status ?? "NO_ALARM",
    units: message.units ?? metadata?.units ?? "",
    text: message.text ?? textOf(value, message),
    coalesced: message.coalesced ?? 0,
    reduced: message.reduced ?? 0,
    first: message.first ?? 0,
  };
}

/** What of an update is about the value, before there is one. */
export const NO_READING = Object.freeze({
  value: undefined,
  count: 0,
  timestamp: null,
  severity: "NO_ALARM",
  status: "NO_ALARM",
  units: "",
  text: null,
  coalesced: 0,
  reduced: 0,
  first: 0,
});

/**
 * @param {object} message `events`
 * @returns {import("../pycaserver.js").Events}
 */
export function toEvents({ events, missed = 0 }) {
  return Object.freeze({ events: Object.freeze(events.map(toEvent)), missed });
}

function toEvent({ pvname, value, ...event }) {
  return Object.freeze({ pv: pvname, ...event, ...(value !== undefined && { value: toValue(value) }) });
}

/**
 * @param {object} message `history`
 * @returns {import("../pycaserver.js").History}
 */
export function toHistory(message) {
  return Object.freeze({
    pv: message.pvname,
    time: Float64Array.from(message.time),
    value: Float64Array.from(message.value, Number),
    severity: Object.freeze(message.severity),
    reduced: message.reduced ?? 0,
  });
}

/** A char array that reads as text up to its first NUL, and has nothing but NULs after it, is text. */
function textOf(value, { pvname, reduced, first }) {
  if (!(value instanceof Uint8Array) || reduced || first) return null;
  const end = endOfText(value);
  if (end === null || (end === 0 && !isLongString(pvname))) return null;
  return decode(value.subarray(0, end));
}

/** `NAME.DESC$` is text even where it is empty. */
const isLongString = (pvname) => /\$(\{|$)/.test(pvname);

/** @returns {number|null} where the text ends; null at the first byte that text has not: most images end here */
function endOfText(bytes) {
  const isText = (byte) => byte >= 32 || (byte >= 9 && byte <= 13);
  const end = bytes.findIndex((byte) => !isText(byte));
  if (end < 0) return bytes.length;
  return bytes.subarray(end).some(Boolean) ? null : end;
}

/** @param {Uint8Array} bytes UTF-8, else latin-1, as the server decodes strings */
function decode(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    return latin1.decode(bytes);
  }
}
