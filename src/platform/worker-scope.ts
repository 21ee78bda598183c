/** The used part of the global object of a worker. */
interface WorkerScope {
  onconnect?: ((event: { readonly ports: readonly MessagePort[] }) => void) | null;
  onmessage?: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
}

/** The environment of a worker. */
export const workerEnvironment = () => ({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback: () => void, milliseconds: number): unknown => setTimeout(callback, milliseconds),
  clearTimeout: (handle: unknown) => clearTimeout(handle as number),
  fetch: (input: RequestInfo | URL, init?: RequestInit) => fetch(input, init),
  origin: globalThis.origin,
  /** Returns 128 random bits. `randomUUID` is missing in a page without https. */
  randomId: () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(""),
});

/** Answers each message that has a number: those of all pages in a shared worker, or those of the page that made the worker. */
export function serveWorker(answer: (data: unknown) => Promise<unknown>): void {
  const scope = globalThis as unknown as WorkerScope;
  const serve = async (port: Pick<WorkerScope, "postMessage">, data: unknown) => {
    const { id } = Object(data) as { id?: unknown };
    if (typeof id === "number") port.postMessage({ id, answer: await answer(data) });
  };
  if ("onconnect" in scope)
    scope.onconnect = ({ ports: [port] }) => {
      if (port) port.onmessage = ({ data }) => void serve(port, data);
    };
  else scope.onmessage = ({ data }) => void serve(scope, data);
}

/** The members of the worker's own address, which a page cannot change later. Undefined outside of a worker, or if `module` is not its script. */
export function configOfWorker(module: string): URLSearchParams | undefined {
  const { location, WorkerGlobalScope: isWorker } = globalThis as Partial<typeof globalThis> & { readonly WorkerGlobalScope?: unknown };
  return isWorker && location?.href === module ? new URL(location.href).searchParams : undefined;
}
