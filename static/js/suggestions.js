/** On an empty page: names that the server offers, to begin with. */

const OFFERED_AT_FIRST = 24;

export class Suggestions {
  #element;
  #place;
  #names = [];

  /** @type {(names: string[]) => void} */
  onadd = () => {};

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
    this.#place = element.querySelector("#suggestions");
    this.#place.addEventListener("click", ({ target }) => {
      if (target.localName === "button") this.onadd([target.textContent]);
    });
    element.querySelector("#all").addEventListener("click", () => this.onadd(this.#names));
  }

  /** @param {string[]} names that the server offers */
  offer(names) {
    this.#names = names;
    this.#element.hidden = !names.length;
    this.#place.replaceChildren(...names.slice(0, OFFERED_AT_FIRST).map(makeSuggestion));
  }
}

function makeSuggestion(name) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  return button;
}
