/** PV names in an attribute, or in a line that was typed, pasted or dropped. */

const DEPTH = { "{": 1, "}": -1, "(": 1, ")": -1 };

/**
 * Names separated by spaces, commas or semicolons; those in a filter's braces, or among arguments, separate nothing.
 * @param {string} line
 * @returns {string[]}
 */
export function splitNames(line) {
  const names = [""];
  let depth = 0;
  for (const character of line) {
    depth += DEPTH[character] ?? 0;
    if (depth <= 0 && /[\s,;]/.test(character)) names.push("");
    else names[names.length - 1] += character;
  }
  return names.filter(Boolean);
}
