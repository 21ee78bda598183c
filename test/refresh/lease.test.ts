import { describe, expect, it } from "vitest";
import { createLeaseWatch } from "../../src/refresh/lease.js";
import { record } from "../ledger/records.js";
import { contextOver } from "../support/context.js";
import { HOUR, MINUTE } from "../support/scene.js";

const TIMEOUT = 5_000;

function setUp(reuseGrace = 0) {
  const { context, world } = contextOver({ options: { takeoverAfter: 30_000, reuseGrace } });
  const { clock } = world;
  const watch = createLeaseWatch(context);
  const leased = (fence: number, robbed?: boolean) =>
    record({ fence, refreshing: { tab: "other", since: context.clock.now(), timeout: TIMEOUT, robbed } });
  const waited = (planned: number, actual: number, refused: boolean) => watch.waited(planned, clock.monotonic() - actual, refused);
  return { clock, watch, waited, leased };
}

describe("for how long another tab's lease has to be respected", () => {
  it("R6 for as long as it has been watched: what was waited for the lock before it was set does not count (simulation, seed 760011)", async () => {
    const { clock, watch, waited, leased } = setUp();
    watch.sawProgress(leased(1));
    await clock.advance(TIMEOUT - 200);
    const next = leased(2);
    watch.sawProgress(next);
    await clock.advance(200);
    waited(TIMEOUT, TIMEOUT, true);
    expect(watch.remaining(next, false)).toBe(TIMEOUT - 200);
    await clock.advance(TIMEOUT);
    waited(TIMEOUT, TIMEOUT, true);
    expect(watch.remaining(next, false)).toBeLessThanOrEqual(0);
  });

  it("R6 what was waited for a lock that is there counts as well, unless it was slept", async () => {
    const { clock, watch, waited, leased } = setUp();
    const lease = leased(1);
    watch.sawProgress(lease);
    await clock.advance(TIMEOUT - 200);
    waited(TIMEOUT, TIMEOUT - 200, false);
    expect(watch.remaining(lease, false)).toBe(200);
    await clock.advance(HOUR);
    waited(TIMEOUT, HOUR, false);
    expect(watch.remaining(lease, false), "with the time others need to read their answers").toBe(2_200);
  });

  it("R6 in a throttled page at most five seconds of each wait count, however short it was to be, and whatever was granted at once in between", async () => {
    const { clock, watch, waited, leased } = setUp();
    const lease = leased(1);
    watch.sawProgress(lease);
    await clock.advance(3 * MINUTE);
    waited(500, MINUTE, true);
    expect(watch.remaining(lease, false), "once is a sleep").toBe(TIMEOUT + 2_000);
    waited(TIMEOUT, 0, false);
    waited(500, MINUTE, true);
    expect(watch.remaining(lease, false)).toBe(2_000);
    await clock.advance(2_600);
    waited(1_000, 2_600, true);
    expect(watch.remaining(lease, false), "and no more than it took").toBe(-600);
  });

  it("R84 for its rest if it is prolonged after the clock was set forward in the midst of the request (simulation, seed 8260)", async () => {
    const { clock, watch, leased } = setUp();
    const { refreshing, ...others } = leased(1);
    clock.jump(HOUR);
    await clock.advance(TIMEOUT);
    const failure = { code: "timeout", attempt: 1, at: clock.now(), retryAt: clock.now() + MINUTE } as const;
    const prolonged = { ...others, failure, refreshing: { ...refreshing!, timeout: 20_000, late: true } };
    watch.sawProgress(prolonged);
    expect(watch.remaining(prolonged, false)).toBe(20_000);
    const opened = setUp();
    opened.clock.jump(3 * HOUR);
    opened.watch.sawProgress(prolonged);
    expect(opened.watch.remaining(prolonged, false), "found long afterwards").toBe(0);
  });

  it("R6 a wait that its timer ended a moment early tells as much as one that it ended late", async () => {
    const { clock, watch, waited, leased } = setUp();
    const lease = leased(1);
    watch.sawProgress(lease);
    for (const [planned, actual] of [
      [1_000, HOUR],
      [1_000.8, 1_000],
      [1_000, HOUR],
    ] as const) {
      await clock.advance(actual);
      waited(planned, actual, false);
    }
    expect(watch.remaining(lease, false), "two sleeps").toBe(TIMEOUT + 2_000 - 1_000 + 2_000);
  });

  it("R6 a holder is stuck when the lock has been refused for `takeoverAfter`", () => {
    const { watch, waited } = setUp();
    waited(29_999, 29_999, true);
    expect(watch.isStuck()).toBe(false);
    waited(1, 1, true);
    expect(watch.isStuck()).toBe(true);
    waited(5_000, 100, false);
    expect(watch.isStuck(), "after it was granted").toBe(false);
  });

  it("R6 with a reuseGrace not at all where the lock is free, unless it was taken from its holder, who may be at work (simulation, seeds 293305, 486783, 891629)", () => {
    const { watch, leased } = setUp(10_000);
    expect(watch.remaining(leased(1), false)).toBe(0);
    expect(watch.remaining(leased(2), true)).toBe(TIMEOUT);
    expect(watch.remaining(leased(3, true), false)).toBe(TIMEOUT);
  });
});
