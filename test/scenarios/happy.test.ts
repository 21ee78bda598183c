import { describe, expect, it } from "vitest";
import { fixed } from "../../src/testing/chance.js";
import { API } from "../../src/testing/token-server.js";
import { HOUR, MINUTE, scene } from "../support/scene.js";

describe("a session from sign-in to sign-out, over HTTP", () => {
  it("F6 F22 signs in, sends the bearer, renews ahead of expiry without a word, and signs out", async () => {
    const stage = scene({ http: true, world: { chance: fixed(0.5) } });
    const app = await stage.open();
    expect(app.status()).toBe("signed-out");
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    expect(app.status()).toBe("signed-in");
    expect(app.bare.getSnapshot().claims).toMatchObject({ sub: "ada" });
    for (let quarter = 0; quarter < 16; quarter += 1) {
      expect(await stage.call(app)).toBe(200);
      await stage.clock.advance(15 * MINUTE);
    }
    expect(stage.server.stats).toMatchObject({ reused: 0, apiUnauthorized: 0, maximumInFlight: 1 });
    // With chance in the middle: after 44 % of the first hour, then after 87.5 % of each.
    expect(stage.server.stats.refreshes).toBe(5);
    expect(app.count("refreshed")).toBe(5);
    await stage.clock.until(app.session.signOut());
    expect([app.status(), app.bare.peekToken(), await stage.clock.until(app.session.getToken())]).toEqual(["signed-out: user", null, null]);
    expect(app.events()).toEqual(["signed-in", ...Array.from({ length: 5 }, () => "refreshed"), "signed-out"]);
  });

  it("F20 F21 gets a new token first when it has expired, and then sends the whole body once", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    const body = JSON.stringify({ hello: "wörld" });
    expect(await stage.call(app, "/things", { method: "POST", body, headers: { "content-type": "application/json" } })).toBe(200);
    expect(stage.server.apiCalls).toHaveLength(1);
    expect(new TextDecoder().decode(stage.server.apiCalls[0]?.body)).toBe(body);
    expect(stage.server.stats.refreshes).toBe(1);
  });

  it("resolves getToken to the token, and peekToken without waiting", async () => {
    const stage = scene({ http: true });
    const tokens = stage.server.signIn();
    const app = await stage.signedIn({}, tokens);
    expect(app.bare.peekToken() === tokens.access_token).toBe(true);
    expect((await stage.clock.until(app.session.getToken())) === tokens.access_token).toBe(true);
  });

  it("getToken with minValidity renews a token that does not live that long, at most half of its life", async () => {
    const stage = scene({ session: { lead: 1_000 } });
    const app = await stage.signedIn();
    await stage.clock.advance(20 * MINUTE);
    await stage.clock.until(app.session.getToken({ minValidity: 30 * MINUTE }));
    expect(stage.server.stats.refreshes).toBe(0);
    await stage.clock.advance(15 * MINUTE);
    await stage.clock.until(app.session.getToken({ minValidity: 30 * MINUTE }));
    expect(stage.server.stats.refreshes).toBe(1);
    await stage.clock.until(app.session.getToken({ minValidity: 10 * HOUR }));
    expect(stage.server.stats.refreshes).toBe(1);
  });

  it("refresh() renews on request and says whose work it was", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
    expect(stage.serial(app)).toBe(2);
    expect(app.payloads("refreshed")).toEqual([{ adopted: false, expiresAt: app.bare.getSnapshot().expiresAt }]);
  });

  it("its fetch needs no this, and takes strings, URLs and Requests", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    const { fetch } = app.bare;
    for (const input of [`${API}/a`, new URL(`${API}/b`), new Request(`${API}/c`)]) {
      expect((await stage.clock.until(fetch(input))).status).toBe(200);
    }
  });
});
