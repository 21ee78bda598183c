import axios from "axios";
import { describe, expect, it } from "vitest";
import { type AttachOptions, attachSession, throughSession } from "../../src/axios.js";
import {
  audiences,
  autorefresh,
  byCode,
  cookie,
  cookieSignIn,
  createSession,
  dpop,
  idleLimit,
  isSessionError,
  maxAge,
  memory,
  oauth2,
  renewalHeader,
  SessionError,
  sliding,
  tokenPair,
} from "../../src/index.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { TokenServer } from "../../src/testing/token-server.js";
import { World } from "../../src/testing/world.js";
import type { Session, SessionOptions } from "../../src/types/index.js";
import type { App } from "../support/app.js";
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
  ["persist", { persist: "memory" }],
  ["maxAge", { maxAge: HOUR }],
  ["cookieSignIn", { cookieSignIn: true }],
  ["idle", { idle: maxAge(HOUR) }],
  ["maxAge", { maxAge: idleLimit({ after: HOUR }) }],
  ["persist", { persist: dpop() }],
  ["dpop", { dpop: memory() }],
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
    const create = () => createSession({ name: "app", refresh, environment, ...option } as unknown as SessionOptions);
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

  const url = "/refresh";
  const client = { tokenEndpoint: "/token", clientId: "spa" };
  const session = (options: object) => createSession({ name: "app", refresh, environment: new World().tab().environment, ...options });
  const ways: [string, (options: object) => unknown, string][] = [
    ["createSession", session, "refresh, name, expiryClaim, allowedOrigins, volatileClaims, persist, readClaims"],
    ["oauth2", (options) => oauth2({ ...client, ...options }), "tokenEndpoint, issuer, clientId, scope, parameters"],
    ["cookie", (options) => cookie({ url, ...options }), "url, method, headers, credentials, accessTokenField, expiresInField"],
    ["tokenPair", (options) => tokenPair({ url, ...options }), "url, method, headers, credentials, accessTokenField, expiresInField"],
    ["sliding", (options) => sliding({ url, ...options }), "url, method, headers, credentials, accessTokenField, expiresInField"],
    ["idleLimit", (options) => idleLimit({ after: HOUR, ...options }), "after, warnBefore"],
    ['audiences: "https://a.test"', (options) => audiences({ "https://a.test": { ...options } }), "origins, parameters"],
    ["memory", (options) => memory(options), "shareAccessToken"],
    ["byCode", (options) => byCode({ refresh: [], ...options }), "refresh, signOut, field, header"],
    ["autorefresh", (options) => autorefresh({ refresh, ...options }), "refresh, leadSeconds, environment"],
    ["attachSession", (options) => attachSession(axios.create(), session({}), options as AttachOptions), "onResend"],
    ["the server", (options) => new TokenServer(options), "accessSeconds, format, rotates, grace"],
  ];

  it.each(ways)("R74 %s lists its options when it is given one that does not exist", (way, create, list) => {
    // What every object inherits is no option, either.
    for (const name of ["refesh", "Url", "toString", "constructor", "__proto__x", ""]) {
      expect(() => create({ [name]: "x" })).toThrow(TypeError);
      expect(() => create({ [name]: null })).toThrow(`${way}: no option ${name}; there ${way === "attachSession" ? "is" : "are"} ${list}`);
    }
    // Members that are undefined are none, nor are symbols and what an object inherits: an instance has methods.
    create(Object.assign(Object.create({ inherited: 1 }), { refesh: undefined, [Symbol("own")]: 1 }));
  });

  it("R74 an option of another way is none of this one", () => {
    expect(() => sliding({ url, refreshTokenField: "r" } as never)).toThrow("sliding: no option refreshTokenField");
    expect(() => cookie({ url, body: () => "" } as never)).toThrow("cookie: no option body");
    expect(() => tokenPair({ url, csrf: {} } as never)).toThrow("tokenPair: no option csrf");
    expect(() => session({ tokenEndpoint: "/token" })).toThrow("createSession: no option tokenEndpoint");
    expect(() => session({ strategy: {} })).toThrow("createSession: no option strategy");
  });

  it("R74 what csrf does not know is told", () => {
    const csrf = { header: "x", cookie: "c", prefix: "p" };
    expect(() => cookie({ url, csrf })).toThrow(new TypeError("cookie: csrf: no option prefix; there are header, cookie, value"));
    cookie({ url, csrf: { header: "x", value: () => "v", cookie: undefined } as never });
  });

  it("R75 an audience that is no object, or whose origins are no array, is told so", () => {
    const message = (options: object) => {
      try {
        audiences(options as never);
      } catch (error) {
        return error instanceof TypeError && error.message;
      }
    };
    expect(message({ x: undefined })).toBe('audiences: "x" must be an object, such as {}; it is undefined');
    expect(message({ x: "https://x.test" })).toBe('audiences: "x" must be an object, such as {}; it is "https://x.test"');
    for (const origins of ["https://x.test", null, {}])
      expect(message({ x: { origins } })).toMatch(/^audiences: origins of "x" must be an array of strings; it is /);
    expect(message({ x: { origins: ["https://x.test/y/.."] } })).toMatch(/^audiences: origins of "x" must be origins such as /);
  });

  it("attachSession and throughSession say what they are to be given", () => {
    const app = session({}) as Session;
    const client = axios.create();
    const expected = /^attachSession: the arguments must be an instance of axios, and a session$/;
    for (const [one, other] of [[app, client], [client], [undefined, app], [client, {}]] as never[][])
      expect(() => attachSession(one as never, other as never)).toThrow(expected);
    for (const wrong of [undefined, client, {}]) expect(() => throughSession(wrong as never)).toThrow(/^throughSession: session must be /);
  });

  it("R74 every option there is, is taken", () => {
    const fields = { method: "PUT", headers: {}, credentials: "include", accessTokenField: "a", expiresInField: "e" } as const;
    const exchange = { url, ...fields, signOutUrl: "/out", answer: () => undefined };
    cookie({ ...exchange, refreshTokenField: "r", csrf: { header: "x", cookie: "c" } });
    tokenPair({ ...exchange, refreshTokenField: "r", body: () => "" });
    sliding({ ...exchange, every: HOUR });
    oauth2({ ...client, scope: "s", parameters: {}, revocationEndpoint: "/revoke", answer: () => undefined });
    oauth2({ issuer: "https://auth.example.test", clientId: "spa" });
    const flags = { renewOnOpen: false, renewWhileHidden: true, readClaims: true };
    const durations = {
      lead: MINUTE,
      jitter: SECOND,
      refreshTimeout: SECOND,
      takeoverAfter: MINUTE,
      reuseGrace: SECOND,
      maxAge: maxAge(HOUR),
    };
    const features = { idle: idleLimit({ after: HOUR, warnBefore: MINUTE }), audiences: audiences({ a: { origins: [], parameters: {} } }) };
    const words = {
      expiryClaim: "exp",
      renewalHeader: renewalHeader("x"),
      persist: memory({ shareAccessToken: true }),
      cookieSignIn: cookieSignIn(),
      allowedOrigins: [],
      classify: () => "ok",
      debug: () => {},
    };
    session({ ...flags, ...durations, ...features, ...words }).dispose();
  });

  it.each<[string, () => unknown]>([
    ["memory", () => memory(false as never)],
    ["dpop", () => dpop(true as never)],
    ["idleLimit", () => idleLimit(undefined as never)],
    ["byCode", () => byCode("401" as never)],
  ])("R74 %s names what it takes when it gets no object", (way, make) => {
    expect(make).toThrow(new RegExp(`^${way}: expected an object with \\w+, .*|^${way}: expected an object with \\w+; it is`));
  });

  it("R74 getToken rejects with the list, and refreshes nothing", async () => {
    const stage = scene();
    const app = await stage.signedIn({ audiences: audiences({ crm: { origins: [] } }) });
    for (const audience of [undefined, "crm"]) {
      const refused = app.session.getToken({ minValidty: MINUTE, audience } as never);
      await expect(refused).rejects.toThrow(new TypeError("getToken: no option minValidty; there are minValidity, audience, signal"));
    }
    expect(await stage.clock.until(app.session.getToken({ signal: undefined as never }))).not.toBeNull();
    expect(stage.server.stats.attempts).toBe(0);
  });

  const told = (app: App) => app.tab.reports.map(({ message }) => message);
  const looks = (option: string) => `${option} is in milliseconds, and looks like seconds`;
  const slides = (every: number) => ({ refresh: sliding({ url, every }) });
  it.each<[string, Partial<SessionOptions>]>([
    ["maxAge", { maxAge: maxAge(3_600) }],
    ["maxAge", { maxAge: maxAge(86_400) }],
    ["maxAge", { maxAge: maxAge(900) }],
    ["refreshTimeout", { refreshTimeout: 10 }],
    ["refreshTimeout", { refreshTimeout: 10, takeoverAfter: 30 }],
    ["reuseGrace", { reuseGrace: 30 }],
    ["reuseGrace", { reuseGrace: 300 }],
    ["lead", { lead: 60 }],
    ["lead", { lead: () => 120 }],
    ["jitter", { lead: MINUTE, jitter: 30 }],
    ["jitter", { jitter: () => 30 }],
    ["after", { idle: idleLimit({ after: 900, warnBefore: 0 }) }],
    ["after", { idle: idleLimit({ after: 7_200 }) }],
    ["warnBefore", { idle: idleLimit({ after: 2 * HOUR, warnBefore: 60 }) }],
    ["every", slides(3_600)],
    ["every", slides(60)],
    ["maxAge", { maxAge: maxAge(36_000) }],
    ["maxAge", { maxAge: maxAge(259_200) }],
    ["maxAge", { maxAge: maxAge(30 * 86_400) }],
    ["after", { idle: idleLimit({ after: 180 }) }],
    ["after", { idle: idleLimit({ after: 30 }) }],
  ])("R74 a %s that can only be seconds is said once a session: %j", async (option, options) => {
    const stage = scene();
    const app = await stage.signedIn(options);
    await stage.clock.advance(HOUR);
    await stage.outcome(app.session.signIn(stage.server.signIn()), 30_000);
    await stage.clock.advance(HOUR);
    expect(told(app)).toEqual([looks(option)]);
  });

  it("R74 a minValidity that can only be seconds is said once a session, whatever its value", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    for (const minValidity of [30, 60, 300]) await stage.clock.until(app.session.getToken({ minValidity }));
    expect(told(app)).toEqual([looks("minValidity")]);
  });

  it.each<[Partial<SessionOptions>]>([
    [{ maxAge: maxAge(10 * SECOND), refreshTimeout: 100, reuseGrace: SECOND, lead: 1_500, jitter: 500 }],
    [{ maxAge: maxAge(100_001), reuseGrace: 0, lead: 0, jitter: 0, takeoverAfter: 10_001 }],
    [{ idle: idleLimit({ after: 4 * SECOND, warnBefore: 1_500 }) }],
    [{ idle: idleLimit({ after: SECOND }) }],
    [{ idle: idleLimit({ after: 15 * MINUTE, warnBefore: 0 }) }],
    [slides(5 * SECOND)],
    [{ maxAge: maxAge(90_500), reuseGrace: 500, idle: idleLimit({ after: 65_536 }) }],
    [{ maxAge: maxAge(90 * SECOND), reuseGrace: 1_500, idle: idleLimit({ after: 3 * SECOND }) }],
    [{ maxAge: maxAge(12 * HOUR), reuseGrace: 250, idle: idleLimit({ after: 30 * MINUTE }) }],
    [{ maxAge: maxAge(Infinity), idle: idleLimit({ after: 45 * SECOND }) }],
    [{ idle: idleLimit({ after: SECOND, warnBefore: 100 }) }],
  ])("R74 short durations that make sense are not commented on: %j", async (options) => {
    const stage = scene();
    const app = await stage.signedIn(options);
    await stage.outcome(app.session.getToken({ minValidity: 0 }));
    await stage.outcome(app.session.getToken({ minValidity: SECOND }));
    await stage.clock.advance(MINUTE);
    expect(told(app)).toEqual([]);
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
  it.each([null, "", {}, { error: "invalid_grant" }, { access_token: "" }, { access_token: 5 }])(
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
