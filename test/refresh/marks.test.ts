import { describe, expect, it } from "vitest";
import { createClock } from "../../src/platform/clock.js";
import { createMarks } from "../../src/refresh/marks.js";
import { createLock } from "../../src/tabs/lock.js";
import { World } from "../../src/testing/world.js";
import { record } from "../ledger/records.js";
import { HOUR, MINUTE } from "../support/scene.js";

const TIMEOUT = 5_000;

function setUp(reuseGrace = 0) {
  const world = new World();
  const { environment } = world.tab();
  const sharedClock = createClock(environment);
  const marks = createMarks(environment, sharedClock, createLock(environment, "lock"), "own", { takeoverAfter: 30_000, reuseGrace });
  const marked = (fence: number, robbed?: boolean) =>
    record({ fence, refreshing: { tab: "other", since: sharedClock.now(), timeout: TIMEOUT, robbed } });
  return { clock: world.clock, marks, marked };
}

describe("for how long another tab's mark has to be respected", () => {
  it("R6 for as long as it has been watched: what was waited for the lock before it was set does not count (simulation, seed 760011)", async () => {
    const { clock, marks, marked } = setUp();
    marks.progress(marked(1));
    await clock.advance(TIMEOUT - 200);
    const next = marked(2);
    marks.progress(next);
    await clock.advance(200);
    marks.watched(TIMEOUT, TIMEOUT, true);
    expect(marks.standing(next, false)).toBe(TIMEOUT - 200);
    await clock.advance(TIMEOUT);
    marks.watched(TIMEOUT, TIMEOUT, true);
    expect(marks.standing(next, false)).toBeLessThanOrEqual(0);
  });

  it("R6 what was waited for a lock that is there counts as well, unless it was slept", async () => {
    const { clock, marks, marked } = setUp();
    const mark = marked(1);
    marks.progress(mark);
    await clock.advance(TIMEOUT - 200);
    marks.watched(TIMEOUT, TIMEOUT - 200, false);
    expect(marks.standing(mark, false)).toBe(200);
    await clock.advance(HOUR);
    marks.watched(TIMEOUT, HOUR, false);
    expect(marks.standing(mark, false), "with the time others need to read their answers").toBe(2_200);
  });

  it("R6 in a throttled page at most five seconds of each wait count, however short it was to be, and whatever was granted at once in between", async () => {
    const { clock, marks, marked } = setUp();
    const mark = marked(1);
    marks.progress(mark);
    await clock.advance(3 * MINUTE);
    marks.watched(500, MINUTE, true);
    expect(marks.standing(mark, false), "once is a sleep").toBe(TIMEOUT + 2_000);
    marks.watched(TIMEOUT, 0, false);
    marks.watched(500, MINUTE, true);
    expect(marks.standing(mark, false)).toBe(2_000);
    await clock.advance(2_600);
    marks.watched(1_000, 2_600, true);
    expect(marks.standing(mark, false), "and no more than it took").toBe(-600);
  });

  it("R6 a wait that its timer ended a moment early tells as much as one that it ended late", async () => {
    const { clock, marks, marked } = setUp();
    const mark = marked(1);
    marks.progress(mark);
    for (const [planned, actual] of [
      [1_000, HOUR],
      [1_000.8, 1_000],
      [1_000, HOUR],
    ] as const) {
      await clock.advance(actual);
      marks.watched(planned, actual, false);
    }
    expect(marks.standing(mark, false), "two sleeps").toBe(TIMEOUT + 2_000 - 1_000 + 2_000);
  });

  it("R6 a holder is stuck when the lock has been refused for `takeoverAfter`", () => {
    const { marks } = setUp();
    marks.watched(29_999, 29_999, true);
    expect(marks.isStuck()).toBe(false);
    marks.watched(1, 1, true);
    expect(marks.isStuck()).toBe(true);
    marks.watched(5_000, 100, false);
    expect(marks.isStuck(), "after it was granted").toBe(false);
  });

  it("R6 with a reuseGrace not at all where the lock is free, unless it was taken from its holder, who may be at work (simulation, seeds 293305, 486783, 891629)", () => {
    const { marks, marked } = setUp(10_000);
    expect(marks.standing(marked(1), false)).toBe(0);
    expect(marks.standing(marked(2), true)).toBe(TIMEOUT);
    expect(marks.standing(marked(3, true), false)).toBe(TIMEOUT);
  });
});
