/**
 * Some of Node's globals, made fast; the bundler puts them in place of the real ones. `structuredClone` of Node 20 goes through a message
 * port, and aborting makes an error with a stack trace: together they would be most of what a simulation does.
 *
 * What nobody can change need not be copied: it is frozen, and whoever writes to what it has stored, sent or received throws.
 */
export function structuredClone<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const key of Object.keys(value)) structuredClone((value as Record<string, unknown>)[key]);
  }
  return value;
}

type Listener = () => void;
const ABORTED = new Error("aborted");

class FastSignal {
  aborted = false;
  reason: unknown;
  #listeners: Listener[] = [];

  addEventListener(_type: "abort", listener: Listener): void {
    if (!this.#listeners.includes(listener)) this.#listeners.push(listener);
  }

  removeEventListener(_type: "abort", listener: Listener): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  dispatch(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}

class FastController {
  readonly signal = new FastSignal();

  abort(reason: unknown = ABORTED): void {
    this.signal.dispatch(reason);
  }
}

const parts = new WeakMap<globalThis.Request, RequestInit>();

/** A request that takes the signals of this file. Only `partsOf` tells its signal. */
class PlainRequest extends globalThis.Request {
  constructor(input: RequestInfo | URL, init: RequestInit = {}) {
    const { signal: _, ...rest } = init;
    super(input, rest);
    parts.set(this, init);
  }
}

/** Of what a request was made. Its own body is a stream, which takes turns of the event loop. */
export const partsOf = (request: globalThis.Request): RequestInit => parts.get(request) ?? {};

export { FastController as AbortController, PlainRequest as Request };
