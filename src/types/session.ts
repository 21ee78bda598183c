import type { SessionError } from "../errors.js";
import type { DebugEvent } from "./options.js";
import type { Claims, LoginAnswer, TokenSet, Tokens } from "./tokens.js";

/** The reason why a session ended. */
export type SignedOutReason =
  /** the app called `signOut()`, in this tab or in another one */
  | "user"
  /** the server refused to renew, or `classify` returned `"sign-out"` */
  | "rejected"
  /** the access token expired, and the session cannot renew it */
  | "expired"
  /** memory mode: the tab that had the refresh token was closed */
  | "owner-closed"
  /** a refresh brought tokens of another user or client */
  | "subject-changed"
  /** the user cleared the site's data in the browser */
  | "storage-cleared"
  /** storage did not answer for 10 s as the page opened; the session comes back when storage answers */
  | "storage-unavailable"
  /** the user was inactive for the time of `idleLimit` */
  | "idle"
  /** what could renew is gone from this browser: the key of the tokens (`dpop`), or the worker with the refresh token (`vault`) */
  | "credential-lost"
  /** the session reached the end of `maxAge(…)` */
  | "max-age";

/** The state of a session at one moment. */
export interface Snapshot<C extends object = Claims> {
  readonly status: "restoring" | "signed-in" | "signed-out";
  /** The claims of the access token if it is a JWT; otherwise those of the id token, or null. */
  readonly claims: Readonly<C> | null;
  /** Expiry of the access token, in epoch milliseconds on this device's clock. It is null when unknown. */
  readonly expiresAt: number | null;
  /** The moment of the next refresh, in epoch milliseconds. It is null when no refresh is planned. */
  readonly refreshDueAt: number | null;
  /** The last refresh failed and the session still tries, or the session has a token that it cannot renew. */
  readonly degraded: boolean;
  /** The reason of the last sign-out. It is absent while signed in, and before the first sign-in. */
  readonly reason?: SignedOutReason;
}

/** The events of `session.on`. No payload contains a token. */
export interface SessionEvents<C extends object = Claims> {
  "signed-in": { claims: Readonly<C> | null; expiresAt: number | null };
  /** The session has a new token. `adopted`: another tab got it. `expiresAt`: epoch milliseconds, or null when unknown. */
  refreshed: { adopted: boolean; expiresAt: number | null };
  /**
   * An attempt of this tab failed, and the session stays. `retryAt`: epoch milliseconds, or null without a further attempt.
   * `audience`: the audience of the token; absent for the session's own token.
   */
  "refresh-failed": { error: SessionError; attempt: number; retryAt: number | null; audience?: string };
  /**
   * A claim changed that is not one of `volatileClaims`. The order of members is no change.
   * Claims that did not change are the same objects in `before` and `after`.
   */
  "claims-changed": { before: Readonly<C> | null; after: Readonly<C> | null };
  /**
   * Another user signed in; the status stays `signed-in`. The app clears the former user's data. Calls of the former user that have no answer
   * yet reject with the code `user-changed`.
   */
  "user-changed": { before: Readonly<C> | null; after: Readonly<C> | null };
  /** The session ends soon unless the user becomes active. `endsAt`: epoch milliseconds on this device's clock. `remaining`: milliseconds. */
  "idle-warning": { endsAt: number; remaining: number };
  /** The user became active after an `idle-warning`, in any tab. The app hides the warning. */
  "idle-cancelled": Record<string, never>;
  /**
   * The session ended. `possiblyLostRotation`: an earlier answer was lost, so the server may have refused a token that was used before.
   * `error`: the failed renewal that ended the session, if there was one. The tab that made the attempt has the error of its caller;
   * other tabs have an error with its `code`, `status` and `attempt`.
   */
  "signed-out": { reason: SignedOutReason; possiblyLostRotation: boolean; error?: SessionError | undefined };
  /** One decision of the session, as the option `debug` gets it. */
  debug: DebugEvent;
}

export interface GetTokenOptions {
  /** Milliseconds that the token must still be valid, from 0; at most half of its lifetime counts. @default 0 */
  minValidity?: number;
  /** A name in `audiences({ … })`. @default none: the session's own token */
  audience?: string;
  /** Aborts this call only; the refresh that it shares with other calls goes on. */
  signal?: AbortSignal;
}

/** Made by `createSession`. No function of it needs `this`. */
export interface Session<C extends object = Claims> {
  /**
   * Resolves when the session is restored or known to be signed out, within 3 s. It never rejects. While storage is slow the status stays
   * `restoring`, for 10 s at most: a guard waits for another status.
   */
  readonly ready: Promise<void>;
  /** Returns the same object until something changes, as `useSyncExternalStore` needs it. */
  getSnapshot(): Snapshot<C>;
  /** Calls the listener after each change of the snapshot. Returns a function that removes the listener. */
  subscribe(listener: () => void): () => void;
  /** Listens to one event. Returns a function that removes the listener. The session reports an error that a listener throws. */
  on<E extends keyof SessionEvents<C>>(event: E, listener: (payload: SessionEvents<C>[E]) => void): () => void;
  /**
   * Starts a session in every tab. Resolves when the tokens are stored. If the user has signed in or out in another tab since the call, that
   * later request stays, and the session revokes the tokens of this call.
   *
   * `tokens` may be any object that a login answered. The strategy's names (`accessTokenField`, …) are read first, then the names of RFC 6749
   * and of {@link TokenSet}. The app reads the body of a `Response` first.
   *
   * Without `tokens`, for a login that only sets a cookie, the session renews once and begins with the result. That needs the strategy `cookie`
   * or the option `cookieSignIn`. Tabs that do so at the same time share one request. If the server refuses or does not answer, `signIn` rejects and no session begins; the app may call it again.
   * @throws {SessionError} `invalid-response` without an access token.
   * @throws {SessionError} `unsupported-token-type` for a token that is not a bearer token.
   * @throws {SessionError} `newer-release` when a newer release of the app has written the session.
   * @throws {TypeError} without `tokens` in a session that has no `cookieSignIn()`.
   * @throws {SessionError} without `tokens`, the failure of the renewal, or `signed-out` when the user signed out meanwhile.
   */
  signIn(tokens?: Tokens | LoginAnswer): Promise<void>;
  /**
   * Ends the session in every tab, also offline. It tries to revoke the tokens, and does not await that.
   *
   * The task of the call stores the sign-out, so it holds even if the page leaves at once. The promise resolves when the end is durable, and
   * after 100 ms at the latest.
   */
  signOut(): Promise<void>;
  /**
   * Returns a token that is valid now, and refreshes if needed. Returns `null` only when signed out, and an empty string where the token is in
   * a cookie. Settles within 2 × `refreshTimeout` + 5 s; in a prerendered page, that time begins when the user opens the page.
   * @throws {SessionError} when signed in without a valid token, and the refresh failed.
   * @throws {TypeError} when an option is wrong or unknown.
   * @throws the reason of `signal` when it aborts.
   */
  getToken(options?: GetTokenOptions): Promise<string | null>;
  /**
   * Returns the id token as it came, for the `id_token_hint` of a logout page (OpenID Connect RP-Initiated Logout). It may have expired.
   * Returns `null` when signed out, when the server sent no id token, and in a tab without the access token.
   * It waits for the restore only, so it settles within 10 s. No snapshot and no event has the id token.
   * @throws {SessionError} `disposed`
   */
  getIdToken(): Promise<string | null>;
  /**
   * Returns the token if it is valid at this moment, else null; an empty string where the token is in a cookie. Never waits. Returns null, too,
   * while a page that is back from the back/forward cache reads what it missed.
   */
  peekToken(): string | null;
  /**
   * Renews now. Returns `"adopted"` when another tab did it.
   * @throws {SessionError} `rejected` when the server refused; `signed-out` when there is no session; else the failure of the attempt, and the session stays.
   */
  refresh(): Promise<"refreshed" | "adopted">;
  /**
   * Tells `idleLimit` that the user is active, for example while a video plays. It is cheap.
   * It does nothing without an idle limit, and it never prolongs a session that has ended.
   */
  touch(): void;
  /**
   * Has the signature of the global `fetch`. Requests to `allowedOrigins` get the bearer; a 401 causes one refresh and one resend.
   * @throws {SessionError} `user-changed` when another user has signed in before the answer came. Do not repeat the call: it would be sent as
   * the new user, and the server may have carried it out already.
   */
  readonly fetch: typeof globalThis.fetch;
  /** Does the same as `fetch` with another transport. It calls `transport` once or twice; `init.headers` has the bearer. */
  wrap(transport: typeof globalThis.fetch): typeof globalThis.fetch;
  /** Removes all timers, listeners, channels and connections of this object. The session itself goes on in other tabs. */
  dispose(): void;
}
