import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { createRefresher } from "../../src/refresh/refresher.js";
import { createSignInOut } from "../../src/session/sign-in-out.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { World } from "../../src/testing/world.js";
import type { TokenSet } from "../../src/types/index.js";
import { type ContextOptions, contextOver, liveRecord } from "../support/context.js";

const LOGIN = { access_token: "a1", refresh_token: "r1", expires_in: 60 };

async function setUp({ strategy, ...given }: ContextOptions = {}) {
  const revoked: (string | undefined)[] = [];
  const revoke = async ({ tokens }: { tokens: TokenSet }) => revoked.push(tokens.refreshToken);
  const test = contextOver({ ...given, strategy: { revoke, ...strategy } });
  const { clock, stores } = test.world;
  const refresher = createRefresher(test.context);
  const { signIn, signOut } = createSignInOut(test.context, { restored: async () => {}, refresher });
  const current = () => test.context.ledger.current;
  const stored = () => stores.read("session") as LedgerRecord;
  return { ...test, clock, signIn, signOut, current, stored, revoked };
}

describe("a sign-in", () => {
  it("is stored when it resolves, and told to the other tabs", async () => {
    const { signIn, clock, stored, posted, current } = await setUp();
    await clock.until(signIn(LOGIN));
    expect(stored()).toMatchObject({ signedIn: true, tokens: { accessToken: "a1", refreshToken: "r1" } });
    expect(posted()).toMatchObject([{ type: "changed", record: { epoch: current()!.epoch } }]);
  });

  it("R26 is made in memory when storage does not answer within three seconds", async () => {
    const { signIn, clock, world, current, context } = await setUp();
    world.stores.trouble = () => "hanging";
    const since = clock.monotonic();
    await clock.until(signIn(LOGIN));
    expect(clock.monotonic() - since).toBe(3_000);
    expect([current(), context.ledger.shared]).toMatchObject([{ signedIn: true, tokens: { accessToken: "a1" } }, false]);
  });

  it.each([{ needsRefreshToken: true }, { needsRefreshToken: false, needsValidToken: true }, { needsRefreshToken: false }])(
    "without tokens names the import that is missing: %o",
    async (strategy) => {
      const { signIn, current } = await setUp({ strategy });
      const message = "signIn: tokens are required without the option cookieSignIn: cookieSignIn(), imported from tokentide";
      await expect(signIn(undefined)).rejects.toThrow(new TypeError(message));
      expect(current()).toBeUndefined();
    },
  );

  it("tells the developer that no refresh token came where one is needed", async () => {
    const { signIn, clock, page } = await setUp();
    await clock.until(signIn({ access_token: "a1" }));
    expect(page.reports.map(({ message }) => message)).toEqual([expect.stringContaining("no refresh token came")]);
  });

  it("is refused with a token that expires before it is valid, unless tokens are not read", async () => {
    const senseless = { access_token: makeJwt({ nbf: 2_000_000_000, exp: 1_900_000_000 }), refresh_token: "r1" };
    const { signIn } = await setUp();
    await expect(signIn(senseless)).rejects.toMatchObject({ code: "invalid-response" });
    const { signIn: blind, clock } = await setUp({ options: { readClaims: false } });
    await clock.until(blind(senseless));
  });

  it("reads the answer of a login as the strategy does", async () => {
    const read = (given: unknown) => ({ access_token: (given as { token: string }).token });
    const { signIn, clock, current } = await setUp({ strategy: { read, needsRefreshToken: false } });
    await clock.until(signIn({ token: "own" }));
    expect(current()?.tokens?.accessToken).toBe("own");
  });
});

describe("a sign-out", () => {
  it("R43 is seen by this tab at once, told to the others, and revokes the refresh token", async () => {
    const { signIn, signOut, clock, current, posted, revoked, stored } = await setUp();
    await clock.until(signIn(LOGIN));
    const out = signOut();
    expect([current(), posted().at(-1)]).toMatchObject([
      { signedIn: false, reason: "user" },
      { type: "changed", record: { signedIn: false } },
    ]);
    expect(revoked).toEqual(["r1"]);
    await clock.until(out);
    expect(stored()).toMatchObject({ signedIn: false, reason: "user" });
    expect(revoked, "once").toEqual(["r1"]);
  });

  it("R43 also revokes the token that another tab had got just before", async () => {
    const { signIn, signOut, clock, revoked, stored, world } = await setUp();
    await clock.until(signIn(LOGIN));
    const renewed = { ...stored(), version: 2, by: "other", committedAt: clock.now() };
    world.stores.plant("session", { ...renewed, tokens: { accessToken: "a2", refreshToken: "r2" } });
    await clock.until(signOut());
    expect(revoked).toEqual(["r1", "r2"]);
  });

  it("R43 revokes the token of a session that this tab had not restored yet", async () => {
    const { signOut, clock, revoked, world, context } = await setUp();
    world.stores.plant("session", liveRecord(context));
    await clock.until(signOut());
    expect(revoked).toEqual(["refresh"]);
  });

  it("R43 waits for storage for no longer than a tenth of a second", async () => {
    const { signIn, signOut, clock, world, stored, current } = await setUp();
    await clock.until(signIn(LOGIN));
    world.stores.trouble = () => "hanging";
    const since = clock.monotonic();
    await clock.until(signOut());
    expect([clock.monotonic() - since, current()?.signedIn, stored().signedIn]).toEqual([100, false, true]);
  });

  it.each([
    ["out", ["in", "out"]],
    ["in", ["out", "in"]],
  ])("of two calls at the same moment the later one counts: signed %s", async (last, calls) => {
    // Chance, which tells apart what two tabs do at one moment, favours the sign-in.
    let draws = 0;
    const world = new World({ chance: () => ++draws / 1_000 });
    const { signIn, signOut, clock, current, stored } = await setUp({ world });
    await clock.until(signIn({ ...LOGIN, access_token: "a0" }));
    await clock.advance(1_000);
    const both = Promise.all(calls.map((call) => (call === "in" ? signIn(LOGIN) : signOut())));
    await clock.until(both);
    await clock.advance(20);
    expect([current()?.signedIn, stored().signedIn]).toEqual([last === "in", last === "in"]);
  });

  it("throws, as a sign-in does, once the session was disposed of", async () => {
    const { signIn, signOut, context } = await setUp();
    context.waits.dispose(new SessionError("disposed", "over"));
    await expect(signOut()).rejects.toMatchObject({ code: "disposed" });
    await expect(signIn(LOGIN)).rejects.toMatchObject({ code: "disposed" });
  });
});
