import type { Store } from "../../src/types/environment.js";

interface Transaction {
  readonly change: (value: unknown, mark: unknown) => unknown;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
  /** What `change` has made of the value. */
  next?: unknown;
}

/** A store that answers when, and as, the test says. It answers the transactions in their order. */
export class FakeStore implements Store {
  value: unknown;
  /** The mark in the store. A transaction that writes removes it. */
  marked: number | undefined;
  readonly underWay: Transaction[] = [];
  /** What was asked for by `read`. */
  readonly reads: { see(value: unknown, mark?: unknown): void; fail(error: unknown): void }[] = [];
  /** The marks that were written, each with the function that says that it is durable. */
  readonly marks: { mark: number; done(): void }[] = [];
  /** How often the connection was let go of, and whether the page was leaving. */
  readonly closed: boolean[] = [];

  transact(change: Transaction["change"], done: () => void, fail: Transaction["fail"]): void {
    this.underWay.push({ change, done, fail });
  }

  read(see: (value: unknown, mark: unknown) => void, fail: (error: unknown) => void): void {
    this.reads.push({ see: see as (value: unknown, mark?: unknown) => void, fail });
  }

  mark(mark: number, done: () => void): void {
    this.marked = mark;
    this.marks.push({ mark, done });
  }

  close(leaving = false): void {
    this.closed.push(leaving);
  }

  /** The transaction reads the value, and writes what comes of it. That is not durable yet. */
  reaches(index = 0): void {
    const transaction = this.underWay[index]!;
    transaction.next = transaction.change(this.value, this.marked);
  }

  /** What the first transaction has written is durable. */
  confirms(): void {
    const { next, done } = this.underWay.shift()!;
    if (next !== undefined) {
      this.value = next;
      this.marked = undefined;
    }
    done();
  }

  /** The first transaction did not happen. */
  refuses(): void {
    this.underWay.shift()!.fail(new Error("no"));
  }

  /** Reads and writes, and both are durable, for all transactions. */
  answers(): void {
    while (this.underWay.length > 0) {
      this.reaches();
      this.confirms();
    }
  }
}
