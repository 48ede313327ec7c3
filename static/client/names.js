/** The names of the PVs that a server offers: the one question that goes over HTTP. */

import { PVError } from "./errors.js";

/**
 * @param {URL} monitor address of the WebSocket
 * @param {Record<string, string>} headers that say who asks
 * @returns {Promise<string[]>} rejected with a PVError
 */
export async function fetchNames(monitor, headers) {
  const address = new URL("api/pv", monitor);
  address.protocol = address.protocol.replace("ws", "http");
  const response = await fetch(address, { headers }).catch((error) => {
    throw new PVError("disconnected", error.message);
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer.names ?? [];
  throw new PVError(answer.code ?? "disconnected", answer.message ?? `The server answered ${response.status}`);
}
