/** The page: one layout, kept in the address; its parts draw it and tell what a person does; one client behind them. */

import "../epics-elements.js";
import { sharedClient } from "../pycaserver.js";
import { Banner } from "./banner.js";
import { ChartMenu } from "./chart-menu.js";
import { Charts } from "./charts.js";
import { Detail } from "./detail.js";
import { acceptDrop, offerDrag } from "./drag.js";
import { Events } from "./events.js";
import { IdentityLink } from "./identity.js";
import * as edits from "./layout.js";
import { List } from "./list.js";
import { Model } from "./model.js";
import { Picker } from "./picker.js";
import { Readings } from "./readings.js";
import { Suggestions } from "./suggestions.js";
import { pictureOf } from "./widgets.js";

const NARROW = matchMedia("(width < 60rem)");
const find = (id) => document.getElementById(id);

const ca = sharedClient();
const model = new Model();
const readings = new Readings(ca);
const list = new List(find("list"), readings);
const charts = new Charts(find("charts"));
const detail = new Detail(find("detail"), ca);
const events = new Events(find("events"), ca);
const menu = new ChartMenu(find("menu"));
const picker = new Picker(find("add"), find("names"), find("offered"));
const suggestions = new Suggestions(find("suggested"));
const identity = new IdentityLink(find("identity"));
const banner = new Banner(find("banner"));

/** Draw the layout: each part finds out by itself whether anything of it has changed. */
function draw() {
  const { layout } = model;
  const shown = { empty: !hasContent(layout), "with-detail": layout.selected !== null };
  const panels = { "with-charts": layout.charts.length > 0, "with-events": layout.events.open };
  for (const [name, on] of Object.entries({ ...shown, ...panels })) document.body.classList.toggle(name, on);
  document.body.dataset.view = layout.view;
  readings.watch(layout.pvs);
  list.show(layout);
  charts.show(layout.charts, layout.selected);
  detail.show(layout.selected, layout.span);
  events.show({ ...layout.events, open: layout.events.open || layout.view === "events" }, layout.pvs);
  find("events-toggle").setAttribute("aria-pressed", String(layout.events.open));
  for (const button of find("views").children) button.ariaCurrent = String(button.dataset.view === layout.view);
}

function hasContent({ pvs, charts, events }) {
  return pvs.length + charts.length > 0 || events.open;
}

function add(names) {
  const isFirst = !model.layout.pvs.length && !NARROW.matches;
  model.apply(edits.addPvs, names);
  if (isFirst) select(names[0]);
  list.reveal(names.at(-1));
}

function select(name) {
  model.apply(edits.select, name);
}

/** The details are wanted: a narrow window has to turn to them. */
function open(name) {
  model.apply(edits.change, { selected: name, ...(NARROW.matches && { view: "detail" }) });
}

/** Scalars go into a strip chart, arrays into a plot of waveforms. */
function addToChart(index, names) {
  for (const name of names) model.apply(edits.addToChart, index, [name], kindOf(name));
  if (NARROW.matches) model.apply(edits.change, { view: "charts" });
}

function kindOf(name) {
  const update = readings.get(name)?.update;
  return update && pictureOf(update) === "wave" ? "wave" : "strip";
}

/** A narrow window shows one view, and the events are open while they are that. */
function turnTo(view) {
  model.apply(edits.change, { view });
  if (view === "events") model.apply(edits.changeEvents, { open: true });
}

function showState({ name }) {
  document.body.dataset.server = name;
  banner.show(ca.state);
  if (name === "open") offerNames();
  if (name === "open" || name === "closed") identity.refresh().catch(() => {});
}

async function offerNames() {
  const names = await ca.names().catch(() => []);
  picker.offer(names);
  suggestions.offer(names);
}

list.onselect = select;
list.onopen = open;
list.onremove = (name) => model.apply(edits.removePv, name);
list.onchart = (name, near) => menu.open(name, model.layout.charts, kindOf(name), near);
list.onchange = (changes) => model.apply(edits.change, changes);
charts.onadd = addToChart;
charts.onremove = (index) => {
  model.apply(edits.removeChart, index);
  list.focus();
};
charts.onchange = (index, changes) => model.apply(edits.changeChart, index, changes);
detail.onchart = (name, near) => menu.open(name, model.layout.charts, kindOf(name), near);
detail.onclose = () => {
  model.apply(edits.change, { selected: null, view: "list" });
  list.focus();
};
detail.onchange = (changes) => model.apply(edits.change, changes);
events.onchange = (changes) => model.apply(edits.changeEvents, changes);
events.onclose = () => {
  model.apply(edits.changeEvents, { open: false });
  find("events-toggle").focus();
};
events.metadataOf = (name) => readings.get(name)?.update?.metadata ?? null;
readings.onmetadata = () => events.renderSoon();
events.onselect = (name) => {
  model.apply(edits.addPvs, [name]);
  open(name);
};
menu.onadd = (index, name) => addToChart(index, [name]);
picker.onadd = add;
picker.isShown = (name) => readings.get(name) !== undefined;
suggestions.onadd = add;
banner.onretry = () => ca.open();
find("events-toggle").addEventListener("click", () => {
  model.apply(edits.changeEvents, { open: !model.layout.events.open });
});
find("views").addEventListener("click", ({ target }) => target.dataset.view && turnTo(target.dataset.view));
offerDrag(find("rows"));
acceptDrop(find("list"), add);
model.addEventListener("change", draw);
ca.addEventListener("state", () => showState(ca.state));
ca.addEventListener("error", ({ detail: { code, message } }) => console.warn(`pycaserver: ${code}: ${message}`));

draw();
showState(ca.state);
ca.open();
