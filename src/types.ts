import type { SessionError } from "./errors.js";
import type { DebugEvent } from "./types/options.js";

export type * from "./types/options.js";

/** What a JWT says. Read, never verified: a browser cannot keep the key that would make a check worth anything. */
export type Claims = Record<string, unknown>;

/** The tokens of one session, in the words of RFC 6749 §5.1 and in camel case. */
export interface TokenSet {
  /** Sent as `Authorization: Bearer …`; a JWT or opaque. Absent only where it lives in a cookie (`accessTokenInCookie`). */
  accessToken?: string | undefined;
  /** Kept from the previous set when a response omits it (RFC 6749 §6). */
  refreshToken?: string | undefined;
  /** Lifetime in **seconds**, as on the wire. Without it and without a readable `exp`, only a 401 causes a refresh. */
  expiresIn?: number | undefined;
  /** **Seconds** until the server ends the session, whatever is renewed; a later answer may say otherwise. @default nobody knows */
  sessionExpiresIn?: number | undefined;
  /** Only `Bearer`, in any case, is accepted; default `Bearer`. */
  tokenType?: string | undefined;
  /** OpenID Connect's; its claims are shown when the access token is opaque. */
  idToken?: string | undefined;
  scope?: string | undefined;
}

/** An RFC 6749 §5.1 response, as the token endpoint sent it. Other members are ignored. */
export interface TokenResponse {
  access_token: string;
  refresh_token?: string | undefined;
  /** Seconds; some servers send a string. */
  expires_in?: number | string | undefined;
  /** Seconds until the server ends the session, where it says so. */
  session_expires_in?: number | string | undefined;
  token_type?: string | undefined;
  id_token?: string | undefined;
  scope?: string | undefined;
}

/** What `signIn` and an own refresh function may hand over: a response as it came, a {@link TokenSet}, or a bare access token. */
export type Tokens = TokenSet | TokenResponse | string;

/** Why a refresh is being made. */
export type RefreshCause =
  /** ahead of expiry, by the scheduler */
  | "due"
  /** `getToken` or `fetch` needed a token and the one there is has expired */
  | "expired"
  /** an API answered that the token is not accepted */
  | "unauthorized"
  /** the app called `session.refresh()` */
  | "requested"
  /** the app called `session.signIn()` without tokens: there may be none */
  | "sign-in";

/** What a strategy gets. */
export interface RefreshContext {
  /** The tokens as they stand. `accessToken` may have expired. */
  readonly tokens: Readonly<TokenSet>;
  readonly cause: RefreshCause;
  /** 1 for the first attempt since the last success. */
  readonly attempt: number;
  /** For whom the token is; absent for the session's own. Its name in `audiences({ … })`. */
  readonly audience?: string | undefined;
  /** How the server is asked for it. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** Aborted at the deadline. */
  readonly signal: AbortSignal;
  /**
   * The network, guarded: refuses to send once this tab may no longer refresh (deadline passed, signed out), and never
   * goes through `session.fetch`. Use it, or a refresh token may be sent twice.
   */
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Gets new tokens. Throw `new SessionError("rejected", …)` when the server definitely said no: the session ends.
 * Anything else thrown means "not now": the session stays and the refresh is tried again.
 */
export type RefreshFunction = (context: RefreshContext) => Tokens | Promise<Tokens>;

/** A ready-made way of renewing. */
export interface RefreshStrategy {
  /** Part of the ledger's key, so that two apps on one origin do not collide: token endpoint and client id, say. */
  readonly id: string;
  /** Whether a session without a refresh token cannot be renewed. */
  readonly needsRefreshToken: boolean;
  /** The access token itself is exchanged for a later one, and only while it is valid: once it has expired, so has the session. @default false */
  readonly needsValidToken?: boolean | undefined;
  /** The access token lives in a cookie that script cannot read: token sets come without one. @default false */
  readonly accessTokenInCookie?: boolean | undefined;
  /** Whether `refresh` heeds `audience` and `parameters`. @default false */
  readonly takesAudience?: boolean | undefined;
  /** Renews when the app opens, unless the session's option says otherwise. @default false */
  readonly renewOnOpen?: boolean | undefined;
  /** Renews at least so often, in milliseconds. @default ahead of expiry only */
  readonly renewEvery?: number | undefined;
  readonly refresh: RefreshFunction;
  /** Tells the server that the session has ended. Never awaited by `signOut`; its failure is ignored. */
  readonly revoke?: ((context: { tokens: Readonly<TokenSet>; fetch: typeof globalThis.fetch }) => Promise<unknown>) | undefined;
}

export type SignedOutReason =
  /** `signOut()` was called, here or in another tab */
  | "user"
  /** the server refused to renew, or `classify` said so */
  | "rejected"
  /** the access token expired and there is no way to renew it */
  | "expired"
  /** memory mode: the tab that held the refresh token is gone */
  | "owner-closed"
  /** the answer to a refresh was for another user or client */
  | "subject-changed"
  /** the site's data was cleared in the browser */
  | "storage-cleared"
  /** nobody was there for as long as `idleLimit` says */
  | "idle"
  /** `maxAge`, or the session's end that the server gave, was reached */
  | "max-age";

export interface Snapshot<C extends object = Claims> {
  readonly status: "restoring" | "signed-in" | "signed-out";
  /** Of the access token when it is a JWT, else of the id token, else null. */
  readonly claims: Readonly<C> | null;
  /** Epoch milliseconds on this device's clock; null when unknown. */
  readonly expiresAt: number | null;
  /** When the next refresh is due, in epoch milliseconds; null when none is planned. */
  readonly refreshDueAt: number | null;
  /** The last refresh failed and the session is still trying, or lives on a token that cannot be renewed. */
  readonly degraded: boolean;
  /** Only when signed out, and not before the first sign-in. */
  readonly reason?: SignedOutReason;
}

/** Everything `session.on` can hear. No payload carries a token. */
export interface SessionEvents<C extends object = Claims> {
  "signed-in": { claims: Readonly<C> | null; expiresAt: number | null };
  /** A new token is in force; `adopted` when another tab got it. */
  refreshed: { adopted: boolean; expiresAt: number | null };
  /** An attempt of this tab failed; the session stays. `retryAt` in epoch milliseconds. `audience`: where it was not for the session's own token. */
  "refresh-failed": { error: SessionError; attempt: number; retryAt: number | null; audience?: string };
  "claims-changed": { before: Readonly<C> | null; after: Readonly<C> | null };
  /** Somebody else signed in; status stays `signed-in`. Clear what belongs to the former user. */
  "user-changed": { before: Readonly<C> | null; after: Readonly<C> | null };
  /** The session ends with `idle` unless somebody is active. `endsAt` in epoch milliseconds on this device's clock, `remaining` in milliseconds. */
  "idle-warning": { endsAt: number; remaining: number };
  /** Somebody has been active since the warning, in any tab: take it away. */
  "idle-cancelled": Record<string, never>;
  /** `possiblyLostRotation`: an earlier answer was lost, so the refusal may be of a token that had already been used. */
  "signed-out": { reason: SignedOutReason; possiblyLostRotation: boolean };
  /** One decision, as the option `debug` sees it. */
  debug: DebugEvent;
}

export interface GetTokenOptions {
  /** Milliseconds that the token must still be valid; capped at half of its lifetime. @default 0 */
  minValidity?: number;
  /** One of `audiences({ … })`. @default the session's own */
  audience?: string;
  /** Rejects this call only; the shared refresh goes on. */
  signal?: AbortSignal;
}

export interface Session<C extends object = Claims> {
  /** Resolves, within 3 s, when the session is restored or known to be signed out. Never rejects. */
  readonly ready: Promise<void>;
  /** The same object as long as nothing changed: fits `useSyncExternalStore`. */
  getSnapshot(): Snapshot<C>;
  /** Calls the listener after each change of the snapshot. Returns its undo. */
  subscribe(listener: () => void): () => void;
  /** Listens to one event. Returns its undo. A listener that throws is reported and stops nothing. */
  on<E extends keyof SessionEvents<C>>(event: E, listener: (payload: SessionEvents<C>[E]) => void): () => void;
  /**
   * Starts a session in every tab. Resolves when it is stored.
   *
   * Without tokens, for a login that left a cookie and nothing else: renews once, and the session begins with what that brings. Several tabs
   * that do so at once share one request. Rejects, and nothing begins, when the server refuses or cannot be reached; call it again then.
   * @throws {SessionError} `invalid-response` when there is no access token in it (or none is given where one is needed), `unsupported-token-type` for anything but a bearer token.
   */
  signIn(tokens?: Tokens): Promise<void>;
  /**
   * Ends the session in every tab; works offline. Revocation is attempted and not awaited.
   *
   * Await it, 100 ms at most, before the page is left: of a page that leaves at once, and has no other tab, the end may not be stored.
   */
  signOut(): Promise<void>;
  /**
   * A token that is valid now, refreshed if need be; `null` only when signed out; an empty string where it lives in a cookie. Settles within 2 × `refreshTimeout` + 5 s.
   * @throws {SessionError} when signed in but no valid token can be had now; `signal`'s reason when aborted.
   */
  getToken(options?: GetTokenOptions): Promise<string | null>;
  /** The token if it is valid at this moment, without waiting for anything; an empty string where it lives in a cookie. */
  peekToken(): string | null;
  /**
   * Renews now. `"adopted"` when another tab did.
   * @throws {SessionError} `rejected`, or a failure that may pass; `signed-out` when there is no session.
   */
  refresh(): Promise<"refreshed" | "adopted">;
  /** A sign of life, for `idleLimit`: a video that plays, say. Cheap; does nothing without an idle limit, and never prolongs a session that is over. */
  touch(): void;
  /** A drop-in for the global `fetch`; needs no `this`. */
  readonly fetch: typeof globalThis.fetch;
  /** What `fetch` does, by another transport: a client's own. It is called up to twice; `init.headers` has the bearer. */
  wrap(transport: typeof globalThis.fetch): typeof globalThis.fetch;
  /** Leaves no timer, listener, channel or connection behind. The session itself goes on in other tabs. */
  dispose(): void;
}
