import { describe, expect, it } from "vitest";
import { deadline } from "../../src/refresh/deadline.js";
import { World } from "../../src/testing/world.js";
import { HOUR } from "../support/scene.js";

function setUp(after: number) {
  const world = new World();
  const tab = world.tab();
  let expired: number | undefined;
  const undo = deadline(tab.environment, world.clock.monotonic() + after, () => {
    expired = world.clock.monotonic();
  });
  return { world, tab, undo, expiredAt: () => expired };
}

describe("a deadline", () => {
  it("R22 comes when it is due, whatever the wall clock does", async () => {
    const { world, expiredAt } = setUp(1_000);
    world.clock.jump(HOUR);
    await world.clock.advance(999);
    expect(expiredAt()).toBeUndefined();
    await world.clock.advance(1);
    expect(expiredAt()).toBe(1_000);
  });

  it("R45 that comes late gives what is waiting behind it a moment more", async () => {
    const { world, tab, expiredAt } = setUp(1_000);
    tab.block(10_000);
    await world.clock.advance(10_500);
    expect(expiredAt()).toBeUndefined();
    await world.clock.advance(1_000);
    expect(expiredAt()).toBeLessThanOrEqual(11_500);
  });

  it("can be called off, early and late", async () => {
    const early = setUp(1_000);
    early.undo();
    await early.world.clock.advance(5_000);
    const late = setUp(1_000);
    late.tab.block(10_000);
    await late.world.clock.advance(10_100);
    late.undo();
    await late.world.clock.advance(5_000);
    expect([early.expiredAt(), late.expiredAt(), early.tab.timers.size, late.tab.timers.size]).toEqual([undefined, undefined, 0, 0]);
  });
});
