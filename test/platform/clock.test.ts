import { describe, expect, it } from "vitest";
import { createClock } from "../../src/platform/clock.js";
import { World } from "../../src/testing/world.js";
import { HOUR, MINUTE } from "../support/scene.js";

function setUp() {
  const world = new World();
  const { environment } = world.tab();
  return { world, clock: createClock(environment), wall: () => environment.now() };
}

describe("the shared clock", () => {
  it("R16 is the wall clock as long as that runs forward, sleep included", async () => {
    const { world, clock, wall } = setUp();
    await world.clock.advance(MINUTE);
    expect(clock.now()).toBe(wall());
    await world.clock.sleep(HOUR);
    expect(clock.now()).toBe(wall());
    world.clock.jump(HOUR);
    expect(clock.now()).toBe(wall());
  });

  it("R16 goes on also when the first look after the clock was turned back is at the ledger (simulation, seed 600860)", async () => {
    const { world, clock } = setUp();
    const before = clock.now();
    world.clock.jump(-HOUR);
    await world.clock.advance(MINUTE);
    clock.reach(before - MINUTE);
    expect(Math.abs(clock.now() - before - MINUTE)).toBeLessThan(10);
  });

  it("R16 goes back to what another tab has just said, unless that was said while this tab was absent", async () => {
    const { world, clock, wall } = setUp();
    const ahead = async () => {
      world.clock.jump(HOUR);
      clock.now();
      world.clock.jump(-HOUR);
      for (let minute = 0; minute < 3; minute += 1) {
        await world.clock.advance(5_000);
        clock.now();
      }
    };
    await ahead();
    expect(clock.now() - wall()).toBe(HOUR);
    clock.retreat(wall());
    expect(clock.now() - wall()).toBe(0);

    const frozenAt = clock.now();
    await world.clock.sleep(HOUR);
    clock.retreat(frozenAt + MINUTE);
    expect(clock.now() - wall()).toBe(0);
  });

  it("R16 goes back also where the clock was set forward by an hour for good, once what it had missed has come (simulation, seed 14920)", async () => {
    const { world, clock } = setUp();
    const ledger = clock.now();
    world.clock.jump(HOUR);
    clock.now();
    clock.retreat(ledger);
    expect(clock.now() - ledger).toBe(HOUR);
    for (let second = 0; second < 12; second += 1) {
      await world.clock.advance(1_000);
      clock.now();
    }
    clock.retreat(ledger + 12_000);
    expect(clock.now() - ledger).toBe(12_000);
  });

  it("R16 goes back also where it looks at the clock only when another tab is heard (simulation, seed 17049)", async () => {
    const { world, clock } = setUp();
    const others = clock.now();
    clock.reach(others + 22_000);
    await world.clock.advance(14_000);
    clock.retreat(others + 14_000);
    expect(clock.now() - others).toBe(36_000);
    await world.clock.advance(14_000);
    clock.retreat(others + 28_000);
    expect(clock.now() - others).toBe(28_000);
  });

  it("R16 does not go back to two things that were said while it was asleep, and come at once", async () => {
    const { world, clock } = setUp();
    const before = clock.now();
    await world.clock.sleep(HOUR);
    clock.retreat(before + MINUTE);
    clock.retreat(before + MINUTE + 900);
    expect(clock.now() - before).toBe(HOUR);
  });

  it("R16 goes on when the wall clock is turned back: a token would look fresh for hours after it died", async () => {
    const { world, clock } = setUp();
    const before = clock.now();
    world.clock.jump(-2 * HOUR);
    expect(clock.now() - before).toBeGreaterThanOrEqual(0);
    await world.clock.advance(MINUTE);
    expect(Math.abs(clock.now() - before - MINUTE)).toBeLessThan(10);
  });

  it("R16 catches up with a tab that is ahead, and never goes back to one that is behind", () => {
    const { clock } = setUp();
    const before = clock.now();
    clock.reach(before - HOUR);
    expect(clock.now()).toBe(before);
    clock.reach(before + HOUR);
    expect(clock.now()).toBe(before + HOUR);
  });
});
