import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { memory } from "../../src/session/memory.js";
import { createOpening, restore } from "../../src/session/restore.js";
import type { TokenSource } from "../../src/session/token-source.js";
import { createView } from "../../src/session/view.js";
import { World } from "../../src/testing/world.js";
import { type ContextOptions, contextOver, liveRecord } from "../support/context.js";

/** A tab that is about to restore what `stored` says an earlier page left. */
function setUp(stored: Partial<LedgerRecord> | undefined = undefined, given: ContextOptions = {}) {
  const test = contextOver(given);
  const { context, followers, world } = test;
  const { clock } = world;
  if (stored) world.stores.plant("session", liveRecord(context, { by: "earlier", ...stored }));
  const view = createView(context);
  followers.push(view);
  const renewals: string[] = [];
  const renew = (cause: string) => {
    renewals.push(cause);
    return Promise.reject(new SessionError("network", "no"));
  };
  const source = { renew, loseOwner: view.loseOwner } as Partial<TokenSource> as TokenSource;
  /** Returns the times after which the restore was ready, and the status known. */
  async function times(): Promise<{ ready: number; known: number }> {
    const since = clock.monotonic();
    const { ready, known } = restore(context, { view, source, opening: createOpening(context, source) });
    const after = async (promise: Promise<void>) => {
      await promise;
      return clock.monotonic() - since;
    };
    const both = Promise.all([after(ready), after(known)]).then(([ready, known]) => ({ ready, known }));
    return clock.until(both);
  }
  const run = async () => (await times()).known;
  return { ...test, clock, view, renewals, run, times };
}

describe("a restore", () => {
  it("shows the session that an earlier page left", async () => {
    const { run, view, heard } = setUp({});
    expect(await run()).toBeLessThan(10);
    expect(view.snapshot.status).toBe("signed-in");
    expect(heard.map(([event]) => event)).toContain("signed-in");
  });

  it("knows that nobody is signed in where there is nothing", async () => {
    const { run, view, heard } = setUp();
    expect(await run()).toBeLessThan(10);
    expect(view.snapshot).toMatchObject({ status: "signed-out" });
    expect(
      heard.map(([event]) => event),
      "the app is told, without a sign-out",
    ).toEqual(["change"]);
  });

  it("R26 R87 is ready after three seconds at most, and knows the status after ten, though storage hangs", async () => {
    const { times, view, world, page } = setUp({});
    world.stores.trouble = () => "hanging";
    const shown: unknown[] = [];
    page.environment.setTimeout(() => shown.push(view.snapshot.status), 9_999);
    expect(await times()).toEqual({ ready: 3_000, known: 10_000 });
    expect([...shown, view.snapshot]).toMatchObject(["restoring", { status: "signed-out", reason: "storage-unavailable" }]);
  });

  it("R87 knows the session of storage that answers after ready", async () => {
    // A read takes two of these delays.
    const { times, view } = setUp({}, { world: new World({ delays: { store: () => 2_500 } }) });
    expect([await times(), view.snapshot.status]).toEqual([{ ready: 3_000, known: 5_000 }, "signed-in"]);
  });

  it("in memory mode waits for half a second for another tab to hand over the token", async () => {
    const { run, view, posted } = setUp({ tokens: undefined }, { options: { persist: memory() } });
    expect(Math.round((await run()) / 100)).toBe(5);
    expect(posted()).toMatchObject([{ type: "ask", version: 3 }]);
    expect(view.snapshot).toMatchObject({ status: "signed-out", reason: "owner-closed" });
  });

  it("in memory mode goes on as soon as another tab has answered", async () => {
    const test = setUp({ tokens: undefined }, { options: { persist: memory() } });
    const other = contextOver({ world: test.world, options: { persist: memory() } });
    await other.write(liveRecord(other.context));
    expect(await test.run()).toBeLessThan(100);
    expect([test.view.snapshot.status, test.view.credential?.token]).toEqual(["signed-in", "access"]);
  });

  it("does not wait for other tabs where the stored session has ended", async () => {
    const { run, view } = setUp({ signedIn: false, tokens: undefined, reason: "user" });
    expect(await run()).toBeLessThan(10);
    expect(view.snapshot).toMatchObject({ status: "signed-out", reason: "user" });
  });

  it("waits for other tabs where there is no storage", async () => {
    const { run, view } = setUp(undefined, { lacks: { store: true } });
    expect([await run(), view.snapshot.status]).toEqual([500, "signed-out"]);
  });

  it.each([
    ["renews a token of a minute ago where the session shall be renewed on opening", 60_000, true, ["due"]],
    ["renews nothing that was renewed less than a minute ago: several tabs are one opening", 59_000, true, []],
    ["renews nothing without that option", 60_000, false, []],
  ])("%s", async (_, age, renewOnOpen, expected) => {
    const { run, renewals } = setUp({ committedAt: Date.UTC(2030, 0, 1) - age }, { options: { renewOnOpen } });
    await run();
    expect(renewals).toEqual(expected);
  });

  it("shows nothing, and renews nothing, when the session is disposed of meanwhile", async () => {
    const { run, view, context, renewals } = setUp({ committedAt: 0 }, { options: { renewOnOpen: true } });
    const ended = run();
    context.waits.dispose(new SessionError("disposed", "over"));
    await ended;
    expect([view.snapshot.status, renewals]).toEqual(["restoring", []]);
  });
});
