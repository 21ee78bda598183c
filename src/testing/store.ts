import type { Store } from "../platform/environment.js";
import type { Clock } from "./clock.js";
import type { Tab } from "./tab.js";
import { Wire } from "./wire.js";

/**
 * `denied`: cannot be opened (private mode, blocked site data). `full`: reads work, writes do not. `hanging`: nothing ever comes back.
 */
export type StoreTrouble = "none" | "denied" | "full" | "hanging";

interface Transaction {
  readonly tab: Tab;
  readonly name: string;
  readonly change: (value: unknown) => unknown;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
  readonly reads: boolean;
  state: "waiting" | "reading" | "writing" | "over";
}

/**
 * A stand-in for IndexedDB: one value per name, transactions in one order for all tabs, those that only read side by side, values cloned,
 * every step taking its time.
 */
export class StoreHub {
  /** Every write that became durable. */
  readonly writes: { tab: string; name: string; value: unknown; at: number }[] = [];
  trouble: (tab: Tab) => StoreTrouble = () => "none";
  /** Called in the moment in which a write becomes durable. */
  onWrite: (write: { tab: string; value: unknown }) => void = () => {};
  /** How often any tab began a transaction. */
  transactions = 0;
  #clock: Clock;
  #delay: (tab: Tab) => number;
  #values = new Map<string, unknown>();
  #queues = new Map<string, Transaction[]>();
  #active = new Map<string, Set<Transaction>>();
  #wires = new Map<Tab, Wire>();
  /** A page hears of its transactions in order: that one is complete before the next one has read. */
  #answers = new Map<Tab, Wire>();
  #connections = new Map<Tab, Set<object>>();

  constructor(clock: Clock, delay: (tab: Tab) => number) {
    this.#clock = clock;
    this.#delay = delay;
  }

  open(tab: Tab, name: string): Store {
    const store: Store = {
      transact: (change, done, fail) => this.#transact(store, { tab, name, change, done, fail, reads: false, state: "waiting" }),
      read: (see, fail) => {
        let found: unknown;
        const change = (value: unknown) => {
          found = value;
        };
        this.#transact(store, { tab, name, change, done: () => see(found), fail, reads: true, state: "waiting" });
      },
      close: () => this.#connections.get(tab)?.delete(store),
    };
    return store;
  }

  connections(tab: Tab): number {
    return this.#connections.get(tab)?.size ?? 0;
  }

  names(): string[] {
    return [...this.#values.keys()];
  }

  read(name: string): unknown {
    return structuredClone(this.#values.get(name));
  }

  /** As if another program, an older version or a broken disk had written it. */
  plant(name: string, value: unknown): void {
    this.#values.set(name, structuredClone(value));
  }

  /** The user clears the site's data. */
  clear(): void {
    this.#values.clear();
  }

  /** A transaction of a page that is gone never happened, unless it was durable already. */
  forget(tab: Tab): void {
    this.#connections.delete(tab);
    for (const [name, queue] of this.#queues)
      this.#queues.set(
        name,
        queue.filter((waiting) => waiting.tab !== tab),
      );
    for (const active of this.#activeOf(tab)) this.#end(active);
    // Who waited behind one of these.
    for (const name of this.#queues.keys()) this.#clock.between(0, () => this.#pump(name));
  }

  /**
   * A page that stands still keeps nobody from the database: its browser aborts the transaction, or its store has done so when it left, and
   * begins it again. So here it only goes to the end of the queue once the page is back.
   */
  yieldFrom(tab: Tab): void {
    for (const active of this.#activeOf(tab)) {
      if (active.state !== "reading" || !this.#queues.get(active.name)?.length) continue;
      this.#end(active);
      tab.post("store", 0, () => this.#enqueue(active));
    }
  }

  #transact(store: Store, transaction: Transaction): void {
    const { tab, fail } = transaction;
    if (tab.dead) return;
    this.transactions += 1;
    this.#connections.set(tab, (this.#connections.get(tab) ?? new Set()).add(store));
    const trouble = this.trouble(tab);
    if (trouble === "hanging") return;
    if (trouble === "denied") {
      tab.post("store", this.#delay(tab), () =>
        fail(new DOMException("The user denied permission to access the database.", "SecurityError")),
      );
      return;
    }
    const wire = this.#wires.get(tab) ?? new Wire(this.#clock);
    this.#wires.set(tab, wire);
    wire.send(this.#delay(tab), () => this.#enqueue(transaction));
  }

  #enqueue(transaction: Transaction): void {
    const { tab, name } = transaction;
    if (tab.dead) return;
    transaction.state = "waiting";
    this.#queues.set(name, [...(this.#queues.get(name) ?? []), transaction]);
    for (const active of this.#active.get(name) ?? []) if (active.tab.frozen) this.yieldFrom(active.tab);
    this.#pump(name);
  }

  #activeOf(tab: Tab): Transaction[] {
    return [...this.#active.values()].flatMap((active) => [...active].filter((transaction) => transaction.tab === tab));
  }

  #pump(name: string): void {
    const queue = this.#queues.get(name) ?? [];
    const active = this.#active.get(name) ?? new Set();
    this.#active.set(name, active);
    for (let next = queue[0]; next && (active.size === 0 || (next.reads && [...active].every(({ reads }) => reads))); next = queue[0]) {
      queue.shift();
      const begun = next;
      active.add(begun);
      begun.state = "reading";
      this.#tell(begun.tab, () => this.#step(begun));
      if (begun.tab.frozen) this.yieldFrom(begun.tab);
    }
  }

  /** In the page: the value has been read, and the next one is written. */
  #step(transaction: Transaction): void {
    const { tab, name, fail } = transaction;
    if (transaction.state !== "reading") return;
    let next: unknown;
    try {
      next = structuredClone(transaction.change(structuredClone(this.#values.get(name))));
    } catch (error) {
      this.#end(transaction);
      this.#tell(tab, () => fail(error));
      return;
    }
    if (transaction.reads) {
      this.#end(transaction);
      transaction.done();
      return;
    }
    transaction.state = "writing";
    this.#clock.between(this.#delay(tab), () => {
      if (transaction.state !== "writing") return;
      this.#end(transaction);
      if (next !== undefined && this.trouble(tab) === "full") {
        this.#tell(tab, () => fail(new DOMException("The disk is full.", "QuotaExceededError")));
        return;
      }
      if (next !== undefined) {
        this.#values.set(name, next);
        this.writes.push({ tab: tab.name, name, value: next, at: this.#clock.monotonic() });
        this.onWrite({ tab: tab.name, value: next });
      }
      this.#tell(tab, transaction.done);
    });
  }

  #tell(tab: Tab, run: () => void): void {
    const wire = this.#answers.get(tab) ?? new Wire(this.#clock);
    this.#answers.set(tab, wire);
    tab.post("store", wire.delay(this.#delay(tab)), run);
  }

  #end(transaction: Transaction): void {
    transaction.state = "over";
    this.#active.get(transaction.name)?.delete(transaction);
    // After the caller has written: the next transaction reads what this one left.
    this.#clock.between(0, () => this.#pump(transaction.name));
  }
}
