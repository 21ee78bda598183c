import { describe, expect, it } from "vitest";
import { memory } from "../../src/session/memory.js";
import { HOUR, revokingStrategy, type Scene, SECOND, scene } from "../support/scene.js";

const stored = ({ world: { stores } }: Scene) => JSON.stringify(stores.names().map((name) => stores.read(name)));

describe("R90 tabs with different `persist`", () => {
  it("of a session that is stored: a tab in memory mode takes the tokens out of storage, and no tab loses the session", async () => {
    const stage = scene({ shares: true });
    const first = await stage.signedIn();
    const second = await stage.open({ persist: memory() });
    await stage.clock.advance(SECOND);
    expect(stored(stage)).not.toMatch(/"(refresh|access)Token":/);
    expect([first, second].map((app) => [app.status(), stage.serial(app)])).toEqual([
      ["signed-in", 1],
      ["signed-in", 1],
    ]);
    expect(await stage.clock.until(first.session.refresh())).toBe("refreshed");
    await stage.clock.advance(SECOND);
    expect([first, second].map((app) => stage.serial(app))).toEqual([2, 2]);
    expect(await stage.clock.until(second.session.refresh())).toBe("adopted");
    expect([stage.server.stats.reused, stored(stage)]).toEqual([0, expect.not.stringMatching(/"(refresh|access)Token":/)]);
  });

  it("whichever tab that has the refresh token renews, also when the other one is closed", async () => {
    for (const closed of [0, 1]) {
      const stage = scene({ shares: true });
      const apps = [await stage.signedIn(), await stage.open({ persist: memory() })];
      await stage.clock.advance(SECOND);
      apps[closed]?.tab.close();
      await stage.clock.advance(3 * HOUR);
      const [left] = apps.filter((_, at) => at !== closed);
      expect([left?.status(), stage.server.stats.reused]).toEqual(["signed-in", 0]);
    }
  });

  it("of a session that is stored while storage hangs: the tab opens, and takes the tokens out later", async () => {
    let hangs = true;
    const stage = scene({ shares: true });
    await stage.signedIn();
    stage.world.stores.trouble = (tab) => (hangs && tab.name !== "tab 1" ? "hanging" : "none");
    const second = await stage.open({ persist: memory() });
    await stage.clock.advance(5 * SECOND);
    hangs = false;
    await stage.clock.advance(HOUR);
    expect([second.status(), stored(stage)]).toEqual(["signed-in", expect.not.stringMatching(/"(refresh|access)Token":/)]);
  });

  it("of a session in memory mode: a tab that may store takes the access token, and stores no token", async () => {
    const stage = scene({ shares: true });
    const owner = await stage.signedIn({ persist: memory() });
    const other = await stage.open();
    expect([other.status(), stage.serial(other)]).toEqual(["signed-in", 1]);
    expect(await stage.clock.until(other.session.refresh())).toBe("adopted");
    await stage.clock.advance(SECOND);
    expect([stage.serial(owner), stage.serial(other)]).toEqual([2, 2]);
    expect(stored(stage)).not.toMatch(/"(refresh|access)Token":/);
  });

  it("keep to the way of the tab that signed in last, and the former session in memory is revoked", async () => {
    const stage = scene({ shares: true, session: { refresh: revokingStrategy() } });
    const owner = await stage.signedIn({ persist: memory() });
    const other = await stage.signedIn({}, stage.server.signIn("grace"));
    await stage.clock.advance(SECOND);
    expect(stored(stage)).toContain('"refreshToken":');
    expect([owner.status(), other.status(), stage.server.stats.revocations]).toEqual(["signed-in", "signed-in", 1]);
    await stage.clock.until(other.session.signOut());
    await stage.clock.until(owner.session.signIn(stage.server.signIn()));
    await stage.clock.advance(SECOND);
    expect(stored(stage)).not.toMatch(/"(refresh|access)Token":/);
  });
});
