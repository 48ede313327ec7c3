/** Ticks of y axes. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { logLabel, logTicks, tickLabel } from "../../static/elements/ticks.js";

const labels = (ticks) => ticks.map((tick) => tickLabel(tick, ticks));

for (const [low, high, most, expected] of [
  [0.9, 1100, 5, [1, 10, 100, 1000]],
  [0.9, 11, 6, [1, 2, 5, 10]],
  [1e-9, 1e3, 4, [1e-9, 1e-6, 1e-3, 1, 1000]],
  [1.6e-9, 2.4e-9, 5, [1.6e-9, 1.8e-9, 2e-9, 2.2e-9, 2.4e-9]],
]) {
  test(`logarithmic from ${low} to ${high}`, () => {
    const ticks = logTicks(low, high, most);
    assert.deepEqual(ticks.map((tick) => Number(tick.toPrecision(6))), expected);
  });
}

for (const [ticks, expected] of [
  [[0, 0.25, 0.5], ["0", "0.25", "0.50"]],
  [[19.9, 20, 20.1], ["19.9", "20.0", "20.1"]],
  [[-100, 0, 100], ["-100", "0", "100"]],
  [[1e6, 2e6], ["1e+6", "2e+6"]],
  [[1.6e-9, 1.8e-9], ["1.6e-9", "1.8e-9"]],
  [[5], ["5"]],
]) {
  test(`labels of ${ticks}`, () => assert.deepEqual(labels(ticks), expected));
}

test("labels of a logarithmic axis", () => {
  const ticks = [1e-8, 1.8e-9, 0.1, 1, 2000, 1e6, 1.2000000000000002];
  assert.deepEqual(ticks.map(logLabel), ["1e-8", "1.8e-9", "0.1", "1", "2000", "1e+6", "1.2"]);
});
