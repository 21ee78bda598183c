import { isSessionError, SessionError } from "../errors.js";
import type { Environment } from "../platform/environment.js";
import { parseTokens } from "../token/decode.js";
import type { RefreshCause, RefreshStrategy, TokenSet } from "../types.js";
import { deadline } from "./deadline.js";

export interface Attempt {
  /** Resolves with the tokens, however late they come, or rejects with a {@link SessionError}. */
  readonly answer: Promise<TokenSet>;
  /** Resolves at the deadline, unless the answer was first. */
  readonly expired: Promise<SessionError>;
  /** Stops the deadline's timer. The request goes on: its answer may be a rotated token. */
  stop(): void;
}

/**
 * Calls the strategy once, in this very task, with a network that refuses to send when it is too late. `started` is the monotonic time
 * at which the ledger was marked: the others count from there. `over` aborts when nobody wants the answer any more; `overrun`: the session
 * has reached a limit.
 */
export function attemptRefresh(
  environment: Environment,
  strategy: RefreshStrategy,
  tokens: TokenSet,
  cause: RefreshCause,
  attempt: number,
  started: number,
  timeout: number,
  over: AbortSignal,
  overrun: () => unknown,
): Attempt {
  const controller = new AbortController();
  const { signal } = controller;
  let sent = false;
  let answered = false;

  function toError(thrown: unknown): SessionError {
    const known = isSessionError(thrown) ? thrown : undefined;
    const code = known?.code ?? (sent && !answered ? "network" : "refresh-function");
    return new SessionError(code, known?.message ?? (code === "network" ? "the refresh got no answer" : "the refresh function failed"), {
      cause: known ? known.cause : thrown,
      status: known?.status,
      retryAfter: known?.retryAfter,
      attempt,
      // Without an answer, or with one that broke off (`fetch` says so by a TypeError), the request may have been carried out.
      lost: code !== "rejected" && (known?.lost || (sent && (!answered || (!known && thrown instanceof TypeError)))),
    });
  }

  let stop = (): void => {};
  const expired = new Promise<SessionError>((resolve) => {
    stop = deadline(environment, started + timeout, () => {
      const error = new SessionError("timeout", `the refresh got no answer within ${timeout} ms`, { attempt, lost: true });
      controller.abort(error);
      resolve(error);
    });
  });

  const guarded: typeof fetch = async (input, init) => {
    // In the task of the send, not before: the page may have been suspended since the ledger was marked.
    if (over.aborted || signal.aborted || environment.monotonic() - started >= timeout || overrun()) {
      throw new SessionError("timeout", "too late to refresh", { attempt });
    }
    // What carries neither body nor credentials (looking up an endpoint) uses nothing up.
    if (!(input instanceof Request && input.method === "GET" && input.credentials === "omit")) sent = true;
    const response = await environment.fetch(input, { ...init, signal: init?.signal ?? signal });
    answered = true;
    return response;
  };

  const answer = new Promise((resolve) => resolve(strategy.refresh({ tokens, cause, attempt, signal, fetch: guarded })))
    .then((tokens) => parseTokens(tokens, strategy.accessTokenInCookie))
    .catch((thrown: unknown) => {
      throw toError(thrown);
    })
    .finally(stop);
  answer.catch(() => {});
  return { answer, expired, stop };
}
