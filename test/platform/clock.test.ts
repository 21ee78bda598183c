import { describe, expect, it } from "vitest";
import { createClock } from "../../src/platform/clock.js";
import { HOUR, MINUTE } from "../support/scene.js";
import { World } from "../support/world.js";

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
