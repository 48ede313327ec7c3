/** What there is to draw: until when the last value of a scalar holds, and of what array. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ArrayCurve, TraceCurve } from "../../static/elements/curve.js";

const START = 1_700_000_000;

/** A curve of a connected PV, at the time START. */
function curveAt(t) {
  t.mock.timers.enable({ apis: ["Date"], now: START * 1000 });
  return new TraceCurve("PV", 0);
}

const told = (curve, timestamp) => curve.receive({ kind: "value", condition: "live", timestamp, value: 1 });

test("an old value holds until now, however often it is told", (t) => {
  const curve = curveAt(t);
  told(curve, START - 100);
  told(curve, START - 100);
  assert.equal(curve.end, START);
});

test("a clock that is plainly ahead or behind counts as the time", (t) => {
  for (const skew of [3600, -3600]) {
    const curve = curveAt(t);
    told(curve, START - 5 + skew);
    told(curve, START + skew);
    t.mock.timers.tick(1000);
    assert.equal(curve.end, START + 1 + skew);
    t.mock.timers.reset();
  }
});

test("a value that was lost holds until then", (t) => {
  const curve = curveAt(t);
  told(curve, START - 100);
  curve.receive({ kind: "stale", condition: "stale" });
  t.mock.timers.tick(5000);
  assert.equal(curve.end, START);
});

test("a PV that is connected again holds its value from before only until it was lost, while it tells none", (t) => {
  const curve = curveAt(t);
  told(curve, START - 100);
  curve.receive({ kind: "connection", condition: "disconnected" });
  t.mock.timers.tick(5000);
  curve.receive({ kind: "connection", condition: "connected" });
  t.mock.timers.tick(5000);
  assert.deepEqual([curve.end, curve.read(START + 1), curve.last], [START, NaN, NaN]);
  told(curve, START - 100);
  assert.deepEqual([curve.end, curve.read(START + 1)], [START + 10, 1]);
});

test("what is kept of a PV ends with its last sample until its value comes", (t) => {
  const curve = curveAt(t);
  const history = { time: Float64Array.of(START - 20, START - 10), value: Float64Array.of(1, 2), reduced: 0 };
  curve.receive({ kind: "connection", condition: "connected" });
  curve.receive({ kind: "history", condition: "connected", history });
  assert.equal(curve.end, START - 10);
  told(curve, START - 10);
  assert.equal(curve.end, START);
});

test("the first value after a loss says nothing about the clock", (t) => {
  const curve = curveAt(t);
  told(curve, START - 1);
  told(curve, START);
  curve.receive({ kind: "connection", condition: "disconnected" });
  t.mock.timers.tick(100_000);
  curve.receive({ kind: "connection", condition: "connected" });
  told(curve, START + 10);
  assert.equal(curve.end, START + 100);
});

const array = (values, first = 0) =>
  ({ kind: "value", timestamp: 1, value: Float64Array.from(values), count: values.length, first });

test("an array is not shown any longer when the PV has become a scalar", () => {
  const curve = new ArrayCurve("PV", 0);
  curve.receive(array([1, 2]));
  assert.equal(curve.read(1), 2);
  curve.receive({ kind: "value", timestamp: 2, value: 5, count: 1, first: 0 });
  assert.deepEqual([curve.shown, curve.read(1)], [null, NaN]);
});

test("a window behind the end of the array tells nothing about its length", () => {
  const curve = new ArrayCurve("PV", 0);
  curve.receive(array([1, 2, 3]));
  curve.receive(array([], 50));
  assert.equal(curve.total, 3);
});
