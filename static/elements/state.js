/** How a state looks, beside its colour: a shape of its own and a word. */

import { formatStatus } from "./format.js";

/** Paths in a box of 12 x 12, and whether they are filled. */
const SHAPES = {
  none: ["", false],
  MINOR: ["M6 1.5 11 10.5H1Z", true],
  MAJOR: ["M6 0.5 11.5 6 6 11.5 0.5 6Z", true],
  INVALID: ["M1.5 1.5H10.5V10.5H1.5ZM1.5 1.5 10.5 10.5M10.5 1.5 1.5 10.5", false],
  searching: ["M6 1A5 5 0 0 1 11 6M6 11A5 5 0 0 1 1 6", false],
  connected: ["M6 1A5 5 0 1 1 6 11A5 5 0 1 1 6 1", false],
  disconnected: ["M6 1A5 5 0 1 1 6 11A5 5 0 1 1 6 1M2.5 9.5 9.5 2.5", false],
  stale: ["M2 1H10L2 11H10Z", false],
  error: ["M2 2 10 10M10 2 2 10", false],
  pending: ["M6 1A5 5 0 1 1 6 11A5 5 0 1 1 6 1M6 3V6.2L8 8", false],
};

const REASONS = { read_denied: "not allowed", not_found: "not found" };

const WORDS = {
  error: ({ error }) => error.message,
  stale: () => "stale",
  searching: () => "searching",
  disconnected: ({ reason }) => REASONS[reason] ?? "offline",
  connected: () => "no value",
  live: ({ severity, status }) => (severity === "NO_ALARM" ? "" : shortAlarm(severity, status)),
};

const shortAlarm = (severity, status) => (status && status !== "NO_ALARM" ? status : severity);

/** @typedef {import("../pycaserver.js").Update} Update */

/**
 * @param {Update} update
 * @returns {string} a name of SHAPES
 */
export function shapeOf({ condition, severity }) {
  if (condition !== "live") return condition;
  return severity === "NO_ALARM" ? "none" : severity;
}

/** @param {Update} update @returns {string} one word or two; empty when all is well */
export const wordOf = (update) => WORDS[update.condition](update);

/** @param {Update} update @returns {string} all of it, for a tooltip; empty when all is well */
export const sentenceOf = (update) => (shapeOf(update) === "none" ? "" : formatStatus(update));

/** The markup of the part; `drawState` fills it. */
export const STATE = `<span part="state"><svg viewBox="0 0 12 12" aria-hidden="true"><path/></svg>` +
  `<span class="unseen"></span><span class="word"></span></span>`;

/**
 * @param {Element} part made of STATE
 * @param {string} shape a name of SHAPES
 * @param {string} word
 * @param {string} [unseen] told to screen readers only, before the word
 */
export function drawState(part, shape, word, unseen = "") {
  const [path, isSolid] = SHAPES[shape];
  const [svg, hidden, shown] = part.children;
  svg.classList.toggle("solid", isSolid);
  svg.firstChild.setAttribute("d", path);
  setText(hidden, unseen);
  setText(shown, word);
}

/** @param {Element} element @param {string} text written only if it differs */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
