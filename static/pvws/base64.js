// Base64 for pvws.js, and for pages that expect these two functions. A classic script: what it declares is global.

/** The bytes of base64 text, also of its URL-safe form; with the padding or without. */
function toByteArray(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** Bytes as base64 text. */
function fromByteArray(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
