import { describe, expect, it } from "vitest";
import { audiences, oauth2 } from "../../src/index.js";
import { maxAge } from "../../src/limits/max-age.js";
import { answers, down, lostAnswer, slow } from "../../src/testing/faults.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { API, TOKEN_ENDPOINT } from "../../src/testing/token-server.js";
import type { RefreshContext } from "../../src/types/index.js";
import type { App } from "../support/app.js";
import { HOUR, kept, MINUTE, type Scene, type SceneOptions, SECOND, scene, strategy } from "../support/scene.js";

const BILLING = "https://billing.example.test";
const FILES = "https://files.example.test";

/** A session with two further audiences, and APIs that take the tokens that are meant for them only. */
function several({ session, ...options }: SceneOptions = {}): Scene {
  const stage = scene({ ...options, session: { audiences: audiences({ [BILLING]: {}, [FILES]: {} }), lead: 5 * MINUTE, ...session } });
  stage.server.apiAnswer = ({ url }, request) => {
    const token = request.headers.get("authorization")?.slice("Bearer ".length) ?? null;
    const { origin } = new URL(url);
    return stage.server.grants.audienceOf(token) === (origin === API ? undefined : origin) ? undefined : (answers(401).instead as never);
  };
  return stage;
}

const billing = (app: App) => app.session.getToken({ audience: BILLING });
const files = (app: App) => app.session.getToken({ audience: FILES });
const fetchFrom = (stage: Scene, app: App, origin: string) =>
  stage.clock.until(app.session.fetch(`${origin}/me`)).then(({ status }) => status);
const pair = async (stage: Scene) => [await stage.signedIn(), await stage.open()] as [App, App];

describe("getToken({ audience })", () => {
  it("R44 ends no session where subjects are pairwise: of the id token for the client, of each access token for its API", async () => {
    const stage = scene({ session: { audiences: audiences({ [BILLING]: {} }) } });
    const pairwise = { access_token: makeJwt({ sub: "of the API" }), id_token: makeJwt({ sub: "of the client" }) };
    const app = await stage.signedIn({}, { ...stage.server.signIn(), ...pairwise });
    for (let count = 0; count < 2; count++) {
      expect(await stage.outcome(app.session.getToken({ audience: BILLING }))).toMatch(/^ey/);
      await stage.clock.sleep(55 * MINUTE);
    }
    expect(app.status()).toBe("signed-in");
  });

  it("gets a token for it once, for all tabs and the next page, and the session's own stays", async () => {
    const stage = several();
    const [app, sibling] = await pair(stage);
    const token = await stage.clock.until(billing(app));
    expect([stage.server.grants.audienceOf(token), stage.serial(app)]).toEqual([BILLING, 1]);
    expect(await stage.clock.until(billing(sibling))).toBe(token);
    app.tab.close();
    sibling.tab.close();
    expect(await stage.clock.until(billing(await stage.open()))).toBe(token);
    expect(stage.server.stats).toMatchObject({ attempts: 1, refreshes: 1 });
  });

  it("R37 is no event of the session's: nothing that is rendered changes", async () => {
    const stage = several();
    const apps = await pair(stage);
    const before = apps.map((app) => app.bare.getSnapshot());
    await stage.clock.until(Promise.all(apps.flatMap((app) => [billing(app), files(app)])));
    await stage.clock.advance(SECOND);
    expect(apps.map((app) => app.bare.getSnapshot())).toEqual(before);
    expect(apps.map((app) => app.events())).toEqual([["signed-in"], ["signed-in"]]);
  });

  it("R8 touches no storage, lock or network while its token is fresh", async () => {
    const stage = several();
    const app = await stage.signedIn();
    await stage.clock.until(billing(app));
    const { transactions } = stage.world.stores;
    for (let call = 0; call < 5; call++) await stage.clock.until(billing(app));
    await fetchFrom(stage, app, BILLING);
    expect([stage.world.stores.transactions, stage.server.stats.attempts]).toEqual([transactions, 1]);
  });

  it("R14 is renewed ahead of expiry by a call that uses it, which does not wait", async () => {
    const stage = several();
    const app = await stage.signedIn();
    const first = await stage.clock.until(billing(app));
    await stage.clock.advance(56 * MINUTE);
    const { attempts } = stage.server.stats;
    expect(await stage.clock.until(billing(app), 1)).toBe(first);
    await stage.clock.advance(SECOND);
    expect(stage.server.stats.attempts).toBe(attempts + 1);
    expect(await stage.clock.until(billing(app))).not.toBe(first);
  });

  it("is not asked for again by anybody who does not need it", async () => {
    const stage = several();
    const app = await stage.signedIn();
    await stage.clock.until(billing(app));
    await stage.clock.advance(10 * HOUR);
    // Only the session's own, which is renewed ahead of time.
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(12);
    expect(stage.server.grants.audienceOf(await stage.clock.until(billing(app)))).toBe(BILLING);
  });

  it("R42 is null for somebody who is not signed in, and asks nobody", async () => {
    const stage = several();
    const app = await stage.open();
    expect([await stage.clock.until(billing(app)), await fetchFrom(stage, app, BILLING)]).toEqual([null, 401]);
    expect([stage.server.stats.attempts, stage.server.apiCalls.at(-1)?.bearer]).toEqual([0, "none"]);
  });

  it("R25 R38 is never one of a user who has left: not by a sign-out, not by another sign-in, not by a late answer", async () => {
    const stage = several();
    const [app, sibling] = await pair(stage);
    await stage.clock.until(billing(app));
    stage.server.latency = { before: () => 2 * SECOND, after: () => 2 * SECOND };
    const late = app.session.getToken({ audience: FILES }).catch(({ code }: { code: string }) => code);
    await stage.clock.advance(SECOND);
    await stage.clock.until(sibling.session.signIn(stage.server.signIn("bob")));
    await stage.clock.advance(10 * SECOND);
    expect(await late).not.toBe("refreshed");
    for (const one of [app, sibling]) {
      const tokens = [await stage.clock.until(billing(one)), await stage.clock.until(files(one))];
      expect(tokens.map((token) => (stage.server.grants.check(token ?? "") as { subject: string }).subject)).toEqual(["bob", "bob"]);
    }
    await stage.clock.until(sibling.session.signOut());
    await stage.clock.advance(SECOND);
    expect([await stage.clock.until(billing(app)), await stage.clock.until(files(sibling))]).toEqual([null, null]);
  });

  it("R41 is over at the session's limit", async () => {
    const stage = several({ session: { maxAge: maxAge(2 * HOUR) } });
    const app = await stage.signedIn();
    await stage.clock.until(billing(app));
    await stage.clock.sleep(3 * HOUR);
    const { attempts } = stage.server.stats;
    expect([await stage.clock.until(billing(app)), app.status(), stage.server.stats.attempts]).toEqual([
      null,
      "signed-out: max-age",
      attempts,
    ]);
  });
});

describe("one refresh token for several access tokens", () => {
  it.each([
    ["with Web Locks", {}],
    ["without Web Locks", { locks: true }],
    ["without a channel", { channel: true }],
  ] as const)("auth0-spa-js#1684 %s it is sent by one refresh at a time, whichever tab and audience that is for", async (_, lacks) => {
    const stage = several();
    const first = await stage.open({}, { lacks });
    await stage.clock.until(first.session.signIn(stage.server.signIn()));
    const apps = [first, await stage.open({}, { lacks }), await stage.open({}, { lacks })];
    stage.server.latency = { before: () => 300, after: () => 300 };
    for (let round = 0; round < 4; round++) {
      await stage.clock.sleep(2 * HOUR);
      const wanted = apps.flatMap((app) => [billing(app), files(app), app.session.getToken()]);
      const tokens = await stage.clock.until(Promise.all(wanted));
      expect(new Set(tokens).size).toBe(3);
      await stage.clock.advance(5 * SECOND);
    }
    expect(stage.server.stats).toMatchObject({ attempts: 12, refreshes: 12, reused: 0, maximumInFlight: 1 });
  });

  it("R2 the one that came with the last token is what the next refresh sends, though the tab that got it dies as it stores it", async () => {
    const stage = several();
    const [app, sibling] = await pair(stage);
    for (const [doomed, next] of [[app, sibling]] as const) {
      stage.world.stores.onWrite = ({ tab, value }) => {
        const audiences = (value as { tokens?: { audiences?: Record<string, { accessToken?: string }> } }).tokens?.audiences;
        if (tab === doomed.tab.name && audiences?.[BILLING]?.accessToken) doomed.tab.crash();
      };
      void doomed.session.getToken({ audience: BILLING }).catch(() => {});
      await stage.clock.advance(SECOND);
      expect([doomed.tab.dead, stage.server.stats.refreshes]).toEqual([true, 1]);
      expect(await stage.clock.until(next.session.refresh())).toBe("refreshed");
      expect(stage.server.grants.audienceOf(await stage.clock.until(files(next)))).toBe(FILES);
      expect(stage.server.grants.audienceOf(await stage.clock.until(billing(next)))).toBe(BILLING);
    }
    expect(stage.server.stats).toMatchObject({ attempts: 3, reused: 0 });
  });

  it("P1 a tab that dies with an audience's request under way leaves its mark to the session's own refresh, too", async () => {
    const stage = several({ server: { grace: MINUTE } });
    const [app, sibling] = await pair(stage);
    stage.server.faults.push(slow(4 * SECOND));
    void app.session.getToken({ audience: BILLING }).catch(() => {});
    await stage.clock.advance(SECOND);
    app.tab.crash();
    expect(await stage.clock.until(sibling.session.refresh())).toBe("refreshed");
    expect(stage.server.stats).toMatchObject({ attempts: 2, maximumInFlight: 1 });
  });

  it("R11 a page that goes into the back/forward cache lets all that wait for the lock go", async () => {
    const stage = several();
    const [app, sibling] = await pair(stage);
    stage.server.faults.push(slow(4 * SECOND));
    for (const audience of [BILLING, FILES]) void app.session.getToken({ audience }).catch(() => {});
    void app.session.refresh().catch(() => {});
    await stage.clock.advance(100);
    app.tab.enterCache();
    expect(await stage.outcome(sibling.session.getToken({ audience: FILES }))).not.toBe("busy");
    app.tab.leaveCache();
    await stage.clock.advance(MINUTE);
    expect(stage.server.stats).toMatchObject({ maximumInFlight: 1 });
  });

  it("stays where the server does not rotate it", async () => {
    const stage = several({ server: { rotates: false } });
    const app = await stage.signedIn();
    await stage.clock.until(Promise.all([billing(app), files(app)]));
    await stage.clock.advance(2 * HOUR);
    expect([stage.server.stats.rejected, app.status()]).toEqual([0, "signed-in"]);
  });

  it("a renewal of the session's own token keeps those of the audiences", async () => {
    const stage = several();
    const app = await stage.signedIn();
    const token = await stage.clock.until(billing(app));
    await stage.clock.until(app.session.refresh());
    expect([await stage.clock.until(billing(app)), stage.server.stats.attempts]).toEqual([token, 2]);
  });

  it("R6 a takeover: the late answer for an audience is not stored over the session's later one", async () => {
    const stage = several({ server: { grace: HOUR } });
    const [app, sibling] = await pair(stage);
    stage.server.faults.push(slow(2 * SECOND));
    void app.session.getToken({ audience: BILLING }).catch(() => {});
    await stage.clock.advance(SECOND);
    app.tab.freeze();
    for (let tries = 0; tries < 6; tries++) await stage.outcome(sibling.session.refresh());
    const { version } = stage.world.stores.read(stage.world.stores.names()[0] as string) as { version: number };
    app.tab.thaw();
    await stage.clock.advance(5 * SECOND);
    expect(stage.serial(app)).toBe(stage.serial(sibling));
    expect((stage.world.stores.read(stage.world.stores.names()[0] as string) as { version: number }).version).toBeGreaterThanOrEqual(
      version,
    );
    await stage.clock.until(app.session.refresh());
    expect(stage.server.stats.rejected).toBe(0);
  });
});

describe("session.fetch with several audiences", () => {
  it("picks the token by origin, and R32 sends none elsewhere", async () => {
    const stage = several();
    const app = await stage.signedIn();
    expect([await fetchFrom(stage, app, API), await fetchFrom(stage, app, BILLING), await fetchFrom(stage, app, FILES)]).toEqual([
      200, 200, 200,
    ]);
    expect(await fetchFrom(stage, app, `${BILLING}.evil.test`)).toBe(401);
    expect(stage.server.apiCalls.at(-1)?.bearer).toBe("none");
    expect(stage.server.stats.attempts).toBe(2);
  });

  it("R27 R28 renews that audience's token after a 401, once for all calls, and sends them again", async () => {
    const stage = several();
    const [app, sibling] = await pair(stage);
    await stage.clock.until(billing(app));
    await stage.clock.advance(MINUTE);
    stage.server.grants.expireAccessTokens();
    const calls = [app, app, sibling].map((one) => one.session.fetch(`${BILLING}/me`).then(({ status }) => status));
    expect(await stage.clock.until(Promise.all(calls))).toEqual([200, 200, 200]);
    expect(stage.server.stats).toMatchObject({ attempts: 2, apiUnauthorized: 3 });
    const resent = app.debug.filter(({ type }) => type === "request-resent").map(({ audience }) => audience);
    expect(resent).toEqual([BILLING, BILLING]);
  });

  it("ends the session where classify says so of an audience's API", async () => {
    const stage = several({ session: { classify: ({ response }) => (response?.status === 418 ? "sign-out" : "ok") } });
    const [app, sibling] = await pair(stage);
    stage.server.apiAnswer = () => answers(418).instead as never;
    await fetchFrom(stage, app, BILLING);
    await stage.clock.advance(SECOND);
    expect([app.status(), sibling.status()]).toEqual(["signed-out: rejected", "signed-out: rejected"]);
  });
});

describe("an audience's token that is not to be had", () => {
  it("R18 is that audience's failure: the session is not degraded, and its own refresh does not wait", async () => {
    const stage = several();
    const app = await stage.signedIn();
    stage.server.faults.push(down());
    expect(await stage.outcome(billing(app))).toBe("server");
    expect([app.bare.getSnapshot().degraded, app.payloads("refresh-failed").map(({ audience, attempt }) => [audience, attempt])]).toEqual([
      false,
      [[BILLING, 1]],
    ]);
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
    expect(await stage.outcome(files(app))).not.toBe("server");
    await stage.clock.advance(2 * SECOND);
    expect(stage.server.grants.audienceOf(await stage.clock.until(billing(app)))).toBe(BILLING);
  });

  it("is asked for at the pace of failures, however often the app calls", async () => {
    const stage = several();
    const app = await stage.signedIn();
    stage.server.fault = down();
    for (let call = 0; call < 60; call++) {
      await stage.outcome(billing(app));
      await stage.clock.advance(SECOND);
    }
    expect(stage.server.stats.attempts).toBeLessThan(10);
  });

  it("is no end of the session where the server does not give it to this client", async () => {
    const stage = several();
    const app = await stage.signedIn();
    stage.server.faults.push(answers(400, { error: "invalid_target" }));
    expect(await stage.outcome(billing(app))).toBe("configuration");
    expect(await stage.outcome(billing(app))).toBe("configuration");
    expect([app.status(), app.bare.getSnapshot().degraded, stage.server.stats.attempts]).toEqual(["signed-in", false, 1]);
  });

  it("R19 R20 a refusal of the refresh token ends the session, once in every tab", async () => {
    const stage = several();
    const apps = await pair(stage);
    stage.server.grants.revoke("ada");
    expect(await stage.outcome(billing(apps[0]))).toBeNull();
    await stage.clock.advance(SECOND);
    expect(apps.map((app) => [app.status(), app.count("signed-out")])).toEqual([
      ["signed-out: rejected", 1],
      ["signed-out: rejected", 1],
    ]);
  });

  it("R20 a refusal of a renewal ahead of expiry leaves the tokens there are, and then ends it", async () => {
    const stage = several();
    const app = await stage.signedIn();
    await stage.clock.until(billing(app));
    await stage.clock.advance(10 * MINUTE);
    await stage.clock.until(app.session.refresh());
    stage.server.grants.revoke("ada");
    await stage.clock.advance(46 * MINUTE);
    await stage.clock.until(billing(app));
    await stage.clock.advance(SECOND);
    expect([app.status(), app.bare.getSnapshot().degraded]).toEqual(["signed-in", true]);
    await stage.clock.advance(HOUR);
    expect(app.status()).toBe("signed-out: rejected");
  });

  it("R23 an answer that was lost counts for all: a refusal that follows says so", async () => {
    const stage = several();
    const app = await stage.signedIn();
    stage.server.faults.push(lostAnswer);
    expect(await stage.outcome(billing(app))).toBe("network");
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(SECOND);
    expect(app.payloads("signed-out")).toMatchObject([{ reason: "rejected", possiblyLostRotation: true, error: { code: "rejected" } }]);
  });
});

describe("several audiences where the tabs do not share the refresh token", () => {
  it.each([
    ["in memory mode", {}, "memory"],
    ["without storage", { store: true }, "indexeddb"],
  ] as const)("R10 %s a tab gets one from the tab that can renew, and no refresh token is told", async (_, lacks, persist) => {
    const stage = several({ shares: true, session: { persist: kept(persist) } });
    const [owner, sibling] = [await stage.open({}, { lacks }), await stage.open({}, { lacks })] as [App, App];
    await stage.clock.until(owner.session.signIn(stage.server.signIn()));
    await stage.clock.advance(SECOND);
    const token = await stage.clock.until(billing(sibling));
    expect(stage.server.grants.audienceOf(token)).toBe(BILLING);
    await stage.clock.advance(SECOND);
    expect(await stage.clock.until(billing(owner))).toBe(token);
    await stage.clock.until(owner.session.refresh());
    await stage.clock.advance(2 * HOUR);
    const later = await stage.clock.until(billing(sibling));
    expect([stage.server.grants.audienceOf(later), later === token, stage.server.stats.reused]).toEqual([BILLING, false, 0]);
  });
});

describe("an own function with several audiences", () => {
  it("is told whose token it shall get, and sees no other token", async () => {
    const seen: RefreshContext[] = [];
    const refresh = async (context: RefreshContext) => {
      seen.push(context);
      const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: context.tokens.refreshToken ?? "" });
      return (await context.fetch(TOKEN_ENDPOINT, { method: "POST", body })).json();
    };
    const stage = scene({
      session: {
        name: "app",
        refresh,
        audiences: audiences({ crm: { origins: [], parameters: { scope: "crm.read" } } }),
        lead: 5 * MINUTE,
      },
    });
    const app = await stage.signedIn();
    await stage.clock.until(app.session.getToken({ audience: "crm" }));
    await stage.clock.until(app.session.refresh());
    expect(seen.map(({ audience, parameters }) => [audience, parameters])).toEqual([
      ["crm", { scope: "crm.read" }],
      [undefined, undefined],
    ]);
    expect(seen.map(({ tokens }) => Object.keys(tokens).includes("audiences"))).toEqual([false, false]);
    expect(seen[0]?.tokens.accessToken).toBeUndefined();
  });
});

describe("what is stored for an audience", () => {
  it.each([
    [null],
    ["text"],
    [{ accessToken: "two words", issuedAt: 0, expiresAt: null, dueAt: null, version: 1, at: 0 }],
    [{ accessToken: "x" }],
  ])("R26 is not believed when it is %j: the token is got anew", async (damage) => {
    const stage = several();
    const app = await stage.signedIn();
    await stage.clock.until(billing(app));
    const [name = ""] = stage.world.stores.names();
    const damaged = stage.world.stores.read(name) as { tokens: { audiences: Record<string, unknown> } };
    damaged.tokens.audiences[BILLING] = damage;
    stage.world.stores.plant(name, damaged);
    app.tab.close();
    const next = await stage.open();
    expect(stage.server.grants.audienceOf(await stage.clock.until(billing(next)))).toBe(BILLING);
    expect([next.status(), stage.server.stats.attempts]).toEqual(["signed-in", 2]);
  });
});

describe("options of audiences", () => {
  const refused = (options: Parameters<typeof audiences>[0], session = {}) => {
    const stage = scene();
    return () => stage.start({ refresh: strategy(), audiences: audiences(options), ...session });
  };

  it("R39 a wrong one is a TypeError that names it", async () => {
    expect(refused({ crm: { origins: ["crm"] } })).toThrow('audiences: origins of "crm" must be origins such as');
    expect(refused({ one: { origins: [BILLING] }, two: { origins: [`${BILLING}/`] } })).toThrow(`two audiences have the origin ${BILLING}`);
    expect(refused({ [API]: {} })).toThrow(`${API} is one of allowedOrigins`);
    expect(refused({ [BILLING]: {} }, { refresh: { ...strategy(), takesAudience: undefined } })).toThrow("refresh must be oauth2");
    expect(refused({}, { audiences: {} })).toThrow("audiences must be audiences({ … })");
    const stage = several();
    const app = await stage.signedIn();
    await expect(app.session.getToken({ audience: "crm" })).rejects.toThrow(
      `audience must be one of ["${BILLING}","${FILES}"]; it is "crm"`,
    );
    const plain = await stage.open({ audiences: undefined as never, name: "plain" });
    await expect(plain.session.getToken({ audience: "crm" })).rejects.toThrow("audience needs the option audiences");
  });

  it.each(["crm", "urn:example:crm", "https://api.test/v1", "https://api.test/?tenant=1", "https://*.test", "api://crm"])(
    "R75 the key %s is a resource and no origin: its origins are to be given, and may be none",
    async (resource) => {
      expect(refused({ [resource]: {} })).toThrow(`audiences: origins of "${resource}" must be origins`);
      expect(refused({ [resource]: { origins: [`${BILLING}/v1`] } })).toThrow(`audiences: origins of "${resource}" must be origins`);
      expect(refused({ [resource]: { origins: undefined as never } })).toThrow(TypeError);
      const stage = scene({ session: { audiences: audiences({ [resource]: { origins: [] } }) } });
      const app = await stage.signedIn();
      expect(stage.server.grants.audienceOf(await stage.clock.until(app.session.getToken({ audience: resource })))).toBe(resource);
    },
  );

  it("R75 a slash at the end of a key, or of an origin, is fine, and the key is asked for as it is", async () => {
    const resource = `${BILLING}/`;
    const stage = scene({ session: { audiences: audiences({ [resource]: {}, files: { origins: [`${FILES}/`] } }) } });
    const app = await stage.signedIn();
    await stage.clock.until(app.session.fetch(`${BILLING}/invoices`));
    expect(stage.server.grants.audienceOf(await stage.clock.until(app.session.getToken({ audience: resource })))).toBe(resource);
    expect(stage.server.stats.attempts).toBe(1);
  });

  it("asks in the server's way", async () => {
    const asked: string[] = [];
    const stage = scene({
      session: {
        refresh: oauth2({ tokenEndpoint: TOKEN_ENDPOINT, clientId: "spa", scope: "api" }),
        audiences: audiences({
          "https://graph.test": { parameters: { scope: "https://graph.test/.default" } },
          "https://x.test": { parameters: { audience: "x" } },
        }),
        lead: 5 * MINUTE,
      },
    });
    const app = await stage.signedIn();
    const { handle } = stage.server;
    const { fetch } = app.tab.environment;
    Object.assign(app.tab.environment, {
      fetch: (input: Request, init?: RequestInit) => {
        void input
          .clone()
          .text()
          .then((text) => asked.push(text));
        return fetch(input, init);
      },
    });
    await stage.clock.until(app.session.getToken({ audience: "https://graph.test" }));
    await stage.clock.until(app.session.getToken({ audience: "https://x.test" }));
    await stage.clock.until(app.session.refresh());
    const forms = asked.map((text) => Object.fromEntries(new URLSearchParams(text)));
    expect(forms.map(({ scope, audience, client_id }) => [scope, audience, client_id])).toEqual([
      ["https://graph.test/.default", undefined, "spa"],
      ["api", "x", "spa"],
      ["api", undefined, "spa"],
    ]);
    expect(handle).toBeTypeOf("function");
  });
});
