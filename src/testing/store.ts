import type { Store } from "../types/environment.js";
import type { Clock } from "./clock.js";
import { Marks } from "./marks.js";
import type { Tab } from "./tab.js";
import { markTransaction, type Transaction } from "./transaction.js";
import { Wire } from "./wire.js";

/**
 * `denied`: the browser does not open the database, as with blocked site data. `full`: reads succeed, writes fail.
 * `hanging`: no transaction ever ends.
 */
export type StoreTrouble = "none" | "denied" | "full" | "hanging";

/**
 * A stand-in for IndexedDB, with one value for each name. Transactions of all tabs run in one order; transactions that only read run side by
 * side. Values are cloned, and each step takes time.
 */
export class StoreHub {
  /** All writes that became durable, in their order. */
  readonly writes: { tab: string; name: string; value: unknown; at: number }[] = [];
  /** The trouble of a tab's database. A test sets this function. */
  trouble: (tab: Tab) => StoreTrouble = () => "none";
  /** Called at the instant at which a write becomes durable. */
  onWrite: (write: { tab: string; value: unknown }) => void = () => {};
  /** The number of transactions that all tabs have begun. */
  transactions = 0;
  #clock: Clock;
  #delay: (tab: Tab) => number;
  #values = new Map<string, unknown>();
  #marks = new Marks();
  /** The stores whose first transaction has come to the database. */
  #connected = new Set<Store>();
  /** The marks that wait for the connection of their store. */
  #unwritten = new Map<Store, Transaction>();
  #queues = new Map<string, Transaction[]>();
  #active = new Map<string, Set<Transaction>>();
  #wires = new Map<Tab, Wire>();
  /** A page gets the events of its transactions in their order. */
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
        let found: [value: unknown, mark: unknown] = [undefined, undefined];
        const change = (...both: typeof found) => {
          found = both;
        };
        this.#transact(store, { tab, name, change, done: () => see(...found), fail, reads: true, state: "waiting" });
      },
      mark: (mark, done) => {
        this.#marks.keep(name, mark);
        const transaction = markTransaction(tab, name, mark, () => {
          this.#marks.forget(name, mark);
          done();
        });
        if (!this.#connected.has(store)) this.#unwritten.set(store, transaction);
        else if (this.trouble(tab) === "none") this.#send(transaction);
      },
      close: () => {
        this.#connected.delete(store);
        this.#connections.get(tab)?.delete(store);
      },
    };
    return store;
  }

  connections(tab: Tab): number {
    return this.#connections.get(tab)?.size ?? 0;
  }

  names = (): string[] => [...this.#values.keys()];

  read(name: string): unknown {
    return structuredClone(this.#values.get(name));
  }

  /** Writes a value without a transaction, as an older version of the app or a broken disk would. */
  plant(name: string, value: unknown): void {
    this.#values.set(name, structuredClone(value));
  }

  /** The mark that a sign-out wrote, until a transaction has removed it. */
  markOf(name: string): number | undefined {
    return this.#marks.of(name);
  }

  /** The user clears the site's data. */
  clear(): void {
    this.#values.clear();
    this.#marks.clear();
  }

  /** Drops the transactions of a dead tab that were not durable. */
  forget(tab: Tab): void {
    this.#connections.delete(tab);
    for (const [name, queue] of this.#queues)
      this.#queues.set(
        name,
        queue.filter((waiting) => waiting.tab !== tab || waiting.mark !== undefined),
      );
    for (const active of this.#activeOf(tab)) if (active.mark === undefined) this.#end(active);
    // Transactions of other tabs waited behind the dropped ones.
    for (const name of this.#queues.keys()) this.#clock.between(0, () => this.#pump(name));
  }

  /**
   * A frozen page must not block the database of other tabs. A browser aborts the page's transaction, and the page's store begins it again.
   * Here the transaction moves to the end of the queue when the page runs again.
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
    this.#send(transaction, () => this.#connect(store, tab));
  }

  #connect(store: Store, tab: Tab): void {
    if (tab.dead || !this.#connections.get(tab)?.has(store)) return;
    this.#connected.add(store);
    const mark = this.#unwritten.get(store);
    if (mark && this.#unwritten.delete(store) && this.#marks.keptOf(mark.name) === mark.mark) this.#enqueue(mark);
  }

  #send(transaction: Transaction, arrived: () => void = () => {}): void {
    const { tab } = transaction;
    const wire = this.#wires.get(tab) ?? new Wire(this.#clock);
    this.#wires.set(tab, wire);
    wire.send(this.#delay(tab), () => {
      arrived();
      this.#enqueue(transaction);
    });
  }

  #enqueue(transaction: Transaction): void {
    const { tab, name } = transaction;
    if (tab.dead && transaction.mark === undefined) return;
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
      if (begun.mark !== undefined) {
        this.#writeMark(begun, begun.mark);
        return;
      }
      begun.state = "reading";
      this.#tell(begun.tab, () => this.#step(begun));
      if (begun.tab.frozen) this.yieldFrom(begun.tab);
    }
  }

  /** Runs in the browser, whether the page lives or not. */
  #writeMark(transaction: Transaction, mark: number): void {
    const { tab, name, done } = transaction;
    transaction.state = "writing";
    this.#clock.between(this.#delay(tab), () => {
      this.#end(transaction);
      this.#marks.store(name, mark);
      if (!tab.dead) this.#tell(tab, done);
    });
  }

  /** Runs in the page: hands the value to the transaction, and writes the next value. */
  #step(transaction: Transaction): void {
    const { tab, name, fail } = transaction;
    if (transaction.state !== "reading") return;
    const kept = this.#marks.keptOf(name);
    let next: unknown;
    try {
      next = structuredClone(transaction.change(structuredClone(this.#values.get(name)), this.markOf(name)));
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
        this.#marks.remove(name, kept);
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
    // The next transaction starts after the caller's write, and reads its value.
    this.#clock.between(0, () => this.#pump(transaction.name));
  }
}
