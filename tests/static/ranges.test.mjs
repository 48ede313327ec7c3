/** The y axes of a plot. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ImageRange } from "../../static/elements/image-range.js";
import { Ranges } from "../../static/elements/ranges.js";

const WISHES = { isLog: false, min: null, max: null, isTight: false };
const curve = (low, high, units = "V", states = null) => ({
  scale: states ? states.join() : units, states, update: { units }, extent: () => [low, high],
});
const rangeOf = (ranges, low, high, wishes = {}) =>
  ranges.scales([curve(low, high)], [0, 1], { ...WISHES, ...wishes })[0].range;

test("curves of the same units share an axis", () => {
  const scales = new Ranges().scales([curve(0, 1), curve(5, 9, "mA"), curve(2, 4)], [0, 1], WISHES);
  assert.deepEqual(scales.map(({ label }) => label), ["V", "mA"]);
  assert.ok(scales[0].range[0] < 0 && scales[0].range[1] > 4);
});

test("it grows at once and shrinks only when half is spare", () => {
  const ranges = new Ranges();
  const first = rangeOf(ranges, 0, 10);
  assert.deepEqual(rangeOf(ranges, 1, 8), first);
  assert.ok(rangeOf(ranges, 0, 20)[1] >= 20);
  assert.ok(rangeOf(ranges, 0, 5)[1] < 10);
});

test("zoomed in it fits what is in view", () => {
  const ranges = new Ranges();
  rangeOf(ranges, 0, 10);
  assert.ok(rangeOf(ranges, 0, 9, { isTight: true })[1] < 10);
});

test("what the page has fixed holds", () => {
  assert.deepEqual(rangeOf(new Ranges(), 0, 10, { min: -5, max: 100 }), [-5, 100]);
  assert.deepEqual(rangeOf(new Ranges(), 0, 10, { min: 50, max: 40 }), [49, 51]);
});

test("an axis has a length, whatever the values", () => {
  const least = 5e-324;
  const most = 1.7e308;
  for (const [isLog, low, high, min, max] of [
    [false, -most, most], [false, most, most], [false, 0, 1, 1e20, 1e20], [true, least, most], [true, least, least],
  ]) {
    const [from, to] = rangeOf(new Ranges(), low, high, { isLog, min: min ?? null, max: max ?? null });
    assert.ok(Number.isFinite(to - from) && from < to && (!isLog || from > 0), `${low} to ${high}`);
  }
});

test("a logarithmic axis has no room for 0", () => {
  const [low, high] = rangeOf(new Ranges(), 1, 1000, { isLog: true, min: 0 });
  assert.ok(low > 0 && low < 1 && high > 1000);
  assert.deepEqual(rangeOf(new Ranges(), Infinity, -Infinity, { isLog: true }), [1, 10]);
});

test("without numbers there is an axis all the same; a constant has room above and below", () => {
  assert.deepEqual(rangeOf(new Ranges(), Infinity, -Infinity), [0, 1]);
  const [low, high] = rangeOf(new Ranges(), 5, 5);
  assert.ok(low < 5 && high > 5);
});

test("states are evenly spaced, logarithmic or not", () => {
  const scales = new Ranges().scales([curve(0, 1, "", ["Off", "On"])], [0, 1], { ...WISHES, isLog: true });
  assert.deepEqual([scales[0].range, scales[0].isLog], [[-0.5, 1.5], false]);
});

const OF_IMAGE = { isLog: false, isHeld: false, min: null, max: null };

test("an image's range grows at once and shrinks slowly", () => {
  const range = new ImageRange();
  assert.deepEqual(range.next([0, 10], OF_IMAGE), [0, 10]);
  assert.deepEqual(range.next([0, 20], OF_IMAGE), [0, 20]);
  const [, high] = range.next([0, 10], OF_IMAGE);
  assert.ok(high > 15 && high < 20);
});

test("an image's range may be held or fixed", () => {
  const range = new ImageRange();
  range.next([0, 10], OF_IMAGE);
  assert.deepEqual(range.next([0, 20], { ...OF_IMAGE, isHeld: true }), [0, 10]);
  assert.deepEqual(range.next([0, 20], { ...OF_IMAGE, min: 5, max: 6 }), [5, 6]);
});

test("an image of one value, or of none, has a range", () => {
  assert.deepEqual(new ImageRange().next([4, 4], OF_IMAGE), [3.5, 4.5]);
  assert.deepEqual(new ImageRange().next([NaN], OF_IMAGE), [0, 1]);
  assert.deepEqual(new ImageRange().next([-1], { ...OF_IMAGE, isLog: true }), [1, 10]);
});
