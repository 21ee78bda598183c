import { describe, expect, it } from "vitest";
import { HOUR, MINUTE, SECOND, scene } from "../support/scene.js";

async function refreshing(answerAfter: number) {
  const stage = scene({ shares: true });
  const app = await stage.signedIn();
  await stage.clock.sleep(2 * HOUR);
  let requests = 0;
  stage.server.latency = { before: () => 0, after: () => (requests++ === 0 ? answerAfter * SECOND : 0) };
  const start = stage.clock.monotonic();
  const at = (second: number) => stage.clock.advance(start + second * SECOND - stage.clock.monotonic());
  const call = app.session.getToken().catch(() => {});
  await stage.clock.advance(100);
  return { stage, app, at, call };
}

describe("R26 storage that hangs when the answer comes (on time), in the only tab", () => {
  it("the session has the token that it was given", async () => {
    const { stage, app, at } = await refreshing(2);
    stage.world.stores.trouble = () => "hanging";
    await at(40);
    const outcome = await stage.outcome(app.session.getToken(), 30_000);
    expect(stage.server.grants.serialOf(outcome as string)).toBe(2);
  });
  it("and does not present the used refresh token when storage answers again", async () => {
    const { stage, app, at } = await refreshing(2);
    stage.world.stores.trouble = () => "hanging";
    await at(10);
    stage.world.stores.trouble = () => "none";
    await at(60);
    await stage.outcome(app.session.getToken(), 30_000);
    expect([app.status(), stage.server.stats.reused]).toEqual(["signed-in", 0]);
  });
  it("a scheduled refresh: the same", async () => {
    const stage = scene({ shares: true });
    const app = await stage.signedIn();
    stage.world.stores.onWrite = ({ value }) => {
      if ((value as { refreshing?: unknown }).refreshing) stage.world.stores.trouble = () => "hanging";
    };
    await stage.clock.advance(HOUR - MINUTE);
    stage.world.stores.onWrite = () => {};
    stage.world.stores.trouble = () => "none";
    await stage.clock.advance(10 * MINUTE);
    app.session.getToken().catch(() => {});
    await stage.clock.advance(10 * MINUTE);
    expect([app.status(), stage.server.stats.reused]).toEqual(["signed-in", 0]);
  });
});

describe("storage takes no writes while a tab renews, and takes them again soon after", () => {
  it.each([
    ["full", 20 * MINUTE],
    ["denied", 20 * MINUTE],
  ] as const)("R26 %s: a tab that is opened %d ms later does not present the used refresh token", async (trouble, later) => {
    const stage = scene({ shares: true });
    const app = await stage.signedIn();
    await stage.clock.advance(MINUTE);
    stage.world.stores.trouble = () => trouble;
    while (stage.server.stats.refreshes === 1) await stage.clock.advance(10 * SECOND);
    expect(stage.serial(app)).toBe(3);
    stage.world.stores.trouble = () => "none";
    await stage.clock.advance(later);
    expect(stage.server.stats.refreshes).toBe(2);
    const next = await stage.open();
    await stage.clock.advance(10 * SECOND);
    expect([app.status(), next.status(), stage.server.stats.reused]).toEqual(["signed-in", "signed-in", 0]);
  });
});

describe("R94 the restore, the check of a limit and the refresh of one call have one limit together", () => {
  it.each(["getToken", "refresh"] as const)(
    "%s settles within 2 × refreshTimeout + 5 s while a page opens and storage hangs",
    async (way) => {
      const stage = scene({ session: { refreshTimeout: SECOND } });
      await stage.signedIn();
      stage.world.stores.trouble = () => "hanging";
      const app = stage.start();
      const start = stage.clock.monotonic();
      expect(await stage.outcome(app.session[way](), 30_000)).toBe("timeout");
      expect((stage.clock.monotonic() - start) / SECOND).toBeCloseTo(7, 1);
    },
  );
});

it.each([8, 20])(
  "R26 R84 a refresh that began while storage was denied, and whose answer takes %d s: a tab that opens meanwhile sends nothing",
  async (after) => {
    const stage = scene({ shares: true });
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    let requests = 0;
    stage.server.latency = { before: () => 0, after: () => (requests++ === 0 ? after * SECOND : 0) };
    stage.world.stores.trouble = () => "denied";
    app.session.getToken().catch(() => {});
    await stage.clock.advance(2 * SECOND);
    stage.world.stores.trouble = () => "none";
    const next = await stage.open();
    for (let second = 0; second < 60; second++) {
      next.session.getToken().catch(() => {});
      await stage.clock.advance(SECOND);
    }
    expect([app.status(), next.status(), stage.server.stats.reused]).toEqual(["signed-in", "signed-in", 0]);
  },
);
