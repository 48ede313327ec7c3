/** Which rows the table has, and in which order. Pure. */

const naturally = new Intl.Collator("en", { numeric: true });

/** What rows are sorted by: `sign` is -1 for descending. Equal rows stay in the order in which they were added. */
const SORTS = {
  added: (a, b, sign) => sign * (a.index - b.index),
  name: (a, b, sign) => sign * naturally.compare(a.name, b.name),
  value: (a, b, sign) => compareValues(sortable(a.update), sortable(b.update), sign),
  state: (a, b, sign) => sign * (a.rank - b.rank),
  time: (a, b, sign) => sign * ((a.update?.timestamp ?? 0) - (b.update?.timestamp ?? 0)),
};

/**
 * @param {Iterable<import("./readings.js").Reading>} readings in the order in which they were added
 * @param {Pick<import("./layout.js").Layout, "filter"|"trouble"|"sort">} layout
 * @returns {string[]} names
 */
export function order(readings, { filter, trouble, sort }) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = [...readings].filter((reading) => (!trouble || reading.rank > 0) && contains(reading, words));
  const sign = sort.down ? -1 : 1;
  if (sort.by !== "added" || sort.down) shown.sort((a, b) => SORTS[sort.by](a, b, sign));
  return shown.map(({ name }) => name);
}

/** All words occur in the name, the alarm or the text of a value. */
function contains({ name, update }, words) {
  if (!words.length) return true;
  const { condition = "searching", text } = update ?? {};
  const all = `${name} ${condition === "live" ? alarmOf(update) : condition} ${text ?? ""}`.toLowerCase();
  return words.every((word) => all.includes(word));
}

const alarmOf = ({ severity, status }) => (severity === "NO_ALARM" ? "ok" : `${severity} ${status}`);

/** Numbers come before texts, and what has no value comes last, whatever the direction. */
function compareValues(first, second, sign) {
  if (first.kind !== second.kind) return first.kind - second.kind;
  if (first.kind === 0) return sign * (first.value - second.value);
  return first.kind === 1 ? sign * naturally.compare(first.value, second.value) : 0;
}

function sortable(update) {
  const { value, text } = update ?? {};
  if (typeof value === "number" && !Number.isNaN(value)) return { kind: 0, value };
  if (typeof value === "bigint") return { kind: 0, value: Number(value) };
  if (typeof text === "string" || typeof value === "string") return { kind: 1, value: text ?? value };
  return { kind: 2 };
}
