import type { Waits } from "../platform/timers.js";
import { type CopyParts, createCopy, type Work } from "./copy.js";
import { isNewerRelease, replacesOther, stamped } from "./format.js";
import { broughtBack, isAhead, isEndOf, latestInstant } from "./order.js";
import { createPlace } from "./place.js";
import { AHEAD_MS, bounded, type LedgerRecord } from "./record.js";
import { hear, noChange, type Transition } from "./transitions/index.js";

export type { LedgerChange } from "./copy.js";

export interface ApplyOptions<Outcome> {
  /** After so many milliseconds without an answer of storage, the ledger makes the change in memory. @default the ledger waits for storage */
  readonly within?: number;
  /** This tab shows this record at once, and storage follows. */
  readonly atOnce?: LedgerRecord;
  /** Hears the outcome before the change is told. */
  readonly onOutcome?: ((outcome: Outcome) => void) | undefined;
}

export interface Applied<Outcome> {
  /** The record after the change. */
  readonly record: LedgerRecord | undefined;
  /** The outcome of the try that became durable. */
  readonly outcome: Outcome;
}

/** Keeps the record that all tabs share, and changes it. See docs/decisions/0001-ledger-in-indexeddb.md. */
export interface Ledger {
  /** The newest record that this tab has seen, with this tab's tokens. */
  readonly current: LedgerRecord | undefined;
  /** Whether transactions order the changes of all tabs. Otherwise each tab has a copy of the record, and messages keep the copies together. */
  readonly shared: boolean;
  /** Whether other tabs find the tokens in the ledger. */
  readonly persistent: boolean;
  /**
   * Reads and changes the record in one transaction. Resolves when the transaction is durable.
   * @throws {SessionError} `disposed` when the app disposes of the session during the wait of `within`
   */
  apply<Outcome>(transition: Transition<Outcome>, options?: ApplyOptions<Outcome>): Promise<Applied<Outcome>>;
  /** Reads the record that the other tabs have written. */
  read(): Promise<unknown>;
  /** Writes that the user has signed out, in the task of the call. Resolves with true when the mark is durable. */
  mark(epoch: number): Promise<true>;
  /**
   * Another tab has written `record`. `shared`: into a ledger that the tabs share. Then this tab reads it there, and takes from the message only
   * the access token, and an end of the session. Resolves with the record after it.
   */
  receive(record: LedgerRecord, shared: boolean): Promise<LedgerRecord | undefined>;
  /** Tries again storage that has failed, since the page is in use again. */
  reconnect(): void;
  /** Closes the connection until the next use. `leaving`: closes it at once, since the page may stand still from now on. */
  close(leaving?: boolean): void;
}

export interface LedgerParts extends CopyParts {
  /** Names the record among those of this origin. */
  readonly key: string;
  readonly waits: Waits;
}

/**
 * Returns the stored part of a record: without tokens in memory mode, where there is no room for them, and in a tab that lacks the refresh token.
 * Its access token alone would hide from the owner of the refresh token that the tokens are not in storage.
 */
function toStored(record: LedgerRecord | null | undefined, all: boolean): LedgerRecord | null | undefined {
  if (!record) return record;
  const whole = all && !record.inMemory && (record.renewedBy !== "refreshToken" || record.tokens?.refreshToken);
  return { ...stamped(record), ...(!whole && { tokens: undefined }) };
}

export function createLedger(parts: LedgerParts): Ledger {
  const { tab } = parts;
  const copy = createCopy(parts);
  const place = createPlace(parts.environment.openStore?.(parts.key), {
    warn: copy.warn,
    recovered: copy.recovered,
    wait(milliseconds, expire) {
      let cancel = (_cancelled: true) => {};
      if (parts.waits.disposed) return () => {};
      const cancelled = new Promise<true>((resolve) => {
        cancel = resolve;
      });
      void parts.waits.whileAwake(milliseconds, cancelled).then((ended) => ended || parts.waits.disposed || expire());
      return () => cancel(true);
    },
    stored: (value, all) => toStored(value as LedgerRecord | null | undefined, all),
    comeBack(value, mark) {
      const { current } = copy;
      const known = copy.parse(value, mark);
      const isOthers = isNewerRelease(current) || (isNewerRelease(known) && !replacesOther(current, known));
      const mine = current && !isOthers && (!known || isAhead(current, known, tab)) ? broughtBack(current, known, tab) : undefined;
      // A refresh that began in memory ends in memory, unless this tab can store its own lease. By the fence, storage has had a lease.
      const isStored = known && current && known.fence >= current.fence && current.refreshing?.tab !== tab;
      if (current?.refreshing && mine?.refreshing?.tab !== tab && !isStored) return undefined;
      const { record, write } = copy.work(mine ?? copy.recordIn(value, mark), noChange, mine ? undefined : value);
      const done = () => {
        copy.recovered();
        copy.set(record);
      };
      return { write, done };
    },
  });

  async function apply<Outcome>(
    transition: Transition<Outcome>,
    { within, atOnce, onOutcome }: ApplyOptions<Outcome> = {},
  ): Promise<Applied<Outcome>> {
    const applied = new Promise<Applied<Outcome>>((resolve) => {
      let work: Work<Outcome>;
      place.transact(
        (value, mark, alone) => {
          work = copy.work(alone ? copy.known : copy.recordIn(value, mark), transition, value, alone);
          if (work.write) copy.tried = work.write;
          return work.write;
        },
        () => {
          const { record, found, problems } = work;
          const outcome = work.outcome as Outcome;
          problems?.forEach(parts.warnOnce);
          onOutcome?.(outcome);
          copy.set(record, found);
          resolve({ record, outcome });
        },
      );
    });
    if (atOnce && place.shared) {
      copy.beforeEnd = copy.known;
      copy.ending = atOnce;
      copy.set(atOnce);
    }
    if (within !== undefined && !(await parts.waits.within(within, applied))) {
      parts.waits.assertAlive();
      place.fallBackToMemory();
    }
    const answer = await applied;
    if (copy.ending === atOnce) copy.ending = undefined;
    return answer;
  }

  /**
   * Does the same as `apply`, for a transition that rarely changes the record. It reads first, so that all tabs can read a commit at the same
   * time, and writes only for a change.
   */
  function readFirst(transition: Transition): Promise<LedgerRecord | undefined> {
    return new Promise((resolve) => {
      const insist = () => resolve(apply(transition).then(({ record }) => record));
      place.read((value, mark) => {
        const { record, write } = copy.work(copy.recordIn(value, mark), transition, value);
        if (write !== undefined) return insist();
        copy.set(record);
        resolve(record);
      }, insist);
    });
  }

  return {
    get current() {
      return copy.current;
    },
    get shared() {
      return place.shared;
    },
    get persistent() {
      return place.whole && !copy.current?.inMemory;
    },
    apply,
    read: () => readFirst(noChange),
    mark: (epoch) => new Promise((resolve) => place.mark(epoch, () => resolve(true))),
    async receive(said, shared) {
      const record = bounded(said, parts.clock.now());
      if (record.tokens) copy.offered = record;
      // Any script of this origin may say what time it is.
      if (!place.shared) parts.clock.reach(Math.min(latestInstant(record), parts.environment.now() + AHEAD_MS));
      if (!isEndOf(copy.current, record)) {
        if (!shared) copy.heard = record;
        const merged = await readFirst(hear(record, shared));
        if (copy.heard === record) copy.heard = undefined;
        return merged;
      }
      // A tab that does not know the session gives no reason, and only a user signs out there.
      const ended = shared ? copy.endedBy(record) : { ...record, reason: record.reason ?? "user" };
      // An end is believed at once, also while storage hangs (R89).
      return apply(hear(ended, shared), { atOnce: ended }).then((applied) => applied.record);
    },
    reconnect: place.reconnect,
    close: place.close,
  };
}
