import { assertKnown } from "../errors.js";
import { isNewerRelease } from "../ledger/format.js";
import type { LedgerChange } from "../ledger/ledger.js";
import type { LedgerRecord } from "../ledger/record.js";
import { noteActivity } from "../ledger/transitions/index.js";
import { pageActivity } from "../platform/activity.js";
import type { SessionContext } from "../session/context.js";
import { suspect } from "../token/lifetime.js";
import type { IdleLimit } from "../types/index.js";
import { createActivity } from "./activity.js";
import { createLimits } from "./limits.js";

export interface IdleLimitOptions {
  /** The milliseconds without activity in any tab after which the session ends, above 0. */
  after: number;
  /**
   * The milliseconds from `idle-warning` to the end, from 0 and less than `after`. With 0, there is no warning.
   * @default 60000, or half of `after` if that is less
   */
  warnBefore?: number;
}

/** The members of an `idleLimit` that only a session uses. */
export interface IdlePlugin extends IdleLimit {
  readonly option: "idle";
  readonly createLimits: typeof createLimits;
  /** `key` names the session's channel. `active`: a token that was left to lapse may be renewed. */
  connect(context: SessionContext, key: string, active: () => void): IdleWatch;
}

export interface IdleWatch {
  /** Notes that the user is active. */
  touch(): void;
  /** Returns the end of the session on the shared clock, unless the user becomes active. */
  endsAt(record: LedgerRecord): number;
  /** Whether the user was active during the token's lifetime. Otherwise `renews` in `session/session.ts` lets it lapse. */
  attended(record: LedgerRecord): boolean;
  /** The page goes away. */
  leave(): void;
  /** The page is back. */
  comeBack(): void;
  changed(change?: LedgerChange): void;
  stop(): void;
}

/** A timer counts neither sleep nor a change of the wall clock, so no timer is longer. */
const LONGEST_TIMER_MS = 60_000;

/**
 * Makes the option `idle`: the session ends, with the reason `idle`, when the user was inactive in all tabs for `after` milliseconds.
 *
 * Activity is a pointer, a key, a wheel, scrolling, a page that becomes visible, or `session.touch()`. Activity inside frames does not count.
 * The time of a sleep counts as inactivity. The session lets a token expire when the user was inactive during its whole lifetime, and renews
 * it when a call needs it.
 *
 * @throws {TypeError} when an option is wrong or unknown. The message names the option.
 */
export function idleLimit(options: IdleLimitOptions): IdleLimit {
  const { after, warnBefore = Math.min(60_000, after / 2) } = options ?? {};
  assertKnown("idleLimit", options, { after, warnBefore });
  if (!(after > 0 && after < Infinity)) throw new TypeError("idleLimit: after must be milliseconds, above 0");
  if (!(warnBefore >= 0 && warnBefore < after)) throw new TypeError("idleLimit: warnBefore must be milliseconds, from 0 to below after");
  const plugin: IdlePlugin = {
    option: "idle",
    createLimits,
    connect(context, key, active) {
      const { report } = context.environment;
      suspect({ after }, report);
      suspect({ warnBefore: options.warnBefore }, report, 100);
      return watch({ ...context, key, active }, after, warnBefore);
    },
  };
  return plugin;
}

type IdleParts = SessionContext & { readonly key: string; active(): void };

function watch({ environment, clock, ledger, limits, report, key, active }: IdleParts, after: number, warnBefore: number): IdleWatch {
  let timer: unknown;
  /** The time of the last activity before the present warning. Undefined without a warning. */
  let warned: number | undefined;
  let stopped = false;

  const synchronize = oneAtATime(async () => {
    await limits.enforce(noteActivity(activity.at));
    if (stopped) return;
    changed();
    active();
  });
  const activity = createActivity({ environment, clock, ledger, key, synchronize }, after, (after - warnBefore) / 4);
  const endsAt = (record: LedgerRecord): number => activity.at(record) + after;
  const left = (): number => (ledger.current?.signedIn ? endsAt(ledger.current) - clock.now() : Infinity);

  function changed(): void {
    environment.clearTimeout(timer);
    const record = ledger.current;
    // Only the newer release may end its session.
    if (stopped || !record?.signedIn || isNewerRelease(record)) {
      warned = undefined;
      return;
    }
    const since = activity.at(record);
    const rest = left();
    const cancelled = warned !== undefined && warned !== since;
    if (cancelled) warned = undefined;
    const warns = warned === undefined && rest > 0 && rest <= warnBefore;
    if (warns) warned = since;
    const margin = warned === undefined ? warnBefore : 0;
    timer = environment.setTimeout(
      () => (left() > margin ? changed() : synchronize()),
      Math.max(0, Math.min(rest - margin, LONGEST_TIMER_MS)),
    );
    // The events come last, since a listener may call `touch`, `signOut` or `dispose`.
    if (cancelled) report.emit("idle-cancelled", {});
    if (warns) report.emit("idle-warning", { endsAt: clock.toDevice(clock.now() + rest), remaining: rest });
    if (cancelled || warns) report.flush();
  }

  const removeListener = (environment.onActivity ?? pageActivity)(() => activity.touch());
  return {
    touch: activity.touch,
    endsAt,
    attended: (record) => activity.at(record) > record.issuedAt,
    changed,
    leave: activity.leave,
    comeBack: activity.comeBack,
    stop() {
      stopped = true;
      environment.clearTimeout(timer);
      removeListener();
      activity.stop();
    },
  };
}

/** Runs `work` once more after the present run, for all calls meanwhile: a page that was frozen gets all messages at once. */
function oneAtATime(work: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  return function run() {
    again = running;
    if (running) return;
    running = true;
    void work().finally(() => {
      running = false;
      if (again) run();
    });
  };
}
