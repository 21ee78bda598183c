import type { SessionError } from "./errors.js";
import type { Environment } from "./platform/environment.js";

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
  /** Renews at least so often, in milliseconds. @default ahead of expiry only */
  readonly renewEvery?: number | undefined;
  readonly refresh: RefreshFunction;
  /** Tells the server that the session has ended. Never awaited by `signOut`; its failure is ignored. */
  readonly revoke?: ((context: { tokens: Readonly<TokenSet>; fetch: typeof globalThis.fetch }) => Promise<unknown>) | undefined;
}

/** What `lead` and `jitter` may look at. */
export interface TokenTiming {
  /** Milliseconds from issue to expiry. */
  readonly lifetime: number;
  /** Epoch milliseconds, on the clock that the tabs share: this device's, unless that was turned back. */
  readonly expiresAt: number;
  readonly claims: Claims | null;
}

/** `"ok"`: pass it on. `"refresh"`: refresh, and resend once. `"sign-out"`: the session is over; pass it on. */
export type Verdict = "ok" | "refresh" | "sign-out";

export interface ClassifyInput {
  /** A clone: its body may be read. Absent when the request failed. */
  readonly response?: Response;
  /** What `fetch` rejected with. Absent when there is a response. */
  readonly error?: unknown;
  /** What was sent, without the bearer; its body cannot be read. */
  readonly request: Request;
}

export interface SessionOptions {
  /** How tokens are renewed: a strategy such as `oauth2(…)`, or an own function. */
  refresh: RefreshStrategy | RefreshFunction;
  /** Sessions of different names are strangers, e.g. several accounts. @default "default" */
  name?: string;
  /** Origins that get the bearer; replaces the default, which is the page's own origin (none in Node). Compared parsed. */
  allowedOrigins?: readonly string[];
  /**
   * Where the tokens live. `"indexeddb"`: signed in after a reload and in new tabs; script injected into the page could
   * read the refresh token. `"memory"`: only the tab that signed in can refresh. @default "indexeddb"
   */
  persist?: "indexeddb" | "memory";
  /** In memory mode, whether sibling tabs may get the access token (never the refresh token). @default true */
  shareAccessToken?: boolean;
  /**
   * How long before expiry to refresh, in milliseconds. Set with or without `jitter`, it replaces the default, which draws the due moment
   * between 79 and 88 % of the lifetime. Shrinks in proportion when the lifetime is not longer than it. Minimum 0.
   */
  lead?: number | ((token: TokenTiming) => number);
  /** Upper bound, in milliseconds, of a random span added to the lead; it only ever refreshes earlier. Minimum 0. @default 0 with `lead` */
  jitter?: number | ((token: TokenTiming) => number);
  /** Deadline of one refresh, headers and body, in milliseconds. From 1 to 300 000. @default 10000 */
  refreshTimeout?: number;
  /**
   * After how many milliseconds a tab that holds the refresh but does not move (frozen, blocked) is passed over; more than `refreshTimeout`.
   * The rotation it may have caused counts as lost. @default 30000, or three times `refreshTimeout` if that is more
   */
  takeoverAfter?: number;
  /**
   * The server's grace period in milliseconds, within which a used refresh token may be presented again. 0 is strict: after a tab died in
   * the middle of a refresh, the next one waits until that refresh can no longer be running. @default 0
   */
  reuseGrace?: number;
  /** Decides what an answer means. Throwing counts as `"ok"`. @default a 401 is `"refresh"`, all else `"ok"` */
  classify?: (input: ClassifyInput) => Verdict | Promise<Verdict>;
  /**
   * A header by which the API may give a later token with any answer. Taken from allowed origins only (across origins the API must expose
   * it), for the same user, and if it ends later than the one there is; then it is in force in all tabs. @default none
   */
  renewalHeader?: string;
  /** Whether JWTs are read. `false` follows RFC 9068 §6 to the letter: only `expiresIn` is used, and claims are null. @default true */
  readClaims?: boolean;
  /**
   * The claim, in seconds since the epoch, that says until when a JWT is used; `exp` for tokens that lack it. For servers that ask for a new
   * token a while before they refuse the old one. @default "exp"
   */
  expiryClaim?: string;
  /** Sees every decision; no token is in it. Called outside the lock; what it throws is ignored. */
  debug?: (event: DebugEvent) => void;
  /** Clock, chance, network, storage, locks and channel; for tests. @default the page's */
  environment?: Environment;
}

/** One decision. `type` names it; the other members are numbers and short words, never a token. */
export interface DebugEvent {
  readonly type: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Which session object decided: random for each page load and each session in it. */
  readonly tab: string;
  readonly [detail: string]: unknown;
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
  | "storage-cleared";

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
  /** An attempt of this tab failed; the session stays. `retryAt` in epoch milliseconds. */
  "refresh-failed": { error: SessionError; attempt: number; retryAt: number | null };
  "claims-changed": { before: Readonly<C> | null; after: Readonly<C> | null };
  /** Somebody else signed in; status stays `signed-in`. Clear what belongs to the former user. */
  "user-changed": { before: Readonly<C> | null; after: Readonly<C> | null };
  /** `possiblyLostRotation`: an earlier answer was lost, so the refusal may be of a token that had already been used. */
  "signed-out": { reason: SignedOutReason; possiblyLostRotation: boolean };
}

export interface GetTokenOptions {
  /** Milliseconds that the token must still be valid; capped at half of its lifetime. @default 0 */
  minValidity?: number;
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
  /** Ends the session in every tab; works offline. Revocation is attempted and not awaited. */
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
  /** A drop-in for the global `fetch`; needs no `this`. */
  readonly fetch: typeof globalThis.fetch;
  /** What `fetch` does, by another transport: a client's own. It is called up to twice; `init.headers` has the bearer. */
  wrap(transport: typeof globalThis.fetch): typeof globalThis.fetch;
  /** Leaves no timer, listener, channel or connection behind. The session itself goes on in other tabs. */
  dispose(): void;
}
