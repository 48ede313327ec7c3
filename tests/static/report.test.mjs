import assert from "node:assert/strict";
import { test } from "node:test";

import { describe, failure, NOTHING, worstOf } from "../../static/elements/report.js";

const live = (severity, more = {}) => ({ ...NOTHING, pv: "A", condition: "live", severity, value: 1, ...more });
const lost = { ...NOTHING, pv: "B", condition: "disconnected", reason: "lost" };

test("the worst is what is lost, then the highest severity, then the first", () => {
  const [none, minor, invalid] = ["NO_ALARM", "MINOR", "INVALID"].map((severity) => live(severity));
  assert.equal(worstOf([none, minor, invalid, minor]), invalid);
  assert.equal(worstOf([invalid, lost, none]), lost);
  assert.equal(worstOf([lost, failure("C", new Error("No"))]).condition, "error");
  assert.equal(worstOf([none, live("NO_ALARM")]), none);
  assert.equal(worstOf([]), undefined);
});

test("a failure has the sentence of the error", () => {
  assert.deepEqual(failure("C", new Error("No")).error, { code: "bad_attribute", message: "No" });
});

test("a description leaves out what there is not", () => {
  assert.equal(describe(live("NO_ALARM", { units: "mm" })), "A: 1 mm");
  assert.equal(describe(live("MINOR", { status: "HIGH", timestamp: 0 })), "A: 1, MINOR HIGH, never");
  assert.equal(describe(lost), "B, Disconnected");
});
