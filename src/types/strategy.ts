import type { CookieSignIn, MemoryMode } from "./options.js";
import type { TokenSet, Tokens } from "./tokens.js";

/** The reason for a refresh. */
export type RefreshCause =
  /** the scheduler renews ahead of expiry */
  | "due"
  /** `getToken` or `fetch` needed a token, and the present one has expired */
  | "expired"
  /** an API answered that it does not accept the token */
  | "unauthorized"
  /** the app called `session.refresh()` */
  | "requested"
  /** the app called `session.signIn()` without tokens; the session may have none */
  | "sign-in";

/** The argument of a refresh function. */
export interface RefreshContext {
  /** The session's present tokens. The access token may have expired. */
  readonly tokens: Readonly<TokenSet>;
  readonly cause: RefreshCause;
  /** Counts the attempts since the last success, from 1. */
  readonly attempt: number;
  /** The audience of the token: its name in `audiences({ … })`. It is absent for the session's own token. */
  readonly audience?: string | undefined;
  /** Parameters of the request for that audience. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /**
   * The session aborts it when it no longer waits for the answer: at `takeoverAfter`; or at `refreshTimeout` for a sign-in, with `reuseGrace`, and
   * with a strategy that is `repeatable`.
   */
  readonly signal: AbortSignal;
  /**
   * The network, with a guard. It refuses to send after the deadline and after a sign-out, and it never goes through `session.fetch`.
   * It resolves a path that begins with `"/"` against `origin`. With another `fetch`, the server may get a refresh token twice.
   */
  readonly fetch: typeof globalThis.fetch;
  /**
   * For a strategy that sends by other means than `fetch`: throws when `fetch` would refuse to send, and returns the milliseconds until the
   * deadline otherwise.
   */
  readonly admit?: (() => number) | undefined;
  /**
   * The page's own origin. Paths are resolved against it, also when the page has a `<base>`. In a sandboxed frame it is the origin of the
   * frame's address. @default none in Node
   */
  readonly origin?: string | undefined;
}

/**
 * Gets new tokens. It throws `new SessionError("rejected", …)` when the server refused for good: the session ends.
 * Any other error means "not now": the session stays, and tries the refresh again.
 */
export type RefreshFunction = (context: RefreshContext) => Tokens | Promise<Tokens>;

/** A way to renew tokens. `oauth2`, `tokenPair`, `cookie` and `sliding` make one. */
export interface RefreshStrategy {
  /**
   * Identifies a session that has no `name`, so that two apps of one origin do not share a session.
   * For example, it contains the token endpoint and the client id.
   */
  readonly id: string;
  /** Identifies a session together with its `name`, so that two clients do not share a session. @default the name alone */
  readonly clientId?: string | undefined;
  /** Whether a session can renew only with a refresh token. */
  readonly needsRefreshToken: boolean;
  /** Whether the access token itself is exchanged, while it is valid. The session ends when it expires. @default false */
  readonly needsValidToken?: boolean | undefined;
  /** Whether the access token is in a cookie that script cannot read. Token sets then have no access token. @default false */
  readonly accessTokenInCookie?: boolean | undefined;
  /** Whether `refresh` uses `audience` and `parameters`. @default false */
  readonly takesAudience?: boolean | undefined;
  /** Whether `refresh` sends its request through `context.fetch` alone, which adds the proof of the option `dpop`. @default false */
  readonly takesDpop?: boolean | undefined;
  /** Memory mode, where only one tab can renew. The session uses it in the place of `persist: "indexeddb"`. @default none */
  readonly persist?: MemoryMode | undefined;
  /** Whether the session renews when the app opens. The option `renewOnOpen` overrides it. @default false */
  readonly renewOnOpen?: boolean | undefined;
  /** Lets `signIn()` work without tokens. The option `cookieSignIn` overrides it. @default none */
  readonly cookieSignIn?: CookieSignIn | undefined;
  /** The longest time between two renewals, in milliseconds. @default none: the session renews ahead of expiry only */
  readonly renewEvery?: number | undefined;
  /**
   * Whether the server accepts the same request twice. If true, the session aborts a request without an answer at `refreshTimeout`, and sends it
   * again soon. If false, the session waits for the answer until `takeoverAfter`, since the server may see a theft in the second request.
   * @default false
   */
  readonly repeatable?: boolean | undefined;
  readonly refresh: RefreshFunction;
  /**
   * Reads the argument of `signIn`, and returns tokens by the names of RFC 6749 or of {@link TokenSet}, for a server with other names.
   * It returns a value that it does not know unchanged. @default the argument, unchanged
   */
  readonly read?: ((given: unknown) => unknown) | undefined;
  /**
   * Takes the refresh token of a sign-in out of the page before the session stores anything. Returns the tokens that the session stores.
   * @default the argument
   */
  readonly take?: ((tokens: TokenSet) => Promise<TokenSet>) | undefined;
  /**
   * Tells the server that the session has ended: at a sign-out, and when another user signs in over the session. In the second case it is
   * called only if the strategy has `needsRefreshToken`, and the access token is not in a cookie, and `replaced` is true: cookies are the new
   * user's by then. The session does not await it, and ignores its failure.
   */
  readonly revoke?:
    | ((context: Pick<RefreshContext, "tokens" | "fetch" | "origin"> & { readonly replaced?: boolean }) => Promise<unknown>)
    | undefined;
}
