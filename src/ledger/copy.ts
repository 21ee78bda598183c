import type { SharedClock } from "../platform/clock.js";
import type { Environment } from "../types/environment.js";
import type { SignedOutReason } from "../types/index.js";
import { isNewerRelease, parseRecord, type Reads, replacesOther } from "./format.js";
import { latestInstant, mergeHeard, sameCommit } from "./order.js";
import { bounded, isNumber, type LedgerRecord, news } from "./record.js";
import { type Change, type Moment, signedOut, type Transition } from "./transitions/index.js";

/** A change of the record. */
export interface LedgerChange {
  readonly record: LedgerRecord;
  /** The record before, with its tokens if this tab had them. */
  readonly before: LedgerRecord | undefined;
}

export interface CopyParts {
  readonly environment: Environment;
  readonly clock: SharedClock;
  readonly tab: string;
  readonly reads: Reads;
  /** Returns the limit that the session of a record has reached, if any. */
  limitReached(record: LedgerRecord): SignedOutReason | undefined;
  changed(change: LedgerChange): void;
  warnOnce(problem: string): void;
}

/** The result of a transition, and the value to write for it. */
export interface Work<Outcome> extends Change {
  readonly outcome?: Outcome;
  readonly found: LedgerRecord | undefined;
  /** The record after the transition. */
  readonly record: LedgerRecord | undefined;
  /** The value to write. Undefined leaves storage as it is. */
  readonly write: LedgerRecord | null | undefined;
}

/** Keeps this tab's copy of the record. */
export interface Copy {
  readonly current: LedgerRecord | undefined;
  /** The record of a sign-out in this tab that is not yet in storage. */
  ending: LedgerRecord | undefined;
  /** The record before that sign-out. */
  beforeEnd: LedgerRecord | undefined;
  /** The current record without `ending`, which has a place of its own in the line of changes. */
  readonly known: LedgerRecord | undefined;
  /** The record of the last message with tokens. */
  offered: LedgerRecord | undefined;
  /** The record of the last try, since its confirmation may be lost. */
  tried: LedgerRecord | undefined;
  /** The last record that a tab without storage has told, until it is merged. Each transaction merges it first, as this tab knows it. */
  heard: LedgerRecord | undefined;
  /**
   * Returns the record in a value of storage. `mark`: the epoch of a sign-out whose page may have left before it could remove the tokens (R85).
   * A sign-in removes the mark, so a session that is beside it has ended, also if its clock was ahead. The epoch of a negative mark decides,
   * since no transaction has written it.
   */
  parse(value: unknown, mark: unknown): LedgerRecord | undefined;
  /** Returns the stored record with this tab's tokens. Its identity and its epoch tell `work` whether to write. */
  recordIn(value: unknown, mark: unknown): LedgerRecord | undefined;
  /** Runs a transition on `found`, which was made of `value`, or is this tab's own copy (`alone`). */
  work<Outcome>(found: LedgerRecord | undefined, transition: Transition<Outcome>, value: unknown, alone?: boolean): Work<Outcome>;
  /** Returns this tab's record of the end that a message tells. Of the message, only the end counts, with its author and its reason (R93). */
  endedBy(message: LedgerRecord): LedgerRecord;
  /** Makes `next` the current record, and tells of the change. */
  set(next: LedgerRecord | undefined, found?: LedgerRecord): void;
  /** Reports a problem of storage, once until `recovered`. */
  warn(problem: string): void;
  recovered(): void;
}

export function createCopy(parts: CopyParts): Copy {
  let current: LedgerRecord | undefined;
  let warned = false;

  function moment(alone = false): Moment {
    const now = parts.clock.now();
    const { environment, tab } = parts;
    return { now, alone, deviceNow: parts.clock.toDevice(now), monotonic: environment.monotonic(), tab, random: environment.random };
  }

  const copy: Copy = {
    get current() {
      return current;
    },
    ending: undefined,
    beforeEnd: undefined,
    get known() {
      return copy.ending && current === copy.ending ? copy.beforeEnd : current;
    },
    offered: undefined,
    tried: undefined,
    heard: undefined,
    parse(value, mark) {
      const stored = parseRecord(value, parts.reads);
      if (!stored?.signedIn || !isNumber(mark) || (mark < 0 && -mark <= stored.epoch)) return stored;
      // All tabs read the same end from the same mark.
      const { by, committedAt, format, reason = "user", epoch } = stored;
      return { ...signedOut(stored, moment(), reason), epoch: Math.max(Math.abs(mark), epoch + 1), by, committedAt, format };
    },
    recordIn(value, mark) {
      const stored = copy.parse(value, mark);
      if (stored) {
        parts.clock.reach(latestInstant(stored));
        const record = bounded(stored, parts.clock.now());
        // The tokens of a message count only with their key: without it, the session would end (R93).
        const isWhole = (known?: LedgerRecord) => known?.tokens && (!record.bound || known.tokens.binding) && sameCommit(known, record);
        const source = record.tokens || !record.signedIn ? undefined : [current, copy.tried, copy.offered].find(isWhole);
        return source ? { ...record, tokens: source.tokens } : record;
      }
      if (value != null) copy.warn("the stored session is corrupt and was replaced");
      // A session that was cleared may have ended since, or its refresh token may have been used: it is not brought back.
      else if (copy.known?.signedIn) return signedOut(copy.known, moment(), "storage-cleared");
      return copy.known;
    },
    work(found, transition, value, alone) {
      const heard = isNewerRelease(found) || isNewerRelease(copy.heard) ? undefined : copy.heard;
      const base = (found && heard && mergeHeard(heard, found, parts.tab)) ?? found;
      const newer = isNewerRelease(base);
      if (newer) parts.warnOnce("a newer release of this app has the session; reload the page");
      // A limit that the session reached while the page slept ends it before the transition runs, so nothing renews it first.
      const reason = base && parts.limitReached(base);
      const known = reason ? signedOut(base, moment(), reason) : base;
      const stored = parseRecord(value, parts.reads);
      const replaced = stored?.epoch === found?.epoch ? undefined : stored;
      const step = transition(known, { ...moment(alone), replaced });
      // In memory, this tab may follow the newer release, and it may end.
      const { next = known } = step;
      const follows = alone && next && (isNewerRelease(next) || (!next.signedIn && next.epoch > (known?.epoch ?? 0)));
      // A message told a record of which this session can read a part. Whoever can read all of it will store it.
      const partial = !alone && isNewerRelease(next);
      const replaces = replacesOther(next, base);
      const record = (newer || partial) && !follows && !replaces ? known : next;
      const written = record ? record !== found || stored?.epoch !== record.epoch : value != null;
      return { ...step, found, record, write: written && (replaces || !isNewerRelease(stored)) ? (record ?? null) : undefined };
    },
    endedBy({ by, reason, failure, lost, epoch }) {
      const ended = signedOut(current, moment(), reason ?? "user");
      // A session that began after the end that the message tells goes on.
      return { ...ended, by, failure, lost, epoch: Math.min(epoch, ended.epoch) };
    },
    set(next, found = current) {
      const { ending } = copy;
      // `next` was read before the sign-out reached storage.
      if (ending && next?.signedIn && next.epoch < ending.epoch) return;
      const before = current;
      // The record that was read is a copy. `errorBehind` knows this tab's own failure by its identity.
      current = next && before?.failure && next.failure?.at === before.failure.at ? { ...next, failure: before.failure } : next;
      if (next && next !== before && news(next) !== news(before))
        parts.changed({ record: next, before: found?.tokens ? found : (before ?? found) });
    },
    warn(problem) {
      if (!warned) parts.environment.report(problem);
      warned = true;
    },
    recovered() {
      warned = false;
    },
  };
  return copy;
}
