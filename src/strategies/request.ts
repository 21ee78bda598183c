import ky from "ky";
import { isSessionError, SessionError } from "../errors.js";

export interface TokenRequest {
  readonly url: string;
  readonly body: URLSearchParams;
  readonly signal: AbortSignal;
  readonly fetch: typeof globalThis.fetch;
}

export interface TokenAnswer {
  readonly status: number;
  /** The JSON value; undefined when the body is empty or no JSON. */
  readonly json: unknown;
  readonly empty: boolean;
  /** Ends in the middle of JSON. */
  readonly truncated: boolean;
  /** Milliseconds. */
  readonly retryAfter: number | undefined;
}

/** A server that asks for more than a day has been set up wrongly. */
const LONGEST_PAUSE = 86_400_000;

/**
 * Posts a form to the token endpoint. Never resent and never redirected: what is in it can be used once, and by one origin. Without
 * credentials, since a server that allows every origin (`*`) does not allow them.
 */
export async function postForm({ url, body, signal, fetch }: TokenRequest): Promise<TokenAnswer> {
  let sent = false;
  const counting: typeof fetch = (input, init) => {
    sent = true;
    return fetch(input, init);
  };
  try {
    return await read(await send(url, body, signal, counting));
  } catch (cause) {
    // Also when it breaks off in the body: by then the refresh token has been used.
    throw isSessionError(cause) ? cause : new SessionError("network", "the token endpoint did not answer", { cause, lost: sent });
  }
}

function send(url: string, body: URLSearchParams, signal: AbortSignal, fetch: typeof globalThis.fetch): Promise<Response> {
  return ky.post(url, {
    body,
    signal,
    fetch,
    headers: { accept: "application/json" },
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
    retry: 0,
    timeout: false,
    throwHttpErrors: false,
  });
}

async function read(response: Response): Promise<TokenAnswer> {
  const text = await response.text();
  const json = parseJson(text);
  return {
    status: response.status,
    json,
    empty: text.trim() === "",
    truncated: json === undefined && text.trim().startsWith("{"),
    retryAfter: retryAfterOf(response.headers),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), counted from the server's own `Date` when that can be read. */
function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const date = headers.get("date");
  const pause = Number.isNaN(Number(value)) ? Date.parse(value) - Date.parse(date ?? "") : Number(value) * 1000;
  return Number.isFinite(pause) && pause >= 0 ? Math.min(pause, LONGEST_PAUSE) : undefined;
}

/** An answer that is neither tokens nor a refusal: the session stays, and it is tried again. */
export function notNow({ status, retryAfter, truncated }: TokenAnswer): SessionError {
  const details = { status, retryAfter };
  if (status === 429 || retryAfter !== undefined)
    return new SessionError("throttled", `the token endpoint asks to wait (${status})`, details);
  if (status >= 200 && status < 300) {
    // Cut off on the way: the refresh token has been used.
    return new SessionError("invalid-response", `the token endpoint answered ${status} without tokens`, { ...details, lost: truncated });
  }
  return new SessionError("server", `the token endpoint answered ${status}`, details);
}
