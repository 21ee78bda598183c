import { describe, expect, it } from "vitest";
import { contextOver } from "../support/context.js";

/** A tab that holds the lock until the test lets go of it. */
async function holding() {
  const test = contextOver();
  const { clock } = test.world;
  let release!: () => void;
  const work = () => new Promise<void>((resolve) => (release = resolve));
  const held = test.context.tabs.lock.hold(work, 5_000, new AbortController().signal, false);
  await clock.advance(10);
  const letGo = () => {
    release();
    return clock.until(held);
  };
  return { ...test, report: test.context.report, clock, release: letGo };
}

describe("what the app and its developer get to know", () => {
  it("R7 runs no code of the app while this tab holds the lock", async () => {
    const { report, heard, release } = await holding();
    report.emit("refreshed", { adopted: false, expiresAt: null });
    report.flush();
    expect(heard).toEqual([]);
    await release();
    report.flush();
    expect(heard).toEqual([["refreshed", { adopted: false, expiresAt: null }]]);
  });

  it("R7 is told even then when a call of the app ends here", async () => {
    const { report, heard, release } = await holding();
    report.emit("change", undefined);
    report.flush(true);
    expect(heard).toEqual([["change", undefined]]);
    await release();
  });

  it("reports each problem once, with its error", () => {
    const { context, page } = contextOver();
    const error = new Error("own");
    for (let times = 0; times < 3; times++) context.report.warnOnce("one", error);
    context.report.warnOnce("two");
    expect(page.reports).toEqual([
      { message: "one", error },
      { message: "two", error: undefined },
    ]);
  });

  it("has debug events that name the decision, the moment and the tab, whatever their details are called", () => {
    const { context, events, world } = contextOver();
    const seen: unknown[] = [];
    events.on("debug", (event) => seen.push(event));
    context.report.debug("refresh-wanted", { cause: "due", type: "other", tab: "other" });
    context.report.flush();
    expect(seen).toEqual([{ type: "refresh-wanted", at: world.clock.now(), tab: "tab 1", cause: "due" }]);
  });
});
