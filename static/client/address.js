/** Where the server is: the addresses of its WebSocket and of its list of names. */

const PATH = "/monitor";

/**
 * @param {string|URL} [url] of the WebSocket or of the server's page, http(s) or ws(s); default: where this module is from
 * @returns {URL} ws(s), ending in /monitor
 * @throws {TypeError} if it is not an address of that kind
 */
export function monitorUrl(url = new URL("../../monitor", import.meta.url)) {
  const address = new URL(url, globalThis.document?.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  if (!/^wss?:$/.test(address.protocol)) throw new TypeError(`${url} is no address of a server`);
  if (!address.pathname.endsWith(PATH)) address.pathname = address.pathname.replace(/\/?$/, PATH);
  address.search = address.hash = "";
  return address;
}

/**
 * @param {URL} monitor address of the WebSocket
 * @returns {URL} where the server tells the names that it offers
 */
export function namesUrl(monitor) {
  const address = new URL("api/pv", monitor);
  address.protocol = address.protocol.replace("ws", "http");
  return address;
}
