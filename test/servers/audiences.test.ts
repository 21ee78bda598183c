import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { audiences, createSession, oauth2 } from "../../src/index.js";
import type { Session, TokenResponse } from "../../src/types/index.js";
import { createDevice, type Device } from "./device.js";
import { type ResourceProvider, startResourceProvider } from "./resource-provider.js";

const API = "https://api.example.test";
const BILLING = "https://billing.example.test";
const FILES = "https://files.example.test";
const CLIENT = "spa";

describe("several audiences on oidc-provider (RFC 8707)", () => {
  let provider: ResourceProvider;
  let device: Device;
  let session: Session;

  beforeEach(async () => {
    provider = await startResourceProvider([API, BILLING, FILES], CLIENT);
    device = createDevice("https://app.example.test", Date.now());
    session = createSession({
      refresh: oauth2({ tokenEndpoint: provider.tokenEndpoint, clientId: CLIENT }),
      allowedOrigins: [API],
      audiences: audiences({ [BILLING]: {}, [FILES]: {} }),
      environment: device.environment,
    });
    const response = await refresh(await provider.signIn("ada"));
    await device.clock.until(session.signIn((await response.json()) as TokenResponse));
  });
  afterEach(async () => {
    session.dispose();
    await provider.close();
  });

  function refresh(token: string, further: Record<string, string> = {}): Promise<Response> {
    const body = new URLSearchParams({ grant_type: "refresh_token", client_id: CLIENT, refresh_token: token, ...further });
    return fetch(provider.tokenEndpoint, { method: "POST", body });
  }

  /** What each API finds in the token that it gets, and verifies. */
  async function audiencesNow(): Promise<unknown[]> {
    const keys = createRemoteJWKSet(provider.jwks);
    const wanted = [session.getToken(), session.getToken({ audience: BILLING }), session.getToken({ audience: FILES })];
    const tokens = await device.clock.until(Promise.all(wanted));
    return Promise.all(tokens.map(async (token) => (await jwtVerify(token ?? "", keys, { issuer: provider.issuer })).payload.aud));
  }

  it("each API gets a token that is for it, and no single-use refresh token is used twice", async () => {
    for (let round = 0; round < 5; round++) {
      expect(await audiencesNow()).toEqual([API, BILLING, FILES]);
      await device.clock.sleep(2 * 3_600_000);
    }
    expect([session.getSnapshot().status, provider.refused]).toEqual(["signed-in", []]);
  });

  it("a stolen refresh token that was used ends the session, whichever audience is wanted next", async () => {
    await audiencesNow();
    expect((await refresh(device.stored().refreshToken ?? "", { resource: FILES })).status).toBe(200);
    await device.clock.sleep(2 * 3_600_000);
    expect(await device.clock.until(session.getToken({ audience: BILLING }))).toBeNull();
    expect([session.getSnapshot().reason, provider.refused]).toEqual(["rejected", ["invalid_grant"]]);
  });
});
