/** The recipe: a table of steps that is two array PVs; the elements do the rest. */

import { sharedClient } from "../pycaserver.js";

const RECIPE = "SIM:RECIPE:";
const [TEMPERATURES, DURATIONS] = [`${RECIPE}TEMPERATURES`, `${RECIPE}DURATIONS`];
const ca = sharedClient();
const [steps, said, problem] = ["steps", "said", "problem"].map((id) => document.getElementById(id));

function field(label, value) {
  const input = Object.assign(document.createElement("input"), { type: "number", step: "any", required: true, value });
  input.setAttribute("aria-label", label);
  return input;
}

function addStep(temperature = 25, duration = 5) {
  const row = steps.insertRow();
  const number = steps.rows.length;
  row.insertCell().textContent = number;
  row.insertCell().append(field(`Temperature of step ${number}, °C`, temperature));
  row.insertCell().append(field(`Duration of step ${number}, s`, duration));
}

/** The numbers of a column, 0: temperatures, 1: durations. */
const column = (index) => Array.from(steps.rows, (row) => row.querySelectorAll("input")[index].valueAsNumber);

async function load(event) {
  event.preventDefault();
  said.textContent = problem.textContent = "";
  try {
    await ca.put(TEMPERATURES, column(0));
    await ca.put(DURATIONS, column(1));
    said.textContent = "Loaded.";
  } catch (error) {
    problem.textContent = error.message;
  }
}

function mark({ value }) {
  for (const [index, row] of [...steps.rows].entries()) row.toggleAttribute("aria-current", index + 1 === value);
}

document.getElementById("add").addEventListener("click", () => addStep());
document.getElementById("remove").addEventListener("click", () => steps.rows.length > 1 && steps.deleteRow(-1));
document.getElementById("recipe").addEventListener("submit", load);

const [temperatures, durations] = await ca.get([TEMPERATURES, DURATIONS]);
temperatures.value.forEach((temperature, index) => addStep(temperature, durations.value[index]));
ca.monitor(`${RECIPE}STEP`, mark);
