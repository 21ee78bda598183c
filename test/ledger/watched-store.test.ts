import { describe, expect, it } from "vitest";
import { watchedStore } from "../../src/ledger/watched-store.js";
import { FakeStore } from "./fake-store.js";

function setUp() {
  const store = new FakeStore();
  const seen: string[] = [];
  /** The waits that are under way: how long, and what comes after it. */
  const waits: { milliseconds: number; expire: () => void }[] = [];
  const watched = watchedStore(store, {
    wait(milliseconds, expire) {
      const wait = { milliseconds, expire };
      waits.push(wait);
      return () => {
        if (waits.includes(wait)) waits.splice(waits.indexOf(wait), 1);
      };
    },
    hangs: () => seen.push("hangs"),
    recovered: () => seen.push("recovered"),
  });
  const use = () =>
    watched.transact(
      () => undefined,
      () => seen.push("done"),
      () => seen.push("failed"),
    );
  return { store, watched, seen, use, waiting: () => waits.map(({ milliseconds }) => milliseconds), expire: () => waits.pop()!.expire() };
}

describe("R88 a watched store", () => {
  it("waits while a use is under way, and begins anew with each answer", () => {
    const { store, use, waiting, seen } = setUp();
    use();
    use();
    expect(waiting()).toEqual([5_000]);
    store.reaches();
    store.confirms();
    expect([waiting(), seen]).toEqual([[5_000], ["done"]]);
    store.refuses();
    expect([waiting(), seen]).toEqual([[], ["done", "failed"]]);
  });

  it("waits for nothing of what it was told to forget", () => {
    const { watched, use, waiting } = setUp();
    use();
    watched.forget();
    expect(waiting()).toEqual([]);
    use();
    expect(waiting()).toEqual([5_000]);
  });

  it("doubles the time with each silence, to a minute at most, and says when all is answered again", () => {
    const { store, use, waiting, expire, seen } = setUp();
    for (const expected of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      use();
      expect(waiting()).toEqual([expected]);
      expire();
    }
    expect(seen.splice(0)).toEqual(Array(6).fill("hangs"));
    use();
    use();
    store.answers();
    // The late answers to the uses before come, too.
    expect(seen.filter((what) => what === "recovered")).toHaveLength(1);
    expect(waiting()).toEqual([]);
    use();
    expect(waiting()).toEqual([5_000]);
  });

  it("goes on waiting when it is closed, since what is under way needs an answer all the same", () => {
    const { watched, store, use, waiting } = setUp();
    use();
    watched.close(true);
    watched.close();
    expect([waiting(), store.closed]).toEqual([[5_000], [true, false]]);
  });
});
