/** PV names in a typed line and in the page's address (`#pv=A,B&plot=A`), so that a page can be shared and reloaded. */

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
  return [...new Set(names.filter(Boolean))];
}

/**
 * @param {string} hash of a location
 * @returns {{names: string[], plotted: string|null}}
 */
export function readHash(hash) {
  const parts = new Map(hash.slice(1).split("&").map((part) => part.split("=", 2)));
  const names = (parts.get("pv") ?? "").split(",").map(decoded).filter(Boolean);
  return { names: [...new Set(names)], plotted: decoded(parts.get("plot") ?? "") || null };
}

/**
 * @param {string[]} names
 * @param {string|null} plotted
 * @returns {string} "#pv=..." with colons left readable, "" without names
 */
export function writeHash(names, plotted) {
  if (!names.length) return "";
  return `#pv=${names.map(encoded).join(",")}${plotted ? `&plot=${encoded(plotted)}` : ""}`;
}

const encoded = (name) => encodeURIComponent(name).replaceAll("%3A", ":");

/** @param {string} text percent-encoded, or typed into the address by hand */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
