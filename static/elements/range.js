/** Where a value lies between limits, and where its warnings and alarms begin. */

/** @typedef {{low: number, high: number}} Range */
/** @typedef {"display"|"control"|"warning"|"alarm"} LimitName */

/**
 * @param {Element} element its attributes `min` and `max` come before the record's limits
 * @param {import("../pycaserver.js").Update} update
 * @param {LimitName[]} names the first that the record sets counts
 * @returns {Range|null} null if there is none, or none that can be drawn
 */
export function rangeOf(element, { metadata }, names) {
  const limits = names.map((name) => limitsOf(metadata, name)).find(isRange);
  const [low, high] = [
    ["min", limits?.low],
    ["max", limits?.high],
  ].map(([name, limit]) => (element.hasAttribute(name) ? Number(element.getAttribute(name)) : limit));
  return isRange({ low, high }) ? { low, high } : null;
}

/**
 * @param {import("../pycaserver.js").Metadata|null} metadata
 * @param {LimitName} name
 * @returns {Range} NaN on a side where the record sets none: that is NaN, or 0 on both sides
 */
export function limitsOf(metadata, name) {
  const { low = NaN, high = NaN } = metadata?.[name] ?? {};
  return low === 0 && high === 0 ? { low: NaN, high: NaN } : { low, high };
}

/**
 * @param {number} value
 * @param {Range} range
 * @returns {number} 0 at the lower end, 1 at the upper one, nothing outside; 0 for NaN
 */
export function fractionOf(value, { low, high }) {
  return Math.min(Math.max((value - low) / (high - low), 0), 1) || 0;
}

/**
 * Where the record is in alarm, within a range.
 * @param {import("../pycaserver.js").Metadata|null} metadata
 * @param {Range} range
 * @returns {{severity: "MINOR"|"MAJOR", from: number, to: number}[]} fractions of the range
 */
export function bandsOf(metadata, range) {
  const [warning, alarm] = ["warning", "alarm"].map((name) => limitsOf(metadata, name));
  const bands = [
    ["MAJOR", range.low, alarm.low],
    ["MINOR", Number.isNaN(alarm.low) ? range.low : alarm.low, warning.low],
    ["MINOR", warning.high, Number.isNaN(alarm.high) ? range.high : alarm.high],
    ["MAJOR", alarm.high, range.high],
  ];
  return bands
    .filter(([, low, high]) => low < high)
    .map(([severity, low, high]) => ({ severity, from: fractionOf(low, range), to: fractionOf(high, range) }))
    .filter(({ from, to }) => from < to);
}

function isRange(limits) {
  return limits !== undefined && Number.isFinite(limits.high - limits.low) && limits.low < limits.high;
}
