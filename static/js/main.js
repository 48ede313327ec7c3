/** The page: names from its address and its field, rows in its table, one connection to the server behind them. */

import { sharedClient } from "../pycaserver.js";
import { Banner } from "./banner.js";
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
/** @type {Map<string, import("../pycaserver.js").Subscription>} */
const subscriptions = new Map();
/** @type {Set<string>} names whose rows are to be written in the next frame */
const changed = new Set();
let selected = null;
let offered = [];
let renderedAt = 0;

const client = sharedClient(new URL("monitor", page));
const table = new Table(find("rows"), find("row"));
const picker = new Picker(find("add"), find("names"), find("offered"));
const detail = new Detail(find("detail"));
const identity = new IdentityLink(find("identity"));
const banner = new Banner(find("banner"));

function add(names) {
  for (const name of names.filter((name) => !pvs.has(name))) {
    const pv = new PV(name);
    pvs.set(name, pv);
    watch(pv);
    table.add(pv);
  }
  if (!selected && WIDE.matches) select(names[0] ?? null);
  rowsChanged();
}

/** Watch with the options that the PV has now; the client makes one subscription of the old and the new one. */
function watch(pv) {
  const subscription = client.monitor(pv.name, pv.options, (update) => receive(pv, update));
  subscriptions.get(pv.name)?.close();
  subscriptions.set(pv.name, subscription);
  pv.receive(subscription.update);
}

function receive(pv, update) {
  const { reduce } = pv.options;
  pv.receive(update);
  if (pv.options.reduce !== reduce) watch(pv);
  changed.add(pv.name);
}

function remove(name) {
  subscriptions.get(name).close();
  subscriptions.delete(name);
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

/** What is about no row: for who debugs the page. */
client.addEventListener("error", ({ detail }) => console.warn(`pycaserver: ${detail.code}: ${detail.message}`));

function showState(state) {
  banner.show(state);
  document.body.dataset.server = state.name;
  const isOpen = state.name === "open";
  if (isOpen) fetchOffered();
  if (isOpen || state.name === "closed") identity.refresh().catch(() => {});
}

async function fetchOffered() {
  offered = await client.names().catch(() => []);
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

/** The client asks for nothing while nobody sees the page. */
function visibilityChanged() {
  for (const pv of pvs.values()) {
    if (document.hidden) pv.interrupt();
    else if (pv.connected) pv.resume();
  }
}

table.onselect = select;
table.onremove = remove;
picker.onadd = add;
picker.isShown = (name) => pvs.has(name);
detail.onclose = () => select(null);
banner.onretry = () => client.open();
find("all").addEventListener("click", () => add(offered));
document.addEventListener("visibilitychange", visibilityChanged);
addEventListener("hashchange", readAddress);

client.addEventListener("state", ({ detail }) => showState(detail));
showState(client.state);
readAddress();
requestAnimationFrame(render);
