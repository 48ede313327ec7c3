/** Paths of lines: what is drawn of how many samples. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { arrayPath, envelopePath, extent, tracePath } from "../../static/elements/lines.js";
import { Trace } from "../../static/elements/trace.js";

/** Says what it was told. */
class FakePath {
  steps = [];
  moveTo = (x, y) => this.steps.push(["M", x, y]);
  lineTo = (x, y) => this.steps.push(["L", x, y]);
  arc = (x, y) => this.steps.push(["O", x, y]);
  addPath = ({ steps }) => this.steps.push(...steps);
}

beforeEach(() => {
  globalThis.Path2D = FakePath;
});

const view = (from, to, scale = 1) => ({ toX: (x) => (x - from) * scale, toY: (y) => y, from, to, ratio: 1 });
const word = ([kind, ...place]) => [kind, ...place.map((number) => Number(number.toFixed(3)))].join(" ");
const drawn = (path) => path.steps.map(word).join("  ");

function traceOf(...samples) {
  const trace = new Trace();
  for (const [time, value] of samples) trace.push(time, value);
  return trace;
}

test("a value holds until the next, and the last one until the end", () => {
  const path = tracePath(traceOf([1, 10], [3, 30]), 5, view(0, 9));
  assert.equal(drawn(path), "M 1 10  L 3 10  L 3 30  L 5 30");
});

test("the value from before the view holds into it", () => {
  const path = tracePath(traceOf([1, 10], [3, 30], [8, 80]), 9, view(2, 6));
  assert.equal(drawn(path), "M -1 10  L 1 10  L 1 30  L 4 30");
});

test("a gap is left out", () => {
  const trace = traceOf([1, 10]);
  trace.interrupt(2);
  trace.push(4, 40);
  assert.equal(drawn(tracePath(trace, 5, view(0, 9))), "M 1 10  L 2 10  M 4 40  L 5 40");
});

test("many samples of one column are its extremes and its last", () => {
  const trace = traceOf(...Array.from({ length: 100 }, (_, index) => [index / 100 - 0.495, index % 7]), [1, 3]);
  const path = tracePath(trace, 1, view(-1, 9));
  assert.equal(drawn(path), "M 0.505 0  L 0.505 0  L 0.505 6  L 0.505 1  L 2 1  L 2 3  L 2 3");
});

test("elements are joined, with dots where there is room", () => {
  assert.equal(drawn(arrayPath([1, 2], 10, view(10, 11))), "M 0 1  L 1 2");
  assert.match(drawn(arrayPath([1, 2], 10, view(10, 11, 20))), /^M 0 1 {2}L 20 2 .*O 0 1 .*O 20 2$/);
});

test("NaN leaves a gap between elements", () => {
  assert.equal(drawn(arrayPath([1, NaN, 3, 4], 0, view(0, 3))), "M 0 1  M 2 3  L 3 4");
});

test("only what is in view is drawn, and one element beside it", () => {
  const path = arrayPath(Float64Array.of(0, 1, 2, 3, 4, 5), 100, view(101.5, 103.5));
  assert.equal(drawn(path), "M -0.5 1  L 0.5 2  L 1.5 3  L 2.5 4");
});

test("64-bit integers are drawn too", () => {
  assert.equal(drawn(arrayPath(BigInt64Array.of(1n, 2n), 0, view(0, 1))), "M 0 1  L 1 2");
});

for (const Type of [Float64Array, BigInt64Array]) {
  test(`a crowd of ${Type.name} is drawn by its envelope`, () => {
    const convert = Type === BigInt64Array ? BigInt : Number;
    const values = Type.from({ length: 100_000 }, (_, index) => convert(index === 77_777 ? 1_000_000 : index % 9));
    const path = arrayPath(values, 0, { ...view(0, 99_999), toX: (x) => x / 1000 });
    assert.ok(path.steps.length <= 4 * 101, `${path.steps.length}`);
    assert.ok(path.steps.some(([, , y]) => y === 1_000_000));
  });
}

test("an envelope is drawn from least to greatest", () => {
  const path = envelopePath([1, 5, 2, 3], 100, 20, view(100, 120));
  assert.equal(drawn(path), "M 5 1  L 5 1  L 5 5  L 5 5  L 15 2  L 15 2  L 15 3  L 15 3");
});

test("extents leave out what cannot be drawn", () => {
  const values = [NaN, -1, 5, Infinity, -Infinity, 0];
  assert.deepEqual(extent(values, 0, 6, false), [-1, 5]);
  assert.deepEqual(extent(values, 0, 6, true), [5, 5]);
  assert.deepEqual(extent(values, 3, 4, false), [Infinity, -Infinity]);
  assert.deepEqual(extent(BigInt64Array.of(-3n, 7n), -5, 99, false), [-3, 7]);
});
