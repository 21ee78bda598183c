import type { Channel, Environment } from "../types/environment.js";
import { indexedDbStore } from "./indexeddb.js";

/**
 * Makes an environment of the page's own clock, network, storage, locks, channels and signals. It is the default of the option `environment`.
 * `replaced`: members of the app's own, such as `{ fetch: tracedFetch }`. A spread of the result would freeze `hidden`, `prerendering` and
 * `baseUrl` at their present values.
 *
 * Node and server rendering may call it: there, it has no storage, no locks and no channels, so sessions share nothing. It never throws.
 */
export function browserEnvironment(replaced: Partial<Environment> = {}): Environment {
  const scope = globalThis as Partial<typeof globalThis> & { readonly WorkerGlobalScope?: unknown };
  // Node has a BroadcastChannel, too. But a server must not share sessions between requests, and a channel would keep its process alive.
  const page = scope.document ?? scope.WorkerGlobalScope;
  const environment: Environment = {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random: () => Math.random(),
    setTimeout(callback, milliseconds) {
      const handle: unknown = setTimeout(callback, milliseconds);
      (handle as { unref?: () => void }).unref?.();
      return handle;
    },
    clearTimeout: (handle) => clearTimeout(handle as number),
    keepAlive: page ? undefined : keepAlive,
    // Each call looks up the global `fetch`, since tools such as msw and tracing replace it.
    fetch: (input, init) => fetch(input, init),
    locks: page ? navigator.locks : undefined,
    crypto: scope.crypto,
    openChannel: page && scope.BroadcastChannel ? openChannel : undefined,
    openStore: page && scope.indexedDB ? indexedDbStore : undefined,
    onPageSignal(listener) {
      const undo: (() => void)[] = [];
      const listen = (target: EventTarget | undefined, type: string, handler: () => void, capture = false) => {
        target?.addEventListener(type, handler, { capture });
        undo.push(() => target?.removeEventListener(type, handler, { capture }));
      };
      if (page) {
        const { document } = scope;
        listen(document, "visibilitychange", () => document?.visibilityState === "visible" && listener("wake"));
        listen(document, "freeze", () => listener("hide"));
        listen(document, "resume", () => listener("show"));
        // The app's listener, which may be older than the session, calls after the session has heard of it.
        listen(document, "prerenderingchange", () => listener("activate"), true);
        listen(globalThis, "focus", () => listener("wake"));
        listen(globalThis, "online", () => listener("online"));
        listen(globalThis, "pagehide", () => listener("hide"));
        listen(globalThis, "pageshow", () => listener("show"));
      }
      return () => {
        for (const stop of undo) stop();
      };
    },
    get hidden() {
      return scope.document?.visibilityState === "hidden";
    },
    get prerendering() {
      return (scope.document as { readonly prerendering?: boolean } | undefined)?.prerendering;
    },
    // A sandboxed frame has the origin "null", but its address has an origin. A frame without an address has the origin of its parent.
    origin: page ? (scope.origin === "null" ? scope.location?.origin : scope.origin) : undefined,
    // A `<base>` may appear or change, so each use reads it.
    get baseUrl() {
      return scope.document?.baseURI ?? scope.location?.href;
    },
    report: (message, error) => console.error(`tokentide: ${message}`, ...(error === undefined ? [] : [error])),
  };
  return Object.defineProperties(environment, Object.getOwnPropertyDescriptors(replaced));
}

/** Keeps a Node process alive until the promise settles. Otherwise the process ends with its last timer or connection. */
function keepAlive(promise: Promise<unknown>): void {
  const timer = setInterval(() => {}, 0x7fff_ffff);
  const release = () => clearInterval(timer);
  promise.then(release, release);
}

function openChannel(name: string): Channel {
  const channel = new BroadcastChannel(name);
  (channel as { unref?: () => void }).unref?.();
  return channel as Channel;
}
