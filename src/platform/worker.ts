/** The used part of a `SharedWorker` or of a `Worker`. */
export type AnyWorker = SharedWorker | Worker;

/** Sends a message to the worker. Calls `onAnswer` with its answer, or `onError` when the browser cannot load it. Returns a function that ends the wait. */
export type WorkerLine = (message: object, onAnswer: (answer: unknown) => void, onError: () => void) => () => void;

/** The last number of a call, among all lines of this page. */
let calls = 0;

/**
 * Makes the line to a worker. A shared worker lives as long as a page holds it, so the line holds the first one; and each call has a port of its
 * own, since a port to a worker that has ended is silent. In the shared case, `make` is called for each call.
 *
 * @throws the line throws what `make` throws, and a `TypeError` when `make` returns the other kind of worker
 */
export function connectWorker(make: () => AnyWorker, shared: boolean): { hold(): void; readonly send: WorkerLine } {
  let held: AnyWorker | undefined;
  /** Whether the worker of this tab has answered. After that, an error event tells of a mistake in its script, and the worker goes on. */
  let answered = false;

  const isLoadError = () => shared || !answered;

  function next(): AnyWorker {
    const worker = shared || !held ? make() : held;
    if (Object(worker) !== worker || "port" in worker !== shared)
      throw new TypeError(`the worker must be a ${shared ? "SharedWorker" : "Worker, since all tabs do not share it"}`);
    if (!held) {
      held = worker;
      // A worker that did not load is silent, and holds nothing. So the next call makes another one.
      worker.addEventListener("error", () => {
        if (held === worker && isLoadError()) held = undefined;
      });
    }
    return worker;
  }

  return {
    hold() {
      held ?? next();
    },
    send(message, onAnswer, onError) {
      const id = ++calls;
      const first = !held;
      const worker = next();
      const port = "port" in worker ? worker.port : worker;
      const hear = (event: Event) => {
        const { data } = event as MessageEvent<{ id?: unknown; answer?: unknown } | undefined>;
        if (data?.id !== id) return;
        stop();
        answered = true;
        onAnswer(data.answer);
      };
      const fail = () => {
        if (!isLoadError()) return;
        stop();
        onError();
      };
      const stop = () => {
        port.removeEventListener("message", hear);
        worker.removeEventListener("error", fail);
        if ("close" in port && !first) port.close();
      };
      port.addEventListener("message", hear);
      worker.addEventListener("error", fail);
      if ("start" in port) port.start();
      port.postMessage({ ...message, id });
      return stop;
    },
  };
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): { createScriptURL(address: string): string };
}

/** A page that wants Trusted Types takes the address of a worker from a policy only. A page can make a policy of one name once. */
let policy: ReturnType<TrustedTypes["createPolicy"]> | undefined;

function trusted({ href }: URL): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  try {
    policy ??= trustedTypes?.createPolicy("tokentide", { createScriptURL: String });
  } catch {
    // The page's policy does not name this one. The browser then says whether it takes a text.
  }
  return policy ? policy.createScriptURL(href) : href;
}

/** Makes a worker from an address of the page's own origin. `<base>` does not count. `config`: what the worker reads from its address. */
export function workerAt(address: string, shared: boolean, config: Readonly<Record<string, string | undefined>>): AnyWorker {
  const url = new URL(address, globalThis.origin);
  for (const [name, value] of Object.entries(config)) if (value) url.searchParams.set(name, value);
  const options = { type: "module", name: "tokentide", extendedLifetime: true } as const;
  return shared ? new SharedWorker(trusted(url), options) : new Worker(trusted(url), options);
}
