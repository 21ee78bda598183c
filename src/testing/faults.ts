import { type Answer, json } from "./reply.js";

/** What goes wrong with one request to the token endpoint. */
export interface Fault {
  /** Milliseconds before the server looks at the request. */
  readonly waits?: number;
  /** Whether the server carries the request out (and rotates) all the same. */
  readonly processed: boolean;
  /** What comes back instead of the server's own answer; absent: the answer itself. */
  readonly instead?: Answer | "lost" | "silence";
  /** The server's own answer, of which only half of the body arrives. */
  readonly stalls?: boolean;
}

export const slow = (milliseconds: number): Fault => ({ waits: milliseconds, processed: true });
export const answers = (status: number, body?: unknown, headers: Record<string, string> = {}): Fault => ({
  processed: false,
  instead: body === undefined ? { status, headers } : json(status, body, headers),
});
export const down = (status = 503): Fault => ({
  processed: false,
  instead: { status, headers: { "content-type": "text/plain" }, body: "down" },
});
export const throttled = (retryAfter: number | string): Fault =>
  answers(429, { error: "slow_down" }, { "retry-after": String(retryAfter) });
export const html = (status: number): Fault => ({
  processed: false,
  instead: { status, headers: { "content-type": "text/html" }, body: "<!doctype html><title>Sign in to this network</title>" },
});
/** The connection breaks before the server has seen anything; a client cannot tell. */
export const unreachable: Fault = { processed: false, instead: "lost" };
/** The server rotates, and its answer never arrives. */
export const lostAnswer: Fault = { processed: true, instead: "lost" };
export const hangs: Fault = { processed: false, instead: "silence" };
export const hangsAfterRotating: Fault = { processed: true, instead: "silence" };
export const stalledBody: Fault = { processed: true, stalls: true };
/** A gateway gives up on a server that has done its work. */
export const gatewayTimeout: Fault = {
  processed: true,
  instead: { status: 504, headers: { "content-type": "text/html" }, body: "<h1>504</h1>" },
};

/** All of them, by name. */
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
