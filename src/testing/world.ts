import { browserEnvironment } from "../platform/browser.js";
import type { Environment } from "../types/environment.js";
import type { KeeperOptions } from "../vault/keeper.js";
import { type Chance, seeded } from "./chance.js";
import { ChannelHub } from "./channels.js";
import { Clock } from "./clock.js";
import { LockHub } from "./locks.js";
import { Network, nowhere } from "./network.js";
import type { Lacks, WorldTab as PublicTab, World as PublicWorld, WorldOptions } from "./public.js";
import { StoreHub } from "./store.js";
import { Tab, type Task } from "./tab.js";
import { WorkerHub } from "./workers.js";

export type { Lacks, WorldOptions };
export type WorldTab = Tab & PublicTab;

export class World implements PublicWorld {
  readonly clock: Clock;
  readonly channels: ChannelHub;
  readonly locks: LockHub;
  readonly stores: StoreHub;
  readonly network: Network;
  readonly workers: WorkerHub;
  readonly tabs: WorldTab[] = [];
  readonly origin: string | undefined;
  #chance: Chance;

  constructor(options: WorldOptions = {}) {
    const { instant = false } = options;
    const short = () => (instant ? 0 : 1);
    const { message = short, lock = short, store = short, network = () => 5 * short() } = options.delays ?? {};
    this.clock = (options.clock as Clock | undefined) ?? new Clock(2, { immediate: instant });
    this.origin = "origin" in options ? options.origin : "https://app.example.test";
    this.#chance = options.chance ?? seeded(1);
    this.channels = new ChannelHub(this.clock, message);
    this.locks = new LockHub(this.clock, lock);
    this.stores = new StoreHub(this.clock, store);
    this.network = new Network(this.clock, options.server ?? nowhere, network);
    this.workers = new WorkerHub({ clock: this.clock, network: this.network, origin: this.origin, delay: message });
  }

  tab(name: string | undefined = `tab ${this.tabs.length + 1}`, lacks: Lacks = {}): WorldTab {
    const tab = new Tab(this.clock, name);
    tab.onDeath.push(() => {
      this.channels.forget(tab);
      this.locks.forget(tab);
      this.stores.forget(tab);
      this.workers.forget(tab);
    });
    tab.onFreeze.push(() => this.stores.yieldFrom(tab));
    const worldTab = Object.assign(tab, { environment: this.#environment(tab, lacks) });
    this.tabs.push(worldTab);
    return worldTab;
  }

  vaultWorker(tab: WorldTab, options: KeeperOptions): () => SharedWorker {
    return this.workers.connect(tab, options);
  }

  crashWorkers(): void {
    this.workers.crash();
  }

  living(): WorldTab[] {
    return this.tabs.filter((tab) => !tab.dead);
  }

  leftovers(tab: WorldTab): Record<"timers" | "listeners" | "channels" | "connections" | "locks", number> {
    const locks = this.locks.names().flatMap((name) => [...this.locks.holders(name), ...this.locks.waiting(name)]);
    return {
      timers: tab.timers.size,
      listeners: tab.listeners.size + tab.activityListeners.size,
      channels: this.channels.openIn(tab),
      connections: this.stores.connections(tab),
      locks: locks.filter((name) => name === tab.name).length,
    };
  }

  #environment(tab: Tab, lacks: Lacks): Environment {
    return {
      now: () => this.clock.now(),
      monotonic: () => this.clock.monotonic(),
      random: () => this.#chance(),
      setTimeout: (callback, milliseconds) => tab.setTimeout(callback, milliseconds),
      clearTimeout: (handle) => tab.clearTimeout(handle as Task | undefined),
      fetch: this.network.fetchFor(tab, this.origin),
      locks: this.#locks(tab, lacks.locks),
      crypto: browserEnvironment().crypto,
      openChannel: this.#openChannel(tab, lacks.channel),
      openStore: lacks.store ? undefined : (name) => this.stores.open(tab, name),
      onPageSignal: (listener) => {
        tab.listeners.add(listener);
        return () => tab.listeners.delete(listener);
      },
      onActivity: (listener) => {
        tab.activityListeners.add(listener);
        return () => tab.activityListeners.delete(listener);
      },
      get hidden() {
        return tab.hidden;
      },
      get prerendering() {
        return tab.prerendering;
      },
      origin: this.origin,
      report: (message, error) => {
        tab.reports.push({ message, error });
      },
    };
  }

  #locks(tab: Tab, lack: Lacks["locks"]): Environment["locks"] {
    const denied = () => new DOMException("Access to the Locks API is denied in this context", "SecurityError");
    const throwing = (): never => {
      throw denied();
    };
    if (lack === true) return undefined;
    if (lack === "null") return null as unknown as undefined;
    if (lack === "throws") return { request: throwing as LockManager["request"] };
    if (lack === "rejects") return { request: (() => Promise.reject(denied())) as LockManager["request"] };
    if (lack === "never") return { request: neverGranted as LockManager["request"] };
    return this.locks.manager(tab);
  }

  #openChannel(tab: Tab, lack: Lacks["channel"]): Environment["openChannel"] {
    if (lack === true) return undefined;
    if (lack === "throws") {
      return () => {
        throw new DOMException("BroadcastChannel is not available here", "SecurityError");
      };
    }
    return (name) => this.channels.open(tab, name);
  }
}

/** A request for a lock that the browser never grants. Only the signal ends it. */
function neverGranted(_name: string, { signal }: LockOptions): Promise<unknown> {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
}
