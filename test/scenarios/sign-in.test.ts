import { describe, expect, it } from "vitest";
import { cookie } from "../../src/strategies/cookie.js";
import type { ExchangeOptions } from "../../src/strategies/exchange.js";
import { sliding } from "../../src/strategies/sliding.js";
import { tokenPair } from "../../src/strategies/token-pair.js";
import type { RefreshStrategy, Tokens } from "../../src/types/index.js";
import { MINUTE, revokingStrategy, SECOND, scene } from "../support/scene.js";

describe("the first moment of a page", () => {
  it("R38 signOut before the restore ends the stored session in every tab, and revokes it", async () => {
    const stage = scene({ session: { refresh: revokingStrategy() } });
    const sibling = await stage.signedIn();
    const app = stage.start();
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(SECOND);
    expect([app.status(), sibling.status(), (await stage.open()).status()]).toEqual([
      "signed-out: user",
      "signed-out: user",
      "signed-out: user",
    ]);
    expect(stage.server.stats.revocations).toBe(1);
  });

  it("signIn before the restore wins over what was stored, in every tab", async () => {
    const stage = scene();
    const sibling = await stage.signedIn();
    const app = stage.start();
    await stage.clock.until(app.session.signIn(stage.server.signIn("grace")));
    await stage.clock.until(app.session.ready);
    await stage.clock.advance(SECOND);
    expect([stage.serial(app), stage.serial(sibling), sibling.count("user-changed")]).toEqual([2, 2, 1]);
  });

  it("R25 signIn right after signOut in one task stays signed in; signOut right after signIn stays signed out", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.until(Promise.all([app.session.signOut(), app.session.signIn(stage.server.signIn("grace"))]));
    await stage.clock.advance(SECOND);
    expect([app.status(), stage.serial(app)]).toEqual(["signed-in", 2]);
    await stage.clock.until(Promise.all([app.session.signIn(stage.server.signIn("ada")), app.session.signOut()]));
    await stage.clock.advance(SECOND);
    expect([app.status(), stage.serial(app), (await stage.open()).bare.peekToken()]).toEqual(["signed-out: user", null, null]);
  });

  it("dispose before the restore: ready settles, nothing is heard, and nothing is left behind", async () => {
    const stage = scene();
    await stage.signedIn();
    const app = stage.start();
    app.session.dispose();
    await stage.clock.until(app.session.ready, 3_000);
    await stage.clock.advance(SECOND);
    expect([app.events(), stage.world.leftovers(app.tab)]).toEqual([
      [],
      { timers: 0, listeners: 0, channels: 0, connections: 0, locks: 0 },
    ]);
  });
});

describe("another user", () => {
  it("R38 signs in: the other tabs stay signed in, as that user, with one user-changed event", async () => {
    const stage = scene();
    const first = await stage.signedIn();
    const others = [await stage.open(), await stage.open()];
    await stage.clock.until(first.session.signIn(stage.server.signIn("grace")));
    await stage.clock.advance(SECOND);
    for (const app of [first, ...others]) {
      expect([app.status(), stage.serial(app)]).toEqual(["signed-in", 2]);
      expect(app.payloads("user-changed")).toMatchObject([{ before: { sub: "ada" }, after: { sub: "grace" } }]);
      expect(app.count("signed-out")).toBe(0);
    }
  });

  it("the same user signing in again changes no user", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const sibling = await stage.open();
    await stage.clock.until(app.session.signIn(stage.server.signIn("ada")));
    await stage.clock.advance(SECOND);
    expect([app.count("user-changed"), sibling.count("user-changed"), sibling.status(), stage.serial(sibling)]).toEqual([
      0,
      0,
      "signed-in",
      2,
    ]);
  });

  it("signs in after a sign-out in another tab: everybody is that user", async () => {
    const stage = scene();
    const first = await stage.signedIn();
    const second = await stage.open();
    await stage.clock.until(first.session.signOut());
    await stage.clock.advance(SECOND);
    await stage.clock.until(second.session.signIn(stage.server.signIn("grace")));
    await stage.clock.advance(SECOND);
    expect([first.status(), first.bare.getSnapshot().claims?.sub, first.count("signed-in")]).toEqual(["signed-in", "grace", 2]);
  });
});

/** As libraries give them: a class, with members that only the very object has. */
class Answer {
  readonly #refresh = "r1";
  get access() {
    return `a${this.#refresh.slice(1)}`;
  }
  get refresh_token() {
    return this.#refresh;
  }
  get expiresIn() {
    return this.#refresh.length * 30;
  }
  get other() {
    return this.#refresh;
  }
}

describe("R72 what a login answered", () => {
  const url = "https://app.example.test/renew";
  const ways: Record<string, (fields: Partial<ExchangeOptions>) => RefreshStrategy> = {
    tokenPair: (fields) => tokenPair({ url, ...fields }),
    cookie: (fields) => cookie({ url, ...fields }),
    // It has no refresh token, and no option for its name.
    sliding: ({ refreshTokenField: _, ...fields }) => sliding({ url, ...fields }),
  };
  const simple = { accessTokenField: "access", refreshTokenField: "refresh" };
  const nested = { accessTokenField: "data.token", refreshTokenField: "data.renew", expiresInField: "data.seconds" };
  const answers: [string, Partial<ExchangeOptions>, unknown, number?][] = [
    ["the names of the strategy", simple, { access: "a1", refresh: "r1" }],
    ["paths", nested, { data: { token: "a1", renew: "r1", seconds: 60 } }, 60],
    ["RFC 6749's names, beside names of the strategy", nested, { access_token: "a1", refresh_token: "r1", expires_in: "60" }, 60],
    ["a TokenSet", nested, { accessToken: "a1", refreshToken: "r1", expiresIn: 60 }, 60],
    ["a TokenSet that is frozen", simple, Object.freeze({ accessToken: "a1", refreshToken: "r1" })],
    ["a TokenSet whose members are inherited", simple, Object.create({ accessToken: "a1", refreshToken: "r1", expiresIn: 60 }), 60],
    ["an instance with private members", { accessTokenField: "access" }, new Answer(), 60],
    ["an instance with private members, by paths", { accessTokenField: "data.access" }, { data: new Answer() }],
    ["both, of which the strategy's own win", simple, { access: "a1", refresh: "r1", accessToken: "other", refresh_token: "other" }],
    ["no names of its own", {}, { access_token: "a1", refresh_token: "r1" }],
    ["null in its own place", simple, { access: null, refresh: null, access_token: "a1", refresh_token: "r1" }],
  ];

  describe.each(Object.entries(ways))("by %s", (way, make) => {
    it.each(answers)("is read by %s", async (_, fields, answer, seconds) => {
      const stage = scene();
      const app = await stage.open({ refresh: make(fields) });
      await stage.clock.until(app.session.signIn(answer as Tokens));
      expect(app.bare.peekToken()).toBe("a1");
      const { expiresAt } = app.bare.getSnapshot();
      expect(expiresAt).toEqual(seconds === undefined ? null : expect.closeTo(stage.clock.now() + seconds * SECOND, -3));
      await stage.clock.until(app.session.signOut());
    });

    it("is a bare token, or is none", async () => {
      const stage = scene();
      const app = await stage.open({ refresh: make(way === "tokenPair" ? { accessTokenField: "access" } : simple) });
      await stage.clock.until(app.session.signIn("bare"));
      expect(app.bare.peekToken()).toBe("bare");
      for (const none of [null, 42, true, [], "", { access: {} }, { other: "x" }])
        expect(await stage.outcome(app.session.signIn(none as never))).toBe("invalid-response");
    });
  });

  it("has the refresh token that the next renewal posts, also where the access token is in a cookie", async () => {
    const asked: unknown[] = [];
    const server = async (request: Request) => {
      asked.push(await request.json());
      return Response.json({ data: { token: "a2", renew: "r2", seconds: 600 } });
    };
    const stage = scene({ world: { server } });
    const app = await stage.open({ refresh: tokenPair({ url, ...nested }) });
    await stage.clock.until(app.session.signIn({ data: { token: "a1", renew: "r1", seconds: 60 } }));
    await stage.clock.advance(MINUTE);
    expect([asked, app.bare.peekToken()]).toEqual([[{ token: "a1", renew: "r1" }], "a2"]);
    const inCookie = await stage.open({ refresh: tokenPair({ url, accessTokenField: null, refreshTokenField: "renew" }) });
    await stage.clock.until(inCookie.session.signIn({ renew: "r1" }));
    expect([inCookie.bare.peekToken(), inCookie.status()]).toEqual(["", "signed-in"]);
  });

  it("is read by a strategy of one's own as it says, and what it leaves alone as before", async () => {
    const read = (given: unknown) => (given as { jwt?: string }).jwt;
    const stage = scene();
    const app = await stage.open({ refresh: { id: "own", needsRefreshToken: false, refresh: () => "next", read } });
    await stage.clock.until(app.session.signIn({ jwt: "own" }));
    expect(app.bare.peekToken()).toBe("own");
    await stage.clock.until(app.session.signIn({ access_token: "usual" }));
    expect(app.bare.peekToken()).toBe("usual");
  });
});

describe("R58 a path", () => {
  it("given to a strategy is sent to the page's own origin, at renewal and at sign-out", async () => {
    const stage = scene({ world: { server: async () => Response.json({ accessToken: "a2" }) } });
    const app = await stage.open({ refresh: tokenPair({ url: "/renew", signOutUrl: "/end" }) });
    await stage.clock.until(app.session.signIn({ accessToken: "a1", refreshToken: "r1" }));
    await stage.clock.until(app.session.refresh());
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(SECOND);
    expect(stage.world.network.sent.map((request) => request.url)).toEqual([
      "https://app.example.test/renew",
      "https://app.example.test/end",
    ]);
  });
});
