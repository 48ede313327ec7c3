/** The JavaScript client of pycaserver: EPICS process variables for pages and programs. */

export { PVClient, sharedClient } from "./client/client.js";
export { PVError } from "./client/errors.js";
