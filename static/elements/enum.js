/** `<epics-enum pv="...">`: the state of an enum, and where access permits a choice of its states. */

import { formatValue } from "./format.js";
import { setText } from "./state.js";
import { sheet } from "./style.js";
import { WritableElement, writableRow } from "./write.js";

const looks = sheet(`
select[part~="control"] { padding: 0 0.4em; min-width: 6em; cursor: pointer; }
:host([data-editing]) select { border-color: var(--_accent); border-style: dashed; }
.choices { display: inline-flex; }
.choices button[part~="control"] { border-radius: 0; margin-left: -1px; background: var(--_background); }
.choices button:first-child { border-radius: var(--_radius) 0 0 var(--_radius); margin-left: 0; }
.choices button:last-child { border-radius: 0 var(--_radius) var(--_radius) 0; }
.choices button:only-child { border-radius: var(--_radius); }
.choices button:hover, .choices button:focus-visible { z-index: 1; position: relative; }
.choices button[aria-pressed="true"] {
  border-color: var(--_accent);
  background: var(--_accent);
  color: var(--_on-accent);
}
.choices button[aria-pressed="true"][aria-disabled="true"] { background: var(--_track); color: var(--_text); }
:host([readonly]) [part~="lock"] { display: none; }
`);
/** Keys that change a closed list, rather than open it. */
const STEPS = /^(Arrow|Page|Home|End|.$)/;

export class EpicsEnum extends WritableElement {
  static observedAttributes = [...WritableElement.observedAttributes, "as", "readonly"];
  static styles = [...WritableElement.styles, looks];
  static template = writableRow(
    `<span part="value"></span><select part="control" hidden></select><span part="readback"></span>` +
    `<span part="choices" class="choices" role="group" hidden></span>`,
  );

  static role = "group";

  #states = "";
  #isStepping = false;

  constructor() {
    super();
    const list = this.find("control");
    list.addEventListener("keydown", (event) => this.#onkey(event));
    list.addEventListener("change", () => this.#onchange());
    list.addEventListener("blur", () => this.#takeBack());
    this.find("choices").addEventListener("click", ({ target }) => this.#choose(target));
  }

  get named() {
    return this.#look === "buttons" ? this.find("choices") : this.#look === "text" ? this : this.find("control");
  }

  render(update) {
    this.#fill(update.metadata?.enumStrings ?? []);
    for (const [look, part] of Object.entries(PARTS)) this.find(part).hidden = look !== this.#look;
    setText(this.find("value"), formatValue(update) || "–");
    super.render(update);
    this.#showChoice();
    this.find("value").hidden = this.#look !== "text" && this.#hasState;
  }

  /** Whether the value is that of a state: a list or buttons show no other. */
  get #hasState() {
    const { value, metadata } = this.update;
    return value === undefined || metadata?.enumStrings?.[value] !== undefined;
  }

  /** As text until the states are known, and where the page wants no choice. @returns {"text"|"select"|"buttons"} */
  get #look() {
    if (this.hasAttribute("readonly") || !this.update.metadata?.enumStrings) return "text";
    return this.getAttribute("as") === "buttons" ? "buttons" : "select";
  }

  #fill(states) {
    const wanted = JSON.stringify(states);
    if (wanted === this.#states) return;
    this.#states = wanted;
    this.#setStepping(false);
    this.find("control").replaceChildren(...states.map((state, index) => new Option(state, index)));
    this.find("choices").replaceChildren(...states.map(makeButton));
  }

  #showChoice() {
    const { reason } = this;
    const list = this.find("control");
    if (!this.#isStepping) list.value = String(this.shown);
    const isOther = this.#isStepping && list.value !== String(this.shown);
    setText(this.find("readback"), isOther ? `now ${formatValue(this.update)}` : "");
    for (const button of this.find("choices").children) {
      button.ariaPressed = String(Number(button.value) === this.shown);
      button.ariaDisabled = String(reason !== "");
    }
  }

  #choose(target) {
    if (target.localName === "button" && this.mayWrite && !this.isPending) this.write(Number(target.value));
  }

  /** Arrow keys only step through the states; Enter writes the one that is reached. */
  #onkey(event) {
    const { key, altKey, ctrlKey, metaKey } = event;
    if (!this.mayWrite && key !== "Tab") return event.preventDefault();
    if (key === "Enter" && this.#isStepping) {
      event.preventDefault();
      return this.#writeChoice();
    }
    if (key === "Escape") return this.#takeBack();
    const isStep = STEPS.test(key) && key !== " " && !altKey && !ctrlKey && !metaKey;
    this.#setStepping(isStep || this.#isStepping);
  }

  #onchange() {
    if (this.#isStepping) this.renderSoon();
    else this.#writeChoice();
  }

  /** Enter where no other state was reached writes nothing: it may be meant for the open list of the browser. */
  #writeChoice() {
    this.#setStepping(false);
    const { value } = this.find("control");
    if (value !== "" && Number(value) !== this.shown) this.write(Number(value)).then(() => this.#showChoice());
  }

  #takeBack() {
    this.#setStepping(false);
    this.renderSoon();
  }

  #setStepping(isStepping) {
    if (isStepping === this.#isStepping) return;
    this.#isStepping = isStepping;
    this.toggleAttribute("data-editing", isStepping);
    this.renderSoon();
  }
}

const PARTS = { text: "value", select: "control", buttons: "choices" };

function makeButton(state, index) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("part", "control choice");
  button.value = index;
  button.textContent = state;
  return button;
}
