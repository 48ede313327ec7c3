/** What there is to draw of a scalar: until when its last value holds, whatever the IOC's clock says. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { TraceCurve } from "../../static/elements/curve.js";

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
