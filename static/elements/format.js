/** How numbers, values, times and states read. Pure functions: nothing here touches the page. */

const INTEGER_TYPES = new Set(["short", "long", "int64", "char", "enum"]);
const NON_FINITE = { NaN: "NaN", Infinity: "∞", "-Infinity": "−∞" };
const LARGEST_FIXED = 1e10;
const SMALLEST_FIXED = 1e-4;
const PREVIEW = 6;
const EPICS_EPOCH = 631152000;

/**
 * @typedef {"default"|"decimal"|"exponential"|"hex"|"engineering"|"string"} FormatName
 * @typedef {{format?: FormatName, precision?: number|null}} Format precision: instead of the record's
 * @typedef {import("../pycaserver.js").Update} Update
 */

/**
 * A number with the record's precision; with other digits where those would hide it, or pretend to too many.
 * @param {number|bigint|string} value a number, or one of "NaN", "Infinity", "-Infinity"
 * @param {{type?: string, precision?: number|null}|null} [metadata]
 * @param {Format} [format]
 * @returns {string}
 */
export function formatNumber(value, metadata, { format = "default", precision = null } = {}) {
  if (typeof value !== "bigint" && !Number.isFinite(Number(value))) return NON_FINITE[String(value)];
  const digits = precision ?? metadata?.precision;
  return (NUMBERS[format] ?? formatDefault)(value, digits, precision === null ? metadata?.type : undefined);
}

const NUMBERS = {
  decimal: formatDecimal,
  exponential: (value, digits) => Number(value).toExponential(within(digits ?? 3)),
  hex: formatHex,
  engineering: formatEngineering,
  string: (value) => String(value),
};

function formatDecimal(value, digits, type) {
  return isInteger(value, type) ? String(value) : Number(value).toFixed(within(digits ?? 3));
}

function formatDefault(value, precision, type) {
  const number = Number(value);
  if (isInteger(value, type)) return String(value);
  if (precision == null) return String(Number(number.toPrecision(type === "float" ? 7 : 10)));
  const digits = within(precision);
  const size = Math.abs(number);
  if (size >= LARGEST_FIXED) return number.toExponential(Math.max(digits, 3));
  if (size === 0 || size >= 0.5 * 10 ** -digits) return number.toFixed(digits);
  return size < SMALLEST_FIXED ? number.toExponential(3) : String(Number(number.toPrecision(3)));
}

const isInteger = (value, type) => typeof value === "bigint" || INTEGER_TYPES.has(type);
const within = (digits) => Math.min(Math.max(digits, 0), 17);

/** Negative ones as the bits that a 32 or 64 bit integer has. */
function formatHex(value) {
  const whole = typeof value === "bigint" ? value : BigInt(Math.trunc(Number(value)));
  const bits = BigInt.asIntN(32, whole) === whole ? 32 : 64;
  return `0x${(whole < 0n ? BigInt.asUintN(bits, whole) : whole).toString(16).toUpperCase()}`;
}

/** The exponent is a multiple of 3, and one more step where rounding makes the mantissa 1000. */
function formatEngineering(value, digits) {
  const number = Number(value);
  const mantissaFor = (exponent) => (number / 10 ** exponent).toFixed(within(digits ?? 3));
  let exponent = number === 0 ? 0 : Math.floor(Math.log10(Math.abs(number)) / 3 + 1e-12) * 3;
  if (Math.abs(mantissaFor(exponent)) >= 1000) exponent += 3;
  return exponent === 0 ? mantissaFor(0) : `${mantissaFor(exponent)}e${exponent}`;
}

/**
 * The value of a PV as one line of text.
 * @param {Update} update
 * @param {Format} [format]
 * @returns {string}
 */
export function formatValue(update, format = {}) {
  const { value, text } = update;
  if (value === undefined) return "";
  if (value === null) return "empty";
  if (text !== null && !(isNumber(update) && NUMBERS[format.format] && format.format !== "string")) return text;
  if (isArray(value)) return formatArray(update, format);
  return isNumber(update) ? formatNumber(value, update.metadata, format) : String(value);
}

/** @param {unknown} value an array, or a typed array */
export const isArray = (value) => Array.isArray(value) || ArrayBuffer.isView(value);

/** Whether the value is a number: "NaN" is one too, unless the PV is a string. @param {Update} update */
export function isNumber({ value, metadata }) {
  if (typeof value === "number" || typeof value === "bigint") return true;
  return metadata?.type !== "string" && typeof value === "string" && Object.hasOwn(NON_FINITE, value);
}

/** @param {Update} update @param {Format} format */
function formatArray({ value, count, reduced, metadata }, format) {
  if (count === 0) return "empty";
  const size = `[${count.toLocaleString("en").replaceAll(",", "\u2009")}]`;
  if (reduced) return `${size} ${formatRange(value, metadata, format)}`;
  const formatItem = metadata?.type === "string" ? JSON.stringify : (item) => formatNumber(item, metadata, format);
  const shown = Array.from(value.slice(0, PREVIEW), (item) => formatItem(item));
  return `${size} ${shown.join(", ")}${value.length > PREVIEW ? ", …" : ""}`;
}

function formatRange(value, metadata, format) {
  let low = Infinity;
  let high = -Infinity;
  for (const item of value) {
    if (item < low) low = item;
    if (item > high) high = item;
  }
  return low > high ? "NaN" : `${formatNumber(low, metadata, format)} … ${formatNumber(high, metadata, format)}`;
}

const two = (number) => String(number).padStart(2, "0");

/**
 * @param {number} seconds UNIX seconds
 * @returns {string} local time of day, "14:03:22"
 */
export function formatClock(seconds) {
  const date = new Date(seconds * 1000);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/**
 * @param {number} seconds UNIX seconds
 * @returns {string} local time with milliseconds, and the date when it is not today
 */
export function formatTime(seconds) {
  if (seconds <= EPICS_EPOCH) return "never";
  const date = new Date(seconds * 1000);
  const millis = String(date.getMilliseconds()).padStart(3, "0");
  return `${formatDay(date)}${formatClock(seconds)}.${millis}`;
}

/**
 * @param {number} seconds UNIX seconds
 * @returns {string} local time to the second, and the date when it is not today
 */
export function formatSince(seconds) {
  return `${formatDay(new Date(seconds * 1000))}${formatClock(seconds)}`;
}

/** @param {Date} date */
function formatDay(date) {
  const now = new Date();
  const today = date.getDate() === now.getDate() && Math.abs(now - date) < 86_400_000;
  return today ? "" : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `;
}

const REASONS = {
  lost: "Disconnected",
  not_connected: "Disconnected",
  not_found: "Not found, still searching",
  read_denied: "Reading is denied",
};
const SEVERITIES = { NO_ALARM: "OK" };

/**
 * The state of a PV in words: its alarm, or why there is no live value.
 * @param {Update} update
 * @returns {string}
 */
export function formatStatus(update) {
  return STATUSES[update.condition](update);
}

const STATUSES = {
  error: (update) => `${update.error.message} (${update.error.code})`,
  stale: () => "Stale: no server",
  searching: () => "Searching…",
  disconnected: (update) => (REASONS[update.reason] ?? `Disconnected (${update.reason})`) + formatSinceWhen(update),
  connected: () => "Connected, no value yet",
  live: (update) => {
    const severity = SEVERITIES[update.severity] ?? update.severity;
    return update.status && update.status !== "NO_ALARM" ? `${severity} ${update.status}` : severity;
  },
};

/** @param {Update} update */
function formatSinceWhen(update) {
  return update.since ? ` since ${formatSince(update.since)}` : "";
}
