/** What is said of the updates of an element: all in a tooltip, the worst in its state. */

import { formatTime, formatValue } from "./format.js";
import { sentenceOf } from "./state.js";

/** @typedef {import("../pycaserver.js").Update} Update */

/** What is known of a PV before anything is. @type {Update} */
export const NOTHING = Object.freeze({
  pv: "", kind: "connection", condition: "searching", connected: false, reason: null, since: null, error: null,
  value: undefined, count: 0, timestamp: null, severity: "NO_ALARM", status: "", units: "", text: null,
  coalesced: 0, reduced: 0, first: 0, metadata: null, access: null, history: null,
});
const SEVERITIES = ["NO_ALARM", "MINOR", "MAJOR", "INVALID"];
const CONDITIONS = ["connected", "searching", "disconnected", "stale", "error"];

/**
 * What cannot even be asked for.
 * @param {string} pv
 * @param {{code?: string, message: string}} error
 * @returns {Update}
 */
export function failure(pv, { code = "bad_attribute", message }) {
  return { ...NOTHING, pv, kind: "error", condition: "error", error: { code, message } };
}

/**
 * The one that needs most attention: any alarm before none, whatever is not live before any alarm.
 * @param {readonly Update[]} updates
 * @returns {Update|undefined}
 */
export function worstOf(updates) {
  return updates.reduce((worst, update) => (worst && rank(worst) >= rank(update) ? worst : update), undefined);
}

function rank({ condition, severity }) {
  return condition === "live" ? SEVERITIES.indexOf(severity) : CONDITIONS.indexOf(condition) + SEVERITIES.length;
}

/** @param {Update} update @returns {string} name, value, state and time as one line */
export function describe(update) {
  const value = `${formatValue(update)} ${update.units}`.trim();
  const time = update.timestamp === null ? "" : formatTime(update.timestamp);
  return [value ? `${update.pv}: ${value}` : update.pv, sentenceOf(update), time].filter(Boolean).join(", ");
}
