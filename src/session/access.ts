import { isSessionError, type SessionError } from "../errors.js";
import { abortable, type Bearer } from "../http/authorized-fetch.js";
import { ended, sameCommit } from "../ledger/record.js";
import type { Change, Ledger } from "../ledger/types.js";
import type { SharedClock } from "../platform/clock.js";
import { claimsOf, type IssueOptions, issue } from "../refresh/issue.js";
import { tooOldAt } from "../refresh/limits.js";
import type { Refreshed } from "../refresh/parts.js";
import type { Refresher } from "../refresh/refresher.js";
import { hasMeans, isFinal } from "../refresh/ruling.js";
import type { Scheduler } from "../refresh/scheduler.js";
import { differentParty, parseTokens } from "../token/decode.js";
import { expiryIn } from "../token/lifetime.js";
import type { GetTokenOptions, RefreshCause, SignedOutReason } from "../types.js";
import { type Credential, type State, sameUser } from "./state.js";

/** How the app comes by a token: the one there is, a new one, or the news that there will be none. */
export interface Access extends Omit<Bearer<Credential>, "end" | "complain" | "debug" | "flush"> {
  getToken(options?: GetTokenOptions): Promise<string | null>;
  /** Refreshes, and draws the conclusion when the means to do so are gone. */
  renew(cause: RefreshCause, eager?: boolean): Promise<Refreshed>;
  /** Ends a session that cannot be renewed, in all tabs, if it is still the one this tab knows. */
  end(reason?: SignedOutReason): Promise<void>;
  /** Nobody in reach can renew. Others may still be able to, so the ledger is left as it is. */
  lose(): void;
}

export interface AccessParts {
  readonly clock: SharedClock;
  readonly random: () => number;
  readonly tab: string;
  readonly ledger: Pick<Ledger, "current" | "update">;
  readonly state: Pick<State, "snapshot" | "credential" | "usableUntil" | "dueAt" | "lose">;
  readonly refresher: Refresher;
  readonly scheduler: Pick<Scheduler, "check" | "stop">;
  readonly ready: () => Promise<void>;
  /** Throws when the session was disposed of. */
  readonly assertAlive: () => void;
  readonly announce: () => void;
  readonly options: IssueOptions & { readonly maxAge: number };
  readonly complain: (problem: string) => void;
  readonly flush: () => void;
  /** Why the session, as far as is known, is over although it could be renewed, if it is. */
  readonly overrun: () => SignedOutReason | undefined;
  /** Reads and changes the ledger; a limit holds even if that does not answer. */
  readonly look: (change?: Change) => Promise<void>;
}

/** Milliseconds after its next attempt was due in which nothing is heard of the tab that can renew. */
const SILENCE = 60_000;

export function createAccess({
  clock,
  random,
  tab,
  ledger,
  state,
  refresher,
  scheduler,
  ready,
  assertAlive,
  announce,
  flush,
  options,
  complain,
  overrun,
  look,
}: AccessParts): Access {
  function peek(validity = 0): Credential | null {
    assertAlive();
    const now = clock.now();
    // The timer is late, or the device slept: this is where it is noticed.
    if (now >= state.dueAt) scheduler.check();
    return state.credential && now + validity < state.usableUntil && !overrun() ? state.credential : null;
  }

  async function renew(cause: RefreshCause, eager = false): Promise<Refreshed> {
    try {
      return await refresher.refresh(cause, eager);
    } catch (error) {
      const record = ledger.current;
      if ((error as SessionError).code === "not-renewable" && record?.signedIn) {
        const now = clock.now();
        const useless = now >= state.usableUntil || !state.credential;
        // A tab that has written lately that it will try again is there.
        const silent = !record.failure || now > (record.failure.retryAt ?? now) + SILENCE;
        const final = isFinal(record, now);
        if (final && (cause === "unauthorized" ? record.failure : useless)) void end();
        else if (!final && useless && silent && !hasMeans(record)) lose();
      }
      throw error;
    }
  }

  async function end(reason: SignedOutReason = ledger.current?.failure?.code === "rejected" ? "rejected" : "expired"): Promise<void> {
    const known = ledger.current;
    await look((record) =>
      record?.signedIn && sameCommit(record, known) ? ended(record, tab, clock.now(), random(), reason, record.lost) : undefined,
    );
    announce();
  }

  function lose(): void {
    scheduler.stop();
    state.lose();
    flush();
  }

  async function getToken({ minValidity = 0, signal }: GetTokenOptions = {}): Promise<string | null> {
    assertAlive();
    if (!(minValidity >= 0)) throw new TypeError("getToken: minValidity must be milliseconds, not below 0");
    signal?.throwIfAborted();
    if (state.snapshot.status === "restoring") {
      await abortable(ready(), signal);
      assertAlive();
    }
    // Somebody may have been there, in another tab; else this ends it.
    if (overrun()) await abortable(look(), signal);
    const record = ledger.current;
    if (state.snapshot.status !== "signed-in" || !record) return null;
    const { expiresAt, issuedAt } = record;
    const ending = tooOldAt(record, options.maxAge) - clock.now();
    const valid = peek(expiresAt === null ? 0 : Math.min(minValidity, (expiresAt - issuedAt) / 2, ending));
    if (valid) return valid.token;
    try {
      await abortable(renew("expired"), signal);
    } catch (error) {
      if (!isSessionError(error) || error.code === "disposed" || state.snapshot.status === "signed-in") throw error;
    }
    return state.credential?.token ?? null;
  }

  /** Never over a refresh that is under way: its answer may be a rotated token, and is at least as young. */
  async function adopt(token: string, sent: Credential): Promise<void> {
    let taken = false;
    await ledger.update((record) => {
      taken = false;
      if (!record?.signedIn || record.epoch !== sent.epoch || record.refreshing || !record.tokens || !hasMeans(record)) return undefined;
      try {
        const tokens = parseTokens(token);
        const before = claimsOf(record.tokens, options.readClaims);
        const after = claimsOf(tokens, options.readClaims);
        const [old, later] = [expiryIn(before, options.expiryClaim), expiryIn(after, options.expiryClaim)];
        // Where the tokens do not say which is later: the answer to the one in force is.
        if (differentParty(before, after) || !(old && later ? later > old : sent.token === record.tokens.accessToken)) return undefined;
        if (token === record.tokens.accessToken) return undefined;
        taken = true;
        return issue(record, tokens, false, options, { now: clock.now(), tab, age: 0, random, complain });
      } catch {
        complain("renewalHeader: what came is no token");
        return undefined;
      }
    });
    if (taken) announce();
  }

  const waitFrom = together(async (before: Credential | undefined) => {
    // Not now: the API shall decide what it thinks of the token there is.
    await getToken().catch(() => {});
    const { credential } = state;
    return credential && (!before || sameUser(before, credential)) && !overrun() ? credential : null;
  });
  const renewFor = together((_refused: Credential) => renew("unauthorized").catch(({ code }: SessionError) => code));

  return {
    adopt,
    peek,
    renew,
    end,
    lose,
    getToken,
    wait: () => waitFrom(state.credential),
    async replace(refused) {
      const before = state.credential;
      if (!before || !sameUser(refused, before)) return null;
      if (before === refused || !peek()) {
        const joins = refresher.flying;
        const outcome = await renewFor(refused);
        // What was under way had waited for another tab before, and gave up soon: a call that was refused is worth a wait of its own (R45).
        if (joins && outcome === "busy") await renewFor(refused);
      }
      const { credential } = state;
      return credential && credential !== refused && sameUser(refused, credential) ? credential : null;
    },
  };
}

/** Who asks about the same while the answer is on its way gets that answer: a thousand calls that wait are one wait. */
function together<About, T>(ask: (about: About) => Promise<T>): (about: About) => Promise<T> {
  let last: { about: About; answer: Promise<T> } | undefined;
  return (about) => {
    if (last && last.about === about) return last.answer;
    const own = {
      about,
      answer: ask(about).finally(() => {
        if (last === own) last = undefined;
      }),
    };
    last = own;
    return own.answer;
  };
}
