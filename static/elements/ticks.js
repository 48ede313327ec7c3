/** Where the ticks of a y axis are, and how they read. */

const MULTIPLES = [1, 2, 5];
const FEW = 3;

/**
 * Ticks of a logarithmic axis: decades, or with less room between 1, 2 and 5 of each, or evenly spaced ones.
 * @param {number} low above 0
 * @param {number} high
 * @param {number} most how many there is room for
 * @returns {number[]}
 */
export function logTicks(low, high, most) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const within = (ticks) => ticks.filter((tick) => tick >= low && tick <= high);
  const decades = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  const fine = within(decades.flatMap((decade) => MULTIPLES.map((multiple) => Number(`${multiple}e${decade}`))));
  if (fine.length < FEW) return evenTicks(low, high, most);
  if (fine.length <= most) return fine;
  const every = Math.max(1, Math.ceil(Math.log10(high / low) / most));
  return within(decades.filter((decade) => decade % every === 0).map((decade) => Number(`1e${decade}`)));
}

function evenTicks(low, high, most) {
  const rough = (high - low) / Math.max(2, Math.min(most, 5));
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * [...MULTIPLES, 10].find((multiple) => multiple * decade >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, at) => (first + at) * step);
}

/** @param {number} tick of a logarithmic axis @returns {string} */
export function logLabel(tick) {
  const short = Number(tick.toPrecision(4));
  return tick >= 1e5 || tick < 1e-3 ? short.toExponential() : String(short);
}

/**
 * With no more digits than tell two ticks apart.
 * @param {number} tick
 * @param {number[]} ticks
 * @returns {string}
 */
export function tickLabel(tick, ticks) {
  const step = Math.min(...ticks.slice(1).map((next, at) => Math.abs(next - ticks[at]))) || 1;
  const size = Math.max(...ticks.map(Math.abs));
  if (tick === 0) return "0";
  if (size >= 1e6 || size < 1e-3) return exponential(tick, step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return tick.toFixed(Math.min(digits + (isBetween(step * 10 ** digits) ? 1 : 0), 20));
}

function exponential(tick, step) {
  const digits = Math.floor(Math.log10(Math.abs(tick)) + 1e-9) - Math.floor(Math.log10(step) + 1e-9);
  return tick.toExponential(Math.min(Math.max(digits, 0), 15));
}

/** Such as 2.5: it needs a digit more. */
const isBetween = (step) => Math.abs(step - Math.round(step)) > 1e-6;
