import { isSessionError, SessionError } from "../errors.js";
import { abortable, authorizedFetch } from "../http/authorized-fetch.js";
import { createLedger } from "../ledger/ledger.js";
import { forSiblings, type Message, parseMessage } from "../ledger/messages.js";
import { ended, sameVersion } from "../ledger/record.js";
import { createClock } from "../platform/clock.js";
import type { PageSignal } from "../platform/environment.js";
import { issue } from "../refresh/issue.js";
import { createRefresher } from "../refresh/refresher.js";
import { hasMeans } from "../refresh/ruling.js";
import { createScheduler } from "../refresh/scheduler.js";
import { createTabChannel } from "../tabs/channel.js";
import { createLock } from "../tabs/lock.js";
import { parseTokens, readClaims } from "../token/decode.js";
import type {
  Claims,
  GetTokenOptions,
  RefreshCause,
  Session,
  SessionEvents,
  SessionOptions,
  SignedOutReason,
  Snapshot,
  TokenSet,
} from "../types.js";
import { createEvents } from "./events.js";
import { normalizeOptions } from "./options.js";
import { createState } from "./state.js";
import { within } from "./within.js";

/** How long `ready` waits for storage, and a sign-in before it does without. */
const RESTORE = 3000;
/** How long a new tab in memory mode waits for a sibling to hand it the access token. */
const SIBLINGS = 500;
/** How long `signOut` waits for storage; the write goes on. */
const SIGN_OUT = 100;

/**
 * Makes a session: restores what another tab or an earlier page left, keeps its token fresh, and shares it with every tab of this origin.
 * Make one for each page and keep it in a module; nothing of the browser is touched when the module is merely imported.
 *
 * @throws {TypeError} when an option is wrong; the message names it.
 */
export function createSession<C extends Claims = Claims>(options: SessionOptions): Session<C> {
  const settings = normalizeOptions(options);
  const { environment, strategy } = settings;
  const clock = createClock(environment);
  const tab = Math.floor(environment.random() * 2 ** 52).toString(36);
  const events = createEvents<SessionEvents & { change: undefined }>(environment.report);
  const state = createState(events, settings.readClaims, (instant) => instant - clock.now() + environment.now());
  const key = `tokentide:${settings.name}:${strategy.id}`;
  const warned = new Set<string>();
  const gone = new AbortController();
  const atMost = <T>(milliseconds: number, promise: Promise<T>) => within(environment, milliseconds, promise, gone.signal);

  function debug(type: string, details?: Record<string, unknown>): void {
    const listener = settings.debug;
    if (!listener) return;
    const event = { ...details, type, at: environment.now(), tab };
    events.enqueue(() => {
      try {
        listener(event);
      } catch {
        // Documented: what the hook throws is ignored.
      }
    });
  }

  /** Once for each problem, however many tokens have it. */
  function complain(problem: string, error?: unknown): void {
    if (!warned.has(problem)) environment.report(problem, error);
    warned.add(problem);
  }

  const ledger = createLedger(environment, key, settings.persist === "indexeddb", clock.now, (record, quiet) => {
    if (gone.signal.aborted) return;
    clock.reach(record.committedAt);
    refresher.seen(record);
    state.apply(record, !quiet);
    scheduler.arm(record);
    if (!quiet) events.flush();
  });
  const lock = createLock(environment, key);
  const channel = createTabChannel(environment, key, (data) => {
    const message = parseMessage(data);
    if (message) heard(message);
  });

  function announce(record = ledger.current): void {
    if (!record) return;
    const withAccessToken = !ledger.persistent && settings.shareAccessToken;
    channel.post({ type: "changed", record: forSiblings(record, withAccessToken) } satisfies Message);
  }

  function ask(version: number): void {
    channel.post({ type: "ask", version } satisfies Message);
  }

  function heard(message: Message): void {
    if (message.type === "changed") {
      environment.clearTimeout(answering);
      void ledger.offer(message.record);
      return;
    }
    const record = ledger.current;
    if (!record?.signedIn || !record.tokens) return;
    if (record.version < message.version) {
      if (record.tokens.refreshToken) void renew("unauthorized").catch(() => {});
    } else if (record.tokens.refreshToken) {
      announce();
    } else {
      // The tab that can renew answers at once; one of the others does if it is gone.
      environment.clearTimeout(answering);
      answering = environment.setTimeout(announce, SIBLINGS * (0.1 + 0.4 * environment.random()));
    }
  }

  const refresher = createRefresher({
    environment,
    clock,
    ledger,
    lock,
    strategy,
    tab,
    options: settings,
    announce,
    ask,
    unlocked() {
      events.flush();
      if (gone.signal.aborted) ledger.close();
    },
    failed: (error, attempt, retryAt) => events.emit("refresh-failed", { error, attempt, retryAt }),
    discarded: revoke,
    complain,
    debug,
  });

  const scheduler = createScheduler(environment, clock, (action) => {
    if (action === "end") void end();
    else void renew(usable() ? "due" : "expired").catch(() => {});
  });

  const usable = (validity = 0): boolean => current(validity) !== null;

  /** The token, if it can be sent now. Where the timer that should have renewed it is late, this is where it is noticed. */
  function current(validity = 0): string | null {
    const now = clock.now();
    if (now >= state.dueAt) scheduler.check();
    return state.token !== undefined && now + validity < state.usableUntil ? state.token : null;
  }

  /** Refreshes, and draws the conclusion when the means to do so are gone. */
  async function renew(cause: RefreshCause, eager = false): Promise<"refreshed" | "adopted"> {
    try {
      return await refresher.refresh(cause, eager);
    } catch (error) {
      const record = ledger.current;
      if ((error as SessionError).code === "not-renewable" && record?.signedIn) {
        if (record.final && (cause === "unauthorized" ? record.failure : !usable())) void end();
        else if (!record.final && !usable()) lose();
      }
      throw error;
    }
  }

  /** Nobody in reach can renew. Others may still be able to, so the ledger is left as it is. */
  function lose(): void {
    scheduler.stop();
    state.lose();
    events.flush();
  }

  /** Ends a session that cannot be renewed, in all tabs, if it is still the one this tab knows. */
  async function end(reason: SignedOutReason = ledger.current?.failure?.code === "rejected" ? "rejected" : "expired"): Promise<void> {
    const known = ledger.current;
    await ledger.update((record) =>
      record?.signedIn && sameVersion(record, known) ? ended(record, clock.now(), environment.random(), reason, record.lost) : undefined,
    );
    announce();
  }

  function revoke(tokens: TokenSet): void {
    strategy.revoke?.({ tokens, fetch: environment.fetch }).catch(() => {});
  }

  async function restore(): Promise<void> {
    channel.open();
    await ledger.update(() => undefined);
    const record = ledger.current;
    const elsewhere = record ? record.signedIn && !record.tokens : !ledger.shared;
    if (elsewhere && environment.openChannel) {
      ask(record?.version ?? 0);
      await atMost(SIBLINGS, events.once("change"));
    }
    if (state.snapshot.status === "restoring" && record?.signedIn && !hasMeans(record)) lose();
  }

  function onPage(signal: PageSignal): void {
    if (signal === "hide") {
      lock.leave();
      channel.close();
      ledger.close();
      return;
    }
    if (signal === "show") {
      lock.comeBack();
      channel.open();
    }
    // What was said while the page was away is lost; the ledger knows.
    void ledger
      .update(() => undefined)
      .then(() => {
        if (gone.signal.aborted) return;
        if (signal === "online" && ledger.current?.failure) renew("due", true).catch(() => {});
        scheduler.check();
      });
  }

  let answering: unknown;
  const forgetPage = environment.onPageSignal(onPage);
  const ready = atMost(RESTORE, restore()).then(() => {
    state.settle();
    events.flush();
  });

  function assertAlive(): void {
    if (gone.signal.aborted) throw new SessionError("disposed", "this session object was disposed of");
  }

  async function getToken({ minValidity = 0, signal }: GetTokenOptions = {}): Promise<string | null> {
    assertAlive();
    signal?.throwIfAborted();
    if (state.snapshot.status === "restoring") await abortable(ready, signal);
    if (state.snapshot.status !== "signed-in") return null;
    const { expiresAt = null, issuedAt = 0 } = ledger.current ?? {};
    const validity = expiresAt === null ? 0 : Math.min(minValidity, (expiresAt - issuedAt) / 2);
    if (!usable(validity)) {
      try {
        await abortable(renew("expired"), signal);
      } catch (error) {
        if (isSessionError(error) && state.snapshot.status !== "signed-in") return null;
        throw error;
      }
    }
    return state.token ?? null;
  }

  async function signIn(input: unknown): Promise<void> {
    assertAlive();
    const tokens = parseTokens(input);
    const { nbf, exp } = (readClaims(tokens.accessToken) ?? {}) as { nbf?: number; exp?: number };
    if (nbf && exp && nbf > exp)
      throw new SessionError("invalid-response", "the access token expires before it is valid (nbf is after exp)");
    const circumstances = () => ({ now: clock.now(), age: 0, random: environment.random, complain });
    const write = () => ledger.update((known) => issue(known, tokens, true, settings, circumstances()), true);
    if (!(await atMost(RESTORE, write()))) {
      ledger.abandon();
      await write();
    }
    announce();
    events.flush();
  }

  async function signOut(): Promise<void> {
    assertAlive();
    const { current } = ledger;
    const written = ledger.end(ended(current, clock.now(), environment.random(), "user"));
    announce();
    if (current?.tokens) revoke(current.tokens);
    await atMost(
      SIGN_OUT,
      written.then(() => announce()),
    );
  }

  return {
    ready,
    getSnapshot: () => state.snapshot as Snapshot<C>,
    subscribe: (listener) => events.on("change", listener),
    on: events.on as unknown as Session<C>["on"],
    signIn,
    signOut,
    getToken,
    peekToken: () => current(),
    async refresh() {
      assertAlive();
      await ready;
      return renew("requested");
    },
    fetch: authorizedFetch(
      {
        peek() {
          assertAlive();
          return current();
        },
        async wait() {
          await getToken().catch(() => {});
          return state.token ?? null;
        },
        async replace(refused) {
          if (state.token === refused || !usable()) await renew("unauthorized").catch(() => {});
          return state.token !== undefined && state.token !== refused ? state.token : null;
        },
        end: () => void end("rejected"),
        complain,
      },
      settings,
    ),
    dispose() {
      if (gone.signal.aborted) return;
      gone.abort();
      refresher.stop(new SessionError("disposed", "this session object was disposed of"));
      scheduler.stop();
      environment.clearTimeout(answering);
      forgetPage();
      lock.leave();
      channel.close();
      ledger.close();
    },
  };
}
