import { describe, expect, it } from "vitest";
import { createSession, isSessionError, oauth2, SessionError } from "../../src/index.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { World } from "../../src/testing/world.js";
import type { SessionOptions } from "../../src/types.js";
import { HOUR, MINUTE, SECOND, scene, strategy } from "../support/scene.js";

const refresh = () => "token";
const wrong: [string, Record<string, unknown>][] = [
  ["refresh", { refresh: undefined }],
  ["refresh", { refresh: "https://auth.example.test/token" }],
  ["refresh", { refresh: {} }],
  ["name", { name: 7 }],
  ["name", { name: "" }],
  ["allowedOrigins", { allowedOrigins: ["not an origin"] }],
  ["allowedOrigins", { allowedOrigins: ["api.example.com"] }],
  ["allowedOrigins", { allowedOrigins: "https://api.example.com" }],
  ["allowedOrigins", { allowedOrigins: ["data:text/plain,x"] }],
  ["allowedOrigins", { allowedOrigins: [7] }],
  ["persist", { persist: "localStorage" }],
  ["shareAccessToken", { shareAccessToken: "no" }],
  ["lead", { lead: -1 }],
  ["lead", { lead: Number.NaN }],
  ["lead", { lead: Number.POSITIVE_INFINITY }],
  ["lead", { lead: "60s" }],
  ["jitter", { jitter: -1 }],
  ["jitter", { jitter: Number.NaN }],
  ["refreshTimeout", { refreshTimeout: 0 }],
  ["refreshTimeout", { refreshTimeout: -5 }],
  ["refreshTimeout", { refreshTimeout: 300_001 }],
  ["refreshTimeout", { refreshTimeout: Number.NaN }],
  ["takeoverAfter", { takeoverAfter: 5_000 }],
  ["takeoverAfter", { refreshTimeout: 20_000, takeoverAfter: 20_000 }],
  ["reuseGrace", { reuseGrace: -1 }],
  ["reuseGrace", { reuseGrace: Number.POSITIVE_INFINITY }],
  ["classify", { classify: "refresh" }],
  ["debug", { debug: true }],
  ["readClaims", { readClaims: "yes" }],
];

describe("options", () => {
  it.each(wrong)("J2 J3 J7 A30 F1 a wrong %s is a TypeError that names it: %j", (name, option) => {
    const environment = new World().tab().environment;
    const create = () => createSession({ refresh, environment, ...option } as unknown as SessionOptions);
    expect(create).toThrow(TypeError);
    expect(create).toThrow(new RegExp(name));
  });

  it("J2 no options at all, and an option that does not exist", () => {
    expect(() => createSession(undefined as unknown as SessionOptions)).toThrow(TypeError);
    expect(() => createSession({} as unknown as SessionOptions)).toThrow(/refresh/);
  });

  it.each([
    {},
    { tokenEndpoint: "not a url", clientId: "a" },
    { tokenEndpoint: "https://auth.example.test/token" },
    { tokenEndpoint: "https://auth.example.test/token", clientId: 7 },
    { tokenEndpoint: "//evil.example.test/token", clientId: "spa" },
  ])("F2 oauth2 with %j is a TypeError", (options) => {
    expect(() => oauth2(options as unknown as Parameters<typeof oauth2>[0])).toThrow(TypeError);
  });

  it("a lead under a second for a long token warns once that durations are milliseconds", async () => {
    const stage = scene({ session: { lead: 60 } });
    const app = await stage.signedIn();
    await stage.clock.advance(3 * HOUR);
    expect(app.tab.reports).toHaveLength(1);
    expect(app.tab.reports[0]?.message).toMatch(/millisecond/);
  });

  it.each([
    ["returns nonsense", () => -5],
    ["returns NaN", () => Number.NaN],
    [
      "throws",
      () => {
        throw new Error("own bug");
      },
    ],
  ])("J7 a lead function that %s warns, and the session is renewed all the same", async (_, lead) => {
    const stage = scene({ session: { lead } });
    const app = await stage.signedIn();
    await stage.clock.advance(2 * HOUR);
    expect([app.status(), app.tab.reports.length]).toEqual(["signed-in", 1]);
    expect(stage.server.stats.refreshes).toBe(2);
  });
});

describe("what is signed in with", () => {
  it.each([undefined, null, "", {}, { error: "invalid_grant" }, { access_token: "" }, { access_token: 5 }])(
    "%j is refused as invalid-response, and changes nothing",
    async (tokens) => {
      const stage = scene();
      const app = await stage.open();
      const error = await stage.clock.until(app.session.signIn(tokens as unknown as string).catch((reason: unknown) => reason));
      expect(error).toMatchObject({ code: "invalid-response" });
      expect([app.status(), app.events()]).toEqual(["signed-out", []]);
    },
  );

  it("a DPoP token is refused with a code of its own, and never sent as a bearer", async () => {
    const stage = scene();
    const app = await stage.open();
    expect(await stage.outcome(app.session.signIn({ ...stage.server.signIn(), token_type: "DPoP" }))).toBe("unsupported-token-type");
    expect([app.status(), await stage.call(app)]).toEqual(["signed-out", 401]);
    expect(stage.server.apiCalls[0]?.bearer).toBe("none");
  });

  it("a bad sign-in does not lose the good session there is", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    expect(await stage.outcome(app.session.signIn({ access_token: "" }))).toBe("invalid-response");
    expect([app.status(), await stage.call(app)]).toEqual(["signed-in", 200]);
  });

  it("R17 a token that is no JWT, without expires_in, is signed in and never renewed by itself", async () => {
    const stage = scene();
    const app = await stage.signedIn({}, { access_token: "opaque" });
    await stage.clock.advance(HOUR);
    expect(app.bare.getSnapshot()).toMatchObject({ status: "signed-in", expiresAt: null, claims: null });
  });

  it("J8 a token that expires before it is valid is refused with a clear error", async () => {
    const stage = scene();
    const app = await stage.open();
    const now = stage.clock.now() / 1000;
    const accessToken = makeJwt({ sub: "ada", iat: now, nbf: now + 200, exp: now + 100 });
    expect(await stage.outcome(app.session.signIn({ accessToken }))).toBe("invalid-response");
    expect(app.status()).toBe("signed-out");
  });

  it("R17 a token whose instants make no sense causes no loop", async () => {
    const stage = scene();
    const app = await stage.open();
    const now = stage.clock.now() / 1000;
    for (const instants of [
      { iat: now - 200, exp: now - 100 },
      { iat: now + 100, exp: now },
      { exp: 1e300 },
      { exp: -5 },
      { exp: "soon", iat: {} },
    ]) {
      await stage.outcome(app.session.signIn({ access_token: makeJwt({ sub: "ada", ...instants }), refresh_token: "unknown" }));
      await stage.clock.advance(MINUTE);
    }
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(5);
  });
});

describe("minValidity", () => {
  it.each([Number.NaN, -1, "60s"])("%s is a TypeError that names it, and refreshes nothing", async (minValidity) => {
    const stage = scene();
    const app = await stage.signedIn();
    const refused = app.session.getToken({ minValidity: minValidity as number }).catch((error: unknown) => error);
    expect(await stage.clock.until(refused)).toMatchObject({
      name: "TypeError",
      message: expect.stringContaining("minValidity") as string,
    });
    await stage.clock.advance(5 * SECOND);
    expect(stage.server.stats.attempts).toBe(0);
  });
});

describe("errors", () => {
  it("R39 are recognised across copies of the package", () => {
    expect(isSessionError(new SessionError("network", "no"))).toBe(true);
    class SessionErrorOfAnotherCopy extends Error {
      override name = "SessionError";
      code = "network";
    }
    expect([
      isSessionError(new SessionErrorOfAnotherCopy()),
      isSessionError(new Error("no")),
      isSessionError({ name: "SessionError", code: "x" }),
    ]).toEqual([true, false, false]);
  });

  it("R36 importing and creating in Node with nothing of a browser throws nothing and shares nothing", async () => {
    const session = createSession({ refresh: strategy() });
    await session.ready;
    expect([session.getSnapshot().status, await session.getToken(), session.peekToken()]).toEqual(["signed-out", null, null]);
    session.dispose();
  });
});
