import type { SessionError } from "../../src/errors.js";
import type { RefreshContext, RefreshStrategy, TokenSet } from "../../src/types/index.js";

export const json = (status: number, value: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json", ...headers } });
export const text = (status: number, body: string, type = "text/html") => new Response(body, { status, headers: { "content-type": type } });

export const TOKENS: TokenSet = { accessToken: "secret-access", refreshToken: "secret-refresh" };

/** What was sent when a strategy renewed once, and what it made of this answer. */
export async function renewal(strategy: RefreshStrategy, answer: Response | Error, tokens = TOKENS) {
  const requests: Request[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    requests.push(new Request(input, init));
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const context: RefreshContext = { tokens, cause: "due", attempt: 1, signal: new AbortController().signal, fetch };
  const outcome = await Promise.resolve(strategy.refresh(context)).catch((error: unknown) => error);
  return { requests, request: requests[0] as Request, outcome: outcome as SessionError & Record<string, unknown> };
}
