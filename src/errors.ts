/** Stable; safe to switch on. */
export type SessionErrorCode =
  /** the server definitely refused to renew */
  | "rejected"
  /** no answer from the token endpoint: offline, refused, or a CORS failure */
  | "network"
  /** the token endpoint did not answer within `refreshTimeout`, or the whole wait ran out */
  | "timeout"
  /** another tab is refreshing and has not finished within this one's limit */
  | "busy"
  /** the token endpoint asked to wait: 429, or another answer with `Retry-After` */
  | "throttled"
  /** the token endpoint failed: 408, 5xx, a proxy's page */
  | "server"
  /** the request is wrong and will stay so: `invalid_client`, `invalid_scope`, … */
  | "configuration"
  /** an answer without a usable token */
  | "invalid-response"
  /** a token that is not a bearer token, e.g. `DPoP` */
  | "unsupported-token-type"
  /** the ledger could not be read or written */
  | "storage"
  /** this tab cannot renew: there is no refresh token here */
  | "not-renewable"
  /** there is no session, or it ended meanwhile */
  | "signed-out"
  | "disposed"
  /** an own refresh function threw; see `cause` */
  | "refresh-function";

export interface SessionErrorDetails {
  cause?: unknown;
  /** HTTP status of the answer that caused it. */
  status?: number | undefined;
  /** How many attempts have been made since the last success. */
  attempt?: number | undefined;
  /** Milliseconds the server asked to wait. */
  retryAfter?: number | undefined;
  /** The request may have been carried out although its answer never came: a rotation may have been lost. */
  lost?: boolean | undefined;
}

/** The one error of this package. No message and no member holds a token. */
export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly code: SessionErrorCode;
  readonly status: number | undefined;
  readonly attempt: number | undefined;
  readonly retryAfter: number | undefined;
  readonly lost: boolean;

  constructor(code: SessionErrorCode, message: string, details: SessionErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.status = details.status;
    this.attempt = details.attempt;
    this.retryAfter = details.retryAfter;
    this.lost = details.lost === true;
  }
}

/** Also true for an error made by a second copy of this package. */
export function isSessionError(error: unknown): error is SessionError {
  return error instanceof Error && error.name === "SessionError" && "code" in error;
}
