/** `<epics-input pv="...">`: a field to write a value. Enter writes, Escape and leaving the field take back. */

import { formatValue, isArray } from "./format.js";
import { setText } from "./state.js";
import { sheet } from "./style.js";
import { formatOf } from "./value.js";
import { WritableElement, writableRow } from "./write.js";

const looks = sheet(`
input { min-width: 3em; flex: 0 20 auto; width: var(--epics-input-width, 8em); text-align: end; }
input.text { width: var(--epics-input-width, 14em); text-align: start; }
:host([data-editing]) input { border-color: var(--_accent); }
`);
/** Elements of an array that can be edited. */
const LONGEST_LIST = 20;
const TEXTUAL = new Set(["string", "char", "enum"]);

export class EpicsInput extends WritableElement {
  static observedAttributes = [...WritableElement.observedAttributes, "format", "precision", "placeholder"];
  static styles = [...WritableElement.styles, looks];
  static template = writableRow(
    `<input part="control" type="text" autocomplete="off" autocapitalize="off" spellcheck="false" ` +
    `enterkeyhint="send"><span part="readback"></span>`,
  );

  constructor() {
    super();
    const field = this.find("control");
    field.addEventListener("input", () => this.toggleAttribute("data-editing", true));
    field.addEventListener("focus", () => field.select());
    field.addEventListener("blur", () => this.#onblur());
    field.addEventListener("keydown", (event) => this.#onkey(event));
  }

  /** What was typed was meant for the PV of then. */
  onLeave() {
    super.onLeave();
    this.removeAttribute("data-editing");
  }

  render(update) {
    super.render(update);
    const field = this.find("control");
    const text = this.#text;
    field.readOnly = !this.mayWrite;
    field.placeholder = this.getAttribute("placeholder") ?? "";
    field.classList.toggle("text", TEXTUAL.has(update.metadata?.type));
    if (!this.#isUsers) setValue(field, text);
    setText(this.find("readback"), this.#isUsers && field.value !== text ? `now ${text}` : "");
  }

  /** The value as it could be typed: of an array its elements, unless they are too many. */
  get #text() {
    const { update } = this;
    const { value, text, count } = update;
    const isList = text === null && isArray(value) && count > 0 && count <= LONGEST_LIST;
    if (!isList) return formatValue(update, formatOf(this));
    return Array.from(value, (item) => formatValue({ ...update, value: item }, formatOf(this))).join(", ");
  }

  /** Whether the text is the user's: nothing may replace it. */
  get #isUsers() {
    return this.hasAttribute("data-editing") || this.isPending || this.isHeld;
  }

  /** Enter shall not press a button of the dialog that it opens. */
  #onkey(event) {
    if (event.key === "Escape") this.#takeBack();
    if (event.key !== "Enter") return;
    event.preventDefault();
    this.#write();
  }

  async #write() {
    const field = this.find("control");
    const [pv] = this.names;
    const written = field.value;
    if (!(await this.#writeField(written)) || field.value !== written || this.names[0] !== pv) return;
    this.removeAttribute("data-editing");
    this.renderSoon();
  }

  /** A value that nobody has changed is written as it is: its text may have fewer digits. */
  #writeField(text) {
    const { value } = this.update;
    return this.hasAttribute("data-editing") || value == null ? this.writeText(text) : this.write(value);
  }

  /** The question about what was typed takes the focus, and gives it back. */
  #onblur() {
    if (!this.isAsking) this.#takeBack();
  }

  /** Show the PV's value again. */
  #takeBack() {
    const field = this.find("control");
    this.removeAttribute("data-editing");
    if (!this.isPending) setValue(field, this.#text);
    this.renderSoon();
  }
}

/** What is selected as a whole stays so: the next key replaces it. */
function setValue(field, text) {
  if (field.value === text) return;
  const isSelected = field.selectionStart === 0 && field.selectionEnd === field.value.length && field.matches(":focus");
  field.value = text;
  if (isSelected) field.select();
}
