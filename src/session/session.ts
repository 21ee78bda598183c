import { SessionError } from "../errors.js";
import { authorizedFetch } from "../http/authorized-fetch.js";
import { createLedger, type LedgerChange } from "../ledger/ledger.js";
import { unlimited } from "../limits/unlimited.js";
import { createClock } from "../platform/clock.js";
import { createWaits, keepAlive } from "../platform/timers.js";
import { createRefresher } from "../refresh/refresher.js";
import { createScheduler } from "../refresh/scheduler.js";
import { createLock } from "../tabs/lock.js";
import { createTabSync } from "../tabs/sync.js";
import type { Claims, Session, SessionOptions, Snapshot } from "../types/index.js";
import { createCallTokens } from "./call-tokens.js";
import type { Follower, SessionContext } from "./context.js";
import { normalizeOptions } from "./options.js";
import { createPageLife } from "./page-life.js";
import { createReporter } from "./reporter.js";
import { createOpening, restore } from "./restore.js";
import { createRevocation } from "./revocation.js";
import { createSignInOut } from "./sign-in-out.js";
import { createTokenSource, type TokenSource } from "./token-source.js";
import { type Credential, createView } from "./view.js";

/**
 * Makes a session. It restores the session of another tab or of an earlier page, and keeps the access token fresh. All tabs of this origin with
 * the same `name`, or without a name and with the same strategy, share one session.
 *
 * An app makes one session for each page and keeps it in a module. The import alone touches nothing of the browser. In Node, the session
 * has no storage and no other tabs.
 *
 * @throws {TypeError} when an option is wrong or unknown. The message names the option.
 */
export function createSession<C extends object = Claims>(options: SessionOptions): Session<C> {
  const settings = normalizeOptions(options);
  const { environment, strategy, name, persist, maxAge, dpop } = settings;
  const clock = createClock(environment);
  const tab = Math.floor(environment.random() * 2 ** 52).toString(36);
  // With a name, the endpoint may change. JSON keeps the pairs of name and client apart, whatever characters they contain.
  const key = `tokentide:${name === undefined ? `default:${strategy.id}` : JSON.stringify([name, strategy.clientId])}`;
  const lock = createLock(environment, key);
  const report = createReporter(environment, tab, lock);
  if (settings.debug) report.on("debug", settings.debug);
  const waits = createWaits(environment);

  const withLimits = maxAge ?? settings.idle;
  const limits = withLimits?.createLimits({ clock, maxAge, waits, ledger: () => ledger, idle: () => idle }) ?? unlimited(() => ledger);
  const ledger = createLedger({
    environment,
    clock,
    tab,
    key,
    waits,
    changed,
    reads: settings.reads,
    limitReached: (record) => dpop?.lost(record) ?? limits.reached(record),
    warnOnce: report.warnOnce,
  });
  const tabs = createTabSync({
    ...{ environment, clock, key, ledger, lock, reads: settings.reads },
    shareAccessToken: persist === "indexeddb" || persist.shareAccessToken,
    renew(audience) {
      if (audience === undefined) source.renew("unauthorized").catch(() => {});
      else audiences?.renew(audience);
    },
  });
  const context: SessionContext = { environment, clock, tab, settings, ledger, limits, tabs, report, waits };

  const view = createView(context);
  const refresher = createRefresher(context);
  const renews = () => (settings.renewWhileHidden || !environment.hidden) && (!idle || !ledger.current || idle.attended(ledger.current));
  const scheduler = createScheduler(context, renews, (action) => {
    if (action === "end") void source.end();
    else source.renew(source.valid() ? "due" : "expired").catch(() => {});
  });
  const catchUp = () => pageLife.catchUp();
  const source: TokenSource = createTokenSource(context, { view, refresher, scheduler, catchUp, restored });
  const audiences = settings.audiences?.connect(context, { view, catchUp, restored, end: () => void source.end("rejected") });
  const { isOfFormerUser } = view;
  dpop?.connect(context, { isOfFormerUser, restored });
  const { signIn, signOut } = createSignInOut(context, { restored, refresher });
  const idle = settings.idle?.connect(context, key, scheduler.check);
  maxAge?.connect(context);

  /** The order matters: first the waiting callers, then the app's view, then the plans that use the view. */
  const followers: (Follower | undefined)[] = [refresher, audiences, view, scheduler, idle, createRevocation(context)];

  function changed(change: LedgerChange): void {
    if (waits.disposed) return;
    const { version, by, refreshing } = change.record;
    report.debug("ledger-changed", { version, by, refreshing: refreshing?.tab });
    for (const follower of followers) follower?.changed(change);
    report.flush();
  }

  const opening = createOpening(context, source);
  const pageLife = createPageLife(context, { source, scheduler, idle, opening, renews });
  const forgetPage = environment.onPageSignal(pageLife.hear);
  const { ready, known } = restore(context, { view, opening, source });
  if (persist !== "indexeddb") persist.connect(context, known);
  strategy.connect?.(context, { known, renew: () => source.renew("due").catch(() => {}) });

  async function restored(): Promise<void> {
    await Promise.all([known, catchUp()]);
    waits.assertAlive();
  }

  const tokens = {
    ...createCallTokens(context, { view, refresher, source }),
    ...{ isOfFormerUser, carry: dpop?.carry, renewed: settings.renewalHeader?.connect(context) },
    end(refused: Credential) {
      if (view.credential === refused) void source.end("rejected");
    },
  };
  const wrap = (transport: typeof fetch) => authorizedFetch(tokens, { ...settings, report }, audiences?.wrap(transport) ?? transport);

  return {
    ready,
    getSnapshot: () => view.snapshot as Snapshot<C>,
    subscribe: (listener) => report.on("change", listener),
    on: report.on as unknown as Session<C>["on"],
    signIn: (tokens) => keepAlive(environment, signIn(tokens)),
    signOut: () => keepAlive(environment, signOut()),
    touch: () => idle?.touch(),
    getToken(options) {
      if (options?.audience === undefined) return source.getToken(options);
      return audiences?.getToken(options) ?? Promise.reject(new TypeError("getToken: audience needs the option audiences"));
    },
    async getIdToken() {
      await restored();
      return view.idToken ?? null;
    },
    peekToken: () => (waits.disposed ? null : (source.peek()?.token ?? null)),
    refresh: source.request,
    fetch: wrap((input, init) => environment.fetch(input, init)),
    wrap,
    dispose() {
      if (waits.disposed) return;
      const error = new SessionError("disposed", "this session object was disposed of");
      waits.dispose(error);
      report.clear();
      for (const follower of followers) follower?.stop?.(error);
      forgetPage();
      lock.leave();
      tabs.close();
      ledger.close();
    },
  };
}
