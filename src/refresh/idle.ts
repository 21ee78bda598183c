import type { Ledger } from "../ledger/ledger.js";
import type { LedgerRecord } from "../ledger/record.js";
import { pageActivity } from "../platform/activity.js";
import type { SharedClock } from "../platform/clock.js";
import type { Environment } from "../platform/environment.js";
import { createTabChannel } from "../tabs/channel.js";
import { activeAt } from "./limits.js";

export interface IdleLimitOptions {
  /** Milliseconds without a sign of life, in any tab, after which the session ends. Above 0. */
  after: number;
  /** Milliseconds before that at which `idle-warning` is given; 0 for none. Less than `after`. @default a minute, or half of `after` */
  warnBefore?: number;
}

/** Made by `idleLimit`. */
export interface IdleLimit {
  readonly after: number;
  /** @internal */
  watch(parts: IdleParts): IdleWatch;
}

/** What it needs of the session. */
export interface IdleParts {
  readonly environment: Environment;
  readonly name: string;
  readonly clock: SharedClock;
  readonly ledger: Ledger;
  readonly atMost: <T>(milliseconds: number, promise: Promise<T>) => Promise<T | undefined>;
  warn(left: number): void;
  cancelled(): void;
  /** What was left to lapse may be renewed. */
  active(): void;
}

export interface IdleWatch {
  /** Somebody is there. */
  touch(): void;
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
/** How long storage may take to say what the other tabs know. */
const PATIENCE = 3000;

/**
 * Ends the session when nobody has been there for so long, in any tab: pointer, key, scrolling, the page being looked at, or `session.touch()`.
 * The time of a sleep counts. A token during whose life nobody was there is left to lapse, and renewed when it is needed.
 *
 * @throws {TypeError} when an option is wrong; the message names it.
 */
export function idleLimit({ after, warnBefore = Math.min(60_000, after / 2) }: IdleLimitOptions): IdleLimit {
  if (!(after > 0 && after < Infinity)) throw new TypeError("idleLimit: after must be milliseconds, above 0");
  if (!(warnBefore >= 0 && warnBefore < after)) throw new TypeError("idleLimit: warnBefore must be milliseconds, from 0 to below after");
  return { after, watch: (parts) => watch(parts, after, warnBefore) };
}

function watch(
  { environment, name, clock, ledger, atMost, warn, cancelled, active }: IdleParts,
  after: number,
  warnBefore: number,
): IdleWatch {
  const interval = Math.min(WRITES, (after - warnBefore) / 4);
  /** When somebody was last active here, and when that was last written. */
  let noted = 0;
  let written = -Infinity;
  let writing: unknown;
  let timer: unknown;
  /** The activity since which a warning has been given. */
  let warned: number | undefined;
  let looking = false;
  let again = false;
  let stopped = false;

  // Its messages hurry a look at the ledger; only where the tabs have none in common are they believed.
  const channel = createTabChannel(environment, `${name}:activity`, (data) => {
    const { epoch, at } = (data ?? {}) as { epoch?: unknown; at?: unknown };
    if (ledger.shared) look();
    else if (typeof at === "number") void change((known) => (known.epoch === epoch ? later(known, at) : undefined));
  });

  /** Nobody was active in the future, whatever anybody says. */
  const later = (known: LedgerRecord, at: number): LedgerRecord | undefined =>
    at > activeAt(known) && at <= clock.now() ? { ...known, lastActivityAt: at } : undefined;

  function touch(): void {
    if (stopped || !ledger.current?.signedIn) return;
    noted = clock.now();
    if (writing !== undefined) return;
    const wait = written + interval - noted;
    if (wait <= 0) write();
    else writing = environment.setTimeout(write, wait);
  }

  function write(): void {
    environment.clearTimeout(writing);
    writing = undefined;
    written = clock.now();
    const at = noted;
    const epoch = ledger.current?.epoch;
    void change((known) => (known.epoch === epoch ? later(known, at) : undefined)).then(() => channel.post({ epoch, at }));
  }

  /** One at a time: a page that was frozen gets all messages at once. */
  function look(): void {
    again = looking;
    if (looking) return;
    looking = true;
    void change(() => undefined).then(() => {
      looking = false;
      if (again && !stopped) look();
    });
  }

  /** Reads what the other tabs know, first: a session that has reached its limit ends by that alone, and no activity is heard any more. */
  async function change(next: (known: LedgerRecord) => LedgerRecord | undefined): Promise<void> {
    if (stopped) return;
    const update = () => ledger.update((known) => (known?.signedIn ? next(known) : undefined)).then(() => true);
    if (!(await atMost(PATIENCE, update())) && !stopped && left() <= 0) {
      ledger.abandon(() => undefined);
      await update();
    }
    if (stopped) return;
    seen();
    active();
  }

  const left = () => (ledger.current?.signedIn ? activeAt(ledger.current) + after - clock.now() : Infinity);

  function seen(): void {
    environment.clearTimeout(timer);
    const record = ledger.current;
    if (stopped || !record?.signedIn) {
      warned = undefined;
      return;
    }
    const since = activeAt(record);
    if (warned !== undefined && warned !== since) {
      warned = undefined;
      cancelled();
    }
    const rest = left();
    if (warned === undefined && rest > 0 && rest <= warnBefore) {
      warned = since;
      warn(rest);
    }
    const wait = warned === undefined ? rest - warnBefore : rest;
    timer = environment.setTimeout(
      () => (left() - (warned === undefined ? warnBefore : 0) > 0 ? seen() : look()),
      Math.max(0, Math.min(wait, LOOK)),
    );
  }

  const forget = (environment.onActivity ?? pageActivity)(touch);
  channel.open();
  return {
    touch,
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
