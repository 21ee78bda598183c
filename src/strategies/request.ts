import ky from "ky";
import { isSessionError, SessionError } from "../errors.js";

/** What a server answered to a renewal. */
export interface RefreshAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON value; undefined when the body is empty or no JSON. */
  readonly json: unknown;
  readonly text: string;
  readonly empty: boolean;
}

/** `"refreshed"`: the tokens are in it. `"rejected"`: the session is over. `"not-now"`: it stays, and it is tried again. */
export type AnswerVerdict = "refreshed" | "rejected" | "not-now";

/** Reads answers of a server with ways of its own; undefined leaves one to the strategy. */
export type ReadAnswer = (answer: RefreshAnswer) => AnswerVerdict | undefined;

/** Where a renewal is asked for, and how. */
export interface TokenRequest {
  readonly url: string;
  readonly init: RequestInit;
  readonly signal?: AbortSignal | undefined;
  readonly fetch: typeof globalThis.fetch;
}

/** A server that asks for more than a day has been set up wrongly. */
const LONGEST_PAUSE = 86_400_000;

/** @throws {TypeError} */
export function assertUrl(way: string, option: string, value: unknown): void {
  if (typeof value !== "string" || !/^(https?:\/\/[^/]|\/(?!\/))/.test(value))
    throw new TypeError(`${way}: ${option} must be an http or https URL, or a path that begins with "/"`);
}

/**
 * Asks once. Never resent and never redirected: what is in the request can be used once, and by one origin. Without credentials unless
 * `init` says otherwise, since a server that allows every origin (`*`) does not allow them.
 */
export async function ask({ url, init, signal, fetch }: TokenRequest): Promise<RefreshAnswer> {
  let sent = false;
  const counting: typeof fetch = (input, own) => {
    sent = true;
    // Firefox 153 forgets it when it is said by a Request alone, as ky says it: see docs/engines.md.
    return fetch(input, init.keepalive ? { ...own, keepalive: true } : own);
  };
  try {
    const response = await ky(url, {
      credentials: "omit",
      ...init,
      ...(signal && { signal }),
      headers: { accept: "application/json", ...(init.headers as Record<string, string>) },
      fetch: counting,
      cache: "no-store",
      redirect: "error",
      retry: 0,
      timeout: false,
      throwHttpErrors: false,
    });
    const text = (await response.text()).trim();
    return { status: response.status, headers: response.headers, text, empty: !text, json: parseJson(text) };
  } catch (cause) {
    // Also when it breaks off in the body: by then the refresh token has been used.
    throw isSessionError(cause) ? cause : new SessionError("network", "the server did not answer", { cause, lost: sent });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * What an answer says, where nothing else is known about the server: JSON with a 2xx are tokens; 400 or 401 with JSON or without a body is
 * a refusal, and so is 403 with JSON. HTML never is one: it comes from a proxy or a captive portal.
 */
export function verdictOn({ status, empty, json }: RefreshAnswer): AnswerVerdict {
  if (status >= 200 && status < 300) return json ? "refreshed" : "not-now";
  const isJson = json !== undefined;
  return (status === 403 && isJson) || ((status === 400 || status === 401) && (isJson || empty)) ? "rejected" : "not-now";
}

/** The answer itself if it says "refreshed". @throws {SessionError} what it means otherwise. */
export function accept(answer: RefreshAnswer, verdict: AnswerVerdict): RefreshAnswer {
  if (verdict === "refreshed") return answer;
  if (verdict === "not-now") throw notNow(answer);
  if (verdict === "rejected") throw new SessionError("rejected", "the server refused to renew", { status: answer.status });
  throw new TypeError('answer() must return "refreshed", "rejected", "not-now" or undefined');
}

/** The session stays, and it is tried again. */
function notNow({ status, headers, text, json }: RefreshAnswer): SessionError {
  const retryAfter = retryAfterOf(headers);
  const details = { status, retryAfter };
  if (status === 429 || retryAfter !== undefined) return new SessionError("throttled", `the server asks to wait (${status})`, details);
  if (status >= 200 && status < 300) {
    // Cut off on the way: the refresh token has been used.
    const lost = json === undefined && text.startsWith("{");
    return new SessionError("invalid-response", `the server answered ${status} without tokens`, { ...details, lost });
  }
  return new SessionError("server", `the server answered ${status}`, details);
}

/** `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), counted from the server's own `Date` when that can be read. */
function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const date = headers.get("date");
  const pause = Number.isNaN(Number(value)) ? Date.parse(value) - Date.parse(date ?? "") : Number(value) * 1000;
  return Number.isFinite(pause) && pause >= 0 ? Math.min(pause, LONGEST_PAUSE) : undefined;
}
