import { SessionError } from "../errors.js";
import { authorizedFetch } from "../http/authorized-fetch.js";
import { createLedger } from "../ledger/ledger.js";
import { createClock } from "../platform/clock.js";
import type { RefresherParts } from "../refresh/parts.js";
import { createRefresher } from "../refresh/refresher.js";
import { hasMeans } from "../refresh/ruling.js";
import { createScheduler } from "../refresh/scheduler.js";
import { createLock } from "../tabs/lock.js";
import type { Claims, Session, SessionEvents, SessionOptions, Snapshot, TokenSet } from "../types.js";
import { type Access, type AccessParts, createAccess } from "./access.js";
import { createDiagnostics } from "./diagnostics.js";
import { createEntrance, RESTORE } from "./entrance.js";
import { createEvents } from "./events.js";
import { createLimits } from "./limits.js";
import { normalizeOptions } from "./options.js";
import { createPageLife } from "./page-life.js";
import { createSiblings } from "./siblings.js";
import { type Credential, createState } from "./state.js";
import { within } from "./within.js";

/** Milliseconds within which opening the app once more renews nothing. */
const OPENING = 60_000;
/** How long a new tab in memory mode waits for a sibling to hand it the access token. */
const SIBLINGS = 500;

/**
 * Makes a session: restores what another tab or an earlier page left, keeps its token fresh, and shares it with every tab of this origin.
 * Make one for each page and keep it in a module; nothing of the browser is touched when the module is merely imported.
 *
 * @throws {TypeError} when an option is wrong; the message names it.
 */
export function createSession<C extends object = Claims>(options: SessionOptions): Session<C> {
  const settings = normalizeOptions(options);
  const { environment, strategy } = settings;
  const clock = createClock(environment);
  const tab = Math.floor(environment.random() * 2 ** 52).toString(36);
  const events = createEvents<SessionEvents & { change: undefined }>(environment.report);
  const state = createState(events, settings, clock.toDevice);
  const key = `tokentide:${settings.name}:${strategy.id}`;
  const { debug, complain } = createDiagnostics(environment, tab, events);
  if (settings.debug) events.on("debug", settings.debug);
  const gone = new AbortController();
  const atMost = <T>(milliseconds: number, promise: Promise<T>) => within(environment, milliseconds, promise, gone.signal);

  const { overrun, look } = createLimits(clock, settings.maxAge, () => ({ ledger, idle }), atMost, gone.signal, flush);
  const ledger = createLedger(environment, key, tab, settings.persist === "indexeddb", clock, overrun, (record, quiet, before) => {
    if (gone.signal.aborted) return;
    const adopted = record.by !== tab;
    debug("ledger-changed", { version: record.version, by: record.by, refreshing: record.refreshing?.tab });
    refresher.seen(record);
    audiences?.seen(record);
    state.apply(record, adopted);
    scheduler.arm(record);
    idle?.seen();
    // Memory mode: only the tab that holds the refresh token can give it back when another one signs out. A limit is nobody's call.
    const limited = record.reason === "idle" || record.reason === "max-age";
    const others = adopted && !ledger.persistent && (limited || record.reason === "user") && before?.tokens?.refreshToken;
    const own = !adopted && limited && before?.signedIn;
    if (others || own) revoke(before?.tokens);
    if (own) siblings.announce();
    if (!quiet) flush();
  });

  /** Nothing of the app's runs under the lock. */
  function flush(): void {
    if (!refresher.holding && !audiences?.holding) events.flush();
  }

  const lock = createLock(environment, key);
  const siblings = createSiblings(environment, clock, key, ledger, settings.shareAccessToken, (audience) => {
    if (audience === undefined) access.renew("unauthorized").catch(() => {});
    else audiences?.renew(audience);
  });

  const failed = (error: SessionError, attempt: number, retryAt: number | null, audience?: string) =>
    events.emit("refresh-failed", {
      error,
      attempt,
      retryAt: retryAt === null ? null : Math.round(clock.toDevice(retryAt)),
      ...(audience && { audience }),
    });

  const refresherParts: RefresherParts = {
    environment,
    clock,
    ledger,
    lock,
    strategy,
    tab,
    options: settings,
    overrun,
    announce: siblings.announce,
    ask: siblings.ask,
    unlocked() {
      flush();
      if (gone.signal.aborted) ledger.close();
    },
    failed,
    discarded: revoke,
    complain,
    debug,
  };
  const refresher = createRefresher(refresherParts);

  const renews = () => (settings.renewWhileHidden || !environment.hidden) && (!idle || !ledger.current || idle.attended(ledger.current));
  const scheduler = createScheduler(environment, clock, settings.maxAge, renews, (action) => {
    if (action === "end") void access.end();
    else access.renew(access.peek() ? "due" : "expired").catch(() => {});
  });

  const accessParts: AccessParts = {
    clock,
    random: environment.random,
    tab,
    ledger,
    state,
    refresher,
    scheduler,
    ready: () => ready,
    assertAlive,
    announce: siblings.announce,
    flush,
    options: settings,
    complain,
    overrun,
    look,
  };
  const access: Access = createAccess(accessParts);
  const audiences = settings.audiences?.connect({
    settings,
    refresher: refresherParts,
    access: accessParts,
    ask: siblings.ask,
    failed: (audience, error, attempt, retryAt) => failed(error, attempt, retryAt, audience),
    end: () => void access.end("rejected"),
  });

  const idle = settings.idle?.watch({
    environment,
    name: key,
    clock,
    ledger,
    look,
    tell(event, payload) {
      events.emit(event, payload as never);
      flush();
    },
    active: scheduler.check,
  });

  function revoke(tokens: TokenSet | undefined): void {
    if (!tokens || (strategy.needsRefreshToken && !tokens.refreshToken)) return;
    const tell = async () => strategy.revoke?.({ tokens, fetch: (input, init) => environment.fetch(input, init) });
    tell().catch(() => debug("revocation-failed"));
  }

  async function restore(): Promise<void> {
    siblings.open();
    await ledger.look();
    const record = ledger.current;
    const elsewhere = record ? record.signedIn && !record.tokens : !ledger.shared;
    if (elsewhere && environment.openChannel) {
      siblings.ask(record?.version ?? 0);
      // Called again, it does nothing.
      await atMost(SIBLINGS, new Promise((resolve) => events.on("change", resolve)));
    }
    if (state.snapshot.status === "restoring" && record?.signedIn && !hasMeans(record)) access.lose();
  }

  const forgetPage = environment.onPageSignal(createPageLife(ledger, lock, siblings, access, scheduler, idle, renews, gone.signal));
  const ready = atMost(RESTORE, restore()).then(() => {
    if (gone.signal.aborted) return;
    state.settle();
    events.flush();
    const record = ledger.current;
    if (!settings.renewOnOpen || !record?.signedIn || !hasMeans(record)) return;
    // Several tabs that open together, or one after the other, are one opening.
    if (clock.now() - record.committedAt >= OPENING) access.renew("due").catch(() => {});
  });

  function assertAlive(): void {
    if (gone.signal.aborted) throw new SessionError("disposed", "this session object was disposed of");
  }

  async function restored(): Promise<void> {
    await ready;
    assertAlive();
  }

  const { signIn, signOut } = createEntrance({
    ...accessParts,
    ledger,
    atMost,
    flush: events.flush,
    revoke,
    restored,
    begin: refresher.begin,
  });

  const bearer = {
    ...access,
    end(refused: Credential) {
      if (state.credential === refused) void access.end("rejected");
    },
    complain,
    debug,
    flush,
  };
  const wrap = (transport: typeof fetch) => authorizedFetch(bearer, settings, audiences?.wrap(transport) ?? transport);

  return {
    ready,
    getSnapshot: () => state.snapshot as Snapshot<C>,
    subscribe: (listener) => events.on("change", listener),
    on: events.on as unknown as Session<C>["on"],
    signIn,
    signOut,
    touch: () => idle?.touch(),
    getToken(options) {
      if (options?.audience === undefined) return access.getToken(options);
      return audiences?.getToken(options) ?? Promise.reject(new TypeError("getToken: audience needs the option audiences"));
    },
    peekToken: () => (gone.signal.aborted ? null : (access.peek()?.token ?? null)),
    async refresh() {
      assertAlive();
      await restored();
      return access.renew("requested");
    },
    fetch: wrap((input, init) => environment.fetch(input, init)),
    wrap,
    dispose() {
      if (gone.signal.aborted) return;
      gone.abort();
      events.clear();
      const disposed = new SessionError("disposed", "this session object was disposed of");
      refresher.stop(disposed);
      audiences?.stop(disposed);
      scheduler.stop();
      idle?.stop();
      forgetPage();
      lock.leave();
      siblings.close();
      ledger.close();
    },
  };
}
