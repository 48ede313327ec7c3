/** Where the server is. */

const PATH = "/monitor";

/**
 * @param {string|URL} [url] of the WebSocket or of the server's page, http(s) or ws(s); default: this module's server
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
