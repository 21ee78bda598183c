import type { Clock } from "./clock.js";
import type { Tab } from "./tab.js";
import { Wire } from "./wire.js";

interface Waiting {
  readonly tab: Tab;
  readonly name: string;
  readonly mode: LockMode;
  readonly callback: (lock: Lock | null) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  state: "waiting" | "granted" | "aborted" | "released";
}

type Grant = (lock: Lock | null) => unknown;

/** Web Locks of one origin, as the specification defines them. Each request, grant and release takes time. */
export class LockHub {
  /** All grants, in their order. */
  readonly grants: { tab: string; name: string; at: number }[] = [];
  #clock: Clock;
  #delay: (tab: Tab) => number;
  #queue: Waiting[] = [];
  #held: Waiting[] = [];
  #wires = new Map<Tab, Wire>();

  constructor(clock: Clock, delay: (tab: Tab) => number) {
    this.#clock = clock;
    this.#delay = delay;
  }

  manager(tab: Tab): Pick<LockManager, "request"> {
    const request = (name: string, second: LockOptions | Grant, third?: Grant): Promise<unknown> => {
      const callback = typeof second === "function" ? second : (third as Grant);
      return this.#request(tab, name, typeof second === "function" ? {} : second, callback);
    };
    return { request: request as LockManager["request"] };
  }

  holders(name: string): string[] {
    return this.#held.filter((held) => held.name === name).map((held) => held.tab.name);
  }

  /** How many callbacks of a tab hold a lock, as the tab sees it. A release reaches the browser later. */
  runningIn(tab: Tab): number {
    return this.#held.filter((held) => held.tab === tab && held.state === "granted").length;
  }

  names(): string[] {
    return [...new Set([...this.#held, ...this.#queue].map((waiting) => waiting.name))];
  }

  waiting(name: string): string[] {
    return this.#queue.filter((waiting) => waiting.name === name).map((waiting) => waiting.tab.name);
  }

  /** Releases the locks of a dead tab, and removes its requests. */
  forget(tab: Tab): void {
    this.#clock.between(this.#delay(tab), () => {
      this.#queue = this.#queue.filter((waiting) => waiting.tab !== tab);
      this.#held = this.#held.filter((held) => held.tab !== tab);
      this.#pump();
    });
  }

  #request(tab: Tab, name: string, options: LockOptions, callback: Grant): Promise<unknown> {
    const { signal, steal = false, ifAvailable = false, mode = "exclusive" } = options;
    if (tab.dead) return new Promise(() => {});
    if (name.startsWith("-")) return Promise.reject(new DOMException("Names cannot start with '-'", "NotSupportedError"));
    if ((steal && ifAvailable) || (signal && (steal || ifAvailable)) || (steal && mode !== "exclusive")) {
      return Promise.reject(new DOMException("These options cannot be used together", "NotSupportedError"));
    }
    if (signal?.aborted) return Promise.reject(signal.reason as unknown);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { tab, name, mode, callback, resolve, reject, state: "waiting" };
      signal?.addEventListener("abort", () => this.#abort(waiting, signal), { once: true });
      const wire = this.#wires.get(tab) ?? new Wire(this.#clock);
      this.#wires.set(tab, wire);
      wire.send(this.#delay(tab), () => {
        if (tab.dead || waiting.state === "aborted") return;
        if (steal) this.#steal(waiting);
        else if (ifAvailable && !this.#grantable(waiting, this.#queue)) tab.post("lock", this.#delay(tab), () => this.#hold(waiting, null));
        else this.#queue.push(waiting);
        this.#pump();
      });
    });
  }

  /** A signal aborts only a request that waits. After the grant the signal has no effect. */
  #abort(waiting: Waiting, signal: AbortSignal): void {
    if (waiting.tab.dead || waiting.state !== "waiting") return;
    waiting.state = "aborted";
    waiting.reject(signal.reason);
    this.#clock.between(this.#delay(waiting.tab), () => {
      this.#queue = this.#queue.filter((other) => other !== waiting);
      this.#pump();
    });
  }

  #steal(thief: Waiting): void {
    for (const robbed of this.#held.filter((held) => held.name === thief.name)) {
      robbed.tab.post("lock", this.#delay(robbed.tab), () => robbed.reject(new DOMException("Lock was stolen", "AbortError")));
    }
    this.#held = this.#held.filter((held) => held.name !== thief.name);
    this.#queue.unshift(thief);
  }

  #grantable(candidate: Waiting, before: Waiting[]): boolean {
    const against = (other: Waiting) => other.name === candidate.name && (other.mode === "exclusive" || candidate.mode === "exclusive");
    return !this.#held.some(against) && !before.some((other) => other.name === candidate.name);
  }

  #pump(): void {
    const rest: Waiting[] = [];
    for (const waiting of this.#queue) {
      if (!this.#grantable(waiting, rest)) {
        rest.push(waiting);
        continue;
      }
      this.#held.push(waiting);
      waiting.tab.post("lock", this.#delay(waiting.tab), () => this.#granted(waiting));
    }
    this.#queue = rest;
  }

  #granted(waiting: Waiting): void {
    if (waiting.state === "aborted") this.#release(waiting);
    if (waiting.state === "aborted" || !this.#held.includes(waiting)) return;
    this.grants.push({ tab: waiting.tab.name, name: waiting.name, at: this.#clock.monotonic() });
    this.#hold(waiting, { name: waiting.name, mode: waiting.mode });
  }

  #hold(waiting: Waiting, lock: Lock | null): void {
    waiting.state = "granted";
    let outcome: Promise<unknown>;
    try {
      outcome = Promise.resolve(waiting.callback(lock));
    } catch (error) {
      outcome = Promise.reject(error);
    }
    const end = (settle: (value: unknown) => void) => (value: unknown) => {
      if (waiting.tab.dead) return;
      waiting.state = "released";
      this.#release(waiting);
      settle(value);
    };
    outcome.then(end(waiting.resolve), end(waiting.reject));
  }

  #release(waiting: Waiting): void {
    this.#clock.between(this.#delay(waiting.tab), () => {
      this.#held = this.#held.filter((held) => held !== waiting);
      this.#pump();
    });
  }
}
