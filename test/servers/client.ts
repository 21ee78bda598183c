import type { startServer } from "../../servers/oauth/index.js";

export type Server = Awaited<ReturnType<typeof startServer>>;

/** Asks for a refresh as a public client does. */
export function refresh(server: Server, refreshToken: string, signal?: AbortSignal): Promise<Response> {
  const body = new URLSearchParams({ grant_type: "refresh_token", client_id: server.clientId, refresh_token: refreshToken });
  return fetch(server.tokenEndpoint, { method: "POST", body, ...(signal ? { signal } : {}) });
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
  expires_in: number;
}

export async function refreshed(server: Server, refreshToken: string): Promise<Tokens> {
  const response = await refresh(server, refreshToken);
  if (!response.ok) throw new Error(`the token endpoint answered ${response.status}`);
  return response.json() as Promise<Tokens>;
}

export function me(server: Server, accessToken?: string): Promise<Response> {
  return fetch(`${server.url}/api/me`, accessToken === undefined ? {} : { headers: { Authorization: `Bearer ${accessToken}` } });
}

export async function control(server: Server, command: string, body: unknown = {}): Promise<Response> {
  return fetch(`${server.url}/control/${command}`, { method: "POST", body: JSON.stringify(body) });
}
