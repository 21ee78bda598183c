import { createKeeper, type Keeper, type KeeperOptions } from "../vault/keeper.js";
import type { Answer } from "../vault/protocol.js";
import type { Clock } from "./clock.js";
import type { Network } from "./network.js";
import { Tab } from "./tab.js";

/** The options of `keepTokens`: `clientId`, and either `issuer` or `tokenEndpoint`. */
export interface VaultWorkerOptions {
  clientId: string;
  issuer?: string;
  tokenEndpoint?: string;
  scope?: string;
  parameters?: Readonly<Record<string, string>>;
  revocationEndpoint?: string;
}

/** A worker in which the code of `keepTokens` runs. It lives as long as one of its tabs. */
interface LivingWorker {
  readonly loop: Tab;
  readonly keeper: Keeper;
  readonly owners: Set<Tab>;
}

type Listener = (event: { readonly data: unknown }) => void;

export interface WorkerParts {
  readonly clock: Clock;
  readonly network: Pick<Network, "fetchFor">;
  readonly origin: string | undefined;
  /** The time of a message, in milliseconds. */
  delay(from: Pick<Tab, "name">, to: Pick<Tab, "name">): number;
  /** Sees each message as the worker gets it. Returns what sees the answer as the worker sends it. */
  watch?(asker: Tab, worker: Tab, message: unknown): (answer: Answer) => void;
}

/** The shared workers of a browser, by their client. */
export class WorkerHub {
  /** All messages from tabs to workers, and all answers. */
  readonly posted: unknown[] = [];
  /** The last tab that asked for a renewal. */
  asker: Tab | undefined;
  readonly #parts: WorkerParts;
  readonly #living = new Map<string, LivingWorker>();
  #made = 0;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  /** The number of workers that live. */
  get count(): number {
    return this.#living.size;
  }

  /** Returns a function for the option `worker` of `vault`, in this tab. */
  connect(tab: Tab, options: KeeperOptions): () => SharedWorker {
    const key = JSON.stringify(options);
    return () => {
      const worker = this.#living.get(key) ?? this.#start(key, options);
      worker.owners.add(tab);
      return this.#objectFor(tab, worker) as unknown as SharedWorker;
    };
  }

  /** The same without a shared worker: each call of `connectAlone` has a worker of its own, as each tab has. */
  connectAlone(tab: Tab, options: KeeperOptions): () => Worker {
    const key = `${JSON.stringify(options)} ${++this.#made}`;
    return () => {
      const worker = this.#living.get(key) ?? this.#start(key, options);
      worker.owners.add(tab);
      const { port, ...rest } = this.#objectFor(tab, worker);
      const { close: _, start: __, ...line } = port;
      return { ...rest, ...line } as unknown as Worker;
    };
  }

  forget(tab: Tab): void {
    for (const [key, { owners, loop }] of this.#living) {
      if (!owners.delete(tab) || owners.size > 0) continue;
      loop.crash();
      this.#living.delete(key);
    }
  }

  /** Ends all workers, as a crash does. The tabs live on. */
  crash(): void {
    for (const { loop } of this.#living.values()) loop.crash();
    this.#living.clear();
  }

  #start(key: string, options: KeeperOptions): LivingWorker {
    const { clock, network, origin } = this.#parts;
    const loop = new Tab(clock, `worker ${++this.#made}`);
    let ids = 0;
    const keeper = createKeeper(options, {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimeout: (callback, milliseconds) => loop.setTimeout(callback, milliseconds),
      clearTimeout: (handle) => loop.clearTimeout(handle as Parameters<Tab["clearTimeout"]>[0]),
      fetch: network.fetchFor(loop, origin),
      origin,
      randomId: () => `${loop.name.replace(" ", "-")}-${++ids}`,
    });
    const worker = { loop, keeper, owners: new Set<Tab>() };
    this.#living.set(key, worker);
    return worker;
  }

  /** A `SharedWorker` with its port. */
  #objectFor(tab: Tab, { loop, keeper }: LivingWorker) {
    const listeners = new Set<Listener>();
    const answer = async (data: { readonly id?: unknown }) => {
      const sees = this.#parts.watch?.(tab, loop, data);
      const event = structuredClone({ id: data.id, answer: await keeper.answer(data) });
      if (loop.dead) return;
      sees?.(event.answer);
      this.posted.push(event);
      tab.post("message", this.#parts.delay(loop, tab), () => {
        for (const listener of [...listeners]) listener({ data: event });
      });
    };
    const port = {
      // A worker without a port of its own has the events of both.
      addEventListener: (type: string, listener: Listener) => void (type === "message" && listeners.add(listener)),
      removeEventListener: (type: string, listener: Listener) => void (type === "message" && listeners.delete(listener)),
      start() {},
      close: () => listeners.clear(),
      postMessage: (data: { readonly id?: unknown; readonly kind?: unknown }) => {
        if (data.kind === "refresh") this.asker = tab;
        const message = structuredClone(data);
        this.posted.push(message);
        loop.post("message", this.#parts.delay(tab, loop), () => void answer(message));
      },
    };
    return { port, addEventListener() {}, removeEventListener() {} };
  }
}
