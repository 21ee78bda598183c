import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { releaseLease } from "../../src/ledger/transitions/index.js";
import type { Answers } from "../../src/refresh/answer.js";
import type { Flight, Turn } from "../../src/refresh/flight.js";
import { createTurns } from "../../src/refresh/turns.js";
import type { SessionContext } from "../../src/session/context.js";
import { memory } from "../../src/session/memory.js";
import type { Lock } from "../../src/tabs/lock.js";
import { type ContextOptions, contextOver, liveRecord } from "../support/context.js";

const TIMEOUT = 10_000;

interface Asked {
  readonly at: number;
  readonly limit: number;
  readonly steal: boolean;
}

/** A tab that takes turns for a lock and with answers that the test makes. */
async function setUp(changes: Partial<LedgerRecord> = {}, given: ContextOptions = {}) {
  const test = contextOver(given);
  const { context, world, page } = test;
  const { clock } = world;
  await test.write(liveRecord(context, changes));

  const asked: Asked[] = [];
  const lock = {
    available: true,
    holding: false,
    departures: 0,
    /** `"later"`: it is refused when the limit is up. `"at once"`: the page is away. */
    refuses: undefined as "later" | "at once" | undefined,
    async hold<T>(work: () => Promise<T>, limit: number, signal: AbortSignal, steal: boolean): Promise<T | undefined> {
      asked.push({ at: clock.monotonic(), limit, steal });
      if (lock.refuses === "at once") return undefined;
      if (!lock.refuses || steal) return work();
      return new Promise((resolve) => {
        page.setTimeout(() => resolve(undefined), limit);
        signal.addEventListener("abort", () => resolve(undefined));
      });
    },
    leave() {},
    comeBack() {},
  };
  /** What the answers were told to run, and what comes of it. */
  const runs: { lease: LedgerRecord; started: number; at: number }[] = [];
  const outcomes: Turn[] = [];
  /** What the ledger held when the request was sent. */
  const stored: LedgerRecord[] = [];
  const answers: Answers = {
    run: async (_flight, lease, started) => {
      runs.push({ lease, started, at: clock.monotonic() });
      stored.push(world.stores.read("session") as LedgerRecord);
      await context.ledger.apply(releaseLease(lease));
      return outcomes.shift() ?? "refreshed";
    },
    stop() {},
  };
  const own: SessionContext = { ...context, tabs: { ...context.tabs, lock: lock satisfies Lock } };
  const turns = createTurns(own, answers);
  test.followers.push({ changed: ({ record }) => turns.sawProgress(record) });
  const over = new AbortController();
  const flight: Flight = {
    base: context.ledger.current!,
    cause: "expired",
    startedAt: context.clock.now(),
    begins: false,
    demanded: true,
    refused: false,
    ignoresBackoff: false,
    promise: new Promise(() => {}),
    over: over.signal,
    giveUp: new SessionError("busy", "a refresh is still under way"),
    writing: false,
    settle() {},
  };
  const take = () => turns.take(flight).then((turn) => (typeof turn === "string" ? turn : turn.code));
  const inLedger = () => world.stores.read("session") as LedgerRecord;
  const leaseOf = (tab: string, since = context.clock.now()) => ({ tab, since, timeout: TIMEOUT });
  return { ...test, clock, lock, asked, runs, outcomes, turns, flight, over, take, stored, inLedger, leaseOf };
}

describe("the turns of a tab", () => {
  it("R1 has a lease in the ledger before the request is sent", async () => {
    const { clock, take, runs, stored, context } = await setUp();
    const fence = context.ledger.current!.fence;
    const before = clock.monotonic();
    expect(await clock.until(take())).toBe("refreshed");
    expect(runs).toHaveLength(1);
    expect(runs[0]!.lease).toMatchObject({ fence: fence + 1, refreshing: { tab: context.tab, timeout: TIMEOUT } });
    expect(stored[0]!.refreshing).toEqual(runs[0]!.lease.refreshing);
    expect(runs[0]!.started).toBeGreaterThanOrEqual(before);
    expect(runs[0]!.started, "before any other tab can see the lease").toBeLessThan(runs[0]!.at);
  });

  it("R5 asks again for a lock that is not granted, and looks in between whether its holder has committed", async () => {
    const { clock, take, lock, asked, world, inLedger, runs, context } = await setUp();
    lock.refuses = "later";
    const turn = take();
    await clock.advance(600);
    world.stores.plant("session", { ...inLedger(), version: 4, by: "other", committedAt: context.clock.now() });
    await clock.advance(5_000);
    expect([asked.map(({ limit }) => limit), context.ledger.current?.version]).toEqual([[500, 5_000, 5_000], 4]);
    lock.refuses = undefined;
    expect([await clock.until(turn), runs.length]).toEqual(["adopted", 0]);
  });

  it("R5 gives up when the time is up, with the error that the flight has", async () => {
    const { clock, take, lock, flight } = await setUp();
    lock.refuses = "later";
    flight.giveUp = new SessionError("not-renewable", "own");
    const since = clock.monotonic();
    expect(await clock.until(take())).toBe("not-renewable");
    expect(Math.round((clock.monotonic() - since) / 100) * 100).toBe(TIMEOUT + 3_000);
  });

  it("R6 steals the lock from a holder that has not moved for `takeoverAfter`, and counts that holder's answer as lost", async () => {
    const { clock, take, lock, asked, runs, write, context, leaseOf } = await setUp({}, { options: { takeoverAfter: TIMEOUT + 1 } });
    await write({ ...context.ledger.current!, refreshing: leaseOf("stuck", context.clock.now() - 60_000), fence: 3 });
    lock.refuses = "later";
    expect(await clock.until(take())).toBe("refreshed");
    expect(asked.map(({ steal }) => steal)).toEqual([false, false, false, true]);
    expect(runs[0]!.lease).toMatchObject({ fence: 4, lost: true });
  });

  it("R6 says in the ledger that it has stolen the lock, so that no tab takes its holder for one that has closed", async () => {
    const { clock, take, lock, write, context, leaseOf, inLedger, runs } = await setUp({}, { options: { takeoverAfter: TIMEOUT + 1 } });
    const refreshing = { ...leaseOf("stuck", context.clock.now() - 60_000), timeout: 30_000 };
    await write({ ...context.ledger.current!, refreshing, fence: 3 });
    lock.refuses = "later";
    expect(await clock.until(take())).toBe("busy");
    expect([inLedger().refreshing, runs.length]).toEqual([{ ...refreshing, robbed: true }, 0]);
  });

  it("R6 waits until another tab's lease has run out, and takes it over then", async () => {
    const { clock, take, write, context, leaseOf, runs } = await setUp();
    await write({ ...context.ledger.current!, refreshing: leaseOf("closed"), fence: 3 });
    const since = clock.monotonic();
    expect(await clock.until(take())).toBe("refreshed");
    expect(clock.monotonic() - since).toBeGreaterThanOrEqual(TIMEOUT);
    expect(runs[0]!.lease, "the answer of that tab is lost").toMatchObject({ fence: 4, lost: true });
  });

  it("R11 waits a second, and asks again, when the page is away and the lock is not even asked for", async () => {
    const { clock, take, lock, asked } = await setUp();
    lock.refuses = "at once";
    const turn = take();
    await clock.advance(2_100);
    expect(asked.map(({ at }) => at - asked[0]!.at)).toEqual([0, 1_000, 2_000]);
    lock.refuses = undefined;
    expect(await clock.until(turn)).toBe("refreshed");
  });

  it.each(["was suspended", "left, and came back"])(
    "R11 sends nothing, and gives the lease back, when the page %s since it took the lease",
    async (way) => {
      const { clock, take, lock, runs, page } = await setUp();
      const turn = take();
      if (way === "was suspended") {
        await clock.advance(2);
        page.freeze();
        await clock.advance(TIMEOUT / 2);
        page.thaw();
      } else lock.departures++;
      expect(await clock.until(turn)).toBe("refreshed");
      expect(runs.map(({ lease }) => [lease.fence, lease.lost])).toEqual([[4, false]]);
    },
  );

  it("gives the lease back when the callers are gone", async () => {
    const { clock, take, over, runs, inLedger } = await setUp();
    const turn = take();
    await clock.advance(2);
    over.abort();
    expect(await clock.until(turn)).toBe("busy");
    await clock.advance(50);
    expect([runs.length, inLedger().refreshing]).toEqual([0, undefined]);
  });

  it("takes no lease for callers that are gone by then", async () => {
    const { clock, take, over, asked, inLedger } = await setUp();
    const turn = take();
    over.abort();
    expect([await clock.until(turn), await clock.until(take())]).toEqual(["busy", "busy"]);
    expect([asked.length, inLedger().fence]).toEqual([1, 2]);
  });

  it("takes another turn after as many milliseconds as an answer says, a second at most, or when it is woken", async () => {
    const { clock, take, outcomes, runs, turns } = await setUp();
    outcomes.push(300, 5_000, 1_000, "adopted");
    const turn = take();
    await clock.advance(1_500);
    turns.wake();
    expect(await clock.until(turn, 100)).toBe("adopted");
    const pauses = runs.slice(1).map(({ at }, index) => Math.floor((at - runs[index]!.at) / 100));
    expect(pauses).toEqual([3, 10, 1]);
  });

  it("asks the owner for a token where this tab has no means to renew, and says that the owner did not answer", async () => {
    const { clock, take, runs, posted, context, write, inLedger } = await setUp({}, { options: { persist: memory() } });
    const { ledger } = context;
    await write({ ...ledger.current!, tokens: { accessToken: "access" } });
    const turn = take();
    await clock.advance(50);
    expect(posted().at(-1)).toMatchObject({ type: "ask", version: 4, shared: true });
    expect(await clock.until(turn)).toBe("not-renewable");
    expect([runs.length, inLedger().refreshing]).toEqual([0, undefined]);
  });

  it("R3 says what it is about to do where no ledger orders the tabs, and does it only if no tab objects", async () => {
    const { clock, take, posted, runs, context } = await setUp({}, { lacks: { store: true } });
    const turn = take();
    await clock.advance(20);
    expect(posted()).toMatchObject([
      { type: "changed", record: { refreshing: { tab: context.tab } } },
      { type: "ask", version: 4, shared: false },
    ]);
    expect(runs).toEqual([]);
    const later = { ...context.ledger.current!, version: 5, by: "other", committedAt: context.clock.now(), refreshing: undefined };
    await context.ledger.receive({ ...later, tokens: { accessToken: "theirs" } }, false);
    expect(await clock.until(turn)).toBe("adopted");
    expect(runs).toEqual([]);
  });

  it("R3 does it when no tab has objected", async () => {
    const { clock, take, runs } = await setUp({}, { lacks: { store: true } });
    const since = clock.monotonic();
    expect(await clock.until(take())).toBe("refreshed");
    expect([runs.length, clock.monotonic() - since]).toEqual([1, 150]);
  });

  it("R49 hands on why the refresh is ruled out", async () => {
    const { clock, take, debug, context, write, events, flight } = await setUp();
    const { committedAt } = context.ledger.current!;
    await write({ ...context.ledger.current!, uncured: { "": { count: 3, at: context.clock.now(), asked: committedAt, judged: 0 } } });
    flight.refused = true;
    expect(await clock.until(take())).toBe("busy");
    events.flush();
    expect(debug).toContain("refresh-ruled-out");
  });
});
