/** How numbers, values, times and states read. Pure functions: nothing here touches the page. */

const INTEGER_TYPES = new Set(["short", "long", "char", "enum"]);
const NON_FINITE = { NaN: "NaN", Infinity: "∞", "-Infinity": "−∞" };
const LARGEST_FIXED = 1e10;
const SMALLEST_FIXED = 1e-4;
const PREVIEW = 6;
const EPICS_EPOCH = 631152000;

/**
 * A number with the record's precision; with other digits where those would hide it, or pretend to too many.
 * @param {number|bigint|string} value a number, or one of "NaN", "Infinity", "-Infinity"
 * @param {{type?: string, precision?: number|null}} [metadata]
 * @returns {string}
 */
export function formatNumber(value, metadata) {
  if (typeof value === "bigint") return String(value);
  const number = Number(value);
  if (!Number.isFinite(number)) return NON_FINITE[String(number)];
  if (INTEGER_TYPES.has(metadata?.type)) return String(number);
  const precision = metadata?.precision;
  if (precision == null) return String(Number(number.toPrecision(metadata?.type === "float" ? 7 : 10)));
  const digits = Math.min(Math.max(precision, 0), 17);
  const size = Math.abs(number);
  if (size >= LARGEST_FIXED) return number.toExponential(Math.max(digits, 3));
  if (size === 0 || size >= 0.5 * 10 ** -digits) return number.toFixed(digits);
  return size < SMALLEST_FIXED ? number.toExponential(3) : String(Number(number.toPrecision(3)));
}

/**
 * The value of a PV as one line of text.
 * @param {import("./pv.js").PV} pv
 * @returns {string}
 */
export function formatValue(pv) {
  const { value } = pv;
  if (value === undefined) return "";
  if (value === null) return "empty";
  if (pv.text !== null) return pv.text;
  if (pv.isArray) return formatArray(pv);
  return pv.isNumeric ? formatNumber(value, pv.metadata) : String(value);
}

/** @param {import("./pv.js").PV} pv */
function formatArray(pv) {
  if (pv.count === 0) return "empty";
  const size = `[${pv.count.toLocaleString("en").replaceAll(",", "\u2009")}]`;
  if (pv.reduced) return `${size} ${formatRange(pv)}`;
  const shown = Array.from(pv.value.slice(0, PREVIEW), (item) => formatItem(item, pv));
  return `${size} ${shown.join(", ")}${pv.value.length > PREVIEW ? ", …" : ""}`;
}

/** @param {import("./pv.js").PV} pv */
function formatRange(pv) {
  let low = Infinity;
  let high = -Infinity;
  for (const item of pv.value) {
    if (item < low) low = item;
    if (item > high) high = item;
  }
  return low > high ? "NaN" : `${formatNumber(low, pv.metadata)} … ${formatNumber(high, pv.metadata)}`;
}

function formatItem(item, pv) {
  return pv.metadata?.type === "string" ? JSON.stringify(item) : formatNumber(item, pv.metadata);
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
 * @param {import("./pv.js").PV} pv
 * @returns {string}
 */
export function formatStatus(pv) {
  return STATUSES[pv.condition](pv);
}

const STATUSES = {
  error: (pv) => `${pv.error.message} (${pv.error.code})`,
  stale: () => "Stale: no server",
  searching: () => "Searching…",
  disconnected: (pv) => (REASONS[pv.reason] ?? `Disconnected (${pv.reason})`) + formatSinceWhen(pv),
  connected: () => "Connected, no value yet",
  live: (pv) => {
    const severity = SEVERITIES[pv.severity] ?? pv.severity;
    return pv.status && pv.status !== "NO_ALARM" ? `${severity} ${pv.status}` : severity;
  },
};

/** @param {import("./pv.js").PV} pv */
function formatSinceWhen(pv) {
  return pv.since ? ` since ${formatSince(pv.since)}` : "";
}
