import type { LedgerRecord } from "../record.js";
import type { Moment, Transition } from "./transition.js";

/** Takes the lease for this tab. The new fence keeps the holder of an earlier lease from committing. */
export function takeLease(known: LedgerRecord, timeout: number, { now, tab }: Moment): LedgerRecord {
  // The request of a lease that ran out may be lost: no tab saw its answer.
  return { ...known, fence: known.fence + 1, refreshing: { tab, since: now, timeout }, lost: known.lost || known.refreshing !== undefined };
}

/**
 * Notes that this tab stole the lock, so the holder of the lease is alive without it. Without the note, the next tab would see a lease with a
 * free lock, and assume that the holder has crashed.
 */
export const markPreempted = (known: LedgerRecord): LedgerRecord | undefined =>
  known.refreshing && { ...known, refreshing: { ...known.refreshing, robbed: true } };

/** Gives back the lease of a holder that has sent nothing. */
export const releaseLease =
  (lease: LedgerRecord): Transition =>
  (known) => ({ next: mayWrite(known, lease) ? { ...known, refreshing: undefined } : undefined });

/** Keeps the lease of a tab whose session ends, for `rest` milliseconds: the request goes on, and its answer may have a rotated token. */
export const keepLease =
  (lease: LedgerRecord, rest: number): Transition =>
  (known) => ({
    next:
      known?.refreshing && mayWrite(known, lease)
        ? { ...known, refreshing: { ...known.refreshing, timeout: rest, late: true } }
        : undefined,
  });

/** Gives up a prolonged lease. Its request had no answer, and the server may have processed it. */
export const abandonLease =
  (lease: LedgerRecord): Transition =>
  (known) => ({ next: mayWrite(known, lease) && known.refreshing?.late ? { ...known, refreshing: undefined, lost: true } : undefined });

/**
 * Whether the holder of this lease may still write. It may when no tab has begun or ended a session or committed, and no other lease stands.
 * A rotated token is still good after a later lease that brought nothing. A higher version alone is no commit either: without storage, tabs
 * renumber the commits of other tabs.
 */
export const mayWrite = (known: LedgerRecord | undefined, { epoch, version, refreshing }: LedgerRecord): known is LedgerRecord =>
  known?.epoch === epoch &&
  (known.refreshing ? known.refreshing.tab === refreshing?.tab && known.refreshing.since === refreshing.since : known.version === version);
