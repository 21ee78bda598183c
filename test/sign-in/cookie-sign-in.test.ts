import { describe, expect, it } from "vitest";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { signedOut } from "../../src/ledger/transitions/index.js";
import { type CookieSignInPlugin, cookieSignIn } from "../../src/sign-in/cookie-sign-in.js";
import type { RefreshStrategy } from "../../src/types/index.js";
import { contextOver, liveRecord } from "../support/context.js";

/** A sign-in by a cookie over a refresher whose refreshes the test settles. */
function setUp(strategy: Partial<RefreshStrategy> = { needsRefreshToken: false }) {
  const test = contextOver({ strategy });
  const { context } = test;
  const { clock } = test.world;
  const begun: (LedgerRecord | undefined)[] = [];
  const order: string[] = [];
  const count = { signOuts: 0 };
  const refresher = {
    flight: undefined as { readonly begins: boolean; readonly promise: Promise<unknown> } | undefined,
    async refresh(cause: string) {
      order.push(cause);
      begun.push(context.ledger.current);
      return "refreshed";
    },
  };
  const restored = async () => void order.push("restored");
  const connected = (cookieSignIn() as CookieSignInPlugin).connect(context, { restored, refresher: refresher as never });
  const signIn = () => connected({ now: context.clock.now(), tab: context.tab, random: () => 0.5 }, () => count.signOuts);
  return { ...test, clock, signIn, begun, order, refresher, count };
}

const outcome = (promise: Promise<unknown>) => promise.catch((error: { code?: string }) => error.code);

describe("R42 a sign-in by a cookie", () => {
  it("renews after the restore, and has a record for the lease", async () => {
    const { signIn, clock, order, begun } = setUp();
    await clock.until(signIn());
    expect(order).toEqual(["restored", "sign-in"]);
    expect(begun).toMatchObject([{ signedIn: false, version: 1 }]);
  });

  it("leaves the record that there is", async () => {
    const { signIn, clock, begun, write, context } = setUp();
    await write(liveRecord(context, { renewedBy: undefined }));
    const before = context.ledger.current;
    await clock.until(signIn());
    expect(begun).toEqual([before]);
  });

  it("waits for the refresh that is under way, and joins another sign-in", async () => {
    const { signIn, clock, order, refresher } = setUp();
    let settle = () => {};
    refresher.flight = { begins: false, promise: new Promise<void>((_, reject) => (settle = () => reject(new Error("no")))) };
    const signedIn = signIn();
    await clock.advance(50);
    expect(order).toEqual(["restored"]);
    refresher.flight = { begins: true, promise: Promise.resolve() };
    settle();
    await clock.until(signedIn);
    expect(order).toEqual(["restored", "sign-in"]);
  });

  it("is called off by a sign-out of this tab, or of another one, during that refresh", async () => {
    for (const own of [true, false]) {
      const { signIn, clock, order, refresher, count, write, context } = setUp();
      await write(liveRecord(context, { renewedBy: undefined }));
      let settle = () => {};
      refresher.flight = { begins: false, promise: new Promise<void>((resolve) => (settle = resolve)) };
      const signedIn = outcome(signIn());
      await clock.advance(50);
      if (own) count.signOuts++;
      else await write(signedOut(context.ledger.current, { now: context.clock.now(), tab: "other", random: () => 0.5 }, "user"));
      refresher.flight = undefined;
      settle();
      expect([await clock.until(signedIn), order]).toEqual(["signed-out", ["restored"]]);
    }
  });

  it.each([{ needsRefreshToken: true }, { needsRefreshToken: false, needsValidToken: true }])(
    "is no option for a strategy that needs the tokens of a login: %o",
    (strategy) => {
      expect(() => setUp(strategy)).toThrow(/^cookieSignIn: refresh must be cookie\(\{ … \}\), or a function of your own/);
    },
  );
});
