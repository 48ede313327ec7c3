import assert from "node:assert/strict";
import { test } from "node:test";

import { parseValue } from "../../static/elements/parse.js";

const of = (type, count = 1, more = {}) => ({ type, count, ...more });
const mode = of("enum", 1, { enumStrings: ["Low", "High", "3"] });

for (const [text, metadata, value] of [
  [" 1.5 ", of("double"), 1.5],
  ["-1e-3", of("float"), -0.001],
  ["nan", of("double"), NaN],
  ["-Inf", of("double"), -Infinity],
  ["−∞", of("double"), -Infinity],
  ["0x1F", of("long"), 31],
  ["-0x10", of("long"), -16],
  ["+7", of("short"), 7],
  ["9007199254740993", of("int64"), 9007199254740993n],
  ["-1", of("int64"), -1n],
  ["High", mode, "High"],
  ["1", mode, 1],
  ["3", mode, "3"],
  ["two words", of("string"), "two words"],
  ["", of("string"), ""],
  ["text, and more", of("char", 100), "text, and more"],
  ["1, 2  3", of("double", 10), [1, 2, 3]],
  ["a, b", of("string", 3), ["a", "b"]],
  ["5", null, 5],
]) {
  test(`"${text}" for ${metadata?.type}`, () => assert.deepEqual(parseValue(text, metadata), value));
}

for (const text of ["", "one", "1,5", "0x", "1 2"]) {
  test(`"${text}" is no number`, () => assert.throws(() => parseValue(text, of("double")), /number/));
}
