/** The demo's server, as its control endpoints show it. They take no token, so they are called with the plain `fetch`. */

export type FaultKind = "down" | "slow" | "throttled";

export interface ServerState {
  stats: { refreshes: number; attempts: number; reused: number; apiOk: number; apiUnauthorized: number };
  faults: { token: { kind: string } | null };
}

/** How long the server takes when it is slow: less than the session's deadline for a refresh, so it is late and not lost. */
const SLOW = 4000;
const RETRY_AFTER = 8;

async function call(path: string, body?: unknown): Promise<ServerState> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`/control/${path}`, init);
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return response.json();
}

export const server = {
  state: () => call("state"),
  expireAccessTokens: () => call("expire-access-tokens", {}),
  revoke: (subject: string) => call("revoke", { subject }),
  setFault: (kind: FaultKind | null) => call("faults", { token: kind && { kind, milliseconds: SLOW, retryAfterSeconds: RETRY_AFTER } }),
};

export const faultExplanations: Record<FaultKind | "none", string> = {
  none: "Each refresh is answered at once.",
  down: "503. The session stays; attempts follow at growing intervals until it is back. The API works as long as the token is valid.",
  slow: `Each refresh takes ${SLOW / 1000} seconds. Other tabs wait for it instead of sending their own.`,
  throttled: `“Too many requests”, come back in ${RETRY_AFTER} seconds. All tabs keep to it.`,
};
