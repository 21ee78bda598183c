import type { Ledger } from "../ledger/ledger.js";
import type { LedgerRecord } from "../ledger/record.js";
import type { SharedClock } from "../platform/clock.js";
import { createTabChannel } from "../tabs/channel.js";
import type { Environment } from "../types/environment.js";

/** Keeps the time of the user's last activity, in any tab. */
export interface Activity {
  /** Returns the time of the last activity in the record's session, as far as this tab knows. A sign-in counts as activity. */
  at(record: LedgerRecord): number;
  /** Notes that the user is active in this tab. */
  touch(): void;
  /** Writes activity that is not yet written, since the page goes away. */
  leave(): void;
  /** The page is back. */
  comeBack(): void;
  stop(): void;
}

export interface ActivityParts {
  readonly environment: Environment;
  readonly clock: SharedClock;
  readonly ledger: Pick<Ledger, "current">;
  /** Names the session's channel. */
  readonly key: string;
  /** Writes this tab's activity to the ledger, and reads the activity of the other tabs. */
  synchronize(): void;
}

/** The time between two writes of a tab in which the user is active. */
const WRITES_MS = 30_000;

/** `after`: the milliseconds without activity after which the session is over. `most`: the most milliseconds between two writes. */
export function createActivity({ environment, clock, ledger, key, synchronize }: ActivityParts, after: number, most: number): Activity {
  const interval = Math.min(WRITES_MS, most);
  /** The last activity in this tab or in a message, with its session. The ledger may not have it yet. */
  let last = { epoch: 0, at: 0 };
  let written = -Infinity;
  let writing: unknown;
  let stopped = false;

  const channel = createTabChannel(environment, `${key}:activity`, (data) => {
    const { epoch, at } = (data ?? {}) as { epoch?: unknown; at?: unknown };
    note(epoch, at);
    synchronize();
  });

  /** An activity in the future does not count: it comes from a wrong clock or from a hostile message. */
  const activeAt = ({ epoch, signedInAt, lastActivityAt = signedInAt }: LedgerRecord): number =>
    Math.max(lastActivityAt, last.epoch === epoch && last.at <= clock.now() ? last.at : 0);

  /** Activity after the limit does not count, since it would bring back a session that is over. */
  function note(epoch: unknown, at: unknown): boolean {
    const record = ledger.current;
    const counts =
      record?.signedIn && record.epoch === epoch && typeof at === "number" && at <= clock.now() && at < activeAt(record) + after;
    if (counts && at > activeAt(record)) last = { epoch: record.epoch, at };
    return counts === true;
  }

  function write(): void {
    environment.clearTimeout(writing);
    writing = undefined;
    written = clock.now();
    channel.post(last);
    synchronize();
  }

  channel.open();
  return {
    at: activeAt,
    touch() {
      if (stopped || !ledger.current?.signedIn) return;
      const now = clock.now();
      // The session is over, for example after a sleep, unless the user was active in another tab.
      if (!note(ledger.current.epoch, now)) return synchronize();
      if (writing !== undefined) return;
      const wait = written + interval - now;
      if (wait <= 0) write();
      else writing = environment.setTimeout(write, wait);
    },
    leave() {
      if (writing !== undefined) write();
      channel.close();
    },
    comeBack: channel.open,
    stop() {
      stopped = true;
      environment.clearTimeout(writing);
      channel.close();
    },
  };
}
