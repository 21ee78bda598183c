/** Everything the session takes from outside. A test hands in its own; `browserEnvironment()` is the page's. */
export interface Environment {
  /** Wall clock, epoch milliseconds. May jump. */
  now(): number;
  /** Milliseconds that never run backwards; need not advance while the device sleeps. */
  monotonic(): number;
  /** 0 ≤ x < 1. */
  random(): number;
  setTimeout(callback: () => void, milliseconds: number): unknown;
  clearTimeout(handle: unknown): void;
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Web Locks, or the part of it that is used; undefined where there is none. */
  locks: Pick<LockManager, "request"> | undefined;
  /** Undefined where there is none. */
  openChannel: ((name: string) => Channel) | undefined;
  /** Undefined where there is none. Opened at the first use of what it returns. */
  openStore: ((name: string) => Store) | undefined;
  /** What happens to the page. Returns its undo. */
  onPageSignal(listener: (signal: PageSignal) => void): () => void;
  /** Hears that somebody is there. Returns its undo. Used by `idleLimit` only. @default the page's pointer, keys, scrolling and visibility */
  onActivity?: ((listener: () => void) => () => void) | undefined;
  /** Whether nobody can see the page. @default false */
  readonly hidden?: boolean | undefined;
  /** The page's origin; undefined in Node. */
  readonly origin: string | undefined;
  /** What relative URLs are resolved against, as `fetch` does it. @default the origin */
  readonly baseUrl?: string | undefined;
  /** For the developer: a single redacted sentence, or what a listener threw. */
  report(message: string, error?: unknown): void;
}

/**
 * `wake`: look at the clock again (visible, focus). `online`: the network is back.
 * `hide`: the page is leaving or being frozen. `show`: it is back.
 */
export type PageSignal = "wake" | "online" | "hide" | "show";

/** The part of BroadcastChannel that is used. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  close(): void;
}

/** One value per key, shared by all tabs, changed by transactions that are ordered for all of them. */
export interface Store {
  /**
   * Reads the value, lets `change` compute the next one (synchronously; `undefined` leaves it), and calls `done` in the very task in
   * which the transaction is known to be durable. `fail` is called instead, once, when it is known not to have happened.
   */
  transact(change: (value: unknown) => unknown, done: () => void, fail: (error: unknown) => void): void;
  /**
   * Hands over the value as the transactions before it left it. Those of all tabs read at the same time, where `transact` lets one after the
   * other in. `fail` is called instead, once, when it could not be read.
   */
  read(see: (value: unknown) => void, fail: (error: unknown) => void): void;
  /**
   * Lets go of the connection when the transactions under way are over; the next one opens it again. `leaving`: the page may stand still
   * from now on, and must not keep others from writing. What has read nothing yet is begun again with the next use.
   */
  close(leaving?: boolean): void;
}
