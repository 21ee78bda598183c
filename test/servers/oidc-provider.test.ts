import { describe, expect, it, onTestFinished } from "vitest";
import { startServer } from "../../servers/oauth/index.js";
import { createSession, oauth2 } from "../../src/index.js";
import { createDevice } from "./device.js";

/** A page of another origin that knows the server by its issuer only, signed in; and what it has sent there. */
async function start(accessTokenFormat: "jwt" | "opaque", rotate: boolean) {
  const server = await startServer({ accessTokenFormat, rotate, accessTokenSeconds: 60 });
  const device = createDevice("http://app.test", Date.now());
  const { clock } = device;
  const sent: { path: string; form: Record<string, string>; keepalive: boolean; credentials: RequestCredentials }[] = [];
  const environment = {
    ...device.environment,
    async fetch(input: RequestInfo | URL, init?: RequestInit) {
      const request = new Request(input, init);
      const { keepalive, credentials } = request;
      const form = Object.fromEntries(new URLSearchParams(await request.clone().text()));
      sent.push({ path: new URL(request.url).pathname, form, keepalive, credentials });
      return device.environment.fetch(request);
    },
  };
  const session = createSession({
    refresh: oauth2({ issuer: server.issuer, clientId: server.clientId }),
    allowedOrigins: [server.url],
    environment,
  });
  onTestFinished(async () => {
    session.dispose();
    await clock.advance(1000);
    await server.close();
  });
  const tokens = await server.issueTokens();
  await clock.until(session.signIn(tokens));
  const call = async () => (await clock.until(session.fetch(`${server.url}/api/me`))).status;
  return { server, device, clock, session, sent, tokens, call };
}

const DISCOVERY = "/.well-known/openid-configuration";

describe.each([
  ["JWT", "rotation", "jwt", true],
  ["opaque", "rotation", "opaque", true],
  ["JWT", "no rotation", "jwt", false],
  ["opaque", "no rotation", "opaque", false],
] as const)("oidc-provider, %s, %s, from another origin", (_format, _rotation, format, rotate) => {
  it("is looked up by its issuer once, and renews", async () => {
    const { clock, session, sent, call, device, tokens } = await start(format, rotate);
    expect([sent.length, await call()], "not before it is needed").toEqual([0, 200]);
    sent.length = 0;
    for (let time = 0; time < 2; time += 1) {
      expect(await clock.until(session.refresh())).toBe("refreshed");
      await clock.advance(1500);
    }
    expect(sent.map(({ path, credentials }) => [path, credentials])).toEqual([
      [DISCOVERY, "omit"],
      ["/oauth/token", "omit"],
      ["/oauth/token", "omit"],
    ]);
    expect(await call()).toBe(200);
    expect(device.stored().refreshToken !== tokens.refresh_token, "another refresh token").toBe(rotate);
  });

  it("R43 revokes the refresh token, and only that, at sign-out (RFC 7009)", async () => {
    const { server, clock, session, sent } = await start(format, rotate);
    await clock.until(session.refresh());
    sent.length = 0;
    await clock.until(session.signOut());
    await clock.advance(100);
    expect(sent).toMatchObject([
      { path: "/oauth/revoke", form: { token_type_hint: "refresh_token" }, keepalive: true, credentials: "omit" },
    ]);
    expect(Object.keys(sent[0]?.form ?? {}).sort()).toEqual(["client_id", "token", "token_type_hint"]);
    const answer = await fetch(server.tokenEndpoint, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "refresh_token", client_id: server.clientId, refresh_token: sent[0]?.form.token ?? "" }),
    });
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([400, "invalid_grant"]);
    expect(server.stats, "revoked, not used twice").toMatchObject({ revoked: 1, reused: 0 });
  });

  it("R43 signs out at once when the server cannot be reached; what could not be revoked stays with the server", async () => {
    const { server, device, clock, session, sent } = await start(format, rotate);
    device.offline = true;
    await clock.until(session.signOut(), 100);
    expect(session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "user" });
    await clock.advance(60_000);
    expect(sent.map(({ path }) => path)).toEqual([DISCOVERY]);
    expect(server.stats.revoked).toBe(0);
  });
});
