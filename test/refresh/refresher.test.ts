import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { createRefresher } from "../../src/refresh/refresher.js";
import type { RefreshContext, Tokens } from "../../src/types/index.js";
import { type ContextOptions, contextOver, liveRecord } from "../support/context.js";

const TIMEOUT = 10_000;

/** A tab with a refresher, in a session. Its server answers when `answer` is called. */
async function setUp(changes: Partial<LedgerRecord> = {}, { strategy, ...rest }: ContextOptions = {}) {
  const asked: RefreshContext[] = [];
  const waiting: { resolve: (tokens: Tokens) => void; reject: (error: SessionError) => void }[] = [];
  const refresh = (context: RefreshContext) => {
    asked.push(context);
    return new Promise<Tokens>((resolve, reject) => waiting.push({ resolve, reject }));
  };
  const test = contextOver({ strategy: { refresh, ...strategy }, ...rest });
  const { clock } = test.world;
  await test.write(liveRecord(test.context, changes));
  const refresher = createRefresher(test.context);
  test.followers.push(refresher);
  async function answer(tokens: Tokens = { access_token: "fresh", refresh_token: "next" }) {
    await clock.advance(50);
    waiting.shift()!.resolve(tokens);
    await clock.advance(50);
  }
  async function reject() {
    await clock.advance(50);
    waiting.shift()!.reject(new SessionError("rejected", "no"));
    await clock.advance(50);
  }
  /** What a caller gets: the outcome, or the code of the error. */
  const outcome = (promise: Promise<unknown>) => promise.catch(({ code }: SessionError) => code);
  return { ...test, clock, refresher, asked, answer, reject, outcome };
}

describe("the refresher", () => {
  it("R1 makes one request for all callers of a tab, and tells each of them the outcome", async () => {
    const { refresher, answer, asked, context } = await setUp();
    const callers = [refresher.refresh("due"), refresher.refresh("expired"), refresher.refresh("unauthorized")];
    expect(refresher.flight).toBeDefined();
    await answer();
    expect(await Promise.all(callers)).toEqual(["refreshed", "refreshed", "refreshed"]);
    expect([asked.length, refresher.flight]).toEqual([1, undefined]);
    expect(context.ledger.current?.tokens).toMatchObject({ accessToken: "fresh", refreshToken: "next" });
  });

  it("R20 a refusal of a scheduled refresh leaves the token that is still valid", async () => {
    const { refresher, reject, outcome, context } = await setUp();
    const scheduled = outcome(refresher.refresh("due"));
    await reject();
    expect([await scheduled, context.ledger.current]).toMatchObject(["rejected", { signedIn: true, final: true }]);
  });

  it("R20 a refusal ends the session if a caller had joined the scheduled refresh", async () => {
    const { refresher, reject, outcome, context } = await setUp();
    const scheduled = outcome(refresher.refresh("due"));
    const caller = outcome(refresher.refresh("expired"));
    await reject();
    expect(await Promise.all([scheduled, caller])).toEqual(["rejected", "rejected"]);
    expect(context.ledger.current).toMatchObject({ signedIn: false, reason: "rejected" });
  });

  it("R49 a caller whose token was refused makes the refresh that it joins one for a refusal", async () => {
    const { refresher, answer, context } = await setUp();
    const scheduled = refresher.refresh("due");
    const caller = refresher.refresh("unauthorized");
    await answer();
    await Promise.all([scheduled, caller]);
    const { uncured, committedAt } = context.ledger.current!;
    expect(uncured?.[""]?.asked).toBe(committedAt);
  });

  it("rejects where there is no session, and asks nobody", async () => {
    const { refresher, outcome, clock, asked } = await setUp({ signedIn: false, tokens: undefined });
    expect(await outcome(refresher.refresh("expired"))).toBe("signed-out");
    await clock.advance(1_000);
    expect(asked).toEqual([]);
  });

  it("R49 a refusal by an API that refuses each token is answered at once, without the lock", async () => {
    const { refresher, outcome, context, write, debug, world, events } = await setUp();
    const { committedAt } = context.ledger.current!;
    await write({ ...context.ledger.current!, uncured: { "": { count: 3, at: context.clock.now(), asked: committedAt, judged: 0 } } });
    expect(await outcome(refresher.refresh("unauthorized"))).toBe("busy");
    events.flush();
    expect([debug.at(-1), world.locks.grants, world.locks.waiting("session")]).toEqual(["refresh-ruled-out", [], []]);
  });

  it("R88 lets no caller wait for longer than six seconds for storage that hangs, and tells the app", async () => {
    const { refresher, outcome, clock, world, events, heard } = await setUp();
    world.stores.trouble = () => "hanging";
    const since = clock.monotonic();
    expect(await clock.until(outcome(refresher.refresh("expired")))).toBe("storage");
    expect(clock.monotonic() - since).toBeLessThan(6_100);
    events.flush();
    expect(heard.map(([event]) => event)).toEqual(["refresh-failed"]);
  });

  it("R2 adopts what another tab has committed, while that tab still holds the lock", async () => {
    const { refresher, outcome, clock, context, world, page, asked } = await setUp();
    const other = world.tab();
    void other.environment.locks!.request("session", () => new Promise(() => {}));
    await clock.advance(10);
    const caller = outcome(refresher.refresh("expired"));
    await clock.advance(100);
    const now = context.clock.now();
    const { current } = context.ledger;
    world.stores.plant("session", { ...current, version: 4, committedAt: now, by: other.name, tokens: { accessToken: "theirs" } });
    await clock.until(context.ledger.read());
    expect(await clock.until(caller, 10)).toBe("adopted");
    await clock.advance(TIMEOUT);
    expect([asked.length, world.locks.waiting("session"), page.timers.size]).toEqual([0, [], 0]);
  });

  it("R25 rejects when the session has ended meanwhile", async () => {
    const { refresher, outcome, clock, context, write } = await setUp();
    const caller = outcome(refresher.refresh("expired"));
    await clock.advance(50);
    await write({ ...context.ledger.current!, signedIn: false, epoch: context.clock.now(), version: 9, tokens: undefined });
    expect(await clock.until(caller, 10)).toBe("signed-out");
  });

  it("R15 does not wait for the pause after a failure when the network has come back", async () => {
    const { refresher, answer, outcome, context, write, clock } = await setUp();
    const now = context.clock.now();
    const failure = { code: "network", attempt: 4, at: now - 1_000, retryAt: now + 60_000 } as const;
    await write({ ...context.ledger.current!, failure });
    expect(await clock.until(outcome(refresher.refresh("due")))).toBe("network");
    const caller = refresher.refresh("due", true);
    await answer();
    expect(await caller).toBe("refreshed");
  });

  it("rejects all callers when it is stopped, and those that come then", async () => {
    const { refresher, outcome, clock, page, asked } = await setUp();
    const caller = outcome(refresher.refresh("expired"));
    await clock.advance(50);
    refresher.stop(new SessionError("disposed", "over"));
    expect([await caller, await outcome(refresher.refresh("expired"))]).toEqual(["disposed", "disposed"]);
    await clock.advance(50);
    expect([page.timers.size, asked.length]).toEqual([0, 1]);
  });

  it("R57 in a prerendered page, waits for the activation, and then counts from there", async () => {
    const { refresher, answer, asked, clock, context } = await setUp({}, { prerendering: true });
    const callers = [refresher.refresh("due"), refresher.refresh("expired")];
    await clock.advance(10 * TIMEOUT);
    expect([asked.length, !!refresher.flight]).toEqual([0, true]);
    context.waits.activate();
    await answer();
    expect(await Promise.all(callers)).toEqual(["refreshed", "refreshed"]);
    expect(asked.length).toBe(1);
  });

  it("R57 in a prerendered page, settles with another tab's token, and asks for nothing at the activation", async () => {
    const { refresher, write, asked, clock, context } = await setUp({}, { prerendering: true });
    const caller = refresher.refresh("expired");
    await clock.advance(10 * TIMEOUT);
    await write(liveRecord(context, { version: 4, by: "other", tokens: { accessToken: "theirs", refreshToken: "next" } }));
    expect(await caller).toBe("adopted");
    context.waits.activate();
    await clock.advance(TIMEOUT);
    expect(asked).toEqual([]);
  });

  it("R57 in a prerendered page, takes no turn once it was disposed of", async () => {
    const { refresher, outcome, asked, clock, context } = await setUp({}, { prerendering: true });
    const caller = outcome(refresher.refresh("expired"));
    const error = new SessionError("disposed", "over");
    context.waits.dispose(error);
    refresher.stop(error);
    await clock.advance(TIMEOUT);
    expect([await caller, asked]).toEqual(["disposed", []]);
  });
});
