/** Tables as CSV (RFC 4180), and as a file for the person before the screen. */

const NEEDS_QUOTES = /[",\r\n]/;
/** A spreadsheet would run such text as a formula. */
const IS_FORMULA = /^[=+\-@\t\r]/;

/**
 * @param {Iterable<readonly (string|number|bigint|null)[]>} rows null: an empty cell
 * @returns {string}
 */
export function toCSV(rows) {
  return Array.from(rows, (row) => row.map(cell).join(",") + "\r\n").join("");
}

/**
 * @param {string} name of the file
 * @param {BlobPart} content
 * @param {string} [type]
 */
export function download(name, content, type = "text/csv") {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name.replace(/[^\w.-]+/g, "_");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** @param {number} seconds UNIX seconds @returns {string} ISO 8601 in UTC, to the microsecond */
export function isoTime(seconds) {
  const whole = Math.floor(seconds);
  const micros = Math.min(999_999, Math.round((seconds - whole) * 1e6));
  return `${new Date(whole * 1000).toISOString().slice(0, 19)}.${String(micros).padStart(6, "0")}Z`;
}

function cell(value) {
  const text = value === null ? "" : String(value);
  if (IS_FORMULA.test(text) && Number.isNaN(Number(text))) return cell(`'${text}`);
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
