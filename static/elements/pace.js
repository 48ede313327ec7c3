/** When to draw: so many times a second at most, and never what nobody sees. */

const LEAST_INTERVAL = 50;

export class Pace {
  #draw;
  #interval;
  #observer;
  #isDue = false;
  #isSeen = false;
  #timer = 0;
  #frame = 0;
  #drawnAt = -Infinity;

  /**
   * @param {Element} element that has to be in view
   * @param {() => void} draw called in an animation frame
   * @param {() => number} [interval] milliseconds between two drawings; 50 at least
   */
  constructor(element, draw, interval = () => LEAST_INTERVAL) {
    this.#draw = draw;
    this.#interval = interval;
    this.element = element;
  }

  /** Begin to look whether the element is in view. */
  start() {
    this.#observer = new IntersectionObserver((entries) => this.#see(entries.at(-1).isIntersecting));
    this.#observer.observe(this.element);
    document.addEventListener("visibilitychange", this.#schedule);
  }

  stop() {
    this.#observer?.disconnect();
    document.removeEventListener("visibilitychange", this.#schedule);
    this.#cancel();
    this.#isSeen = false;
  }

  /** Something has changed. */
  request() {
    this.#isDue = true;
    this.#schedule();
  }

  /** Something has changed by a person's hand, who wants to see it now. */
  hurry() {
    this.#drawnAt = -Infinity;
    this.#cancel();
    this.request();
  }

  #see(isSeen) {
    this.#isSeen = isSeen;
    this.#schedule();
  }

  #schedule = () => {
    if (!this.#isDue || this.#timer || this.#frame || !this.#isSeen || document.hidden) return;
    const wait = this.#drawnAt + Math.max(LEAST_INTERVAL, this.#interval()) - performance.now();
    if (wait > 0) this.#timer = setTimeout(this.#atFrame, wait);
    else this.#atFrame();
  };

  #atFrame = () => {
    this.#timer = 0;
    this.#frame = requestAnimationFrame(this.#go);
  };

  #go = () => {
    this.#frame = 0;
    if (!this.#isSeen) return;
    this.#isDue = false;
    this.#drawnAt = performance.now();
    this.#draw();
  };

  #cancel() {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#timer = this.#frame = 0;
  }
}
