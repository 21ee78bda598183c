import type { SessionError } from "../errors.js";
import type { Environment } from "../types/environment.js";

/** A timer that is later than this was held up by a busy main thread or a frozen page. */
const LATE_MS = 250;
/** The time that an answer gets after a late timer. */
const GRACE_MS = 1000;

/**
 * Calls `expire` at `end`, on the monotonic clock. Returns a function that cancels it. After a late timer, an answer may wait behind the timer
 * in the queue. So the answer gets some milliseconds more, `most` at most: a late timer must not cost a rotated token (R45).
 */
export function deadline(
  environment: Pick<Environment, "monotonic" | "setTimeout" | "clearTimeout">,
  end: number,
  expire: () => void,
  most = GRACE_MS,
): () => void {
  let timer = environment.setTimeout(() => {
    if (environment.monotonic() - end < LATE_MS) return expire();
    timer = environment.setTimeout(expire, Math.min(most, GRACE_MS));
  }, end - environment.monotonic());
  return () => environment.clearTimeout(timer);
}

/** A wait while the page is awake is made of parts of this length. */
const PART_MS = 500;

/** Calls `expire` after the page was awake for `milliseconds`. A part whose timer is late does not count: the page slept, stood still or was busy. */
export function awakeDeadline(environment: Environment, milliseconds: number, expire: () => void): () => void {
  let timer: unknown;
  const part = (left: number): void => {
    if (left <= 0) return expire();
    const length = Math.min(left, PART_MS);
    const end = environment.monotonic() + length;
    timer = environment.setTimeout(() => part(environment.monotonic() - end < LATE_MS ? left - length : left), length);
  };
  part(milliseconds);
  return () => environment.clearTimeout(timer);
}

/** The waits of one session object. They end when the app disposes of it. */
export interface Waits {
  readonly disposed: boolean;
  /**
   * Settles as the promise does. Resolves with undefined when `milliseconds` pass first, or when the app disposes of the session first. The
   * promise itself goes on. In a prerendered page, the time begins with the activation (R57).
   */
  within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined>;
  /** Does the same, and counts only the time for which the page is awake. */
  whileAwake<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined>;
  /** Calls `run` at once; in a prerendered page at its activation, or when the app disposes of the session first (R57). */
  whenActive(run: () => void): void;
  /** The user opens the prerendered page. */
  activate(): void;
  /** @throws {SessionError} `disposed` once the app has disposed of the session */
  assertAlive(): void;
  /** Ends all waits, since the app disposes of the session. */
  dispose(error: SessionError): void;
}

export function createWaits(environment: Environment): Waits {
  const underWay = new Set<() => void>();
  let disposed: SessionError | undefined;
  /** The functions that run when the user opens the prerendered page. Undefined in a page that the user has opened. */
  let dormant: (() => void)[] | undefined = environment.prerendering ? [] : undefined;

  function whenActive(run: () => void): void {
    if (dormant) dormant.push(run);
    else run();
  }

  function activate(): void {
    const waiting = dormant;
    dormant = undefined;
    waiting?.forEach((run) => void run());
  }

  /** `begin` starts the timer that ends the wait, and returns a function that cancels it. */
  function wait<T>(promise: Promise<T>, begin: (giveUp: () => void) => () => void): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      let stop = () => {};
      const giveUp = () => {
        stop();
        underWay.delete(giveUp);
        resolve(undefined);
      };
      underWay.add(giveUp);
      whenActive(() => {
        if (underWay.has(giveUp)) stop = begin(giveUp);
      });
      promise.then(resolve, reject).finally(giveUp);
    });
  }

  return {
    get disposed() {
      return disposed !== undefined;
    },
    within: (milliseconds, promise) =>
      wait(promise, (giveUp) => deadline(environment, environment.monotonic() + milliseconds, giveUp, milliseconds)),
    whileAwake: (milliseconds, promise) => wait(promise, (giveUp) => awakeDeadline(environment, milliseconds, giveUp)),
    whenActive,
    activate,
    assertAlive() {
      if (disposed) throw disposed;
    },
    dispose(error) {
      disposed = error;
      for (const giveUp of underWay) giveUp();
      activate();
    },
  };
}

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<unknown> => new Promise((resolve) => signal.addEventListener("abort", resolve));

/** The promise, for a caller who may abort. The promise itself goes on. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Keeps the process alive until the app's promise settles (R56). */
export function keepAlive<T>(environment: Environment, promise: Promise<T>): Promise<T> {
  environment.keepAlive?.(promise);
  return promise;
}
