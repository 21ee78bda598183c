import * as oauth from "oauth4webapi";
import { dpop, oauth2 } from "../../../../src/index.js";
import type { TokenResponse } from "../../../../src/types/index.js";
import { createDevice } from "../../device.js";
import { openGate } from "../../gate.js";
import { type Setting, theft } from "../row.js";
import type { AuthorizationServer } from "./refresh-grant.js";

/** An authorization server that binds tokens to keys (RFC 9449). `url` is where it listens. */
export interface DpopServer extends Omit<AuthorizationServer, "signIn"> {
  /** Somebody logs in. Resolves with the form that exchanges the code. */
  authorize(further: { dpop_jkt: string }): Promise<{ grant_type: string } & Record<string, string>>;
}

/** A client of it, whose tokens are bound to the key of its session. `start`: starts the server, which pages call at `origin`. */
export async function dpopGrant(start: (origin: string) => Promise<DpopServer>): Promise<Setting> {
  const gate = await openGate(
    () => server.url,
    (path) => path === server.tokenPath,
  );
  const server = await start(gate.url);
  const { clientId, tokenPath } = server;
  const device = createDevice(gate.url, Date.now());
  const proofs = dpop();
  const client: oauth.Client = { client_id: clientId };
  const as: oauth.AuthorizationServer = { issuer: gate.url, token_endpoint: gate.url + tokenPath };

  /** Asks for tokens. Without a key, the request has no proof. */
  async function ask({ grant_type, ...form }: { grant_type: string } & Record<string, string>, keyPair?: CryptoKeyPair): Promise<Response> {
    const DPoP = keyPair && oauth.DPoP(client, keyPair);
    const options = { ...(DPoP && { DPoP }), [oauth.allowInsecureRequests]: true };
    const send = () => oauth.genericTokenEndpointRequest(as, client, oauth.None(), grant_type, form, options);
    const response = await send();
    // The second proof has the nonce of the first answer.
    return DPoP && !response.ok ? send() : response;
  }

  /** The thief has the refresh token, and not the key. */
  async function renew(refreshToken: string): Promise<string | null> {
    for (const key of [undefined, await oauth.generateKeyPair("ES256")]) {
      const response = await ask({ grant_type: "refresh_token", refresh_token: refreshToken }, key);
      if (response.ok) return ((await response.json()) as TokenResponse).refresh_token ?? refreshToken;
    }
    return null;
  }

  return {
    device,
    gate,
    api: gate.url + server.apiPath,
    options: { refresh: oauth2({ tokenEndpoint: gate.url + tokenPath, clientId }), dpop: proofs },
    async signIn() {
      const keyPair = await device.clock.until(proofs.keyPair());
      const form = await server.authorize({ dpop_jkt: await oauth.DPoP(client, keyPair).calculateThumbprint() });
      const response = await ask(form, keyPair);
      if (!response.ok) throw new Error(`the code was refused: ${response.status} ${await response.text()}`);
      return [(await response.json()) as TokenResponse];
    },
    revoke: async () => server.revoke(),
    restart: server.restart,
    steal: () => theft(renew, device.stored().refreshToken ?? ""),
    async close() {
      await gate.close();
      await server.close();
    },
  };
}
