import { describe, expect, it } from "vitest";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { DAY, MINUTE, type Scene, SECOND, scene } from "../support/scene.js";
import { tabs } from "../support/tabs.js";

const stored = (stage: Scene) => stage.world.stores.read(stage.world.stores.names()[0] ?? "") as LedgerRecord;

/** Posts what any script of the origin can post: the stored record as news of a tab that shares storage, except for `lie`. */
async function post(stage: Scene, lie: Partial<LedgerRecord>): Promise<void> {
  const { tokens: _, ...record } = stored(stage);
  const stranger = stage.world.channels.open(stage.world.tab("stranger"), stage.world.channels.posted[0]?.name ?? "");
  stranger.postMessage({ type: "changed", shared: true, record: { ...record, ...lie } });
  stranger.close();
  await stage.clock.advance(SECOND);
}

describe("R93 a forged message", () => {
  it("the stored commit with a higher version: the clock does not go back to that commit", async () => {
    const stage = scene();
    const [app] = await tabs(stage, 1);
    for (let passed = 0; passed < MINUTE; passed += 2 * SECOND) {
      app?.bare.peekToken();
      await stage.clock.advance(2 * SECOND);
    }
    const { version } = stored(stage);
    await post(stage, { version: version + 1 });
    if (app) await stage.clock.until(app.session.refresh());
    expect(stored(stage).committedAt).toBeGreaterThanOrEqual(stage.clock.now() - 5 * SECOND);
  });

  it("an end of tomorrow: the clocks stay within a minute", async () => {
    const stage = scene();
    await tabs(stage, 2);
    const { version } = stored(stage);
    await post(stage, { version: version + 1, by: "stranger", signedIn: false, committedAt: stage.clock.now() + DAY });
    expect(stored(stage).committedAt).toBeLessThanOrEqual(stage.clock.now() + MINUTE);
  });

  it("an end of the stored commit: the session ends, or its numbers stay", async () => {
    const stage = scene();
    await tabs(stage, 2);
    const { version } = stored(stage);
    await post(stage, { version: 1e12, signedIn: false });
    const { signedIn, version: after } = stored(stage);
    expect(!signedIn || after === version).toBe(true);
  });

  it("an end with a lease and a token: neither is stored", async () => {
    const stage = scene();
    await tabs(stage, 2);
    const { version } = stored(stage);
    const refreshing = { tab: "stranger", since: stage.clock.now(), timeout: 1e9 };
    await post(stage, { version: version + 1, by: "stranger", signedIn: false, refreshing, tokens: { accessToken: "stranger" } });
    expect([stored(stage).refreshing, stored(stage).tokens]).toEqual([undefined, undefined]);
  });
});
