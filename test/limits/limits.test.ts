import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { noteActivity } from "../../src/ledger/transitions/index.js";
import type { IdleWatch } from "../../src/limits/idle.js";
import { createLimits, type Limits } from "../../src/limits/limits.js";
import { maxAge as greatestAge, type MaxAgePlugin } from "../../src/limits/max-age.js";
import { setUpStore } from "../ledger/ledger-scene.js";
import { record } from "../ledger/records.js";

const HOUR = 3_600_000;

/** A session, with its limits, whose storage answers when the test says. */
async function setUp({ maxAge = HOUR, idleAfter = undefined as number | undefined } = {}) {
  let limits: Limits | undefined;
  const scene = setUpStore({ limitReached: (known) => limits?.reached(known) });
  const { ledger, store, clock, waits, world } = scene;
  const endsAt = (known: LedgerRecord) => (known.lastActivityAt ?? known.signedInAt) + idleAfter!;
  const idle = idleAfter ? ({ endsAt } as IdleWatch) : undefined;
  limits = createLimits({ clock, maxAge: greatestAge(maxAge) as MaxAgePlugin, waits, ledger: () => ledger, idle: () => idle });
  const begun = world.clock.now();
  const session = (changes: Partial<LedgerRecord> = {}) =>
    record({ ...{ signedInAt: begun, committedAt: begun, issuedAt: begun, expiresAt: begun + HOUR, dueAt: null }, ...changes });
  const written = ledger.apply(() => ({ next: session(), outcome: undefined }));
  store.answers();
  await written;
  return { ...scene, limits, session, begun };
}

describe("whether a limit is reached", () => {
  it("R41 the greatest age ends a session at its very moment, whoever is active", async () => {
    const { limits, world, session, begun } = await setUp({ idleAfter: 2 * HOUR });
    await world.clock.advance(HOUR - 1);
    expect(limits.reached()).toBeUndefined();
    await world.clock.advance(1);
    expect(limits.reached()).toBe("max-age");
    expect(limits.reached(session({ lastActivityAt: begun + HOUR }))).toBe("max-age");
  });

  it("R41 the server's end of the session is one, too", async () => {
    const { limits, session, begun } = await setUp({ maxAge: Infinity });
    expect([limits.reached(session({ endsAt: begun })), limits.reached(session({ endsAt: begun + 1 }))]).toEqual(["max-age", undefined]);
    expect(limits.reached()).toBeUndefined();
  });

  it("R41 the greatest age and the server's end count together, whichever comes first", async () => {
    const { limits, session, begun } = await setUp();
    const ends = [undefined, begun + HOUR - 1, begun + HOUR + 1].map((endsAt) => limits.endsAt(session({ endsAt })) - begun);
    expect(ends).toEqual([HOUR, HOUR - 1, HOUR]);
  });

  it("R41 the idle limit ends a session at its very moment, and activity puts that off", async () => {
    const { limits, world, session, begun } = await setUp({ idleAfter: 60_000 });
    await world.clock.advance(59_999);
    expect(limits.reached()).toBeUndefined();
    await world.clock.advance(1);
    expect([limits.reached(), limits.reached(session({ lastActivityAt: begun + 1 }))]).toEqual(["idle", undefined]);
  });

  it("no limit binds a session that has ended", async () => {
    const { limits, session } = await setUp();
    expect(limits.reached(session({ signedIn: false, signedInAt: 0 }))).toBeUndefined();
  });
});

describe("enforcing the limits", () => {
  it("R41 ends a session that is over, here and in storage", async () => {
    const { limits, ledger, store, world } = await setUp({ idleAfter: 60_000 });
    await world.clock.advance(60_000);
    const enforced = limits.enforce();
    store.answers();
    await enforced;
    expect(ledger.current).toMatchObject({ signedIn: false, reason: "idle" });
    expect(store.value).toMatchObject(ledger.current!);
  });

  it("R41 lets another tab's activity, which storage knows of, keep the session", async () => {
    const { limits, ledger, store, world, session, begun } = await setUp({ idleAfter: 60_000 });
    await world.clock.advance(60_000);
    store.value = session({ lastActivityAt: begun + 30_000 });
    const enforced = limits.enforce(noteActivity(() => begun + 20_000));
    store.answers();
    await enforced;
    expect(ledger.current).toMatchObject({ signedIn: true, lastActivityAt: begun + 30_000 });
  });

  it("R41 decides by what this tab knows, where storage does not answer within three seconds", async () => {
    const { limits, ledger, world, store, tab } = await setUp({ idleAfter: 60_000 });
    await world.clock.advance(60_000);
    const enforced = limits.enforce();
    await world.clock.advance(2_999);
    expect(ledger.current?.signedIn).toBe(true);
    await world.clock.until(enforced, 2);
    expect(ledger.current).toMatchObject({ signedIn: false, reason: "idle" });
    // The question whether storage answers again is under way until then.
    ledger.close();
    await world.clock.advance(0);
    // The question whether storage answers again is under way.
    expect([ledger.shared, (store.value as LedgerRecord).signedIn, tab.timers.size]).toEqual([false, true, 1]);
  });

  it("gives storage up for no session that goes on", async () => {
    const { limits, ledger, world, store } = await setUp({ idleAfter: 60_000 });
    const enforced = limits.enforce();
    await world.clock.until(enforced, 3_001);
    expect([ledger.shared, ledger.current?.signedIn, store.underWay.length]).toEqual([true, true, 1]);
  });

  it("R35 leaves everything alone where the app disposes of the session meanwhile", async () => {
    const { limits, ledger, store, world, waits, tab } = await setUp({ idleAfter: 60_000 });
    await world.clock.advance(60_000);
    const enforced = limits.enforce();
    waits.dispose(new SessionError("disposed", "over"));
    await world.clock.until(enforced, 1);
    expect([ledger.shared, ledger.current?.signedIn, tab.timers.size]).toEqual([true, true, 0]);
    expect(store.underWay, "no second question").toHaveLength(1);
  });
});
