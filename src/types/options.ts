import type { Environment } from "../platform/environment.js";
import type { IdleLimit } from "../refresh/idle.js";
import type { Audiences } from "../session/audiences.js";
import type { Claims, RefreshFunction, RefreshStrategy } from "../types.js";

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
   * Others look every 5 s. The rotation it may have caused counts as lost. @default 30000, or three times `refreshTimeout` if that is more
   */
  takeoverAfter?: number;
  /**
   * The server's grace period in milliseconds, within which a used refresh token may be presented again. 0 is strict: after a tab died in
   * the middle of a refresh, the next one waits until that refresh can no longer be running. @default 0
   */
  reuseGrace?: number;
  /** Milliseconds after sign-in at which the session ends with `max-age`, whatever is renewed. Above 0. @default no limit */
  maxAge?: number;
  /** `idleLimit({ after })`: ends the session when nobody has been there for so long, in any tab. @default no limit */
  idle?: IdleLimit;
  /** `audiences({ … })`: further access tokens, for other APIs, with the same refresh token. @default none */
  audiences?: Audiences;
  /** Renews when the app opens, though the token is not due, if that was not done within the last minute. @default false; true with `sliding` */
  renewOnOpen?: boolean;
  /** `false`: a page that nobody can see lets its token lapse, and renews when it is seen again or a call needs one. @default true */
  renewWhileHidden?: boolean;
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
  /** Sees every decision from the first one on, as `session.on("debug", …)` does; no token is in it. Called outside the lock; what it throws is reported. */
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
