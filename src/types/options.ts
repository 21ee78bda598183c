import type { Environment } from "./environment.js";
import type { RefreshFunction, RefreshStrategy } from "./strategy.js";
import type { Claims } from "./tokens.js";

/** Keeps the types below from being assignable to each other. It has no value at run time. */
declare const made: unique symbol;

/** Made by `idleLimit`, for the option `idle`. Its members are internal. */
export interface IdleLimit {
  readonly [made]?: "idle-limit";
}

/** Made by `maxAge`, for the option `maxAge`. Its members are internal. */
export interface MaxAge {
  readonly [made]?: "max-age";
}

/** Made by `memory`, for the option `persist`. Its members are internal. */
export interface MemoryMode {
  readonly [made]?: "memory";
}

/** Made by `cookieSignIn`, for the option `cookieSignIn`. Its members are internal. */
export interface CookieSignIn {
  readonly [made]?: "cookie-sign-in";
}

/** The internal part of what `dpop` makes. */
export interface Dpop {
  readonly [made]?: "dpop";
}

/** Made by `audiences`, for the option `audiences`. Its members are internal. */
export interface Audiences {
  readonly [made]?: "audiences";
}

/** Made by `renewalHeader`, for the option `renewalHeader`. Its members are internal. */
export interface RenewalHeader {
  readonly [made]?: "renewal-header";
}

/** The argument of `lead` and `jitter`. */
export interface TokenTiming {
  /** Milliseconds from issue to expiry. */
  readonly lifetime: number;
  /** Epoch milliseconds, on the clock that all tabs share. That is this device's clock, unless the user has set it back. */
  readonly expiresAt: number;
  readonly claims: Claims | null;
}

/** `"ok"`: the caller gets the answer. `"refresh"`: the session refreshes, and sends again once. `"sign-out"`: the session ends, and the caller gets the answer. */
export type Verdict = "ok" | "refresh" | "sign-out";

/** The argument of `classify`. */
export interface ClassifyInput {
  /**
   * A clone of the response: `classify` may read its body. It is absent when the request failed. It has no body when it cannot be cloned, or
   * when a 2xx has the content type of a stream (events, plain text, multipart, NDJSON, binary data).
   */
  readonly response?: Response;
  /** The reason of `fetch`'s rejection. It is absent when there is a response. */
  readonly error?: unknown;
  /** The request, without the bearer. Its body cannot be read. */
  readonly request: Request;
}

/** The options of `createSession`. They require `name` when `refresh` is a function. */
export type SessionOptions = FurtherOptions & (MadeStrategyOptions | NamedOptions);

/** Sorts before `NamedOptions`: TypeScript 7 tries the members of a union by name, and its error is about the last one. */
interface MadeStrategyOptions {
  /** How tokens are renewed: a strategy such as `oauth2(…)`, or a function of your own, which requires `name`. */
  refresh: RefreshStrategy;
  /**
   * Any characters. Sessions of different names do not share anything: use names for several accounts, or for two apps of one origin.
   * With a name, the stored session depends on the name and the client id only, so its endpoint may change.
   * @default none: the stored session depends on the strategy's `id`, which contains the endpoint
   */
  name?: string;
}

interface NamedOptions {
  /** How tokens are renewed: a strategy such as `oauth2(…)`, or a function of your own. */
  refresh: RefreshStrategy | RefreshFunction;
  /**
   * The session's name, such as `"name-of-your-app"`; any characters. Two apps of one origin with the same name and the same client id, if
   * any, share one session.
   */
  name: string;
}

interface FurtherOptions {
  /**
   * The origins that get the bearer, such as `"https://api.example.com"`: without path, user name, query or wildcard. The session parses and
   * compares them. Your list replaces the default. @default the page's own origin if it is http or https; none in Node, in an extension and
   * in an app's shell
   */
  allowedOrigins?: readonly string[] | undefined;
  /**
   * Where the tokens are stored. `"indexeddb"`: the user stays signed in after a reload and in new tabs; a script injected into the page could
   * read the refresh token. `memory()`: only the tab that signed in can refresh. The tab that signs in decides for all tabs, until the next
   * sign-in. @default "indexeddb"
   */
  persist?: "indexeddb" | MemoryMode | undefined;
  /**
   * How long before expiry the session refreshes, in milliseconds, from 0. It shrinks in proportion when the lifetime is not longer.
   * @default a random moment from 79 to 88 % of the lifetime; for the first token after a sign-in, a random moment before that. With `jitter`
   * alone, 12 % of the lifetime
   */
  lead?: number | ((token: TokenTiming) => number) | undefined;
  /**
   * The upper bound of a random span that is added to `lead`, in milliseconds, from 0. It only makes a refresh earlier.
   * @default 0
   */
  jitter?: number | ((token: TokenTiming) => number) | undefined;
  /**
   * Deadline of one refresh, with headers and body, in milliseconds, from 1 to 300000. At the deadline all callers settle. On a strict server
   * (`reuseGrace` shorter than `refreshTimeout` + 4 s, and a strategy that is not `repeatable`) the request goes on until `takeoverAfter`. @default 10000
   */
  refreshTimeout?: number | undefined;
  /**
   * The longest time that one refresh may keep the other tabs from refreshing, in milliseconds. It is more than `refreshTimeout`, and 900000
   * at most.
   *
   * - Other tabs take the refresh over from a tab that makes no progress (frozen, blocked) after this time. Tabs check every 5 s.
   * - On a strict server, the session waits this long for the answer to a refresh, and no tab sends another one meanwhile.
   *
   * After this time the rotation counts as lost. With access tokens that live less than five minutes, set it to the longest answer that the app may wait for,
   * such as 15000. @default 30000, or 3 × `refreshTimeout` if that is more
   */
  takeoverAfter?: number | undefined;
  /**
   * The time for which the server accepts a used refresh token again, in milliseconds, from 0. With 0, after a tab died during a refresh, the
   * next tab waits until that refresh can no longer be running. A refresh without an answer is sent again soon after
   * `refreshTimeout` with at least `refreshTimeout` + 4 s, and only after `takeoverAfter` with less. @default 0
   */
  reuseGrace?: number | undefined;
  /** `maxAge(milliseconds)` ends the session so long after the sign-in, and at the end that the server gave. @default no limit */
  maxAge?: MaxAge | undefined;
  /** `idleLimit({ after })` ends the session when the user is inactive in all tabs for that time. @default no limit */
  idle?: IdleLimit | undefined;
  /**
   * `cookieSignIn()` lets `signIn()` work without tokens, after a login that only sets a cookie. It is for a refresh function of your own.
   * @default none; with `cookie`, `cookieSignIn()`
   */
  cookieSignIn?: CookieSignIn | undefined;
  /**
   * `dpop()` binds the tokens to a key that script can use but not copy (RFC 9449), so a stolen token is of no use. It needs
   * `refresh: oauth2({ … })`, or a function of your own that sends its request through `context.fetch`. @default none
   */
  dpop?: Dpop | undefined;
  /** `audiences({ … })` gets further access tokens, for other APIs, with the same refresh token. @default none */
  audiences?: Audiences | undefined;
  /**
   * Whether the session renews when the app opens, also before the refresh is due, unless it renewed within the last minute.
   * @default false; true with `sliding`
   */
  renewOnOpen?: boolean | undefined;
  /**
   * `false`: a hidden page lets its token expire. It renews when the page is visible again, or when a call needs a token. `renewOnOpen` then
   * waits until the page is visible. @default true
   */
  renewWhileHidden?: boolean | undefined;
  /**
   * Decides what an answer means; it also decides on the answer to a resend. An error that it throws is reported and counts as `"ok"`.
   * @default a 401 is `"refresh"`, unless its challenge is not about the token (RFC 6750 §3); any other answer is `"ok"`
   */
  classify?: ((input: ClassifyInput) => Verdict | Promise<Verdict>) | undefined;
  /** `renewalHeader("x-renewed-token")` reads a newer token from that response header of the API. @default none */
  renewalHeader?: RenewalHeader | undefined;
  /** Whether the session reads JWTs. With `false`, it uses `expiresIn` only, and claims are null (RFC 9068 §6). @default true */
  readClaims?: boolean | undefined;
  /**
   * The claim with the end of a JWT's use, in seconds since the epoch; a value beyond 1e12 is milliseconds. A token without it uses `exp`. For
   * servers that expect a new token some time before they refuse the old one. @default "exp"
   */
  expiryClaim?: string | undefined;
  /**
   * Claims whose changes cause no `claims-changed`, in addition to `exp`, `iat`, `nbf`, `jti`, `at_hash`, `c_hash`, `nonce`, `uti`, `aio` and
   * `rh`. @default none
   */
  volatileClaims?: readonly string[] | undefined;
  /**
   * Gets every decision from the first one on; `session.on("debug", …)` gets those after it was called. No decision contains a token.
   * The session calls it outside of its lock, and reports an error that it throws.
   */
  debug?: ((event: DebugEvent) => void) | undefined;
  /** Clock, chance, network, storage, locks and channel. Tests give their own. @default `browserEnvironment()` */
  environment?: Environment | undefined;
}

/** One decision of the session. `type` names it; the other members are numbers and short words, never a token. */
export interface DebugEvent {
  readonly type: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** The id of the session object that decided. It is random, for each page load and each session in the page. */
  readonly tab: string;
  readonly [detail: string]: unknown;
}
