/**
 * The layout as the fragment of the page's address, so that a page can be shared as a link:
 * `#pv=A,B&plot=A&chart=A,B;span=300;scale=log&filter=T&only=trouble&sort=-value&events=alarm`.
 * What is not understood is left out; names are percent-encoded, but for their colons.
 */

import { EMPTY, EVENT_KINDS, MAX_CHARTS, MAX_CURVES, MAX_PVS, SORT_KEYS, SPANS, VIEWS } from "./layout.js";

/** Key of the fragment -> how it is read, a part of a layout, and written, "" for nothing to say. */
const KEYS = {
  pv: {
    read: (text) => ({ pvs: readNames(text, MAX_PVS) }),
    write: ({ pvs }) => writeNames(pvs),
  },
  plot: {
    read: (text) => ({ selected: decoded(text) || null }),
    write: ({ selected }) => encoded(selected ?? ""),
  },
  span: {
    read: (text) => ({ span: readSpan(text) }),
    write: ({ span }) => writeSpan(span),
  },
  chart: {
    read: (text, { charts }) => ({ charts: [...charts, ...readChart(text)].slice(0, MAX_CHARTS) }),
    write: ({ charts }) => charts.map(writeChart),
  },
  filter: {
    read: (text) => ({ filter: decoded(text) }),
    write: ({ filter }) => encoded(filter),
  },
  only: {
    read: (text) => ({ trouble: text === "trouble" }),
    write: ({ trouble }) => (trouble ? "trouble" : ""),
  },
  sort: {
    read: (text) => ({ sort: readSort(text) }),
    write: ({ sort }) => writeSort(sort),
  },
  events: {
    read: (text) => ({ events: readEvents(text) }),
    write: ({ events }) => writeEvents(events),
  },
  view: {
    read: (text) => ({ view: known(VIEWS, text) }),
    write: ({ view }) => (view === EMPTY.view ? "" : view),
  },
};

/**
 * @param {string} fragment of an address, with or without its "#"
 * @returns {import("./layout.js").Layout}
 */
export function readFragment(fragment) {
  let layout = EMPTY;
  for (const part of fragment.replace(/^#/, "").split("&")) {
    const [key, text] = divided(part, "=");
    if (Object.hasOwn(KEYS, key)) layout = { ...layout, ...KEYS[key].read(text, layout) };
  }
  return layout;
}

/**
 * @param {import("./layout.js").Layout} layout
 * @returns {string} "#pv=...", "" for the empty layout
 */
export function writeFragment(layout) {
  const parts = Object.entries(KEYS).flatMap(([key, { write }]) =>
    [write(layout)].flat().filter(Boolean).map((text) => `${key}=${text}`));
  return parts.length ? `#${parts.join("&")}` : "";
}

function readChart(text) {
  const [names, options] = readOptions(text);
  const pvs = readNames(names, MAX_CURVES);
  if (!pvs.length) return [];
  const kind = known(["strip", "wave"], options.get("as"));
  const scale = known(["linear", "log"], options.get("scale"));
  return [{ kind, pvs, span: readSpan(options.get("span")), scale, zoom: readZoom(options.get("zoom")) }];
}

function writeChart({ kind, pvs, span, scale, zoom }) {
  return writeOptions(writeNames(pvs), {
    as: kind === "strip" ? "" : kind,
    span: writeSpan(span),
    scale: scale === "linear" ? "" : scale,
    zoom: zoom ? zoom.join("..") : "",
  });
}

function readEvents(text) {
  const [kind, options] = readOptions(text);
  const find = decoded(options.get("find") ?? "");
  return { open: true, kind: known(EVENT_KINDS, kind), find, mine: options.get("of") === "page" };
}

function writeEvents({ open, kind, find, mine }) {
  return open ? writeOptions(kind, { find: encoded(find), of: mine ? "page" : "" }) : "";
}

function readSort(text) {
  const by = known(SORT_KEYS, text.replace(/^-/, ""));
  return { by, down: text.startsWith("-") };
}

function writeSort({ by, down }) {
  if (by === EMPTY.sort.by && !down) return "";
  return `${down ? "-" : ""}${by}`;
}

function readSpan(text) {
  const span = Number(text);
  return span >= SPANS.least && span <= SPANS.most ? span : SPANS.usual;
}

function writeSpan(span) {
  return span === SPANS.usual ? "" : String(span);
}

/** "FROM..TO", UNIX seconds. */
function readZoom(text = "") {
  const zoom = text.split("..").map((part) => (part ? Number(part) : NaN));
  return zoom.length === 2 && zoom.every(Number.isFinite) && zoom[0] < zoom[1] ? zoom : null;
}

function readNames(text, most) {
  const names = text.split(",").map((part) => decoded(part).trim());
  return [...new Set(names.filter(Boolean))].slice(0, most);
}

function writeNames(names) {
  return names.map(encoded).join(",");
}

/** "head;key=text;key=text" */
function readOptions(text) {
  const [head, ...options] = text.split(";");
  return [head, new Map(options.map((option) => divided(option, "=")))];
}

function writeOptions(head, options) {
  const told = Object.entries(options).filter(([, text]) => text);
  return [head, ...told.map(([key, text]) => `${key}=${text}`)].join(";");
}

function divided(text, by) {
  const at = text.indexOf(by);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** @returns {string} `text` if it is one of the choices, else the first of them */
function known(choices, text) {
  return choices.includes(text) ? text : choices[0];
}

const encoded = (text) => encodeURIComponent(text.toWellFormed()).replaceAll("%3A", ":");

/** @param {string} text percent-encoded, or typed into the address by hand */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
