import { describe, expect, it } from "vitest";
import { Clock, START } from "../../src/testing/clock.js";

describe("the virtual clock", () => {
  it("runs timers in the order of their moments, and promises between them", async () => {
    const clock = new Clock();
    const seen: string[] = [];
    clock.after(20, () => seen.push("second"));
    clock.after(10, () => void Promise.resolve().then(() => seen.push("between")));
    clock.after(10, () => seen.push("first, added later"));
    await clock.advance(20);
    expect(seen).toEqual(["between", "first, added later", "second"]);
    expect([clock.now() - START, clock.monotonic()]).toEqual([20, 20]);
  });

  it("runs timers that timers add, as long as they are due in time", async () => {
    const clock = new Clock();
    let ticks = 0;
    const tick = () => {
      ticks += 1;
      clock.after(10, tick);
    };
    clock.after(10, tick);
    await clock.advance(95);
    expect(ticks).toBe(9);
  });

  it("moves only the wall when it jumps", () => {
    const clock = new Clock();
    clock.jump(3_600_000);
    expect([clock.now() - START, clock.monotonic(), clock.worldNow() - START]).toEqual([3_600_000, 0, 0]);
  });

  it("fires no timer during sleep, while the world goes on", async () => {
    const clock = new Clock();
    const seen: string[] = [];
    clock.after(100, () => seen.push("device"));
    clock.elsewhere(100, () => seen.push("world"));
    await clock.sleep(5_000);
    expect(seen).toEqual(["world"]);
    expect([clock.now() - START, clock.monotonic()]).toEqual([5_000, 0]);
    await clock.advance(100);
    expect(seen).toEqual(["world", "device"]);
  });

  it("fires overdue timers at once after a sleep that the monotonic clock counted", async () => {
    const clock = new Clock();
    let fired = 0;
    clock.after(100, () => {
      fired += 1;
    });
    await clock.sleep(5_000, { counted: true });
    expect(fired).toBe(0);
    await clock.advance(0);
    expect([fired, clock.monotonic()]).toEqual([1, 5_000]);
  });

  it("hands on the outcome of a promise, and refuses to wait for ever", async () => {
    const clock = new Clock();
    expect(await clock.until(new Promise((resolve) => clock.after(50, () => resolve("here"))))).toBe("here");
    expect(clock.monotonic()).toBe(50);
    await expect(clock.until(Promise.reject(new Error("no")))).rejects.toThrow("no");
    await expect(clock.until(new Promise(() => {}), 1_000)).rejects.toThrow("not settled within 1000 ms");
  });

  it("notices a loop that lets no time pass", async () => {
    const clock = new Clock(1);
    const again = () => void clock.after(0, again);
    again();
    await expect(clock.advance(1)).rejects.toThrow("lets no time pass");
  });

  it("refuses to be moved by two at once", async () => {
    const clock = new Clock();
    const first = clock.advance(10);
    await expect(clock.advance(10)).rejects.toThrow("already being moved");
    await first;
  });
});

describe("a clock on which what takes no time happens by itself", () => {
  it("runs what is due now, in order, and what that brings about; what is due later waits", async () => {
    const clock = new Clock(2, { immediate: true });
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      clock.after(1, () => seen.push("later"));
      clock.after(0, () => {
        seen.push("first");
        clock.elsewhere(0, () => {
          seen.push("third");
          resolve();
        });
      });
      clock.after(0, () => seen.push("second"));
    });
    await clock.settle();
    expect([seen, clock.monotonic()]).toEqual([["first", "second", "third"], 0]);
    await clock.advance(1);
    expect(seen.at(-1)).toBe("later");
  });

  it("is moved while it runs by itself: one after the other", async () => {
    const clock = new Clock(2, { immediate: true });
    const seen: number[] = [];
    clock.after(0, () => clock.after(0, () => seen.push(clock.monotonic())));
    await Promise.all([clock.advance(10), new Promise<void>((resolve) => clock.after(10, resolve))]);
    expect([seen, clock.monotonic()]).toEqual([[0], 10]);
    clock.after(0, () => seen.push(clock.monotonic()));
    await clock.settle();
    await clock.settle();
    expect(seen).toEqual([0, 10]);
  });

  it("begins at a moment of one's own", () => {
    const clock = new Clock(2, { start: 1_000_000 });
    expect([clock.now(), clock.worldNow(), clock.monotonic()]).toEqual([1_000_000, 1_000_000, 0]);
  });
});
