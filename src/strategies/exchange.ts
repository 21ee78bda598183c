import type { RefreshStrategy, TokenSet, Tokens } from "../types/index.js";
import { accept, ask, assertUrl, FAREWELL, type Network, type ReadAnswer, type RefreshAnswer, verdictOn } from "./request.js";

/** The common options of `tokenPair`, `cookie` and `sliding`: a URL of the back end that gets the present credentials and answers in JSON. */
export interface ExchangeOptions {
  /** Absolute URL, or a path on the page's own origin. */
  url: string;
  /** @default "POST" */
  method?: string;
  /** Further headers; a function is called for each request. They replace the strategy's headers of the same name. @default none */
  headers?: HeadersInit | ((tokens: Readonly<TokenSet>) => HeadersInit | Promise<HeadersInit>);
  /** `"include"` sends cookies to other origins and accepts theirs. @default "include" with `cookie`, else "omit" */
  credentials?: RequestCredentials;
  /**
   * The member with the access token, or a path such as `"data.token"`, in the answer to a renewal and to a login. `null`: the access token is
   * in a cookie.
   * @default "accessToken" or "access_token"
   */
  accessTokenField?: string | null;
  /** The member with the refresh token, or a path. @default "refreshToken" or "refresh_token" */
  refreshTokenField?: string;
  /** The member with the access token's lifetime in seconds, or a path. @default "expiresIn" or "expires_in" */
  expiresInField?: string;
  /**
   * Absolute URL, or a path. `signOut` sends the same request there; a redirect is an error. With `tokenPair`, a sign-in by another user sends
   * the former tokens there, unless the access token is in a cookie. @default none: `signOut` sends no request
   */
  signOutUrl?: string;
  /**
   * Judges an answer, for a server with other rules. A redirect is always "not now".
   * @default a 2xx with JSON or a form has the tokens. 400 and 401 are refusals if they have JSON, a form or no body; 403 if it has JSON or a
   * form. `Retry-After` makes any of these "not now", and so is any other answer
   */
  answer?: ReadAnswer;
}

/** The option names. `sliding` has no `refreshTokenField`. */
export const OPTIONS: Record<Exclude<keyof ExchangeOptions, "refreshTokenField">, 0> = {
  url: 0,
  method: 0,
  headers: 0,
  credentials: 0,
  accessTokenField: 0,
  expiresInField: 0,
  signOutUrl: 0,
  answer: 0,
};

/** The members that are read from an answer. */
const MEMBERS =
  "accessToken access_token refreshToken refresh_token expiresIn expires_in sessionExpiresIn session_expires_in tokenType token_type idToken id_token scope";

/** The members that differ between strategies, beside the common options. */
interface OwnWay extends Omit<RefreshStrategy, "id" | "refresh" | "revoke"> {
  /** Makes the request from the tokens. */
  request(tokens: Readonly<TokenSet>): RequestInit | Promise<RequestInit>;
  /** The first default for an answer. */
  verdict?(answer: RefreshAnswer): ReturnType<ReadAnswer>;
}

/** Makes a strategy with the common options. */
export function exchange(way: string, options: ExchangeOptions, { request, verdict, ...traits }: OwnWay): RefreshStrategy {
  const {
    url,
    method = "POST",
    headers,
    credentials,
    signOutUrl,
    answer: decide,
    accessTokenField,
    refreshTokenField,
    expiresInField,
  } = options;
  assertUrl(way, "url", url);
  assertUrl(way, "signOutUrl", signOutUrl ?? "/");
  const inCookie = accessTokenField === null;
  const paths: Record<string, string | null | undefined> = {
    accessToken: accessTokenField,
    refreshToken: refreshTokenField,
    expiresIn: expiresInField,
  };

  function read(given: unknown): Tokens {
    if (typeof given !== "object" || !given) return given as Tokens;
    const from = given as Record<string, unknown>;
    // Some libraries give objects with inherited members, or with getters that read `this`.
    const inherited = MEMBERS.split(" ").map((name) => [name, at(paths[name] ?? name, from) ?? from[name]]);
    return { ...from, ...Object.fromEntries(inherited) } as Tokens;
  }

  async function send(path: string, context: Network & { tokens: Readonly<TokenSet> }, more?: RequestInit): Promise<RefreshAnswer> {
    const init = await request(context.tokens);
    const further = typeof headers === "function" ? await headers(context.tokens) : headers;
    return ask(path, { method, ...init, ...(credentials && { credentials }), ...more }, context, further);
  }

  return {
    ...traits,
    id: url,
    accessTokenInCookie: inCookie,
    async refresh(context) {
      const answer = await send(url, context);
      const cookieCame = inCookie && answer.empty && answer.status < 300;
      const said = decide?.(answer) ?? verdict?.(answer) ?? (cookieCame ? "refreshed" : verdictOn(answer));
      const { json, text } = accept(answer, said);
      if (inCookie && (typeof json !== "object" || !json)) return {};
      return read(json === undefined ? text : json);
    },
    read,
    revoke: signOutUrl
      ? (context) => send(signOutUrl, context, context.replaced ? { ...FAREWELL, credentials: "omit" } : FAREWELL)
      : undefined,
  };
}

/** The value at a path such as `"data.token"`. It is null also where a part of the path is null. */
export function at(path: string, json: unknown): unknown {
  return path.split(".").reduce<unknown>((value, name) => value && (value as Record<string, unknown>)[name], json);
}
