import assert from "node:assert/strict";
import { test } from "node:test";

import { isLive, Readings } from "../../static/js/readings.js";

/** A client that is none, and what it would tell of each PV. */
function fakeClient() {
  const tell = {};
  const monitor = (pv, options, callback) => {
    tell[pv] = callback;
    return { close() {} };
  };
  return { tell, monitor };
}

test("an old value is not live before the first one of the new connection", () => {
  const { tell, ...ca } = fakeClient();
  const readings = new Readings(ca);
  readings.watch(["A", "B"]);
  assert.deepEqual(readings.counts, { all: 2, alarm: 0, offline: 2 });
  const told = { value: 5, severity: "MAJOR" };
  for (const [condition, alarm, offline] of [
    ["connected", 0, 2], ["live", 1, 1], ["disconnected", 0, 2], ["connected", 0, 2], ["live", 1, 1], ["stale", 0, 2],
  ]) {
    tell.A({ ...told, condition });
    assert.deepEqual(readings.counts, { all: 2, alarm, offline }, condition);
    assert.equal(isLive(readings.get("A").update), condition === "live");
  }
  readings.watch(["B"]);
  assert.deepEqual(readings.counts, { all: 1, alarm: 0, offline: 1 });
});
