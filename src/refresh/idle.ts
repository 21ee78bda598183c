import type { LedgerRecord } from "../ledger/record.js";
import type { Change, Ledger } from "../ledger/types.js";
import { pageActivity } from "../platform/activity.js";
import type { SharedClock } from "../platform/clock.js";
import type { Environment } from "../platform/environment.js";
import { createTabChannel } from "../tabs/channel.js";
import type { SessionEvents } from "../types.js";

export interface IdleLimitOptions {
  /** Milliseconds without a sign of life, in any tab, after which the session ends. Above 0. */
  after: number;
  /** Milliseconds before that at which `idle-warning` is given; 0 for none. Less than `after`. @default a minute, or half of `after` */
  warnBefore?: number;
}

/** Made by `idleLimit`. */
export interface IdleLimit {
  /** @internal */
  watch(parts: IdleParts): IdleWatch;
}

/** What it needs of the session. */
export interface IdleParts {
  readonly environment: Environment;
  readonly name: string;
  readonly clock: SharedClock;
  readonly ledger: Ledger;
  /** Reads and changes the ledger; a session that has reached a limit ends by that alone, also when storage does not answer. */
  look(change: Change): Promise<void>;
  tell<E extends "idle-warning" | "idle-cancelled">(event: E, payload: SessionEvents[E]): void;
  /** What was left to lapse may be renewed. */
  active(): void;
}

export interface IdleWatch {
  /** Somebody is there. */
  touch(): void;
  /** When the session ends, on the shared clock, unless somebody is active. */
  endsAt(record: LedgerRecord): number;
  /** Whether anybody was there in the token's life, so that it is worth renewing ahead of its expiry. */
  attended(record: LedgerRecord): boolean;
  /** The ledger changed. */
  seen(): void;
  /** The page goes away. */
  leave(): void;
  /** It is back. */
  comeBack(): void;
  stop(): void;
}

/** Milliseconds between two writes of a tab in which somebody is active. */
const WRITES = 30_000;
/** A timer counts neither sleep nor a clock that is set. */
const LOOK = 60_000;

/**
 * Ends the session when nobody has been there for so long, in any tab: pointer, key, scrolling, the page being looked at, or `session.touch()`.
 * The time of a sleep counts. A token during whose life nobody was there is left to lapse, and renewed when it is needed.
 *
 * @throws {TypeError} when an option is wrong; the message names it.
 */
export function idleLimit({ after, warnBefore = Math.min(60_000, after / 2) }: IdleLimitOptions): IdleLimit {
  if (!(after > 0 && after < Infinity)) throw new TypeError("idleLimit: after must be milliseconds, above 0");
  if (!(warnBefore >= 0 && warnBefore < after)) throw new TypeError("idleLimit: warnBefore must be milliseconds, from 0 to below after");
  return { watch: (parts) => watch(parts, after, warnBefore) };
}

function watch({ environment, name, clock, ledger, ...session }: IdleParts, after: number, warnBefore: number): IdleWatch {
  const interval = Math.min(WRITES, (after - warnBefore) / 4);
  /** The last sign of life that this tab knows of, its own or one that it was told, and in which session. The ledger may not have it yet. */
  let last = { epoch: 0, at: 0 };
  let written = -Infinity;
  let writing: unknown;
  let timer: unknown;
  /** The activity since which a warning has been given. */
  let warned: number | undefined;
  let looking = false;
  let again = false;
  let stopped = false;

  const channel = createTabChannel(environment, `${name}:activity`, (data) => {
    const { epoch, at } = (data ?? {}) as { epoch?: unknown; at?: unknown };
    note(epoch, at);
    look();
  });

  /** Signing in is a sign of life, too. Nobody was active in the future, whatever anybody says and however the clock was set. */
  const activeAt = ({ epoch, signedInAt, lastActivityAt = signedInAt }: LedgerRecord): number =>
    Math.max(lastActivityAt, last.epoch === epoch && last.at <= clock.now() ? last.at : 0);
  const endsAt = (record: LedgerRecord): number => activeAt(record) + after;
  const left = (): number => (ledger.current?.signedIn ? endsAt(ledger.current) - clock.now() : Infinity);

  /** What comes after the limit that is known here does not count: it would bring back a session that is over. */
  function note(epoch: unknown, at: unknown): boolean {
    const record = ledger.current;
    const counts = record?.signedIn && record.epoch === epoch && typeof at === "number" && at <= clock.now() && at < endsAt(record);
    if (counts && at > activeAt(record)) last = { epoch: record.epoch, at };
    return counts === true;
  }

  function touch(): void {
    if (stopped || !ledger.current?.signedIn) return;
    const now = clock.now();
    // After a sleep, say: over, unless somebody was there in another tab.
    if (!note(ledger.current.epoch, now)) return look();
    if (writing !== undefined) return;
    const wait = written + interval - now;
    if (wait <= 0) write();
    else writing = environment.setTimeout(write, wait);
  }

  function write(): void {
    environment.clearTimeout(writing);
    writing = undefined;
    written = clock.now();
    channel.post(last);
    look();
  }

  /** Tells the ledger what this tab knows, and reads what the others do. One at a time: a page that was frozen gets all messages at once. */
  function look(): void {
    again = looking;
    if (looking || stopped) return;
    looking = true;
    const change: Change = (known) => {
      const at = known?.signedIn ? activeAt(known) : 0;
      return known && at > (known.lastActivityAt ?? known.signedInAt) ? { ...known, lastActivityAt: at } : undefined;
    };
    void session.look(change).then(() => {
      looking = false;
      if (stopped) return;
      seen();
      session.active();
      if (again) look();
    });
  }

  function seen(): void {
    environment.clearTimeout(timer);
    const record = ledger.current;
    if (stopped || !record?.signedIn) {
      warned = undefined;
      return;
    }
    const since = activeAt(record);
    const rest = left();
    const cancelled = warned !== undefined && warned !== since;
    if (cancelled) warned = undefined;
    const warns = warned === undefined && rest > 0 && rest <= warnBefore;
    if (warns) warned = since;
    const margin = warned === undefined ? warnBefore : 0;
    timer = environment.setTimeout(() => (left() > margin ? seen() : look()), Math.max(0, Math.min(rest - margin, LOOK)));
    // Last, since who hears it may be active, sign out, or dispose of the session.
    if (cancelled) session.tell("idle-cancelled", {});
    if (warns) session.tell("idle-warning", { endsAt: Math.round(clock.toDevice(clock.now() + rest)), remaining: rest });
  }

  const forget = (environment.onActivity ?? pageActivity)(touch);
  channel.open();
  return {
    touch,
    endsAt,
    attended: (record) => activeAt(record) > record.issuedAt,
    seen,
    leave() {
      if (writing !== undefined) write();
      channel.close();
    },
    comeBack: channel.open,
    stop() {
      stopped = true;
      environment.clearTimeout(writing);
      environment.clearTimeout(timer);
      forget();
      channel.close();
    },
  };
}
