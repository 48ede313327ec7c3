import assert from "node:assert/strict";
import { test } from "node:test";

import { toEvents, toHistory, toMetadata, toReading } from "../../static/client/values.js";
import { value } from "./fakes.mjs";

const bytes = (text, zeros = 0) => Uint8Array.from([...new TextEncoder().encode(text), ...Array(zeros).fill(0)]);
const textOf = (array, pvname = "A", more = {}) => toReading(value(pvname, array, more), null).text;

test("numbers that JSON lacks are numbers", () => {
  assert.ok(Number.isNaN(toReading(value("A", "NaN"), { type: "double" }).value));
  assert.equal(toReading(value("A", "-Infinity"), null).value, -Infinity);
  assert.equal(toReading(value("A", "NaN"), { type: "string" }).value, "NaN");
  assert.equal(toReading(value("A", "12"), { type: "string" }).value, "12");
});

test("what a message leaves out has a plain value", () => {
  const { units, text, coalesced, reduced, first } = toReading(value("A", 1), { units: "mm" });
  assert.deepEqual([units, text, coalesced, reduced, first], ["mm", null, 0, 0, 0]);
  assert.equal(toReading(value("A", 2, { text: "Busy" }), null).text, "Busy");
});

for (const [what, array, text] of [
  ["text", bytes("abc"), "abc"],
  ["text up to its NULs", bytes("abc\r\n", 3), "abc\r\n"],
  ["UTF-8", bytes("µm", 1), "µm"],
  ["latin-1", Uint8Array.of(181, 109), "µm"],
  ["no text: more behind a NUL", Uint8Array.of(97, 0, 98), null],
  ["no text: a control character", Uint8Array.of(97, 7, 98), null],
  ["no text: nothing but NULs", Uint8Array.of(0, 0), null],
  ["no text: nothing", Uint8Array.of(), null],
  ["no text: other elements", Int16Array.of(97, 98), null],
]) {
  test(`a char array: ${what}`, () => assert.equal(textOf(array), text));
}

test("a long string is text, even an empty one", () => {
  assert.equal(textOf(Uint8Array.of(0, 0), "A.DESC$"), "");
  assert.equal(textOf(Uint8Array.of(), 'A.DESC${"arr":{}}'), "");
});

test("a part of a char array is no text", () => {
  assert.equal(textOf(bytes("abc"), "A", { reduced: 2 }), null);
  assert.equal(textOf(bytes("abc"), "A", { first: 1 }), null);
});

test("metadata has limits as numbers, and nothing where the PV has none", () => {
  const metadata = toMetadata({ type: "double", count: 1, precision: 2, alarm: { low: "NaN", high: 5 } });
  assert.deepEqual(metadata.alarm, { low: NaN, high: 5 });
  assert.equal(metadata.display, null);
  assert.deepEqual([metadata.units, metadata.precision, metadata.enumStrings], ["", 2, null]);
  assert.ok(Object.isFrozen(metadata) && Object.isFrozen(metadata.alarm));
});

test("history is columns of numbers", () => {
  const history = toHistory({ pvname: "A", time: [1, 2], value: [5, "NaN"], severity: ["MINOR", "INVALID"] });
  assert.deepEqual([history.pv, [...history.time], [...history.value], history.reduced], ["A", [1, 2], [5, NaN], 0]);
});

test("events call the PV as the rest of the client does", () => {
  const told = toEvents({ events: [{ id: 1, pvname: "A", kind: "alarm", value: "NaN" }], missed: 2 });
  assert.deepEqual(told, { events: [{ id: 1, pv: "A", kind: "alarm", value: NaN }], missed: 2 });
});
