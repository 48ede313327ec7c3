/** EPICS process variables as HTML elements. Attributes: docs/reference/elements.md. */

import type { MonitorOptions, PVClient, PutValue, Update } from "./pycaserver.js";

/** Base of all elements of PVs; one of your own needs a `template` and `render`. */
export class EpicsElement extends HTMLElement {
  static observedAttributes: string[];
  /** Markup of the shadow root; of its parts the base fills label, units and state. */
  static template: string;
  static styles: readonly CSSStyleSheet[];
  /** Of the host, unless the page gives it another. */
  static role: string | null;
  /** Whether `pv` is a list of names with spaces between. */
  static isMultiple: boolean;
  /** Whether a click anywhere goes to the control inside. */
  static isControl: boolean;
  /** The attribute: macros are not replaced. */
  pv: string;
  readonly client: PVClient;
  /** The latest that is known of the first PV. */
  readonly update: Update;
  readonly updates: readonly Update[];
  /** The PVs that are watched, macros replaced. */
  readonly names: readonly string[];
  /** The attribute `label`, or the names. */
  readonly displayName: string;
  readonly options: MonitorOptions;
  /** What carries the accessible name: the host, or a control inside. */
  readonly named: Element;
  /** Shape, word, and what only screen readers are told, of the part "state". */
  readonly state: readonly [shape: string, word: string, unseen: string];
  connectedCallback(): void;
  disconnectedCallback(): void;
  attributeChangedCallback(name: string, old: string | null, now: string | null): void;
  /** Draw at the next frame. */
  renderSoon(): void;
  /** Ask anew for what is wanted now. */
  resubscribe(): void;
  /** Watch these PVs, and no others. */
  watch(names: readonly string[]): void;
  /** Every update, as it comes. */
  onUpdate(update: Update, index: number): void;
  /** No PV is watched any longer. */
  onLeave(): void;
  /** At most once per frame, and only after a change. */
  render(update: Update, updates: readonly Update[]): void;
  /** A part of the shadow root. */
  find(part: string): HTMLElement | null;
}

/** Base of the elements that write. */
export class WritableElement extends EpicsElement {
  /** Why nothing can be written now; empty if it can. */
  readonly reason: string;
  readonly mayWrite: boolean;
  /** Whether a write has not been answered yet. */
  readonly isPending: boolean;
  /** Whether the question is open that the attribute `confirm` asks for. */
  readonly isAsking: boolean;
  /** Whether something was written, and what the IOC made of it is not known yet. */
  readonly isHeld: boolean;
  /** The value to show: the one just written, until the IOC tells another. */
  readonly shown: Update["value"] | PutValue;
  /** After a confirmation, if the attribute `confirm` asks for one; whether it was written. */
  write(value: PutValue): Promise<boolean>;
  /** Text as a value of the PV's type. */
  writeText(text: string): Promise<boolean>;
  /** Without a question; the options go before the attributes `no-wait` and `timeout`, in seconds. */
  put(value: PutValue, options?: { wait?: boolean; timeout?: number }): Promise<boolean>;
  putText(text: string, options?: { wait?: boolean; timeout?: number }): Promise<boolean>;
  describeValue(value: PutValue): string;
}

/** What was written. */
export interface Written {
  readonly pv: string;
  readonly value: PutValue;
  /** Seconds. */
  readonly elapsed: number;
}

/** What was not. */
export interface RefusedWrite {
  readonly pv: string;
  readonly value: PutValue;
  /** The server's, or "read_only". */
  readonly code: string;
  readonly message: string;
}

/** Gives macros to all elements inside. */
export class EpicsScope extends HTMLElement {
  /** "NAME=value,NAME=value" */
  macros: string;
}

export class EpicsBar extends EpicsElement {}
export class EpicsButton extends WritableElement {}
export class EpicsEnum extends WritableElement {}
export class EpicsGauge extends EpicsElement {}
export class EpicsInput extends WritableElement {}
export class EpicsLed extends EpicsElement {
  readonly isOn: boolean;
}
export class EpicsSlider extends WritableElement {}
export class EpicsTable extends EpicsElement {}
export class EpicsToggle extends WritableElement {
  readonly isOn: boolean;
}
export class EpicsValue extends EpicsElement {}

/** What a plot shows, to keep and to give back. */
export interface PlotView {
  pvs?: readonly string[];
  /** What of x is in view: UNIX seconds, or indices; null for all. */
  zoom?: readonly [number, number] | null;
  paused?: boolean;
  scale?: "linear" | "log";
  /** Seconds, of a strip chart. */
  span?: number;
}

/** Base of the plots. */
export class EpicsPlot extends EpicsElement {
  pvs: readonly string[];
  addPV(pv: string): void;
  removePV(pv: string): void;
  paused: boolean;
  scale: "linear" | "log";
  zoom: readonly [number, number] | null;
  /** Two places on the x axis; null for none. */
  cursors: readonly [number, number] | null;
  view: PlotView;
  /** @param at place on the x axis that stays where it is; the middle by default */
  zoomBy(factor: number, at?: number): void;
  /** @param fraction of what is in view, to the right if above 0 */
  panBy(fraction: number): void;
  showAll(): void;
  togglePause(): void;
  /** What is in view. */
  toCSV(): Promise<string>;
  /** Give the person a file of it. */
  save(): Promise<void>;
}
export class EpicsStripchart extends EpicsPlot {
  /** Seconds. */
  span: number;
}
export class EpicsWaveform extends EpicsPlot {}
export class EpicsImage extends EpicsElement {
  paused: boolean;
  scale: "linear" | "log";
  colormap: string;
  /** The values at the ends of the colours; null before the first picture. */
  readonly range: readonly [number, number] | null;
  /** Pixels in a row, and rows. */
  readonly size: readonly [number, number];
}

declare global {
  interface HTMLElementTagNameMap {
    "epics-bar": EpicsBar;
    "epics-button": EpicsButton;
    "epics-enum": EpicsEnum;
    "epics-gauge": EpicsGauge;
    "epics-image": EpicsImage;
    "epics-input": EpicsInput;
    "epics-led": EpicsLed;
    "epics-scope": EpicsScope;
    "epics-slider": EpicsSlider;
    "epics-stripchart": EpicsStripchart;
    "epics-table": EpicsTable;
    "epics-toggle": EpicsToggle;
    "epics-value": EpicsValue;
    "epics-waveform": EpicsWaveform;
  }
  interface HTMLElementEventMap {
    "epics-written": CustomEvent<Written>;
    "epics-refused": CustomEvent<RefusedWrite>;
    "epics-view": CustomEvent<PlotView>;
  }
}
