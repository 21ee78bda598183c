import { createLedger, type LedgerChange } from "../../src/ledger/ledger.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { createLimits } from "../../src/limits/limits.js";
import { createClock } from "../../src/platform/clock.js";
import { createWaits } from "../../src/platform/timers.js";
import type { Follower, SessionContext } from "../../src/session/context.js";
import { normalizeOptions } from "../../src/session/options.js";
import { createReporter, type Reporter } from "../../src/session/reporter.js";
import { createLock } from "../../src/tabs/lock.js";
import { createTabSync } from "../../src/tabs/sync.js";
import { type Lacks, World, type WorldTab } from "../../src/testing/world.js";
import type { RefreshStrategy, SessionOptions } from "../../src/types/index.js";
import { record } from "../ledger/records.js";

export interface ContextOptions {
  /** @default a world of its own */
  readonly world?: World;
  readonly lacks?: Lacks;
  readonly strategy?: Partial<RefreshStrategy>;
  readonly options?: Partial<SessionOptions>;
  readonly prerendering?: boolean;
}

export interface TestContext {
  readonly context: SessionContext;
  readonly world: World;
  readonly page: WorldTab;
  readonly events: Reporter;
  /** What the app heard, without `debug`: the events with their payloads. */
  readonly heard: [event: string, payload: unknown][];
  /** The types of the debug events. */
  readonly debug: string[];
  /** For which audience other tabs asked this one to renew. */
  readonly asked: (string | undefined)[];
  /** They hear of each change of the record. A test puts its own parts here. */
  readonly followers: Follower[];
  readonly changes: LedgerChange[];
  /** Puts a record in the ledger, as the world's store keeps it. */
  write(next: LedgerRecord): Promise<void>;
  /** The messages of this tab, without the name of the channel. */
  posted(): unknown[];
}

const EVENTS = [
  ...(["signed-in", "refreshed", "refresh-failed", "claims-changed", "user-changed", "idle-warning", "idle-cancelled"] as const),
  ...(["signed-out", "change"] as const),
];

/** The context that `createSession` gives to its parts, over a tab of a virtual browser. */
export function contextOver({ world = new World(), lacks, strategy, options, prerendering = false }: ContextOptions = {}): TestContext {
  const page = world.tab(undefined, lacks);
  page.prerendering = prerendering;
  const { environment } = page;
  const refresh: RefreshStrategy = { id: "test", needsRefreshToken: true, refresh: () => ({ access_token: "fresh" }), ...strategy };
  const settings = normalizeOptions({ refresh, environment, ...options } as SessionOptions);
  const clock = createClock(environment);
  const key = "session";
  const tab = page.name;
  const lock = createLock(environment, key);
  const report = createReporter(environment, tab, lock);
  const events = report;
  const waits = createWaits(environment);
  const followers: Follower[] = [];
  const changes: LedgerChange[] = [];
  const asked: (string | undefined)[] = [];
  const limits = createLimits({ clock, maxAge: settings.maxAge, waits, ledger: () => ledger, idle: () => undefined });
  const ledger = createLedger({
    environment,
    clock,
    tab,
    key,
    waits,
    reads: settings.reads,
    limitReached: limits.reached,
    warnOnce: report.warnOnce,
    changed(change) {
      changes.push(change);
      for (const follower of followers) follower.changed(change);
      report.flush();
    },
  });
  const shareAccessToken = settings.persist === "indexeddb" || settings.persist.shareAccessToken;
  const tabs = createTabSync({
    environment,
    clock,
    key,
    ledger,
    lock,
    reads: settings.reads,
    shareAccessToken,
    renew: (audience) => asked.push(audience),
  });
  tabs.open();
  const context: SessionContext = { environment, clock, tab, settings, ledger, limits, tabs, report, waits };

  const heard: TestContext["heard"] = [];
  const debug: string[] = [];
  for (const event of EVENTS) events.on(event, (payload) => heard.push([event, payload]));
  events.on("debug", ({ type }) => debug.push(type));
  return {
    context,
    world,
    page,
    events,
    heard,
    debug,
    asked,
    followers,
    changes,
    async write(next) {
      await world.clock.until(ledger.apply<void>(() => ({ next })));
      await world.clock.advance(5);
    },
    posted: () => world.channels.posted.filter((sent) => sent.tab === tab).map(({ message }) => message),
  };
}

/** A session that began two minutes ago, and whose token, renewed half a minute ago, is valid for half a minute more. */
export function liveRecord(
  { clock, tab, settings }: Pick<SessionContext, "clock" | "tab" | "settings">,
  changes: Partial<LedgerRecord> = {},
): LedgerRecord {
  const now = clock.now();
  return record({
    by: tab,
    signedInAt: now - 120_000,
    committedAt: now - 30_000,
    issuedAt: now - 30_000,
    expiresAt: now + 30_000,
    dueAt: now + 20_000,
    inMemory: settings.persist !== "indexeddb" || undefined,
    ...changes,
  });
}
