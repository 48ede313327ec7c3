/** The page: names from its address and its field, rows in its table, one connection to the server behind them. */

import { Banner } from "./banner.js";
import { Connection } from "./connection.js";
import { Detail } from "./detail.js";
import { IdentityLink } from "./identity.js";
import { readHash, writeHash } from "./names.js";
import { Picker } from "./picker.js";
import { PV } from "./pv.js";
import { Table } from "./table.js";

const RENDER_EVERY = 50;
const OFFERED_AT_FIRST = 24;
const WIDE = matchMedia("(min-width: 60rem)");

const find = (id) => document.getElementById(id);
const page = new URL(document.baseURI);

/** @type {Map<string, PV>} in the order of the rows */
const pvs = new Map();
/** @type {Set<string>} names whose rows are to be written in the next frame */
const changed = new Set();
let selected = null;
let offered = [];
let renderedAt = 0;

const connection = new Connection(page);
const table = new Table(find("rows"), find("row"));
const picker = new Picker(find("add"), find("names"), find("offered"));
const detail = new Detail(find("detail"));
const identity = new IdentityLink(find("identity"));
const banner = new Banner(find("banner"));

function add(names) {
  for (const name of names.filter((name) => !pvs.has(name))) {
    const pv = new PV(name);
    pvs.set(name, pv);
    table.add(pv);
    connection.subscribe(name, pv.options);
  }
  if (!selected && WIDE.matches) select(names[0] ?? null);
  rowsChanged();
}

function remove(name) {
  connection.unsubscribe(name);
  pvs.delete(name);
  changed.delete(name);
  if (selected === name) select(null);
  table.remove(name);
  rowsChanged();
}

function select(name) {
  selected = pvs.has(name) ? name : null;
  table.select(selected);
  detail.show(pvs.get(selected) ?? null);
  document.body.classList.toggle("with-detail", Boolean(selected));
  writeAddress();
}

function rowsChanged() {
  document.body.classList.toggle("empty", !pvs.size);
  writeAddress();
  renderSuggestions();
  renderSummary();
}

function writeAddress() {
  const hash = writeHash([...pvs.keys()], selected);
  if (hash !== location.hash) history.replaceState(null, "", hash || page.pathname + page.search);
}

function readAddress() {
  const { names, plotted } = readHash(location.hash);
  for (const name of [...pvs.keys()].filter((name) => !names.includes(name))) remove(name);
  add(names);
  if (plotted) select(plotted);
}

connection.onmessage = (message) => {
  const pv = pvs.get(message.pvname);
  if (!pv) return noteError(message);
  const options = JSON.stringify(pv.options);
  pv.receive(message);
  if (JSON.stringify(pv.options) !== options) connection.subscribe(pv.name, pv.options);
  changed.add(pv.name);
};

/** An error that is about no row: for who debugs the page. */
function noteError({ msg_type, code, message, pvname }) {
  if (msg_type === "error" && !pvname) console.warn(`pycaserver: ${code}: ${message}`);
}

connection.onstate = (state) => {
  banner.show(state);
  document.body.dataset.server = state.name;
  const isOpen = state.name === "open";
  for (const pv of pvs.values()) {
    if (isOpen) pv.search();
    else pv.lose();
    changed.add(pv.name);
  }
  if (isOpen) fetchOffered();
  if (isOpen || state.name === "closed") identity.refresh().catch(() => {});
};

async function fetchOffered() {
  try {
    const response = await fetch(new URL("api/pv", page));
    offered = (await response.json()).names ?? [];
  } catch {
    offered = [];
  }
  picker.offer(offered);
  renderSuggestions();
}

function renderSuggestions() {
  const names = pvs.size ? [] : offered.slice(0, OFFERED_AT_FIRST);
  find("suggested").hidden = !names.length;
  find("suggestions").replaceChildren(...names.map((name) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => add([name]));
    return button;
  }));
}

/** One write to the page per frame, however many messages have come. */
function render(now) {
  requestAnimationFrame(render);
  if (now - renderedAt < RENDER_EVERY) return;
  renderedAt = now;
  if (changed.size) renderSummary();
  for (const name of changed) table.render(name);
  changed.clear();
  detail.render();
}

function renderSummary() {
  const counts = { alarm: 0, offline: 0 };
  for (const pv of pvs.values()) {
    if (!pv.isLive) counts.offline += 1;
    else if (pv.severity !== "NO_ALARM") counts.alarm += 1;
  }
  const parts = [`${pvs.size} PV${pvs.size === 1 ? "" : "s"}`];
  if (counts.alarm) parts.push(`${counts.alarm} in alarm`);
  if (counts.offline) parts.push(`${counts.offline} not live`);
  const text = parts.join(" · ");
  if (find("summary").textContent !== text) find("summary").textContent = text;
}

/** A tab that nobody sees costs the server nothing. */
function visibilityChanged() {
  if (document.hidden) {
    connection.pause();
    for (const pv of pvs.values()) pv.interrupt();
  } else {
    connection.resume();
    connection.open();
    for (const pv of pvs.values()) if (pv.connected) pv.resume();
  }
}

table.onselect = select;
table.onremove = remove;
picker.onadd = add;
picker.isShown = (name) => pvs.has(name);
detail.onclose = () => select(null);
banner.onretry = () => connection.open();
find("all").addEventListener("click", () => add(offered));
document.addEventListener("visibilitychange", visibilityChanged);
addEventListener("hashchange", readAddress);
addEventListener("online", () => connection.open());

readAddress();
connection.open();
requestAnimationFrame(render);
