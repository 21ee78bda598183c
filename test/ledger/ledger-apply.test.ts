import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import { errorBehind, type LedgerRecord } from "../../src/ledger/record.js";
import { noChange, signedOut, signOut, type Transition } from "../../src/ledger/transitions/index.js";
import { World } from "../../src/testing/world.js";
import { openLedger, puts, setUp, setUpStore, stored, writes } from "./ledger-scene.js";
import { moment, record } from "./records.js";

/** Counts its own tries. Each makes a version more, says which try it was, and has a problem. */
function counting(): Transition<string> & { tries: number } {
  const transition = Object.assign(
    (known: LedgerRecord | undefined) => {
      transition.tries += 1;
      const number = `try ${transition.tries}`;
      return { next: record({ version: (known?.version ?? 2) + 1 }), outcome: number, problems: [`problem of ${number}`] };
    },
    { tries: 0 },
  );
  return transition;
}

describe("a change of the ledger", () => {
  it("R26 resolves with the record and the outcome of the try that became durable, and reports the problems of that one", async () => {
    const { ledger, store, warnings } = setUpStore();
    const transition = counting();
    const outcomes: string[] = [];
    const applied = ledger.apply(transition, { onOutcome: (outcome) => outcomes.push(outcome) });
    store.reaches();
    store.refuses();
    store.reaches();
    expect([outcomes, warnings, ledger.current]).toEqual([[], [], undefined]);
    store.confirms();
    expect(await applied).toEqual({ record: record(), outcome: "try 2" });
    expect([outcomes, warnings, transition.tries]).toEqual([["try 2"], ["problem of try 2"], 2]);
  });

  it("says its outcome before it is told", async () => {
    const { ledger, store, seen } = await stored();
    const order: unknown[] = [];
    const applied = ledger.apply(counting(), {
      onOutcome: (outcome) => order.push(outcome, seen.length, ledger.current?.version),
    });
    store.answers();
    await applied;
    expect(order).toEqual(["try 1", 0, 3]);
    expect(seen).toEqual([{ record: record({ version: 4 }), before: record() }]);
  });

  it("writes nothing, and tells nothing, where a transition leaves the record as it is", async () => {
    const { ledger, store, seen } = await stored();
    const applied = ledger.apply(noChange);
    store.reaches();
    expect(store.underWay[0]?.next).toBeUndefined();
    store.confirms();
    expect(await applied).toEqual({ record: record(), outcome: undefined });
    expect(seen).toEqual([]);
  });

  it("tells nothing of a change that only a user's activity is in", async () => {
    const { ledger, store, seen } = await stored();
    const applied = ledger.apply(writes((known) => ({ ...known!, lastActivityAt: 5_000 })));
    store.answers();
    expect([(await applied).record?.lastActivityAt, ledger.current?.lastActivityAt, seen]).toEqual([5_000, 5_000, []]);
    expect(store.value).toMatchObject({ lastActivityAt: 5_000 });
  });

  it("R26 replaces a value that is no record, even where a transition makes none", async () => {
    const { ledger, store } = setUpStore();
    store.value = { garbage: true };
    const applied = ledger.apply(noChange);
    store.answers();
    expect([await applied, store.value]).toEqual([{ record: undefined, outcome: undefined }, null]);
  });

  it("R41 is made to a session that a limit has ended, where one was reached: nothing is renewed first", async () => {
    let reason: "idle" | undefined;
    const { ledger, store } = await stored({ limitReached: (known) => (known.signedIn ? reason : undefined) });
    reason = "idle";
    const found: (boolean | undefined)[] = [];
    const applied = ledger.apply((known) => ({ outcome: found.push(known?.signedIn) }));
    store.answers();
    expect((await applied).record).toMatchObject({ signedIn: false, reason: "idle", version: 4 });
    expect([found, store.value]).toMatchObject([[false], ledger.current!]);
  });

  it("R10 memory mode: tells with the record before it the tokens that this tab had", async () => {
    const { ledger, store, seen } = await stored({}, { inMemory: true });
    expect(store.value).not.toHaveProperty("tokens.accessToken");
    const applied = ledger.apply(writes((known) => ({ ...known!, version: 4, committedAt: 3_000, tokens: { accessToken: "access 2" } })));
    store.answers();
    await applied;
    expect(seen).toMatchObject([{ before: record({ inMemory: true }), record: { tokens: { accessToken: "access 2" } } }]);
  });

  it("R10 memory mode: tells with another tab's sign-out the tokens that this tab had", async () => {
    const { ledger, store, seen } = await stored({}, { inMemory: true });
    const over = signedOut(record({ inMemory: true }), moment({ tab: "tab 9" }), "user");
    store.value = over;
    const applied = ledger.apply(noChange);
    store.answers();
    await applied;
    expect(seen).toEqual([{ record: over, before: record({ inMemory: true }) }]);
  });

  it("R39 keeps the very failure that this tab noted, by which it knows the error", async () => {
    const { ledger, store } = await stored();
    const failure = { code: "network", attempt: 1, at: 3_000, retryAt: 9_000 } as const;
    const error = new SessionError("network", "no answer");
    errorBehind.set(failure, error);
    const applied = ledger.apply(writes((known) => ({ ...known!, failure })));
    store.answers();
    await applied;
    store.value = structuredClone(store.value);
    const read = ledger.apply(writes((known) => ({ ...known!, quietUntil: 9_000 })));
    store.answers();
    await read;
    expect(errorBehind.get(ledger.current!.failure!)).toBe(error);
  });
});

describe("R26 a change that waits so long for storage (`within`)", () => {
  it("is made there, where storage answers in time, and leaves no timer", async () => {
    const { ledger, store, world, tab } = setUpStore();
    const applied = ledger.apply(puts(), { within: 1_000 });
    await world.clock.advance(999);
    store.answers();
    expect((await world.clock.until(applied)).record).toEqual(record());
    expect([ledger.shared, store.value, tab.timers.size]).toEqual([true, record(), 0]);
  });

  it("is made in memory where storage does not answer, after the changes that waited before it, and with one warning", async () => {
    const { ledger, store, world, tab } = setUpStore();
    const before = ledger.apply(puts());
    const applied = ledger.apply(counting(), { within: 1_000 });
    await world.clock.advance(999);
    expect([ledger.current, ledger.shared]).toEqual([undefined, true]);
    await world.clock.advance(1);
    expect(await applied).toEqual({ record: record({ version: 4 }), outcome: "try 1" });
    expect((await before).record).toEqual(record());
    expect([ledger.shared, ledger.persistent, store.value, tab.reports.length]).toEqual([false, false, undefined, 1]);
  });

  it("is not made twice where storage was told, and has not confirmed it", async () => {
    const { ledger, store, world } = setUpStore();
    const transition = counting();
    const applied = ledger.apply(transition, { within: 1_000 });
    store.reaches();
    await world.clock.advance(1_000);
    expect([(await applied).outcome, transition.tries]).toEqual(["try 1", 1]);
    store.confirms();
    expect([ledger.current?.version, ledger.shared]).toEqual([3, false]);
  });

  it("R35 rejects where the app disposes of the session meanwhile: nothing is made in memory, and no timer is left", async () => {
    const { ledger, world, waits, tab } = setUpStore();
    const applied = ledger.apply(puts(), { within: 1_000 });
    await world.clock.advance(10);
    waits.dispose(new SessionError("disposed", "over"));
    await expect(applied).rejects.toMatchObject({ code: "disposed" });
    await world.clock.advance(1_000);
    expect([ledger.current, ledger.shared, tab.timers.size]).toEqual([undefined, true, 0]);
  });
});

describe("R43 a change that holds at once here (`atOnce`)", () => {
  const over = signedOut(record(), moment(), "user");
  const atOnce = { atOnce: over };

  it("is not taken back for a moment by a commit that storage was told before, when storage does not answer", async () => {
    const { ledger, store, seen, world } = await stored();
    void ledger.apply(writes((known) => ({ ...known!, version: 4, committedAt: 3_000 })));
    store.reaches();
    void ledger.apply(signOut(over), atOnce);
    const applied = ledger.apply(noChange, { within: 1_000 });
    await world.clock.advance(1_000);
    await applied;
    expect([ledger.shared, ledger.current?.signedIn]).toEqual([false, false]);
    expect(seen.map((change) => change.record.signedIn)).not.toContain(true);
  });

  it("is told before storage has it, and once", async () => {
    const { ledger, store, seen } = await stored();
    const applied = ledger.apply(signOut(over), atOnce);
    expect([ledger.current, seen, (store.value as LedgerRecord).signedIn]).toEqual([over, [{ record: over, before: record() }], true]);
    store.answers();
    expect((await applied).outcome).toEqual(record());
    expect([store.value, seen.length]).toMatchObject([over, 1]);
  });

  it("R25 is not undone by what was read before storage had it", async () => {
    const { ledger, store } = await stored();
    const earlier = ledger.apply(writes((known) => ({ ...known!, version: 4 })));
    store.reaches();
    const applied = ledger.apply(signOut(over), atOnce);
    const looked = ledger.read();
    store.confirms();
    await earlier;
    store.reads[0]?.see(store.value);
    await looked;
    expect(ledger.current).toBe(over);
    store.answers();
    await applied;
    expect(ledger.current).toMatchObject({ signedIn: false, version: 5 });
  });

  it("gives way to a sign-in that another tab made later", async () => {
    const { ledger, store } = await stored();
    const later = record({ epoch: over.epoch + 1, version: 9, committedAt: over.epoch });
    store.value = later;
    const applied = ledger.apply(signOut(over), atOnce);
    store.answers();
    expect([(await applied).record, ledger.current]).toEqual([later, later]);
  });

  it("is made in memory where storage was given up, as any other change", async () => {
    const { ledger, store, world, seen } = await stored();
    const known = record({ version: 9 });
    void ledger.apply(puts({ version: 9 }), { within: 0 });
    await world.clock.advance(1);
    seen.length = 0;
    const applied = ledger.apply(signOut(over), atOnce);
    const next = { ...over, version: 10 };
    expect([(await applied).outcome, ledger.current, seen.length]).toEqual([known, next, 1]);
    store.answers();
    expect([ledger.shared, ledger.current, store.value]).toMatchObject([true, next, next]);
  });
});

describe("the moment of a change", () => {
  it("R16 is on the clock that the tabs share, which has reached what was stored; the device's clock stays", async () => {
    const { ledger, store, clock, world } = setUpStore();
    const ahead = world.clock.now() + 3_600_000;
    store.value = record({ committedAt: ahead });
    const applied = ledger.apply((_, at) => ({ outcome: at }));
    store.answers();
    const { now, deviceNow, tab, monotonic } = (await applied).outcome;
    expect([now, deviceNow, tab, monotonic]).toEqual([ahead, world.clock.now(), "tab 1", world.clock.monotonic()]);
    expect(clock.now()).toBe(ahead);
  });

  it("R16 has reached what another tab says, where no storage is shared", async () => {
    const tab = new World().tab(undefined, { store: true });
    const { ledger, clock } = openLedger({ environment: tab.environment, tab: tab.name });
    const ahead = clock.now() + 50_000;
    await ledger.receive(record({ committedAt: ahead }), false);
    expect(clock.now()).toBe(ahead);
    const shared = setUp().open();
    void shared.ledger.receive(record({ committedAt: ahead }), false);
    expect(shared.clock.now(), "where it is, storage says so").toBeLessThan(ahead);
  });

  it("R93 a message moves the clock no further than a minute ahead of the device's clock, however often it comes", async () => {
    const tab = new World().tab(undefined, { store: true });
    const { ledger, clock } = openLedger({ environment: tab.environment, tab: tab.name });
    const device = tab.environment.now();
    for (const version of [2, 3, 4]) await ledger.receive(record({ version, committedAt: device + version * 3_600_000 }), false);
    expect([ledger.current?.version, clock.now()]).toEqual([4, device + 60_000]);
  });
});
