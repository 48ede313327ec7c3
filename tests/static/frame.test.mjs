import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeFrame, encodeRequest } from "../../static/client/frame.js";
import { binary } from "./fakes.mjs";

const TYPES = {
  "<f8": [Float64Array, [1.5, Infinity]],
  "<f4": [Float32Array, [0.5, -2]],
  "<i8": [BigInt64Array, [-(2n ** 62n), 1n]],
  "<u8": [BigUint64Array, [2n ** 63n]],
  "<i4": [Int32Array, [-7, 2 ** 31 - 1]],
  "<u4": [Uint32Array, [2 ** 32 - 1]],
  "<i2": [Int16Array, [-3]],
  "<u2": [Uint16Array, [65535]],
  "|i1": [Int8Array, [-128]],
  "|u1": [Uint8Array, [255, 0]],
};

test("a text frame is a message or a batch", () => {
  assert.deepEqual(decodeFrame('{"a": 1}'), [{ a: 1 }]);
  assert.deepEqual(decodeFrame('[{"a": 1}, {"b": 2}]'), [{ a: 1 }, { b: 2 }]);
});

for (const [dtype, [type, elements]] of Object.entries(TYPES)) {
  test(`a binary frame of ${dtype} is a view of the frame, both ways`, () => {
    const frame = binary({ pvname: "A", dtype }, type.from(elements));
    const [message] = decodeFrame(frame);
    assert.ok(message.value instanceof type);
    assert.deepEqual([...message.value], elements);
    assert.equal(message.value.buffer, frame);
    const [back] = decodeFrame(encodeRequest({ pvname: "A", value: message.value }).buffer);
    assert.deepEqual(back, message);
  });
}

test("a part of a typed array is sent alone", () => {
  const [back] = decodeFrame(encodeRequest({ value: Float64Array.of(1, 2, 3).subarray(1, 2) }).buffer);
  assert.deepEqual([...back.value], [2]);
});

test("frames that are none are refused", () => {
  const frames = ["{", "", new ArrayBuffer(2), binary({ dtype: "<c16" }, Uint8Array.of(1)), new Uint8Array(16).buffer];
  const cut = binary({ dtype: "<f8" }, Float64Array.of(1, 2)).slice(0, -3);
  for (const frame of [...frames, cut]) assert.throws(() => decodeFrame(frame));
});

test("a request says numbers that JSON lacks", () => {
  const value = [NaN, -Infinity, 5n, 1.5, "x"];
  assert.deepEqual(JSON.parse(encodeRequest({ value })), { value: ["NaN", "-Infinity", 5, 1.5, "x"] });
});

test("a request cannot say what would be changed on the way", () => {
  assert.throws(() => encodeRequest({ value: 2n ** 60n }), RangeError);
  assert.throws(() => encodeRequest({ value: new DataView(new ArrayBuffer(8)) }), TypeError);
});
