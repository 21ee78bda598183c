import type { Channel, Environment } from "./environment.js";
import { indexedDbStore } from "./indexeddb.js";

/** The page's own clock, network, storage and signals. Safe to call in Node and during server rendering, where it shares nothing. */
export function browserEnvironment(): Environment {
  // Node has a BroadcastChannel too, but a server must not share sessions between requests, nor be kept alive.
  const page = typeof document === "object" || typeof WorkerGlobalScope === "function";
  const scope = globalThis as typeof globalThis & { document?: Document; origin?: string; location?: Location };
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random: () => Math.random(),
    setTimeout(callback, milliseconds) {
      const handle: unknown = setTimeout(callback, milliseconds);
      (handle as { unref?: () => void }).unref?.();
      return handle;
    },
    clearTimeout: (handle) => clearTimeout(handle as number),
    // Looked up at each call, so that tools which replace the global one (msw, tracing) are honoured.
    fetch: (input, init) => fetch(input, init),
    locks: page ? navigator.locks : undefined,
    openChannel: page && typeof BroadcastChannel === "function" ? openChannel : undefined,
    openStore: page && typeof indexedDB === "object" && indexedDB ? indexedDbStore : undefined,
    onPageSignal(listener) {
      const undo: (() => void)[] = [];
      const listen = (target: EventTarget | undefined, type: string, heard: () => void) => {
        target?.addEventListener(type, heard);
        undo.push(() => target?.removeEventListener(type, heard));
      };
      if (page) {
        const { document } = scope;
        listen(document, "visibilitychange", () => document?.visibilityState === "visible" && listener("wake"));
        listen(document, "freeze", () => listener("hide"));
        listen(document, "resume", () => listener("show"));
        listen(scope, "focus", () => listener("wake"));
        listen(scope, "online", () => listener("online"));
        listen(scope, "pagehide", () => listener("hide"));
        listen(scope, "pageshow", () => listener("show"));
      }
      return () => {
        for (const stop of undo) stop();
      };
    },
    get hidden() {
      return scope.document?.visibilityState === "hidden";
    },
    // "null" in a sandboxed frame.
    origin: page && scope.origin !== "null" ? scope.origin : undefined,
    // Read at each use: a `<base>` may appear or change.
    get baseUrl() {
      return scope.document?.baseURI ?? scope.location?.href;
    },
    report: (message, error) => console.error(`tokentide: ${message}`, ...(error === undefined ? [] : [error])),
  };
}

function openChannel(name: string): Channel {
  const channel = new BroadcastChannel(name);
  (channel as { unref?: () => void }).unref?.();
  return channel as Channel;
}

declare const WorkerGlobalScope: unknown;
