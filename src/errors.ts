import type { TokenSet } from "./types/index.js";

/** The codes of a {@link SessionError}. They are stable: an app may use them in a `switch`. */
export type SessionErrorCode =
  /** the server refused to renew; the session has ended */
  | "rejected"
  /** what could renew is gone from this browser: the worker of `vault` has ended, and its refresh token with it */
  | "credential-lost"
  /** the token endpoint gave no answer: the device is offline, or the connection or CORS failed */
  | "network"
  /** the token endpoint did not answer within `refreshTimeout`, or the caller reached its own limit */
  | "timeout"
  /** another tab refreshes, and has not finished within the limit of this tab */
  | "busy"
  /** the token endpoint asked the client to wait: 429, or another answer with `Retry-After` */
  | "throttled"
  /** the token endpoint failed: 408, 5xx, a proxy's page, or a redirect */
  | "server"
  /** the set-up is wrong, so a further attempt fails as well: `invalid_client`, `invalid_scope`, … (RFC 6749 §5.2) */
  | "configuration"
  /** the answer has no usable token */
  | "invalid-response"
  /** the token is not a bearer token, but for example `DPoP`; with the option `dpop`, it is a bearer token */
  | "unsupported-token-type"
  /** the browser could not read or write the stored session */
  | "storage"
  /** this tab has no refresh token */
  | "not-renewable"
  /** there is no session, or it ended during the call */
  | "signed-out"
  /** another user has signed in since the call was sent; the server may have carried it out, so the app must not repeat it */
  | "user-changed"
  /** a newer release of the app wrote the session, and its token is not for this release or has expired: the user has to reload the page */
  | "newer-release"
  /** `dispose()` was called on this session object */
  | "disposed"
  /** your refresh function threw; `cause` is its error */
  | "refresh-function";

export interface SessionErrorDetails {
  /**
   * The error that your refresh function threw. For a transport's error it is a new `Error` with the same name and message: the original may
   * hold a token.
   */
  cause?: unknown;
  /** HTTP status of the answer. It is 0 for a redirect: browsers hide its status. */
  status?: number | undefined;
  /** The number of attempts since the last success, from 1. */
  attempt?: number | undefined;
  /** Milliseconds that the server asked to wait, above 0; other values are ignored. At most a day counts. */
  retryAfter?: number | undefined;
  /** The server may have processed the request although its answer never came: a rotation may have been lost. @default false */
  lost?: boolean | undefined;
}

/** A server that asks the client to wait for more than a day is set up wrongly. */
export const LONGEST_PAUSE_MS = 86_400_000;

/**
 * The only error class of this package, beside `TypeError` for wrong arguments. No message and no member contains a token. The exception is
 * `cause`: your own refresh function may have thrown an error with one.
 */
export class SessionError extends Error {
  override readonly name = "SessionError";
  declare readonly code: SessionErrorCode;
  declare readonly status: number | undefined;
  declare readonly attempt: number | undefined;
  /** Milliseconds for which the server asked clients to wait, counted from the making of this error; at most a day. */
  declare readonly retryAfter: number | undefined;
  /** @internal The date of `Retry-After`, in epoch milliseconds. A strategy has no clock, so the session computes `retryAfter` from it. */
  declare readonly retryDate?: number;
  /** The server may have processed the request although its answer never came: a rotation may have been lost. */
  declare readonly lost: boolean;

  constructor(code: SessionErrorCode, message: string, details: SessionErrorDetails = {}) {
    super(message, details);
    const { status, attempt, retryAfter, lost } = details;
    Object.assign(this, {
      code,
      status,
      attempt,
      retryAfter: retryAfter! > 0 ? Math.min(retryAfter!, LONGEST_PAUSE_MS) : undefined,
      lost: !!lost,
    });
  }
}

/** Without this check, a misspelt option has no effect and no error. An option may be undefined. @throws {TypeError} listing the known options */
export function assertKnown<Options extends object>(
  way: string,
  options: Options,
  known: { readonly [option in keyof Required<Options>]: unknown } & Record<string, unknown>,
): void {
  const names = Object.keys(known);
  if (Object(options) !== options)
    throw new TypeError(`${way}: expected an object with ${names.join(", ")}; it is ${options && typeof options}`);
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !names.includes(name)) throw new TypeError(`${way}: no option ${name}; there are ${names.join(", ")}`);
}

/** Whether a value is a {@link SessionError}, also one of a second copy of this package. */
export function isSessionError(error: unknown): error is SessionError {
  return error instanceof Error && error.name === "SessionError" && "code" in error;
}

/** Copies name and message of a transport's error only: a page's own `fetch` may add the request with its headers. */
export function bareError(thrown: unknown, { accessToken, refreshToken, idToken }: TokenSet): Error {
  const { name = "Error", message = thrown } = Object(thrown) as Partial<Error>;
  let text = `${message}`;
  // Node and Firefox quote a URL or a header that they cannot parse.
  for (const token of [accessToken, refreshToken, idToken])
    if (token)
      for (const form of [
        token,
        JSON.stringify(token).slice(1, -1),
        encodeURIComponent(token),
        `${new URLSearchParams({ _: token })}`.slice(2),
      ])
        text = text.replaceAll(form, "…");
  const error = new Error(text.slice(0, 300));
  error.name = name.slice(0, 300);
  return error;
}
