import { describe, expect, it } from "vitest";
import { World } from "../../src/testing/world.js";

/** Holds the lock for a while, and notes when. */
function holder(world: World, seen: string[]) {
  return (name: string, milliseconds: number, options: LockOptions = {}) => {
    const tab = world.tabs.find((candidate) => candidate.name === name) ?? world.tab(name);
    const held = (lock: Lock | null) =>
      new Promise<string>((resolve) => {
        seen.push(lock ? `${name} holds` : `${name} gets nothing`);
        tab.environment.setTimeout(() => resolve(name), lock ? milliseconds : 0);
      });
    return (tab.environment.locks as LockManager).request("lock", options, held);
  };
}

describe("the virtual locks", () => {
  it("are granted one at a time, in the order of the requests", async () => {
    const world = new World();
    const seen: string[] = [];
    const hold = holder(world, seen);
    const all = Promise.all([hold("a", 100), hold("b", 100), hold("c", 100)]);
    await world.clock.advance(50);
    expect([world.locks.holders("lock"), world.locks.waiting("lock")]).toEqual([["a"], ["b", "c"]]);
    expect(await world.clock.until(all)).toEqual(["a", "b", "c"]);
    expect(seen).toEqual(["a holds", "b holds", "c holds"]);
    expect(world.clock.monotonic()).toBeGreaterThan(300);
  });

  it("are freed when the tab dies, and kept while it is frozen", async () => {
    const world = new World();
    const seen: string[] = [];
    const hold = holder(world, seen);
    void hold("a", 100);
    void hold("b", 100);
    await world.clock.advance(10);
    world.tabs[0]?.freeze();
    await world.clock.advance(60_000);
    expect(seen).toEqual(["a holds"]);
    world.tabs[0]?.crash();
    await world.clock.advance(10);
    expect(seen).toEqual(["a holds", "b holds"]);
  });

  it("let a waiter go when its signal is aborted, and leave a holder alone", async () => {
    const world = new World();
    const seen: string[] = [];
    const hold = holder(world, seen);
    const [mine, theirs] = [new AbortController(), new AbortController()];
    const first = hold("a", 100, { signal: mine.signal });
    const second = hold("b", 100, { signal: theirs.signal });
    await world.clock.advance(10);
    mine.abort(new Error("too late"));
    theirs.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    expect(await world.clock.until(first)).toBe("a");
    await world.clock.advance(1_000);
    expect(seen).toEqual(["a holds"]);
    expect(world.locks.names()).toEqual([]);
  });

  it("free a grant that finds its request aborted", async () => {
    const world = new World({ delays: { lock: () => 10 } });
    const seen: string[] = [];
    const hold = holder(world, seen);
    const controller = new AbortController();
    const request = hold("a", 100, { signal: controller.signal });
    request.catch(() => {});
    await world.clock.advance(15);
    controller.abort();
    await world.clock.advance(100);
    expect([seen, world.locks.names()]).toEqual([[], []]);
  });

  it("answer at once with ifAvailable", async () => {
    const world = new World();
    const seen: string[] = [];
    const hold = holder(world, seen);
    void hold("a", 100, { ifAvailable: true });
    await world.clock.advance(10);
    await world.clock.until(hold("b", 100, { ifAvailable: true }));
    expect(seen).toEqual(["a holds", "b gets nothing"]);
  });

  it("can be stolen: the robbed request rejects, its callback runs on", async () => {
    const world = new World();
    const seen: string[] = [];
    const hold = holder(world, seen);
    const robbed = hold("a", 100);
    robbed.catch(() => seen.push("a robbed"));
    void hold("b", 100);
    await world.clock.advance(10);
    const thief = hold("c", 100, { steal: true });
    expect(await world.clock.until(thief)).toBe("c");
    expect(seen).toEqual(["a holds", "a robbed", "c holds"]);
    await expect(robbed).rejects.toMatchObject({ name: "AbortError" });
    await world.clock.advance(10);
    expect(seen.at(-1)).toBe("b holds");
  });

  it("are freed when the callback throws", async () => {
    const world = new World();
    const tab = world.tab();
    const request = (tab.environment.locks as LockManager).request("lock", () => {
      throw new Error("oops");
    });
    await expect(world.clock.until(request)).rejects.toThrow("oops");
    await world.clock.advance(10);
    expect(world.locks.names()).toEqual([]);
  });

  it("let readers share", async () => {
    const world = new World();
    const seen: string[] = [];
    const hold = holder(world, seen);
    void hold("a", 100, { mode: "shared" });
    void hold("b", 100, { mode: "shared" });
    void hold("c", 100);
    void hold("d", 100, { mode: "shared" });
    await world.clock.advance(50);
    expect([world.locks.holders("lock"), world.locks.waiting("lock")]).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
  });
});
