import type { SharedClock } from "../platform/clock.js";
import type { Environment, Store } from "../platform/environment.js";
import { ended, isNewer, type LedgerRecord, latestInstant, parseRecord, sameVersion, withoutTokens } from "./record.js";

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
  /** Takes in what another tab says, if it is newer; `record.tokens` may hold its access token. */
  offer(record: LedgerRecord): Promise<LedgerRecord | undefined>;
  /** Ends the session here at once, and in the ledger as soon as that answers, whatever is in it then; that is what it resolves with. */
  end(record: LedgerRecord): Promise<LedgerRecord | undefined>;
  /** Storage does not answer: goes on in memory, and nothing that is still under way will be written. */
  abandon(): void;
  /** Storage failed when a session began or ended: tries again to put that into it. */
  retry(): void;
  /** Lets go of the connection until the next use. */
  close(): void;
}

/**
 * When storage fails it steps down twice: first the tokens stay in memory while the record stays shared (storage is full), until a later
 * write succeeds; then, for good, the record too is this tab's own (storage is denied).
 */
export function createLedger(
  environment: Environment,
  name: string,
  tab: string,
  persistTokens: boolean,
  clock: SharedClock,
  onChange: (record: LedgerRecord, quiet: boolean, before: LedgerRecord | undefined) => void,
): Ledger {
  let store: Store | undefined = environment.openStore?.(name);
  /** The last write had the tokens in it. */
  let persistent = persistTokens && store !== undefined;
  let current: LedgerRecord | undefined;
  let offered: LedgerRecord | undefined;
  /** Signed out here, and not yet in the ledger. */
  let ending: LedgerRecord | undefined;
  /** What `onChange` last heard. */
  let told: string | undefined;
  let hung = false;
  /** A session began or ended while storage failed: the one that is still stored must not come back. */
  let unwritten: LedgerRecord | undefined;
  let abandoned: Store | undefined;
  /** Of the session that is stored, as far as this tab knows. */
  let storedEpoch: number | undefined;
  let warned = false;

  function warn(problem: string): void {
    if (!warned) environment.report(problem);
    warned = true;
  }

  /** What is stored, as this tab knows it. Its identity tells whether it has to be written. */
  function read(value: unknown): LedgerRecord | undefined {
    const record = parseRecord(value);
    storedEpoch = record?.epoch;
    if (record) {
      clock.reach(latestInstant(record));
      const source = record.tokens ? undefined : [current, offered].find((known) => known?.tokens && sameVersion(known, record));
      return source ? { ...record, tokens: source.tokens } : record;
    }
    if (value != null) warn("the stored session is corrupt and was replaced");
    // Bringing back what was cleared could bring back a session that ended, or a refresh token that was used.
    else if (current?.signedIn) return ended(current, tab, clock.now(), environment.random(), "storage-cleared");
    return current;
  }

  function settle(next: LedgerRecord | undefined, quiet: boolean): void {
    // Read before the sign-out reached the ledger.
    if (ending && next?.signedIn && next.epoch < ending.epoch) return;
    const before = current;
    current = next;
    if (!next || next === before) return;
    const text = JSON.stringify(next);
    if (text !== told) onChange(next, quiet, before);
    told = text;
  }

  function update(change: Change, quiet = false, keepTokens = persistTokens): Promise<LedgerRecord | undefined> {
    return new Promise((resolve) => {
      const used = store;
      if (!used) {
        settle(change(current) ?? current, quiet);
        if (abandoned && current && current.epoch !== storedEpoch) unwritten = withoutTokens(current);
        return resolve(current);
      }
      let next: LedgerRecord | undefined;
      let written = false;
      used.transact(
        (value) => {
          if (store !== used) return undefined;
          const known = read(value);
          next = change(known) ?? known;
          if (!next) return value == null ? undefined : null;
          written = next !== known || !parseRecord(value);
          return written ? (keepTokens ? next : withoutTokens(next)) : undefined;
        },
        () => {
          // Abandoned meanwhile: nothing was written, so it is done again in memory.
          if (store !== used) return resolve(hung ? current : update(change, quiet));
          if (written) persistent = keepTokens;
          storedEpoch = next?.epoch;
          settle(next, quiet);
          resolve(next);
        },
        () => {
          warn("storage is not available; the session lives in memory only");
          if (store === used && !keepTokens) abandon();
          resolve(update(change, quiet, false));
        },
      );
    });
  }

  function abandon(): void {
    store?.close();
    abandoned = store ?? abandoned;
    store = undefined;
    persistent = false;
  }

  return {
    get current() {
      return current;
    },
    get shared() {
      return store !== undefined;
    },
    get persistent() {
      return persistent;
    },
    update,
    offer(record) {
      if (record.tokens) offered = record;
      if (!store) clock.reach(latestInstant(record));
      return update((known) => {
        // Of two sign-outs at once the later one may have counted less.
        if (isNewer(record, known)) {
          const { version = 0, fence = 0 } = known ?? {};
          return { ...record, version: Math.max(record.version, version), fence: Math.max(record.fence, fence) };
        }
        // The token of a version that this tab had only heard of.
        return record.tokens && known && !known.tokens && sameVersion(record, known) ? { ...known, tokens: record.tokens } : undefined;
      });
    },
    async end(record) {
      // In line before any listener can sign in again.
      let replaced: LedgerRecord | undefined;
      const written = update((known) => {
        // Somebody has signed in since this was asked for: a page that comes back from the cache must not end that.
        const later = known && known.epoch > record.epoch;
        replaced = later ? undefined : known;
        if (!known || later) return known ? undefined : record;
        return {
          ...record,
          version: known.version + 1,
          fence: known.fence,
          reason: record.reason ?? (known.signedIn ? "user" : undefined),
        };
      });
      if (store) {
        ending = record;
        settle(record, false);
      }
      await written;
      if (ending === record) ending = undefined;
      return replaced;
    },
    abandon() {
      warn("storage does not answer; the session lives in memory only");
      hung = true;
      ending = undefined;
      abandon();
    },
    close() {
      store?.close();
      abandoned?.close();
    },
    retry() {
      const record = unwritten;
      if (!record) return;
      const change = (value: unknown) => ((parseRecord(value)?.epoch ?? record.epoch) < record.epoch ? record : undefined);
      const written = () => {
        if (unwritten === record) unwritten = undefined;
      };
      abandoned?.transact(change, written, () => {});
    },
  };
}
