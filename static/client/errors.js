/** The client's one error class, and where errors of callbacks go. */

/**
 * An error with a code of the server's table of errors, or one of the client's own: "disconnected" (the connection was
 * lost before the answer; whether a put was carried out is then unknown, unless nothing was sent), "timeout" (no answer
 * came in time), "bad_frame" (what the server sent could not be read).
 */
export class PVError extends Error {
  /**
   * @param {string} code
   * @param {string} message a sentence for people
   * @param {string|null} [pv] the PV it is about
   */
  constructor(code, message, pv = null) {
    super(message);
    this.name = "PVError";
    this.code = code;
    this.pv = pv;
  }
}

/**
 * Call what the page gave us; if it throws, the error is reported and harms nobody else.
 * @param {Function} callback
 * @param {...*} given
 */
export function callSafely(callback, ...given) {
  try {
    callback(...given);
  } catch (error) {
    report(error);
  }
}

function report(error) {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}
