import { describe, expect, it, vi } from "vitest";
import { SessionError } from "../../src/errors.js";
import { abortable, createWaits, deadline, keepAlive } from "../../src/platform/timers.js";
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

describe("waiting at most so long", () => {
  it("hands on what comes in time, and undefined otherwise, and leaves no timer", async () => {
    const world = new World();
    const { environment, ...tab } = world.tab();
    const clearTimeout = vi.spyOn(environment, "clearTimeout");
    const waits = createWaits(environment);
    const later = (milliseconds: number) => new Promise((resolve) => environment.setTimeout(() => resolve("here"), milliseconds));
    expect(await world.clock.until(waits.within(100, later(50)))).toBe("here");
    expect(await world.clock.until(waits.within(100, later(150)))).toBeUndefined();
    await world.clock.advance(100);
    expect(tab.timers.size).toBe(0);
    clearTimeout.mockClear();
    waits.dispose(new SessionError("disposed", "over"));
    expect(clearTimeout, "no wait is under way any more").not.toHaveBeenCalled();
  });

  it("R45 hands on what was waiting behind its own timer while the page stood still (simulation, seed 17134)", async () => {
    const world = new World();
    const { environment, ...tab } = world.tab();
    const later = new Promise((resolve) => environment.setTimeout(() => resolve("here"), 2_000));
    const waiting = createWaits(environment).within(1_000, later);
    await world.clock.sleep(60_000, { counted: true });
    expect(await world.clock.until(waiting, 1_100)).toBe("here");
    expect(tab.timers.size).toBe(0);
  });

  it("hands on a failure, and gives up when there is nobody left to wait", async () => {
    const world = new World();
    const { environment, ...tab } = world.tab();
    const waits = createWaits(environment);
    await expect(waits.within(100, Promise.reject(new Error("no")))).rejects.toThrow("no");
    const waiting = waits.within(100_000, new Promise(() => {}));
    expect(waits.disposed).toBe(false);
    waits.assertAlive();
    waits.dispose(new SessionError("disposed", "over"));
    expect(await world.clock.until(waiting, 1)).toBeUndefined();
    expect([waits.disposed, tab.timers.size]).toEqual([true, 0]);
    expect(waits.assertAlive).toThrow(expect.objectContaining({ code: "disposed" }));
  });
});

describe("R57 waits in a prerendered page", () => {
  function prerendered() {
    const world = new World();
    const tab = world.tab();
    tab.prerendering = true;
    const waits = createWaits(tab.environment);
    const later = (milliseconds: number) =>
      new Promise<string>((resolve) => tab.environment.setTimeout(() => resolve("here"), milliseconds));
    return { world, tab, waits, later };
  }

  it("begin to count at the activation, and hand on what comes before", async () => {
    const { world, tab, waits, later } = prerendered();
    expect(await world.clock.until(waits.within(100, later(5_000)))).toBe("here");
    const waiting = waits.within(100, new Promise(() => {}));
    await world.clock.advance(5_000);
    expect(tab.timers.size).toBe(0);
    waits.activate();
    const since = world.clock.monotonic();
    expect(await world.clock.until(waiting)).toBeUndefined();
    expect([world.clock.monotonic() - since, tab.timers.size]).toEqual([100, 0]);
    const after = waits.within(100, later(150));
    expect(await world.clock.until(after, 110), "as in any page").toBeUndefined();
  });

  it("set no timer for what has come before the activation", async () => {
    const { world, tab, waits } = prerendered();
    expect(await waits.within(100, Promise.resolve("here"))).toBe("here");
    waits.activate();
    await world.clock.settle();
    expect(tab.timers.size).toBe(0);
  });

  it("end at the disposal, and set no timer then", async () => {
    const { world, tab, waits } = prerendered();
    const waiting = waits.within(100, new Promise(() => {}));
    waits.dispose(new SessionError("disposed", "over"));
    expect([await world.clock.until(waiting, 1), tab.timers.size]).toEqual([undefined, 0]);
  });

  it("work that needs an open page runs at once there, else at the activation, once", () => {
    const { waits, world } = prerendered();
    const ran: string[] = [];
    waits.whenActive(() => ran.push("first"));
    waits.whenActive(() => ran.push("second"));
    expect(ran).toEqual([]);
    waits.activate();
    waits.activate();
    waits.whenActive(() => ran.push("third"));
    expect(ran).toEqual(["first", "second", "third"]);
    createWaits(world.tab().environment).whenActive(() => ran.push("in any page"));
    expect(ran.at(-1)).toBe("in any page");
  });
});

describe("a promise that is handed out", () => {
  const gone = new Error("gone");

  it("can be aborted by its caller alone: the promise itself goes on, and leaves no listener", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const removed = vi.spyOn(signal, "removeEventListener");
    let resolve: (value: string) => void = () => {};
    const promise = new Promise<string>((settle) => {
      resolve = settle;
    });
    const [waiting, other] = [abortable(promise, signal), abortable(promise, new AbortController().signal)];
    controller.abort(gone);
    await expect(waiting).rejects.toBe(gone);
    await expect(abortable(promise, signal), "aborted before").rejects.toBe(gone);
    resolve("here");
    expect(await other).toBe("here");
    await promise;
    expect(removed).toHaveBeenCalledTimes(2);
  });

  it("is the same promise where there is no signal, and its failure is handed on", async () => {
    const promise = Promise.resolve("here");
    expect(abortable(promise, undefined)).toBe(promise);
    await expect(abortable(Promise.reject(gone), new AbortController().signal)).rejects.toBe(gone);
  });

  it("R56 keeps the process alive where the environment can do so", () => {
    const kept: unknown[] = [];
    const { environment } = new World().tab();
    const promise = Promise.resolve(7);
    expect(keepAlive(environment, promise)).toBe(promise);
    expect(keepAlive({ ...environment, keepAlive: (one) => kept.push(one) }, promise)).toBe(promise);
    expect(kept).toEqual([promise]);
  });
});
