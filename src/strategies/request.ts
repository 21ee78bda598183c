import { bareError, isSessionError, SessionError, type SessionErrorCode } from "../errors.js";
import type { RefreshContext } from "../types/index.js";

/** A server's answer to a renewal: the argument of `answer`. */
export interface RefreshAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON value, or the members of a form (by its content type) as strings. It is undefined for any other body, and without a body. */
  readonly json: unknown;
  /** The body, without white space at both ends. */
  readonly text: string;
  /** Whether `text` is empty. */
  readonly empty: boolean;
}

/** `"refreshed"`: the answer has the tokens. `"rejected"`: the session ends. `"not-now"`: the session stays, and tries again later. */
export type AnswerVerdict = "refreshed" | "rejected" | "not-now";

/** Judges an answer of a server. With undefined, the strategy's own rules apply. */
export type ReadAnswer = (answer: RefreshAnswer) => AnswerVerdict | undefined;

/** The network, the origin of the page, and the tokens that no error may repeat. */
export type Network = Pick<RefreshContext, "fetch" | "origin"> & Partial<Pick<RefreshContext, "signal" | "tokens">>;

/** For the request of a sign-out: the page may be closed before the server answers. */
export const FAREWELL: RequestInit = { keepalive: true, redirect: "error" };

/** Browsers refuse `keepalive` with a body of more bytes (Fetch, "HTTP-network-or-cache fetch"). */
const KEPT_ALIVE = 65_536;

/** Refuses backslashes and white space: browsers read a backslash as a slash, and ignore tabs and line ends. @throws {TypeError} */
export function assertUrl(way: string, option: string, value: unknown): void {
  if (typeof value !== "string" || !/^(https?:\/\/[^/\\\s]|\/(?![/\\]))\S*$/.test(value))
    throw new TypeError(`${way}: ${option} must be an http or https URL, or a path that begins with "/"`);
}

/**
 * Sends the request once, and follows no redirect: its refresh token may be used once, and by one origin only. It sends no cookies unless
 * `init` does, since a server that allows every origin (`*`) does not allow cookies. `further` headers replace those of `init`.
 *
 * @throws {SessionError} `network`, `server` for a redirect, `configuration` for a path without a page, and where no request can be made.
 */
export async function ask(
  path: string,
  init: RequestInit,
  { fetch, origin, signal, tokens = {} }: Network,
  further?: HeadersInit,
): Promise<RefreshAnswer> {
  const bare = path.replace(/[?#].*/, "");
  if (path[0] === "/" && (origin ?? "null") === "null")
    throw new SessionError("configuration", `${bare} needs a page with an origin: give an absolute URL`);
  const keepalive = !!init.keepalive && new Blob([(init.body ?? "") as string]).size <= KEPT_ALIVE;
  // The origin of a sandboxed page is "null", which is no base even for an absolute URL.
  const url = new URL(path, path[0] === "/" ? origin : undefined).href;
  let sent = false;
  try {
    const merged = new Headers({ accept: "application/json", ...init.headers });
    for (const [name, value] of new Headers(further ?? {})) merged.set(name, value);
    const defaults: RequestInit = { credentials: "omit", redirect: "manual", ...(signal && { signal }) };
    const request = new Request(url, { ...defaults, ...init, keepalive, headers: merged, cache: "no-store" });
    sent = true;
    // Firefox 153 ignores `keepalive` of the Request: see docs/engines.md.
    const response = await fetch(request, { keepalive });
    const { status, headers } = response;
    if (response.type === "opaqueredirect" || /30[12378]/.test(`${status}`)) {
      // Browsers hide the target. Its path, query or user name may be secret.
      const [to = "elsewhere"] = /^https?:\/\/[\w.:-]{1,200}(?![^/?#])/i.exec(headers.get("location") ?? "") ?? [];
      throw new SessionError("server", `${bare} redirects to ${to}, which is not followed`, { status });
    }
    const text = (await response.text()).trim();
    return { status, headers, text, empty: !text, json: membersOf(text, headers) };
  } catch (thrown) {
    if (isSessionError(thrown)) throw thrown;
    const cause = bareError(thrown, tokens);
    if (!sent) throw new SessionError("configuration", `no request to ${bare} can be made with these options: see cause`, { cause });
    // The answer may have ended within the body: by then the server has used the refresh token.
    throw new SessionError("network", "the server did not answer", { cause, lost: true });
  }
}

function membersOf(text: string, headers: Headers): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const isForm = /^application\/x-www-form-urlencoded/i.test(`${headers.get("content-type")}`);
    return text && isForm ? Object.fromEntries(new URLSearchParams(text)) : undefined;
  }
}

/**
 * The default verdict. A 2xx with JSON has tokens. 400 and 401 with JSON or without a body are refusals, and so is 403 with JSON, unless the
 * server asks the client to wait. HTML is never a refusal: it comes from a proxy or a captive portal.
 */
export function verdictOn({ status, headers, empty, json }: RefreshAnswer): AnswerVerdict {
  if (status >= 200 && status < 300) return json ? "refreshed" : "not-now";
  const isJson = json !== undefined;
  const isRefusal = (status === 403 && isJson) || ((status === 400 || status === 401) && (isJson || empty));
  return isRefusal && !asksToWait(headers) ? "rejected" : "not-now";
}

/** Returns the answer if the verdict is "refreshed". @throws {SessionError} for any other verdict */
export function accept(answer: RefreshAnswer, verdict: AnswerVerdict): RefreshAnswer {
  if (verdict === "refreshed") return answer;
  if (verdict === "not-now") throw notNow(answer);
  if (verdict === "rejected") throw new SessionError("rejected", "the server refused to renew", { status: answer.status });
  throw new TypeError('answer() must return "refreshed", "rejected", "not-now" or undefined');
}

/** The error of an answer after which the session stays, and tries again later. */
function notNow({ status, headers, text, json }: RefreshAnswer): SessionError {
  const { retryAfter, retryDate } = askedBy(headers);
  let code: SessionErrorCode = "server";
  let words = `answered ${status}`;
  let lost = false;
  if (status === 429 || retryAfter > 0) {
    code = "throttled";
    words = `asks to wait (${status})`;
  } else if (status >= 200 && status < 300) {
    code = "invalid-response";
    words += " without tokens";
    // The JSON is cut off, or something wraps it: the server has used the refresh token.
    lost = json === undefined && /^[{"]|token|refresh/i.test(text);
  }
  return Object.assign(new SessionError(code, `the server ${words}`, { status, retryAfter, lost }), { retryDate });
}

/** Whether the server asks the client to wait: such an answer is no refusal. */
export function asksToWait(headers: Headers): boolean {
  const { retryAfter, retryDate } = askedBy(headers);
  return retryAfter > 0 || retryDate! > 0;
}

/**
 * Reads `Retry-After` (RFC 9110 §10.2.3). Its value is seconds, or two numbers if a proxy added its own, or a date. A date is counted from the
 * server's `Date`, which script cannot read across origins.
 */
function askedBy(headers: Headers): { retryAfter: number; retryDate?: number } {
  const value = headers.get("retry-after") ?? "";
  const seconds = Math.max(...value.split(",").map(Number));
  if (!Number.isNaN(seconds)) return { retryAfter: seconds * 1000 };
  // `Date.parse` takes almost any text; a date of HTTP has a time of day. The format of C's `asctime` has no time zone.
  const retryDate = value.includes(":") ? Date.parse(value.replace(/ GMT.*$|( \d{4})$/, "$1 GMT")) : Number.NaN;
  const retryAfter = retryDate - Date.parse(headers.get("date") ?? "");
  return Number.isNaN(retryAfter) ? { retryAfter, retryDate } : { retryAfter };
}
