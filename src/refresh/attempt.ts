import { bareError, isSessionError, SessionError } from "../errors.js";
import { isExpired } from "../ledger/facts.js";
import type { LedgerRecord, LedgerTokens } from "../ledger/record.js";
import { isUnchanged } from "../ledger/tokens-issued.js";
import { deadline } from "../platform/timers.js";
import type { SessionContext } from "../session/context.js";
import { parseTokens } from "../token/parse.js";
import type { TokenSet } from "../types/index.js";
import type { Flight } from "./flight.js";

export interface Attempt {
  /** Resolves with the tokens, also after the deadline, or rejects with a {@link SessionError}. */
  readonly answer: Promise<TokenSet>;
  /** Gets the refresh token of an answer without usable tokens. */
  readonly rescued: LedgerTokens;
  /** Resolves at `refreshTimeout`, unless the answer came first. */
  readonly late: Promise<SessionError>;
  /** Aborts the request with a {@link SessionError} when the session no longer waits for the answer. */
  readonly signal: AbortSignal;
  /** Returns the milliseconds from now for which the session waits for the answer after the deadline. They are not positive without such a wait. */
  remaining(): number;
  /** Clears the timers. The request goes on, since its answer may have a rotated token. */
  stop(): void;
}

/** A second try is there this long after the deadline of the first one, at the latest. A shorter grace period is over by then. */
const SECOND_TRY_MS = 4000;

/**
 * Returns the milliseconds after which the request is aborted. A strict server takes a refresh token that comes twice for a theft, so the
 * session waits as long as the lease may stand (R84). The deadline ends a request that may be repeated. It also ends a sign-in, which has no
 * session that could wait.
 */
export const patienceOf = ({ reuseGrace, refreshTimeout, takeoverAfter }: SessionContext["settings"], repeatable: boolean): number =>
  repeatable || reuseGrace >= refreshTimeout + SECOND_TRY_MS ? refreshTimeout : takeoverAfter;

/** Whether the request is without body and credentials, as for a discovery document. Such a request cannot use up a refresh token. */
const isLookUp = (input: RequestInfo | URL): boolean => input instanceof Request && input.method === "GET" && input.credentials === "omit";

/** Resolves a path against the page's own origin. `<base>` may have another origin, and the request contains the tokens. */
const resolved = (input: RequestInfo | URL, origin: string | undefined): RequestInfo | URL =>
  /^\s*\//.test(input as string) && (origin ?? "null") !== "null" ? new URL(input as string, origin).href : input;

/**
 * Calls the strategy once, in the same task. The strategy's `fetch` refuses to send after the deadline. `started`: the monotonic time of the
 * lease, from which the other tabs count.
 */
export function attemptRefresh(
  context: Pick<SessionContext, "environment" | "clock" | "settings" | "report" | "limits">,
  { cause, begins, over }: Pick<Flight, "cause" | "begins" | "over">,
  lease: LedgerRecord,
  started: number,
): Attempt {
  const { origin } = context.environment;
  const { strategy, refreshTimeout } = context.settings;
  const { audiences: _, binding: __, ...tokens } = lease.tokens ?? {};
  const prover = context.settings.dpop?.prover(lease, begins);
  const attempt = (lease.failure?.attempt ?? 0) + 1;
  const end = started + refreshTimeout;
  context.report.debug("refresh-started", { cause, attempt, version: lease.version });
  const controller = new AbortController();
  const { signal } = controller;
  let sent = false;
  let answered = false;
  /** The errors of the network. Any other error is the refresh function's own, and `cause` keeps that object. */
  const networkErrors = new Set<unknown>();
  const rescued: LedgerTokens = {};

  function toError(thrown: unknown): SessionError {
    const known: Partial<SessionError> = isSessionError(thrown) ? thrown : { cause: thrown };
    const rest = known.retryAfter ?? (known.retryDate ?? 0) - context.environment.now();
    const code = rest > 0 && known.retryDate ? "throttled" : (known.code ?? (sent && !answered ? "network" : "refresh-function"));
    return new SessionError(code, known.message ?? (code === "network" ? "the refresh got no answer" : "the refresh function failed"), {
      ...known,
      cause: networkErrors.has(known.cause) ? bareError(known.cause, tokens) : known.cause,
      retryAfter: rest,
      attempt,
      // The server may have processed a request whose answer is missing or broke off. `fetch` throws a TypeError for a broken answer.
      lost: code !== "rejected" && (known.lost || (sent && (!answered || thrown instanceof TypeError))),
    });
  }

  const abortAt = started + patienceOf(context.settings, begins || !!strategy.repeatable);
  const timeout = new SessionError("timeout", "the refresh got no answer within refreshTimeout", { attempt, lost: true });
  const stops: (() => void)[] = [];
  const late = new Promise<SessionError>((resolve) => stops.push(deadline(context.environment, end, () => resolve(timeout))));
  stops.push(deadline(context.environment, abortAt, () => controller.abort(timeout)));
  const stop = () => {
    for (const stopTimer of stops) stopTimer();
  };

  function admit(): number {
    const rest = end - context.environment.monotonic();
    // The limits of an earlier session do not bind a sign-in.
    if (over.aborted || signal.aborted || rest <= 0 || (!begins && context.limits.reached()))
      throw new SessionError("timeout", "too late to refresh");
    return rest;
  }

  const send: typeof fetch = async (input, init) => {
    // This check is in the task of the send, since the device may have suspended the page after the lease.
    admit();
    if (!isLookUp(input)) {
      sent = true;
      answered = false;
    }
    try {
      const response = await context.environment.fetch(input, { ...init, signal: init?.signal ?? signal });
      answered = true;
      return response;
    } catch (error) {
      networkErrors.add(error);
      throw error;
    }
  };

  const guarded: typeof fetch = async (input, init) => {
    const url = resolved(input, origin);
    return prover && !isLookUp(input) ? prover.send(send, url, init) : send(url, init);
  };

  const answer = new Promise((resolve) => resolve(strategy.refresh({ tokens, cause, attempt, signal, fetch: guarded, admit, origin })))
    .then((given) => {
      const fresh = parseTokens(given, {
        inCookie: strategy.accessTokenInCookie,
        complain: context.report.warnOnce,
        rescued,
        needed: strategy.needsRefreshToken || !!tokens.refreshToken,
        types: context.settings.dpop?.types,
      });
      if (isExpired(lease, context.clock.now()) && isUnchanged(fresh, tokens))
        throw new SessionError("invalid-response", "the answer is the expired token");
      return prover?.bound(fresh) ?? fresh;
    })
    .catch((thrown: unknown) => {
      Object.assign(rescued, prover && { binding: prover.binding() });
      throw toError(thrown);
    })
    .finally(stop);
  answer.catch(() => {});
  return { answer, rescued, late, signal, remaining: () => (abortAt > end ? abortAt - context.environment.monotonic() : 0), stop };
}
