import assert from "node:assert/strict";
import { test } from "node:test";

import { bandsOf, fractionOf, limitsOf, rangeOf } from "../../static/elements/range.js";

const element = (attributes = {}) => ({
  hasAttribute: (name) => name in attributes,
  getAttribute: (name) => attributes[name] ?? null,
});
const limits = (low, high) => ({ low, high });
const update = (metadata) => ({ metadata });

test("the attributes come before the first limits that are set", () => {
  const metadata = { display: limits(0, 0), control: limits(-5, 5) };
  const names = ["display", "control"];
  assert.deepEqual(rangeOf(element(), update(metadata), names), limits(-5, 5));
  assert.deepEqual(rangeOf(element({ min: "0" }), update(metadata), names), limits(0, 5));
  assert.deepEqual(rangeOf(element({ min: "1", max: "2" }), update(null), names), limits(1, 2));
});

test("no range that cannot be drawn", () => {
  for (const display of [null, limits(0, 0), limits(NaN, 1), limits(5, -5), limits(-1e308, 1e308), limits(0, Infinity)]) {
    assert.equal(rangeOf(element(), update({ display }), ["display"]), null);
  }
  assert.equal(rangeOf(element({ min: "a", max: "b" }), update(null), ["display"]), null);
});

test("a fraction stays within the range", () => {
  assert.deepEqual([-1, 0, 5, 10, 11, NaN].map((value) => fractionOf(value, limits(0, 10))), [0, 0, 0.5, 1, 1, 0]);
});

test("a limit of 0 counts unless both are", () => {
  assert.deepEqual(limitsOf({ alarm: limits(0, 9) }, "alarm"), limits(0, 9));
  assert.deepEqual(limitsOf({ alarm: limits(0, 0) }, "alarm"), limits(NaN, NaN));
  assert.deepEqual(limitsOf(null, "alarm"), limits(NaN, NaN));
});

test("bands of all four limits, of one, and of those outside", () => {
  const range = limits(0, 100);
  const all = { warning: limits(20, 80), alarm: limits(10, 90) };
  assert.deepEqual(bandsOf(all, range), [
    { severity: "MAJOR", from: 0, to: 0.1 },
    { severity: "MINOR", from: 0.1, to: 0.2 },
    { severity: "MINOR", from: 0.8, to: 0.9 },
    { severity: "MAJOR", from: 0.9, to: 1 },
  ]);
  assert.deepEqual(bandsOf({ warning: limits(NaN, 75) }, range), [{ severity: "MINOR", from: 0.75, to: 1 }]);
  assert.deepEqual(bandsOf({ alarm: limits(-10, 110) }, range), []);
  assert.deepEqual(bandsOf(null, range), []);
});
