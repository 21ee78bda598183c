import { describe, expect, it } from "vitest";
import type { Uncured } from "../../src/ledger/record.js";
import { createPace } from "../../src/session/pace.js";
import { createView } from "../../src/session/view.js";
import { contextOver, liveRecord } from "../support/context.js";

const HERE = "https://api.example.test/here";
const THERE = "https://api.example.test/there";

/** A tab in which so many renewals in a row have cured nothing. */
async function setUp(count: number) {
  const test = contextOver();
  const { context, followers, write } = test;
  const { clock } = test.world;
  const view = createView(context);
  followers.push(view);
  const pace = createPace(context, view);
  const live = liveRecord(context);
  const uncured: Uncured = { count, at: live.committedAt, asked: live.committedAt, judged: live.committedAt };
  await write({ ...live, uncured: { "": uncured } });
  const noted = async (): Promise<Uncured | undefined> => {
    await clock.advance(20);
    return context.ledger.current!.uncured?.[""];
  };
  /** A call to an address is over: whether it was accepted, and which renewal was made for it. */
  const judged = (address: string, accepted: boolean, renewal?: number, began = renewal !== undefined) =>
    pace.judged(view.credential!, { url: address, left: 0, renewal, began, signal: undefined }, accepted);
  const refused = async (address: string) => {
    await clock.until(pace.refused(view.credential!, { url: address, left: 0, signal: undefined }));
    return noted();
  };
  return { ...test, clock, view, pace, noted, judged, refused, renewal: live.committedAt + 1 };
}

describe("R49 renewals for a refusal", () => {
  it("are paced from the first one on that cured nothing, in all tabs", async () => {
    const { pace, judged, noted, renewal, posted } = await setUp(0);
    expect(pace.paced()).toBe(false);
    judged(HERE, false, renewal);
    expect(await noted()).toMatchObject({ count: 1, judged: renewal });
    expect([pace.paced(), posted()]).toMatchObject([true, [{ type: "changed", record: { uncured: { "": { count: 1 } } } }]]);
  });

  it("are paced no longer once a call that began one is accepted", async () => {
    const { pace, judged, noted, renewal } = await setUp(2);
    judged(HERE, true, renewal, false);
    expect((await noted())?.count, "by a call that joined it").toBe(2);
    judged(HERE, true, renewal);
    expect((await noted())?.count).toBe(0);
    expect(pace.paced()).toBe(false);
  });

  it("write nothing where an accepted token is no news", async () => {
    const { judged, noted, renewal, posted } = await setUp(0);
    judged(HERE, true, renewal);
    judged(HERE, true);
    await noted();
    expect(posted()).toEqual([]);
  });

  it("go ahead for a token that was revoked: this very address has accepted it while they were paced", async () => {
    const { judged, refused, posted } = await setUp(2);
    expect((await refused(HERE))?.asked, "an address that has accepted nothing").toBeGreaterThan(0);
    judged(HERE, true);
    expect((await refused(THERE))?.asked, "another address").toBeGreaterThan(0);
    expect(posted()).toEqual([]);
    expect((await refused(HERE))?.asked).toBe(0);
    expect(posted()).toHaveLength(1);
  });

  it("do not go ahead for a refusal by an address whose renewals cured nothing: that it accepts a token says little", async () => {
    const { judged, refused, noted, renewal } = await setUp(1);
    judged(HERE, false, renewal);
    await noted();
    judged(HERE, true);
    expect((await refused(HERE))?.asked).toBeGreaterThan(0);
  });

  it("do not go ahead for another token than the accepted one", async () => {
    const { judged, refused, write, context, clock } = await setUp(2);
    judged(HERE, true);
    const { current } = context.ledger;
    await write({ ...current!, version: 4, committedAt: clock.now(), tokens: { accessToken: "next", refreshToken: "r" } });
    expect((await refused(HERE))?.asked).toBeGreaterThan(0);
  });
});
