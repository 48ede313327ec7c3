/** `<epics-input pv="...">`: a field to write a value. Enter writes, Escape and leaving the field take back. */

import { formatNumber, formatValue } from "./format.js";
import { setText } from "./state.js";
import { sheet } from "./style.js";
import { formatOf } from "./value.js";
import { WritableElement, writableRow } from "./write.js";

const looks = sheet(`
input { width: var(--epics-input-width, 8em); text-align: end; }
input.text { width: var(--epics-input-width, 14em); text-align: start; }
:host([data-editing]) input { border-color: var(--_accent); }
[part~="readback"] { color: var(--_quiet); font-size: 0.875em; }
[part~="readback"]:empty { display: none; }
`);
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
    field.addEventListener("blur", () => this.#takeBack());
    field.addEventListener("keydown", ({ key }) => this.#onkey(key));
  }

  render(update) {
    super.render(update);
    const field = this.find("control");
    const text = formatValue(update, formatOf(this));
    field.readOnly = !this.mayWrite;
    field.placeholder = this.getAttribute("placeholder") ?? "";
    field.classList.toggle("text", TEXTUAL.has(update.metadata?.type));
    if (!this.#isBusy) setValue(field, text);
    setText(this.find("readback"), this.#isBusy && field.value !== text ? `now ${text}` : "");
  }

  /** Whether the text is the user's: nothing may replace it. */
  get #isBusy() {
    return this.isPending || this.shadowRoot.activeElement === this.find("control");
  }

  #onkey(key) {
    if (key === "Enter") this.#write();
    if (key === "Escape") this.#takeBack();
  }

  async #write() {
    const field = this.find("control");
    const written = field.value;
    if (!(await this.writeText(written)) || field.value !== written) return;
    this.#takeBack();
  }

  /** Show the PV's value again. */
  #takeBack() {
    const field = this.find("control");
    this.removeAttribute("data-editing");
    if (!this.isPending) setValue(field, formatValue(this.update, formatOf(this)));
    this.renderSoon();
  }
}

function setValue(field, text) {
  if (field.value !== text) field.value = text;
}
