import assert from "node:assert/strict";
import { test } from "node:test";

import { checkOptions, mergeOptions, toRequest } from "../../static/client/options.js";

const MERGED = [
  ["the highest rate", [{ maxRate: 1 }, { maxRate: 10 }], { maxRate: 10 }],
  ["no limit, where one asks for none", [{ maxRate: 1 }, {}], {}],
  ["the least deadband", [{ deadband: 3 }, { deadband: 2 }], { deadband: 2 }],
  ["no deadband", [{ deadband: 3 }, { deadband: 0 }], {}],
  ["both windows", [{ first: 5, maxCount: 5 }, { first: 20, maxCount: 10 }], { first: 5, maxCount: 25 }],
  ["from the beginning", [{ first: 5 }, { maxCount: 10 }], {}],
  ["to the end", [{ first: 5, maxCount: 1 }, { first: 7 }], { first: 5 }],
  ["the finer envelope", [{ reduce: 100 }, { reduce: 300 }], { reduce: 300 }],
  ["the array itself", [{ reduce: 100 }, {}], {}],
  ["no envelope of two windows", [{ reduce: 9, maxCount: 5 }, { reduce: 9, maxCount: 7 }], { maxCount: 7 }],
  ["an envelope of one window", [{ reduce: 9, first: 5 }, { reduce: 7, first: 5 }], { first: 5, reduce: 9 }],
];

for (const [what, all, merged] of MERGED) {
  test(`several who share get ${what}`, () => {
    assert.deepEqual(mergeOptions(all), merged);
    assert.deepEqual(mergeOptions(all.toReversed()), merged);
  });
}

test("history is asked for apart", () => {
  assert.deepEqual(mergeOptions([{ history: 60, maxRate: 1 }]), { maxRate: 1 });
});

test("the protocol has its own names", () => {
  const request = toRequest({ maxRate: 2, deadband: 0.5, first: 3, maxCount: 4, reduce: 5 });
  assert.deepEqual(request, { max_rate: 2, deadband: 0.5, first: 3, max_count: 4, reduce: { points: 5 } });
});

test("what says nothing is left out", () => {
  assert.deepEqual(checkOptions({ maxRate: undefined, first: null, reduce: 2 }), { reduce: 2 });
});

for (const [key, value] of [
  ["maxRate", 0], ["maxRate", "2"], ["maxRate", Infinity], ["deadband", -1], ["deadband", NaN], ["first", -1],
  ["first", 1.5], ["maxCount", 0], ["reduce", 0], ["reduce", { points: 3 }], ["history", 0], ["max_rate", 1],
]) {
  test(`${key} ${JSON.stringify(value)} is refused`, () => {
    assert.throws(() => checkOptions({ [key]: value }), { name: "TypeError", message: new RegExp(key) });
  });
}
