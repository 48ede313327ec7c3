/** The curves of a plot, by PV: they outlive a new subscription, and keep their colours when others go. */

export class Curves {
  #make;
  /** @type {Map<string, import("./curve.js").Curve>} */
  #curves = new Map();

  /** @param {(pv: string, index: number) => import("./curve.js").Curve} make */
  constructor(make) {
    this.#make = make;
  }

  /**
   * @param {string[]} names those of all others are forgotten
   * @param {readonly import("../pycaserver.js").Update[]} updates of each
   */
  follow(names, updates) {
    for (const name of this.#curves.keys()) if (!names.includes(name)) this.#curves.delete(name);
    return names.map((name, at) => this.#curves.get(name) ?? this.#add(name, updates[at]));
  }

  #add(name, update) {
    const used = new Set([...this.#curves.values()].map(({ index }) => index));
    const free = Array.from({ length: used.size + 1 }, (_, index) => index).find((index) => !used.has(index));
    const curve = this.#make(name, free);
    curve.update = update;
    this.#curves.set(name, curve);
    return curve;
  }
}
