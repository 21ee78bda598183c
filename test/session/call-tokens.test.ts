import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import type { Effort } from "../../src/http/call.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { maxAge } from "../../src/limits/max-age.js";
import type { Flight, Refreshed } from "../../src/refresh/flight.js";
import { createCallTokens } from "../../src/session/call-tokens.js";
import { createView } from "../../src/session/view.js";
import type { SessionOptions } from "../../src/types/index.js";
import { contextOver, liveRecord } from "../support/context.js";

const ADDRESS = "https://api.example.test/me";

/** A tab whose calls want tokens, and a source that does what the test says. */
async function setUp(changes: Partial<LedgerRecord> = {}, options: Partial<SessionOptions> = {}, prerendering = false) {
  const test = contextOver({ options, prerendering });
  const { context, followers, write } = test;
  const { clock } = test.world;
  const view = createView(context);
  followers.push(view);
  const asked: string[] = [];
  const does = { getToken: async (): Promise<string | null> => null, renew: async (): Promise<Refreshed> => "refreshed" };
  const refresher = { flight: undefined as Flight | undefined, refresh: never, changed() {}, stop() {} };
  const source = {
    valid: () => view.credential ?? null,
    peek: () => view.credential ?? null,
    getToken() {
      asked.push("token");
      return does.getToken();
    },
    renew(cause: string) {
      asked.push(cause);
      return does.renew();
    },
    request: never,
    end: never,
    loseOwner() {},
  };
  const tokens = createCallTokens(context, { view, refresher, source });
  await write(liveRecord(context, changes));
  /** Another token, which this tab has renewed. */
  const renewed = async (next: Partial<LedgerRecord> = {}): Promise<Refreshed> => {
    const { version } = context.ledger.current!;
    const record = liveRecord(context, {
      version: version + 1,
      committedAt: context.clock.now(),
      tokens: { accessToken: `fresh-${version + 1}`, refreshToken: "next" },
      ...next,
    });
    await context.ledger.apply<void>(() => ({ next: record }));
    return "refreshed";
  };
  const effort = (left = 30_000): Effort => ({ url: ADDRESS, left, signal: undefined });
  return { ...test, clock, view, tokens, asked, does, refresher, renewed, effort };
}

const never = (): Promise<never> => Promise.reject(new Error("not here"));
const busy = () => Promise.reject(new SessionError("busy", "no"));

describe("a call that has no token", () => {
  it("gets the one that a refresh brings", async () => {
    const { tokens, does, renewed, effort, clock } = await setUp();
    does.getToken = async () => await renewed();
    expect((await clock.until(tokens.wait(effort())))?.token).toBe("fresh-4");
  });

  it("gets the expired one where a refresh brings none: the API decides what it thinks of it", async () => {
    const { tokens, does, effort, clock } = await setUp();
    does.getToken = busy;
    expect((await clock.until(tokens.wait(effort())))?.token).toBe("access");
  });

  it("R44 gets no token of another user, who has signed in meanwhile", async () => {
    const { tokens, does, renewed, effort, clock } = await setUp();
    does.getToken = async () => await renewed({ epoch: clock.now() });
    await expect(clock.until(tokens.wait(effort()))).rejects.toMatchObject({ code: "user-changed", lost: false });
  });

  it("R41 gets none once the session has reached its limit", async () => {
    const { tokens, effort, clock } = await setUp({}, { maxAge: maxAge(130_000) });
    await clock.advance(10_000);
    expect(await clock.until(tokens.wait(effort()))).toBeNull();
  });

  it("waits together with the others: a thousand of them ask once", async () => {
    const { tokens, does, effort, clock, asked } = await setUp();
    does.getToken = () => new Promise((resolve) => clock.after(100, () => resolve("access")));
    const calls = Array.from({ length: 1_000 }, () => tokens.wait(effort()));
    expect((await clock.until(Promise.all(calls))).every((credential) => credential?.token === "access")).toBe(true);
    expect(asked).toEqual(["token"]);
    await clock.until(tokens.wait(effort()));
    expect(asked, "one that comes later asks for itself").toEqual(["token", "token"]);
  });

  it("R53 waits for no longer than it may in all", async () => {
    const { tokens, does, effort, clock } = await setUp();
    does.getToken = () => new Promise(() => {});
    const own = effort(3_000);
    const since = clock.monotonic();
    await clock.until(tokens.wait(own));
    expect([clock.monotonic() - since, own.left]).toEqual([3_000, 0]);
  });

  it("R53 has what is left of that for its next wait", async () => {
    const { tokens, does, effort, clock } = await setUp();
    does.getToken = () => new Promise((resolve) => clock.after(400, () => resolve("access")));
    const own = effort(1_000);
    await clock.until(tokens.wait(own));
    expect(own.left).toBe(600);
  });

  it("R53 gets five seconds more when the device has slept meanwhile: the answer may have died on the way", async () => {
    const { tokens, does, effort, clock, asked } = await setUp();
    does.getToken = () => new Promise(() => {});
    const waiting = tokens.wait(effort(3_000));
    await clock.sleep(60_000);
    const since = clock.monotonic();
    await clock.until(waiting);
    expect([Math.round((clock.monotonic() - since) / 1_000), asked.length]).toEqual([8, 1]);
  });
});

describe("R57 a call in a prerendered page", () => {
  const prerendered = () => setUp({}, {}, true);

  it("has its whole time after the activation", async () => {
    const { tokens, does, effort, clock, context } = await prerendered();
    does.getToken = () => new Promise((resolve) => clock.after(60_400, () => resolve("access")));
    const own = effort(1_000);
    const waiting = tokens.wait(own);
    await clock.advance(60_000);
    context.waits.activate();
    await clock.until(waiting);
    expect(own.left).toBe(600);
  });

  it("has all of its time left when it got its token before", async () => {
    const { tokens, does, effort, clock } = await prerendered();
    does.getToken = () => new Promise((resolve) => clock.after(60_000, () => resolve("access")));
    const own = effort(1_000);
    await clock.until(tokens.wait(own));
    expect(own.left).toBe(1_000);
  });
});

describe("a call whose token an API has refused", () => {
  it("R28 gets a renewed one, and knows that the renewal was made for it", async () => {
    const { tokens, does, renewed, effort, clock, asked, view, context } = await setUp();
    does.renew = renewed;
    const own = effort();
    const refused = view.credential!;
    expect((await clock.until(tokens.replace(refused, own)))?.token).toBe("fresh-4");
    expect([asked, own]).toMatchObject([["unauthorized"], { began: true, renewal: context.ledger.current!.committedAt }]);
  });

  it("R28 gets the newer one that is there already, and nothing is renewed", async () => {
    const { tokens, renewed, effort, clock, asked, view } = await setUp();
    const refused = view.credential!;
    await clock.until(renewed());
    const own = effort();
    expect((await clock.until(tokens.replace(refused, own)))?.token).toBe("fresh-4");
    expect([asked, own.renewal]).toEqual([[], undefined]);
  });

  it("gets a renewed one if the newer one that is there has expired, too", async () => {
    const { tokens, does, renewed, effort, clock, asked, view } = await setUp();
    const refused = view.credential!;
    await clock.until(renewed({ expiresAt: clock.now() }));
    does.renew = renewed;
    expect((await clock.until(tokens.replace(refused, effort())))?.token).toBe("fresh-5");
    expect(asked).toEqual(["unauthorized"]);
  });

  it("gets null when nothing was renewed", async () => {
    const { tokens, does, effort, clock, view } = await setUp();
    does.renew = busy;
    const own = effort();
    expect(await clock.until(tokens.replace(view.credential!, own))).toBeNull();
    expect(own.renewal).toBeUndefined();
  });

  it("R45 asks once more for itself where it joined a refresh that then gave up", async () => {
    const { tokens, does, renewed, effort, clock, asked, view, refresher } = await setUp();
    refresher.flight = {} as Flight;
    does.renew = () => (asked.length === 1 ? busy() : renewed());
    const own = effort();
    expect((await clock.until(tokens.replace(view.credential!, own)))?.token).toBe("fresh-4");
    expect([asked, own.began]).toEqual([["unauthorized", "unauthorized"], false]);
  });

  it("does not ask again where it began the refresh that gave up", async () => {
    const { tokens, does, effort, clock, asked, view } = await setUp();
    does.renew = busy;
    await clock.until(tokens.replace(view.credential!, effort()));
    expect(asked).toEqual(["unauthorized"]);
  });

  it("R49 counts a renewal as one that cured nothing where the caller has given up by then", async () => {
    const { tokens, does, renewed, effort, clock, view, context } = await setUp();
    does.renew = renewed;
    const controller = new AbortController();
    const own: Effort = { ...effort(), signal: controller.signal };
    controller.abort();
    await clock.until(tokens.replace(view.credential!, own));
    await clock.advance(20);
    expect(context.ledger.current!.uncured?.[""]).toMatchObject({ count: 1, judged: own.renewal });
  });
});
