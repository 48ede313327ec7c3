/**
 * The one form in which all that is known of a PV reaches a page. It is written out key by key: engines make such
 * objects many times faster than those that are put together from others, and there may be 10,000 of them a second.
 */

/** @typedef {import("../pycaserver.js").Update} Update */

/**
 * What is known before anything is.
 * @returns {Omit<Update, "pv"|"kind"|"condition"|"history">}
 */
export function noFacts() {
  return {
    connected: false,
    reason: null,
    since: null,
    error: null,
    value: undefined,
    count: 0,
    timestamp: null,
    severity: "NO_ALARM",
    status: "NO_ALARM",
    units: "",
    text: null,
    coalesced: 0,
    reduced: 0,
    first: 0,
    metadata: null,
    access: null,
  };
}

/**
 * @param {string} pv
 * @param {Update["kind"]} kind
 * @param {Update["condition"]} condition
 * @param {Omit<Update, "pv"|"kind"|"condition"|"history">} facts
 * @param {Update["history"]} [history]
 * @returns {Update}
 */
export function makeUpdate(pv, kind, condition, facts, history = null) {
  return Object.freeze({
    pv,
    kind,
    condition,
    connected: facts.connected,
    reason: facts.reason,
    since: facts.since,
    error: facts.error,
    value: facts.value,
    count: facts.count,
    timestamp: facts.timestamp,
    severity: facts.severity,
    status: facts.status,
    units: facts.units,
    text: facts.text,
    coalesced: facts.coalesced,
    reduced: facts.reduced,
    first: facts.first,
    metadata: facts.metadata,
    access: facts.access,
    history,
  });
}

/**
 * The answer to `get` as an update.
 * @param {string} pv
 * @param {object} reading of the answer
 * @param {Update} [known] from a monitor of the same PV
 */
export function makeReading(pv, reading, { metadata = null, access = null } = /** @type {any} */ ({})) {
  const facts = Object.assign(noFacts(), reading, { connected: true, metadata, access });
  return makeUpdate(pv, "value", "live", facts);
}

/**
 * What stands for the answer where there is none.
 * @param {string} pv
 * @param {import("./errors.js").PVError} error
 */
export function makeRefusal(pv, { code, message }) {
  return makeUpdate(pv, "error", "error", { ...noFacts(), error: Object.freeze({ code, message }) });
}
