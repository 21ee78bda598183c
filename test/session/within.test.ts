import { describe, expect, it } from "vitest";
import { within } from "../../src/session/within.js";
import { World } from "../../src/testing/world.js";

describe("waiting at most so long", () => {
  const never = new AbortController().signal;

  it("hands on what comes in time, and undefined otherwise, and leaves no timer", async () => {
    const world = new World();
    const { environment, ...tab } = world.tab();
    const later = (milliseconds: number) => new Promise((resolve) => environment.setTimeout(() => resolve("here"), milliseconds));
    expect(await world.clock.until(within(environment, 100, later(50), never))).toBe("here");
    expect(await world.clock.until(within(environment, 100, later(150), never))).toBeUndefined();
    await world.clock.advance(100);
    expect(tab.timers.size).toBe(0);
  });

  it("R45 hands on what was waiting behind its own timer while the page stood still (simulation, seed 17134)", async () => {
    const world = new World();
    const { environment, ...tab } = world.tab();
    const later = new Promise((resolve) => environment.setTimeout(() => resolve("here"), 2_000));
    const waiting = within(environment, 1_000, later, never);
    await world.clock.sleep(60_000, { counted: true });
    expect(await world.clock.until(waiting, 1_100)).toBe("here");
    expect(tab.timers.size).toBe(0);
  });

  it("hands on a failure, and gives up when there is nobody left to wait", async () => {
    const world = new World();
    const { environment } = world.tab();
    await expect(within(environment, 100, Promise.reject(new Error("no")), never)).rejects.toThrow("no");
    const gone = new AbortController();
    const waiting = within(environment, 100_000, new Promise(() => {}), gone.signal);
    gone.abort();
    expect(await world.clock.until(waiting, 1)).toBeUndefined();
  });
});
