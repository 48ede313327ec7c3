/** The values at the ends of an image's colours. */

import { extent } from "./lines.js";

/** Of the spare range, given up with each picture: what flickers in brightness is hard to look at. */
const SHRINK = 0.05;

export class ImageRange {
  /** @type {[number, number]|null} before the first picture */
  ends = null;

  /**
   * The range for the next picture. It grows at once, and shrinks slowly; what the page has set holds.
   * @param {ArrayLike<number>} values
   * @param {{isLog: boolean, isHeld: boolean, min: number|null, max: number|null}} wishes
   * @returns {[number, number]}
   */
  next(values, { isLog, isHeld, min, max }) {
    if (isHeld && this.ends) return this.ends;
    const [least, most] = extent(values, 0, values.length, isLog);
    const [before, after] = this.ends ?? [least, most];
    const low = Math.min(least, before + (least - before) * SHRINK);
    const high = Math.max(most, after + (most - after) * SHRINK);
    this.ends = ordered(allowed(min, isLog) ?? low, allowed(max, isLog) ?? high, isLog);
    return this.ends;
  }
}

const allowed = (limit, isLog) => (limit === null || (isLog && limit <= 0) ? null : limit);

function ordered(low, high, isLog) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return isLog ? [1, 10] : [0, 1];
  if (low < high) return [low, high];
  return isLog ? [low / 2, low * 2] : [low - 0.5, low + 0.5];
}
