import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { createPageLife } from "../../src/session/page-life.js";
import { contextOver, liveRecord } from "../support/context.js";

/** A tab whose page comes and goes. */
async function setUp(changes: Partial<LedgerRecord> = {}) {
  const test = contextOver();
  const { context, world, write } = test;
  const { clock } = world;
  const calls: string[] = [];
  const can = { renew: true, peek: true };
  const scheduler = { lateAt: Infinity, check: () => void calls.push("check"), changed() {}, stop() {} };
  const note = (name: string) => () => void calls.push(name);
  const life = createPageLife(context, {
    source: {
      valid: () => (can.peek ? { token: "access", epoch: 7, subject: undefined } : null),
      peek: () => null,
      renew(cause: string, networkIsBack = false) {
        calls.push(`renew ${cause}${networkIsBack ? " (online)" : ""}`);
        return Promise.reject(new SessionError("network", "no"));
      },
      getToken: never,
      request: never,
      end: never,
      loseOwner() {},
    },
    scheduler,
    idle: { ...({} as never as Idle), leave: note("idle leaves"), comeBack: note("idle comes back") },
    opening: { begin() {}, resume() {} },
    renews: () => can.renew,
  });
  await write(liveRecord(context, changes));
  return { ...test, clock, calls, can, scheduler, life, signal: life.hear };
}

type Idle = NonNullable<Parameters<typeof createPageLife>[1]["idle"]>;
const never = (): Promise<never> => Promise.reject(new Error("not here"));
const failure = { code: "network", attempt: 1, at: 1, retryAt: 2 } as const;

describe("a page that goes", () => {
  it("R11 lets go of the lock, the channel and the storage, and tells its activity", async () => {
    const { signal, context, world, page, clock, calls } = await setUp();
    void context.tabs.lock.hold(() => new Promise(() => {}), 5_000, new AbortController().signal, false);
    await clock.advance(10);
    expect(world.leftovers(page)).toMatchObject({ channels: 1, connections: 1, locks: 1 });
    signal("hide");
    await clock.advance(10);
    expect(world.leftovers(page)).toEqual({ timers: 0, listeners: 0, channels: 0, connections: 0, locks: 0 });
    expect(calls).toEqual(["idle leaves"]);
  });

  it("R11 does not read the ledger, nor ask for the lock, until it is back", async () => {
    const { signal, context, world, clock } = await setUp();
    signal("hide");
    const { transactions } = world.stores;
    const held = await context.tabs.lock.hold(async () => "held", 1_000, new AbortController().signal, false);
    await clock.advance(10);
    expect([held, world.stores.transactions]).toEqual([undefined, transactions]);
  });
});

describe("a page that comes back, is looked at, or is on the network again", () => {
  it("R11 hears the other tabs again, reads what they have written meanwhile, and looks at the time", async () => {
    const { signal, context, world, page, clock, calls } = await setUp();
    signal("hide");
    const later = { ...context.ledger.current!, version: 4, by: "other", committedAt: clock.now() };
    world.stores.plant("session", later);
    signal("show");
    expect(calls).toEqual(["idle leaves", "idle comes back"]);
    await clock.advance(10);
    expect([context.ledger.current?.version, world.channels.openIn(page), calls.at(-1)]).toEqual([4, 1, "check"]);
    expect(await clock.until(context.tabs.lock.hold(async () => "held", 1_000, new AbortController().signal, false))).toBe("held");
  });

  it("R15 renews at once when the network is back after a failure, whatever pause there was", async () => {
    const { signal, clock, calls } = await setUp({ failure });
    signal("online");
    await clock.advance(10);
    expect(calls).toEqual(["idle comes back", "renew due (online)", "check"]);
  });

  it("R15 renews for a user who looks at a page without a valid token after a failure", async () => {
    const { signal, clock, calls, can } = await setUp({ failure });
    signal("wake");
    await clock.advance(10);
    expect(calls).not.toContain("renew expired");
    can.peek = false;
    signal("wake");
    await clock.advance(10);
    expect(calls).toContain("renew expired");
  });

  it("renews nothing without a failure: the scheduler does what is due", async () => {
    const { signal, clock, calls, can } = await setUp();
    can.peek = false;
    signal("online");
    await clock.advance(10);
    expect(calls).toEqual(["idle comes back", "check"]);
  });

  it("renews nothing while the scheduler may not: nobody sees the page, or nobody is there", async () => {
    const { signal, clock, calls, can } = await setUp({ failure });
    can.renew = can.peek = false;
    signal("online");
    await clock.advance(10);
    expect(calls).toEqual(["idle comes back", "check"]);
  });

  it("does nothing any more once the session was disposed of", async () => {
    const { signal, clock, calls, context } = await setUp({ failure });
    signal("online");
    context.waits.dispose(new SessionError("disposed", "over"));
    await clock.advance(10);
    expect(calls).toEqual(["idle comes back"]);
  });
});

describe("R55 what a page missed while it was away", () => {
  it("is read when the page is back, and calls wait for that read alone", async () => {
    const { signal, life, clock } = await setUp();
    for (const first of ["show", "wake", "online"] as const) signal(first);
    expect(!!life.catchUp()).toBe(false);
    signal("hide");
    signal("show");
    expect(!!life.catchUp()).toBe(true);
    signal("show");
    await clock.until(life.catchUp()!);
    expect(!!life.catchUp()).toBe(false);
  });

  it("is nothing for the first second after the page leaves, whose listeners may save something", async () => {
    const { signal, life, clock, world } = await setUp();
    signal("hide");
    await clock.advance(1_000);
    const { transactions } = world.stores;
    expect([!!life.catchUp(), world.stores.transactions]).toEqual([false, transactions]);
    await clock.advance(1);
    expect(!!life.catchUp()).toBe(true);
    await clock.until(life.catchUp()!);
    expect([!!life.catchUp(), world.stores.transactions]).toEqual([false, transactions + 1]);
  });

  it("is waited for no longer than a second", async () => {
    const { signal, life, clock, world } = await setUp();
    signal("hide");
    world.stores.trouble = () => "hanging";
    signal("show");
    await clock.advance(999);
    expect(!!life.catchUp()).toBe(true);
    await clock.advance(1);
    expect(!!life.catchUp()).toBe(false);
  });

  it("is read where the scheduler's timer is late, and no signal says why", async () => {
    const { life, clock, scheduler, calls } = await setUp();
    scheduler.lateAt = clock.monotonic() - 1;
    expect([!!life.catchUp(), !!life.catchUp()]).toEqual([true, true]);
    scheduler.lateAt = Infinity;
    await clock.until(life.catchUp()!);
    await clock.settle();
    expect([!!life.catchUp(), calls]).toEqual([false, ["idle comes back", "check"]]);
  });

  it("is not what a read brings that began before the page went away again", async () => {
    const { signal, life, clock } = await setUp();
    signal("hide");
    signal("show");
    signal("hide");
    await clock.advance(5_000);
    expect(!!life.catchUp()).toBe(true);
    signal("show");
    expect(!!life.catchUp()).toBe(true);
    await clock.until(life.catchUp()!);
    expect(!!life.catchUp()).toBe(false);
  });

  it("R57 is read when the user opens a prerendered page, and what waits for that goes on", async () => {
    const { signal, life, context } = await setUp();
    let active = 0;
    const activate = context.waits.activate;
    context.waits.activate = () => {
      active += 1;
      activate();
    };
    signal("wake");
    expect([!!life.catchUp(), active]).toEqual([false, 0]);
    signal("activate");
    expect([!!life.catchUp(), active]).toEqual([true, 1]);
  });

  it("is nothing to a session that was disposed of", async () => {
    const { signal, life, context, clock, world, page } = await setUp();
    signal("hide");
    await clock.advance(5_000);
    context.waits.dispose(new SessionError("disposed", "over"));
    expect(!!life.catchUp()).toBe(false);
    await clock.advance(10);
    expect(world.leftovers(page)).toMatchObject({ channels: 0, connections: 0 });
  });
});
