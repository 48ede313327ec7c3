/** Numbers to colours, for images. */

const STEPS = 256;

/** Colours from the least value to the greatest, evenly spaced. All but "diverging" grow lighter from end to end. */
const STOPS = {
  gray: ["#000000", "#ffffff"],
  viridis: ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"],
  inferno: ["#000004", "#210c4a", "#56106e", "#89226a", "#bc3754", "#e35932", "#f98c0a", "#f9c932", "#fcffa4"],
  cividis: ["#00224e", "#213b6e", "#4c556c", "#6c6e72", "#8d8b76", "#b2a86e", "#dac75d", "#fee838"],
  diverging: ["#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b"],
};

/** The names of the colormaps. */
export const COLORMAPS = Object.keys(STOPS);

const made = new Map();

/**
 * @param {string} name one of COLORMAPS; gray for any other
 * @returns {Uint32Array} 256 pixels as ImageData has them
 */
export function colormap(name) {
  const known = Object.hasOwn(STOPS, name) ? name : "gray";
  if (!made.has(known)) made.set(known, interpolate(STOPS[known]));
  return made.get(known);
}

/**
 * Colour an array.
 * @param {ArrayLike<number|bigint>} values
 * @param {Uint32Array} pixels as many as values are wanted; what has no value, and NaN, is transparent
 * @param {{low: number, high: number, isLog: boolean, colors: Uint32Array}} form
 */
export function paint(values, pixels, { low, high, isLog, colors }) {
  const count = Math.min(values.length, pixels.length);
  if (values instanceof Uint8Array) paintBytes(values, pixels, count, tableOf(low, high, isLog, colors));
  else if (isLog) paintLog(values, pixels, count, low, high, colors);
  else paintLinear(values, pixels, count, low, high, colors);
  pixels.fill(0, count);
}

/** A byte has but 256 colours to have. */
function tableOf(low, high, isLog, colors) {
  const bytes = Float64Array.from({ length: STEPS }, (_, byte) => byte);
  const table = new Uint32Array(STEPS);
  (isLog ? paintLog : paintLinear)(bytes, table, STEPS, low, high, colors);
  return table;
}

function paintBytes(values, pixels, count, table) {
  for (let at = 0; at < count; at += 1) pixels[at] = table[values[at]];
}

function paintLinear(values, pixels, count, low, high, colors) {
  const factor = STEPS / (high - low);
  for (let at = 0; at < count; at += 1) {
    const step = (Number(values[at]) - low) * factor;
    pixels[at] = step === step ? colors[step < 0 ? 0 : step >= STEPS ? STEPS - 1 : step | 0] : 0;
  }
}

function paintLog(values, pixels, count, low, high, colors) {
  const base = Math.log(low);
  const factor = STEPS / (Math.log(high) - base);
  for (let at = 0; at < count; at += 1) {
    const value = Number(values[at]);
    const step = value > 0 ? (Math.log(value) - base) * factor : -1;
    pixels[at] = value === value ? colors[step < 0 ? 0 : step >= STEPS ? STEPS - 1 : step | 0] : 0;
  }
}

function interpolate(stops) {
  const colors = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  return Uint32Array.from({ length: STEPS }, (_, step) => {
    const place = (step / (STEPS - 1)) * (colors.length - 1);
    const from = Math.min(Math.floor(place), colors.length - 2);
    const [red, green, blue] = [0, 1, 2].map((at) => mix(colors[from][at], colors[from + 1][at], place - from));
    return (255 << 24) | (blue << 16) | (green << 8) | red;
  });
}

const mix = (from, to, share) => Math.round(from + (to - from) * share);
