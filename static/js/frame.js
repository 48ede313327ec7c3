/** WebSocket frames of the /monitor protocol -> messages. */

const ARRAYS = {
  f8: Float64Array,
  f4: Float32Array,
  i8: BigInt64Array,
  u8: BigUint64Array,
  i4: Int32Array,
  u4: Uint32Array,
  i2: Int16Array,
  u2: Uint16Array,
  i1: Int8Array,
  u1: Uint8Array,
};
const utf8 = new TextDecoder();

/**
 * @param {string|ArrayBuffer} data a text frame (one message or a batch) or a binary one (one message with an array)
 * @returns {object[]} messages
 */
export function decodeFrame(data) {
  if (typeof data !== "string") return [decodeBinary(data)];
  const decoded = JSON.parse(data);
  return Array.isArray(decoded) ? decoded : [decoded];
}

/** @param {ArrayBuffer} buffer u32 header length, JSON header padded to a multiple of 8, raw little-endian elements */
function decodeBinary(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const message = JSON.parse(utf8.decode(new Uint8Array(buffer, 4, length)));
  message.value = new ARRAYS[message.dtype.slice(1)](buffer, 4 + length);
  return message;
}
