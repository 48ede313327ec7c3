/** What people type, as the value that a PV of this type takes. */

const WORDS = { nan: NaN, inf: Infinity, infinity: Infinity, "-inf": -Infinity, "-infinity": -Infinity, "∞": Infinity, "−∞": -Infinity };
const WHOLE = /^[+-]?(\d+|0x[\da-f]+)$/i;

/**
 * @param {string} text
 * @param {import("../pycaserver.js").Metadata|null} metadata
 * @returns {import("../pycaserver.js").PutValue}
 * @throws {SyntaxError} with a sentence for people
 */
export function parseValue(text, metadata) {
  const { type, count = 1 } = metadata ?? {};
  if (count === 1) return parseItem(text, metadata);
  if (type === "char") return text;
  return text.trim().split(type === "string" ? "," : /[\s,]+/).map((item) => parseItem(item, metadata));
}

function parseItem(text, metadata) {
  return (PARSERS[metadata?.type] ?? parseNumber)(text.trim(), metadata);
}

const PARSERS = {
  string: (text) => text,
  enum: (text, { enumStrings }) => (enumStrings?.includes(text) || !WHOLE.test(text) ? text : Number(text)),
  int64: (text) => (WHOLE.test(text) ? parseWhole(text) : parseNumber(text)),
};

/** @returns {bigint} a sign before 0x is no part of what BigInt reads */
function parseWhole(text) {
  const size = BigInt(text.replace(/^[+-]/, ""));
  return text.startsWith("-") ? -size : size;
}

function parseNumber(text) {
  if (WHOLE.test(text)) return Number(parseWhole(text));
  const number = WORDS[text.toLowerCase()] ?? (text === "" ? undefined : Number(text));
  if (number === undefined || (Number.isNaN(number) && !(text.toLowerCase() in WORDS))) {
    throw new SyntaxError(text === "" ? "A number is missing" : `"${text}" is not a number`);
  }
  return number;
}
