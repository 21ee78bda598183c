import { describe, expect, it } from "vitest";
import { audiences, SessionError } from "../../src/index.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { REVOCATION_ENDPOINT } from "../../src/testing/token-server.js";
import type { RefreshStrategy, TokenResponse } from "../../src/types/index.js";
import { HOUR, kept, MINUTE, revokingStrategy, type Scene, type SceneOptions, SECOND, scene } from "../support/scene.js";

type Odd = (answer: TokenResponse, former: string | undefined) => unknown;

/** A session whose next answer, from a server that has rotated, is made odd. */
function oddly(odd: Odd, { session, ...options }: SceneOptions = {}): Scene & { next: Odd | undefined } {
  const well = revokingStrategy();
  const refresh: RefreshStrategy = {
    ...well,
    async refresh(context) {
      const answer = (await well.refresh(context)) as TokenResponse;
      const { next } = stage;
      stage.next = undefined;
      return (next ? next(answer, context.tokens.accessToken) : answer) as TokenResponse;
    },
  };
  const stage = Object.assign(scene({ ...options, session: { refresh, lead: 5 * MINUTE, ...session } }), { next: odd as Odd | undefined });
  return stage;
}

const usable: [string, Odd][] = [
  ["an access token with a line end", (answer) => ({ ...answer, access_token: `${answer.access_token}\n` })],
  ["a refresh token with line ends and tabs", (answer) => ({ ...answer, refresh_token: `\t${answer.refresh_token}\r\n` })],
  ["a byte order mark", (answer) => ({ ...answer, access_token: `\uFEFF${answer.access_token}` })],
  ["an id token that is none", (answer) => ({ ...answer, id_token: 7 })],
  ["an id token with a space", (answer) => ({ ...answer, id_token: "a b" })],
  ["a token type with a line end", (answer) => ({ ...answer, token_type: "Bearer\n" })],
];

const useless: [string, Odd][] = [
  ["no access token", ({ refresh_token }) => ({ refresh_token })],
  ["an empty access token", (answer) => ({ ...answer, access_token: "" })],
  ["a number as access token", (answer) => ({ ...answer, access_token: 7 })],
  ["an access token in an array", (answer) => ({ ...answer, access_token: [answer.access_token] })],
  ["an access token with a line end inside", (answer) => ({ ...answer, access_token: `a\n${answer.access_token}` })],
  ["a DPoP token", (answer) => ({ ...answer, token_type: "DPoP" })],
  ["an odd token type", (answer) => ({ ...answer, token_type: {} })],
];

describe("R62 an answer from which a token can be read", () => {
  it.each(usable)("renews in spite of %s", async (_, odd) => {
    const stage = oddly(odd);
    const app = await stage.signedIn();
    expect(await stage.outcome(app.session.refresh())).toBe("refreshed");
    expect([await stage.call(app), await stage.outcome(app.session.refresh())]).toEqual([200, "refreshed"]);
    expect(stage.server.stats).toMatchObject({ refreshes: 2, reused: 0 });
  });

  it("is told of what was left out, once", async () => {
    const stage = oddly((answer) => answer, { server: { response: { id_token: "no token" } } });
    const app = await stage.signedIn();
    for (let count = 0; count < 3; count++) await stage.clock.until(app.session.refresh());
    expect(app.tab.reports.map(({ message }) => message)).toEqual(["idToken cannot be read, and is not used"]);
  });
});

describe("R62 an answer that is of no use", () => {
  it.each(useless)("but has a refresh token fails with %s, and the next attempt presents that", async (_, odd) => {
    const stage = oddly(odd);
    const app = await stage.signedIn();
    const sibling = await stage.open();
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(SECOND);
    expect(app.failures).toMatchObject([{ lost: false }]);
    expect([app.events(), app.bare.getSnapshot().degraded]).toEqual([["signed-in", "refresh-failed"], true]);
    expect([app.status(), await stage.call(app), stage.serial(app)]).toEqual(["signed-in", 200, 1]);
    expect(await stage.outcome(sibling.session.refresh())).toBe("refreshed");
    expect([await stage.call(app), await stage.call(sibling), app.bare.getSnapshot().degraded]).toEqual([200, 200, false]);
    expect(stage.server.stats).toMatchObject({ refreshes: 2, reused: 0, rejected: 0 });
  });

  it("is tried again by itself, after a reload, too", async () => {
    const stage = oddly(({ refresh_token }) => ({ refresh_token }));
    const app = await stage.signedIn();
    await stage.outcome(app.session.refresh());
    app.tab.close();
    const reloaded = await stage.open();
    await stage.clock.advance(HOUR);
    expect([reloaded.status(), await stage.call(reloaded), stage.server.stats.reused]).toEqual(["signed-in", 200, 0]);
  });

  it.each(["memory", "indexeddb"] as const)("but has a refresh token counts with %s where storage is denied, too", async (persist) => {
    const stage = oddly(({ refresh_token }) => ({ refresh_token }), { session: { persist: kept(persist) }, shares: true });
    const lacks = persist === "indexeddb" ? { store: true } : {};
    const app = await stage.open({}, { lacks });
    const sibling = await stage.open({}, { lacks });
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.clock.advance(SECOND);
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(SECOND);
    expect(await stage.outcome(sibling.session.refresh())).toBe("adopted");
    await stage.clock.advance(10 * HOUR);
    expect([await stage.call(app), await stage.call(sibling), stage.server.stats.reused]).toEqual([200, 200, 0]);
  });

  it("but has a refresh token counts for all audiences", async () => {
    const BILLING = "https://billing.example.test";
    const stage = oddly(({ refresh_token }) => ({ refresh_token }), { session: { audiences: audiences({ [BILLING]: {} }) } });
    const app = await stage.signedIn();
    expect(await stage.outcome(app.session.getToken({ audience: BILLING }))).toBe("invalid-response");
    expect([app.bare.getSnapshot().degraded, app.events()]).toEqual([false, ["signed-in", "refresh-failed"]]);
    await stage.clock.advance(10 * SECOND);
    const token = await stage.clock.until(app.session.getToken({ audience: BILLING }));
    expect(stage.server.grants.audienceOf(token)).toBe(BILLING);
    stage.next = ({ refresh_token }) => ({ refresh_token });
    expect([await stage.outcome(app.session.refresh()), await stage.outcome(app.session.refresh())]).toEqual([
      "invalid-response",
      "refreshed",
    ]);
    expect([await stage.clock.until(app.session.getToken({ audience: BILLING })), stage.server.stats.reused]).toEqual([token, 0]);
  });

  it("since it is the expired token again, with a refresh token, is followed by that", async () => {
    const stage = oddly((answer, former) => ({ ...answer, access_token: former }));
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    expect(await stage.outcome(app.session.refresh())).toBe("invalid-response");
    expect(await stage.outcome(app.session.refresh())).toBe("refreshed");
    expect([await stage.call(app), stage.server.stats.reused]).toEqual([200, 0]);
  });

  it("and came after the deadline still hands over its refresh token", async () => {
    const stage = oddly(({ refresh_token }) => ({ refresh_token }));
    const app = await stage.signedIn();
    const well = stage.next;
    stage.next = undefined;
    const late: RefreshStrategy = {
      ...revokingStrategy(),
      async refresh(context) {
        const answer = (await revokingStrategy().refresh({ ...context, signal: new AbortController().signal })) as TokenResponse;
        await new Promise<void>((resolve) => app.tab.environment.setTimeout(resolve, 11 * SECOND));
        return well?.(answer, undefined) as TokenResponse;
      },
    };
    const other = await stage.open({ refresh: late });
    expect(await stage.outcome(other.session.refresh())).toBe("timeout");
    await stage.clock.advance(2 * SECOND);
    expect(await stage.outcome(app.session.refresh())).toBe("refreshed");
    expect(stage.server.stats).toMatchObject({ refreshes: 2, reused: 0 });
  });

  it("after a sign-out gives its refresh token back", async () => {
    const stage = oddly(({ refresh_token }) => ({ refresh_token }));
    const app = await stage.signedIn();
    stage.server.latency = { before: () => SECOND, after: () => SECOND };
    const outcome = app.session.refresh().catch(({ code }: SessionError) => code);
    await stage.clock.advance(1_500);
    await stage.clock.until(app.session.signOut());
    expect(await stage.clock.until(outcome)).toBe("signed-out");
    await stage.clock.advance(5 * SECOND);
    const sent = stage.world.network.sent.filter(({ url }) => url === REVOCATION_ENDPOINT);
    expect([app.status(), sent.length, stage.server.stats.revocations]).toEqual(["signed-out: user", 2, 2]);
  });

  it.each<[string, Odd]>([
    ["without a refresh token", () => ({ tokens: "elsewhere" })],
    ["with a number as refresh token", (answer) => ({ ...answer, refresh_token: 7 })],
    ["with a refresh token in an array", (answer) => ({ ...answer, refresh_token: [answer.refresh_token] })],
    ["with a line end inside the refresh token", (answer) => ({ ...answer, refresh_token: `a\n${answer.refresh_token}` })],
  ])("%s may have lost a rotation, and the refusal that follows says so", async (_, odd) => {
    const stage = oddly(odd);
    const app = await stage.signedIn();
    expect(await stage.outcome(app.session.refresh())).toBe("invalid-response");
    expect(app.failures).toMatchObject([{ lost: true }]);
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(SECOND);
    expect(app.payloads("signed-out")).toMatchObject([{ reason: "rejected", possiblyLostRotation: true }]);
  });

  it("for another user hands over nothing, and the session ends", async () => {
    const stage = oddly((answer) => ({ ...answer, access_token: makeJwt({ sub: "mallory" }) }));
    const app = await stage.signedIn();
    await stage.outcome(app.session.refresh());
    expect(app.status()).toBe("signed-out: subject-changed");
  });

  it("never shows its refresh token in what the app hears", async () => {
    const stage = oddly((answer) => ({ ...answer, token_type: "DPoP" }));
    const app = await stage.signedIn();
    await stage.outcome(app.session.refresh());
    expect(app.failures[0]).toBeInstanceOf(SessionError);
    // The scene looks through events, errors, reports and messages for every token when it ends.
  });
});

describe("R62 a rotated refresh token in a text that is not understood", () => {
  it.each<[string, (text: string) => string]>([
    ["a warning before it", (text) => `<br /><b>Warning</b>: x in y\n${text}`],
    ["a prefix against inclusion", (text) => `)]}',\n${text}`],
    ["a form that is called a plain text", (text) => new URLSearchParams(JSON.parse(text)).toString()],
    ["JSON within JSON", (text) => JSON.stringify(text)],
  ])("may be lost, and is nobody's bearer: %s", async (_, write) => {
    const stage = scene();
    const app = await stage.signedIn();
    const text = write(JSON.stringify({ access_token: "a", refresh_token: "secret" }));
    stage.server.faults.push({ processed: true, instead: { status: 200, headers: { "content-type": "text/plain" }, body: text } });
    await stage.outcome(app.session.refresh());
    expect(app.bare.peekToken() ?? "").not.toContain("secret");
    expect(app.failures).toMatchObject([{ code: "invalid-response", lost: true }]);
  });
});

describe("R62 a sign-in", () => {
  it.each(usable)("begins in spite of %s", async (_, odd) => {
    const stage = oddly((answer) => answer);
    const app = await stage.open();
    await stage.clock.until(app.session.signIn(odd(stage.server.signIn(), undefined) as TokenResponse));
    expect([app.status(), await stage.call(app), await stage.outcome(app.session.refresh())]).toEqual(["signed-in", 200, "refreshed"]);
  });

  it.each(useless)("is refused with %s", async (_, odd) => {
    const stage = oddly((answer) => answer);
    const app = await stage.open();
    const outcome = await stage.outcome(app.session.signIn(odd(stage.server.signIn(), undefined) as TokenResponse));
    expect([app.status(), outcome]).not.toContain("signed-in");
  });
});

describe("R69 a refresh token with spaces", () => {
  it("is kept and presented as it is", async () => {
    const presented: unknown[] = [];
    const stage = scene();
    const app = await stage.open({
      name: "spaces",
      refresh({ tokens }) {
        presented.push(tokens.refreshToken);
        return { access_token: `a${presented.length}`, refresh_token: " two  words ", expires_in: 3_600 };
      },
    });
    await stage.clock.until(app.session.signIn({ access_token: "a", refresh_token: "with a space", expires_in: 3_600 }));
    await stage.clock.until(app.session.refresh());
    await stage.clock.until(app.session.refresh());
    expect(presented).toEqual(["with a space", " two  words "]);
  });
});

describe("R65 a lifetime that cannot be read", () => {
  it.each([{ expires_in: "1h" }, { expires_in: "2030-01-01T01:00:00Z" }, { session_expires_in: "soon" }])(
    "is said once: %j",
    async (odd) => {
      const stage = scene({ server: { format: "opaque", tellsLifetime: false, response: odd } });
      const app = await stage.signedIn();
      for (let count = 0; count < 3; count++) await stage.clock.until(app.session.refresh());
      expect(app.tab.reports).toHaveLength(1);
      expect(app.tab.reports[0]?.message).toMatch(/^(sessionE|e)xpiresIn cannot be read/);
    },
  );

  it("is said once where it is a JWT's, and the token serves", async () => {
    const stage = scene({ server: { claims: { exp: "2030-01-01T01:00:00Z" }, tellsLifetime: false } });
    const app = await stage.signedIn();
    await stage.clock.until(app.session.refresh());
    expect(app.tab.reports.map(({ message }) => message)).toEqual(["exp cannot be read, and is not used"]);
    expect([await stage.call(app), app.bare.getSnapshot().expiresAt]).toEqual([200, null]);
  });

  it("is none where it is a string: the session ends and renews when it says", async () => {
    const stage = scene({ server: { response: { session_expires_in: "7200" } } });
    const now = stage.clock.now() / 1_000;
    const app = await stage.open();
    const access_token = makeJwt({ sub: "ada", client_id: "spa", iat: `${now}`, exp: `${now + 600}` });
    await stage.clock.until(app.session.signIn({ ...stage.server.signIn(), access_token, expires_in: undefined }));
    expect([app.bare.getSnapshot().expiresAt, app.tab.reports]).toEqual([(now + 600) * 1_000, []]);
  });

  it("of a token that is valid only after its end is refused, in strings and in milliseconds, too", async () => {
    const stage = scene();
    const app = await stage.open();
    const now = stage.clock.now() / 1_000;
    for (const instants of [
      { nbf: `${now + 200}`, exp: now + 100 },
      { nbf: (now + 200) * 1_000, exp: now + 100 },
    ]) {
      expect(await stage.outcome(app.session.signIn(makeJwt({ sub: "ada", ...instants })))).toBe("invalid-response");
    }
  });
});
