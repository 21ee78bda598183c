import { describe, expect, it } from "vitest";
import { createLock } from "../../src/tabs/lock.js";
import { type Lacks, World } from "../../src/testing/world.js";

const idle = new AbortController().signal;

function setUp(lacks: Lacks = {}) {
  const world = new World();
  const seen: string[] = [];
  const make = () => {
    const tab = world.tab(undefined, lacks);
    const lock = createLock(tab.environment, "lock");
    const work = (milliseconds: number) => async () => {
      seen.push(`${tab.name} begins`);
      await new Promise<void>((resolve) => tab.environment.setTimeout(resolve, milliseconds));
      seen.push(`${tab.name} ends`);
      return tab.name;
    };
    return { tab, lock, work };
  };
  return { world, seen, make };
}

describe("the lock", () => {
  it("lets one tab work at a time, and hands on what came of it", async () => {
    const { world, seen, make } = setUp();
    const [a, b] = [make(), make()];
    const both = Promise.all([a.lock.hold(a.work(100), 5_000, idle, false), b.lock.hold(b.work(100), 5_000, idle, false)]);
    expect(await world.clock.until(both)).toEqual(["tab 1", "tab 2"]);
    expect(seen).toEqual(["tab 1 begins", "tab 1 ends", "tab 2 begins", "tab 2 ends"]);
  });

  it("R5 gives up after its limit, or when it is told to, and never begins then", async () => {
    const { world, seen, make } = setUp();
    const [a, b, c] = [make(), make(), make()];
    void a.lock.hold(a.work(60_000), 5_000, idle, false);
    await world.clock.advance(10);
    const controller = new AbortController();
    const late = b.lock.hold(b.work(1), 2_000, idle, false);
    const told = c.lock.hold(c.work(1), 60_000, controller.signal, false);
    expect(await world.clock.until(late, 2_100)).toBeUndefined();
    controller.abort();
    expect(await world.clock.until(told, 10)).toBeUndefined();
    await world.clock.advance(70_000);
    expect(seen).toEqual(["tab 1 begins", "tab 1 ends"]);
    expect(b.lock.available && c.lock.available).toBe(true);
  });

  it("R7 is freed by work that fails", async () => {
    const { world, make } = setUp();
    const [a, b] = [make(), make()];
    const failing = a.lock.hold(() => Promise.reject(new Error("no")), 5_000, idle, false);
    await expect(world.clock.until(failing)).rejects.toThrow("no");
    expect(await world.clock.until(b.lock.hold(b.work(1), 1_000, idle, false))).toBe("tab 2");
  });

  it.each([{ locks: true }, { locks: "null" }, { locks: "throws" }, { locks: "rejects" }] satisfies Lacks[])(
    "R4 with %j: works without one",
    async (lacks) => {
      const { world, make } = setUp(lacks);
      const { lock, work } = make();
      expect(await world.clock.until(lock.hold(work(10), 5_000, idle, false))).toBe("tab 1");
      expect(lock.available).toBe(false);
    },
  );

  it("R6 can be taken from a holder that does not move; the holder's work runs on", async () => {
    const { world, seen, make } = setUp();
    const [a, b] = [make(), make()];
    const robbed = a.lock.hold(a.work(1_000), 5_000, idle, false);
    await world.clock.advance(10);
    expect(await world.clock.until(b.lock.hold(b.work(10), 5_000, idle, true))).toBe("tab 2");
    expect(await world.clock.until(robbed)).toBe("tab 1");
    expect(seen).toEqual(["tab 1 begins", "tab 2 begins", "tab 2 ends", "tab 1 ends"]);
    expect(a.lock.available).toBe(true);
  });

  it("R6 R11 a page that leaves lets others have it, and asks for nothing while it is away", async () => {
    const { world, make } = setUp();
    const [a, b] = [make(), make()];
    void a.lock.hold(a.work(60_000), 5_000, idle, false);
    await world.clock.advance(10);
    a.lock.leave();
    a.tab.freeze();
    expect(await world.clock.until(b.lock.hold(b.work(10), 1_000, idle, false))).toBe("tab 2");
    expect(await a.lock.hold(a.work(1), 1_000, idle, false)).toBeUndefined();
    a.tab.thaw();
    a.lock.comeBack();
    expect(await world.clock.until(a.lock.hold(a.work(1), 1_000, idle, false))).toBe("tab 1");
  });

  it("leaves no timer behind", async () => {
    const { world, make } = setUp();
    const { lock, tab } = make();
    await world.clock.until(lock.hold(async () => "done", 5_000, idle, false));
    await world.clock.advance(10);
    expect(world.leftovers(tab)).toMatchObject({ timers: 0, locks: 0 });
  });
});
