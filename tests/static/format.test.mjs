import assert from "node:assert/strict";
import { test } from "node:test";

import { formatNumber, formatStatus, formatValue } from "../../static/elements/format.js";

const double = (precision) => ({ type: "double", precision });
const update = (value, more = {}) => ({ value, text: null, count: 1, reduced: 0, metadata: double(2), ...more });

for (const [value, metadata, format, text] of [
  [1.005, double(2), {}, "1.00"],
  [0.0004, double(2), {}, "0.0004"],
  [0.00004, double(2), {}, "4.000e-5"],
  [12345678901, double(1), {}, "1.235e+10"],
  [0.1 + 0.2, double(null), {}, "0.3"],
  [-0, double(3), {}, "0.000"],
  [NaN, double(3), { format: "engineering" }, "NaN"],
  ["-Infinity", double(3), {}, "−∞"],
  [7, { type: "long" }, {}, "7"],
  [7, { type: "long" }, { precision: 2 }, "7.00"],
  [9007199254740993n, { type: "int64" }, {}, "9007199254740993"],
  [1.23456, double(2), { format: "decimal" }, "1.23"],
  [1.23456, double(2), { format: "decimal", precision: 4 }, "1.2346"],
  [1234.5, double(2), { format: "exponential" }, "1.23e+3"],
  [1234.5, double(2), { format: "engineering" }, "1.23e3"],
  [999.9996, double(2), { format: "engineering" }, "1.00e3"],
  [0.00002, double(1), { format: "engineering" }, "20.0e-6"],
  [0, double(1), { format: "engineering" }, "0.0"],
  [255, { type: "long" }, { format: "hex" }, "0xFF"],
  [-1, { type: "long" }, { format: "hex" }, "0xFFFFFFFF"],
  [-1n << 40n, { type: "int64" }, { format: "hex" }, "0xFFFFFF0000000000"],
  [1.5, double(3), { format: "string" }, "1.5"],
  [1.5, double(3), { format: "no such" }, "1.500"],
  [1.5, double(3), { precision: 99 }, "1.50000000000000000"],
]) {
  test(`${value} as ${format.format ?? "default"} ${format.precision ?? ""} is ${text}`, () => {
    assert.equal(formatNumber(value, metadata, format), text);
  });
}

test("values that are no number", () => {
  assert.equal(formatValue(update(undefined)), "");
  assert.equal(formatValue(update(null)), "empty");
  assert.equal(formatValue(update("NaN", { metadata: { type: "string" } })), "NaN");
  assert.equal(formatValue(update(1, { text: "Open" })), "Open");
  assert.equal(formatValue(update(1, { text: "Open", metadata: { type: "enum" } }), { format: "hex" }), "0x1");
});

test("arrays are told by their size and beginning", () => {
  const value = Float64Array.of(1, 2, 3, 4, 5, 6, 7);
  assert.equal(formatValue(update(value, { count: 7 })), "[7] 1.00, 2.00, 3.00, 4.00, 5.00, 6.00, …");
  assert.equal(formatValue(update(["a"], { metadata: { type: "string" } })), '[1] "a"');
  assert.equal(formatValue(update(value, { count: 7000, reduced: 7 })), "[7\u2009000] 1.00 … 7.00");
  assert.equal(formatValue(update([], { count: 0 })), "empty");
});

test("states in words", () => {
  const live = { condition: "live", severity: "MAJOR", status: "HIHI" };
  assert.equal(formatStatus(live), "MAJOR HIHI");
  assert.equal(formatStatus({ ...live, severity: "NO_ALARM", status: "NO_ALARM" }), "OK");
  assert.equal(formatStatus({ condition: "disconnected", reason: "not_found", since: null }), "Not found, still searching");
  assert.equal(formatStatus({ condition: "error", error: { code: "bad", message: "No" } }), "No (bad)");
});
