/** The samples of a strip chart: order, gaps, what the server fills in, and the bound. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Trace } from "../../static/elements/trace.js";

const samplesOf = ({ times, values }) =>
  Array.from(times, (time, index) => [time, Number.isNaN(values[index]) ? null : values[index]]);

function traceOf(...samples) {
  const trace = new Trace();
  for (const [time, value] of samples) trace.push(time, value);
  return trace;
}

function fill(trace, samples, isWhole = true) {
  const [times, values] = [0, 1].map((at) => Float64Array.from(samples, (sample) => sample[at]));
  trace.backfill(times, values, isWhole);
}

test("samples are kept in order", () => {
  assert.deepEqual(samplesOf(traceOf([1, 10], [2, 20])), [[1, 10], [2, 20]]);
});

test("a repeated stamp replaces its sample", () => {
  assert.deepEqual(samplesOf(traceOf([1, 10], [1, 11])), [[1, 11]]);
});

test("a clock that steps back starts anew", () => {
  assert.deepEqual(samplesOf(traceOf([5, 10], [2, 20])), [[2, 20]]);
});

test("what came while nobody watched is a gap", () => {
  const trace = traceOf([1, 10]);
  trace.interrupt(2);
  trace.resume(5);
  trace.push(4, 20);
  assert.deepEqual(samplesOf(trace), [[1, 10], [2, null], [4, 20]]);
});

test("a value stamped later shows that nothing was missed", () => {
  const trace = traceOf([1, 10]);
  trace.interrupt(2);
  trace.resume(5);
  trace.push(6, 20);
  assert.deepEqual(samplesOf(trace), [[1, 10], [6, 20]]);
});

test("the past comes before what is there", () => {
  const trace = traceOf([5, 50], [6, 60]);
  fill(trace, [[3, 30], [4, 40], [5, 50]]);
  assert.deepEqual(samplesOf(trace), [[3, 30], [4, 40], [5, 50], [6, 60]]);
});

test("the past of an empty trace is all of it", () => {
  const trace = new Trace();
  fill(trace, [[3, 30], [4, 40]]);
  assert.deepEqual(samplesOf(trace), [[3, 30], [4, 40]]);
});

test("samples that were merged on their way are put back", () => {
  const trace = traceOf([1, 10], [4, 40], [5, 50]);
  fill(trace, [[1, 10], [2, 20], [3, 30], [4, 40]]);
  assert.deepEqual(samplesOf(trace), [[1, 10], [2, 20], [3, 30], [4, 40], [5, 50]]);
});

test("extremes do not replace samples", () => {
  const trace = traceOf([5, 50], [6, 60]);
  fill(trace, [[1, 10], [5.5, 55]], false);
  assert.deepEqual(samplesOf(trace), [[1, 10], [5, 50], [6, 60]]);
});

test("a gap that the server can fill is filled", () => {
  const trace = traceOf([1, 10]);
  trace.interrupt(2, true);
  trace.push(4, 40);
  assert.deepEqual(samplesOf(trace), [[1, 10], [2, null], [4, 40]]);
  fill(trace, [[1, 10], [3, 30], [4, 40]]);
  assert.deepEqual(samplesOf(trace), [[1, 10], [3, 30], [4, 40]]);
});

test("a gap stays where the server's past begins after it", () => {
  const trace = traceOf([1, 10]);
  trace.interrupt(2, true);
  trace.push(6, 60);
  fill(trace, [[5, 50], [6, 60]]);
  assert.deepEqual(samplesOf(trace), [[1, 10], [2, null], [5, 50], [6, 60]]);
});

test("a gap of the PV itself stays", () => {
  const trace = traceOf([1, 10]);
  trace.interrupt(2);
  trace.interrupt(2.5, true);
  trace.push(4, 40);
  fill(trace, [[1, 10], [4, 40]]);
  assert.deepEqual(samplesOf(trace), [[1, 10], [2, null], [4, 40]]);
});

test("the past that comes before the first value fills the gap beforehand", () => {
  const trace = traceOf([1, 10]);
  trace.interrupt(2, true);
  fill(trace, [[1, 10], [3, 30]]);
  trace.push(4, 40);
  assert.deepEqual(samplesOf(trace), [[1, 10], [3, 30], [4, 40]]);
});

test("the past of a server that began anew leaves the gap before it", () => {
  const trace = traceOf([1, 10], [2, 20]);
  trace.interrupt(4, true);
  fill(trace, [[6, 60], [7, 70]]);
  trace.resume(8);
  trace.push(7, 70);
  assert.deepEqual(samplesOf(trace), [[1, 10], [2, 20], [4, null], [6, 60], [7, 70]]);
});

test("values are found by time", () => {
  const trace = traceOf([1, 10], [2, 20], [4, 40]);
  assert.deepEqual([0, 1, 3, 4, 9].map((time) => trace.valueAt(time)), [NaN, 10, 20, 40, 40]);
});

test("the number of samples is bounded; the older, the coarser, and extremes stay", () => {
  const trace = new Trace();
  const extremes = { 1000: 1e6, 2001: -1e6 };
  for (let time = 0; time < 300_000; time += 1) trace.push(time, extremes[time] ?? time % 10);
  assert.ok(trace.length <= 16_384 && trace.length > 8000, `${trace.length}`);
  const { times, values } = trace;
  assert.ok(values.includes(1e6) && values.includes(-1e6));
  assert.ok(times.every((time, index) => index === 0 || time > times[index - 1]));
  assert.equal(times.at(-1), 299_999);
  assert.equal(times.at(-1) - times.at(-100), 99);
  assert.ok(times[100] - times[0] > 1000);
});

test("gaps are bounded too, and outlast thinning", () => {
  const trace = new Trace();
  for (let time = 0; time < 100_000; time += 1) {
    trace.push(time, 1);
    if (time % 3 === 0) trace.interrupt(time + 0.1, true);
  }
  assert.ok(trace.length <= 16_384);
  assert.ok(trace.values.slice(0, 1000).some(Number.isNaN));
});
