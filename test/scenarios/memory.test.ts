import { describe, expect, it } from "vitest";
import { memory } from "../../src/index.js";
import { down, throttled } from "../../src/testing/faults.js";
import { HOUR, MINUTE, revokingStrategy, type Scene, SECOND, scene } from "../support/scene.js";

const inMemory = (options: Parameters<typeof scene>[0] = {}, shareAccessToken = true) =>
  scene({ shares: shareAccessToken, ...options, session: { persist: memory({ shareAccessToken }), ...options.session } });

function stored(stage: Scene): boolean {
  const text = JSON.stringify(stage.world.stores.names().map((name) => stage.world.stores.read(name)));
  const written = JSON.stringify(stage.world.stores.writes);
  return [...stage.server.grants.secrets].some((secret) => text.includes(secret) || written.includes(secret));
}

describe("memory mode", () => {
  it("writes no token to storage, and gives siblings the access token", async () => {
    const stage = inMemory();
    const owner = await stage.signedIn();
    const sibling = await stage.open();
    expect([sibling.status(), stage.serial(sibling)]).toEqual(["signed-in", 1]);
    await stage.clock.until(owner.session.refresh());
    await stage.clock.advance(SECOND);
    expect([stage.serial(sibling), stored(stage)]).toEqual([2, false]);
  });

  it("R10 a broadcast never carries the refresh token", async () => {
    const stage = inMemory();
    await stage.signedIn();
    await stage.open();
    await stage.clock.advance(3 * HOUR);
    expect(stage.world.channels.posted.length).toBeGreaterThan(3);
    // The scene looks for every refresh token of the server in every message.
  });

  it("R10 sharing the access token can be switched off", async () => {
    const stage = inMemory({}, false);
    const owner = await stage.signedIn();
    const sibling = await stage.open();
    await stage.clock.until(owner.session.refresh());
    await stage.clock.advance(SECOND);
    expect(stage.serial(sibling)).toBeNull();
    // The scene looks for every token of the server in every message.
  });

  it("only the tab that holds the refresh token refreshes; a sibling that needs a token gets it from there", async () => {
    const stage = inMemory();
    const owner = await stage.signedIn();
    const sibling = await stage.open();
    await stage.clock.sleep(2 * HOUR);
    const token = await stage.clock.until(sibling.session.getToken());
    expect(stage.server.grants.serialOf(token)).toBe(2);
    expect(await stage.clock.until(sibling.session.refresh())).toBe("adopted");
    expect([stage.serial(owner), stage.serial(sibling), stage.server.stats.reused]).toEqual([3, 3, 0]);
  });

  it.each([10 * SECOND, 1 * SECOND, 100])(
    "when the owner closes, the others end at expiry as owner-closed, and settle in the meantime, with a `refreshTimeout` of %d",
    async (refreshTimeout) => {
      const stage = inMemory({ session: { lead: 5 * MINUTE, refreshTimeout } });
      const owner = await stage.signedIn();
      const sibling = await stage.open();
      await stage.clock.advance(MINUTE);
      owner.tab.close();
      await stage.clock.advance(10 * MINUTE);
      expect([sibling.status(), await stage.call(sibling)]).toEqual(["signed-in", 200]);
      await stage.outcome(sibling.session.refresh(), 25_000);
      expect(sibling.status()).toBe("signed-in");
      await stage.clock.advance(HOUR);
      expect([sibling.status(), sibling.count("signed-out"), stage.server.stats.attempts]).toEqual(["signed-out: owner-closed", 1, 0]);
    },
  );

  it("a tab that opens when the owner is gone gets the access token from those that have it, once", async () => {
    const stage = inMemory({ session: { lead: 5 * MINUTE } });
    const owner = await stage.signedIn();
    const siblings = [await stage.open(), await stage.open(), await stage.open()];
    owner.tab.close();
    const before = stage.world.channels.posted.length;
    const late = await stage.open();
    expect([late.status(), stage.serial(late)]).toEqual(["signed-in", 1]);
    const answers = stage.world.channels.posted.slice(before).filter(({ tab }) => siblings.some((app) => app.tab.name === tab));
    expect(answers).toHaveLength(1);
  });

  it("after a reload of the only tab there is no session", async () => {
    const stage = inMemory();
    const owner = await stage.signedIn();
    owner.tab.close();
    const app = await stage.open();
    await stage.clock.advance(10 * SECOND);
    expect([await stage.outcome(app.session.getToken(), 25_000), await stage.call(app)]).toEqual([null, 401]);
    expect(app.status()).toMatch(/^signed-out/);
  });

  it("R43 R38 signs out everywhere", async () => {
    const stage = inMemory();
    const owner = await stage.signedIn();
    const sibling = await stage.open();
    await stage.clock.until(sibling.session.signOut());
    await stage.clock.advance(SECOND);
    expect([owner.status(), owner.bare.peekToken(), sibling.status()]).toEqual(["signed-out: user", null, "signed-out: user"]);
    await stage.clock.advance(2 * HOUR);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("R43 a sign-out in a sibling has the refresh token revoked by the tab that holds it", async () => {
    const stage = inMemory({ session: { refresh: revokingStrategy() } });
    await stage.signedIn();
    const sibling = await stage.open();
    await stage.clock.until(sibling.session.signOut());
    await stage.clock.advance(5 * SECOND);
    expect(stage.server.stats.revocations).toBe(1);
  });
});

describe("memory mode while the tab that can renew cannot renew", () => {
  it.each([
    ["R18 the token endpoint is down", down()],
    ["R21 the server asks for a pause of half an hour", throttled(1_800)],
  ])("%s: siblings stay signed in past expiry, and renew with it", async (_, fault) => {
    const stage = inMemory();
    const owner = await stage.signedIn();
    const sibling = await stage.open();
    stage.server.fault = fault;
    await stage.clock.advance(90 * MINUTE);
    expect([owner.status(), sibling.status(), sibling.events()]).toEqual(["signed-in", "signed-in", ["signed-in"]]);
    stage.server.fault = null;
    await stage.clock.advance(35 * MINUTE);
    expect([stage.serial(owner), stage.serial(sibling)]).toEqual([2, 2]);
  });

  it("R18 a sibling whose app keeps on calling meanwhile stays signed in as well", async () => {
    const stage = inMemory();
    const owner = await stage.signedIn();
    const sibling = await stage.open();
    await stage.clock.advance(30 * MINUTE);
    stage.server.fault = down();
    for (let minute = 0; minute < 60; minute += 1) {
      await stage.call(sibling);
      // The tab that can renew has the main thread busy: it does not answer at once.
      owner.tab.block(20 * SECOND);
      await stage.clock.advance(MINUTE);
    }
    expect([owner.status(), sibling.status(), sibling.count("signed-out")]).toEqual(["signed-in", "signed-in", 0]);
  });

  it("R18 offline: a sibling that asks for a token is told that there is none now, not that it is signed out", async () => {
    const stage = inMemory();
    await stage.signedIn();
    const sibling = await stage.open();
    stage.world.network.offline = true;
    await stage.clock.advance(65 * MINUTE);
    expect(await stage.outcome(sibling.session.getToken(), 25_000)).toBe("network");
    expect([sibling.status(), sibling.count("signed-out")]).toEqual(["signed-in", 0]);
  });
});
