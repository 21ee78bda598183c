import { type Answer, json } from "./reply.js";

/** A failure of one request to the token endpoint. A fault that is not `processed` needs `instead`. */
export interface Fault {
  /** Milliseconds for which the server waits before it reads the request. @default 0 */
  readonly waits?: number;
  /** Whether the server carries the request out, and so rotates the refresh token. */
  readonly processed: boolean;
  /** The reply in place of the server's own answer. @default the server's own answer */
  readonly instead?: Answer | "lost" | "silence";
  /** Whether only half of the answer's body arrives. @default false */
  readonly stalls?: boolean;
}

/** The server carries the request out after a delay. */
export const slow = (milliseconds: number): Fault => ({ waits: milliseconds, processed: true });
/** The server answers with a status and does not carry the request out. `body` is sent as JSON. @default no body */
export const answers = (status: number, body?: unknown, headers: Record<string, string> = {}): Fault => ({
  processed: false,
  instead: body === undefined ? { status, headers } : json(status, body, headers),
});
/** A proxy answers that the server is down. @default 503 */
export const down = (status = 503): Fault => ({
  processed: false,
  instead: { status, headers: { "content-type": "text/plain" }, body: "down" },
});
/** The server answers 429. `retryAfter` is the value of `Retry-After`: seconds, or an HTTP date. */
export const throttled = (retryAfter: number | string): Fault =>
  answers(429, { error: "slow_down" }, { "retry-after": String(retryAfter) });
/** A captive portal answers with a page in HTML. */
export const html = (status: number): Fault => ({
  processed: false,
  instead: { status, headers: { "content-type": "text/html" }, body: "<!doctype html><title>Sign in to this network</title>" },
});
/** The connection breaks before the request reaches the server. The client sees the same error as with `lostAnswer`. */
export const unreachable: Fault = { processed: false, instead: "lost" };
/** The server rotates the refresh token, and the connection breaks before the answer. */
export const lostAnswer: Fault = { processed: true, instead: "lost" };
/** The server never carries the request out, and never answers. */
export const hangs: Fault = { processed: false, instead: "silence" };
/** The server rotates the refresh token, and never answers. */
export const hangsAfterRotating: Fault = { processed: true, instead: "silence" };
/** The server rotates the refresh token. The headers and half of the body arrive, and the rest never does. */
export const stalledBody: Fault = { processed: true, stalls: true };
/** The server rotates the refresh token, but a gateway answers 504 in its place. */
export const gatewayTimeout: Fault = {
  processed: true,
  instead: { status: 504, headers: { "content-type": "text/html" }, body: "<h1>504</h1>" },
};

/** The faults by name, for `server.faults` and `server.fault`. */
export const faults = {
  slow,
  answers,
  down,
  throttled,
  html,
  unreachable,
  lostAnswer,
  hangs,
  hangsAfterRotating,
  stalledBody,
  gatewayTimeout,
};
