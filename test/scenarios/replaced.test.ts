import { describe, expect, it } from "vitest";
import { cookie, type SessionOptions, tokenPair } from "../../src/index.js";
import { memory } from "../../src/session/memory.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import type { App } from "../support/app.js";
import { HOUR, revokingStrategy, type Scene, type SceneOptions, SECOND, scene } from "../support/scene.js";

const LOGOUT = `${API}/logout`;

function revoking({ session, ...options }: SceneOptions = {}): Scene {
  return scene({ ...options, session: { refresh: revokingStrategy(), ...session } });
}

async function signIn(stage: Scene, app: App, tokens: unknown, limit?: number): Promise<void> {
  await stage.clock.until(app.session.signIn(tokens as never), limit);
  await stage.clock.advance(SECOND);
}

/** How many revocations there were, and whose grants still renew. */
function standing({ server }: Scene, ...answers: { refresh_token?: string | undefined }[]): unknown[] {
  return [server.stats.revocations, ...answers.map(({ refresh_token = "" }) => !!server.grants.exchange(refresh_token).response)];
}

describe("a sign-in over the session of another user", () => {
  it("R92 revokes the refresh token of the former user, once for all tabs, and not the new one", async () => {
    const stage = revoking();
    const [ada, grace] = [stage.server.signIn("ada"), stage.server.signIn("grace")];
    const app = await stage.signedIn({}, ada);
    await stage.open();
    await signIn(stage, await stage.open(), grace);
    expect(app.count("user-changed")).toBe(1);
    expect(standing(stage, ada, grace)).toEqual([1, false, true]);
  });

  it("R92 revokes what the ledger has, where the page was not restored yet, or has slept through a renewal", async () => {
    const stage = revoking({ server: { rotates: true } });
    const app = await stage.signedIn();
    const sleeper = await stage.open();
    sleeper.tab.freeze();
    await stage.clock.until(app.session.refresh());
    app.tab.close();
    sleeper.tab.thaw();
    await stage.clock.until(stage.start().session.signIn(stage.server.signIn("grace")));
    await stage.clock.advance(SECOND);
    expect(stage.server.stats.revocations).toBe(1);
  });

  it("R92 signs in although the revocation fails, or the network is down", async () => {
    const stage = revoking();
    const app = await stage.signedIn();
    stage.world.network.offline = true;
    await signIn(stage, app, stage.server.signIn("grace"));
    expect([app.status(), app.events(), app.tab.reports]).toEqual(["signed-in", ["signed-in", "user-changed"], []]);
  });

  it("R92 revokes also where storage hangs", async () => {
    const stage = revoking({ shares: true });
    const [ada, grace] = [stage.server.signIn("ada"), stage.server.signIn("grace")];
    const app = await stage.signedIn({}, ada);
    stage.world.stores.trouble = () => "hanging";
    await signIn(stage, app, grace, 5 * SECOND);
    stage.world.stores.trouble = () => "none";
    await stage.clock.advance(SECOND);
    expect(standing(stage, ada, grace)).toEqual([1, false, true]);
  });

  const jwt = (claims: Record<string, unknown>) => ({ access_token: makeJwt(claims), refresh_token: "r" });
  const idToken = (claims: Record<string, unknown>) => ({ access_token: "opaque", refresh_token: "r", id_token: makeJwt(claims) });

  it.each([
    ["id tokens beside opaque access tokens", idToken({ sub: "ada" }), idToken({ sub: "grace" })],
    ["access tokens alone, with numbers", jwt({ sub: 1 }), jwt({ sub: 2 })],
  ])("R92 knows the users by %s", async (_, before, after) => {
    const stage = revoking();
    const app = await stage.signedIn({}, before as never);
    await signIn(stage, app, after);
    expect(stage.server.stats.revocations).toBe(1);
  });

  it.each([
    ["the same user signs in again", jwt({ sub: "ada" }), jwt({ sub: "ada" })],
    ["the same user signs in, whose subject is a number once", jwt({ sub: 1 }), jwt({ sub: "1" })],
    ["the same user signs in, whose large subject is a number once", jwt({ sub: 2 ** 53 }), jwt({ sub: "9007199254740993" })],
    ["the same user signs in by another client", jwt({ sub: "ada", client_id: "spa" }), jwt({ sub: "ada", client_id: "app" })],
    ["a client signs in, and no token names a subject", jwt({ client_id: "spa" }), jwt({ client_id: "app" })],
    ["the former token names no subject", jwt({}), jwt({ sub: "grace" })],
    ["the new token names no subject", jwt({ sub: "ada" }), jwt({})],
    ["the tokens are opaque", { access_token: "a", refresh_token: "r" }, { access_token: "b", refresh_token: "s" }],
    ["tokens of two kinds name a user differently", jwt({ sub: "ada@api" }), idToken({ sub: "ada@client" })],
    [
      "the id tokens name the same user",
      { ...idToken({ sub: "ada" }), ...jwt({ sub: "1 in session 1" }) },
      { ...idToken({ sub: "ada" }), ...jwt({ sub: "1 in session 2" }) },
    ],
  ])("R92 revokes nothing where %s", async (_, before, after) => {
    const stage = revoking();
    const app = await stage.signedIn({}, before as never);
    await signIn(stage, app, after);
    expect([stage.server.stats.revocations, app.status()]).toEqual([0, "signed-in"]);
  });

  it("R92 revokes nothing where the app says that claims are not to be read", async () => {
    const stage = revoking({ session: { readClaims: false } });
    const app = await stage.signedIn();
    await signIn(stage, app, stage.server.signIn("grace"));
    expect(stage.server.stats.revocations).toBe(0);
  });

  it("R92 revokes nothing where nobody was signed in, or the session had ended", async () => {
    const stage = revoking();
    const app = await stage.signedIn();
    stage.server.grants.revoke("ada");
    await stage.clock.advance(2 * HOUR);
    expect(app.status()).toBe("signed-out: rejected");
    await signIn(stage, app, stage.server.signIn("grace"));
    expect(stage.server.stats.revocations).toBe(0);
  });

  it("R92 revokes once where the former user has signed out", async () => {
    const stage = revoking();
    const app = await stage.signedIn();
    await stage.clock.until(app.session.signOut());
    await signIn(stage, app, stage.server.signIn("grace"));
    expect(stage.server.stats.revocations).toBe(1);
  });
});

describe("a sign-in over the session of another user, where a cookie says whose session it is", () => {
  const ways: [string, SessionOptions["refresh"], (token: string) => object][] = [
    ["a refresh cookie", cookie({ url: `${API}/renew`, signOutUrl: LOGOUT }), (accessToken) => ({ accessToken })],
    [
      "a refresh cookie, and a refresh token in the answer as well",
      cookie({ url: `${API}/renew`, signOutUrl: LOGOUT }),
      (accessToken) => ({ accessToken, refreshToken: "r" }),
    ],
    [
      "the access token in a cookie",
      tokenPair({ url: `${API}/renew`, signOutUrl: LOGOUT, accessTokenField: null, credentials: "include" }),
      (idToken) => ({ idToken, refreshToken: "r" }),
    ],
  ];

  it.each(ways)("R92 %s: nothing is sent, since the cookie is the new user's", async (_, refresh, tokens) => {
    const stage = scene({ session: { refresh } });
    stage.server.apiAnswer = () => json(200, {});
    const app = await stage.signedIn({}, tokens(makeJwt({ sub: "ada" })) as never);
    await signIn(stage, app, tokens(makeJwt({ sub: "grace" })));
    expect([app.count("user-changed"), stage.server.apiCalls]).toEqual([1, []]);
  });

  it("R92 a token pair: the sign-out address gets the former user's tokens", async () => {
    const stage = scene({ session: { refresh: tokenPair({ url: `${API}/renew`, signOutUrl: LOGOUT }) } });
    stage.server.apiAnswer = () => json(200, {});
    const accessToken = makeJwt({ sub: "ada" });
    const app = await stage.signedIn({}, { accessToken, refreshToken: "ada's" } as never);
    await signIn(stage, app, { accessToken: makeJwt({ sub: "grace" }), refreshToken: "grace's" });
    const bodies = stage.server.apiCalls.map(({ url, body }) => [url, JSON.parse(new TextDecoder().decode(body as Uint8Array))]);
    expect(bodies).toEqual([[LOGOUT, { accessToken, refreshToken: "ada's" }]]);
  });
});

describe("a sign-in over the session of another user, in memory mode", () => {
  async function twoTabs(shareAccessToken = true, message?: () => number) {
    const stage = revoking({
      shares: shareAccessToken,
      session: { persist: memory({ shareAccessToken }) },
      ...(message && { world: { delays: { message } } }),
    });
    const [ada, grace] = [stage.server.signIn("ada"), stage.server.signIn("grace")];
    const holder = await stage.signedIn({}, ada);
    return { stage, ada, grace, holder, other: await stage.open() };
  }

  it("R92 in another tab: the tab that holds the former refresh token revokes it", async () => {
    const { stage, ada, grace, other } = await twoTabs();
    await signIn(stage, other, grace);
    expect(standing(stage, ada, grace)).toEqual([1, false, true]);
  });

  it("R92 also where that tab reads the ledger before the message with the token comes", async () => {
    const { stage, ada, grace, holder, other } = await twoTabs(true, () => 400);
    await stage.clock.until(other.session.signIn(grace));
    holder.tab.signal("wake");
    await stage.clock.advance(5 * SECOND);
    expect(standing(stage, ada, grace)).toEqual([1, false, true]);
  });

  it("R92 in the tab that holds it: this tab alone revokes it", async () => {
    const { stage, ada, grace, holder } = await twoTabs();
    await signIn(stage, holder, grace);
    expect(standing(stage, ada, grace)).toEqual([1, false, true]);
  });

  it("R92 by the same user in another tab: nothing is revoked", async () => {
    const { stage, ada, other } = await twoTabs();
    await signIn(stage, other, stage.server.signIn("ada"));
    expect(standing(stage, ada)).toEqual([0, true]);
  });

  it("R92 in another tab that does not share its token: nothing is known of the user, and nothing is revoked", async () => {
    const { stage, ada, grace, other } = await twoTabs(false);
    await signIn(stage, other, grace);
    expect(standing(stage, ada)).toEqual([0, true]);
  });

  it("R92 a sign-out after it revokes the token of the new user", async () => {
    const { stage, ada, grace, other } = await twoTabs();
    await signIn(stage, other, grace);
    await stage.clock.until(other.session.signOut());
    await stage.clock.advance(SECOND);
    expect(standing(stage, ada, grace)).toEqual([2, false, false]);
  });
});
