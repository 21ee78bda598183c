/** Everything that a session uses of the browser. `browserEnvironment()` makes the page's; a test gives its own. */
export interface Environment {
  /** The wall clock, in epoch milliseconds. It may jump. */
  now(): number;
  /** A monotonic clock, in milliseconds. It may stand still while the device sleeps. */
  monotonic(): number;
  /** A random number, 0 ≤ x < 1. */
  random(): number;
  /** Returns a handle for `clearTimeout`. */
  setTimeout(callback: () => void, milliseconds: number): unknown;
  clearTimeout(handle: unknown): void;
  /** Keeps the process alive until the promise settles, since a caller awaits it. Timers alone need not do so. @default none */
  keepAlive?: ((promise: Promise<unknown>) => void) | undefined;
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** The used part of Web Locks; undefined without support. */
  locks: Pick<LockManager, "request"> | undefined;
  /** Opens a channel that all tabs with the same `name` share; undefined without support. */
  openChannel: ((name: string) => Channel) | undefined;
  /** Returns the store of that `name`, which opens its connection at first use; undefined without support. */
  openStore: ((name: string) => Store) | undefined;
  /** The used part of WebCrypto; undefined without support. Only `dpop` uses it. @default the page's */
  crypto?: Pick<Crypto, "subtle" | "randomUUID"> | undefined;
  /** Calls the listener when the page changes. Returns a function that removes the listener. */
  onPageSignal(listener: (signal: PageSignal) => void): () => void;
  /**
   * Calls the listener when the user is active. Returns a function that removes the listener. Only `idleLimit` uses it.
   * @default the page's pointer, keys, scrolling and visibility
   */
  onActivity?: ((listener: () => void) => () => void) | undefined;
  /** Whether the page is hidden (`document.visibilityState`). @default false */
  readonly hidden?: boolean | undefined;
  /** Whether the browser prerenders the page, before the user opens it (`document.prerendering`). The signal `activate` ends it. @default false */
  readonly prerendering?: boolean | undefined;
  /** The page's origin; undefined in Node. */
  readonly origin: string | undefined;
  /** The base of relative URLs, as `fetch` has it. @default the origin */
  readonly baseUrl?: string | undefined;
  /** Tells the developer one sentence without tokens. `error`: an error that a listener threw. */
  report(message: string, error?: unknown): void;
}

/**
 * `wake`: the page became visible or got the focus, so the clock is checked again. `online`: the network is back.
 * `hide`: the page is left or frozen. `show`: the page is back. `activate`: the user opened the prerendered page.
 */
export type PageSignal = "wake" | "online" | "hide" | "show" | "activate";

/** The used part of `BroadcastChannel`. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  close(): void;
}

/** Stores one value that all tabs share, and a mark beside it. Transactions change both, in one order for all tabs. */
export interface Store {
  /**
   * Reads the value and the mark, and stores the result of `change`, which is synchronous. `undefined` leaves both as they are; any other
   * result removes the mark. The mark is negative if no transaction has written it yet, so that its order is not known. Calls `done` in the
   * task in which the store learns that the transaction is durable. Otherwise calls `fail` once, when it learns that the transaction failed.
   */
  transact(change: (value: unknown, mark: unknown) => unknown, done: () => void, fail: (error: unknown) => void): void;
  /**
   * Reads the value after all earlier transactions. Reads of all tabs run at the same time; those of `transact` run one after the other.
   * Otherwise calls `fail` once.
   */
  read(see: (value: unknown, mark: unknown) => void, fail: (error: unknown) => void): void;
  /**
   * Writes the mark within the task of the call, and reads nothing before. So the mark is written even if the page leaves in the same task.
   * Calls `done` when the mark is durable.
   */
  mark(mark: number, done: () => void): void;
  /**
   * Closes the connection after the running transactions; the next transaction opens it again. `leaving`: the page may stand still from now
   * on, and must not keep other tabs from writing. Transactions that have not read yet begin again with the next use.
   */
  close(leaving?: boolean): void;
}
