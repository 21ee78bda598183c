import type { LedgerRecord } from "./record.js";

/** Computes the next record; `undefined` leaves it. May be called again after a failed transaction, so it has no effects of its own. */
export type Change = (record: LedgerRecord | undefined) => LedgerRecord | undefined;

export interface Ledger {
  /** The newest record this tab has seen, with the tokens it has. */
  readonly current: LedgerRecord | undefined;
  /** Whether transactions order what the tabs do. When not, each tab has a copy of its own, kept together by messages. */
  readonly shared: boolean;
  /** Whether other tabs find the tokens in it. */
  readonly persistent: boolean;
  /** Reads and changes the record in one transaction. Resolves when that is durable. `quiet`: runs under the lock. */
  update(change: Change, quiet?: boolean): Promise<LedgerRecord | undefined>;
  /** Learns what the other tabs have written: `current` is that when it resolves. */
  look(): Promise<unknown>;
  /** Takes in what another tab says, if it is newer; `record.tokens` may hold its access token. */
  offer(record: LedgerRecord): Promise<LedgerRecord | undefined>;
  /** Ends the session here at once, and in the ledger as soon as that answers, whatever is in it then; that is what it resolves with. */
  end(record: LedgerRecord): Promise<LedgerRecord | undefined>;
  /** Storage does not answer: goes on in memory with this change, until it does. What is still in line for it is not done any more. */
  abandon(change: Change): void;
  /** If storage has failed: tries whether it answers again. */
  rejoin(): void;
  /** Lets go of the connection until the next use. `leaving`: at once, since the page may stand still from now on. */
  close(leaving?: boolean): void;
}
