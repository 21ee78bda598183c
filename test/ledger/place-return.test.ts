import { describe, expect, it } from "vitest";
import { inMemory } from "./place-scene.js";

describe("R26 a place whose storage answers again", () => {
  it("brings back what this tab has, and is shared from the moment in which storage has been read", () => {
    const { store, place, brings, write, since } = inMemory();
    brings({ written: "mine", tokens: "secret" });
    write("one");
    expect([since(), place.shared]).toEqual([["makes one alone", "done one"], false]);
    store.reaches();
    expect([since(), place.shared, place.whole]).toEqual([["finds undefined"], true, false]);
    store.confirms();
    expect([since(), place.whole, store.value]).toEqual([["is back"], true, { written: "mine", tokens: "secret" }]);
    write("two");
    store.answers();
    expect(since()).toEqual(["makes two", "done two"]);
  });

  it("takes what the other tabs have, where that is further: nothing is written, and nothing said of the tokens", () => {
    const { store, place, brings, since } = inMemory();
    store.value = { written: "theirs" };
    brings({ write: undefined, done: () => {} });
    place.reconnect();
    store.answers();
    expect([since(), store.value, place.shared, place.whole]).toEqual([["finds theirs"], { written: "theirs" }, true, false]);
  });

  it("stays in memory where this is no moment to return, lets go of the connection, and asks again later", () => {
    const { store, place, brings, write, since } = inMemory();
    brings(undefined);
    store.closed.length = 0;
    write("one");
    store.answers();
    expect([place.shared, store.closed, since().at(-1)]).toEqual([false, [false], "finds undefined"]);
    brings({ written: "mine" });
    write("two");
    store.answers();
    expect([place.shared, since().at(-1)]).toEqual([true, "is back"]);
  });

  it("lets changes wait behind its return, and builds them on this tab's own value", () => {
    const { store, place, brings, write, read, since } = inMemory();
    brings({ written: "mine" });
    place.reconnect();
    store.reaches();
    write("one");
    read();
    store.reads[0]?.see({ written: "older" });
    expect(since()).toEqual(["finds undefined", "insists"]);
    store.reaches(1);
    store.confirms();
    store.confirms();
    expect(since()).toEqual(["makes one alone", "is back", "done one"]);
  });

  it("fails in the midst of its return: what waits is made in memory, in order, and the tokens are left out the next time", () => {
    const { store, place, brings, write, since } = inMemory();
    brings({ written: "mine", tokens: "secret" });
    place.reconnect();
    store.reaches();
    for (const name of ["one", "two"]) write(name);
    store.reaches(1);
    since();
    store.refuses();
    expect([since(), place.shared]).toEqual([["done one", "makes two alone", "done two"], false]);
    // The two changes, which nobody waits for any more, and the second try.
    store.answers();
    expect([since(), store.value, place.shared, place.whole]).toEqual([
      ["finds undefined", "is back"],
      { written: "mine", tokens: undefined },
      true,
      false,
    ]);
  });

  it("fails twice: it stays in memory until the next change asks again", () => {
    const { store, place, brings, write } = inMemory();
    brings({ written: "mine" });
    place.reconnect();
    for (const _ of "12") {
      store.reaches();
      store.refuses();
    }
    expect([place.shared, store.underWay.length]).toEqual([false, 0]);
    write("one");
    expect(store.underWay).toHaveLength(1);
    store.answers();
    expect(place.shared).toBe(true);
  });

  it("hangs in the midst of its return: given up once more, it stays in memory until the next change asks again", () => {
    const { store, place, brings, write, since } = inMemory();
    brings({ written: "mine" });
    place.reconnect();
    store.reaches();
    write("one");
    since();
    place.fallBackToMemory();
    expect([since(), place.shared, store.underWay.length]).toEqual([["makes one alone", "done one"], false, 2]);
    store.confirms();
    expect([place.shared, since()]).toEqual([false, []]);
    store.answers();
    write("two");
    store.answers();
    expect([place.shared, since().at(-1)]).toEqual([true, "is back"]);
  });
});
