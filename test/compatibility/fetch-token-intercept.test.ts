import { describe, expect, it } from "vitest";
import { cookie, createSession } from "../../src/index.js";
import { json } from "../../src/testing/reply.js";
import type { Session } from "../../src/types/index.js";
import { scene, strategy } from "../support/scene.js";

/** What is not seen under its number in test/scenarios. */
describe("fetch-token-intercept's behaviour", () => {
  it.each([
    ["F23 in the background", false],
    ["F24 waited for", true],
  ])("a header asks for an early refresh, %s: 200, sent once, since what succeeded is not sent again", async (_, waits) => {
    const stage = scene();
    let session: Session | undefined;
    const app = await stage.signedIn({
      async classify({ response }) {
        const early = response?.headers.has("x-refresh") ? session?.refresh() : undefined;
        if (waits) await early;
        return "ok" as const;
      },
    });
    session = app.session;
    stage.server.apiAnswer = () => json(200, {}, { "x-refresh": "1" });
    expect(await stage.call(app)).toBe(200);
    if (waits) expect(stage.server.stats.refreshes).toBe(1);
    await stage.clock.advance(100);
    expect([stage.server.stats.refreshes, stage.server.apiCalls.length]).toEqual([1, 1]);
  });

  it("F7 F12 signing out empties: nothing can be read back, and requests go through plainly", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.until(app.session.signOut());
    expect([app.bare.peekToken(), app.bare.getSnapshot().claims, await stage.call(app)]).toEqual([null, null, 401]);
    expect(stage.server.apiCalls[0]?.bearer).toBe("none");
  });

  it("F3 F4 a setting that is wrong: a clear error that names it; only `refresh` is required here, the others have defaults", () => {
    expect(() => createSession({ refresh: strategy(), allowedOrigins: "https://api.example.test" } as never)).toThrow(/allowedOrigins/);
    expect(() => createSession({ refresh: strategy(), classify: "401" } as never)).toThrow(/classify/);
  });

  it("F8 disposing restores: nothing global was ever replaced, and the page's own fetch goes on as before", async () => {
    const before = globalThis.fetch;
    const stage = scene();
    const app = await stage.signedIn();
    expect(globalThis.fetch).toBe(before);
    app.bare.dispose();
    expect(globalThis.fetch).toBe(before);
    await expect(app.session.fetch("https://api.example.test/me")).rejects.toMatchObject({ code: "disposed" });
  });

  it("F9 F10 F11 the access token can be read back, and the refresh token cannot: it is nobody's business but the strategy's", async () => {
    const stage = scene();
    const tokens = stage.server.signIn();
    const app = await stage.signedIn({}, tokens);
    expect([
      app.bare.peekToken() === tokens.access_token,
      (await stage.clock.until(app.session.getToken())) === tokens.access_token,
    ]).toEqual([true, true]);
    expect(Object.keys(app.bare).filter((name) => /refreshtoken/i.test(name))).toEqual([]);
    expect(JSON.stringify(app.bare.getSnapshot()).includes(tokens.refresh_token ?? "")).toBe(false);
  });

  it("F13 F14 200 and a 401 that stays both resolve; F29 what looks at answers sees each of them once", async () => {
    const stage = scene();
    const seen: (number | undefined)[] = [];
    const app = await stage.signedIn({
      classify: ({ response }) => {
        seen.push(response?.status);
        return response?.status === 401 ? "refresh" : "ok";
      },
    });
    expect(await stage.call(app)).toBe(200);
    stage.server.apiAnswer = () => json(401, {});
    expect(await stage.call(app)).toBe(401);
    expect(seen, "also the answer to what was sent again, which is passed on").toEqual([200, 401, 401]);
  });

  it.each(["https://api.example.test/me", "https://elsewhere.test/"])("F15 F16 a network error at %s rejects", async (url) => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => "lost";
    await expect(stage.clock.until(app.session.fetch(url))).rejects.toThrow(TypeError);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("F19 no access token but a refresh credential: a refresh first, then 200", async () => {
    const stage = scene();
    let asked = 0;
    const app = await stage.open({
      refresh: cookie({
        url: "https://auth.example.test/token",
        answer: () => {
          asked += 1;
          return undefined;
        },
      }),
    });
    stage.server.faults.push({ processed: false, instead: json(200, stage.server.signIn()) });
    await stage.clock.until(app.session.signIn());
    expect([await stage.call(app), asked]).toEqual([200, 1]);
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual([1]);
  });

  it.each([
    ["F33 with the scheme in front", "Bearer x"],
    ["F34 malformed", "two words"],
  ])("a token %s is an error at the sign-in, and not sent; theirs parses it", async (_, token) => {
    const stage = scene();
    const app = await stage.open();
    expect(await stage.outcome(app.session.signIn(token))).toBe("invalid-response");
    expect(await stage.outcome(app.session.signIn(""))).toBe("invalid-response");
    expect(app.status()).toBe("signed-out");
  });
});
