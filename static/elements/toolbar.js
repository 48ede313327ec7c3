/** Rows of buttons, in groups. */

import { setText } from "./state.js";

/** Paths in a box of 16 x 16. */
const ICONS = {
  pause: "M5 3.5v9M11 3.5v9",
  play: "M5 3v10l8-5Z",
  closer: "M7 3a4 4 0 1 0 0 8a4 4 0 1 0 0-8M10 10l3.5 3.5M5 7h4M7 5v4",
  wider: "M7 3a4 4 0 1 0 0 8a4 4 0 1 0 0-8M10 10l3.5 3.5M5 7h4",
  whole: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  cursors: "M5 2v12M11 2v12M5 8h6M6.5 6.5L5 8l1.5 1.5M9.5 6.5L11 8L9.5 9.5",
  log: "M2.5 2.5v11h11M3 12C7 11.5 11 10 13 3",
  save: "M8 2.5v7.5M5 7l3 3l3-3M3 13.5h10",
};

/**
 * @typedef {object} Button
 * @property {string} name what it is called
 * @property {string} [icon] a name of ICONS; without one the text is shown
 * @property {string} [text]
 * @property {string} [hint] for a tooltip, more than the name
 * @property {() => boolean} [isPressed] for one that is on or off
 * @property {() => void} [run]
 * @property {readonly string[]} [choices] for a list to choose from, in place of a button
 * @property {() => string} [choice] the chosen one
 * @property {(choice: string) => void} [choose]
 */

export class Toolbar {
  /** @type {[HTMLButtonElement|HTMLSelectElement, Button][]} */
  #buttons = [];

  /**
   * @param {HTMLElement} host
   * @param {Button[][]} groups
   */
  constructor(host, groups) {
    host.replaceChildren(...groups.filter((group) => group.length).map((group) => this.#group(group)));
    this.update();
  }

  /** Show what is pressed and chosen. */
  update() {
    for (const [element, { isPressed, choice }] of this.#buttons) {
      if (isPressed) element.ariaPressed = String(isPressed());
      if (choice) element.value = choice();
    }
  }

  #group(buttons) {
    const group = document.createElement("span");
    group.className = "group";
    group.append(...buttons.map((button) => (button.choices ? this.#select(button) : this.#button(button))));
    return group;
  }

  #button(button) {
    const element = this.#element("button", button);
    element.type = "button";
    element.ariaLabel = button.name;
    if (button.icon) {
      element.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[button.icon]}"/></svg>`;
    } else setText(element, button.text);
    element.addEventListener("click", () => {
      button.run();
      this.update();
    });
    return element;
  }

  #select(button) {
    const element = this.#element("select", button);
    element.ariaLabel = button.name;
    element.append(...button.choices.map((choice) => new Option(choice, choice)));
    element.addEventListener("change", () => button.choose(element.value));
    return element;
  }

  #element(tag, button) {
    const element = document.createElement(tag);
    element.setAttribute("part", "button");
    element.title = button.hint ?? button.name;
    this.#buttons.push([element, button]);
    return element;
  }
}
