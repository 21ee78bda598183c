import { describe, expect, it } from "vitest";
import { between, seeded } from "../../src/testing/chance.js";
import { World, type WorldTab } from "../../src/testing/world.js";
import type { Store } from "../../src/types/environment.js";

const open = (tab: WorldTab): Store => (tab.environment.openStore as (name: string) => Store)("ledger");
const add = (store: Store, amount: number) =>
  new Promise<void>((resolve, reject) => store.transact((value) => ((value as number | undefined) ?? 0) + amount, resolve, reject));
const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "none",
    (error: Error) => error.name,
  );

describe("the virtual database", () => {
  it("orders the transactions of all tabs, whatever each step takes", async () => {
    const world = new World({ delays: { store: between(seeded(7), 0, 20) } });
    const stores = Array.from({ length: 10 }, () => open(world.tab()));
    await world.clock.until(Promise.all(stores.flatMap((store) => [add(store, 1), add(store, 1)])));
    expect(world.stores.read("ledger")).toBe(20);
    expect(world.stores.writes).toHaveLength(20);
  });

  it("lets readers read side by side, and in their turn with those that write", async () => {
    const world = new World({ delays: { store: () => 10 } });
    const stores = Array.from({ length: 6 }, () => open(world.tab())) as [Store, ...Store[]];
    const heard: [unknown, number][] = [];
    const read = (store: Store) =>
      new Promise<void>((resolve, reject) => store.read((value) => resolve(void heard.push([value, world.clock.monotonic()])), reject));
    const [writer, ...readers] = stores;
    const [before, after] = [readers.slice(0, 2), readers.slice(2)];
    await world.clock.until(Promise.all([...before.map(read), add(writer, 1), ...after.map(read)]));
    expect(heard).toEqual([...before.map(() => [undefined, 20]), ...after.map(() => [1, 50])]);
  });

  it("is durable when it says so", async () => {
    const world = new World();
    let seen: unknown;
    open(world.tab()).transact(
      () => "new",
      () => (seen = world.stores.read("ledger")),
      () => {},
    );
    await world.clock.advance(10);
    expect(seen).toBe("new");
  });

  it("hands out copies, and leaves the value where nothing is returned", async () => {
    const world = new World();
    const store = open(world.tab());
    const value = { list: [1] };
    store.transact(
      () => value,
      () => {},
      () => {},
    );
    await world.clock.advance(10);
    value.list.push(2);
    let read: unknown;
    store.transact(
      (current) => {
        read = current;
      },
      () => {},
      () => {},
    );
    await world.clock.advance(10);
    expect([read, world.stores.read("ledger")]).toEqual([{ list: [1] }, { list: [1] }]);
  });

  it("forgets what a dead tab had not finished, and goes on with the next", async () => {
    const world = new World({ delays: { store: () => 10 } });
    const [dying, living] = [world.tab(), world.tab()];
    void add(open(dying), 1);
    const later = add(open(living), 5);
    await world.clock.advance(25);
    dying.crash();
    await world.clock.until(later);
    expect(world.stores.read("ledger")).toBe(5);
  });

  it("keeps what a dead tab had finished, though it never heard of it", async () => {
    const world = new World({ delays: { store: () => 10 } });
    const dying = world.tab();
    let heard = false;
    open(dying).transact(
      () => 1,
      () => (heard = true),
      () => {},
    );
    await world.clock.advance(35);
    dying.crash();
    await world.clock.advance(100);
    expect([world.stores.read("ledger"), heard]).toEqual([1, false]);
  });

  it("takes a transaction from a frozen tab that is in the way, and lets it try again afterwards", async () => {
    const world = new World();
    const [frozen, living] = [world.tab(), world.tab()];
    const first = add(open(frozen), 1);
    frozen.freeze();
    await world.clock.until(add(open(living), 5));
    expect(world.stores.read("ledger")).toBe(5);
    frozen.thaw();
    await world.clock.until(first);
    expect(world.stores.read("ledger")).toBe(6);
  });

  it.each([
    ["denied", "SecurityError", "SecurityError"],
    ["full", "QuotaExceededError", "none"],
  ] as const)("fails as told: %s", async (trouble, writing, reading) => {
    const world = new World();
    const store = open(world.tab());
    world.stores.trouble = () => trouble;
    const read = new Promise<void>((resolve, reject) => store.transact(() => undefined, resolve, reject));
    expect(await world.clock.until(Promise.all([failure(add(store, 1)), failure(read)]))).toEqual([writing, reading]);
  });

  it("can hang", async () => {
    const world = new World();
    world.stores.trouble = () => "hanging";
    await expect(world.clock.until(add(open(world.tab()), 1), 60_000)).rejects.toThrow("not settled");
  });

  it("aborts when the change throws", async () => {
    const world = new World();
    const store = open(world.tab());
    let error: unknown;
    store.transact(
      () => {
        throw new RangeError("bad");
      },
      () => {},
      (reason) => (error = reason),
    );
    await world.clock.until(add(store, 1));
    expect([(error as Error).name, world.stores.read("ledger")]).toEqual(["RangeError", 1]);
  });
});
