import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { maxAge } from "../../src/limits/max-age.js";
import type { Refreshed } from "../../src/refresh/flight.js";
import { createTokenSource } from "../../src/session/token-source.js";
import { createView } from "../../src/session/view.js";
import type { RefreshCause } from "../../src/types/index.js";
import { type ContextOptions, contextOver, liveRecord } from "../support/context.js";

/** A tab with a token source, whose refreshes do what the test says. */
async function setUp(changes: Partial<LedgerRecord> | null = {}, given: ContextOptions = {}) {
  const test = contextOver(given);
  const { context, world, followers, write } = test;
  const { clock } = world;
  const view = createView(context);
  followers.push(view);
  const causes: [RefreshCause, boolean][] = [];
  const refreshes = { answer: async (): Promise<Refreshed> => "refreshed" };
  const scheduler = { checks: 0, stops: 0, check: () => void scheduler.checks++, stop: () => void scheduler.stops++ };
  const restore = { done: async () => {}, behind: false };
  const source = createTokenSource(context, {
    view,
    scheduler,
    catchUp: () => (restore.behind ? restore.done() : undefined),
    restored: () => restore.done(),
    refresher: {
      flight: undefined,
      refresh(cause, networkIsBack = false) {
        causes.push([cause, networkIsBack]);
        return refreshes.answer();
      },
      changed() {},
      stop() {},
    },
  });
  const failsWith = (code: SessionError["code"]) => {
    refreshes.answer = () => Promise.reject(new SessionError(code, "no"));
  };
  /** Its value, or the code of its error. */
  const outcome = (promise: Promise<unknown>) => clock.until(promise.catch((error: SessionError) => error.code ?? error));
  if (changes) await write(liveRecord(context, changes));
  return { ...test, clock, view, source, causes, refreshes, scheduler, restore, failsWith, outcome };
}

const expired = { expiresAt: Date.UTC(2029, 11, 31) };

describe("the token at this moment", () => {
  it("is there while it can be sent, for as long as is asked for", async () => {
    const { source, clock } = await setUp();
    expect(source.peek()?.token).toBe("access");
    expect([source.peek(28_000)?.token, source.peek(30_000)]).toEqual(["access", null]);
    await clock.advance(29_500);
    expect(source.peek()).toBeNull();
  });

  it("makes the scheduler look when it is due, for its timer is late", async () => {
    const { source, clock, scheduler } = await setUp();
    source.peek();
    expect(scheduler.checks).toBe(0);
    await clock.sleep(21_000);
    expect([source.peek()?.token, scheduler.checks]).toEqual(["access", 1]);
  });

  it("R41 is none once the session has reached a limit", async () => {
    const { source, clock } = await setUp({}, { options: { maxAge: maxAge(130_000) } });
    expect(source.peek()?.token).toBe("access");
    await clock.advance(10_000);
    expect(source.peek()).toBeNull();
  });

  it("R55 is not known while this tab has to read what it missed, but to the scheduler", async () => {
    const { source, restore } = await setUp();
    restore.behind = true;
    expect([source.peek(), source.valid()?.token]).toEqual([null, "access"]);
    restore.behind = false;
    expect(source.peek()?.token).toBe("access");
  });

  it("R55 the tab looks whether it missed something before the scheduler sets a late timer anew", async () => {
    const { source, clock, scheduler, restore } = await setUp();
    await clock.sleep(21_000);
    restore.behind = true;
    source.peek();
    expect(scheduler.checks).toBe(0);
  });

  it("throws once the session was disposed of", async () => {
    const { source, context } = await setUp();
    context.waits.dispose(new SessionError("disposed", "over"));
    expect(() => source.peek()).toThrow("over");
    await expect(source.request()).rejects.toMatchObject({ code: "disposed" });
    await expect(source.getToken()).rejects.toMatchObject({ code: "disposed" });
  });
});

describe("a call for a token", () => {
  it("gets the one there is, and refreshes nothing", async () => {
    const { source, causes, outcome } = await setUp();
    expect(await outcome(source.getToken())).toBe("access");
    expect(causes).toEqual([]);
  });

  it("R55 waits until this tab has read what it missed", async () => {
    const { source, causes, restore, clock, outcome } = await setUp();
    restore.behind = true;
    restore.done = () =>
      new Promise((resolve) =>
        clock.after(300, () => {
          restore.behind = false;
          resolve();
        }),
      );
    const since = clock.monotonic();
    expect(await outcome(source.getToken())).toBe("access");
    expect([clock.monotonic() - since, causes]).toEqual([300, []]);
  });

  it("asks for no more validity than half a lifetime: no token would be good enough", async () => {
    const { source, causes, outcome, write, context, clock } = await setUp();
    const now = context.clock.now();
    await write(liveRecord(context, { version: 4, issuedAt: now - 20_000, expiresAt: now + 40_000 }));
    expect(await outcome(source.getToken({ minValidity: 3_600_000 }))).toBe("access");
    await clock.advance(10_000);
    expect(await outcome(source.getToken({ minValidity: 28_000 })), "with less than half a lifetime left").toBe("access");
    await outcome(source.getToken({ minValidity: 29_000 }));
    expect(causes).toEqual([["expired", false]]);
  });

  it("R41 asks for no more validity than the session lasts", async () => {
    const { source, causes, outcome } = await setUp({}, { options: { maxAge: maxAge(125_000) } });
    expect(await outcome(source.getToken({ minValidity: 29_000 }))).toBe("access");
    expect(causes).toEqual([]);
  });

  it("gets the token that a refresh brings", async () => {
    const { source, refreshes, context, outcome, causes } = await setUp(expired);
    refreshes.answer = async () => {
      const next = liveRecord(context, { version: 4, tokens: { accessToken: "fresh", refreshToken: "next" } });
      await context.ledger.apply<void>(() => ({ next }));
      return "refreshed";
    };
    expect(await outcome(source.getToken())).toBe("fresh");
    expect(causes).toEqual([["expired", false]]);
  });

  it("rejects with why there is none as long as the session goes on, and gets null when it is over", async () => {
    const { source, outcome, failsWith, context, refreshes } = await setUp(expired);
    failsWith("network");
    expect(await outcome(source.getToken())).toBe("network");
    refreshes.answer = async () => {
      const next = liveRecord(context, { signedIn: false, epoch: context.clock.now(), tokens: undefined, reason: "rejected" });
      await context.ledger.apply<void>(() => ({ next }));
      throw new SessionError("rejected", "no");
    };
    expect(await outcome(source.getToken())).toBeNull();
  });

  it("waits until the tab knows what an earlier page left", async () => {
    const { source, outcome, restore, context, view } = await setUp(null);
    restore.done = async () => void (await context.ledger.apply<void>(() => ({ next: liveRecord(context) })));
    expect(view.snapshot.status).toBe("restoring");
    expect(await outcome(source.getToken())).toBe("access");
  });

  it("gets null where an earlier page left nothing", async () => {
    const { source, outcome, restore, view, causes } = await setUp(null);
    restore.done = async () => view.endRestore();
    expect(await outcome(source.getToken())).toBeNull();
    expect(causes).toEqual([]);
  });

  it("is let go by its own signal, and the refresh goes on for the others", async () => {
    const { source, refreshes, outcome, causes } = await setUp(expired);
    let finish!: (outcome: Refreshed) => void;
    refreshes.answer = () => new Promise((resolve) => (finish = resolve));
    const controller = new AbortController();
    const one = source.getToken({ signal: controller.signal });
    controller.abort("enough");
    await expect(one).rejects.toBe("enough");
    const other = source.getToken();
    finish("refreshed");
    expect(await outcome(other)).toBe("access");
    expect(causes).toHaveLength(2);
  });

  it("is let go by a signal that was aborted before, though there is a token", async () => {
    const { source } = await setUp();
    await expect(source.getToken({ signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
  });

  it("is told of an option that is wrong, or does not exist", async () => {
    const { source } = await setUp();
    await expect(source.getToken({ minValidity: -1 })).rejects.toThrow(TypeError);
    await expect(source.getToken({ minvalidity: 1 } as never)).rejects.toThrow(/no option minvalidity/);
  });

  it("R41 ends a session that has reached its limit, and gets null", async () => {
    const { source, clock, outcome, context, causes } = await setUp({}, { options: { maxAge: maxAge(130_000) } });
    await clock.advance(10_000);
    expect(await outcome(source.getToken())).toBeNull();
    expect([context.ledger.current, causes]).toMatchObject([{ signedIn: false, reason: "max-age" }, []]);
  });
});

describe("a refresh that the app asks for", () => {
  it("comes after the restore", async () => {
    const { source, restore, causes, outcome, clock } = await setUp();
    let restored!: () => void;
    restore.done = () => new Promise((resolve) => (restored = resolve));
    const asked = source.request();
    await clock.advance(100);
    expect(causes).toEqual([]);
    restored();
    expect(await outcome(asked)).toBe("refreshed");
    expect(causes).toEqual([["requested", false]]);
  });
});

describe("a refresh for which the means are gone", () => {
  const useless = { ...expired, final: true };

  it.each([
    ["no refresh token", undefined, "expired"],
    ["a refusal", "rejected", "rejected"],
  ] as const)("R20 ends the session once its token is of no use: %s", async (_, code, reason) => {
    const failure = code && { code, attempt: 1, at: 1, retryAt: null };
    const { source, failsWith, outcome, context, clock, posted } = await setUp({ ...useless, failure });
    failsWith("not-renewable");
    expect(await outcome(source.renew("expired"))).toBe("not-renewable");
    await clock.advance(20);
    expect(context.ledger.current).toMatchObject({ signedIn: false, reason });
    expect(posted().at(-1)).toMatchObject({ type: "changed", record: { signedIn: false } });
  });

  it("R20 leaves the session alone while its token is valid, unless an API has refused that, too", async () => {
    const failure = { code: "rejected", attempt: 1, at: 1, retryAt: null } as const;
    const { source, failsWith, outcome, context, clock } = await setUp({ final: true, failure });
    failsWith("not-renewable");
    await outcome(source.renew("due"));
    await clock.advance(20);
    expect(context.ledger.current?.signedIn).toBe(true);
    await outcome(source.renew("unauthorized"));
    await clock.advance(20);
    expect(context.ledger.current).toMatchObject({ signedIn: false, reason: "rejected" });
  });

  it("loses the owner, and leaves the session to the other tabs, when the tab that can renew is silent", async () => {
    const without = { ...expired, tokens: { accessToken: "access" } };
    const { source, failsWith, outcome, context, view, clock, scheduler } = await setUp(without);
    failsWith("not-renewable");
    await outcome(source.renew("expired"));
    await clock.advance(20);
    expect(view.snapshot).toMatchObject({ status: "signed-out", reason: "owner-closed" });
    expect([context.ledger.current?.signedIn, scheduler.stops]).toEqual([true, 1]);
  });

  it("does not lose an owner that has lately failed: it is still open until a minute after its next attempt was due", async () => {
    const test = await setUp();
    const now = test.context.clock.now();
    const failure = { code: "network", attempt: 1, at: now, retryAt: now + 10_000 } as const;
    await test.write(liveRecord(test.context, { ...expired, tokens: { accessToken: "access" }, failure }));
    test.failsWith("not-renewable");
    await test.clock.advance(69_000);
    await test.outcome(test.source.renew("expired"));
    expect(test.view.snapshot.status).toBe("signed-in");
    await test.clock.advance(2_000);
    await test.outcome(test.source.renew("expired"));
    expect(test.view.snapshot.status).toBe("signed-out");
  });

  it("R25 does not end a session that another tab has renewed meanwhile", async () => {
    const { source, outcome, context, world, clock } = await setUp(useless);
    const stored = world.stores.read("session") as LedgerRecord;
    world.stores.plant("session", { ...stored, version: 4, by: "other", committedAt: context.clock.now(), final: false });
    await outcome(source.end());
    await clock.advance(20);
    expect(context.ledger.current).toMatchObject({ signedIn: true, version: 4 });
  });
});
