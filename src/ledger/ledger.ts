import type { SharedClock } from "../platform/clock.js";
import type { Environment, Store } from "../platform/environment.js";
import type { SignedOutReason } from "../types.js";
import { ended, isFurther, type LedgerRecord, latestInstant, notBelow, parseRecord, sameCommit, takeIn, withoutTokens } from "./record.js";
import type { Change, Ledger } from "./types.js";

/**
 * When storage fails it steps down twice: first the tokens stay in memory while the record stays shared (storage is full), until a later
 * write succeeds; then the record too is this tab's own (storage is denied, or does not answer), until storage answers again.
 */
export function createLedger(
  environment: Environment,
  name: string,
  tab: string,
  persistTokens: boolean,
  clock: SharedClock,
  overrun: (record: LedgerRecord) => SignedOutReason | undefined,
  onChange: (record: LedgerRecord, quiet: boolean, before: LedgerRecord | undefined) => void,
): Ledger {
  let store: Store | undefined = environment.openStore?.(name);
  /** The last write had the tokens in it. */
  let persistent = persistTokens && store !== undefined;
  let current: LedgerRecord | undefined;
  let offered: LedgerRecord | undefined;
  /** Signed out here, and not yet in the ledger. */
  let ending: LedgerRecord | undefined;
  /** Given up, and asked now and then whether it answers again. */
  let failed: Store | undefined;
  /** How often it was given up or came back: who waited for it meanwhile must not believe its answer. */
  let turns = 0;
  /** How often the connection was let go of. */
  let closings = 0;
  /** Have been made in memory, since storage did not answer. */
  const settled = new WeakSet<Change>();
  let rejoining = false;
  /** What storage has been told, and has not confirmed yet. */
  let unconfirmed: { readonly change: Change; readonly next: LedgerRecord } | undefined;
  let warned = false;

  function warn(problem: string): void {
    if (!warned) environment.report(problem);
    warned = true;
  }

  /** What is stored, as this tab knows it. Its identity tells whether it has to be written. */
  function read(value: unknown): LedgerRecord | undefined {
    const record = parseRecord(value);
    if (record) {
      clock.reach(latestInstant(record));
      const source = record.tokens ? undefined : [current, offered].find((known) => known?.tokens && sameCommit(known, record));
      return source ? { ...record, tokens: source.tokens } : record;
    }
    if (value != null) warn("the stored session is corrupt and was replaced");
    // Bringing back what was cleared could bring back a session that ended, or a refresh token that was used.
    else if (current?.signedIn) return ended(current, tab, clock.now(), environment.random(), "storage-cleared");
    return current;
  }

  /** A limit that was reached while nobody looked holds before anything else is done: after a sleep, nothing is renewed first. */
  function limited(record: LedgerRecord | undefined): LedgerRecord | undefined {
    const reason = record && overrun(record);
    return reason ? ended(record, tab, clock.now(), environment.random(), reason) : record;
  }

  function settle(next: LedgerRecord | undefined, quiet: boolean, found = current): void {
    // Read before the sign-out reached the ledger.
    if (ending && next?.signedIn && next.epoch < ending.epoch) return;
    const before = current;
    current = next;
    // That somebody was there is no news to who refreshes.
    const text = (record: LedgerRecord | undefined) => JSON.stringify({ ...record, lastActivityAt: 0 });
    if (next && next !== before && text(next) !== text(before)) onChange(next, quiet, found?.tokens ? found : (before ?? found));
  }

  function update(change: Change, quiet = false, keepTokens = persistTokens): Promise<LedgerRecord | undefined> {
    return new Promise((resolve) => {
      if (!store) {
        const known = limited(current);
        settle(change(known) ?? known, quiet);
        rejoin();
        return resolve(current);
      }
      const turn = turns;
      let found: LedgerRecord | undefined;
      let next: LedgerRecord | undefined;
      let written = false;
      const over = () => {
        if (unconfirmed?.next === next) unconfirmed = undefined;
        // Given up meanwhile: it did not happen, and is done again in memory.
        if (turn !== turns) resolve(settled.has(change) ? current : update(change, quiet));
        return turn !== turns;
      };
      store.transact(
        (value) => {
          if (turn !== turns) return undefined;
          // Coming back, and not durable yet: that is being tried again, behind this one.
          found = rejoining ? current : read(value);
          const known = limited(found);
          next = change(known) ?? known;
          if (!next) return value == null ? undefined : null;
          written = next !== found || !parseRecord(value);
          if (written) unconfirmed = { change, next };
          return written ? (keepTokens ? next : withoutTokens(next)) : undefined;
        },
        () => {
          if (over()) return;
          if (written) persistent = keepTokens;
          settle(next, quiet, found);
          resolve(next);
        },
        () => {
          warn("storage is not available; the session lives in memory only");
          if (over()) return;
          if (!keepTokens) stepDown();
          resolve(update(change, quiet, false));
        },
      );
    });
  }

  /** As `update`, for a change that mostly turns out to be none. All tabs that hear of a commit can read it at once, and not write. */
  function lookFirst(change: Change): Promise<LedgerRecord | undefined> {
    return new Promise((resolve) => {
      const turn = turns;
      const before = closings;
      const insist = () => {
        resolve(update(change));
        // Nobody else would: what came after the last use is over.
        if (closings !== before) store?.close();
      };
      if (!store) return insist();
      store.read((value) => {
        if (turn !== turns || rejoining) return insist();
        const found = read(value);
        const known = limited(found);
        const next = change(known) ?? known;
        const stands = next === found && (found ? parseRecord(value) : value == null);
        if (!stands) return insist();
        settle(next, false);
        resolve(next);
      }, insist);
    });
  }

  function stepDown(): void {
    store?.close();
    failed = store;
    store = undefined;
    persistent = false;
    turns++;
  }

  /** Storage answers again: what this tab has become meanwhile goes into it, unless the others have gone further. */
  function rejoin(keepTokens = persistTokens): void {
    const back = failed;
    if (!back || rejoining) return;
    rejoining = true;
    let next: LedgerRecord | undefined;
    let mine = false;
    back.transact(
      (value) => {
        // A refresh that was begun alone ends alone: its mark would change on the way.
        if (current?.refreshing) return undefined;
        // From here on, every change waits in line behind this one.
        store = back;
        failed = undefined;
        turns++;
        const known = parseRecord(value);
        mine = isFurther(current, known, tab);
        const found = mine && current ? notBelow(current, known) : read(value);
        next = limited(found);
        return next && (mine || next !== found) ? (keepTokens ? next : withoutTokens(next)) : undefined;
      },
      () => {
        rejoining = false;
        if (store !== back) return back.close();
        warned = false;
        if (mine) persistent = keepTokens;
        settle(next, false);
      },
      () => {
        rejoining = false;
        if (store === back) stepDown();
        back.close();
        if (keepTokens) rejoin(false);
      },
    );
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
    look: () => lookFirst(() => undefined),
    offer(record) {
      if (record.tokens) offered = record;
      if (!store) clock.reach(latestInstant(record));
      return lookFirst((known) => takeIn(record, known, tab));
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
    abandon(change) {
      warn("storage does not answer; the session lives in memory only");
      ending = undefined;
      settled.add(change);
      const late = unconfirmed;
      if (store) stepDown();
      // That may be durable already, and then has to be what is known here.
      if (late) settle(late.next, true);
      if (late?.change !== change) settle(change(limited(current)) ?? limited(current), true);
      rejoin();
    },
    close(leaving) {
      closings++;
      store?.close(leaving);
      failed?.close(leaving);
    },
    rejoin: () => rejoin(),
  };
}
