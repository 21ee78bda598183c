import { describe, expect, it } from "vitest";
import { createEvents } from "../../src/session/events.js";

function setUp() {
  const reports: unknown[] = [];
  return { reports, events: createEvents<{ a: number; b: string }>((...report) => reports.push(report)) };
}

describe("events", () => {
  it("R7 wait in line until they are flushed, and keep their order", () => {
    const { events } = setUp();
    const heard: unknown[] = [];
    events.on("a", (n) => heard.push(n));
    events.on("b", (s) => heard.push(s));
    events.emit("a", 1);
    events.emit("b", "two");
    events.emit("a", 3);
    expect(heard).toEqual([]);
    events.flush();
    expect(heard).toEqual([1, "two", 3]);
  });

  it("R7 that a listener causes come after those in line, also when it flushes itself", () => {
    const { events } = setUp();
    const heard: unknown[] = [];
    events.on("a", (n) => {
      heard.push(n);
      if (n === 1) {
        events.emit("a", 3);
        events.flush();
      }
    });
    const others: unknown[] = [];
    events.on("a", (n) => others.push(n));
    events.emit("a", 1);
    events.emit("a", 2);
    events.flush();
    expect([heard, others]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it("R37 a listener that throws is reported and stops nothing", () => {
    const { events, reports } = setUp();
    const heard: unknown[] = [];
    events.on("a", () => {
      throw new Error("own");
    });
    events.on("a", (n) => heard.push(n));
    events.emit("a", 1);
    events.flush();
    expect([heard, reports.length]).toEqual([[1], 1]);
  });

  it("the same listener twice is called twice, and each undo takes one away, for good", () => {
    const { events } = setUp();
    const heard: unknown[] = [];
    const listener = (n: number) => heard.push(n);
    const undo = events.on("a", listener);
    events.on("a", listener);
    events.emit("a", 1);
    events.flush();
    undo();
    undo();
    events.emit("a", 2);
    events.flush();
    expect(heard).toEqual([1, 1, 2]);
  });

  it("a listener that another one takes away while an event is delivered is not called any more", () => {
    const { events } = setUp();
    const heard: string[] = [];
    events.on("a", () => undo());
    const undo = events.on("a", () => heard.push("too late"));
    events.emit("a", 1);
    events.flush();
    expect(heard).toEqual([]);
  });
});
