import { describe, expect, it } from "vitest";
import { inMemory, setUp } from "./place-scene.js";

describe("a place whose storage answers", () => {
  it("makes each change once, with what storage has, and says that it is done when it is durable", () => {
    const { store, place, write, look, since } = setUp();
    write("one");
    look();
    store.reaches();
    expect(since()).toEqual(["makes one"]);
    store.confirms();
    store.answers();
    expect(since()).toEqual(["done one", "looks at one", "done looking"]);
    expect([place.shared, place.whole, store.value]).toEqual([true, true, { written: "one", tokens: "secret" }]);
  });

  it("makes a change anew when its transaction is tried again, with what is there then", () => {
    const { store, look, since } = setUp();
    look();
    store.reaches();
    store.value = { written: "another tab's" };
    store.answers();
    expect(since()).toEqual(["looks at undefined", "looks at another tab's", "done looking"]);
  });
});

describe("R26 a place whose storage is full", () => {
  it("stores the value without the tokens, and with them as soon as there is room", () => {
    const { store, place, write, since, warnings } = setUp();
    write("one");
    store.reaches();
    store.refuses();
    store.answers();
    expect(since()).toEqual(["makes one", "makes one", "done one"]);
    expect([store.value, place.shared, place.whole]).toEqual([{ written: "one", tokens: undefined }, true, false]);
    expect(warnings).toEqual(["storage does not answer; the session asks it again"]);
    write("two");
    store.answers();
    expect([store.value, place.whole]).toEqual([{ written: "two", tokens: "secret" }, true]);
  });

  it("says nothing of the tokens where a change has written nothing", () => {
    const { store, place, look } = setUp();
    look();
    store.reaches();
    store.refuses();
    store.answers();
    expect(place.whole).toBe(true);
  });
});

describe("R26 a place whose storage is denied", () => {
  it("goes on in memory: makes what waits there, in order, and lets go of the connection", () => {
    const { store, place, write, since, warnings } = setUp();
    for (const name of ["one", "two", "three"]) write(name);
    store.refuses();
    store.refuses();
    expect(since(), "only the first has been tried once more").toEqual([]);
    store.refuses();
    store.refuses();
    expect(since()).toEqual([...["makes one alone", "done one", "makes two alone", "done two", "makes three alone", "done three"]]);
    expect([place.shared, place.whole, store.closed]).toEqual([false, false, [false]]);
    expect(new Set(warnings)).toEqual(new Set(["storage does not answer; the session asks it again"]));
  });

  it("makes a change anew in memory that storage was told, and has refused", () => {
    const { store, write, since } = setUp();
    write("one");
    store.reaches();
    store.refuses();
    store.reaches();
    store.refuses();
    expect(since()).toEqual(["makes one", "makes one", "makes one alone", "done one"]);
  });

  it("does nothing more about changes that storage refuses later", () => {
    const { store, place, write, since } = setUp();
    for (const name of ["one", "two"]) write(name);
    place.fallBackToMemory();
    since();
    store.refuses();
    store.refuses();
    expect([since(), store.underWay.length]).toEqual([[], 1]);
  });
});

describe("R26 a place whose storage hangs", () => {
  it("makes no change twice: one that storage was told may be durable already", () => {
    const { store, place, write, since } = setUp();
    for (const name of ["one", "two", "three"]) write(name);
    store.reaches(0);
    store.reaches(1);
    since();
    place.fallBackToMemory();
    expect(since()).toEqual(["done one", "done two", "makes three alone", "done three"]);
  });

  it("makes a change again that wrote nothing: nothing can be durable", () => {
    const { store, place, look, since } = setUp();
    look();
    store.reaches();
    place.fallBackToMemory();
    expect(since()).toEqual(["looks at undefined", "looks at undefined", "done looking"]);
  });

  it("writes nothing when a transaction that was given up gets its turn, and says nothing twice", () => {
    const { store, place, write, since } = setUp();
    write("one");
    place.fallBackToMemory();
    since();
    store.reaches();
    store.confirms();
    expect([since(), store.value]).toEqual([[], undefined]);
  });

  it("asks storage once, and not again before it has answered", () => {
    const { store, place, write } = setUp();
    place.fallBackToMemory();
    for (const name of ["one", "two"]) write(name);
    place.fallBackToMemory();
    place.reconnect();
    expect(store.underWay).toHaveLength(1);
  });
});

describe("R26 a place without storage", () => {
  it("makes each change at once, with this tab's own value, and asks nobody", () => {
    const { place, write, read, since } = setUp({ store: null });
    write("one");
    read();
    place.reconnect();
    place.close();
    expect(since()).toEqual(["makes one alone", "done one", "insists"]);
    expect([place.shared, place.whole]).toEqual([false, false]);
  });
});

describe("reading a place", () => {
  it("sees what storage has, without a transaction, and insists on one where that cannot be read", () => {
    const { store, read, since } = setUp();
    for (const _ of "12") read();
    store.reads[0]?.see({ written: "theirs" });
    store.reads[1]?.fail(new Error("no"));
    expect([since(), store.underWay.length]).toEqual([["sees theirs", "insists"], 0]);
  });

  it("R88 insists at once where storage is given up, and hears no late answer", () => {
    const { store, place, brings, read, since } = setUp();
    read();
    place.fallBackToMemory();
    expect(since()).toEqual(["insists"]);
    brings({ written: "mine" });
    store.answers();
    since();
    store.reads[0]?.see({ written: "older" });
    expect(since()).toEqual([]);
  });

  it("R88 tells of no second silence because of what was under way when storage was given up", () => {
    const { place, store, brings, read, warnings, silence } = setUp();
    read();
    brings({ written: "mine" });
    place.fallBackToMemory();
    store.answers();
    silence();
    expect(warnings).toHaveLength(1);
  });
});

describe("R11 a place whose page is away", () => {
  it("lets go of the connection at once, and after each use until the page is back", () => {
    const { store, place, write, read } = setUp();
    place.close(true);
    expect(store.closed).toEqual([true]);
    write("one");
    read();
    expect(store.closed).toEqual([true, false, false]);
    place.reconnect();
    write("two");
    expect(store.closed).toHaveLength(3);
  });

  it("lets go of a storage that has failed as well, and asks it when the page is back", () => {
    const { store, place, brings } = inMemory();
    store.closed.length = 0;
    place.close();
    expect(store.closed).toEqual([false]);
    brings({ written: "mine" });
    place.reconnect();
    store.answers();
    expect([place.shared, store.closed.length]).toEqual([true, 1]);
  });
});
