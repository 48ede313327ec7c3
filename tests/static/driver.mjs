/** The client in Node, for tests in Python: a line of input is a program, a line of output what it returned. */

import { createInterface } from "node:readline";
import { mock } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { PVClient } from "../../static/pycaserver.js";

const POLL = 5;
const AsyncFunction = (async () => {}).constructor;
const ca = new PVClient(process.argv[2]);
const P = process.argv[3];

/** What a PV has told: `updates.PV`, oldest first. */
const updates = {};
const states = [];
const errors = [];
ca.addEventListener("state", ({ detail }) => states.push(detail.name));
ca.addEventListener("error", ({ detail }) => errors.push(detail.code));

/** Watch records by their names without the prefix. */
function watch(name, options = {}) {
  updates[name] ??= [];
  return ca.monitor(P + name, options, (update) => updates[name].push(update));
}

const last = (name) => updates[name]?.at(-1);

/** Wait until this is true; the time of the clock, not that of clocks that a test has stopped. */
async function until(isTrue) {
  while (!isTrue()) await sleep(POLL);
}

const given = { ca, P, updates, states, errors, watch, last, until, mock, PVClient };

async function run(line) {
  const { program } = JSON.parse(line);
  try {
    const value = await new AsyncFunction(...Object.keys(given), program)(...Object.values(given));
    return { value };
  } catch ({ name, code, message }) {
    return { error: { name, code, message } };
  }
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await run(line)));
process.exit();
