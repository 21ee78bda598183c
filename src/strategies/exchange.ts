import type { RefreshStrategy, TokenSet, Tokens } from "../types.js";
import { accept, ask, assertUrl, type ReadAnswer, type RefreshAnswer, verdictOn } from "./request.js";

/** What the ways have in common that are the back end's own: a URL that takes what the client has, and answers in JSON. */
export interface ExchangeOptions {
  /** Absolute URL, or a path on the page's own origin. */
  url: string;
  /** @default "POST" */
  method?: string;
  /** Further headers, made anew for each request if by a function. */
  headers?: RequestHeaders | ((tokens: Readonly<TokenSet>) => RequestHeaders | Promise<RequestHeaders>);
  /** Whether cookies are sent to another origin, and taken from it. */
  credentials?: RequestCredentials;
  /**
   * The answer's member with the access token, or a path such as `"data.token"`. `null`: it is not in the answer but in a cookie.
   * @default "accessToken" or "access_token"
   */
  accessTokenField?: string | null;
  /** The answer's member with the refresh token, or a path. @default "refreshToken" or "refresh_token" */
  refreshTokenField?: string;
  /** The answer's member with the lifetime in seconds, or a path. @default "expiresIn" or "expires_in" */
  expiresInField?: string;
  /** Where `signOut` tells the server, with the same request. Nobody waits for the answer. @default nowhere */
  signOutUrl?: string;
  /**
   * For a server that answers in a way of its own.
   * @default JSON with a 2xx has the tokens; 400 or 401 with JSON or without a body is a refusal, and so is 403 with JSON; else "not now"
   */
  answer?: ReadAnswer;
}

type RequestHeaders = Readonly<Record<string, string>>;

/** A strategy of such a way. `request` is what makes it that way; `verdict` what an answer of its says by default. */
export function exchange(
  way: string,
  { url, method = "POST", headers, credentials, signOutUrl, answer: read, ...fields }: ExchangeOptions,
  traits: Omit<RefreshStrategy, "id" | "refresh" | "revoke">,
  request: (tokens: Readonly<TokenSet>) => RequestInit | Promise<RequestInit>,
  verdict: (answer: RefreshAnswer) => ReturnType<ReadAnswer> = () => undefined,
): RefreshStrategy {
  assertUrl(way, "url", url);
  assertUrl(way, "signOutUrl", signOutUrl ?? "/");
  const inCookie = fields.accessTokenField === null;

  async function initFor(tokens: Readonly<TokenSet>): Promise<RequestInit> {
    const init = await request(tokens);
    const further = typeof headers === "function" ? await headers(tokens) : headers;
    return { method, ...init, ...(credentials && { credentials }), headers: { ...(init.headers as RequestHeaders), ...further } };
  }

  return {
    ...traits,
    id: url,
    accessTokenInCookie: inCookie,
    async refresh({ tokens, signal, fetch }) {
      const answer = await ask({ url, init: await initFor(tokens), signal, fetch });
      const cookieCame = inCookie && answer.empty && answer.status < 300;
      const said = read?.(answer) ?? verdict(answer) ?? (cookieCame ? "refreshed" : verdictOn(answer));
      return tokensIn(accept(answer, said), fields);
    },
    revoke: signOutUrl
      ? async ({ tokens, fetch }) => ask({ url: signOutUrl, init: { ...(await initFor(tokens)), keepalive: true }, fetch })
      : undefined,
  };
}

function tokensIn(
  { json, text }: RefreshAnswer,
  { accessTokenField, refreshTokenField, expiresInField }: Partial<ExchangeOptions>,
): Tokens {
  if (typeof json !== "object" || json === null) return accessTokenField === null ? {} : String(json ?? text);
  const at = (path: string) => path.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown> | null)?.[name], json);
  return {
    ...json,
    ...(accessTokenField && { accessToken: at(accessTokenField) }),
    ...(refreshTokenField && { refreshToken: at(refreshTokenField) }),
    ...(expiresInField && { expiresIn: at(expiresInField) }),
  } as TokenSet;
}
