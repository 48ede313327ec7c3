/// <reference lib="esnext.disposable" />
/** The JavaScript client of pycaserver: EPICS process variables for pages and programs. */

/** Of an array PV a typed array, or strings; of a scalar without elements null; before the first value undefined. */
export type PVValue =
  | number
  | string
  | bigint
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | BigInt64Array
  | BigUint64Array
  | readonly string[]
  | null
  | undefined;

/** What can be written; numbers that are not finite too. */
export type PutValue = number | string | bigint | ArrayBufferView | readonly (number | string | bigint)[];

export type Severity = "NO_ALARM" | "MINOR" | "MAJOR" | "INVALID";

/**
 * error: the server refused; stale: the server is out of reach; searching: not answered yet; disconnected: see
 * `reason`; connected: no value of this connection yet; live: the value is what the IOC has.
 */
export type Condition = "error" | "stale" | "searching" | "disconnected" | "connected" | "live";

export interface Limits {
  /** NaN where the record sets none. */
  readonly low: number;
  readonly high: number;
}

export interface Metadata {
  readonly type: "string" | "short" | "float" | "enum" | "char" | "long" | "double" | "int64";
  /** The native element count; above 1 the PV is an array. */
  readonly count: number;
  readonly units: string;
  /** Digits after the point, of float and double. */
  readonly precision: number | null;
  readonly enumStrings: readonly string[] | null;
  readonly display: Limits | null;
  readonly control: Limits | null;
  readonly warning: Limits | null;
  readonly alarm: Limits | null;
}

export interface Access {
  readonly read: boolean;
  readonly write: boolean;
}

/** Samples, oldest first. */
export interface History {
  readonly pv: string;
  /** UNIX seconds of the IOC. */
  readonly time: Float64Array;
  readonly value: Float64Array;
  readonly severity: readonly Severity[];
  /** The number of stretches of which only the least and the greatest sample are told; 0 for all samples. */
  readonly reduced: number;
}

/** All that is known of a PV at one moment. It never changes; the next moment has another one. */
export interface Update {
  readonly pv: string;
  /** What has changed. */
  readonly kind: "value" | "connection" | "metadata" | "access" | "error" | "stale" | "history";
  readonly condition: Condition;
  /** Whether values come from the IOC. */
  readonly connected: boolean;
  /** Why not. */
  readonly reason: "lost" | "not_found" | "read_denied" | null;
  /** UNIX seconds of the last contact with the IOC, when disconnected. */
  readonly since: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly value: PVValue;
  /** The number of elements, 1 for a scalar. */
  readonly count: number;
  /** UNIX seconds of the IOC; null before the first value. */
  readonly timestamp: number | null;
  readonly severity: Severity;
  readonly status: string;
  readonly units: string;
  /** An enum's state, or a char array that reads as text. */
  readonly text: string | null;
  /** How many older values were merged into this one by the server. */
  readonly coalesced: number;
  /** Points of the envelope (least, greatest, least, ...) that `value` is; 0 for the array itself. */
  readonly reduced: number;
  /** Index of the first element of `value` in the PV's array. */
  readonly first: number;
  readonly metadata: Metadata | null;
  readonly access: Access | null;
  /** Of kind "history" only. */
  readonly history: History | null;
}

export interface MonitorOptions {
  /** Values per second at most, in the long run; the newest wins, and the last is always delivered. */
  maxRate?: number;
  /** A scalar that differs by less from the one before is left out; a change of alarm never is. */
  deadband?: number;
  /** Index of the first element that is wanted. */
  first?: number;
  /** How many elements are wanted. */
  maxCount?: number;
  /** Points of an envelope that stands for a longer array. */
  reduce?: number;
  /** Seconds of kept samples that are wanted first, as an update of kind "history". */
  history?: number;
}

export interface Subscription {
  readonly pv: string;
  readonly options: Readonly<MonitorOptions>;
  /** The latest that is known, delivered or not. */
  readonly update: Update;
  close(): void;
  /** For `using`, where there is one. */
  [Symbol.dispose](): void;
}

export interface ConnectionState {
  readonly name: "connecting" | "open" | "waiting" | "closed";
  /** A sentence, unless open or connecting for the first time. */
  readonly why?: string;
  /** The WebSocket's close code. */
  readonly code?: number;
  /** Milliseconds of Date.now(), when waiting. */
  readonly retryAt?: number;
}

export interface PVInfo extends Metadata {
  readonly pv: string;
  /** Address and port of the IOC. */
  readonly host?: string;
  readonly access: Access;
  /** What the access rules alone allow; the rest is the IOC's doing. null: the server is older and does not tell. */
  readonly allowed: Access | null;
  /** Which access rule decided, as a sentence. */
  readonly rule: string;
  /** How many sessions subscribe to the PV. */
  readonly subscribers: number;
}

/** A transition of a PV in use. */
export interface PVEvent {
  readonly id: number;
  readonly time: number;
  readonly pv: string;
  readonly kind: "alarm" | "connection";
  readonly severity?: Severity;
  readonly status?: string;
  readonly value?: number | string | null;
  readonly conn?: boolean;
  readonly reason?: "lost" | "read_denied";
}

/** Transitions, oldest first. */
export interface Events {
  readonly events: readonly PVEvent[];
  /** How many were no longer kept. */
  readonly missed: number;
}

export type Token = string | (() => string | Promise<string>);

export interface ClientOptions {
  /** A bearer token, or what gives a fresh one; shown at each connection. */
  token?: Token;
  /** Ask for no values while the page is hidden; default true. */
  pauseWhenHidden?: boolean;
  /** The class to use; default that of the browser. */
  WebSocket?: new (url: string) => any;
  /** Seconds to wait for an answer, beyond those that the server may take; default 10. */
  requestTimeout?: number;
}

export interface ClientEventMap {
  state: CustomEvent<ConnectionState>;
  /** While somebody watches events. */
  events: CustomEvent<Events>;
  /** What is about no request and no PV that is watched. */
  error: CustomEvent<PVError>;
}

export class PVClient extends EventTarget {
  /** @param url of the server's page or WebSocket, http(s) or ws(s); default: the server that this module is from */
  constructor(url?: string | URL, options?: ClientOptions);
  readonly state: ConnectionState;
  /** The address of the WebSocket. */
  readonly url: string;
  /** Connect now, whatever the back-off says. */
  open(): void;
  /** Stay closed until `open`. */
  close(): void;
  /** No values until `resume`, which gives the newest ones at once. */
  pause(): void;
  resume(): void;
  monitor(pv: string, callback?: (update: Update) => void): Subscription;
  monitor(pv: string, options: MonitorOptions, callback?: (update: Update) => void): Subscription;
  /** Seconds; rejected with a PVError. */
  get(pv: string, options?: { timeout?: number }): Promise<Update>;
  /** One for each name, in their order; those that could not be read are of kind "error". */
  get(pvs: readonly string[], options?: { timeout?: number }): Promise<Update[]>;
  /** Kept when the IOC has completed all that the put causes, or with `wait` false when it is on its way. */
  put(
    pv: string,
    value: PutValue,
    options?: { wait?: boolean; timeout?: number },
  ): Promise<{ ok: true; sent: boolean; elapsed: number }>;
  info(pv: string): Promise<PVInfo>;
  history(pv: string, options?: { since?: number; seconds?: number; points?: number }): Promise<History>;
  events(options?: { since?: number; limit?: number }): Promise<Events>;
  /** What of the past is wanted first: the events after `since`, or the newest `limit`. */
  watchEvents(callback?: (told: Events) => void, options?: { since?: number; limit?: number }): { close(): void };
  /** The names that the server offers. */
  names(): Promise<string[]>;
  /** What this session is subscribed to. */
  list(): Promise<{ pv: string; connected: boolean; reason: string | null; since: number | null }[]>;
  authenticate(token: Token): Promise<{ user: string; expires: number | null }>;
  addEventListener<K extends keyof ClientEventMap>(
    type: K,
    listener: (event: ClientEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof ClientEventMap>(
    type: K,
    listener: (event: ClientEventMap[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** `code`: one of the server's, or "disconnected", "timeout", "bad_frame". */
export class PVError extends Error {
  constructor(code: string, message: string, pv?: string | null);
  readonly code: string;
  readonly pv: string | null;
}

/** The one client per server that all parts of a page use. */
export function sharedClient(url?: string | URL): PVClient;
