/** Colours of images, and tables for other programs. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { COLORMAPS, colormap, paint } from "../../static/elements/colormap.js";
import { isoTime, toCSV } from "../../static/elements/csv.js";

const BLACK = 0xff000000;
const WHITE = 0xffffffff;
const painted = (values, form = {}) => {
  const pixels = new Uint32Array(values.length + 1).fill(7);
  paint(values, pixels, { low: 0, high: 10, isLog: false, colors: colormap("gray"), ...form });
  return [...pixels];
};

test("each has 256 colours, and an unknown one is gray", () => {
  for (const name of COLORMAPS) assert.equal(new Set(colormap(name)).size > 200, true, name);
  assert.deepEqual(colormap("toString"), colormap("gray"));
});

for (const Type of [Float64Array, Float32Array, Int32Array, Int16Array, Uint16Array, Int8Array, Uint8Array]) {
  test(`${Type.name} from black to white, beyond the range too; what is missing is transparent`, () => {
    assert.deepEqual(painted(Type.of(0, 10, 5, 20)), [BLACK, WHITE, 0xff808080, WHITE, 0]);
  });
}

test("64-bit integers are coloured too", () => {
  assert.deepEqual(painted(BigInt64Array.of(0n, 10n, -5n)), [BLACK, WHITE, BLACK, 0]);
});

test("NaN is transparent", () => {
  assert.deepEqual(painted(Float64Array.of(NaN, 0)), [0, BLACK, 0]);
});

test("a logarithmic range", () => {
  const [, middle] = painted(Float64Array.of(1, 10, 100, 0, -3), { low: 1, high: 100, isLog: true });
  assert.ok([0xff7f7f7f, 0xff808080].includes(middle));
  assert.deepEqual(painted(Float64Array.of(0, -3, NaN), { low: 1, high: 100, isLog: true }), [BLACK, BLACK, 0, 0]);
  assert.equal(painted(Uint8Array.of(10), { low: 1, high: 100, isLog: true })[0], middle);
});

test("cells are quoted where they must be", () => {
  assert.equal(toCSV([["a", 'b"c', "d,e"], [1, null, 2n]]), 'a,"b""c","d,e"\r\n1,,2\r\n');
});

test("text that a spreadsheet would run is marked as text", () => {
  assert.equal(toCSV([["=1+1", "@now", "-a", "-5", -5, "a=b"]]), "'=1+1,'@now,'-a,-5,-5,a=b\r\n");
});

test("times are told to the microsecond, in UTC", () => {
  assert.equal(isoTime(1447799204.25), "2015-11-17T22:26:44.250000Z");
  assert.equal(isoTime(1.9999999), "1970-01-01T00:00:01.999999Z");
});
