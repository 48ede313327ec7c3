/** `<epics-image pv="..." width="320">`: an array as a picture, row by row, with a colour bar. */

import { COLORMAPS, colormap, paint } from "./colormap.js";
import { download } from "./csv.js";
import { FigureElement } from "./figure.js";
import { formatNumber } from "./format.js";
import { ImageRange } from "./image-range.js";
import { imageStyle } from "./image-style.js";
import { numberOf } from "./numbers.js";
import { Pace } from "./pace.js";
import { plotStyle } from "./plot-style.js";
import { expandMacros } from "./scope.js";
import { STATE, setText } from "./state.js";
import { Toolbar } from "./toolbar.js";

const TEMPLATE = `<div part="header"><span part="label"></span>${STATE}<span part="readout"></span>
<div part="toolbar" role="group" aria-label="Image tools"></div></div>
<div part="body"><div part="plot"><canvas part="image" role="img" tabindex="0" width="1" height="1"></canvas>
<i class="cross" hidden></i><p part="note"></p></div>
<div part="bar" hidden><canvas width="1" height="256" aria-hidden="true"></canvas>
<span part="high"></span><span part="low"></span></div></div><span class="unseen" role="status"></span>`;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MOST_PIXELS = 2 ** 26;

export class EpicsImage extends FigureElement {
  static observedAttributes = [
    ...FigureElement.observedAttributes, "width", "height", "colormap", "min", "max", "auto",
  ];
  static template = TEMPLATE;
  static styles = [plotStyle, imageStyle];
  static role = "figure";

  /** What is shown. @type {import("../pycaserver.js").Update|null} */
  #shown = null;
  #range = new ImageRange();
  /** The pixel that is read out. @type {[number, number]|null} */
  #cross = null;
  #pixels = null;
  #toolbar = null;
  #isNew = false;

  constructor() {
    super();
    this.pace = new Pace(this, () => this.#draw());
    this.#listen(this.find("image"));
  }

  connectedCallback() {
    super.connectedCallback();
    this.#toolbar ??= new Toolbar(this.find("toolbar"), this.#tools);
    this.pace.start();
    this.pace.request();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.pace.stop();
  }

  attributeChangedCallback(name, old, now) {
    super.attributeChangedCallback(name, old, now);
    if (old === now) return;
    if (name === "width" || name === "height") this.resubscribe();
    if (name === "paused" && now === null) this.#resume();
    if (["min", "max", "scale", "auto"].includes(name)) this.#range.ends = null;
    this.#isNew = true;
    this.#toolbar?.update();
    this.pace.hurry();
  }

  /** The image is named by itself, not by the PVs that tell its size. */
  get displayName() {
    return this.getAttribute("label") || (this.names[0] ?? this.pv);
  }

  /** Pixels in a row, and rows; NaN while a PV has not told them. @returns {[number, number]} */
  get size() {
    const count = this.#shown?.count ?? 0;
    const width = this.#dimension("width") ?? Math.sqrt(count);
    return [Math.floor(width), Math.floor(this.#dimension("height") ?? count / width)];
  }

  /** The values at the ends of the colours. @returns {[number, number]|null} */
  get range() {
    return this.#range.ends;
  }

  get colormap() {
    return this.getAttribute("colormap") ?? "viridis";
  }

  set colormap(name) {
    this.setAttribute("colormap", name);
  }

  /** With the image the PVs that tell its width and height, if these are no numbers. */
  watch(names) {
    if (names[0] !== this.#shown?.pv) this.#forget();
    super.watch([...names, ...this.#sizeNames]);
  }

  /** The picture is that of another PV. */
  #forget() {
    this.#shown = this.#cross = this.#range.ends = null;
  }

  onUpdate(update, index) {
    if (index || update.kind !== "value" || this.paused) return;
    this.#shown = ArrayBuffer.isView(update.value) ? update : null; // an IOC may come back with another type
    this.#isNew = true;
  }

  /** What came while it stood still was not shown. */
  #resume() {
    if (this.update.value !== undefined) this.onUpdate({ ...this.update, kind: "value" }, 0);
  }

  render() {
    this.pace.request();
  }

  get #sizeNames() {
    const given = ["width", "height"].map((name) => this.getAttribute(name)?.trim());
    return given.filter((text) => text && !isNumber(text)).map((text) => expandMacros(text, this));
  }

  #dimension(name) {
    const text = this.getAttribute(name)?.trim();
    if (!text) return null;
    if (isNumber(text)) return Number(text);
    const pv = expandMacros(text, this);
    return Number(this.updates.slice(1).find((update) => update.pv === pv)?.value ?? NaN);
  }

  get #tools() {
    const isHeld = () => this.getAttribute("auto") === "off";
    return [
      [{ name: "Pause", icon: "pause", isPressed: () => this.paused, run: () => (this.paused = !this.paused) }],
      [
        { name: "Colours", choices: COLORMAPS, choice: () => this.colormap, choose: (name) => this.#choose(name) },
        { name: "Hold the range", text: "Hold", isPressed: isHeld, run: () => this.#hold(!isHeld()) },
        { name: "Logarithmic", icon: "log", isPressed: () => this.scale === "log", run: () => this.#toggleScale() },
      ],
      [{ name: "Save as PNG", icon: "save", run: () => this.#save() }],
    ];
  }

  #listen(canvas) {
    canvas.addEventListener("pointermove", (event) => this.#point(this.#pixelAt(event)));
    canvas.addEventListener("pointerleave", () => this.#point(null));
    canvas.addEventListener("blur", () => this.#point(null));
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  #draw() {
    const size = this.size;
    const note = this.#note(size);
    setText(this.find("note"), note);
    this.find("bar").hidden = Boolean(note);
    this.find("image").hidden = Boolean(note);
    if (note) return;
    const { width, height } = this.find("image");
    if (this.#isNew || size[0] !== width || size[1] !== height) this.#paint(size);
    this.#isNew = false;
    this.#readOut(size);
    this.find("image").ariaLabel = this.#sentence(size);
  }

  #note([width, height]) {
    const isOther = this.update.condition === "live" && !ArrayBuffer.isView(this.update.value);
    if (!this.#shown) return isOther ? "No array of numbers" : "No image yet";
    if (!(width >= 1 && height >= 1)) return "The width of the image is not known";
    return width * height > MOST_PIXELS ? "The image is too large" : "";
  }

  #paint([width, height]) {
    const canvas = this.find("image");
    if (canvas.width !== width || canvas.height !== height || !this.#pixels) {
      Object.assign(canvas, { width, height });
      this.#pixels = new ImageData(width, height);
      this.find("plot").style.aspectRatio = `${width} / ${height}`;
    }
    const wishes = this.#wishes();
    const [low, high] = this.#range.next(this.#shown.value, wishes);
    const form = { low, high, isLog: wishes.isLog, colors: colormap(this.colormap) };
    paint(this.#shown.value, new Uint32Array(this.#pixels.data.buffer), form);
    canvas.getContext("2d").putImageData(this.#pixels, 0, 0);
    this.#drawBar(form);
  }

  #wishes() {
    const [min, max] = ["min", "max"].map((name) => numberOf(this, name));
    return { min, max, isLog: this.scale === "log", isHeld: this.getAttribute("auto") === "off" };
  }

  #drawBar({ low, high, colors }) {
    const canvas = this.find("bar").querySelector("canvas");
    const pixels = new ImageData(new Uint8ClampedArray(colors.slice().reverse().buffer), 1, colors.length);
    canvas.getContext("2d").putImageData(pixels, 0, 0);
    setText(this.find("high"), this.#format(high));
    setText(this.find("low"), this.#format(low));
  }

  #format(value) {
    const number = Number.isInteger(value) ? value : Number(value.toPrecision(4));
    return `${formatNumber(number)} ${this.update.units}`.trim();
  }

  #sentence([width, height]) {
    const [low, high] = this.range.map((value) => this.#format(value));
    return `${this.displayName}: image of ${width} by ${height} pixels, values from ${low} to ${high}`;
  }

  #point(pixel) {
    this.#cross = pixel;
    this.pace.request();
  }

  /** The pixel under the pointer; the picture keeps its shape within the canvas. */
  #pixelAt({ offsetX, offsetY, target }) {
    const factor = this.#factor(target);
    const [x, y] = [Math.floor(offsetX / factor), Math.floor(offsetY / factor)];
    return x < target.width && y < target.height ? [x, y] : null;
  }

  /** CSS pixels per pixel of the image. */
  #factor(canvas) {
    return Math.min(canvas.clientWidth / canvas.width, canvas.clientHeight / canvas.height);
  }

  #key(event) {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const { width, height } = this.find("image");
    const [x, y] = this.#cross ?? [Math.floor(width / 2), Math.floor(height / 2)];
    const [right, down] = move.map((step) => step * (event.shiftKey ? 10 : 1));
    this.#point([clamp(x + right, width), clamp(y + down, height)]);
    setText(this.shadowRoot.querySelector("[role=status]"), this.#reading([width]));
  }

  #readOut(size) {
    const cross = this.shadowRoot.querySelector(".cross");
    cross.hidden = !this.#cross;
    setText(this.find("readout"), this.#reading(size));
    if (!this.#cross) return;
    const factor = this.#factor(this.find("image"));
    const [left, top] = this.#cross.map((place) => `${(place + 0.5) * factor}px`);
    Object.assign(cross.style, { left, top });
  }

  #reading([width]) {
    if (!this.#cross) return "";
    const [x, y] = this.#cross;
    const value = x < width ? this.#shown?.value[y * width + x] : undefined;
    const { metadata, units } = this.update;
    return `x ${x}, y ${y}: ${value === undefined ? "–" : formatNumber(value, metadata)} ${units}`.trim();
  }

  #hold(isHeld) {
    const { range } = this;
    if (isHeld) this.setAttribute("auto", "off");
    else this.removeAttribute("auto");
    if (isHeld) this.#range.ends = range;
  }

  #choose(name) {
    this.colormap = name;
  }

  #toggleScale() {
    this.scale = this.scale === "log" ? "linear" : "log";
  }

  #save() {
    this.find("image").toBlob((blob) => blob && download(`${this.displayName}.png`, blob, "image/png"));
  }
}

const isNumber = (text) => /^\d+$/.test(text);
const clamp = (value, size) => Math.min(Math.max(value, 0), size - 1);
