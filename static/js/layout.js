/** What the page shows, as one immutable value, and the edits that a person makes to it. Pure: no page, no address. */

/**
 * @typedef {object} ChartLayout
 * @property {"strip"|"wave"} kind of scalars over time, or of arrays
 * @property {readonly string[]} pvs
 * @property {number} span seconds; of a strip chart
 * @property {"linear"|"log"} scale
 * @property {readonly [number, number]|null} zoom UNIX seconds, or elements; null: the last `span` seconds, or all
 */

/**
 * @typedef {object} Layout
 * @property {readonly string[]} pvs of the table, in the order in which they were added
 * @property {string|null} selected the PV of the details panel
 * @property {number} span seconds of the panel's strip chart
 * @property {readonly ChartLayout[]} charts
 * @property {string} filter text that names or values contain
 * @property {boolean} trouble only what is in alarm or not live
 * @property {{by: SortKey, down: boolean}} sort
 * @property {{open: boolean, kind: EventKind, find: string, mine: boolean}} events
 * @property {View} view what a narrow window shows
 */

/** @typedef {"added"|"name"|"value"|"state"|"time"} SortKey */
/** @typedef {"all"|"alarm"|"connection"} EventKind */
/** @typedef {"list"|"charts"|"detail"|"events"} View */

export const MAX_PVS = 10_000;
export const MAX_CHARTS = 12;
export const MAX_CURVES = 16;
export const SPANS = { least: 5, usual: 60, most: 7 * 86_400 };
export const SORT_KEYS = ["added", "name", "value", "state", "time"];
export const EVENT_KINDS = ["all", "alarm", "connection"];
export const VIEWS = ["list", "charts", "detail", "events"];

/** @type {Layout} */
export const EMPTY = Object.freeze({
  pvs: Object.freeze([]),
  selected: null,
  span: SPANS.usual,
  charts: Object.freeze([]),
  filter: "",
  trouble: false,
  sort: Object.freeze({ by: "added", down: false }),
  events: Object.freeze({ open: false, kind: "all", find: "", mine: false }),
  view: "list",
});

const NEW_CHART = { kind: "strip", pvs: [], span: SPANS.usual, scale: "linear", zoom: null };

/** @param {Layout} layout @param {readonly string[]} names @returns {Layout} */
export function addPvs(layout, names) {
  return { ...layout, pvs: joined(layout.pvs, names, MAX_PVS) };
}

/** @param {Layout} layout @param {string} name @returns {Layout} charts keep it */
export function removePv(layout, name) {
  const selected = layout.selected === name ? null : layout.selected;
  return { ...layout, pvs: layout.pvs.filter((other) => other !== name), selected };
}

/** @param {Layout} layout @param {string|null} name @returns {Layout} */
export function select(layout, name) {
  return { ...layout, selected: name };
}

/**
 * @param {Layout} layout
 * @param {number} index of a chart; the number of charts for a new one, which those of another kind get too
 * @param {readonly string[]} names
 * @param {"strip"|"wave"} kind
 * @returns {Layout} the same where there is no room for it
 */
export function addToChart(layout, index, names, kind) {
  const { charts } = layout;
  const at = charts[index]?.kind === kind ? index : charts.length;
  if (at >= MAX_CHARTS) return layout;
  const chart = charts[at] ?? { ...NEW_CHART, kind };
  return withChart(layout, at, { ...chart, pvs: joined(chart.pvs, names, MAX_CURVES) });
}

/** @param {Layout} layout @param {number} index @returns {Layout} */
export function removeChart(layout, index) {
  return { ...layout, charts: layout.charts.toSpliced(index, 1) };
}

/** @param {Layout} layout @param {number} index @param {ChartLayout} chart @returns {Layout} without PVs, it goes */
export function changeChart(layout, index, chart) {
  return chart.pvs.length ? withChart(layout, index, chart) : removeChart(layout, index);
}

/** @param {Layout} layout @param {Partial<Layout["events"]>} changes @returns {Layout} */
export function changeEvents(layout, changes) {
  return { ...layout, events: { ...layout.events, ...changes } };
}

/** @param {Layout} layout @param {Partial<Layout>} changes @returns {Layout} */
export function change(layout, changes) {
  return { ...layout, ...changes };
}

function withChart(layout, index, chart) {
  return { ...layout, charts: layout.charts.toSpliced(index, 1, chart) };
}

function joined(names, more, most) {
  return [...new Set([...names, ...more])].slice(0, most);
}
