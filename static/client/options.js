/** Options of a monitor: checked as they come, merged for the one subscription that several share. */

/**
 * @typedef {object} MonitorOptions
 * @property {number} [maxRate] updates per second at most, above 0
 * @property {number} [deadband] a scalar that differs by less is left out, from 0
 * @property {number} [first] index of the first element of an array that is wanted, from 0
 * @property {number} [maxCount] how many elements are wanted, from 1
 * @property {number} [reduce] points of the envelope that stands for a longer array, from 1
 * @property {number} [history] seconds of kept samples that are wanted first, above 0
 */

const isPositive = (value) => value > 0;
const isNotNegative = (value) => value >= 0;
const isIndex = (value) => Number.isInteger(value) && value >= 0;
const isCount = (value) => Number.isInteger(value) && value >= 1;

const CHECKS = {
  maxRate: isPositive,
  deadband: isNotNegative,
  first: isIndex,
  maxCount: isCount,
  reduce: isCount,
  history: isPositive,
};

/**
 * @param {MonitorOptions} options
 * @returns {MonitorOptions} without the keys that say nothing
 * @throws {TypeError} for an unknown key or a value out of range
 */
export function checkOptions(options) {
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
  for (const [key, value] of given) {
    if (!CHECKS[key]) throw new TypeError(`monitor has no option ${key}`);
    const fits = typeof value === "number" && Number.isFinite(value) && CHECKS[key](value);
    if (!fits) throw new TypeError(`the option ${key} of monitor cannot be ${String(value)}`);
  }
  return Object.fromEntries(given);
}

/**
 * What carries at least what each asks for. Who asked for less gets more: a wider window, or the array itself.
 * @param {MonitorOptions[]} all of one subscriber at least
 * @returns {MonitorOptions}
 */
export function mergeOptions(all) {
  const merged = {
    maxRate: unlessMissing(all, "maxRate", Math.max),
    deadband: unlessMissing(all, "deadband", Math.min) || undefined,
    ...mergeWindows(all),
    reduce: haveOneWindow(all) ? unlessMissing(all, "reduce", Math.max) : undefined,
  };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}

/** One who asks for no limit gets none. */
function unlessMissing(all, key, choose) {
  const values = all.map((options) => options[key]);
  return values.includes(undefined) ? undefined : choose(...values);
}

function mergeWindows(all) {
  const first = Math.min(...all.map((options) => options.first ?? 0));
  const end = Math.max(...all.map((options) => (options.first ?? 0) + (options.maxCount ?? Infinity)));
  return { first: first || undefined, maxCount: end === Infinity ? undefined : end - first };
}

/** Envelopes of different windows have nothing in common but the array. */
function haveOneWindow(all) {
  return all.every(({ first = 0, maxCount }) => first === (all[0].first ?? 0) && maxCount === all[0].maxCount);
}

/**
 * @param {MonitorOptions} merged
 * @returns {object} as the protocol's `connect` has them
 */
export function toRequest({ maxRate, maxCount, reduce, ...same }) {
  return {
    ...same,
    ...(maxRate && { max_rate: maxRate }),
    ...(maxCount && { max_count: maxCount }),
    ...(reduce && { reduce: { points: reduce } }),
  };
}
