/** WebSocket frames of the /monitor protocol: those that come -> messages, requests -> those that go. */

const ARRAYS = {
  "<f8": Float64Array,
  "<f4": Float32Array,
  "<i8": BigInt64Array,
  "<u8": BigUint64Array,
  "<i4": Int32Array,
  "<u4": Uint32Array,
  "<i2": Int16Array,
  "<u2": Uint16Array,
  "|i1": Int8Array,
  "|u1": Uint8Array,
};
/** @type {Map<Function, string>} */
const DTYPES = new Map(Object.entries(ARRAYS).map(([dtype, type]) => [type, dtype]));
DTYPES.set(Uint8ClampedArray, "|u1");

const LENGTH_BYTES = 4;
const ALIGNMENT = 8;
const utf8 = new TextDecoder();

/**
 * @param {string|ArrayBuffer} data a text frame (one message or a batch) or a binary one (one message with an array)
 * @returns {object[]} messages
 * @throws {Error} if it is not a frame of the protocol
 */
export function decodeFrame(data) {
  if (typeof data !== "string") return [decodeBinary(data)];
  const decoded = JSON.parse(data);
  return Array.isArray(decoded) ? decoded : [decoded];
}

/** @param {ArrayBuffer} buffer u32 header length, JSON header padded to a multiple of 8, raw little-endian elements */
function decodeBinary(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const message = JSON.parse(utf8.decode(new Uint8Array(buffer, LENGTH_BYTES, length)));
  const type = ARRAYS[message.dtype];
  if (!type) throw new TypeError(`unknown dtype ${message.dtype}`);
  message.value = new type(buffer, LENGTH_BYTES + length);
  return message;
}

/**
 * A request as it goes out; one whose `value` is a typed array becomes a binary frame.
 * @param {object} request
 * @returns {string|Uint8Array}
 * @throws {TypeError|RangeError} if the value cannot be sent
 */
export function encodeRequest(request) {
  if (ArrayBuffer.isView(request.value)) return encodeBinary(request);
  return JSON.stringify(request, replaceNumber);
}

/** JSON knows neither the numbers that are not finite nor BigInt. */
function replaceNumber(_, value) {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value !== "bigint") return value;
  if (!Number.isSafeInteger(Number(value))) throw new RangeError(`${value} is too large to be sent`);
  return Number(value);
}

function encodeBinary({ value, ...request }) {
  const dtype = DTYPES.get(value.constructor);
  if (!dtype) throw new TypeError(`a ${value.constructor.name} cannot be sent`);
  const header = new TextEncoder().encode(JSON.stringify({ ...request, dtype }));
  const start = Math.ceil((LENGTH_BYTES + header.length) / ALIGNMENT) * ALIGNMENT;
  const frame = new Uint8Array(start + value.byteLength).fill(0x20, 0, start);
  new DataView(frame.buffer).setUint32(0, start - LENGTH_BYTES, true);
  frame.set(header, LENGTH_BYTES);
  frame.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), start);
  return frame;
}
