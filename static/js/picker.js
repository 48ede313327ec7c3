/** The field for PV names: type any, or pick one that the server offers (an ARIA combobox with a list). */

import { splitNames } from "../elements/names.js";

const LONGEST_LIST = 60;

export class Picker {
  #input;
  #list;
  #offered = [];
  #active = -1;

  /** @type {(names: string[]) => void} */
  onadd = () => {};
  /** @type {(name: string) => boolean} whether a name is on the page already, and need not be offered */
  isShown = () => false;

  /**
   * @param {HTMLFormElement} form
   * @param {HTMLInputElement} input
   * @param {HTMLElement} list
   */
  constructor(form, input, list) {
    this.#input = input;
    this.#list = list;
    form.addEventListener("submit", (event) => this.#submit(event));
    input.addEventListener("input", () => this.#open());
    input.addEventListener("click", () => this.#open());
    input.addEventListener("keydown", (event) => this.#press(event));
    input.addEventListener("blur", () => this.#close());
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => this.#pick(event.target.closest("[role=option]")));
  }

  /** @param {string[]} names that the server offers; who is typing already is offered them at once */
  offer(names) {
    this.#offered = names;
    const isTyping = this.#input.value && document.activeElement === this.#input;
    if (isTyping && this.#list.hidden) this.#open();
  }

  focus() {
    this.#input.focus();
  }

  #submit(event) {
    event.preventDefault();
    const option = this.#options[this.#active];
    if (option) return this.#pick(option);
    const names = splitNames(this.#input.value);
    this.#input.value = "";
    this.#close();
    if (names.length) this.onadd(names);
  }

  /** The option replaces the word being typed; the words before it are added as they are. */
  #pick(option) {
    if (!option) return;
    const names = [...splitNames(this.#input.value.slice(0, -this.#word.length || undefined)), option.dataset.pv];
    this.#input.value = "";
    this.#close();
    this.onadd(names);
    this.#input.focus();
  }

  #press(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") return this.#close();
    if (!by) return;
    event.preventDefault();
    if (this.#list.hidden) return this.#open();
    const count = this.#options.length;
    this.#activate((this.#active + by + count + (this.#active < 0 && by < 0 ? 1 : 0)) % count);
  }

  get #options() {
    return this.#list.querySelectorAll("[role=option]");
  }

  /** What is being typed: all after the last separator. */
  get #word() {
    return /[^\s,;]*$/.exec(this.#input.value)[0];
  }

  #open() {
    const word = this.#word.toLowerCase();
    const matching = this.#offered.filter((name) => name.toLowerCase().includes(word) && !this.isShown(name));
    this.#list.replaceChildren(...matching.slice(0, LONGEST_LIST).map(makeOption));
    if (matching.length > LONGEST_LIST) this.#list.append(makeRest(matching.length - LONGEST_LIST));
    this.#list.hidden = !matching.length;
    this.#input.setAttribute("aria-expanded", String(!this.#list.hidden));
    this.#activate(-1);
  }

  #close() {
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#activate(-1);
  }

  #activate(index) {
    this.#active = index;
    this.#options.forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
    const active = this.#options[index];
    if (active) this.#input.setAttribute("aria-activedescendant", active.id);
    else this.#input.removeAttribute("aria-activedescendant");
    active?.scrollIntoView({ block: "nearest" });
  }
}

function makeOption(name, index) {
  const option = document.createElement("li");
  option.id = `offered-${index}`;
  option.setAttribute("role", "option");
  option.dataset.pv = name;
  option.textContent = name;
  return option;
}

function makeRest(count) {
  const rest = document.createElement("li");
  rest.className = "rest";
  rest.setAttribute("role", "presentation");
  rest.textContent = `${count} more: type a part of the name`;
  return rest;
}
