import { oauth2 } from "../../../../src/index.js";
import type { SessionOptions, TokenResponse } from "../../../../src/types/index.js";
import { createDevice } from "../../device.js";
import { openGate } from "../../gate.js";
import { type Setting, theft } from "../row.js";

/** An authorization server that runs, with an API that takes its tokens. */
export interface AuthorizationServer {
  readonly url: string;
  readonly clientId: string;
  readonly tokenPath: string;
  readonly apiPath: string;
  signIn(): Promise<TokenResponse>;
  revoke(): unknown;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** A client of it that renews by the refresh grant (RFC 6749 §6). */
export async function refreshGrant(server: AuthorizationServer, options: Partial<SessionOptions> = {}): Promise<Setting> {
  const { clientId, tokenPath } = server;
  const gate = await openGate(
    () => server.url,
    (path) => path === tokenPath,
  );
  const device = createDevice(gate.url, Date.now());

  async function renew(refreshToken: string): Promise<string | null> {
    const body = new URLSearchParams({ grant_type: "refresh_token", client_id: clientId, refresh_token: refreshToken });
    const response = await fetch(server.url + tokenPath, { method: "POST", body });
    return response.ok ? (((await response.json()) as TokenResponse).refresh_token ?? refreshToken) : null;
  }

  return {
    device,
    gate,
    api: gate.url + server.apiPath,
    options: { refresh: oauth2({ tokenEndpoint: gate.url + tokenPath, clientId }), ...options },
    signIn: async () => [await server.signIn()],
    revoke: async () => server.revoke(),
    restart: server.restart,
    steal: () => theft(renew, device.stored().refreshToken ?? ""),
    async close() {
      await gate.close();
      await server.close();
    },
  };
}
