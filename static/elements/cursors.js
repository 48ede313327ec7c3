/** Two vertical lines over a plot, to be dragged, or moved by the arrow keys. */

const NAMES = ["A", "B"];
const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageDown: -20, PageUp: 20 };

export class Cursors {
  #chart;
  #label;
  /** @type {HTMLElement[]} */
  #handles;
  /** Where they are, as x. @type {[number, number]|null} */
  #places = null;

  /** @type {() => void} told that a person has moved one */
  onmove = () => {};

  /**
   * @param {import("./chart.js").Chart} chart
   * @param {(x: number) => string} label what x is called
   */
  constructor(chart, label) {
    this.#chart = chart;
    this.#label = label;
    this.#handles = NAMES.map((name, index) => this.#handle(name, index));
  }

  get places() {
    return this.#places;
  }

  /** @param {[number, number]|null} places null hides them */
  set places(places) {
    this.#places = places;
  }

  /** @param {HTMLElement} over the element over the plot */
  attach(over) {
    over.append(...this.#handles);
  }

  /** Put them where they belong in what is now in view. */
  place([from, to]) {
    this.#handles.forEach((handle, index) => {
      const x = this.#places?.[index];
      handle.hidden = x === undefined || x < from || x > to;
      if (handle.hidden) return;
      handle.style.left = `${this.#chart.toPixel(x)}px`;
      handle.ariaValueMin = from;
      handle.ariaValueMax = to;
      handle.ariaValueNow = x;
      handle.ariaValueText = this.#label(x);
    });
  }

  #handle(name, index) {
    const handle = document.createElement("div");
    handle.className = "cursor";
    handle.hidden = true;
    handle.dataset.name = name;
    handle.role = "slider";
    handle.ariaLabel = `Cursor ${name}`;
    handle.tabIndex = 0;
    handle.addEventListener("mousedown", (event) => event.stopPropagation()); // uPlot would begin to select
    handle.addEventListener("pointerdown", (event) => this.#drag(event, index));
    handle.addEventListener("keydown", (event) => this.#key(event, index));
    return handle;
  }

  #drag(event, index) {
    const handle = this.#handles[index];
    const left = handle.offsetParent.getBoundingClientRect().left;
    handle.setPointerCapture(event.pointerId);
    handle.focus();
    event.stopPropagation();
    handle.onpointermove = ({ clientX }) => this.#moveTo(index, this.#chart.toX(clientX - left));
    handle.onlostpointercapture = () => (handle.onpointermove = null);
  }

  #key(event, index) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const pixel = this.#chart.toPixel(this.#places[index]);
    this.#moveTo(index, this.#chart.toX(pixel + step * (event.shiftKey ? 10 : 1)));
  }

  #moveTo(index, x) {
    const [from, to] = [0, this.#chart.width].map((pixel) => this.#chart.toX(pixel));
    this.#places[index] = Math.min(Math.max(x, from), to);
    this.onmove();
  }
}
